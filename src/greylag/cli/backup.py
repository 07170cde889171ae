"""`greylag backup`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from greylag.cli.invocation import Invocation, answer
from greylag.console.lines import table
from greylag.console.live import live
from greylag.console.units import count, duration, size
from greylag.executors.processes import Processes
from greylag.operations.backup import BackupOptions
from greylag.operations.backup import backup as back_up
from greylag.recovery.format import moment_of
from greylag.recovery.parts import PART_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greylag.operations.backup import BackedUp, BackupReport
    from greylag.recovery.format import Consistency


@click.command()
@click.argument("names", nargs=-1, metavar="[CONNECTION[.TABLE]|SERVICE|FLOW]...")
@click.option("--to", required=True, metavar="PLACE", help="A folder, or s3://BUCKET/PREFIX.")
@click.option("--region", metavar="REGION", help="The region of the tables, instead of their connection's.")
@click.option(
    "--read-bytes",
    type=click.IntRange(min=1),
    metavar="N",
    help="Read no more than N bytes a second; 4,096 are one read unit of DynamoDB.",
)
@click.option(
    "--part-bytes",
    type=click.IntRange(min=1),
    default=PART_BYTES,
    show_default=True,
    metavar="N",
    help="How much of a table one file holds, before compression.",
)
@click.option(
    "--processes", type=click.IntRange(min=1), metavar="N", help="Worker processes; one a core unless said."
)
@click.option("--restart", is_flag=True, help="Discard an unfinished backup and begin anew.")
@click.option("--dry-run", is_flag=True, help="Say what would be backed up, and read nothing of it.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_obj
def backup(
    invocation: Invocation,
    *,
    names: tuple[str, ...],
    to: str,
    region: str | None,
    read_bytes: int | None,
    part_bytes: int,
    processes: int | None,
    restart: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Back up tables, collections and files into a folder or an S3 prefix: every table that a flow writes, or those
    named. Interrupt it at any time; the same command goes on.
    """
    options = BackupOptions(to, names, region, read_bytes, restart, dry_run, part_bytes)
    with live(silent=as_json) as observe:
        report = back_up(invocation.project(), options, executor=Processes(processes), observe=observe)
    if as_json:
        answer(report.as_json())
    else:
        click.echo(_text(report))


def _text(report: BackupReport) -> str:
    rows = [("table", "records", "bytes", "compressed")]
    rows += [
        (each.name, _count(each.records), _size(each.content_bytes), _size(each.bytes))
        for each in report.tables
    ]
    parts = [table(rows, right=range(1, 4))]
    if report.dry_run:
        parts.append(f"Would be backed up to {report.place}; the numbers are estimates. Nothing was read.")
        return "\n".join(parts)
    parts += _moments(report.tables)
    went = "went on with an unfinished one, " if report.resumed else ""
    parts.append(f"Backup {report.id} at {report.place}: {went}{duration(report.seconds)}")
    return "\n".join(parts)


def _moments(tables: Sequence[BackedUp]) -> list[str]:
    """What moment the tables are of, once for all of which the same is said; the manifest has each by itself."""
    alike: dict[str, list[tuple[str, Consistency]]] = {}
    for each in tables:
        if each.consistency is not None:
            alike.setdefault(each.consistency.statement, []).append((each.name, each.consistency))
    said = []
    for statement, several in alike.items():
        begin = min((each.from_time for _, each in several), key=moment_of)
        end = max((each.until_time for _, each in several), key=moment_of)
        times = [each.operation_time for _, each in several if each.operation_time is not None]
        first = min(times, key=lambda each: [int(part) for part in each.split(":")], default=None)
        at = "" if first is None else f" (operation time {first})"
        who = "" if len(alike) == 1 else f"{', '.join(name for name, _ in several)}: "
        said.append(f"{who}From {begin} to {end}{at}. {statement}")
    return said


def _count(number: int | None) -> str:
    return "?" if number is None else count(number)


def _size(number: int | None) -> str:
    return "?" if number is None else size(number)
