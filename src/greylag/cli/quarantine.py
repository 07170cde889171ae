"""`greylag quarantine`."""

from __future__ import annotations

import base64
import json
from typing import Any

import click

from greylag.cli.invocation import Invocation, answer
from greylag.console.lines import table
from greylag.console.units import plural
from greylag.errors import ConfigurationError, Quarantined
from greylag.executors.processes import Processes
from greylag.operations import quarantine as operation

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def quarantine() -> None:
    """List, show and retry records that could not be carried."""


@quarantine.command("list")
@click.argument("flow", required=False)
@click.option(
    "-n", "count", type=click.IntRange(min=1), default=100, show_default=True, help="How many at most."
)
@_JSON
@click.pass_obj
def list_entries(invocation: Invocation, *, flow: str | None, count: int, as_json: bool) -> None:
    """List quarantined records, of FLOW or of all flows."""
    project = invocation.project()
    folder = project.state_folder
    if flow is not None:
        operation.refuse_unknown(project, flow)
    shown = []
    total = 0
    for entry in operation.entries(folder, flow):
        total += 1
        if total <= count:  # as text without the record: a hundred large ones need not fit in memory
            shown.append(entry if as_json else _short(entry))
    if as_json:
        answer({"total": total, "records": shown})
        return
    if shown:
        rows = [("flow", "key", "reason")]
        rows += [
            (each["flow"], json.dumps(each["key"], ensure_ascii=False), each["reason"]) for each in shown
        ]
        click.echo(table(rows))
    more = f", the first {len(shown)} shown" if total > len(shown) else ""
    click.echo(f"{plural(total, 'record')} in quarantine{more}")


@quarantine.command(short_help="Show one record, why it is here and what to do.")
@click.argument("flow")
@click.argument("key")
@_JSON
@click.pass_obj
def show(invocation: Invocation, *, flow: str, key: str, as_json: bool) -> None:
    """Show the quarantined record KEY of FLOW as it was, why it is here, and what to do."""
    project = invocation.project()
    operation.refuse_unknown(project, flow)
    entry = operation.find(project.state_folder, flow, key)
    if entry is None:
        raise ConfigurationError(
            f"flow {flow} has no quarantined record {key}", advice="`greylag quarantine list` shows the keys."
        )
    if as_json:
        answer(entry)
        return
    click.echo(f"flow    {entry['flow']}\nkey     {json.dumps(entry['key'], ensure_ascii=False)}")
    click.echo(f"reason  {entry['reason']}\nfix     {entry['fix']}\noriginal")
    click.echo(_original(entry))


@quarantine.command(short_help="Take stale records as they are at the target.")
@click.argument("flow")
@click.argument("keys", nargs=-1, required=True, metavar="KEY...")
@_JSON
@click.pass_obj
def accept(invocation: Invocation, *, flow: str, keys: tuple[str, ...], as_json: bool) -> None:
    """Take records of FLOW that could not be carried while following as the target holds them: `greylag drain` no
    longer waits for them. A later change of such a record is carried all the same, or has to be accepted again.
    """
    project = invocation.project()
    operation.refuse_unknown(project, flow)
    taken = operation.accept_stale(project.state_folder, flow, keys)
    if as_json:
        answer({"accepted": taken})
        return
    click.echo(f"{plural(taken, 'record')} accepted")


@quarantine.command(short_help="Read the records again, and carry what can be carried.")
@click.option(
    "--only", multiple=True, metavar="SERVICE|FLOW", help="Only these; may be given more than once."
)
@click.option(
    "--processes", type=click.IntRange(min=1), metavar="N", help="Worker processes; one a core unless said."
)
@_JSON
@click.pass_obj
def retry(invocation: Invocation, *, only: tuple[str, ...], processes: int | None, as_json: bool) -> None:
    """Read quarantined records from the source again and carry those that can be carried now."""
    done = operation.retry(invocation.project(), only=only, executor=Processes(processes))
    remaining = sum(each.remaining for each in done)
    if as_json:
        answer([each.as_json() for each in done])
    else:
        rows: list[tuple[str, ...]] = [("flow", "carried", "items", "gone from source", "still refused")]
        rows += [
            (each.flow, *map(str, (each.carried, each.items, each.gone, each.remaining))) for each in done
        ]
        click.echo(table(rows, right=range(1, 5)) if done else "nothing is in quarantine")
    if remaining:
        raise Quarantined(
            f"{plural(remaining, 'record')} in quarantine",
            advice="`greylag quarantine list` says which and why.",
        )


def _short(entry: dict[str, Any]) -> dict[str, Any]:
    state = "" if not entry.get("stale") else "accepted as stale: " if entry["accepted"] else "stale: "
    return {"flow": entry["flow"], "key": entry["key"], "reason": state + entry["reason"]}


def _original(entry: dict[str, Any]) -> str:
    """The record in extended JSON; where it could not be decoded its bytes: as text if they are one, else in base64."""
    if "raw" not in entry:
        return json.dumps(entry["original"], indent=2, ensure_ascii=False)
    try:
        return base64.b64decode(entry["raw"]).decode()
    except UnicodeDecodeError:
        return f"{entry['raw']} (base64)"
