"""`greylag follow`."""

from __future__ import annotations

import signal
import threading

import click

from greylag.cli.invocation import Invocation, answer
from greylag.console.units import plural
from greylag.errors import Quarantined
from greylag.operations.reverse import ReverseOptions, ReverseReport, follow_back


@click.command()
@click.argument("only", nargs=-1, metavar="[SERVICE|FLOW]...")
@click.option("--reverse", is_flag=True, required=True, help="From the target back to the old store.")
@click.option("--compare", is_flag=True, help="Begin anew: compare every item with the old store first.")
@click.option("--once", is_flag=True, help="End once everything written before the call is carried back.")
@click.option("--end", is_flag=True, help="As --once, and then give the way back up.")
@click.option(
    "--frozen", is_flag=True, help="State that nothing writes to the old store, where it cannot be fenced."
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="How long --once and --end wait.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_obj
def follow(
    invocation: Invocation,
    *,
    only: tuple[str, ...],
    reverse: bool,  # noqa: ARG001 - required: the other direction is `run --follow`
    compare: bool,
    once: bool,
    end: bool,
    frozen: bool,
    timeout: float,
    as_json: bool,
) -> None:
    """Carry what the application writes at the target back to the old store, until told to stop.

    Begins only behind `greylag fence` and `greylag drain`: else it ends with exit code 14. Ends with 10 if items could
    not be carried back, 13 where the target no longer has the changes since it last ran: then --compare.
    """
    stop = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stop.set())
    options = ReverseOptions(only, compare, once, timeout, frozen, end)
    report = follow_back(
        invocation.project(), options, stop=stop, observe=lambda text: click.echo(text, err=True)
    )
    if as_json:
        answer(report.as_json())
    else:
        click.echo(_text(report))
    if report.stale:
        raise Quarantined(
            f"{plural(report.stale, 'item')} could not be carried back",
            advice="Mend the items at the target: their next change is carried.",
        )


def _text(report: ReverseReport) -> str:
    parts = []
    if report.compared is not None:
        put, deleted = report.compared
        parts.append(f"Compared: {plural(put, 'record')} put, {deleted:,} deleted at the old store")
    parts.append(
        f"{plural(report.changes, 'change')} carried back since reverse began: {report.put:,} put, "
        f"{report.deleted:,} deleted, {report.stale:,} stale"
    )
    parts += [f"  {flow} {key}: {reason}" for flow, key, reason in report.refused]
    return "\n".join(parts)
