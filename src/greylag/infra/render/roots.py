"""Root modules: one folder for each environment, and `bootstrap` for what has to be there before them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.infra.render import edges, operations, programs, stores
from greylag.infra.render.clashes import distinct
from greylag.infra.render.hcl import Block, Raw, Set, assignments, document, expression
from greylag.infra.render.parts import Output, Variable, module
from greylag.infra.render.stack import ENVIRONMENTS, slug

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greylag.infra.render.hcl import Value
    from greylag.infra.render.parts import Part
    from greylag.infra.render.stack import Stack

TERRAFORM = ">= 1.11"
"""`use_lockfile` locks the state in S3 itself from 1.11 on.

Source: https://developer.hashicorp.com/terraform/language/backend/s3#state-locking
"""
PROVIDER = "~> 6.28"

_ABOUT = {
    "kms.tf": "Keys: one for each class of data, so that access to one class can be cut without touching another.",
    "vpc.tf": "The network.",
    "dynamodb.tf": "Tables.",
    "rds.tf": "PostgreSQL.",
    "documentdb.tf": "DocumentDB.",
    "cache.tf": "Caches.",
    "s3.tf": "Buckets, and CloudFront in front of them.",
    "sqs.tf": "Queues, each with its dead letters.",
    "lambda.tf": "Functions.",
    "ecs.tf": "Containers.",
    "api.tf": "APIs. WAF cannot attach to an HTTP API, so CloudFront stands in front of each.",
    "dns.tf": "Certificates, validated by records in the project's zone.",
    "iam.tf": "What each program may do.",
    "secrets.tf": "Secrets: made here, filled by people or rotations, in no state and no file.",
    "backup.tf": "Daily backups in a vault of their own.",
    "audit.tf": "CloudTrail and Config.",
    "monitoring.tf": "Alarms, dashboards, the budget.",
}
"""Every file a root module may have beside the fixed ones, and its first line."""

_CLASS_OF_FILE = {
    "dynamodb.tf": "tables",
    "rds.tf": "databases",
    "documentdb.tf": "databases",
    "cache.tf": "caches",
    "sqs.tf": "messages",
    "s3.tf": "files",
    "lambda.tf": "programs",
    "ecs.tf": "programs",
    "api.tf": "programs",
    "secrets.tf": "programs",
}


def root(stack: Stack) -> tuple[dict[str, str], dict[str, str], set[str]]:
    """One environment: its files, those that are a person's own from the start, and the modules it calls."""
    parts = [
        operations.network(stack),
        stores.tables(stack),
        stores.postgres(stack),
        stores.documentdb(stack),
        stores.caches(stack),
        stores.buckets(stack),
        programs.queues(stack),
        programs.functions(stack),
        programs.containers(stack),
        programs.policies(stack),
        programs.secrets(stack),
        programs.images(stack),
        edges.apis(stack),
        edges.websocket_account(stack),
        edges.names(stack),
        operations.backup(stack),
        operations.audit(stack),
        operations.monitoring(stack),
    ]
    classes = {"operations"} | {
        _CLASS_OF_FILE[name] for part in parts for name in part.files if name in _CLASS_OF_FILE
    }
    parts.insert(0, stores.keys(stack, classes))
    blocks = {name: content for part in parts for name, content in part.files.items()}
    _each_once(blocks, parts)
    variables = [*_general(stack), *(each for part in parts for each in part.variables)]
    if not any("var.deletion_protection" in document(*content) for content in blocks.values()):
        variables = [each for each in variables if each.name != "deletion_protection"]
    files = {name: document(_ABOUT[name], *content) for name, content in blocks.items()}
    files |= {
        "versions.tf": _versions(stack),
        "providers.tf": _providers(),
        "locals.tf": _locals("".join(files.values())),
        "variables.tf": document(
            "Values: terraform.tfvars (rendered), values.auto.tfvars (yours), TF_VAR_… (the pipeline).",
            *(each.block() for each in sorted(variables, key=lambda each: each.name)),
        ),
        "outputs.tf": _outputs([each for part in parts for each in part.outputs]),
        "terraform.tfvars": _values(variables),
    }
    people = [each for each in variables if each.by == "person"]
    own = {"values.auto.tfvars": _people(people)} if people else {}
    return files, own, _modules(blocks)


def _each_once(blocks: Mapping[str, tuple[Block, ...]], parts: list[Part]) -> None:
    addresses = [
        ".".join((block.kind, *block.labels)) for each in blocks.values() for block in each if block.labels
    ]
    outputs = [f"output.{each.name}" for part in parts for each in part.outputs]
    variables = [f"variable.{each.name}" for part in parts for each in part.variables]
    distinct(
        [*addresses, *outputs, *variables],
        "two things of greylag.yaml get this name in Terraform",
        "Give one of the services, tables, databases or secrets that begin like it another name.",
    )


