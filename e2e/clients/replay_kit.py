"""What the replayed cases share: the client, the comparison with a recording, and clearing the account after a case.

A module with cases exports CASES: a list of (file without .snapshot.json, end of the recorded case's name, function, steps left out with
the reason). The function runs the calls and returns the steps by name.
"""
import datetime
import json
import os
import re

import boto3
from botocore.exceptions import ClientError

ACCOUNT = os.environ["GATEHOUSE_ACCOUNT"]
PLACEHOLDER = re.compile(r"<[a-z_-]+:?\d*>")
PLAIN = "[^/]+?"
ANY = {"<secret-access-key": ".+", "<session-token": ".+", "<path": "/.+/"}  # the only values that may hold a slash
DIGITS = ":0123456789>"
TIMES = {"<datetime>", "datetime", "date", "<timestamp>"}

iam = boto3.client("iam")


def clean(answer):
    """The form in which answers were recorded. Some steps hold one member of an answer, which may be a list."""
    if not isinstance(answer, dict):
        return answer
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


def refused(call, **parameters):
    """The answer to a call that must fail."""
    try:
        answer = call(**parameters)
    except ClientError as e:
        return e.response
    raise Differs(f"{call.__name__}({parameters}) succeeded: {answer!r}")


def user(name):
    return iam.create_user(UserName=name)


def listed(operation, member, **parameters):
    """Everything that a list gives."""
    return [one for page in iam.get_paginator(operation).paginate(**parameters) for one in page[member]]


def clear():
    """Removes everything that a case can have made."""
    for g in listed("list_groups", "Groups"):
        name = {"GroupName": g["GroupName"]}
        for u in listed("get_group", "Users", **name):
            iam.remove_user_from_group(UserName=u["UserName"], **name)
        clear_policies("group", name)
        iam.delete_group(**name)
    for u in listed("list_users", "Users"):
        name = {"UserName": u["UserName"]}
        for k in listed("list_access_keys", "AccessKeyMetadata", **name):
            iam.delete_access_key(AccessKeyId=k["AccessKeyId"], **name)
        clear_policies("user", name)
        iam.delete_user(**name)
    for r in listed("list_roles", "Roles"):
        name = {"RoleName": r["RoleName"]}
        clear_policies("role", name)
        iam.delete_role(**name)
    for p in listed("list_policies", "Policies", Scope="Local"):
        for v in listed("list_policy_versions", "Versions", PolicyArn=p["Arn"]):
            if not v["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=p["Arn"], VersionId=v["VersionId"])
        iam.delete_policy(PolicyArn=p["Arn"])


def clear_policies(kind, name):
    for p in listed(f"list_{kind}_policies", "PolicyNames", **name):
        getattr(iam, f"delete_{kind}_policy")(PolicyName=p, **name)
    for p in listed(f"list_attached_{kind}_policies", "AttachedPolicies", **name):
        getattr(iam, f"detach_{kind}_policy")(PolicyArn=p["PolicyArn"], **name)
