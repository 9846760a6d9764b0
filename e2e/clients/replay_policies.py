"""Managed policies, their versions, tags and documents, and where they are attached: recordings of 2026 (test_iam_policies, test_iam_managed_policies)
and older ones."""
import json
import os

from replay_kit import ACCOUNT, Differs, iam, listed, refused, user

HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "../../policy/testdata/recorded/policy_documents.json"), encoding="utf-8") as f:
    DOCUMENTS = json.load(f)
NAMED = DOCUMENTS["named_documents"]
SAMPLE, SAMPLE_2, SAMPLE_3 = NAMED["SAMPLE_POLICY"], NAMED["SAMPLE_POLICY_2"], NAMED["SAMPLE_POLICY_3"]
LAMBDA = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
LAMBDA_VPC = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"


def absent(name):
    return f"arn:aws:iam::{ACCOUNT}:policy/{name}"


def create(name="pol", document=SAMPLE, **more):
    return iam.create_policy(PolicyName=name, PolicyDocument=document, **more)


def made(name="pol", document=SAMPLE, **more):
    return {"PolicyArn": create(name, document, **more)["Policy"]["Arn"]}


def version(p, document=SAMPLE, **more):
    return iam.create_policy_version(PolicyDocument=document, **p, **more)


def tags(*pairs):
    return [{"Key": k, "Value": v} for k, v in pairs]


def role(name="role"):
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=NAMED["ASSUME_ROLE_POLICY"])


def lifecycle(path):
    def case():
        created = create(**({"Path": path} if path else {}))
        p = {"PolicyArn": created["Policy"]["Arn"]}
        return {
            "create-policy-response": created,
            "get-policy-response": iam.get_policy(**p),
            "filtered-policy-list": [x for x in iam.list_policies(MaxItems=1000)["Policies"] if x["PolicyName"] == "pol"],
            "delete-policy-response": iam.delete_policy(**p),
        }

    return case


def errors():
    return {"create-policy-response": create(), "policy-already-exists": refused(iam.create_policy, PolicyName="pol", PolicyDocument=SAMPLE)}


def version_lifecycle():
    created = create()
    p = {"PolicyArn": created["Policy"]["Arn"]}
    steps = {"create-policy": created, "create-version-v2": version(p, SAMPLE_2, SetAsDefault=True)}
    steps["get-version-v2"] = iam.get_policy_version(VersionId="v2", **p)
    iam.delete_policy_version(VersionId="v1", **p)
    steps["create-version-v3"] = version(p, SAMPLE_3)
    steps["get-version-v3"] = iam.get_policy_version(VersionId="v3", **p)
    steps["list-versions"] = iam.list_policy_versions(**p)
    return steps


def version_set_default():
    p = made()
    version(p, SAMPLE_2, SetAsDefault=True)
    version(p, SAMPLE_3, SetAsDefault=True)
    return {
        "list-after-create": iam.list_policy_versions(**p),
        "set-default-v1": iam.set_default_policy_version(VersionId="v1", **p),
        "list-after-set-default": iam.list_policy_versions(**p),
    }


def version_limit():
    p = made()
    for _ in range(4):
        version(p)
    steps = {"err-version-limit-exceeded": refused(iam.create_policy_version, PolicyDocument=SAMPLE, **p)}
    steps["list-versions-at-limit"] = iam.list_policy_versions(**p)
    iam.delete_policy_version(VersionId="v5", **p)
    steps["create-version-after-delete"] = version(p)
    return steps


def version_errors():
    created = create()
    p, none = {"PolicyArn": created["Policy"]["Arn"]}, {"PolicyArn": absent("TestNonExistingPolicy")}
    version(p, SAMPLE_2)
    steps = {
        "create-policy": created,
        "err-get-version-nonexistent-policy": refused(iam.get_policy_version, VersionId="v1", **none),
        "err-get-nonexistent-version": refused(iam.get_policy_version, VersionId="v9", **p),
        "err-delete-default-version": refused(iam.delete_policy_version, VersionId="v1", **p),
        "err-delete-nonexistent-version": refused(iam.delete_policy_version, VersionId="v9", **p),
        "err-set-default-nonexistent-policy": refused(iam.set_default_policy_version, VersionId="v1", **none),
        "err-set-default-invalid-version-format": refused(iam.set_default_policy_version, VersionId="wrong_version_id", **p),
        "err-set-default-nonexistent-version": refused(iam.set_default_policy_version, VersionId="v4", **p),
    }
    iam.delete_policy_version(VersionId="v2", **p)
    steps["list-after-delete"] = iam.list_policy_versions(**p)
    return steps


