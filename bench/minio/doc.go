// Package minio is the policy package of MinIO in the comparison. It reads AWS's JSON itself.
//
// As in MinIO's server a principal's policies are merged into one, here once and not for every request, and the context has the names that the
// server gives it, which are those of AWS without the prefix. Statements that MinIO's own check of documents refuses are evaluated all the same.
//
// The peer is under the AGPL: nothing that is built with it is given to anybody.
package minio
