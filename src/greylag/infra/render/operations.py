"""What watches and keeps: the network they stand in, alarms, backups, trails."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING

from greylag.infra.render.hcl import Block, Raw, Set, expression
from greylag.infra.render.parts import Part, Variable, module
from greylag.infra.render.stack import label, slug
from greylag.infra.render.stores import NAME, key_arn

if TYPE_CHECKING:
    from greylag.infra.render.hcl import Value
    from greylag.infra.render.stack import Stack

_MEMORY_GIB = {"micro": 1, "small": 2, "medium": 4, "large": 8, "xlarge": 16}
_BYTES_PER_CONNECTION = 9_531_392
"""PostgreSQL on RDS takes LEAST({DBInstanceClassMemory/9531392}, 5000) connections.

Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html
"""
_DOCUMENTDB_CONNECTIONS = {
    "medium": 1000,
    "large": 3400,
    "xlarge": 7000,
    "2xlarge": 14_200,
    "4xlarge": 28_400,
}
"""Source: https://docs.aws.amazon.com/documentdb/latest/developerguide/limits.html"""


def network(stack: Stack) -> Part:
    """The VPC."""
    if not stack.needs_network:
        return Part()
    infrastructure = stack.infrastructure
    endpoints = (
        ["ecr.api", "ecr.dkr", "logs", "secretsmanager", "sqs"] if infrastructure.nat == "none" else []
    )
    values: Value = {
        "cidr": infrastructure.cidr,
        "zone_count": infrastructure.zones,
        "nat": infrastructure.nat,
        "interface_endpoints": endpoints,
    }
    shape = "object({ cidr = string, zone_count = number, nat = string, interface_endpoints = set(string) })"
    block = module(
        "network",
        "network",
        Set("name", NAME),
        key_arn("operations"),
        None,
        Set("cidr", Raw("var.network.cidr")),
        Set("zone_count", Raw("var.network.zone_count")),
        Set("nat", Raw("var.network.nat")),
        Set("interface_endpoints", Raw("var.network.interface_endpoints")),
        why="Public subnets hold load balancers and NAT, private ones programs, data subnets stores without a way out.",
    )
    return Part(
        {"vpc.tf": (block,)}, (Variable("network", shape, "Addresses, zones, and the way out.", values),)
    )


def backup(stack: Stack) -> Part:
    """AWS Backup of tables, databases and buckets, by their ARNs."""
    infrastructure = stack.infrastructure
    if infrastructure.backup_keep_days is None:
        return Part()
    arns = [f'module.dynamodb.arns["{slug(name)}"]' for name in stack.tables]
    arns += [f"module.database_{label(name)}.arn" for name in infrastructure.databases]
    arns += [f"module.assets_{label(name)}.bucket_arn" for name, _ in stack.assets]
    if not arns:
        return Part()
    rule: Value = {"schedule": "cron(0 5 * * ? *)", "delete_after_days": Raw("var.backup_keep_days")}
    rows: list[Set | Block | None] = [
        Set("name", NAME),
        key_arn("operations"),
        None,
        Set("rules", {"daily": rule}),
        Set("resource_arns", [Raw(arn) for arn in arns]),
        Set("notifications", {"topic_arn": Raw("module.monitoring.topic_arn")}),
    ]
    if stack.assets:
        rows.append(Set("include_s3", True))
    region = infrastructure.backup_copy_to
    if region is not None:
        copy: Value = {
            "region": region,
            "kms_key_arn": Raw(f'module.key_operations.replica_arns["{region}"]'),
        }
        rows.append(Set("copy_to", copy, "A copy survives the loss of the region."))
    variable = Variable(
        "backup_keep_days", "number", "How long a daily backup is kept.", infrastructure.backup_keep_days
    )
    return Part({"backup.tf": (module("backup", "backup", *rows),)}, (variable,))


def audit(stack: Stack) -> Part:
    """CloudTrail and Config."""
    if not stack.infrastructure.audit:
        return Part()
    block = module(
        "audit",
        "audit",
        Set("name", NAME),
        key_arn("operations"),
        why="Once for an account: where several environments share one, leave it in one of them.",
    )
    return Part({"audit.tf": (block,)})


