"""`greylag run`."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import click

from greylag.cli.indexes import text as indexes_text
from greylag.cli.invocation import Invocation, answer
from greylag.console import lines
from greylag.console.live import live
from greylag.console.units import count, duration, plural, size
from greylag.engine.loader import PAGE_BYTES, PARTITION_BYTES
from greylag.errors import Quarantined
from greylag.executors.processes import Processes
from greylag.operations.follow import follow as follow_project
from greylag.operations.metrics import serving
from greylag.operations.plan import file as planfile
from greylag.operations.run import RunOptions, RunReport
from greylag.operations.run import run as run_project
from greylag.operations.status import status as status_of


@click.command()
@click.option(
    "--only", multiple=True, metavar="SERVICE|FLOW", help="Only these; may be given more than once."
)
@click.option("--restart", is_flag=True, help="Forget the checkpoints and load from the start.")
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="Carry N records of each flow, then stop."
)
@click.option(
    "--follow", is_flag=True, help="After the load follow the source's changes, until told to stop."
)
@click.option(
    "--reload",
    "reloaded",
    multiple=True,
    metavar="SERVICE|FLOW",
    help="With --follow: load what its source follows again, from a new position.",
)
@click.option(
    "--metrics-addr",
    metavar="[HOST]:PORT",
    help="With --follow: serve metrics for Prometheus there; without a host on this machine alone.",
)
@click.option("--dry-run", is_flag=True, help="Read and map, but create, write and save nothing.")
@click.option(
    "--plan",
    "plan_path",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Run exactly what `greylag plan --out FILE` showed, or refuse.",
)
@click.option(
    "--processes", type=click.IntRange(min=1), metavar="N", help="Worker processes; one a core unless said."
)
@click.option(
    "--partition-bytes",
    type=click.IntRange(min=1),
    default=PARTITION_BYTES,
    show_default=True,
    metavar="N",
    help="How much of the source a worker takes at once.",
)
@click.option(
    "--page-bytes",
    type=click.IntRange(min=1),
    default=PAGE_BYTES,
    show_default=True,
    metavar="N",
    help="How much of the source lies between two checkpoints, at least one record.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_context
def run(
    ctx: click.Context,
    *,
    only: tuple[str, ...],
    restart: bool,
    limit: int | None,
    follow: bool,
    reloaded: tuple[str, ...],
    metrics_addr: str | None,
    dry_run: bool,
    plan_path: Path | None,
    processes: int | None,
    partition_bytes: int,
    page_bytes: int,
    as_json: bool,
) -> None:
    """Carry every record to its target; continue where the last run stopped.

    Ends with exit code 10 if records stand in quarantine. Interrupt it at any time; the same command goes on.
    """
    invocation: Invocation = ctx.obj
    options = RunOptions(only, restart, limit, dry_run, partition_bytes, page_bytes)
    if follow:
        if limit is not None or dry_run or plan_path is not None:
            raise click.UsageError("--limit, --dry-run and --plan cannot be given beside --follow")
        if restart and reloaded:
            raise click.UsageError("--restart loads everything again: --reload cannot be given beside it")
        _follow(invocation, options, reloaded, metrics_addr, processes, as_json=as_json)
        return
    if reloaded or metrics_addr is not None:
        raise click.UsageError("--reload and --metrics-addr are given beside --follow")
    if plan_path is not None:
        _refuse_beside_plan(ctx)
        planned = planfile.read(plan_path)
        options = RunOptions(
            restart=restart,
            partition_bytes=planned.partition_bytes,
            page_bytes=planned.page_bytes,
            plan=planned,
        )
        processes = planned.processes
    executor = Processes(1 if limit is not None else processes)
    with live(silent=as_json) as observe:
        report = run_project(invocation.project(), options, executor=executor, observe=observe)
    if as_json:
        answer(report.as_json())
    else:
        click.echo(_text(report))
    if report.quarantined:
        records = plural(report.quarantined, "record")
        if dry_run:
            raise Quarantined(
                f"{records} would be quarantined",
                advice="`greylag preview FLOW --key KEY` shows one with what to do.",
            )
        raise Quarantined(f"{records} in quarantine", advice="`greylag quarantine list` says which and why.")


def _follow(
    invocation: Invocation,
    options: RunOptions,
    reloaded: tuple[str, ...],
    metrics_addr: str | None,
    processes: int | None,
    *,
    as_json: bool,
) -> None:
    """Until an interrupt or SIGTERM, which is how it ends well once everything is loaded."""
    project = invocation.project()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with serving(metrics_addr, lambda: status_of(project.state_folder).snapshot) as address:
        if address is not None:
            click.echo(f"metrics at http://{address}/metrics", err=True)
        with live(silent=as_json) as observe:
            report = follow_project(
                project, options, executor=Processes(processes), observe=observe, reload=reloaded
            )
    if as_json:
        answer(report.as_json())
        return
    click.echo(lines.flows(report.flows))
    for stream in report.streams:
        click.echo(lines.following(stream))
    for note in report.notes:
        click.echo(f"Note: {note}")
    click.echo(
        "Stopped. The same command goes on from here; the source's history holds what comes meanwhile."
    )


def _refuse_beside_plan(ctx: click.Context) -> None:
    """What the plan decides cannot be said again."""
    for name in ("only", "limit", "dry_run", "processes", "partition_bytes", "page_bytes"):
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(
                f"--{name.replace('_', '-')} cannot be given beside --plan: the plan decides it"
            )


def _text(report: RunReport) -> str:
    parts = [lines.flows(report.flows)]
    read = sum(flow.records_read for flow in report.flows)
    written = sum(flow.items_written for flow in report.flows)
    sent = sum(flow.bytes_written for flow in report.flows)
    verb = "would be written" if report.dry_run else "written"
    if report.flows and len(report.already_finished) == len(report.flows):
        parts.append(
            "Everything was loaded before; nothing was changed. `--restart` loads again from the start."
        )
    else:
        parts.append(
            f"{plural(read, 'record')} read, {plural(written, 'item')} {verb} ({size(sent)}), "
            f"{count(report.quarantined)} quarantined, in {duration(report.seconds)}"
        )
        if report.resumed:
            parts.append("Went on from the checkpoint of: " + ", ".join(report.resumed))
        if report.already_finished:
            parts.append("Loaded before and not touched: " + ", ".join(report.already_finished))
    built = [each for each in report.indexes if each.state != "stands"]
    if built:
        parts += ["", indexes_text(built), ""]
    if report.limited and not report.dry_run:
        parts.append("Stopped at --limit; `greylag run` without it carries the rest.")
    if report.refused:
        rows = [(each.flow, json.dumps(each.key, ensure_ascii=False), each.reason) for each in report.refused]
        parts += ["", lines.table([("flow", "key", "reason"), *rows])]
        if len(rows) < report.quarantined:
            parts.append(f"and {count(report.quarantined - len(rows))} more")
    parts += [f"Note: {note}" for note in report.notes]
    return "\n".join(parts)
