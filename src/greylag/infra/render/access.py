"""What a service's program may do: exactly its tables, queue, bucket, cache, databases and secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.infra.render.hcl import Raw
from greylag.infra.render.stack import label, slug

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from greylag.core.services import RunSpec
    from greylag.infra.render.hcl import Value
    from greylag.infra.render.stack import Stack

_TABLE_READ = ("BatchGetItem", "ConditionCheckItem", "DescribeTable", "GetItem", "Query", "Scan")
_TABLE_WRITE = (*_TABLE_READ, "BatchWriteItem", "DeleteItem", "PutItem", "UpdateItem")
_SEND = ("GetQueueAttributes", "GetQueueUrl", "SendMessage")
_RECEIVE = ("ChangeMessageVisibility", "DeleteMessage", "ReceiveMessage")
_OBJECT_READ = ("GetObject",)
_OBJECT_WRITE = ("AbortMultipartUpload", "DeleteObject", "GetObject", "PutObject")


def statements(stack: Stack, service: str) -> list[Value]:
    """The policy of the service's program, statement by statement; no action and no resource is a wildcard."""
    run = stack.services[service].run
    assert run is not None
    policy = _Policy()
    _tables(policy, stack, service, run)
    _queues(policy, stack, service, run)
    _objects(policy, stack, service, run)
    _connections(policy, stack, service, run)
    read = secrets(stack, service)
    if read and run.kind == "function":
        policy.allow(
            "ReadSecrets",
            "secretsmanager",
            ["GetSecretValue"],
            [Raw(f"{each}.arn") for each in read],
            "programs",
        )
    if any(name == service and api.websocket for name, api in stack.apis):
        sending = f'"${{module.websocket_{label(service)}.execution_arn}}/live/POST/@connections/*"'
        policy.allow("SendToConnections", "execute-api", ["ManageConnections"], [Raw(sending)])
    return [*policy.statements, *policy.keys()]


class _Policy:
    """Statements, and the keys that what they allow is encrypted with."""

    def __init__(self) -> None:
        self.statements: list[Value] = []
        self._services: dict[str, set[str]] = {}

    def allow(
        self,
        sid: str,
        service: str,
        actions: Sequence[str],
        resources: Sequence[Value] | Raw,
        data_class: str = "",
    ) -> None:
        """Let it do `actions` of `service` with `resources`, which the key of `data_class` encrypts."""
        named = [f"{service}:{action}" for action in sorted(actions)]
        self.statements.append({"sid": sid, "actions": named, "resources": resources})
        if data_class:
            self._services.setdefault(data_class, set()).add(service)

    def keys(self) -> Iterator[Value]:
        """A statement for each key: only through the service that stores, never by itself."""
        for data_class, services in sorted(self._services.items()):
            through = [Raw(f'"{each}.${{var.region}}.amazonaws.com"') for each in sorted(services)]
            condition: Value = {"test": "StringEquals", "variable": "kms:ViaService", "values": through}
            yield {
                "sid": f"Key{data_class.capitalize()}",
                "actions": ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
                "resources": [Raw(f"module.key_{data_class}.arn")],
                "conditions": [condition],
            }


def _tables(policy: _Policy, stack: Stack, service: str, run: RunSpec) -> None:
    may = {slug(name): access for name, access in stack.tables_of(service).items()}
    may |= {f"{slug(each)}-cache": "write" for each in stack.cache_tables if each in (service, *run.caches)}
    for access, actions in (("read", _TABLE_READ), ("write", _TABLE_WRITE)):
        names = [name for name in may if may[name] == access]
        if names:
            arns = [f'[module.dynamodb.arns["{each}"]]' for each in names]
            indexes = [f'module.dynamodb.index_arns["{each}"]' for each in names]
            resources = Raw(f"concat({', '.join([*arns, *indexes])})")
            policy.allow(f"{access.capitalize()}Tables", "dynamodb", actions, resources, "tables")


def _queues(policy: _Policy, stack: Stack, service: str, run: RunSpec) -> None:
    for queue, _ in stack.queues:
        if service in stack.users_of("queues", queue):
            # A function's messages are received for it, by the event source the module grants.
            receives = queue == service and run.kind == "container"
            arn = Raw(f"module.queue_{label(queue)}.queue_arn")
            policy.allow(
                f"Queue{_camel(queue)}", "sqs", (*_SEND, *_RECEIVE) if receives else _SEND, [arn], "messages"
            )


def _objects(policy: _Policy, stack: Stack, service: str, run: RunSpec) -> None:
    for bucket, _ in stack.assets:
        if service in stack.users_of("assets", bucket):
            writes = bucket == service or run.assets[bucket] == "write"
            arn = f"module.assets_{label(bucket)}.bucket_arn"
            objects = Raw(f'"${{{arn}}}/*"')
            policy.allow(
                f"Objects{_camel(bucket)}",
                "s3",
                _OBJECT_WRITE if writes else _OBJECT_READ,
                [objects],
                "files",
            )
            policy.allow(f"List{_camel(bucket)}", "s3", ["ListBucket"], [Raw(arn)])


def _connections(policy: _Policy, stack: Stack, service: str, run: RunSpec) -> None:
    for cache, _ in stack.caches:
        if service in stack.users_of("caches", cache):
            made = f"module.cache_{label(cache)}"
            user = Raw(f'{made}.user_arns["{cache_user(service)}"]')
            policy.allow(f"Cache{_camel(cache)}", "elasticache", ["Connect"], [Raw(f"{made}.arn"), user])
    for name in run.databases:
        database = stack.infrastructure.databases[name]
        if database.kind == "postgres":
            kind = "proxy" if database.proxy else "database"
            user = Raw(
                '"arn:${data.aws_partition.current.partition}:rds-db:${var.region}:'
                "${data.aws_caller_identity.current.account_id}:dbuser:"
                f'${{module.{kind}_{label(name)}.resource_id}}/{label(service)}"'
            )
            policy.allow(f"SignIn{_camel(name)}", "rds-db", ["connect"], [user])


def secrets(stack: Stack, service: str) -> list[str]:
    """Addresses of the secrets the program itself reads: its own, and where DocumentDB is."""
    run = stack.services[service].run
    assert run is not None
    documents = {each.name for each in stack.documentdb}
    names = [*run.secrets, *(each for each in run.databases if each in documents)]
    return [f"aws_secretsmanager_secret.{label(service)}_{label(each)}" for each in names]


def cache_user(service: str) -> str:
    """The user a service signs in to caches as: at most 20 characters (cache/variables.tf)."""
    return slug(service)[:20].rstrip("-")


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in label(name).split("_"))
