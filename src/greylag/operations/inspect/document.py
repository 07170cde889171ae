"""An inspection as a document, for a terminal or a file."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from greylag.console.document import Bullets, Heading, Table, Text
from greylag.console.units import count, duration, plural, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.console.document import Block
    from greylag.operations.inspect.report import Inspected, Inspection
    from greylag.recovery.settings import TableSettings


def document(found: Inspection) -> list[Block]:
    """Every table with its findings, and how it stands in all."""
    environment = f", environment {found.environment}" if found.environment else ""
    parts: list[Block] = [Heading(f"Inspection of {found.project}{environment}", 1)]
    for table in found.tables:
        parts += _table(table)
    severities = Counter(each.severity for each in found.findings)
    told = ", ".join(plural(severities[each], each.word) for each in sorted(severities, reverse=True))
    parts.append(Text(f"{plural(len(found.tables), 'table')}: {told or 'nothing found'}"))
    return parts


def _table(table: Inspected) -> Iterator[Block]:
    yield Heading(f"{table.name}{' in ' + table.region if table.region else ''}")
    if table.exists:
        rows = [("setting", "as it is"), *_rows(table)]
        if table.settings is not None:
            rows += _settings(table.settings)
        rows += [
            (f"replica in {each.region}", f"{each.status}, {_lag(each.lag_seconds)}")
            for each in table.replicas
        ]
        rows += [("backup", f"{each.place}, {duration(each.age_seconds)} old") for each in table.backups] or [
            ("backup", "none known")
        ]
        yield Table(tuple(rows))
    if table.findings:
        yield Bullets(
            tuple(
                f"{each.severity.word}: {each.message} ({each.kind})\n{each.advice}"
                for each in table.findings
            )
        )


def _rows(table: Inspected) -> Iterator[tuple[str, str]]:
    about = "about " if table.kind == "dynamodb" else ""
    if table.records is not None:
        yield "records", f"{about}{count(table.records)}"
    if table.bytes is not None:
        yield "bytes", f"{about}{size(table.bytes)}"
    if table.indexes:
        yield "indexes", "; ".join(f"{name}: {', '.join(keys)}" for name, keys in table.indexes.items())


def _settings(found: TableSettings) -> Iterator[tuple[str, str]]:
    create = found.create
    types = {each["AttributeName"]: each["AttributeType"] for each in create["AttributeDefinitions"]}
    names = [
        each["AttributeName"]
        for each in sorted(create["KeySchema"], key=lambda key: key["KeyType"] != "HASH")
    ]
    yield "status", found.status
    yield "key", ", ".join(f"{name} ({types[name]})" for name in names)
    throughput = create.get("ProvisionedThroughput", {})
    yield (
        "capacity",
        "on demand"
        if create["BillingMode"] == "PAY_PER_REQUEST"
        else f"{throughput['ReadCapacityUnits']:,} read, {throughput['WriteCapacityUnits']:,} write units",
    )
    if found.autoscaling is not None:
        yield (
            "autoscaling",
            "; ".join(
                f"{each['resource'] or 'table'} {each['dimension'].rpartition(':')[2]} {each['min']} to {each['max']}"
                for each in found.autoscaling
            )
            or "none",
        )
    if found.recovery is not None:
        yield "point-in-time recovery", _recovery(found.recovery)
    yield "deletion protection", "on" if found.deletion_protection else "off"
    yield "encryption", "a key of AWS's own" if found.encryption == "AWS_OWNED" else found.encryption
    yield "time to live", found.ttl or "none"
    yield "stream", found.stream or "none"
    if found.tags is not None:
        yield "tags", ", ".join(f"{name}={value}" for name, value in sorted(found.tags.items())) or "none"
    if found.alarms is not None:
        yield "alarms", ", ".join(each["AlarmName"] for each in found.alarms) or "none"


def _recovery(found: object) -> str:
    assert isinstance(found, dict)
    if not found["enabled"]:
        return "off"
    return f"on, {found['days']} days" if found.get("days") else "on"


def _lag(seconds: float | None) -> str:
    return "lag unknown" if seconds is None else f"{duration(seconds)} behind"
