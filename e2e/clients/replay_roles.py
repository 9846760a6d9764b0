"""Roles, their trust policies, tags and policies: recordings of 2026 (testdata/recorded/test_iam_roles.snapshot.json) and older ones."""
import json

from replay_kit import ACCOUNT, iam, refused


def trust(principal, **more):
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


EC2 = trust({"Service": "ec2.amazonaws.com"})
BUCKET = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::example_bucket"}
DOC = json.dumps({"Version": "2012-10-17", "Statement": BUCKET})
ABSENT = "test-nonexistent-role"


def role(name="r", document=EC2, **more):
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document), **more)


def get(name="r"):
    return iam.get_role(RoleName=name)


def gone(name="r"):
    return refused(iam.get_role, RoleName=name)


def managed(name="p"):
    return iam.create_policy(PolicyName=name, PolicyDocument=DOC)


def arn(name):
    return f"arn:aws:iam::{ACCOUNT}:policy/{name}"


def kept(answer, name="r"):
    """The answer of a list of which only this role was recorded."""
    return {"Roles": [r for r in answer["Roles"] if r["RoleName"] == name]}


def errors():
    return {
        "get-role-error": gone(ABSENT),
        "update-role-error": refused(iam.update_role, RoleName=ABSENT, Description="test"),
        "delete-role-error": refused(iam.delete_role, RoleName=ABSENT),
        "create-role-for-duplicate-test": role(),
        "create-role-already-exists-error": refused(iam.create_role, RoleName="r", AssumeRolePolicyDocument=json.dumps(EC2)),
    }


def defaults():
    return {"create-role-response": role(), "get-role-response": get()}


def described(mark):
    def case():
        path = "/1a2b3c4d/"
        return {
            f"create{mark}role{mark}result": role(Path=path),
            f"get{mark}role{mark}result": get(),
            f"list{mark}roles{mark}result": iam.list_roles(PathPrefix=path),
        }

    return case


def delete_with_attached_policy():
    steps = {"create-role": role()}
    p = {"RoleName": "r", "PolicyArn": managed()["Policy"]["Arn"]}
    iam.attach_role_policy(**p)
    steps["delete-role-with-policy-error"] = refused(iam.delete_role, RoleName="r")
    iam.detach_role_policy(**p)
    iam.delete_role(RoleName="r")
    steps["get-role-after-deletion-error"] = gone()
    return steps


def delete_with_inline_policy():
    steps = {"create-role": role()}
    iam.put_role_policy(RoleName="r", PolicyName="inline-policy", PolicyDocument=DOC)
    steps["delete-role-with-inline-policy-error"] = refused(iam.delete_role, RoleName="r")
    iam.delete_role_policy(RoleName="r", PolicyName="inline-policy")
    iam.delete_role(RoleName="r")
    steps["get-role-after-deletion-error"] = gone()
    return steps


def delete_with_instance_profile():
    steps = {"create-role": role()}
    iam.delete_role(RoleName="r")
    steps["get-role-after-deletion-error"] = gone()
    return steps


def update():
    role(Description="initial description")
    return {
        "get-role-initial": get(),
        "update-role-response": iam.update_role(RoleName="r", Description="updated description", MaxSessionDuration=7200),
        "get-role-after-update": get(),
        "update-role-description-response": iam.update_role_description(RoleName="r", Description="description via update_role_description"),
        "get-role-after-desc-update": get(),
        "update-role-defaults-response": iam.update_role(RoleName="r"),
        "get-role-after-defaults": get(),
    }


def trust_errors():
    role()

    def refusal(document):
        return refused(iam.update_assume_role_policy, RoleName="r", PolicyDocument=document)

    return {
        "invalid-json-error": refusal("not valid json"),
        "invalid-action-error": refusal(json.dumps(trust({"Service": "ec2.amazonaws.com"}, Action="sts:InvalidAction"))),
        "resource-field-error": refusal(json.dumps(trust({"Service": "ec2.amazonaws.com"}, Resource="arn:aws:s3:::example_bucket"))),
    }


