package clients

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

func (s *server) config(k keys) aws.Config {
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: &s.url, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(k.id, k.secret, ""),
	}
}

func (s *server) iam(k keys) *iam.Client { return iam.NewFromConfig(s.config(k)) }
func (s *server) sts(k keys) *sts.Client { return sts.NewFromConfig(s.config(k)) }

// refused fails the test unless err is the API error with that code and message.
func refused(t *testing.T, err error, code, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Errorf("got %v, want the API error %s", err, code)
		return
	}
	if api.ErrorCode() != code || api.ErrorMessage() != message {
		t.Errorf("got  %s: %s\nwant %s: %s", api.ErrorCode(), api.ErrorMessage(), code, message)
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// TestGoverned is the main job: what a user may do follows from the policies that were just written.
func TestGoverned(t *testing.T) {
	t.Parallel()
	for _, command := range [][]string{{"dev"}, {"serve", "--data-dir", t.TempDir()}} {
		t.Run(command[0], func(t *testing.T) {
			t.Parallel()
			governed(t, start(t, command...))
		})
	}
}

func governed(t *testing.T, s *server) {
	ctx := t.Context()
	admin := s.iam(root)
	who := must[*sts.GetCallerIdentityOutput](t)(s.sts(root).GetCallerIdentity(ctx, nil))
	if *who.Arn != "arn:aws:iam::"+account+":root" || *who.UserId != account || *who.Account != account {
		t.Errorf("root is %s, %s, %s", *who.Arn, *who.UserId, *who.Account)
	}

	made := must[*iam.CreateUserOutput](t)(admin.CreateUser(ctx, &iam.CreateUserInput{
		UserName: aws.String("Alice"), Path: aws.String("/team/"), Tags: []types.Tag{{Key: aws.String("Team"), Value: aws.String("blue")}}}))
	arn := "arn:aws:iam::" + account + ":user/team/Alice"
	if *made.User.Arn != arn || !strings.HasPrefix(*made.User.UserId, "AIDA") || len(*made.User.UserId) != 21 || len(made.User.Tags) != 1 {
		t.Errorf("made %+v", *made.User)
	}
	key := must[*iam.CreateAccessKeyOutput](t)(admin.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("alice")})).AccessKey
	if !strings.HasPrefix(*key.AccessKeyId, "AKIA") || len(*key.SecretAccessKey) != 40 || *key.UserName != "Alice" {
		t.Errorf("made key %s for %s with a secret of %d characters", *key.AccessKeyId, *key.UserName, len(*key.SecretAccessKey))
	}
	of := must[*sts.GetAccessKeyInfoOutput](t)(s.sts(root).GetAccessKeyInfo(ctx, &sts.GetAccessKeyInfoInput{AccessKeyId: key.AccessKeyId}))
	if *of.Account != account {
		t.Errorf("the key says it belongs to %s", *of.Account)
	}

	alice := keys{*key.AccessKeyId, *key.SecretAccessKey}
	user := s.iam(alice)
	who = must[*sts.GetCallerIdentityOutput](t)(s.sts(alice).GetCallerIdentity(ctx, nil))
	if *who.Arn != arn || *who.UserId != *made.User.UserId {
		t.Errorf("Alice is %s, %s", *who.Arn, *who.UserId)
	}

	listUsers := func() error { _, err := user.ListUsers(ctx, nil); return err }
	on := "User: " + arn + " is not authorized to perform: iam:ListUsers on resource: arn:aws:iam::" + account + ":user/ "
	silent := on + "because no identity-based policy allows the iam:ListUsers action"
	refused(t, listUsers(), "AccessDenied", silent)

	put := func(name, document string) {
		t.Helper()
		must[*iam.PutUserPolicyOutput](t)(admin.PutUserPolicy(ctx, &iam.PutUserPolicyInput{
			UserName: aws.String("Alice"), PolicyName: &name, PolicyDocument: &document}))
	}
	put("read", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["iam:List*","iam:Get*"],"Resource":"*"}}`)
	if err := listUsers(); err != nil {
		t.Errorf("with a policy that allows it: %v", err)
	}
	put("stop", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:ListUsers","Resource":"*"}}`)
	refused(t, listUsers(), "AccessDenied", on+"with an explicit deny in an identity-based policy")
	got := must[*iam.GetUserOutput](t)(user.GetUser(ctx, nil)) // another action is still allowed
	if *got.User.UserName != "Alice" {
		t.Errorf("Alice sees herself as %s", *got.User.UserName)
	}
	must[*iam.DeleteUserPolicyOutput](t)(admin.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: aws.String("Alice"), PolicyName: aws.String("stop")}))
	if err := listUsers(); err != nil {
		t.Errorf("after the deny was removed: %v", err)
	}

	used := must[*iam.GetAccessKeyLastUsedOutput](t)(admin.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: key.AccessKeyId}))
	if *used.UserName != "Alice" || *used.AccessKeyLastUsed.ServiceName != "iam" || used.AccessKeyLastUsed.LastUsedDate == nil {
		t.Errorf("last use: %+v", *used.AccessKeyLastUsed)
	}
	_, err := admin.DeleteUser(ctx, &iam.DeleteUserInput{UserName: aws.String("Alice")})
	refused(t, err, "DeleteConflict", "Cannot delete entity, must delete policies first.")
	must[*iam.UpdateAccessKeyOutput](t)(admin.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{
		UserName: aws.String("Alice"), AccessKeyId: key.AccessKeyId, Status: types.StatusTypeInactive}))
	refused(t, listUsers(), "InvalidClientTokenId", "The security token included in the request is invalid.")

	_, err = s.iam(keys{alice.id, "wrong"}).ListUsers(ctx, nil)
	refused(t, err, "InvalidClientTokenId", "The security token included in the request is invalid.")
	_, err = s.iam(keys{root.id, "wrong"}).ListUsers(ctx, nil)
	refused(t, err, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. "+
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	_, err = s.iam(keys{"AKIANOBODYHASTHISKEY", "x"}).ListUsers(ctx, nil)
	refused(t, err, "InvalidClientTokenId", "The security token included in the request is invalid.")
	_, err = admin.CreateSAMLProvider(ctx, &iam.CreateSAMLProviderInput{Name: aws.String("x"), SAMLMetadataDocument: aws.String(strings.Repeat("x", 1000))})
	refused(t, err, "NotImplemented", "iam:CreateSAMLProvider is not implemented by this version of Gatehouse.")
}
