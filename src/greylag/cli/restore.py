"""`greylag restore`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from greylag.cli.invocation import Invocation, answer
from greylag.console.lines import table
from greylag.console.live import live
from greylag.console.units import count, duration, size
from greylag.executors.processes import Processes
from greylag.operations.restore import RestoreOptions
from greylag.operations.restore import restore as restore_backup
from greylag.operations.rewire import rewire_backup, rewire_from_project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greylag.operations.restore import RestoreReport
    from greylag.recovery.rewire import Rewired


@click.command()
@click.argument("place", required=False, metavar="[BACKUP]")
@click.option(
    "--table", "tables", multiple=True, metavar="NAME", help="Only this table; may be given more than once."
)
@click.option("--into", default="", metavar="CONNECTION[.TABLE]", help="Another connection or table.")
@click.option("--region", metavar="REGION", help="The region to restore into, instead of the connection's.")
@click.option(
    "--overwrite", is_flag=True, help="Restore over what is there: records of the same key are replaced."
)
@click.option(
    "--verify", is_flag=True, help="Read the tables back and compare them with the backup by digest."
)
@click.option(
    "--rewire", is_flag=True, help="Then put back what a restored table lacks: TTL, streams, tags, alarms."
)
@click.option("--settings-only", is_flag=True, help="With --rewire: restore no record.")
@click.option(
    "--write-units",
    type=click.IntRange(min=1),
    metavar="N",
    help="Spend no more than N write units a second.",
)
@click.option(
    "--processes", type=click.IntRange(min=1), metavar="N", help="Worker processes; one a core unless said."
)
@click.option("--restart", is_flag=True, help="Forget an unfinished restore and begin anew.")
@click.option("--dry-run", is_flag=True, help="Check the backup and the targets, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_obj
def restore(
    invocation: Invocation,
    *,
    place: str | None,
    tables: tuple[str, ...],
    into: str,
    region: str | None,
    overwrite: bool,
    verify: bool,
    rewire: bool,
    settings_only: bool,
    write_units: int | None,
    processes: int | None,
    restart: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Restore BACKUP, or the newest backup below it, once all of it was found to be as it was written.

    With --rewire and no BACKUP, gives tables the settings that greylag.yaml says.
    """
    project = invocation.project()
    if place is None or settings_only:
        if not rewire:
            raise click.UsageError(
                "name a BACKUP; --rewire alone, or with --settings-only, restores settings"
            )
        if place is None:
            changes = rewire_from_project(project, tables, into=into, region=region, dry_run=dry_run)
        else:
            changes = rewire_backup(project, place, tables, into=into, region=region, dry_run=dry_run)
        if as_json:
            answer({"rewired": [each.as_json() for each in changes]})
        else:
            click.echo(_changes(changes) or "Nothing to put back: every setting is as it should be.")
        return
    options = RestoreOptions(
        place, tables, into, region, write_units, overwrite, verify, rewire, restart, dry_run
    )
    with live(silent=as_json) as observe:
        report = restore_backup(project, options, executor=Processes(processes), observe=observe)
    if as_json:
        answer(report.as_json())
    else:
        click.echo(_text(report))


def _text(report: RestoreReport) -> str:
    rows = [("table", "into", "records", "bytes", "")]
    rows += [
        (
            each.name,
            each.into,
            count(each.records),
            size(each.content_bytes),
            ", ".join(
                filter(
                    None,
                    (
                        ("would be made" if report.dry_run else "made") if each.made else "was there",
                        "verified" if each.verified else "",
                    ),
                )
            ),
        )
        for each in report.tables
    ]
    parts = [table(rows, right=(2, 3))]
    if report.rewired:
        parts.append(_changes(report.rewired))
    if report.dry_run:
        parts.append(f"Backup {report.backup} is whole, and every target can take it. Nothing was written.")
    else:
        went = "went on with an unfinished restore, " if report.resumed else ""
        parts.append(f"Backup {report.backup} restored: {went}{duration(report.seconds)}")
    return "\n\n".join(parts)


def _changes(changes: Sequence[Rewired]) -> str:
    if not changes:
        return ""
    rows = [("table", "setting", "was", "wanted", "")]
    rows += [(each.table, each.setting, each.before, each.wanted, each.outcome) for each in changes]
    return table(rows)