def update_trust():
    document = trust({"Service": ["ec2.amazonaws.com"]}, Action=["sts:AssumeRole"])
    return {
        "created_role": role(document=document),
        "updated_policy": iam.update_assume_role_policy(RoleName="r", PolicyDocument=json.dumps(document)),
    }


def malformed_trust():
    document = '{"Version": "2012-10-17", "Statement": [{"Action": "sts:AssumeRole", "Principal": "*", "Effect": "Allow",}]}'
    return {"invalid-json": refused(iam.create_role, RoleName="r", AssumeRolePolicyDocument=document)}


def path_prefix():
    path = "/test-path-1a2b3c4d/"
    return {
        "create-role-without-path": role("role-no-path"),
        "create-role-with-path": role("role-with-path", Path=path),
        "list-roles-with-path-prefix": iam.list_roles(PathPrefix=path),
        "list-roles-empty-path-prefix": iam.list_roles(PathPrefix="/nonexistent-path/"),
    }


def path_lifecycle():
    return {
        "create-role-response": role(document=trust({"Service": "lambda.amazonaws.com"}), Path="/path1a2b/"),
        "get-role-response": get(),
        "delete-role-response": iam.delete_role(RoleName="r"),
    }


def boundary():
    steps = {"create-policy": managed("boundary-policy")}
    limit = steps["create-policy"]["Policy"]["Arn"]
    steps["create-role-with-boundary"] = role(PermissionsBoundary=limit, Description="Role with permissions boundary")
    steps["get-role-with-boundary"] = get()
    iam.delete_role_permissions_boundary(RoleName="r")
    steps["get-role-no-boundary"] = get()
    steps["list-roles-without-boundary"] = kept(iam.list_roles())
    iam.put_role_permissions_boundary(RoleName="r", PermissionsBoundary=limit)
    steps["get-role-boundary-restored"] = get()
    steps["list-roles-with-boundary"] = kept(iam.list_roles())
    return steps


def boundary_errors():
    steps = {"create-role": role(), "create-policy": managed()}
    for step, limit in (("invalid-boundary", f"arn:aws:iam::{ACCOUNT}:not_a_policy/invalid"), ("nonexistent-policy", arn("nonexistent-policy"))):
        steps[f"put-{step}-error"] = refused(iam.put_role_permissions_boundary, RoleName="r", PermissionsBoundary=limit)
        steps[f"create-role-{step}-error"] = refused(
            iam.create_role, RoleName="other", AssumeRolePolicyDocument=json.dumps(EC2), PermissionsBoundary=limit)
    steps["put-boundary-nonexistent-role-error"] = refused(
        iam.put_role_permissions_boundary, RoleName="nonexistent-role", PermissionsBoundary=steps["create-policy"]["Policy"]["Arn"])
    return steps


def list_with_boundary():
    path = "/1a2b3c4d/"
    steps = {"created_role": role(Path=path)}
    iam.put_role_permissions_boundary(RoleName="r", PermissionsBoundary=managed()["Policy"]["Arn"])
    steps["list_roles_result"] = iam.list_roles(PathPrefix=path)
    return steps


def put_inline(name):
    iam.put_role_policy(RoleName="r", PolicyName=name, PolicyDocument=DOC)


def get_inline(name):
    return iam.get_role_policy(RoleName="r", PolicyName=name)


def inline():
    return iam.list_role_policies(RoleName="r")


def inline_lifecycle():
    role()
    put_inline("policy-1")
    steps = {"get-role-policy-1": get_inline("policy-1"), "list-role-policies-1": inline()}
    put_inline("policy-2")
    steps |= {"get-role-policy-2": get_inline("policy-2"), "list-role-policies-2": inline()}
    first = {"RoleName": "r", "PolicyName": "policy-1"}
    iam.delete_role_policy(**first)
    return steps | {
        "list-role-policies-after-delete": inline(),
        "get-deleted-policy-error": refused(iam.get_role_policy, **first),
        "delete-nonexistent-policy-error": refused(iam.delete_role_policy, **first),
    }