def tag_lifecycle():
    created = create(Tags=tags(("somekey", "somevalue"), ("someotherkey", "someothervalue")), Description="testing")
    p = {"PolicyArn": created["Policy"]["Arn"]}
    steps = {"create-with-tags": created, "get-with-tags": iam.get_policy(**p), "list-created-tags": iam.list_policy_tags(**p)}
    for create_step, list_step, name, pairs in (
        ("create-with-empty-tag-value", "list-empty-tag-value", "empty", [("somekey", "")]),
        ("create-with-case-sensitive-tags", "list-case-sensitive-tags", "case", [("a", "lowercase"), ("A", "uppercase")]),
    ):
        steps[create_step] = create(name, Tags=tags(*pairs))
        steps[list_step] = iam.list_policy_tags(PolicyArn=steps[create_step]["Policy"]["Arn"])
    steps["get-without-tags"] = iam.get_policy(**made("without"))
    return steps


def tag_operations():
    created = create()
    p = {"PolicyArn": created["Policy"]["Arn"]}
    steps = {"create-policy": created}
    iam.tag_policy(Tags=tags(("somekey", "somevalue"), ("someotherkey", "someothervalue")), **p)
    steps["get-after-tag"] = iam.get_policy(**p)
    steps["list-tags"] = iam.list_policy_tags(**p)
    steps["list-tags-page1"] = iam.list_policy_tags(MaxItems=1, **p)
    steps["list-tags-page2"] = iam.list_policy_tags(Marker=steps["list-tags-page1"]["Marker"], **p)
    for step, call, more in (
        ("list-after-update", iam.tag_policy, {"Tags": tags(("somekey", "somenewvalue"))}),
        ("list-after-update-empty", iam.tag_policy, {"Tags": tags(("somekey", ""))}),
        ("list-after-untag-one", iam.untag_policy, {"TagKeys": ["somekey"]}),
        ("list-after-untag-all", iam.untag_policy, {"TagKeys": ["someotherkey"]}),
        ("list-case-sensitive-tags", iam.tag_policy, {"Tags": tags(("a", "lowercase"), ("A", "uppercase"))}),
        ("list-after-untag-lowercase", iam.untag_policy, {"TagKeys": ["a"]}),
    ):
        call(**p, **more)
        steps[step] = iam.list_policy_tags(**p)
    return steps


def tag_order():
    created = create(Tags=tags(("abc", "first"), ("b", "second"), ("z", "third"), ("a", "fourth")))
    return {"create-with-case-sensitive-tags": created, "list-tags": iam.list_policy_tags(PolicyArn=created["Policy"]["Arn"])}


BAD_TAGS = {
    "too-many": tags(*[(str(i), str(i)) for i in range(51)]),
    "duplicate-keys": tags(("0", ""), ("0", "")),
    "large-key": tags(("0" * 129, "")),
    "large-value": tags(("0", "0" * 257)),
    "invalid-character": tags(("NOWAY!", "")),
}


def tag_create_errors():
    names = {"too-many": "err-too-many-tags"}
    return {names.get(k, "err-" + k): refused(iam.create_policy, PolicyName="pol", PolicyDocument=SAMPLE, Tags=t) for k, t in BAD_TAGS.items()}


def tag_update_errors():
    p, none = made(), {"PolicyArn": absent("NotAPolicy")}
    iam.tag_policy(Tags=tags(("somekey", "somevalue"), ("someotherkey", "someothervalue")), **p)
    steps = {"err-tag-" + k: refused(iam.tag_policy, Tags=t, **p) for k, t in BAD_TAGS.items()}
    steps["err-tag-nonexistent-policy"] = refused(iam.tag_policy, Tags=tags(("some", "value")), **none)
    steps["err-untag-too-many-keys"] = refused(iam.untag_policy, TagKeys=[str(i) for i in range(51)], **p)
    steps["err-untag-large-key"] = refused(iam.untag_policy, TagKeys=["0" * 129], **p)
    steps["err-untag-invalid-character"] = refused(iam.untag_policy, TagKeys=["NOWAY!"], **p)
    steps["err-untag-nonexistent-policy"] = refused(iam.untag_policy, TagKeys=["somevalue"], **none)
    return steps


def invalid_document(text):
    return lambda: {"error": refused(iam.create_policy, PolicyName="pol", PolicyDocument=text)}


