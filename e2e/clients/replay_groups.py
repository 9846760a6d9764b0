"""Groups, their members and inline policies: recordings of 2026 (testdata/recorded/test_iam_groups.snapshot.json) and older ones."""
import json

from replay_kit import iam, refused, user

LIST_BUCKET = json.dumps(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": ["arn:aws:s3:::example_bucket"]}}
)


def group(name, **more):
    return iam.create_group(GroupName=name, **more)


def get(name):
    return iam.get_group(GroupName=name)


def groups_of(name):
    return iam.list_groups_for_user(UserName=name)


def member(name="u", of="g"):
    return iam.add_user_to_group(GroupName=of, UserName=name)


def create_group():
    return {"create-group": group("g"), "create-group-duplicate": refused(iam.create_group, GroupName="g")}


def get_group():
    return {
        "created-group": group("g")["Group"],
        "get-group": get("g")["Group"],
        "get-group-not-found": refused(iam.get_group, GroupName="non-existent-group"),
    }


def get_group_with_path():
    group("g")
    return {"get-group-default-path": get("g"), "create-group-with-path": group("h", Path="/some/location/")}


def list_groups():
    group("g")
    group("h")
    return {"list-groups": iam.list_groups()["Groups"]}


def delete_group():
    group("g")
    return {"delete-response": iam.delete_group(GroupName="g")}


def delete_unknown_group():
    return {"delete-unknown-group": refused(iam.delete_group, GroupName="unknown-group")}


def update_group_name():
    group("g")
    steps = {"original_group": get("g")["Group"]}
    iam.update_group(GroupName="g", NewGroupName="h")
    steps["old-group-not-found"] = refused(iam.get_group, GroupName="g")
    steps["updated-group"] = get("h")["Group"]
    return steps


def update_group_path():
    group("g", Path="/path/")
    iam.update_group(GroupName="g", NewGroupName="h", NewPath="/new-path/")
    return {"updated-group-with-new-path": get("h")["Group"]}


def update_group_not_found():
    return {"update-nonexistent-group": refused(iam.update_group, GroupName="nonexisting", NewGroupName="new-name")}


def update_group_duplicate_name():
    group("g")
    group("h")
    return {"update-duplicate-name": refused(iam.update_group, GroupName="g", NewGroupName="h")}


def add_user():
    group("g")
    user("u")
    member()
    return {"group-with-user": get("g")}


def add_unknown_user():
    group("g")
    return {"add-unknown-user": refused(iam.add_user_to_group, GroupName="g", UserName="non-existent-user")}


def add_user_to_unknown_group():
    user("u")
    return {"add-user-unknown-group": refused(iam.add_user_to_group, GroupName="non-existent-group", UserName="u")}


def remove_user():
    group("g")
    user("u")
    member()
    steps = {"group-before-remove": get("g")}
    iam.remove_user_from_group(GroupName="g", UserName="u")
    steps["group-after-remove"] = get("g")
    return steps


def remove_user_from_unknown_group():
    answer = refused(iam.remove_user_from_group, GroupName="non-existent-group", UserName="any-user")
    return {"remove-from-unknown-group": answer}


def add_user_idempotent():
    group("g")
    user("u")
    member()
    member()
    steps = {"groups-before-remove": groups_of("u")["Groups"]}
    iam.remove_user_from_group(GroupName="g", UserName="u")
    steps["groups-after-remove"] = groups_of("u")["Groups"]
    return steps


def list_groups_for_user():
    for name in ("g1", "g2", "g3"):
        group(name)
    user("u")
    member(of="g1")
    member(of="g2")
    return {"list-groups-for-user": groups_of("u")["Groups"]}


def rename_preserves_membership():
    steps = {"create-group": group("g"), "create-user": user("u")}
    member()
    steps["group-before-rename"] = get("g")
    iam.update_user(UserName="u", NewUserName="v")
    steps["group-after-rename"] = get("g")
    steps["groups-for-new-user"] = groups_of("v")
    steps["old-user-not-found"] = refused(iam.list_groups_for_user, UserName="u")
    return steps


def put(name="p", document=LIST_BUCKET):
    return iam.put_group_policy(GroupName="g", PolicyName=name, PolicyDocument=document)


def put_group_policy():
    group("g")
    return {"put-group-policy": put()}


def get_group_policy():
    group("g")
    steps = {"get-nonexistent-policy": refused(iam.get_group_policy, GroupName="g", PolicyName="p")}
    put()
    steps["get-group-policy"] = iam.get_group_policy(GroupName="g", PolicyName="p")
    return steps


def list_group_policies():
    group("g")
    steps = {"list-empty-policies": iam.list_group_policies(GroupName="g")}
    put()
    steps["list-policies-with-one"] = iam.list_group_policies(GroupName="g")
    return steps


def attached():
    return iam.list_attached_group_policies(GroupName="g")


def attach_detach():
    group("g")
    policy = {"GroupName": "g", "PolicyArn": iam.create_policy(PolicyName="p", PolicyDocument=LIST_BUCKET)["Policy"]["Arn"]}
    steps = {"no-attached-policies": attached()}
    iam.attach_group_policy(**policy)
    steps["one-attached-policy"] = attached()
    iam.detach_group_policy(**policy)
    steps["after-detach"] = attached()
    return steps


def detach_unattached():
    group("g")
    arn = iam.create_policy(PolicyName="p", PolicyDocument=LIST_BUCKET)["Policy"]["Arn"]
    return {"detach-unattached-error": refused(iam.detach_group_policy, GroupName="g", PolicyArn=arn)}


def encoding():
    group("g")
    arn = "arn:aws:apigateway:us-east-1::/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Frestapis%2Faaeeieije"
    put(document=json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["apigatway:PUT"], "Resource": [arn]}]}))
    return {"get-policy-response": iam.get_group_policy(GroupName="g", PolicyName="p")}


def recorded(kind, cases):
    return [("test_iam_groups", f"TestIAMGroups{kind}::{name}", case, {}) for name, case in cases.items()]


CASES = [
    *recorded("CRUD", {
        "test_create_group": create_group,
        "test_get_group": get_group,
        "test_get_group_with_path": get_group_with_path,
        "test_list_groups": list_groups,
        "test_delete_group": delete_group,
        "test_delete_unknown_group": delete_unknown_group,
        "test_update_group_name": update_group_name,
        "test_update_group_path": update_group_path,
        "test_update_group_not_found": update_group_not_found,
        "test_update_group_duplicate_name": update_group_duplicate_name,
    }),
    *recorded("Membership", {
        "test_add_user_to_group": add_user,
        "test_add_unknown_user_to_group": add_unknown_user,
        "test_add_user_to_unknown_group": add_user_to_unknown_group,
        "test_remove_user_from_group": remove_user,
        "test_remove_user_from_unknown_group": remove_user_from_unknown_group,
        "test_add_user_to_group_idempotent": add_user_idempotent,
        "test_list_groups_for_user": list_groups_for_user,
        "test_user_rename_preserves_group_membership": rename_preserves_membership,
    }),
    *recorded("Policies", {
        "test_put_group_policy": put_group_policy,
        "test_get_group_policy": get_group_policy,
        "test_list_group_policies": list_group_policies,
        "test_attach_detach_group_policy": attach_detach,
        "test_detach_unattached_group_policy": detach_unattached,
    }),
    ("iam_test_iam", "TestIAMPolicyEncoding::test_put_group_policy_encoding", encoding, {}),
]
