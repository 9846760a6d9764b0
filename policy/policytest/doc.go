// Package policytest holds decision cases as data and runs them through every way to decide.
//
// A file *.case is a list of cases. A case begins with "case NAME" and goes on with fields, one a line; "#" begins a comment line:
//
//	case deny-first
//	spec: evaluation.md 4.2 D1
//	why: deny beats allow, whatever their order
//	identity: p1
//	  Allow s3:* on *
//	  Deny not s3:Get*, s3:List* on arn:aws:s3:::b, arn:aws:s3:::b/* if {"Bool":{"aws:SecureTransport":false}}
//	resource: bp v2008
//	  {"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}
//	caller: session p/app s1
//	tags: {"team":"red"}
//	owner: 222222222222
//	request: s3:PutObject on arn:aws:s3:::b/k
//	context: aws:TagKeys=["a","b"]
//	context: aws:SourceIp=absent
//	expect: DENY-E identity p1#1
//
// A policy field names its layer and the policy; the lines under it are indented. They are statements or one JSON document. The layers
// are identity, boundary, session, resource, trust, endpoint ("endpoint: NAME gateway" is the policy of a gateway endpoint), scp and rcp.
// The last two have a level, 0 for the organization's root: "scp: NAME level 1". Policies of one level count together; the account is the
// highest level that is named, and a level without policy is named by "scp: none level 2", or stands below one that is named.
//
// A statement is "Allow ACTIONS on RESOURCES to PRINCIPAL if CONDITION". Each list may begin with "not", values with spaces or commas
// are JSON strings; "on RESOURCES" may be left out in resource and trust policies; PRINCIPAL is "*" or the JSON of a Principal element,
// "not" before it makes a NotPrincipal, and where an RCP leaves it out it is "*"; CONDITION is the JSON of a Condition element. "v2008"
// or "noversion" after the policy's name changes the Version, which is 2012-10-17.
//
// The world is that of docs/spec/evaluation.md 13. "caller" is one of
//
//	user NAME [via GetSessionToken]    root    session ROLE NAME    federated NAME by USER|root
//	service NAME    provider NAME    anonymous
//
// where the first four may end in "in ACCOUNT"; names of users and roles may have a path. It is "user alice" in the account
// 111111111111 when it is left out. "owner" is the account of the resource, 111111111111 when it is left out, or "caller" for a
// request that names none. "needs: resource policy" is policy.Request.NeedsResourcePolicy, "exempt: yes" its Exempt. Each line "acl" is
// a grantee of the resource's ACL: AllUsers, AuthenticatedUsers, a canonical id, or "caller" for that of the caller's account. A role
// whose path begins with aws-service-role/ is service-linked. 111111111111 and 222222222222 are members of the organization,
// 000000000000 manages it, and other accounts are outside: SCPs bind callers and RCPs resources of members only (see Case.Applies).
//
// The context has the keys of
// docs/spec/evaluation.md 1.2 for the caller and the environment of its section 13 (see Case.Environment), "tags" are the caller's;
// a "context" line sets one key to a JSON string, to a JSON list (which makes the key multi-valued) or to "absent", and a
// "policy context" line does the same only for what the policy of the resource reads (policy.Request.PolicyContext).
//
// "expect" names the effect, the layer that decided with its level where it has levels ("DENY-I SCP 1", "DENY-E RCP 0 p1#0"), and the
// deciding statement by policy and index; nothing follows where no statement decided. The layer is "ACL" where the ACL allowed, "exempt"
// where no permission was needed, and "none" for a request that could not be evaluated. Every case asserts all of it. Unknown fields, words and layers are errors.
//
// Cases that a client of a server cannot ask, for they are about what its owner tells package policy, stand in the directory engine of the
// test data.
//
// Documents of cases must stand the grammar (policy.Decode), not the checks of a write (policy.Document.Validate): the rules of
// evaluation also hold for what AWS would not let you write today.
//
// The package knows the file format, the world of the cases and package policy; the ways to decide are given to Run.
package policytest
