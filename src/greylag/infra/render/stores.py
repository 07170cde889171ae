"""What holds data: tables, databases, caches, buckets, and the keys that encrypt them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.errors import ConfigurationError
from greylag.infra.render.access import cache_user
from greylag.infra.render.hcl import Block, Raw, Set
from greylag.infra.render.parts import Output, Part, Variable, module, sized, sizes
from greylag.infra.render.stack import label, slug

if TYPE_CHECKING:
    from greylag.core.flows import TableSpec
    from greylag.infra.render.hcl import Value
    from greylag.infra.render.stack import Stack

NAME = Raw("local.name")
MAX_USER = 40
"""Of a cache's user id: environment, service and user together (cache/variables.tf)."""
PROTECT = Set("deletion_protection", Raw("var.deletion_protection"))


def key_arn(data_class: str) -> Set:
    """The key of a class of data, as modules take it."""
    return Set("kms_key_arn", Raw(f"module.key_{data_class}.arn"))


def named(service: str) -> Set:
    """The name of what belongs to one service or database."""
    return Set("name", Raw(f'"${{local.name}}-{slug(service)}"'))


def keys(stack: Stack, classes: set[str]) -> Part:
    """One KMS key for each class of data: access to one can be cut without touching another."""
    regions = sorted({*stack.infrastructure.replicas, *filter(None, [stack.infrastructure.backup_copy_to])})
    services = {
        "tables": [],
        "databases": ["logs"],
        "caches": ["logs"],
        "messages": [],
        "files": ["cloudfront", "delivery.logs", "logs", "s3"],
        "programs": ["logs"],
        "operations": [
            "backup",
            "budgets",
            "cloudtrail",
            "cloudwatch",
            "config",
            "delivery.logs",
            "events",
            "logs",
            "sns",
        ],
    }
    why = {
        "tables": "Tables, their indexes, streams and backups.",
        "databases": "Databases, their backups, secrets and logs.",
        "caches": "Caches and their logs.",
        "messages": "Messages in queues.",
        "files": "Objects in buckets; CloudFront decrypts what it serves.",
        "programs": "Environment variables, secrets and logs of programs.",
        "operations": "Flow logs, alarms, trails and the backup vault.",
    }
    blocks = []
    for each in sorted(classes):
        elsewhere = regions if each in ("tables", "operations") else []
        rows: list[Set | Block | None] = [
            Set("name", NAME),
            Set("data_class", each),
            Set("services", services[each]),
        ]
        if elsewhere:
            rows += [Set("multi_region", True), Set("replica_regions", elsewhere)]
        blocks.append(module("key", f"key_{each}", *rows, why=why[each]))
    return Part({"kms.tf": tuple(blocks)})


def tables(stack: Stack) -> Part:
    """Every table of the project's flows and `tables:`, and of caches that are tables."""
    if not stack.tables and not stack.cache_tables:
        return Part()
    rows: dict[str, Value] = {slug(name): _table(stack, table) for name, table in stack.tables.items()}
    for service in stack.cache_tables:
        rows[f"{slug(service)}-cache"] = {
            "hash_key": "key",
            "attributes": {"key": "S"},
            "ttl": "expires",
            "pitr": False,
            "deletion_protection": Raw("var.deletion_protection"),
        }
    called = module(
        "dynamodb",
        "dynamodb",
        Set("name", NAME),
        key_arn("tables"),
        None,
        Set("tables", rows),
        why="Keys, indexes, types and TTL are those of greylag.yaml. The streams let changes flow back to the old"
        " store after a cutover, so that a rollback loses nothing.",
    )
    outputs = [
        Output(
            f"table_{label(name)}",
            f"Name of the table {name}.",
            Raw(f'module.dynamodb.names["{slug(name)}"]'),
        )
        for name in stack.tables
    ]
    return Part({"dynamodb.tf": (called,)}, outputs=tuple(outputs))


def _table(stack: Stack, table: TableSpec) -> Value:
    names = dict.fromkeys([*table.key, *(each for index in table.indexes.values() for each in index)])
    row: dict[str, Value] = {"table_name": table.ref.dataset, "hash_key": table.key[0]}
    if len(table.key) > 1:
        row["range_key"] = table.key[1]
    row["attributes"] = {each: table.key_types[each] for each in names}
    if table.indexes:
        row["indexes"] = {
            name: dict(zip(("hash_key", "range_key"), attributes, strict=False))
            for name, attributes in table.indexes.items()
        }
    if table.ttl_attribute is not None:
        row["ttl"] = table.ttl_attribute
    row["stream"] = "NEW_AND_OLD_IMAGES"
    row["deletion_protection"] = Raw("var.deletion_protection")
    if stack.infrastructure.replicas:
        row["replicas"] = {
            region: {"kms_key_arn": Raw(f'module.key_tables.replica_arns["{region}"]')}
            for region in stack.infrastructure.replicas
        }
    return row


def _place(data_class: str) -> list[Set | Block | None]:
    return [
        key_arn(data_class),
        Set("vpc_id", Raw("module.network.vpc_id")),
        Set("subnet_ids", Raw("module.network.data_subnet_ids")),
    ]