def valid_document(text):
    return lambda: {"response": create(document=text)}


def entities():
    created = create()
    p = {"PolicyArn": created["Policy"]["Arn"]}
    steps = {"create-policy": created, "empty-entities": iam.list_entities_for_policy(**p), "create-user": user("u")}
    steps["create-group"] = iam.create_group(GroupName="g")
    steps["create-role"] = role()
    iam.attach_user_policy(UserName="u", **p)
    iam.attach_group_policy(GroupName="g", **p)
    iam.attach_role_policy(RoleName="role", **p)
    for step, kind in (("role", "Role"), ("user", "User"), ("group", "Group"), ("local-managed-policy", "LocalManagedPolicy")):
        steps["filter-" + step] = iam.list_entities_for_policy(EntityFilter=kind, **p)
    steps["no-filter"] = iam.list_entities_for_policy(**p)
    return steps


def entities_errors():
    return {"err-nonexistent-policy": refused(iam.list_entities_for_policy, PolicyArn=absent("NonExistentPolicy"))}


def aws_policy():
    return {"get-policy": iam.get_policy(PolicyArn="arn:aws:iam::aws:policy/IAMUserChangePassword")}


def aws_policy_version():
    return {
        "get-version-error": refused(iam.get_policy_version, PolicyArn=LAMBDA, VersionId="v2-does-not-exist"),
        "get-version-v1": iam.get_policy_version(PolicyArn=LAMBDA, VersionId="v1"),
    }


def aws_policy_higher_version():
    p = {"PolicyArn": "arn:aws:iam::aws:policy/job-function/SystemAdministrator"}
    got = iam.get_policy(**p)
    return {"get-policy": got, "get-version-default": iam.get_policy_version(VersionId=got["Policy"]["DefaultVersionId"], **p)}


def aws_policy_errors():
    p = {"PolicyArn": LAMBDA}
    return {
        "delete-managed-policy-error": refused(iam.delete_policy, **p),
        "delete-managed-policy-version-error": refused(iam.delete_policy_version, VersionId="v2", **p),
        "set-default-managed-policy-version-error": refused(iam.set_default_policy_version, VersionId="v2", **p),
        "get-version-error": refused(iam.get_policy_version, VersionId="v2-does-not-exist", **p),
    }


def holds(names, *, has=(), lacks=()):
    if not set(has) <= set(names) or set(lacks) & set(names):
        raise Differs(f"a list must hold {has} and not {lacks}: {names}")


def names_of(**scope):
    return [p["PolicyName"] for p in listed("list_policies", "Policies", **scope)]


def scope_local():
    create("own", NAMED["MOCK_POLICY"])
    holds(names_of(Scope="Local"), has=["own"])
    holds(names_of(Scope="AWS"), lacks=["own"])
    return {}


def scope_all():
    create("own", NAMED["MOCK_POLICY"])
    holds(names_of(), has=["own", "IAMUserChangePassword"])
    return {}


def sorted_by_name(answer):
    answer["AttachedPolicies"].sort(key=lambda p: p["PolicyName"])
    return answer


def only_attached():
    role()
    for arn in (LAMBDA_VPC, LAMBDA):
        iam.attach_role_policy(RoleName="role", PolicyArn=arn)
    attached = listed("list_policies", "Policies", OnlyAttached=True)
    holds([p["Arn"] for p in attached], has=[LAMBDA_VPC, LAMBDA])
    if not all(p["AttachmentCount"] > 0 for p in attached):
        raise Differs(f"attached, but with a count of 0: {attached}")
    steps = {"list-attached-role-policies": sorted_by_name(iam.list_attached_role_policies(RoleName="role"))}
    # The names in the recording are masked, and numbered as they sort: the first of them stays.
    iam.detach_role_policy(RoleName="role", PolicyArn=LAMBDA_VPC)
    holds([p["Arn"] for p in listed("list_policies", "Policies", OnlyAttached=True)], has=[LAMBDA], lacks=[LAMBDA_VPC])
    steps["list-attached-role-policies-after-detach"] = iam.list_attached_role_policies(RoleName="role")
    return steps


def attach(kind, make):
    name = {kind.capitalize() + "Name": "holder"}
    call = getattr(iam, f"attach_{kind}_policy")

    def case():
        make("holder")
        created = create("long-policy-name-0")
        arn = created["Policy"]["Arn"]
        return {
            "create_policy_response": created,
            "valid_arn_not_existent": refused(call, PolicyArn=arn + "123", **name),
            "valid_policy_arn": call(PolicyArn=arn, **name),
        }

    return case


