package session

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"sync"
)

// dictionary is what session policies and tags repeat of each other, the most frequent last. It is part of form 1: another dictionary is
// another form.
const dictionary = `aws:RequestedRegionaws:SourceIpaws:PrincipalTag/ec2:ResourceTag/aws:ResourceTag/CostCenterDepartmentEnvironmentOwnerProjectTeam` +
	`"NotAction":"NotResource":"StringNotEquals":{"IpAddress":{"Bool":{"aws:SecureTransport":"false"}"ArnLike":{"ForAnyValue:StringEquals":{` +
	`arn:aws:iam::arn:aws:kms:arn:aws:lambda:arn:aws:sqs:arn:aws:sns:arn:aws:logs:arn:aws:ec2:arn:aws:secretsmanager:arn:aws:dynamodb:us-east-1:` +
	`eu-west-1:us-west-2:"kms:Decrypt","kms:GenerateDataKey""ecr:GetAuthorizationToken""logs:CreateLogStream","logs:PutLogEvents"` +
	`"sts:AssumeRole"*"dynamodb:GetItem","dynamodb:PutItem","dynamodb:Query""sqs:SendMessage""ec2:Describe*"` +
	`"s3:GetBucketLocation","s3:DeleteObject","s3:PutObject","s3:ListBucket","s3:GetObject"],"arn:aws:s3:::` +
	`"Condition":{"StringLike":{"s3:prefix":["StringEquals":{"}}},{"Sid":"","Effect":"Deny","Principal":"*"]}` +
	`{"Version": "2012-10-17", "Statement": [{"Sid": "", "Effect": "Allow", "Action": ["Resource": "*"}]}` +
	`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["],"Resource":["/*"]},{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// writers of one kind: with the dictionary or without. They are large, so they are used again.
type writers struct{ pool sync.Pool }

var (
	withDictionary    = newWriters([]byte(dictionary))
	withoutDictionary = newWriters(nil)
	readers           = sync.Pool{New: func() any { return flate.NewReader(nil) }}
)

func newWriters(dictionary []byte) *writers {
	return &writers{sync.Pool{New: func() any {
		w, err := flate.NewWriterDict(io.Discard, flate.BestCompression, dictionary)
		if err != nil {
			panic(err) // the level is a constant
		}
		return w
	}}}
}

// deflate appends the compressed form of b to dst.
func deflate(dst, b []byte, kind *writers) []byte {
	w := kind.pool.Get().(*flate.Writer)
	defer kind.pool.Put(w)
	out := bytes.NewBuffer(dst)
	w.Reset(out)
	if _, err := w.Write(b); err != nil {
		panic(err) // a bytes.Buffer takes everything
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// inflate undoes deflate with the dictionary. It stops at maxBody, and refuses what does not end where its input ends.
func inflate(b []byte) ([]byte, error) {
	r := readers.Get().(io.ReadCloser)
	defer readers.Put(r)
	in := bytes.NewReader(b)
	if err := r.(flate.Resetter).Reset(in, []byte(dictionary)); err != nil {
		return nil, fmt.Errorf("%w: %w", errForm, err)
	}
	out := bytes.NewBuffer(make([]byte, 0, 4*len(b)+bytes.MinRead))
	n, err := out.ReadFrom(io.LimitReader(r, maxBody+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errForm, err)
	case n > maxBody:
		return nil, fmt.Errorf("%w: it inflates to more than %d bytes", errForm, maxBody)
	case in.Len() > 0:
		return nil, errors.Join(errForm, errors.New("something follows the claims"))
	}
	return out.Bytes(), nil
}
