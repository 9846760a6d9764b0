package workload

// Actions are actions of S3, for engines that want to know all of them beforehand.
var Actions = []string{
	"s3:AbortMultipartUpload", "s3:CreateBucket", "s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:DeleteObject", "s3:DeleteObjectTagging",
	"s3:DeleteObjectVersion", "s3:DeleteObjectVersionTagging", "s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketPolicy",
	"s3:GetBucketTagging", "s3:GetBucketVersioning", "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration", "s3:GetObject",
	"s3:GetObjectAcl", "s3:GetObjectAttributes", "s3:GetObjectLegalHold", "s3:GetObjectRetention", "s3:GetObjectTagging",
	"s3:GetObjectVersion", "s3:GetObjectVersionTagging", "s3:GetReplicationConfiguration", "s3:ListAllMyBuckets", "s3:ListBucket",
	"s3:ListBucketMultipartUploads", "s3:ListBucketVersions", "s3:ListMultipartUploadParts", "s3:PutBucketAcl", "s3:PutBucketPolicy",
	"s3:PutBucketTagging", "s3:PutBucketVersioning", "s3:PutEncryptionConfiguration", "s3:PutLifecycleConfiguration", "s3:PutObject",
	"s3:PutObjectAcl", "s3:PutObjectLegalHold", "s3:PutObjectRetention", "s3:PutObjectTagging", "s3:PutObjectVersionTagging",
	"s3:PutReplicationConfiguration", "s3:ReplicateObject", "s3:RestoreObject",
}

// Match says whether a pattern of the workloads, with * alone, matches an action.
func Match(pattern, action string) bool {
	for i := range len(pattern) {
		if pattern[i] == '*' {
			for j := i; j <= len(action); j++ {
				if Match(pattern[i+1:], action[j:]) {
					return true
				}
			}
			return false
		}
		if i >= len(action) || pattern[i] != action[i] {
			return false
		}
	}
	return len(pattern) == len(action)
}
