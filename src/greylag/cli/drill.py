"""`greylag drill`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from greylag.cli.invocation import Invocation, answer
from greylag.console.lines import table
from greylag.console.live import live
from greylag.console.units import count, duration
from greylag.errors import FindingsAbove
from greylag.executors.processes import Processes
from greylag.operations.drill import (
    DrillOptions,
    drill_backup,
    drill_point_in_time,
    drill_region,
    drills,
    keep,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greylag.operations.drill import Drill


@click.command()
@click.argument("tables", nargs=-1, metavar="[TABLE]...")
@click.option(
    "--from", "place", default="", metavar="PLACE", help="The backup, or where the newest one is looked for."
)
@click.option("--point-in-time", is_flag=True, help="Drill point-in-time recovery instead of a backup.")
@click.option(
    "--region", metavar="REGION", help="Drill the second region: how soon it has what is written here."
)
@click.option(
    "--timeout",
    type=click.IntRange(min=1),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="With --region: how long to wait for the marker.",
)
@click.option(
    "--rto", type=click.FloatRange(min=0), metavar="SECONDS", help="Exit code 12 if recovery takes longer."
)
@click.option(
    "--rpo", type=click.FloatRange(min=0), metavar="SECONDS", help="Exit code 12 if more time would be lost."
)
@click.option("--log", "show_log", is_flag=True, help="Drill nothing; show the drills so far.")
@click.option(
    "--processes", type=click.IntRange(min=1), metavar="N", help="Worker processes; one a core unless said."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_obj
def drill(
    invocation: Invocation,
    *,
    tables: tuple[str, ...],
    place: str,
    point_in_time: bool,
    region: str | None,
    timeout: int,
    rto: float | None,
    rpo: float | None,
    show_log: bool,
    processes: int | None,
    as_json: bool,
) -> None:
    """Restore the newest backup into a scratch table, compare it, remove it, and say how long it took.

    Every drill is appended to a log. Writes nothing but scratch tables and, with --region, a marker it removes.
    """
    if sum((bool(place), point_in_time, region is not None)) > 1:
        raise click.UsageError("give one of --from, --point-in-time and --region")
    project = invocation.project()
    if show_log:
        found = drills(project)
    elif region is not None:
        found = drill_region(project, tables, region, timeout_seconds=timeout)
    elif point_in_time:
        found = drill_point_in_time(project, DrillOptions(tables))
    else:
        with live(silent=as_json) as observe:
            found = drill_backup(
                project, DrillOptions(tables, place), executor=Processes(processes), observe=observe
            )
    if not show_log:
        keep(project, found)
    if as_json:
        answer({"drills": [each.as_json() for each in found]})
    else:
        click.echo(_text(found))
    if not show_log:
        _refuse_slow(found, rto, rpo)


def _text(found: Sequence[Drill]) -> str:
    rows = [("table", "drill", "of", "at", "records", "recovered in", "would lose", "verified", "")]
    rows += [
        (
            each.table,
            each.kind,
            each.source,
            each.at[:19] + "Z",
            "" if each.records is None else count(each.records),
            _time(each.rto_seconds) if each.kind != "region" else "",
            _time(each.rpo_seconds),
            {True: "yes", False: "no", None: "?"}[each.verified],
            each.note,
        )
        for each in found
    ]
    return table(rows, right=(4, 5, 6)) if found else "No drill so far."


def _refuse_slow(found: Sequence[Drill], rto: float | None, rpo: float | None) -> None:
    """Raises FindingsAbove where one took, or would lose, more than may be."""
    slow = [
        f"{each.table}: {what} {_time(seconds)}, {option} allows {_plain(most)} s"
        for each in found
        for what, seconds, option, most in (
            ("recovered in", each.rto_seconds, "--rto", rto),
            ("would lose", each.rpo_seconds, "--rpo", rpo),
        )
        if most is not None and seconds is not None and seconds > most
    ]
    if slow:
        raise FindingsAbove(
            "; ".join(slow), advice="Back up more often, restore fewer records at once, or promise less."
        )


def _time(seconds: float | None) -> str:
    """A second region may be behind by milliseconds; a drill that failed took no time that counts."""
    if seconds is None:
        return ""
    return f"{seconds * 1000:.0f} ms" if 0 < seconds < 0.1 else duration(seconds)


def _plain(seconds: float) -> str:
    """As it was given: 0.001, 3,600."""
    return f"{seconds:,}".removesuffix(".0")
