"""Replays answers recorded from AWS (testdata/recorded) against the server at AWS_ENDPOINT_URL and compares them for equality.

usage: replay.py DIRECTORY

Each case runs the calls that produced the recording (as ORIGIN.md's source describes them) and compares every recorded step. Placeholders
in a recording stand for values that differ from run to run: they match any value of their kind, and the same placeholder always the same
value. Steps of a recording that a case leaves out are named with the reason.
"""
import datetime
import json
import os
import re
import sys

import boto3

ACCOUNT = os.environ["GATEHOUSE_ACCOUNT"]
PLACEHOLDER = re.compile(r"<[a-z-]+(?::\d+)?>")
PLAIN = "[^/]+?"
ANY = {"<secret-access-key": ".+"}  # the only value that may hold a slash
DIGITS = ":0123456789>"
TIMES = {"<datetime>", "datetime", "date", "<timestamp>"}

iam = boto3.client("iam")


def clean(answer):
    """The form in which answers were recorded."""
    answer = dict(answer)
    meta = answer.get("ResponseMetadata")
    if meta:
        answer["ResponseMetadata"] = {"HTTPHeaders": {}, "HTTPStatusCode": meta["HTTPStatusCode"]}
    return answer


class Differs(Exception):
    pass


def match(want, have, bound, path):
    if isinstance(want, dict):
        if not isinstance(have, dict) or set(want) != set(have):
            raise Differs(f"{path}: recorded {json.dumps(want)}, answered {have!r}")
        for key in want:
            match(want[key], have[key], bound, f"{path}.{key}")
    elif isinstance(want, list):
        if not isinstance(have, list) or len(want) != len(have):
            raise Differs(f"{path}: recorded {json.dumps(want)}, answered {have!r}")
        for i, (w, h) in enumerate(zip(want, have)):
            match(w, h, bound, f"{path}[{i}]")
    elif want in TIMES:
        if not isinstance(have, datetime.datetime):
            raise Differs(f"{path}: recorded a time, answered {have!r}")
    elif isinstance(want, str) and isinstance(have, str):
        text(want.replace("111111111111", ACCOUNT), have, bound, path)
    elif want != have:
        raise Differs(f"{path}: recorded {want!r}, answered {have!r}")


def text(want, have, bound, path):
    pattern, names, end = "", [], 0
    for m in PLACEHOLDER.finditer(want):
        pattern += re.escape(want[end : m.start()])
        name, end = m.group(), m.end()
        if name in ("<partition>", "<region>"):
            pattern += {"<partition>": "aws", "<region>": "us-east-1"}[name]
        elif name in bound:
            pattern += re.escape(bound[name])
        elif name in names:
            pattern += f"(?P=p{names.index(name)})"
        else:
            pattern += f"(?P<p{len(names)}>{ANY.get(name.rstrip(DIGITS), PLAIN)})"
            names.append(name)
    found = re.fullmatch(pattern + re.escape(want[end:]), have)
    if not found:
        raise Differs(f"{path}: recorded {want!r}, answered {have!r} (bound: {bound})")
    for i, name in enumerate(names):
        bound[name] = found.group(f"p{i}")


def user(name):
    return iam.create_user(UserName=name)


def encoding():
    user("encoding")
    arn = "arn:aws:apigateway:us-east-1::/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Frestapis%2Faaeeieije"
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["apigatway:PUT"], "Resource": [arn]}]}
    iam.put_user_policy(UserName="encoding", PolicyName="p", PolicyDocument=json.dumps(document))
    return {"get-policy-response": iam.get_user_policy(UserName="encoding", PolicyName="p")}


def default_name():
    user("generated-name")
    return {"get_iam_user": iam.get_user(UserName="generated-name")}


def access_key():
    user("keys")
    first = iam.create_access_key(UserName="keys")["AccessKey"]
    steps = {"key_outputs": {k: first[k] for k in ("AccessKeyId", "SecretAccessKey")}}
    steps["access_key"] = iam.list_access_keys(UserName="keys")["AccessKeyMetadata"][0]
    second = iam.create_access_key(UserName="keys")["AccessKey"]["AccessKeyId"]
    iam.update_access_key(UserName="keys", AccessKeyId=second, Status="Inactive")
    iam.delete_access_key(UserName="keys", AccessKeyId=first["AccessKeyId"])
    steps["access_key_updated"] = iam.list_access_keys(UserName="keys")["AccessKeyMetadata"][0]
    return steps


