"""`greylag deprovision`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from greylag.cli.confirm import confirm
from greylag.cli.invocation import Invocation, answer
from greylag.console.lines import table
from greylag.console.units import plural
from greylag.operations.provision import deprovision as deprovision_project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greylag.operations.provision import Departure, DeprovisionReport


@click.command()
@click.option(
    "--only", multiple=True, metavar="SERVICE|FLOW", help="Only theirs; may be given more than once."
)
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--keep-data/--delete-data",
    default=True,
    help="Whether what holds something stays (it does, unless said), or goes with all that is in it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_obj
def deprovision(
    invocation: Invocation,
    *,
    only: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    keep_data: bool,
    as_json: bool,
) -> None:
    """Remove what `greylag provision` made, as far as nothing is in it; what was there before is never touched."""
    project = invocation.project()

    def ask(report: DeprovisionReport) -> None:
        if not yes:
            full = [each for each in report.removing if each.contents]
            question = f"{plural(len(report.removing), 'thing')} will be removed"
            question += f", {len(full)} of them with all that is in it." if full else "."
            confirm(
                _listing(report.departures),
                question if not keep_data else f"{question} Go on?",
                word="" if keep_data else project.name,
            )

    report = deprovision_project(
        project,
        only=only,
        delete_data=not keep_data,
        dry_run=dry_run,
        ask=ask,
        say=lambda line: click.echo(line, err=True),
    )
    if as_json:
        answer(report.as_json())
    else:
        click.echo(_text(report))


_DONE = {"remove": "removed", "keep": "kept", "leave": "left", "gone": "gone"}


def _listing(departures: Sequence[Departure], *, done: bool = False) -> str:
    rows = [("", "what", "name", "at", "why")]
    rows += [
        (
            _DONE[each.action] if done else each.action,
            each.what,
            each.name,
            each.place,
            each.why or (f"with {each.contents}" if each.contents else ""),
        )
        for each in departures
    ]
    return table(rows)


def _text(report: DeprovisionReport) -> str:
    if not report.departures:
        return "Greylag made nothing here that is left."
    parts = [_listing(report.departures, done=not report.dry_run)]
    if report.dry_run:
        parts.append("Nothing was removed: this was a dry run.")
    if any(each.action == "keep" for each in report.departures):
        parts.append("What holds data stays; `--delete-data` removes it too.")
    return "\n".join(parts)
