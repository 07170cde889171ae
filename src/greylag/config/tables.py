"""What the flows of a table decide about it together: the types of its keys, and the attribute items expire by."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from greylag.config.project import EVERY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from greylag.config.findings import Findings
    from greylag.core.flows import DatasetRef, FlowSpec, TableSpec


def complete(
    flows: Sequence[FlowSpec], declared: Mapping[DatasetRef, TableSpec], findings: Findings
) -> tuple[tuple[FlowSpec, ...], dict[DatasetRef, TableSpec]]:
    """The flows and all tables they write, with key types and TTL attribute; where flows disagree is a finding."""
    writers: dict[DatasetRef, list[FlowSpec]] = {}
    for flow in flows:
        if flow.table.ref.dataset != EVERY:
            writers.setdefault(flow.table.ref, []).append(flow)
    tables = {
        ref: _complete(table, writers.get(ref, ()), findings)
        for ref, table in {**declared, **{ref: found[0].table for ref, found in writers.items()}}.items()
    }
    completed = (
        replace(
            flow,
            table=tables[flow.table.ref]
            if flow.table.ref in tables
            else _complete(flow.table, [flow], findings),
        )
        for flow in flows
    )
    return tuple(completed), tables


def _complete(table: TableSpec, flows: Sequence[FlowSpec], findings: Findings) -> TableSpec:
    types: dict[str, tuple[str, FlowSpec]] = {}
    wanted = dict.fromkeys([*table.key, *(name for names in table.indexes.values() for name in names)])
    for flow in flows:
        for attribute in wanted:
            for template in _templates(flow, attribute):
                kind = key_type(template)
                first, before = types.setdefault(attribute, (kind, flow)) if kind else (kind, flow)
                if first != kind:
                    findings.add(
                        ("services", flow.service, "flows", flow.name, "attributes", attribute),
                        f"flow {flow.name} makes {attribute} of table {table.ref.dataset} {_TYPES[kind]},"
                        f" flow {before.name} makes it {_TYPES[first]}; a key attribute has one type",
                    )
    return replace(
        table,
        key_types={attribute: kind for attribute, (kind, _) in types.items()},
        ttl_attribute=_ttl_attribute(table, flows, findings),
    )


_TYPES = {"S": "a string", "N": "a number", "B": "binary"}


def _templates(flow: FlowSpec, attribute: str) -> Iterable[Any]:
    for attributes in (flow.attributes, *(child.attributes for child in flow.split)):
        if attribute in attributes:
            yield attributes[attribute]


def key_type(template: Any) -> str:
    """ "S", "N" or "B" where a template or constant alone decides the type of the attribute it fills, else ""."""
    from greylag.core.mapping.errors import MappingError
    from greylag.core.mapping.templates import parse_template

    if isinstance(template, str):
        try:
            return parse_template(template, where="", dataset="").key_type or ""
        except MappingError:
            return ""  # `check` says what is wrong with it, when it compiles the mapping
    if isinstance(template, (int, float, Decimal)) and not isinstance(template, bool):
        return "N"
    return ""


def _ttl_attribute(table: TableSpec, flows: Sequence[FlowSpec], findings: Findings) -> str | None:
    attribute = None
    for flow in flows:
        if flow.ttl is None:
            continue
        if attribute is None:
            attribute, first = flow.ttl.attribute, flow.name
        elif flow.ttl.attribute != attribute:
            findings.add(
                ("services", flow.service, "flows", flow.name, "ttl"),
                f"flow {flow.name}: items of table {table.ref.dataset} expire by {attribute!r} (flow {first});"
                " a table has one such attribute",
            )
    return attribute
