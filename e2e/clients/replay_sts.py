"""Sessions and who calls: testdata/recorded/test_sts.snapshot.json, whole. Roles may not be assumed by root, so that a user calls."""
import json

import boto3
from botocore.config import Config

from replay_kit import ACCOUNT, iam, refused, user

ACCOUNT_TRUST = {"AWS": ACCOUNT}


def sts(credentials):
    """A client with the credentials of an answer. Parameters go to the server as they are."""
    return boto3.client(
        "sts",
        config=Config(parameter_validation=False),
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials.get("SessionToken"),
    )


def document(**statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def caller(name="caller"):
    """A client of a user who may do everything."""
    user(name)
    iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=document(Action="*", Resource="*"))
    return sts(iam.create_access_key(UserName=name)["AccessKey"])


def role(name, *actions, may=None):
    """Makes a role that trusts the account, and itself may do something."""
    trust = document(Principal=ACCOUNT_TRUST, Action=list(actions) if actions else "sts:AssumeRole")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    if may:
        iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=document(Action=list(actions), Resource=may))
    return made


def arn(name):
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def federation_token():
    return {"get-federation-token": caller().get_federation_token(Name="TestName0a1b2c3d", DurationSeconds=900)}


def assume_role():
    session = "test-assume-role-0a1b2c3d"
    return {
        "role-session-name": {"RoleSessionName": session},
        "create-role": role("assumed"),
        "assume-role": caller().assume_role(RoleArn=arn("assumed"), RoleSessionName=session),
    }


def assume_role_with_policy():
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "RestrictedAccess", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::example-bucket/*"]}],
    }
    made = role("assumed")
    answer = caller().assume_role(RoleArn=arn("assumed"), RoleSessionName="session-0a1b2c3d", Policy=json.dumps(policy))
    return {"create-role": made, "assume-role-with-policy": answer}


def session_name_too_long():
    role("assumed")
    return {"session-name-too-long-error": refused(caller().assume_role, RoleArn=arn("assumed"), RoleSessionName="s" * 65)}


def session_token():
    return {"get-session-token": caller().get_session_token(DurationSeconds=900)}


def policy_too_long():
    statements = [
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": f"arn:aws:s3:::my-example-bucket-with-long-name/folder-name-{n}/*",
        }
        for n in range(30)
    ]
    text = json.dumps({"Version": "2012-10-17", "Statement": statements})
    return {"policy-too-long-error": refused(caller().get_federation_token, Name="TestUser", DurationSeconds=900, Policy=text)}


def identity_of_user():
    steps = {"create-user": user("caller")}
    key = iam.create_access_key(UserName="caller")["AccessKey"]
    steps["caller-identity-user"] = sts(key).get_caller_identity()
    return steps


def identity_of_role():
    role("test-role-0a1b2c3d")
    session = caller().assume_role(RoleArn=arn("test-role-0a1b2c3d"), RoleSessionName="test-session-0a1b2c3d")
    return {"caller-identity-assumed-role": sts(session["Credentials"]).get_caller_identity()}


def invalid_parameters():
    call = caller().assume_role
    steps = {
        step: refused(call, RoleArn=value, RoleSessionName="Session1")
        for step, value in (
            ("malformed-arn", "nothing-valid-in-here"),
            ("no-partition", "arn::b:::something/test-role"),
            ("no-service", "arn:a::::something/test-role"),
            ("not-enough-colons", "arn:a:::something/test-role"),
            ("no-resource", "arn:a:a::aaaaaaaaaa:"),
        )
    }
    steps["invalid-session-name"] = refused(call, RoleArn="arn:a:b:::something/test-role", RoleSessionName="Session1:2")
    return steps


BOTH = ("sts:AssumeRole", "sts:TagSession")


def tag(key, value):
    return {"Key": key, "Value": value}


def tag_validation():
    steps = {"role-1": role("role-1", *BOTH)}
    client = caller()

    def tagged(keys, *tags):
        return {"RoleArn": arn("role-1"), "RoleSessionName": "Session1", "Tags": list(tags), "TransitiveTagKeys": keys}

    first = tag("SessionTag1", "SessionValue1")
    steps["invalid-transitive-tag-keys"] = refused(client.assume_role, **tagged(["InvalidKey"], first))
    client.assume_role(**tagged(["sessiontag1"], first))
    second = tag("sessiontag1", "SessionValue2")
    steps["duplicate-tag-keys-different-casing"] = refused(client.assume_role, **tagged(["sessiontag1"], first, second))
    return steps


def transitive_tags():
    steps = {"role-1": role("role-1", *BOTH, may=arn("role-2")), "role-2": role("role-2", *BOTH)}
    first = caller().assume_role(
        RoleArn=arn("role-1"), RoleSessionName="Session1", Tags=[tag("SessionTag1", "SessionValue1")], TransitiveTagKeys=["SessionTag1"]
    )
    client = sts(first["Credentials"])
    for step, key in (("override-transitive-tag-error", "SessionTag1"), ("override-transitive-tag-case-ignore-error", "sessiontag1")):
        steps[step] = refused(client.assume_role, RoleArn=arn("role-2"), RoleSessionName="Session2SessionTag", Tags=[tag(key, "SessionValue2")])
    return steps


CASES = [
    ("test_sts", "::test_get_federation_token", federation_token, {}),
    ("test_sts", "::test_assume_role", assume_role, {}),
    ("test_sts", "::test_assume_role_with_policy", assume_role_with_policy, {}),
    ("test_sts", "::test_assume_role_session_name_too_long", session_name_too_long, {}),
    ("test_sts", "::test_get_session_token", session_token, {}),
    ("test_sts", "::test_federation_token_policy_too_long", policy_too_long, {}),
    ("test_sts", "::test_get_caller_identity_with_iam_user_credentials", identity_of_user, {}),
    ("test_sts", "::test_get_caller_identity_with_assumed_role_credentials", identity_of_role, {}),
    ("test_sts", "::test_sts_invalid_parameters", invalid_parameters, {}),
    ("test_sts", "::test_assume_role_tag_validation", tag_validation, {}),
    ("test_sts", "::test_iam_role_chaining_override_transitive_tags", transitive_tags, {}),
]