def _modules(blocks: Mapping[str, tuple[Block, ...]]) -> set[str]:
    return {
        str(row.value).rpartition("/")[2]
        for content in blocks.values()
        for block in content
        if block.kind == "module"
        for row in block.body
        if isinstance(row, Set) and row.name == "source"
    }


def _general(stack: Stack) -> list[Variable]:
    return [
        Variable("project", "string", "The project.", slug(stack.project)),
        Variable("environment", "string", "dev, staging or prod.", stack.environment),
        Variable("region", "string", "The region.", stack.infrastructure.region),
        Variable("tags", "map(string)", "Tags on everything.", dict(stack.infrastructure.tags)),
        Variable(
            "deletion_protection",
            "bool",
            "Stores refuse to be deleted. Turn it off in an apply of its own before one that removes a store.",
            True,
        ),
    ]


def _versions(stack: Stack) -> str:
    provider = Block(
        "required_providers", (), (Set("aws", {"source": "hashicorp/aws", "version": PROVIDER}),)
    )
    backend = Block(
        "backend",
        ("s3",),
        (
            Set("key", f"{stack.environment}/terraform.tfstate"),
            Set("region", stack.infrastructure.region),
            Set("use_lockfile", True, "The lock is an object beside the state; no table is needed."),
        ),
        'The bucket is the account\'s own: terraform init -backend-config="bucket=…". ../../bootstrap makes it. It'
        " encrypts with its key; `encrypt` without a kms_key_id would ask for S3's own encryption instead.",
    )
    return document(
        "Pinned, so that everyone's plan is the same.",
        Block("terraform", (), (Set("required_version", TERRAFORM), None, provider, None, backend)),
    )


def _providers() -> str:
    tags = Raw(
        'merge(var.tags, { project = var.project, environment = var.environment, managed-by = "terraform" })'
    )
    block = Block(
        "provider",
        ("aws",),
        (Set("region", Raw("var.region")), None, Block("default_tags", (), (Set("tags", tags),))),
    )
    return document(
        "Credentials come from the environment: a person's sign-in, or the pipeline's role.", block
    )


def _locals(text: str) -> str:
    rows: list[Set | Block | None] = [Set("name", Raw('"${var.project}-${var.environment}"'))]
    data: list[Block | str] = []
    if "local.registry" in text:
        address = '"${data.aws_caller_identity.current.account_id}.dkr.ecr.${var.region}.amazonaws.com/${var.project}"'
        rows.append(Set("registry", Raw(address)))
    if "data.aws_caller_identity" in text or "local.registry" in text:
        data.append(Block("data", ("aws_caller_identity", "current")))
    if "data.aws_partition" in text:
        data.append(Block("data", ("aws_partition", "current")))
    return document("What every name begins with.", *data, Block("locals", (), tuple(rows)))


def _outputs(outputs: list[Output]) -> str:
    return document(
        "terraform output -json | greylag infra outputs - makes lines of .env of these, each by its name in capitals.",
        *(each.block() for each in outputs),
    )


def _values(variables: list[Variable]) -> str:
    head = document("Sizes and names, from greylag.yaml. What is yours alone stands in values.auto.tfvars.")
    spaced = [Set(each.name, each.value) for each in variables if each.by == "project"]
    return head + "\n" + "\n".join(assignments(each) for each in spaced)


def _people(variables: list[Variable]) -> str:
    head = document("Yours: written once, then never touched again. No secrets here.")
    return (
        head
        + "\n"
        + "\n".join(assignments(Set(each.name, each.value, each.description)) for each in variables)
    )


