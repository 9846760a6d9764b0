package arn

import "strings"

// The builders below print ARNs as docs/spec/wire.md 5.4 defines them. They join, they do not check: names, paths and account ids
// must have passed the checks of the API before. A path is "/" or "/a/b/": it begins and ends with a slash.

// IAM is arn:<partition>:iam::<account>:<resource>. The resource of a list operation is its type and the path prefix
// (docs/spec/evaluation.md 7.2), for example "user/" or "role/app/".
func IAM(partition, account, resource string) string {
	return "arn:" + partition + ":iam::" + account + ":" + resource
}

// STS is arn:<partition>:sts::<account>:<resource>.
func STS(partition, account, resource string) string {
	return "arn:" + partition + ":sts::" + account + ":" + resource
}

// Root is the ARN of the account's root user, and of the account as a principal.
func Root(partition, account string) string { return IAM(partition, account, "root") }

// User is the ARN of an IAM user.
func User(partition, account, path, name string) string {
	return IAM(partition, account, "user"+path+name)
}

// Group is the ARN of an IAM group.
func Group(partition, account, path, name string) string {
	return IAM(partition, account, "group"+path+name)
}

// Role is the ARN of an IAM role. A service-linked role has the path "/aws-service-role/<service>/".
func Role(partition, account, path, name string) string {
	return IAM(partition, account, "role"+path+name)
}

// Policy is the ARN of a managed policy. The account of AWS's own policies is "aws".
func Policy(partition, account, path, name string) string {
	return IAM(partition, account, "policy"+path+name)
}

// InstanceProfile is the ARN of an instance profile.
func InstanceProfile(partition, account, path, name string) string {
	return IAM(partition, account, "instance-profile"+path+name)
}

// ServerCertificate is the ARN of a server certificate.
func ServerCertificate(partition, account, path, name string) string {
	return IAM(partition, account, "server-certificate"+path+name)
}

// MFA is the ARN, and so the serial number, of a virtual MFA device. The root user's device has the path "/" and the name
// "root-account-mfa-device".
func MFA(partition, account, path, name string) string {
	return IAM(partition, account, "mfa"+path+name)
}

// U2F is the ARN of a passkey or security key of a user: u2f/user/<user>/<name>-<id>.
func U2F(partition, account, user, name, id string) string {
	return IAM(partition, account, "u2f/user/"+user+"/"+name+"-"+id)
}

// SMSMFA is the ARN of a text-message MFA device.
func SMSMFA(partition, account, name string) string {
	return IAM(partition, account, "sms-mfa/"+name)
}

// OIDCProvider is the ARN of an OpenID Connect provider. url comes without "https://" and is kept as it is.
func OIDCProvider(partition, account, url string) string {
	return IAM(partition, account, "oidc-provider/"+url)
}

// SAMLProvider is the ARN of a SAML provider.
func SAMLProvider(partition, account, name string) string {
	return IAM(partition, account, "saml-provider/"+name)
}

// AccessReport is the ARN of the access report of an organization entity path such as "o-1/r-1/ou-1".
func AccessReport(partition, account, entityPath string) string {
	return IAM(partition, account, "access-report/"+entityPath)
}

// AssumedRole is the ARN of a role session. The role's path is not part of it.
func AssumedRole(partition, account, role, session string) string {
	return STS(partition, account, "assumed-role/"+role+"/"+session)
}

// FederatedUser is the ARN of a GetFederationToken session.
func FederatedUser(partition, account, name string) string {
	return STS(partition, account, "federated-user/"+name)
}

// AssumedRoot is the ARN of an AssumeRoot session.
func AssumedRoot(partition, account string) string { return STS(partition, account, "assumed-root") }

// Entity cuts an IAM resource part such as "user/a/b/name" into its type "user", path "/a/b/" and name "name". It fails for
// resources that have no path and name, such as "root", and when the type or the name is empty.
func (a ARN) Entity() (kind, path, name string, ok bool) {
	first := strings.IndexByte(a.Resource, '/')
	last := strings.LastIndexByte(a.Resource, '/')
	if first <= 0 || last == len(a.Resource)-1 {
		return "", "", "", false
	}
	return a.Resource[:first], a.Resource[first : last+1], a.Resource[last+1:], true
}