def inline_errors():
    role()
    p = {"RoleName": "r", "PolicyName": "non-existent-policy"}
    q = p | {"RoleName": "nonexistent-role"}
    return {
        "get-nonexistent-policy-error": refused(iam.get_role_policy, **p),
        "delete-nonexistent-policy-error": refused(iam.delete_role_policy, **p),
        "put-policy-nonexistent-role-error": refused(iam.put_role_policy, PolicyDocument=DOC, **q),
        "get-policy-nonexistent-role-error": refused(iam.get_role_policy, **q),
        "delete-policy-nonexistent-role-error": refused(iam.delete_role_policy, **q),
    }


def tag(key, value):
    return {"Key": key, "Value": value}


def with_tags():
    path = "/role-with-tags/"
    return {
        "create-role-response": role(Path=path, Tags=[tag("test", "value")]),
        "get-role-response": get(),
        "list-role-response": iam.list_roles(PathPrefix=path),
    }


def with_empty_tag():
    return with_tags() | {
        "create-role-empty-tag-value": role("role-empty-tag", Tags=[tag("emptykey", "")]),
        "list-role-tags-empty-value": iam.list_role_tags(RoleName="role-empty-tag"),
    }


def tags():
    return iam.list_role_tags(RoleName="r")


def tagged(*pairs):
    iam.tag_role(RoleName="r", Tags=[tag(*p) for p in pairs])
    return tags()


def untagged(key):
    iam.untag_role(RoleName="r", TagKeys=[key])
    return tags()


def tag_operations():
    role()
    steps = {"get-role-no-tags": get()}
    listed = tagged(("somekey", "somevalue"), ("someotherkey", "someothervalue"))
    steps |= {
        "get-role-with-tags": get(),
        "list-role-tags": listed,
        "list-role-tags-after-update": tagged(("somekey", "updatedvalue")),
        "list-role-tags-empty-value": tagged(("somekey", "")),
        "list-role-tags-after-untag": untagged("somekey"),
        "list-role-tags-empty": untagged("someotherkey"),
    }
    untagged("someotherkey")
    return steps | {
        "list-role-tags-before-casing-update": tagged(("somekey", "somevalue")),
        "list-role-tags-after-casing-update": tagged(("Somekey", "updatedvalue")),
    }


BAD_TAGS = {
    "duplicate-tags": [tag("dupkey", "val1"), tag("dupkey", "val2")],
    "duplicate-tags-different-case": [tag("mykey", "val1"), tag("MyKey", "val2")],
    "tag-key-too-long": [tag("k" * 129, "value")],
    "tag-value-too-long": [tag("key", "v" * 257)],
    "tag-invalid-char": [tag("invalid!key", "value")],
}


def tag_errors():
    many = [str(i) for i in range(51)]
    too_many = [tag(n, n) for n in many]
    create = {"RoleName": "never", "AssumeRolePolicyDocument": json.dumps(EC2)}
    steps = {
        "tag-nonexistent-role-error": refused(iam.tag_role, RoleName=ABSENT, Tags=[tag("somekey", "somevalue")]),
        "untag-nonexistent-role-error": refused(iam.untag_role, RoleName=ABSENT, TagKeys=["somekey"]),
        "list-tags-nonexistent-role-error": refused(iam.list_role_tags, RoleName=ABSENT),
        "create-role-too-many-tags": refused(iam.create_role, Tags=too_many, **create),
        "create-role": role(),
        "tag-role-too-many-tags": refused(iam.tag_role, RoleName=ABSENT, Tags=too_many),
        "untag-role-too-many-keys": refused(iam.untag_role, RoleName="r", TagKeys=many),
        "untag-role-key-too-long": refused(iam.untag_role, RoleName="r", TagKeys=["k" * 129]),
        "untag-role-invalid-char": refused(iam.untag_role, RoleName="r", TagKeys=["invalid!key"]),
    }
    for step, bad in BAD_TAGS.items():
        steps[f"create-role-{step}"] = refused(iam.create_role, Tags=bad, **create)
        steps[f"tag-role-{step}"] = refused(iam.tag_role, RoleName="r", Tags=bad)
    return steps