def inline_policy():
    user("inline")
    steps = {}
    for step, actions in (("user_inline_policy", ["s3:PutObject", "s3:ListBucket"]), ("user_updated_inline_policy", ["s3:PutObject"])):
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
        iam.put_user_policy(UserName="inline", PolicyName="p", PolicyDocument=json.dumps(document))
        steps[step] = iam.get_user_policy(UserName="inline", PolicyName="p")
    return steps


def one_user(step):
    def case():
        name = "basic-" + re.sub(r"\W", "", step)
        user(name)
        return {step: iam.get_user(UserName=name)}

    return case


def replaced():
    user("replaced")
    before = iam.get_user(UserName="replaced")
    iam.delete_user(UserName="replaced")
    user("replaced-updated")
    return {"describe-resource-before-update": before, "describe-resource-after-update": iam.get_user(UserName="replaced-updated")}


def caller_identity():
    steps = {"create-user": user("caller")}
    key = iam.create_access_key(UserName="caller")["AccessKey"]
    sts = boto3.client("sts", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    steps["caller-identity-user"] = sts.get_caller_identity()
    return steps


STACK = "answers of CloudFormation"
ROLES = "roles come with the next issue"
CASES = [
    ("iam_test_iam", "TestIAMPolicyEncoding::test_put_user_policy_encoding", encoding, {}),
    ("resource_providers_test_iam", "::test_iam_username_defaultname", default_name, {}),
    ("resource_providers_test_iam", "::test_iam_user_access_key", access_key, {}),
    ("resource_providers_test_iam", "::test_update_inline_policy", inline_policy,
     {"role_inline_policy": ROLES, "role_updated_inline_policy": ROLES}),
    ("test_basic_user", "::test_black_box", one_user("describe-resource"), {"stack-outputs": STACK}),
    ("test_basic_user", "::test_autogenerated_values", one_user("autogenerated-get-user"), {"stack_outputs": STACK}),
    ("test_basic_user", "::test_getatt", one_user("describe-resource"), {"stack-outputs": STACK, "stack_resource": STACK}),
    ("test_basic_user", "::test_update_without_replacement", replaced,
     {"stack-outputs-before-update": STACK, "stack-outputs-after-update": STACK}),
    ("test_parity", "::test_create_with_full_properties", one_user("describe-user-resource"),
     {"stack-outputs": STACK, "describe-user-group-association": "groups come with the next issue"}),
    ("test_sts", "::test_get_caller_identity_with_iam_user_credentials", caller_identity, {}),
]


def main(directory):
    failed = 0
    for file, name, case, left_out in CASES:
        with open(os.path.join(directory, file + ".snapshot.json"), encoding="utf-8") as f:
            recorded = next(v["recorded-content"] for k, v in json.load(f).items() if k.endswith(name))
        steps, bound = case(), {}
        try:
            if set(steps) | set(left_out) != set(recorded):
                raise Differs(f"the recording has the steps {sorted(recorded)}")
            for step in recorded:
                if step not in left_out:
                    match(recorded[step], clean(steps[step]), bound, step)
            print("equal:", name.lstrip(":"), *(f"({step} left out: {why})" for step, why in left_out.items()))
        except Differs as e:
            failed += 1
            print("DIFFERS:", name.lstrip(":"), e)
        for u in iam.list_users()["Users"]:
            for k in iam.list_access_keys(UserName=u["UserName"])["AccessKeyMetadata"]:
                iam.delete_access_key(UserName=u["UserName"], AccessKeyId=k["AccessKeyId"])
            for p in iam.list_user_policies(UserName=u["UserName"])["PolicyNames"]:
                iam.delete_user_policy(UserName=u["UserName"], PolicyName=p)
            iam.delete_user(UserName=u["UserName"])
    print(f"{len(CASES) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
