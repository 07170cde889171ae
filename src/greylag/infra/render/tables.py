"""The tables to make, each with the type of every key: a table whose key has the wrong type must be made anew."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from greylag.config import EVERY, InvalidProject, Problem
from greylag.core.mapping import MappingError, compile_mapping

if TYPE_CHECKING:
    from greylag.config import Project
    from greylag.core.flows import FlowSpec, TableSpec


def with_key_types(project: Project) -> tuple[TableSpec, ...]:
    """The tables of DynamoDB connections, in the file's order, with a type for every key attribute.

    Templates, `types:` and `key_types:` tell them; records are not read. Raises InvalidProject with every attribute
    whose type nothing tells, and ConfigurationError for `connection.*`, whose tables only the source knows.
    """
    problems: list[Problem] = []
    found: list[TableSpec] = []
    for flow in project.flows:
        if flow.table.ref.dataset == EVERY and _is_dynamodb(project, flow.table.ref.connection):
            raise InvalidProject.of(
                [
                    project.problem(
                        flow,
                        "to",
                        f"flow {flow.name}: name the tables of `{flow.source}` one by one to render them",
                    )
                ]
            )
    for ref, table in project.tables.items():
        if not _is_dynamodb(project, ref.connection):
            continue
        flows = [flow for flow in project.flows if flow.table.ref == ref]
        types = dict(table.key_types)
        for flow in flows:
            types = {**_types(project, flow, problems), **types}
        names = dict.fromkeys([*table.key, *(each for index in table.indexes.values() for each in index)])
        problems += [_open(project, table, flows, name) for name in names if name not in types]
        found.append(replace(table, key_types={name: types[name] for name in names if name in types}))
    if problems:
        raise InvalidProject.of(problems)
    return tuple(found)


def _types(project: Project, flow: FlowSpec, problems: list[Problem]) -> dict[str, str]:
    try:
        return dict(compile_mapping(flow).key_types)
    except MappingError as error:
        problems.append(project.problem(flow, error.where, error.message))
        return {}


def _open(project: Project, table: TableSpec, flows: list[FlowSpec], name: str) -> Problem:
    message = f"nothing tells the type of {name}, a key of table {table.ref.dataset}: "
    if flows:
        return project.problem(
            flows[0],
            f"attributes.{name}",
            f"{message}add `key_types: {{{name}: S}}` (or N, or B) beside the key",
        )
    node = project.tree.at("tables", table.ref.dataset)
    return Problem(str(project.file), node.line, f"{message}add `key_types: {{{name}: S}}` (or N, or B)")


def _is_dynamodb(project: Project, connection: str) -> bool:
    kind = project.tree.at("connections", connection).entries.get("kind")
    return kind is not None and kind.value == "dynamodb"