def pagination():
    path = "/test-pagination-1a2b3c4d/"
    steps = {}
    for i in range(5):
        steps[f"create-role-{i}"] = role(f"role-0{i}", Path=path, **({"Description": f"Role {i}"} if i % 2 == 0 else {}))
    steps["list-roles-with-path"] = iam.list_roles(PathPrefix=path)
    steps["list-roles-max-items"] = iam.list_roles(PathPrefix=path, MaxItems=2)
    steps["list-roles-with-marker"] = iam.list_roles(PathPrefix=path, Marker=steps["list-roles-max-items"]["Marker"])
    steps["list-roles-empty"] = iam.list_roles(PathPrefix="/nonexistent-path/")
    return steps


def encoding():
    encoded = "arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Frestapis%2Faaeeieije"
    path = "/1a2b3c4d/"
    document = trust({"Service": "lambda.amazonaws.com"}, Condition={"StringEquals": {"aws:SourceArn": encoded}})
    steps = {"create-role-response": role(document=document, Path=path)}
    inner = {"Effect": "Allow", "Action": ["apigatway:PUT"], "Resource": ["arn:aws:apigateway:us-east-1::/tags/" + encoded]}
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [inner]}))
    return steps | {"get-policy-response": get_inline("p"), "get-role-response": get(), "list-roles-response": iam.list_roles(PathPrefix=path)}


PROFILES = "there are no instance profiles yet"
CASES = [("test_iam_roles", name, case, {}) for name, case in (
    ("TestRoleLifecycle::test_role_errors", errors),
    ("TestRoleLifecycle::test_create_role_defaults", defaults),
    ("TestRoleLifecycle::test_create_describe_role", described("-")),
    ("TestRoleLifecycle::test_delete_role_with_attached_policy", delete_with_attached_policy),
    ("TestRoleLifecycle::test_delete_role_with_inline_policy", delete_with_inline_policy),
    ("TestRoleLifecycle::test_update_role", update),
    ("TestRoleLifecycle::test_update_assume_role_policy_errors", trust_errors),
    ("TestRoleLifecycle::test_update_assume_role_policy", update_trust),
    ("TestRoleLifecycle::test_list_roles_path_prefix", path_prefix),
    ("TestRolePermissionsBoundary::test_role_permissions_boundary_lifecycle", boundary),
    ("TestRolePermissionsBoundary::test_role_permissions_boundary_errors", boundary_errors),
    ("TestRoleInlinePolicies::test_role_inline_policy_lifecycle", inline_lifecycle),
    ("TestRoleInlinePolicies::test_role_inline_policy_errors", inline_errors),
    ("TestRoleTags::test_role_with_tags", with_empty_tag),
    ("TestRoleTags::test_role_tag_operations", tag_operations),
    ("TestRoleTags::test_role_tag_errors", tag_errors),
    ("TestRolePagination::test_list_roles_pagination", pagination),
)] + [
    ("test_iam_roles", "TestRoleLifecycle::test_delete_role_with_instance_profile", delete_with_instance_profile,
     {"create-instance-profile": PROFILES, "delete-role-with-instance-profile-error": PROFILES}),
] + [("iam_test_iam", name, case, {}) for name, case in (
    ("TestIAMExtensions::test_create_role_with_malformed_assume_role_policy_document", malformed_trust),
    ("TestIAMExtensions::test_role_with_path_lifecycle", path_lifecycle),
    ("TestIAMIntegrations::test_update_assume_role_policy", update_trust),
    ("TestIAMIntegrations::test_create_describe_role", described("_")),
    ("TestIAMIntegrations::test_list_roles_with_permission_boundary", list_with_boundary),
    ("TestIAMPolicyEncoding::test_put_role_policy_encoding", encoding),
    ("TestRoles::test_role_with_tags", with_tags),
)]
