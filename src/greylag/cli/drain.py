"""`greylag drain`."""

from __future__ import annotations

import click

from greylag.cli.invocation import Invocation, answer
from greylag.console.units import duration
from greylag.errors import NotDrained
from greylag.operations.drain import drain as drain_project


@click.command()
@click.option(
    "--timeout",
    "timeout_seconds",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait at most.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def drain(invocation: Invocation, *, timeout_seconds: float, as_json: bool) -> None:
    """Wait until everything written at the sources before now has been applied at the targets."""
    report = drain_project(invocation.project(), timeout_seconds=timeout_seconds)
    if as_json:
        answer(report.as_json())
    if report.drained:
        if not as_json:
            click.echo(
                f"drained in {duration(report.seconds)}: {', '.join(each.stream for each in report.streams)}"
            )
        return
    raise NotDrained(
        "not drained: " + "; ".join(report.hindrances),
        advice="Run it again when that is mended. `greylag status` shows how far following is; stale records stand in "
        "`greylag quarantine list`, and `greylag quarantine accept FLOW KEY` takes one as it is.",
    )