def simulated(kind, make):
    """The recorded account was in an organization, which allowed everything; this one is in none and so says nothing of it."""
    def case():
        make("holder")
        document = {"Version": "2012-10-17", "Statement": {"Sid": "", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}}
        arn = create("simulated", json.dumps(document))["Policy"]["Arn"]
        getattr(iam, f"attach_{kind}_policy")(PolicyArn=arn, **{kind.capitalize() + "Name": "holder"})
        answer = iam.simulate_principal_policy(
            PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:{kind}/holder", ActionNames=["s3:PutObject", "s3:GetObjectVersion"], ResourceArns=["arn:aws:s3:::bucket"])
        for result in answer["EvaluationResults"]:
            if "OrganizationsDecisionDetail" in result:
                raise Differs("the account is in no organization")
            result["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": True}
        return {"response": answer}

    return case


def role_managed_lifecycle():
    role()
    p = made()
    steps = {"list-attached-policies-empty": iam.list_attached_role_policies(RoleName="role")}
    iam.attach_role_policy(RoleName="role", **p)
    steps["list-attached-policies-1"] = iam.list_attached_role_policies(RoleName="role")
    iam.detach_role_policy(RoleName="role", **p)
    steps["list-attached-policies-after-detach"] = iam.list_attached_role_policies(RoleName="role")
    return steps


def role_managed_errors():
    role()
    created = create("test-policy-01234567")
    arn = created["Policy"]["Arn"]
    steps = {"create-policy": created, "detach-not-attached-policy-error": refused(iam.detach_role_policy, RoleName="role", PolicyArn=arn)}
    for step, value in (
        ("non-existent-malformed-policy-arn", "longpolicynamebutnoarn"),
        ("existing-policy-name-provided", "test-policy-01234567"),
        ("attach-nonexistent-policy-error", absent("nonexistent-policy")),
    ):
        steps[step] = refused(iam.attach_role_policy, RoleName="role", PolicyArn=value)
    iam.attach_role_policy(RoleName="role", PolicyArn=arn)
    steps["delete-attached-policy-error"] = refused(iam.delete_policy, PolicyArn=arn)
    return steps


def role_aws_policies():
    role()
    iam.attach_role_policy(RoleName="role", PolicyArn=LAMBDA_VPC)
    iam.attach_role_policy(RoleName="role", PolicyArn=LAMBDA)
    steps = {"list-attached-2": iam.list_attached_role_policies(RoleName="role")}
    iam.detach_role_policy(RoleName="role", PolicyArn=LAMBDA_VPC)
    steps["list-attached-after-detach"] = iam.list_attached_role_policies(RoleName="role")
    steps["detach-already-detached-error"] = refused(iam.detach_role_policy, RoleName="role", PolicyArn=LAMBDA_VPC)
    steps["detach-nonexistent-policy-error"] = refused(iam.detach_role_policy, RoleName="role", PolicyArn="arn:aws:iam::aws:policy/Nonexistent")
    return steps


def group_aws_policy():
    iam.create_group(GroupName="g")
    steps = {"list-attached-empty": iam.list_attached_group_policies(GroupName="g")}
    iam.attach_group_policy(GroupName="g", PolicyArn=LAMBDA)
    holds([p["PolicyArn"] for p in iam.list_attached_group_policies(GroupName="g")["AttachedPolicies"]], has=[LAMBDA])
    iam.detach_group_policy(GroupName="g", PolicyArn=LAMBDA)
    steps["list-attached-after-detach"] = iam.list_attached_group_policies(GroupName="g")
    return steps


def delete_absent():
    return {"delete-non-existent-policy-exc": refused(iam.delete_policy, PolicyArn=absent("non-existent-policy"))}


def empty_resource():
    return {"managed_policy": iam.get_policy(**made())}


def default_document(step, statement):
    def case():
        p = made(document=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
        default = iam.get_policy(**p)["Policy"]["DefaultVersionId"]
        return {step: iam.get_policy_version(VersionId=default, **p)["PolicyVersion"]["Document"]}

    return case


def inline_document():
    role()
    p = {"RoleName": "role", "PolicyName": "p"}
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::my-bucket-us-east-1/*"}
    iam.put_role_policy(PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}), **p)
    return {"inline_policy_document": iam.get_role_policy(**p)["PolicyDocument"]}


def documents(kind, outcome, case):
    return [
        ("test_iam_policies", name.split("::", 1)[1], case(d["document"]), {})
        for name, d in DOCUMENTS["cases"].items()
        if f"[{kind}-" in name and (d["outcome"] == "success") == outcome
    ]


def recorded(file, cases):
    return [(file, name, *(case if isinstance(case, tuple) else (case, {}))) for name, case in cases.items()]


NEWER = {step: "AWS's text changed: test_role_managed_policy_errors has the new one" for step in ("non_existent_malformed_policy_arn", "existing_policy_name_provided")}
CASES = [
    *recorded("test_iam_policies", {
        "TestPolicies::test_policy_lifecycle[/test/path/]": lifecycle("/test/path/"),
        "TestPolicies::test_policy_lifecycle[/]": lifecycle("/"),
        "TestPolicies::test_policy_lifecycle[None]": lifecycle(None),
        "TestPolicies::test_policy_errors": errors,
        "TestPolicies::test_policy_version_lifecycle": version_lifecycle,
        "TestPolicies::test_policy_version_set_default": version_set_default,
        "TestPolicies::test_policy_version_limit": version_limit,
        "TestPolicies::test_policy_version_errors": version_errors,
        "TestPolicyTags::test_policy_tag_lifecycle": tag_lifecycle,
        "TestPolicyTags::test_policy_tag_operations": tag_operations,
        "TestPolicyTags::test_policy_tag_order": tag_order,
        "TestPolicyTags::test_policy_tag_create_errors": tag_create_errors,
        "TestPolicyTags::test_policy_tag_update_errors": tag_update_errors,
        "TestListEntitiesForPolicy::test_list_entities_for_policy": entities,
        "TestListEntitiesForPolicy::test_list_entities_for_policy_errors": entities_errors,
    }),
    *documents("invalid", False, invalid_document),
    *documents("valid", True, valid_document),
    *recorded("test_iam_managed_policies", {
        "::test_get_aws_managed_policy": aws_policy,
        "::test_get_aws_managed_policy_version": aws_policy_version,
        "::test_get_aws_managed_policy_higher_version":
            (aws_policy_higher_version, {"list-policy-versions": "only the default version of an AWS managed policy is held"}),
        "::test_aws_managed_policy_errors": aws_policy_errors,
        "::test_list_policies_scope_local": scope_local,
        "::test_list_policies_scope_all": scope_all,
        "::test_list_policies_only_attached": only_attached,
        # test_list_policies_scope_aws has ReadOnlyAccess (v178) among the first five, whose document of 83,000 characters is not held.
    }),
    *recorded("resource_providers_test_iam", {
        "::test_managed_policy_with_empty_resource": (empty_resource, {"outputs": "answers of CloudFormation"}),
        "::test_managedpolicy_with_fn_sub_json_string": default_document(
            "policy_document", {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket-my-cluster-us-east-1/*"}),
        "::test_managedpolicy_with_fn_sub_multiline_yaml": default_document(
            "policy_document_multiline",
            {"Effect": "Allow", "Action": "eks:DescribeCluster", "Resource": f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/my-cluster"}),
        "::test_managedpolicy_with_fn_sub_and_arrays": default_document(
            "policy_with_arrays",
            {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": ["arn:aws:s3:::test-bucket/*", "arn:aws:s3:::test-bucket-us-east-1/*"]}),
        "::test_inline_policy_with_fn_sub_json_string": inline_document,
    }),
    *recorded("iam_test_iam", {
        "::test_delete_non_existent_policy_returns_no_such_entity": delete_absent,
        "::test_simulate_principle_policy[user]": simulated("user", user),
        "::test_simulate_principle_policy[group]": simulated("group", lambda name: iam.create_group(GroupName=name)),
        "::test_simulate_principle_policy[role]": simulated("role", role),
        "::test_user_attach_policy": (attach("user", user), NEWER),
        "::test_role_attach_policy": (attach("role", role), NEWER),
    }),
    *recorded("test_iam_roles", {
        "TestRoleManagedPolicies::test_role_managed_policy_lifecycle": role_managed_lifecycle,
        "TestRoleManagedPolicies::test_role_managed_policy_errors": role_managed_errors,
        "TestRoleManagedPolicies::test_attach_detach_aws_managed_policy_role": role_aws_policies,
    }),
    *recorded("test_iam_groups", {
        "::test_attach_detach_aws_managed_policy_group":
            (group_aws_policy, {"list-attached-after-attach": "names AmazonElasticMapReduceforEC2Role, which is not held; another one stands in"}),
    }),
]