def bootstrap(stacks: list[Stack], modules: Mapping[str, set[str]]) -> dict[str, str]:
    """What an account needs before the first apply: the bucket of the states, the pipeline's roles, registries."""
    first = stacks[0]
    infrastructure = first.infrastructure
    environments = {
        each.environment: {
            "name_prefix": each.name,
            "modules": sorted(modules[each.environment] - {"deploy-identity"}),
            "regions": sorted(
                {
                    each.infrastructure.region,
                    "us-east-1",
                    *each.infrastructure.replicas,
                    *filter(None, [each.infrastructure.backup_copy_to]),
                }
            ),
        }
        for each in stacks
    }
    chosen = "{ for name, each in local.environments : name => each if contains(var.environments, name) }"
    main = document(
        "Applied once for an account, by a person, before anything else. Its own state stays with that person until"
        " the bucket is there: README.md.",
        Block("locals", (), (Set("name", slug(first.project)), Set("environments", environments))),
        module_here(
            "key",
            "key_state",
            Set("name", Raw("local.name")),
            Set("data_class", "state"),
            why="States hold whatever their resources do: whoever may decrypt with this key reads them.",
        ),
        module_here(
            "deploy-identity",
            "deploy_identity",
            Set("name", Raw("local.name")),
            Set("kms_key_arn", Raw("module.key_state.arn")),
            Set("repository", infrastructure.github or "OWNER/REPOSITORY"),
            Set("environments", Raw(chosen)),
            Set("oidc_provider_arn", Raw("var.oidc_provider_arn")),
            why="The pipeline signs in with GitHub's OIDC: no key of AWS is kept anywhere.",
        ),
    )
    variables = document(
        "Which environments this account holds, and what it has already.",
        Block(
            "variable",
            ("environments",),
            (
                Set(
                    "description",
                    "The environments of this account: all of them, or one where each has its own.",
                ),
                Set("type", Raw("set(string)")),
                Set("default", list(ENVIRONMENTS)),
            ),
        ),
        Block(
            "variable",
            ("oidc_provider_arn",),
            (
                Set("description", "GitHub's OIDC provider, where the account has one already."),
                Set("type", Raw("string")),
                Set("default", None),
            ),
        ),
    )
    outputs = document(
        "What the repository's settings need: README.md says where each goes.",
        *(
            Block(
                "output",
                (name,),
                (Set("description", text), Set("value", Raw(f"module.deploy_identity.{name}"))),
            )
            for name, text in (
                ("state_bucket_name", "The bucket of the states: variable STATE_BUCKET."),
                ("plan_role_arn", "The role of pull requests: variable PLAN_ROLE_ARN."),
                (
                    "apply_role_arns",
                    "The roles that apply: variable APPLY_ROLE_ARN of each GitHub environment.",
                ),
            )
        ),
    )
    provider = Block(
        "required_providers", (), (Set("aws", {"source": "hashicorp/aws", "version": PROVIDER}),)
    )
    files = {
        "main.tf": main,
        "variables.tf": variables,
        "outputs.tf": outputs,
        "versions.tf": document(Block("terraform", (), (Set("required_version", TERRAFORM), None, provider))),
        "providers.tf": document(
            Block(
                "provider",
                ("aws",),
                (
                    Set("region", infrastructure.region),
                    None,
                    Block(
                        "default_tags",
                        (),
                        (Set("tags", {"project": slug(first.project), "managed-by": "terraform"}),),
                    ),
                ),
            )
        ),
    }
    images = sorted({image for each in stacks for image in each.images})
    if images:
        files["ecr.tf"] = _registries(stacks, images)
    if any(each.tables for each in stacks):
        files["tables.tf"] = _own_names(stacks)
    if any("data.aws_caller_identity" in text for text in files.values()):
        files["account.tf"] = document(
            "The account this is applied to.",
            Block("data", ("aws_caller_identity", "current")),
            Block("data", ("aws_partition", "current")),
        )
    return files


_TABLE_ACTIONS = (
    "CreateTable",
    "CreateTableReplica",
    "DeleteTable",
    "DeleteTableReplica",
    "DescribeContinuousBackups",
    "DescribeTable",
    "DescribeTableReplicaAutoScaling",
    "DescribeTimeToLive",
    "ListTagsOfResource",
    "TagResource",
    "UntagResource",
    "UpdateContinuousBackups",
    "UpdateTable",
    "UpdateTableReplicaAutoScaling",
    "UpdateTimeToLive",
)
# A global table's first copies are made with these, in the caller's name.
# Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_reqs_bestpractices.html
_REPLICA_ACTIONS = ("BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem")


def _own_names(stacks: list[Stack]) -> str:
    """What the pipeline's roles need for tables: they have the names flows write, not the environment's prefix."""
    names: dict[str, Value] = {each.environment: sorted(each.tables) for each in stacks}
    replicated = any(each.infrastructure.replicas for each in stacks)
    actions = sorted((*_TABLE_ACTIONS, *(_REPLICA_ACTIONS if replicated else ())))
    account = "arn:${data.aws_partition.current.partition}:dynamodb:*:${data.aws_caller_identity.current.account_id}"
    arns = f'[for table in local.tables[each.key] : "{account}:table/${{table}}"]'
    statement: Value = {
        "Effect": "Allow",
        "Action": [f"dynamodb:{action}" for action in actions],
        "Resource": Raw(arns),
    }
    policy = f"jsonencode({expression({'Version': '2012-10-17', 'Statement': [statement]}, 2)})"
    return document(
        "Tables have the names that greylag.yaml's flows write, without the prefix that bounds the pipeline's roles.",
        Block("locals", (), (Set("tables", names),)),
        Block(
            "resource",
            ("aws_iam_role_policy", "tables"),
            (
                Set("for_each", Raw("module.deploy_identity.apply_role_arns")),
                None,
                Set("name", "tables-by-name"),
                Set("role", Raw(_ROLE)),
                Set("policy", Raw(policy)),
            ),
        ),
    )