def monitoring(stack: Stack) -> Part:
    """Alarms and dashboards over everything that is here."""
    infrastructure = stack.infrastructure
    rows: list[Set | Block | None] = [
        Set("name", NAME),
        key_arn("operations"),
        None,
        Set("emails", Raw("compact([var.alarm_email])")) if infrastructure.alarm_email is not None else None,
        Set("monthly_budget_usd", Raw("var.monthly_budget_usd")),
        Set(
            "budget_tag",
            {"key": "project", "value": Raw("var.project")},
            "Activate the tag in the billing console.",
        ),
    ]
    watched: list[tuple[str, dict[str, Value] | Raw]] = [
        ("tables", _tables(stack)),
        ("databases", _databases(stack)),
        ("documentdb_clusters", _clusters(stack)),
        ("proxies", _proxies(stack)),
        (
            "functions",
            {
                slug(name): _of(name, function_name=f"module.function_{label(name)}.function_name")
                for name, _ in stack.functions
            },
        ),
        ("http_apis", _apis(stack)),
        (
            "websocket_apis",
            {
                slug(name): _of(
                    name,
                    api_id=f"module.websocket_{label(name)}.api_id",
                    stage=f"module.websocket_{label(name)}.stage_name",
                )
                for name, api in stack.apis
                if api.websocket
            },
        ),
        ("load_balancers", _load_balancers(stack)),
        (
            "buckets",
            {
                slug(name): _of(name, bucket_name=f"module.assets_{label(name)}.bucket_name")
                for name, _ in stack.assets
            },
        ),
        ("caches", _caches(stack)),
        (
            "queues",
            {
                slug(name): _of(
                    name,
                    queue_name=f"module.queue_{label(name)}.queue_name",
                    dead_letter_name=f"module.queue_{label(name)}.dead_letter_name",
                )
                for name, _ in stack.queues
            },
        ),
    ]
    for name, entries in watched:
        if entries:
            rows += [None, Set(name, entries)]
    cleaned = [
        row for place, row in enumerate(rows) if row is not None or (place and rows[place - 1] is not None)
    ]
    variables = [
        Variable(
            "monthly_budget_usd",
            "number",
            "Spending that is told when it is near.",
            infrastructure.monthly_budget_usd,
        )
    ]
    if infrastructure.alarm_email is not None:
        variables.append(
            Variable(
                "alarm_email",
                "string",
                f"Who is told. The pipeline gives it from {infrastructure.alarm_email}; empty tells nobody.",
                by="pipeline",
                default="",
            )
        )
    return Part({"monitoring.tf": (module("monitoring", "monitoring", *cleaned),)}, tuple(variables))


def _of(service: str, **values: str) -> Value:
    return {"service": slug(service), **{name: Raw(value) for name, value in values.items()}}


def _tables(stack: Stack) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name in [*map(slug, stack.tables), *(f"{slug(each)}-cache" for each in stack.cache_tables)]:
        row: dict[str, Value] = {
            "table_name": Raw(f'module.dynamodb.names["{name}"]'),
            "indexes": Raw(f'module.dynamodb.index_names["{name}"]'),
        }
        writers = sorted(
            {
                service
                for table, services in stack.writers.items()
                if slug(table) == name
                for service in services
            }
        )
        if len(writers) == 1:
            row = {"service": slug(writers[0]), **row}
        if stack.infrastructure.replicas and not name.endswith("-cache"):
            row["replica_regions"] = list(stack.infrastructure.replicas)
        found[name] = row
    return found


def _databases(stack: Stack) -> dict[str, Value] | Raw:
    """The primaries, and the read replicas of those that have some: their number is a value of terraform.tfvars."""
    found: dict[str, Value] = {}
    replicas: list[str] = []
    for each in stack.postgres:
        made = f"module.database_{label(each.name)}"
        size = each.instance.rpartition(".")[2]
        multiple = int(size.removesuffix("xlarge") or "1") if size.endswith("xlarge") else 0
        memory = 16 * multiple if multiple else _MEMORY_GIB.get(size, 2)
        limits: dict[str, Value] = {
            "max_connections": min(floor(memory * 2**30 / _BYTES_PER_CONNECTION), 5000),
            "storage_gb": Raw(f"{made}.allocated_storage"),
        }
        found[slug(each.name)] = {"identifier": Raw(f"{made}.name"), **limits}
        if each.replicas:
            replica = expression({"identifier": Raw("name"), **limits, "replica": True}, 4)
            key = f'"{slug(each.name)}-${{suffix}}"'
            replicas.append(f"{{ for suffix, name in {made}.replica_names : {key} => {replica} }}")
    if not replicas:
        return found
    lines = "".join(f"    {each},\n" for each in (expression(found, 4), *replicas))
    return Raw(f"merge(\n{lines}  )")


def _clusters(stack: Stack) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for each in stack.documentdb:
        made = f"module.database_{label(each.name)}"
        size = each.instance.rpartition(".")[2]
        found[slug(each.name)] = {
            "identifier": Raw(f"{made}.name"),
            "instance_ids": Raw(f"{made}.instance_ids"),
            "max_connections": _DOCUMENTDB_CONNECTIONS.get(size, 1000),
        }
    return found


def _proxies(stack: Stack) -> dict[str, Value]:
    return {
        slug(each.name): {"proxy_name": Raw(f"module.proxy_{label(each.name)}.name")}
        for each in stack.postgres
        if each.proxy
    }


def _apis(stack: Stack) -> dict[str, Value]:
    containers = {name for name, _ in stack.containers}
    return {
        slug(name): _of(
            name, api_id=f"module.api_{label(name)}.api_id", stage=f"module.api_{label(name)}.stage_name"
        )
        for name, api in stack.apis
        if api.routes or name in containers
    }


def _load_balancers(stack: Stack) -> dict[str, Value]:
    return {
        slug(name): _of(
            name,
            arn_suffix=f"module.service_{label(name)}.load_balancer_arn_suffix",
            cluster_name=f"module.service_{label(name)}.cluster_name",
            service_names=f"values(module.service_{label(name)}.service_names)",
        )
        for name, _ in stack.containers
        if stack.services[name].api is not None
    }


def _caches(stack: Stack) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name, cache in stack.caches:
        made = f"module.cache_{label(name)}"
        row: dict[str, Value] = {"service": slug(name)}
        if cache.node is None:
            row |= {"serverless_name": Raw(f"{made}.name"), "serverless_limit_gb": cache.max_gb}
        else:
            # The ids are known only after an apply, their number before it.
            row |= {
                "node_count": Raw(f'1 + var.caches["{name}"].replicas_per_shard'),
                "member_ids": Raw(f"{made}.node_ids"),
            }
        found[slug(name)] = row
    return found
