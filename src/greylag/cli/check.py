"""`greylag check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from greylag.cli.invocation import Invocation, answer
from greylag.config import InvalidProject
from greylag.console.lines import table
from greylag.operations.check import check as check_project
from greylag.operations.check import problem_as_json

if TYPE_CHECKING:
    from greylag.core.flows import TableSpec
    from greylag.operations.check import Check, Tried


@click.command()
@click.option("--connect", is_flag=True, help="Also open every connection and look for every dataset.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def check(ctx: click.Context, *, connect: bool, as_json: bool) -> None:
    """Say what greylag.yaml means and what is wrong with it.

    Connects to nothing unless --connect says so, and changes nothing.
    """
    invocation: Invocation = ctx.obj
    try:
        found = check_project(invocation.project(), connect=connect)
    except InvalidProject as error:
        if as_json:
            problems = [problem_as_json(problem) for problem in error.problems]
            answer({"ok": False, "problems": problems})
        raise
    if as_json:
        answer(found.as_json())
    else:
        click.echo(_text(found))
    if found.problems:
        raise InvalidProject.of(found.problems)
    for tried in found.tried:
        if tried.error is not None:
            raise tried.error


def _text(found: Check) -> str:
    project = found.project
    environment = f", environment {project.environment}" if project.environment else ""
    parts = [f"project {project.name}{environment}"]
    flows = [(flow.service, flow.name, str(flow.source), str(flow.table.ref)) for flow in found.flows]
    parts.append(table([("service", "flow", "from", "to"), *flows]))
    tables = [(str(each.ref), _attributes(each, each.key), _indexes(each)) for each in found.tables]
    parts.append(table([("table", "key", "indexes"), *tables]))
    if found.tried:
        tried = [(_named(each), each.kind, each.role, _answer(each)) for each in found.tried]
        parts.append(table([("connection", "kind", "as", ""), *tried]))
    if not found.problems:
        parts.append("greylag.yaml is valid" + ("" if found.tried else "; --connect tries the connections"))
    return "\n\n".join(parts)


def _attributes(of: TableSpec, names: tuple[str, ...]) -> str:
    return ", ".join(f"{name} ({of.key_types[name]})" if name in of.key_types else name for name in names)


def _indexes(of: TableSpec) -> str:
    return "; ".join(f"{name}: {_attributes(of, attributes)}" for name, attributes in of.indexes.items())


def _named(tried: Tried) -> str:
    return tried.connection if tried.dataset is None else f"{tried.connection}.{tried.dataset}"


def _answer(tried: Tried) -> str:
    return "ok" if tried.error is None else tried.error.message.replace("\n", " ")
