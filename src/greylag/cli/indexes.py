"""`greylag indexes`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from greylag.cli.invocation import Invocation, answer
from greylag.console.lines import table
from greylag.console.live import live
from greylag.operations.structure.indexes import indexes as indexes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greylag.operations.structure.build import Built


@click.command()
@click.option(
    "--only", multiple=True, metavar="SERVICE|FLOW", help="Only these; may be given more than once."
)
@click.option("--build", is_flag=True, help="Build those that are missing, unique ones too.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_obj
def indexes(invocation: Invocation, *, only: tuple[str, ...], build: bool, as_json: bool) -> None:
    """Say what became of each index of the sources; with --build make those that are missing."""
    with live(silent=as_json) as observe:
        found = indexes_of(invocation.project(), only=only, build=build, observe=observe)
    if as_json:
        answer({"indexes": [{**asdict(each), "keys": list(each.keys)} for each in found]})
    else:
        click.echo(text(found) if found else "The sources have no indexes that a target could have.")


def text(found: Sequence[Built]) -> str:
    """As a table."""
    rows = [
        (each.flow, each.table, each.index, ", ".join(each.keys), each.state, each.reason) for each in found
    ]
    return table([("flow", "collection", "index", "keys", "", "why"), *rows])
