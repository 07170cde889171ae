"""What the flows of a table decide about it together: the types of its keys, and the attribute items expire by."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from greylag.config.project import EVERY
from greylag.core.nearest import did_you_mean

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
    if table.any_type:
        return table
    wanted = dict.fromkeys([*table.key, *(name for names in table.indexes.values() for name in names)])
    types: dict[str, tuple[str, str]] = {
        attribute: (kind, "its key_types") for attribute, kind in table.key_types.items()
    }
    for attribute in table.key_types:
        if attribute not in wanted:
            path = (
                ("services", flows[0].service, "flows", flows[0].name, "key_types", attribute)
                if flows and "key_types" in findings.tree.at(*_place(flows[0])).entries
                else ("tables", table.ref.dataset, "key_types", attribute)
            )
            findings.add(
                path,
                f"table {table.ref.dataset}: {attribute!r} is in no key and no index{did_you_mean(attribute, wanted)}",
            )
    for flow in flows:
        for attribute in wanted:
            for template in _templates(flow, attribute):
                kind = key_type(template)
                first, before = (
                    types.setdefault(attribute, (kind, f"flow {flow.name}")) if kind else (kind, "")
                )
                if first != kind:
                    findings.add(
                        ("services", flow.service, "flows", flow.name, "attributes", attribute),
                        f"flow {flow.name} makes {attribute} of table {table.ref.dataset} {_TYPES[kind]},"
                        f" {before} makes it {_TYPES[first]}; a key attribute has one type",
                    )
    return replace(
        table,
        key_types={attribute: kind for attribute, (kind, _) in types.items() if attribute in wanted},
        ttl_attribute=_ttl_attribute(table, flows, findings),
    )


def _place(flow: FlowSpec) -> tuple[str, ...]:
    return ("services", flow.service, "flows", flow.name)


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
    attribute, first = table.ttl_attribute, "its ttl"
    for flow in flows:
        if flow.ttl is None:
            continue
        if attribute is None:
            attribute, first = flow.ttl.attribute, f"flow {flow.name}"
        elif flow.ttl.attribute != attribute:
            findings.add(
                ("services", flow.service, "flows", flow.name, "ttl"),
                f"flow {flow.name}: items of table {table.ref.dataset} expire by {attribute!r} ({first});"
                " a table has one such attribute",
            )
    return attribute
