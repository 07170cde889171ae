"""`greylag rehearse`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, get_args

import click

from greylag.cli.invocation import Invocation, answer
from greylag.config import load_sources
from greylag.console.lines import table
from greylag.console.live import live
from greylag.console.units import count, duration, plural
from greylag.core.findings import Severity
from greylag.errors import Quarantined, VerificationFailed
from greylag.executors.processes import Processes
from greylag.operations.rehearse import SAMPLE_RECORDS, Rehearsal, RehearsalOptions, ServerName, end
from greylag.operations.rehearse import rehearse as rehearse_project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greylag.core.findings import Finding

SHOWN = 40
"""Reasons for quarantine that are told."""


@click.command()
@click.option(
    "--only", multiple=True, metavar="SERVICE|FLOW", help="Only these; may be given more than once."
)
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    metavar="N",
    help=f"About how many records of each dataset; {SAMPLE_RECORDS} unless said.",
)
@click.option("--full", is_flag=True, help="Every record.")
@click.option(
    "--on",
    "server",
    type=click.Choice(get_args(ServerName)),
    help="What stands in for DynamoDB: DynamoDB Local where it is installed, else moto.",
)
@click.option("--keep", is_flag=True, help="Leave the tables up to look at.")
@click.option("--end", "ending", is_flag=True, help="End what --keep left up, and delete it.")
@click.option(
    "--processes", type=click.IntRange(min=1), metavar="N", help="Worker processes; one a core unless said."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_obj
def rehearse(
    invocation: Invocation,
    *,
    only: tuple[str, ...],
    sample: int | None,
    full: bool,
    server: ServerName | None,
    keep: bool,
    ending: bool,
    processes: int | None,
    as_json: bool,
) -> None:
    """Check, assess, plan, run and verify the project against a server of this machine.

    Sources are only read. Nothing of a real run is touched. Ends with exit code 10 if records stand in quarantine, 11
    if the stand-in is not what the source says.
    """
    if full and sample is not None:
        raise click.UsageError("--full carries every record, --sample some: give one of them")
    if ending:
        _end(invocation, as_json=as_json)
        return
    options = RehearsalOptions(only, None if full else sample or SAMPLE_RECORDS, server, keep)
    with live(silent=as_json) as observe:
        found = rehearse_project(
            load_sources(invocation.file, invocation.environment),
            options,
            executor=Processes(processes),
            observe=observe,
            announce=lambda step: None if as_json else click.echo(f"{step} ...", err=True),
        )
    if as_json:
        answer(found.as_json())
    else:
        click.echo(_text(found))
    if found.verification.mismatches:
        raise VerificationFailed(
            f"{plural(found.verification.mismatches, 'item')} of the rehearsal not as the source says",
            advice="Sources that were written meanwhile cause this; if none was, report it as a defect.",
        )
    if found.run.quarantined:
        raise Quarantined(
            f"{plural(found.run.quarantined, 'record')} would be quarantined",
            advice="`greylag preview FLOW --key KEY` shows one with what to do.",
        )


def _end(invocation: Invocation, *, as_json: bool) -> None:
    ended = end(invocation.project())
    if as_json:
        answer({"ended": ended})
    else:
        click.echo("The rehearsal's tables are gone." if ended else "No rehearsal was left up.")


def _text(found: Rehearsal) -> str:
    much = "every record" if found.sample is None else f"about {count(found.sample)} records of each dataset"
    read = sum(flow.records_read for flow in found.run.flows)
    written = sum(flow.items_written for flow in found.run.flows)
    verified = sum(flow.verified for flow in found.verification.flows)
    quarantined = count(found.run.quarantined)
    steps = [
        ("check", "greylag.yaml is sound"),
        ("assess", _severities(found.assessment.every_finding, "assess")),
        ("plan", _severities(found.plan.findings, "plan")),
        (
            "run",
            f"{plural(read, 'record')} read, {plural(written, 'item')} written, {quarantined} quarantined",
        ),
        ("verify", f"{plural(verified, 'item')} verified, {count(found.verification.mismatches)} different"),
    ]
    parts = [f"Rehearsed on {found.server}, {much}, in {duration(found.seconds)}", table(steps)]
    if found.quarantined:
        rows = [
            (each.flow, count(each.records), json.dumps(each.example, ensure_ascii=False), each.reason)
            for each in found.quarantined[:SHOWN]
        ]
        if left := found.quarantined[SHOWN:]:
            rows.append(("", count(sum(each.records for each in left)), "", f"{len(left)} other reasons"))
        parts += [
            "",
            table([("flow", "records", "such as", "would be quarantined because"), *rows], right=[1]),
        ]
    parts += ["", *_forecast(found)]
    if found.endpoint is not None:
        tables = ", ".join(f"{each.table} ({plural(each.items, 'item')})" for each in found.tables)
        parts += [
            "",
            f"Left up at {found.endpoint}: {tables}",
            "`greylag rehearse --end` ends it; the next rehearsal does too.",
        ]
    return "\n".join(parts)


def _severities(findings: Sequence[Finding], verb: str) -> str:
    counts = [
        plural(number, severity.word)
        for severity in sorted(Severity, reverse=True)
        if (number := sum(each.severity is severity for each in findings))
    ]
    return f"{', '.join(counts)}: `greylag {verb}` tells them" if counts else "nothing found"


def _forecast(found: Rehearsal) -> list[str]:
    """Where the plan's forecast is for AWS."""
    lines = []
    for each in found.plan.tables:
        if each.forecast is not None:
            lines.append(
                f"On AWS {each.name} takes at least {duration(each.forecast.seconds)}; "
                f"{each.forecast.bound_by} decides."
            )
            lines += [f"  {cost.way}: {cost.arithmetic}" for cost in each.costs]
    return [*lines, "`greylag plan` says what the forecast assumes."] if lines else []