_ROLE = 'element(split("/", each.value), length(split("/", each.value)) - 1)'


def module_here(kind: str, name: str, *rows: Set | Block | None, why: str = "") -> Block:
    """A module's call from bootstrap, one folder nearer."""
    called = module(kind, name, *rows, why=why)
    return Block("module", called.labels, (Set("source", f"../modules/{kind}"), *called.body[1:]), why)


def _registries(stacks: list[Stack], images: list[str]) -> str:
    prefix = slug(stacks[0].project)
    keep = (
        'jsonencode({ rules = [{ rulePriority = 1, description = "Keep the newest 100", action = { type = "expire" },'
        ' selection = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 100 } }] })'
    )
    return document(
        "Registries: an image is built once and goes from staging to prod as it is.",
        Block(
            "resource",
            ("aws_ecr_repository", "this"),
            (
                Set(
                    "for_each",
                    Raw(f"toset([{', '.join(chr(34) + slug(image) + chr(34) for image in images)}])"),
                ),
                None,
                Set("name", Raw(f'"{prefix}/${{each.key}}"')),
                Set("image_tag_mutability", "IMMUTABLE", "A tag is a commit: what it names never changes."),
                None,
                Block("image_scanning_configuration", (), (Set("scan_on_push", True),)),
                None,
                Block(
                    "encryption_configuration",
                    (),
                    (Set("encryption_type", "KMS"), Set("kms_key", Raw("module.key_state.arn"))),
                ),
            ),
        ),
        Block(
            "resource",
            ("aws_ecr_lifecycle_policy", "this"),
            (
                Set("for_each", Raw("aws_ecr_repository.this")),
                None,
                Set("repository", Raw("each.value.name")),
                Set("policy", Raw(keep)),
            ),
        ),
        *_functions_pull(stacks),
        _push(),
    )


def _functions_pull(stacks: list[Stack]) -> list[Block]:
    """Lambda reads images in its own name; without this the first apply of a function from an image fails.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#gettingstarted-images-permissions
    """
    names = sorted(
        {slug(run.image) for each in stacks for _, run in each.functions if run.image in each.images}
    )
    if not names:
        return []
    account = "${data.aws_caller_identity.current.account_id}"
    arn = f"arn:${{data.aws_partition.current.partition}}:lambda:*:{account}:function:*"
    statement: Value = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        "Condition": {"ArnLike": {"aws:SourceArn": Raw(f'"{arn}"')}},
    }
    policy = f"jsonencode({expression({'Version': '2012-10-17', 'Statement': [statement]}, 2)})"
    return [
        Block(
            "resource",
            ("aws_ecr_repository_policy", "functions"),
            (
                Set("for_each", Raw(f"toset([{', '.join(chr(34) + name + chr(34) for name in names)}])")),
                None,
                Set("repository", Raw("aws_ecr_repository.this[each.key].name")),
                Set("policy", Raw(policy)),
            ),
            "Functions of this account are made of these images.",
        )
    ]


def _push() -> Block:
    statements: list[Value] = [
        {
            "Effect": "Allow",
            "Action": [
                f"ecr:{action}"
                for action in (
                    "BatchCheckLayerAvailability",
                    "BatchGetImage",
                    "CompleteLayerUpload",
                    "DescribeImages",
                    "GetDownloadUrlForLayer",
                    "InitiateLayerUpload",
                    "PutImage",
                    "UploadLayerPart",
                )
            ],
            "Resource": Raw("[for repository in aws_ecr_repository.this : repository.arn]"),
        },
        {"Effect": "Allow", "Action": ["ecr:GetAuthorizationToken"], "Resource": ["*"]},
    ]
    policy = f"jsonencode({expression({'Version': '2012-10-17', 'Statement': statements}, 2)})"
    return Block(
        "resource",
        ("aws_iam_role_policy", "push"),
        (
            Set("for_each", Raw("module.deploy_identity.apply_role_arns")),
            None,
            Set("name", "push-images"),
            Set("role", Raw(_ROLE)),
            Set(
                "policy",
                Raw(policy),
                "checkov:skip=CKV_AWS_355:a sign-in token belongs to no repository",
            ),
        ),
        "The pipeline pushes images with the roles that apply.",
    )
