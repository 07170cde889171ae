"""`greylag provision`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from greylag.cli.confirm import confirm
from greylag.cli.invocation import Invocation, answer
from greylag.console.lines import table
from greylag.console.units import plural
from greylag.operations.provision import provision as provision_project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greylag.operations.provision import Plan, ProvisionReport, Step


@click.command()
@click.option(
    "--only", multiple=True, metavar="SERVICE|FLOW", help="Only theirs; may be given more than once."
)
@click.option("--dry-run", is_flag=True, help="Say what would be made, and make nothing.")
@click.option("--yes", is_flag=True, help="Do not ask, although AWS bills what is made.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_obj
def provision(
    invocation: Invocation, *, only: tuple[str, ...], dry_run: bool, yes: bool, as_json: bool
) -> None:
    """Make the tables, buckets, queues and cache tables that the project needs, without Terraform.

    What is there already is left as it is. Interrupt it at any time; the same command goes on.
    """

    def ask(plan: Plan) -> None:
        if not yes:
            confirm(_listing(plan.changing), f"{_cost(plan.changing)} Go on?")

    report = provision_project(
        invocation.project(), only=only, dry_run=dry_run, ask=ask, say=lambda line: click.echo(line, err=True)
    )
    if as_json:
        answer(report.as_json())
    else:
        click.echo(_text(report))


_DONE = {"make": "made", "go on": "finished", "change": "changed", "keep": "kept", "leave": "left"}


def _listing(steps: Sequence[Step], *, done: bool = False) -> str:
    rows = [("", "what", "name", "at")]
    rows += [
        (_DONE[each.action] if done else each.action, each.what, each.name, each.place) for each in steps
    ]
    details = [f"{each.what} {each.name}: {', '.join(each.details)}" for each in steps if each.details]
    return "\n".join([table(rows), *details])


def _cost(steps: Sequence[Step]) -> str:
    billed = [each for each in steps if each.billed]
    if not billed:
        return "All of it stands on this machine and costs nothing."
    return f"{plural(len(billed), 'thing')} will be billed: AWS charges for storage and for requests."


def _text(report: ProvisionReport) -> str:
    if not report.steps:
        return "\n".join(["The project needs no table, bucket or queue.", *report.notes])
    parts = [_listing(report.steps, done=not report.dry_run)]
    changing = [each for each in report.steps if each.action in {"make", "go on", "change"}]
    if not changing:
        parts.append("Everything is there; nothing was changed.")
    elif report.dry_run:
        parts.append(f"Nothing was made: this was a dry run. {_cost(changing)}")
    refused = [each for each in report.steps if each.refused]
    parts += [
        f"Note: {each.what} {each.name} is without {', '.join(each.refused)}: the server at {each.place} has none."
        for each in refused
    ]
    return "\n".join([*parts, *(f"Note: {note}" for note in report.notes)])