def _clients(stack: Stack, kind: str, name: str) -> Value:
    """The security groups that may connect: a container's own, and the one that functions share."""
    users = [user for user in stack.users_of(kind, name) if stack.in_network(user)]
    containers = {user for user, _ in stack.containers}
    groups: dict[str, Value] = {
        slug(user): Raw(f"module.service_{label(user)}.security_group_id")
        for user in users
        if user in containers
    }
    if any(user not in containers for user in users):
        groups["functions"] = Raw("module.network.workload_security_group_id")
    return groups


def postgres(stack: Stack) -> Part:
    """RDS for PostgreSQL, with a proxy where the project asks for one."""
    blocks: list[Block] = []
    values: dict[str, dict[str, Value]] = {}
    outputs: list[Output] = []
    for each in stack.postgres:
        name, own = label(each.name), f'var.postgres["{each.name}"]'
        users = stack.users_of("databases", each.name)
        values[each.name] = {
            "engine_version": each.version,
            "instance_class": each.instance,
            "allocated_storage": each.storage_gb,
            "max_allocated_storage": max(each.max_storage_gb, -(-each.storage_gb * 11 // 10)),
            "multi_az": each.multi_az,
            "read_replicas": each.replicas,
            "backup_retention_days": each.backup_days,
        }
        clients = {} if each.proxy else _clients(stack, "databases", each.name)
        rows: list[Set | Block | None] = [
            named(each.name),
            *_place("databases"),
            Set(
                "client_security_group_ids",
                clients,
                "Only the proxy, which adds its own rule." if each.proxy else "",
            ),
            None,
            Set("database_name", name),
            Set("engine_version", Raw(f"{own}.engine_version")),
            Set("instance_class", Raw(f"{own}.instance_class")),
            Set("allocated_storage", Raw(f"{own}.allocated_storage")),
            Set("max_allocated_storage", Raw(f"{own}.max_allocated_storage")),
            Set("multi_az", Raw(f"{own}.multi_az")),
            Set(
                "read_replicas",
                Raw(f'{{ for number in range({own}.read_replicas) : "r${{number + 1}}" => {{}} }}'),
            ),
            Set("backup_retention_days", Raw(f"{own}.backup_retention_days")),
            PROTECT,
        ]
        if each.logical_replication:
            rows.append(Set("logical_replication", {}, "Following changes reads a replication slot."))
        blocks.append(module("rds-postgres", f"database_{name}", *rows))
        if each.proxy:
            if not users:
                raise ConfigurationError(
                    f"database {each.name} has a proxy, but no service uses it",
                    advice=f"Name it under `run.uses.databases` of a service: [{each.name}].",
                )
            blocks.append(
                module(
                    "rds-proxy",
                    f"proxy_{name}",
                    named(each.name),
                    *_place("databases"),
                    Set("client_security_group_ids", _clients(stack, "databases", each.name)),
                    None,
                    Set("db_instance_identifier", Raw(f"module.database_{name}.name")),
                    Set("db_security_group_id", Raw(f"module.database_{name}.security_group_id")),
                    Set("port", Raw(f"module.database_{name}.port")),
                    Set(
                        "secret_arns",
                        {
                            slug(user): Raw(f"aws_secretsmanager_secret.{label(user)}_{name}.arn")
                            for user in users
                        },
                        "One user of the database for each service: its name and password stand in a secret.",
                    ),
                    why="A function's copies open a connection each: the proxy keeps them under the database's limit.",
                )
            )
        host = f"module.proxy_{name}.endpoint" if each.proxy else f"module.database_{name}.endpoint"
        outputs += [
            Output(f"{name}_host", f"Where {each.name} answers.", Raw(host)),
            Output(f"{name}_port", "Its port.", Raw(f"module.database_{name}.port")),
        ]
    if not blocks:
        return Part()
    variables = (
        sizes(
            "postgres",
            "Sizes of the PostgreSQL databases, by name.",
            values,
            engine_version="string",
            instance_class="string",
            allocated_storage="number",
            max_allocated_storage="number",
            multi_az="bool",
            read_replicas="number",
            backup_retention_days="number",
        ),
    )
    return Part({"rds.tf": tuple(blocks)}, variables, tuple(outputs))


def documentdb(stack: Stack) -> Part:
    """DocumentDB clusters."""
    blocks: list[Block] = []
    values: dict[str, dict[str, Value]] = {}
    outputs: list[Output] = []
    for each in stack.documentdb:
        name = label(each.name)
        capacity = None
        if each.serverless is not None:
            capacity = {"min_capacity": each.serverless[0], "max_capacity": each.serverless[1]}
        values[each.name] = {
            "engine_version": each.version,
            "serverless": capacity,
            "instance_class": each.instance,
            "instance_count": 1 + each.replicas + (1 if each.multi_az else 0),
            "backup_retention_days": max(each.backup_days, 7),
        }
        blocks.append(
            module(
                "documentdb",
                f"database_{name}",
                named(each.name),
                *_place("databases"),
                Set("client_security_group_ids", _clients(stack, "databases", each.name)),
                None,
                *sized("documentdb", each.name, values[each.name]),
                PROTECT,
            )
        )
        outputs += [
            Output(f"{name}_host", f"Where {each.name} answers.", Raw(f"module.database_{name}.endpoint")),
            Output(f"{name}_port", "Its port.", Raw(f"module.database_{name}.port")),
        ]
    if not blocks:
        return Part()
    variables = (
        sizes(
            "documentdb",
            "Sizes of the DocumentDB clusters, by name.",
            values,
            engine_version="string",
            serverless="object({ min_capacity = number, max_capacity = number })",
            instance_class="string",
            instance_count="number",
            backup_retention_days="number",
        ),
    )
    return Part({"documentdb.tf": tuple(blocks)}, variables, tuple(outputs))


def caches(stack: Stack) -> Part:
    """ElastiCache."""
    blocks: list[Block] = []
    values: dict[str, dict[str, Value]] = {}
    outputs: list[Output] = []
    for service, cache in stack.caches:
        name = label(service)
        serverless = {"max_storage_gb": cache.max_gb, "max_ecpu_per_second": 5000}
        values[service] = {
            "engine": cache.engine,
            "serverless": serverless if cache.node is None else None,
            "node_type": cache.node or "cache.t4g.small",
            "replicas_per_shard": cache.replicas,
        }
        users = [cache_user(user) for user in stack.users_of("caches", service)] or [cache_user(service)]
        for user in users:
            longest = f"{slug(stack.project)}-staging-{slug(service)}-{user}"
            if len(longest) > MAX_USER:
                raise ConfigurationError(
                    f"the user {longest} of the cache of {service} is longer than {MAX_USER} characters",
                    advice="Give the project, or one of the two services, a shorter name.",
                )
        blocks.append(
            module(
                "cache",
                f"cache_{name}",
                named(service),
                *_place("caches"),
                Set("client_security_group_ids", _clients(stack, "caches", service)),
                None,
                *sized("caches", service, values[service]),
                None,
                Set("users", {user: {} for user in users}, "They sign in with IAM: no password is anywhere."),
            )
        )
        outputs += [
            Output(f"{name}_cache_host", f"The cache of {service}.", Raw(f"module.cache_{name}.endpoint")),
            Output(f"{name}_cache_port", "Its port.", Raw(f"module.cache_{name}.port")),
        ]
    if not blocks:
        return Part()
    variables = (
        sizes(
            "caches",
            "Caches, by the service they belong to.",
            values,
            engine="string",
            serverless="object({ max_storage_gb = number, max_ecpu_per_second = number })",
            node_type="string",
            replicas_per_shard="number",
        ),
    )
    return Part({"cache.tf": tuple(blocks)}, variables, tuple(outputs))


def buckets(stack: Stack) -> Part:
    """Buckets, with CloudFront in front where readers need one."""
    blocks: list[Block] = []
    variables: list[Variable] = []
    outputs: list[Output] = []
    for service, assets in stack.assets:
        name = label(service)
        rows: list[Set | Block | None] = [
            named(service),
            key_arn("files"),
            None,
            Set("cdn", assets.cloudfront),
        ]
        if assets.bucket is not None:
            rows.append(Set("bucket_name", Raw(f'"${{local.name}}-{assets.bucket}"')))
        rows.append(Set("noncurrent_days", assets.old_versions_after_days))
        if assets.cors:
            rows.append(Set("cors_origins", list(assets.cors)))
        if assets.archive_after_days is not None:
            rows.append(
                Set("transitions", [{"days": assets.archive_after_days, "storage_class": "STANDARD_IA"}])
            )
        if assets.expire_after_days:
            expiring: Value = [
                {"prefix": prefix, "days": days} for prefix, days in assets.expire_after_days.items()
            ]
            rows.append(Set("expirations", expiring))
        if assets.signed_urls:
            variables.append(
                Variable(
                    f"{name}_signing_public_keys",
                    "map(string)",
                    f"Public keys (PEM) that may sign addresses of {service}'s objects. Never private ones.",
                    {},
                    by="person",
                    required="Without a key everybody could read the objects: give one public key or more.",
                )
            )
            rows.append(Set("signing_public_keys", Raw(f"var.{name}_signing_public_keys")))
        if assets.domain is not None:
            rows.append(
                Set(
                    "domain",
                    {
                        "names": [stack.hosts[f"{service}-assets"]],
                        "certificate_arn": Raw(
                            f"aws_acm_certificate_validation.{name}_assets.certificate_arn"
                        ),
                        "zone_id": Raw("data.aws_route53_zone.this.zone_id"),
                    },
                )
            )
        blocks.append(module("assets", f"assets_{name}", *rows))
        outputs.append(
            Output(
                f"{name}_assets_bucket", f"The bucket of {service}.", Raw(f"module.assets_{name}.bucket_name")
            )
        )
        if assets.cloudfront:
            outputs.append(
                Output(
                    f"{name}_assets_url",
                    f"Where {service}'s objects are read.",
                    Raw(f"module.assets_{name}.url"),
                )
            )
    if not blocks:
        return Part()
    return Part({"s3.tf": tuple(blocks)}, tuple(variables), tuple(outputs))
