package awspolicy

// table is in order of creation, within a minute by name. ORIGIN.md says where the facts come from.
var table = []Policy{
	{Name: "AdministratorAccess", Path: "/", ID: "ANPAIWMBCKSKIEE64ZLYK", Version: 1, created: "2015-02-06T18:39:00Z", updated: "2015-02-06T18:39:00Z",
		Description: "Everything: all actions on all resources.", Document: `{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "*", "Resource": "*"}
]}`},
	{Name: "PowerUserAccess", Path: "/", ID: "ANPAJYRXTHIB4FOVS3ZXS", Version: 12, created: "2015-02-06T18:39:00Z", updated: "2026-02-12T17:59:00Z",
		Description: "Everything except managing users, groups, the organization and the account.", Document: `{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"},
  {"Effect": "Allow", "Action": ["account:GetAccountInformation", "account:GetGovCloudAccountInformation", "account:GetPrimaryEmail",
    "account:ListRegions", "iam:CreateServiceLinkedRole", "iam:DeleteServiceLinkedRole", "iam:ListRoles",
    "organizations:DescribeEffectivePolicy", "organizations:DescribeOrganization"], "Resource": "*"}
]}`},
	{Name: "AWSKeyManagementServicePowerUser", Path: "/", ID: "ANPAJNPP7PPPPMJRV2SA4", Version: 2, created: "2015-02-06T18:40:00Z", updated: "2017-03-07T00:55:00Z",
		Description: "Making keys in AWS KMS and managing aliases and tags.", Document: `{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["kms:CreateAlias", "kms:CreateKey", "kms:DeleteAlias", "kms:Describe*", "kms:GenerateRandom", "kms:Get*",
    "kms:List*", "kms:TagResource", "kms:UntagResource", "iam:ListGroups", "iam:ListRoles", "iam:ListUsers"], "Resource": "*"}
]}`},
	{Name: "AmazonS3ReadOnlyAccess", Path: "/", ID: "ANPAIZTJ4DXE7G6AGAE6M", Version: 3, created: "2015-02-06T18:40:00Z", updated: "2023-08-10T21:31:00Z",
		Description: "Reading Amazon S3 and S3 Object Lambda.", Document: `{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["s3:Get*", "s3:List*", "s3:Describe*", "s3-object-lambda:Get*", "s3-object-lambda:List*"], "Resource": "*"}
]}`},
	{Name: "IAMFullAccess", Path: "/", ID: "ANPAI7XKCFMBPM3QQRRVQ", Version: 2, created: "2015-02-06T18:40:00Z", updated: "2019-06-21T19:40:00Z",
		Description: "All of IAM, and reading the organization.", Document: `{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["iam:*", "organizations:DescribeAccount", "organizations:DescribeOrganization",
    "organizations:DescribeOrganizationalUnit", "organizations:DescribePolicy", "organizations:ListChildren", "organizations:ListParents",
    "organizations:ListPoliciesForTarget", "organizations:ListRoots", "organizations:ListPolicies", "organizations:ListTargetsForPolicy"],
    "Resource": "*"}
]}`},
	{Name: "IAMReadOnlyAccess", Path: "/", ID: "ANPAJKSO7NDY4T57MWDSQ", Version: 4, created: "2015-02-06T18:40:00Z", updated: "2018-01-25T19:11:00Z",
		Description: "Reading IAM, with access reports and the simulator.", Document: `{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["iam:GenerateCredentialReport", "iam:GenerateServiceLastAccessedDetails", "iam:Get*", "iam:List*",
    "iam:SimulateCustomPolicy", "iam:SimulatePrincipalPolicy"], "Resource": "*"}
]}`},
	{Name: "AWSLambdaRole", Path: "/service-role/", ID: "ANPAJX4DPCRGTC4NFDUXI", Version: 1, created: "2015-02-06T18:41:00Z", updated: "2015-02-06T18:41:00Z",
		Description: "A service invokes Lambda functions.", Document: `{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["lambda:InvokeFunction"], "Resource": ["*"]}
]}`},
	{Name: "AmazonSNSFullAccess", Path: "/", ID: "ANPAJWEKLCXXUNT2SOLSG", Version: 2, created: "2015-02-06T18:41:00Z", updated: "2024-09-24T22:32:00Z",
		Description: "All of Amazon SNS and its SMS settings.", Document: `{"Version": "2012-10-17", "Statement": [
  {"Sid": "SNSFullAccess", "Effect": "Allow", "Action": "sns:*", "Resource": "*"},
  {"Sid": "SMSAccessViaSNS", "Effect": "Allow", "Action": ["sms-voice:DescribeVerifiedDestinationNumbers",
    "sms-voice:CreateVerifiedDestinationNumber", "sms-voice:SendDestinationNumberVerificationCode", "sms-voice:SendTextMessage",
    "sms-voice:DeleteVerifiedDestinationNumber", "sms-voice:VerifyDestinationNumber", "sms-voice:DescribeAccountAttributes",
    "sms-voice:DescribeSpendLimits", "sms-voice:DescribePhoneNumbers", "sms-voice:SetTextMessageSpendLimitOverride",
    "sms-voice:DescribeOptedOutNumbers", "sms-voice:DeleteOptedOutNumber"], "Resource": "*",
    "Condition": {"StringEquals": {"aws:CalledViaLast": "sns.amazonaws.com"}}}
]}`},
	{Name: "AmazonSNSReadOnlyAccess", Path: "/", ID: "ANPAIZGQCQTFOFPMHSB6W", Version: 2, created: "2015-02-06T18:41:00Z", updated: "2024-09-24T22:13:00Z",
		Description: "Reading Amazon SNS and its SMS settings.", Document: `{"Version": "2012-10-17", "Statement": [
  {"Sid": "SNSReadOnlyAccess", "Effect": "Allow", "Action": ["sns:GetTopicAttributes", "sns:List*", "sns:CheckIfPhoneNumberIsOptedOut",
    "sns:GetEndpointAttributes", "sns:GetDataProtectionPolicy", "sns:GetPlatformApplicationAttributes", "sns:GetSMSAttributes",
    "sns:GetSMSSandboxAccountStatus", "sns:GetSubscriptionAttributes"], "Resource": "*"},
  {"Sid": "SMSAccessViaSNS", "Effect": "Allow", "Action": ["sms-voice:DescribeVerifiedDestinationNumbers",
    "sms-voice:DescribeAccountAttributes", "sms-voice:DescribeSpendLimits", "sms-voice:DescribePhoneNumbers",
    "sms-voice:DescribeOptedOutNumbers"], "Resource": "*", "Condition": {"StringEquals": {"aws:CalledViaLast": "sns.amazonaws.com"}}}
]}`},
	{Name: "AmazonSQSReadOnlyAccess", Path: "/", ID: "ANPAIUGSSQY362XGCM6KW", Version: 4, created: "2015-02-06T18:41:00Z", updated: "2024-05-24T18:16:00Z",
		Description: "Reading Amazon SQS.", Document: `{"Version": "2012-10-17", "Statement": [
  {"Sid": "AmazonSQSReadOnlyAccess", "Effect": "Allow", "Action": ["sqs:GetQueueAttributes", "sqs:GetQueueUrl",
    "sqs:ListDeadLetterSourceQueues", "sqs:ListQueues", "sqs:ListMessageMoveTasks", "sqs:ListQueueTags"], "Resource": "*"}
]}`},
	{Name: "AWSLambdaBasicExecutionRole", Path: "/service-role/", ID: "ANPAJNCQGXC42545SKXIK", Version: 1, created: "2015-04-09T15:03:00Z", updated: "2015-04-09T15:03:00Z",
		Description: "A Lambda function writes its logs.", Document: `{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}
]}`},
	{Name: "AmazonSSMReadOnlyAccess", Path: "/", ID: "ANPAJODSKQGGJTHRYZ5FC", Version: 1, created: "2015-05-29T17:44:00Z", updated: "2015-05-29T17:44:00Z",
		Description: "Reading Systems Manager.", Document: `{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["ssm:Describe*", "ssm:Get*", "ssm:List*"], "Resource": "*"}
]}`},
	{Name: "IAMUserSSHKeys", Path: "/", ID: "ANPAJTSHUA4UXGXU7ANUA", Version: 1, created: "2015-07-09T17:08:00Z", updated: "2015-07-09T17:08:00Z",
		Description: "Users manage their own SSH keys.", Document: `{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["iam:DeleteSSHPublicKey", "iam:GetSSHPublicKey", "iam:ListSSHPublicKeys", "iam:UpdateSSHPublicKey",
    "iam:UploadSSHPublicKey"], "Resource": "arn:aws:iam::*:user/${aws:username}"}
]}`},
	{Name: "AmazonEC2ContainerRegistryReadOnly", Path: "/", ID: "ANPAIFYZPA37OOHVIH7KQ", Version: 3, created: "2015-12-21T17:04:00Z", updated: "2019-12-10T20:56:00Z",
		Description: "Reading repositories and images of Amazon ECR.", Document: `{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer",
    "ecr:GetRepositoryPolicy", "ecr:DescribeRepositories", "ecr:ListImages", "ecr:DescribeImages", "ecr:BatchGetImage",
    "ecr:GetLifecyclePolicy", "ecr:GetLifecyclePolicyPreview", "ecr:ListTagsForResource", "ecr:DescribeImageScanFindings"],
    "Resource": "*"}
]}`},
	{Name: "AWSLambdaVPCAccessExecutionRole", Path: "/service-role/", ID: "ANPAJVTME3YLVNL72YR2K", Version: 3, created: "2016-02-11T23:15:00Z", updated: "2024-01-05T22:38:00Z",
		Description: "A Lambda function writes its logs and manages network interfaces in a VPC.", Document: `{"Version": "2012-10-17", "Statement": [
  {"Sid": "AWSLambdaVPCAccessExecutionPermissions", "Effect": "Allow", "Action": ["logs:CreateLogGroup", "logs:CreateLogStream",
    "logs:PutLogEvents", "ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"], "Resource": "*"}
]}`},
	{Name: "SystemAdministrator", Path: "/job-function/", ID: "ANPAITJPEZXCYCBXANDSW", Version: 12, created: "2016-11-10T17:23:00Z", updated: "2026-02-12T18:02:00Z",
		Description: "Grants full access permissions necessary for resources required for application and development operations.", Document: `{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["acm:Describe*", "acm:Get*", "acm:List*", "acm:Request*", "acm:Resend*", "autoscaling:*",
    "cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus", "cloudtrail:ListPublicKeys", "cloudtrail:ListTags",
    "cloudtrail:LookupEvents", "cloudtrail:StartLogging", "cloudtrail:StopLogging", "cloudwatch:*", "codecommit:BatchGetRepositories",
    "codecommit:CreateBranch", "codecommit:CreateRepository", "codecommit:Get*", "codecommit:GitPull", "codecommit:GitPush",
    "codecommit:List*", "codecommit:Put*", "codecommit:Test*", "codecommit:Update*", "codedeploy:*", "codepipeline:*", "config:*",
    "ds:*", "ec2:Allocate*", "ec2:AssignPrivateIpAddresses*", "ec2:Associate*", "ec2:Allocate*", "ec2:AttachInternetGateway",
    "ec2:AttachNetworkInterface", "ec2:AttachVpnGateway", "ec2:Bundle*", "ec2:Cancel*", "ec2:Copy*", "ec2:CreateCustomerGateway",
    "ec2:CreateDhcpOptions", "ec2:CreateFlowLogs", "ec2:CreateImage", "ec2:CreateInstanceExportTask", "ec2:CreateInternetGateway",
    "ec2:CreateKeyPair", "ec2:CreateLaunchTemplate", "ec2:CreateLaunchTemplateVersion", "ec2:CreateNatGateway",
    "ec2:CreateNetworkInterface", "ec2:CreatePlacementGroup", "ec2:CreateReservedInstancesListing", "ec2:CreateRoute",
    "ec2:CreateRouteTable", "ec2:CreateSecurityGroup", "ec2:CreateSnapshot", "ec2:CreateSpotDatafeedSubscription", "ec2:CreateSubnet",
    "ec2:CreateTags", "ec2:CreateVolume", "ec2:CreateVpc", "ec2:CreateVpcEndpoint", "ec2:CreateVpnConnection",
    "ec2:CreateVpnConnectionRoute", "ec2:CreateVpnGateway", "ec2:DeleteFlowLogs", "ec2:DeleteKeyPair", "ec2:DeleteLaunchTemplate",
    "ec2:DeleteLaunchTemplateVersions", "ec2:DeleteNatGateway", "ec2:DeleteNetworkInterface", "ec2:DeletePlacementGroup",
    "ec2:DeleteSnapshot", "ec2:DeleteSpotDatafeedSubscription", "ec2:DeleteSubnet", "ec2:DeleteTags", "ec2:DeleteVpc",
    "ec2:DeleteVpcEndpoints", "ec2:DeleteVpnConnection", "ec2:DeleteVpnConnectionRoute", "ec2:DeleteVpnGateway", "ec2:DeregisterImage",
    "ec2:Describe*", "ec2:DetachInternetGateway", "ec2:DetachNetworkInterface", "ec2:DetachVpnGateway",
    "ec2:DisableVgwRoutePropagation", "ec2:DisableVpcClassicLinkDnsSupport", "ec2:DisassociateAddress", "ec2:DisassociateRouteTable",
    "ec2:EnableVgwRoutePropagation", "ec2:EnableVolumeIO", "ec2:EnableVpcClassicLinkDnsSupport", "ec2:GetConsoleOutput",
    "ec2:GetHostReservationPurchasePreview", "ec2:GetLaunchTemplateData", "ec2:GetPasswordData", "ec2:GetSecurityGroupsForVpc",
    "ec2:Import*", "ec2:Modify*", "ec2:MonitorInstances", "ec2:MoveAddressToVpc", "ec2:Purchase*", "ec2:RegisterImage", "ec2:Release*",
    "ec2:Replace*", "ec2:ReportInstanceStatus", "ec2:Request*", "ec2:Reset*", "ec2:RestoreAddressToClassic",
    "ec2:RunScheduledInstances", "ec2:UnassignPrivateIpAddresses", "ec2:UnmonitorInstances",
    "ec2:UpdateSecurityGroupRuleDescriptionsEgress", "ec2:UpdateSecurityGroupRuleDescriptionsIngress", "elasticloadbalancing:*",
    "events:*", "iam:GetAccount*", "iam:GetContextKeys*", "iam:GetCredentialReport", "iam:ListAccountAliases", "iam:ListGroups",
    "iam:ListOpenIDConnectProviders", "iam:ListPolicies", "iam:ListPoliciesGrantingServiceAccess", "iam:ListRoles",
    "iam:ListSAMLProviders", "iam:ListServerCertificates", "iam:Simulate*", "iam:UpdateServerCertificate",
    "iam:UpdateSigningCertificate", "kinesis:ListStreams", "kinesis:PutRecord", "kms:CreateAlias", "kms:CreateKey", "kms:DeleteAlias",
    "kms:Describe*", "kms:GenerateRandom", "kms:Get*", "kms:List*", "kms:Encrypt", "kms:ReEncrypt*", "lambda:Create*", "lambda:Delete*",
    "lambda:Get*", "lambda:InvokeFunction", "lambda:List*", "lambda:PublishVersion", "lambda:Update*", "logs:*", "rds:Describe*",
    "rds:ListTagsForResource", "rolesanywhere:GetCrl", "rolesanywhere:GetProfile", "rolesanywhere:GetSubject",
    "rolesanywhere:GetTrustAnchor", "rolesanywhere:ListCrls", "rolesanywhere:ListProfiles", "rolesanywhere:ListSubjects",
    "rolesanywhere:ListTagsForResource", "rolesanywhere:ListTrustAnchors", "rolesanywhere:PutNotificationSettings",
    "rolesanywhere:ResetNotificationSettings", "route53:*", "route53domains:*", "ses:*", "sns:*", "sqs:*", "trustedadvisor:*"],
    "Resource": "*"},
  {"Effect": "Allow", "Action": ["ec2:AcceptVpcPeeringConnection", "ec2:AttachClassicLinkVpc", "ec2:AttachVolume",
    "ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress", "ec2:CreateVpcPeeringConnection",
    "ec2:DeleteCustomerGateway", "ec2:DeleteDhcpOptions", "ec2:DeleteInternetGateway", "ec2:DeleteNetworkAcl*", "ec2:DeleteRoute",
    "ec2:DeleteRouteTable", "ec2:DeleteSecurityGroup", "ec2:DeleteVolume", "ec2:DeleteVpcPeeringConnection", "ec2:DetachClassicLinkVpc",
    "ec2:DetachVolume", "ec2:DisableVpcClassicLink", "ec2:EnableVpcClassicLink", "ec2:GetConsoleScreenshot", "ec2:RebootInstances",
    "ec2:RejectVpcPeeringConnection", "ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress", "ec2:RunInstances",
    "ec2:StartInstances", "ec2:StopInstances", "ec2:TerminateInstances"], "Resource": ["*"]},
  {"Effect": "Allow", "Action": "s3:*", "Resource": ["*"]},
  {"Effect": "Allow", "Action": ["iam:GetAccessKeyLastUsed", "iam:GetGroup*", "iam:GetInstanceProfile", "iam:GetLoginProfile",
    "iam:GetOpenIDConnectProvider", "iam:GetPolicy*", "iam:GetRole*", "iam:GetSAMLProvider", "iam:GetSSHPublicKey",
    "iam:GetServerCertificate", "iam:GetServiceLastAccessed*", "iam:GetUser*", "iam:ListAccessKeys", "iam:ListAttached*",
    "iam:ListEntitiesForPolicy", "iam:ListGroupPolicies", "iam:ListGroupsForUser", "iam:ListInstanceProfiles*", "iam:ListMFADevices",
    "iam:ListPolicyVersions", "iam:ListRolePolicies", "iam:ListSSHPublicKeys", "iam:ListSigningCertificates", "iam:ListUserPolicies",
    "iam:Upload*"], "Resource": ["*"]},
  {"Effect": "Allow", "Action": ["iam:GetRole", "iam:ListRoles", "iam:PassRole"], "Resource":
    ["arn:aws:iam::*:role/rds-monitoring-role", "arn:aws:iam::*:role/ec2-sysadmin-*", "arn:aws:iam::*:role/ecr-sysadmin-*",
    "arn:aws:iam::*:role/lambda-sysadmin-*"]}
]}`},
	{Name: "IAMUserChangePassword", Path: "/", ID: "ANPAJ4L4MM2A7QIEB56MS", Version: 5, created: "2016-11-15T00:25:00Z", updated: "2026-02-12T17:58:00Z",
		Description: "Provides the ability for an IAM user to change their own password.", Document: `{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["iam:ChangePassword"], "Resource": ["arn:aws:iam::*:user/${aws:username}",
    "arn:aws:iam::*:user/*/${aws:username}"]},
  {"Effect": "Allow", "Action": ["iam:GetAccountPasswordPolicy"], "Resource": "*"}
]}`},
	{Name: "AWSStepFunctionsFullAccess", Path: "/", ID: "ANPAJXKA6VP3UFBVHDPPA", Version: 1, created: "2017-01-11T21:51:00Z", updated: "2017-01-11T21:51:00Z",
		Description: "All of Step Functions.", Document: `{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "states:*", "Resource": "*"}
]}`},
	{Name: "CloudWatchEventsServiceRolePolicy", Path: "/aws-service-role/", ID: "ANPAJNVASSNSIDZIP4X7I", Version: 1, created: "2017-11-17T00:42:00Z", updated: "2017-11-17T00:42:00Z",
		Description: "CloudWatch runs what alarms and events ask for.", Document: `{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["cloudwatch:DescribeAlarms", "ec2:DescribeInstanceStatus", "ec2:DescribeInstances",
    "ec2:DescribeSnapshots", "ec2:DescribeVolumeStatus", "ec2:DescribeVolumes", "ec2:RebootInstances", "ec2:StopInstances",
    "ec2:TerminateInstances", "ec2:CreateSnapshot"], "Resource": "*"}
]}`},
	{Name: "AmazonEKSWorkerNodePolicy", Path: "/", ID: "ANPAIBVMOY52IPQ6HD3PO", Version: 3, created: "2018-05-27T21:09:00Z", updated: "2023-11-27T00:06:00Z",
		Description: "Nodes join Amazon EKS clusters.", Document: `{"Version": "2012-10-17", "Statement": [
  {"Sid": "WorkerNodePermissions", "Effect": "Allow", "Action": ["ec2:DescribeInstances", "ec2:DescribeInstanceTypes",
    "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVolumes",
    "ec2:DescribeVolumesModifications", "ec2:DescribeVpcs", "eks:DescribeCluster", "eks-auth:AssumeRoleForPodIdentity"],
    "Resource": "*"}
]}`},
	{Name: "AWSXRayDaemonWriteAccess", Path: "/", ID: "ANPAIOE47HSUE5AVBNEDM", Version: 2, created: "2018-08-28T23:00:00Z", updated: "2024-02-13T21:58:00Z",
		Description: "The X-Ray daemon sends traces and reads sampling rules.", Document: `{"Version": "2012-10-17", "Statement": [
  {"Sid": "AWSXRayDaemonWriteAccess", "Effect": "Allow", "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords",
    "xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:GetSamplingStatisticSummaries"], "Resource": ["*"]}
]}`},
	{Name: "AWSDenyAll", Path: "/", ID: "ANPAZKAPJZG4P43IUQ5E5", Version: 2, created: "2019-05-01T22:36:00Z", updated: "2023-12-18T16:42:00Z",
		Description: "Denies everything.", Document: `{"Version": "2012-10-17", "Statement": [
  {"Sid": "DenyAll", "Effect": "Deny", "Action": ["*"], "Resource": "*"}
]}`},
	{Name: "AWSCloudFormationFullAccess", Path: "/", ID: "ANPAZKAPJZG4CRR3ZS723", Version: 1, created: "2019-07-26T21:50:00Z", updated: "2019-07-26T21:50:00Z",
		Description: "All of CloudFormation.", Document: `{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["cloudformation:*"], "Resource": "*"}
]}`},
}
