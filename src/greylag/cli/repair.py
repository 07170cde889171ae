"""`greylag repair`."""

from __future__ import annotations

import click

from greylag.cli.invocation import Invocation, answer
from greylag.cli.verify import text as verification_text
from greylag.console.lines import table
from greylag.console.live import live
from greylag.console.units import count, plural
from greylag.errors import VerificationFailed
from greylag.executors.processes import Processes
from greylag.operations.repair import RepairOptions, RepairReport
from greylag.operations.repair import repair as repair_project


@click.command()
@click.option(
    "--only", multiple=True, metavar="SERVICE|FLOW", help="Only these; may be given more than once."
)
@click.option("--delete-extra", is_flag=True, help="Delete items that a flow owns and that have no record.")
@click.option(
    "--processes", type=click.IntRange(min=1), metavar="N", help="Worker processes; one a core unless said."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_obj
def repair(
    invocation: Invocation, *, only: tuple[str, ...], delete_extra: bool, processes: int | None, as_json: bool
) -> None:
    """Verify, and write what is missing or different. Deletes nothing without --delete-extra.

    Ends with exit code 11 if something remains that differs.
    """
    with live(silent=as_json) as observe:
        report = repair_project(
            invocation.project(),
            RepairOptions(only, delete_extra),
            executor=Processes(processes),
            observe=observe,
        )
    if as_json:
        answer(report.as_json())
    else:
        click.echo(_text(report))
    if report.repair.remaining:
        kinds = {kind for flow in report.repair.flows for kind in flow.remaining}
        raise VerificationFailed(
            f"{plural(report.repair.remaining, 'item')} still not as the source says",
            advice=f"{report.repair.remaining_file} has a line for each."
            + (" `greylag repair --delete-extra` deletes the extra items." if "extra" in kinds else ""),
        )


def _text(report: RepairReport) -> str:
    parts = ["Before:", verification_text(report.before), "", "Repair:"]
    heading = (
        "flow",
        "missing, written",
        "different, written",
        "extra, deleted",
        "not owned",
        "refused",
        "left",
    )
    rows: list[tuple[str, ...]] = [heading]
    rows += [
        (
            each.flow,
            *(count(each_count) for each_count in (each.missing, each.different, each.deleted)),
            count(each.not_owned),
            count(each.refused),
            count(sum(each.remaining.values())),
        )
        for each in report.repair.flows
    ]
    parts.append(table(rows, right=range(1, len(heading))))
    if any(each.not_owned for each in report.repair.flows):
        parts.append(
            "Not owned: what stands at the key belongs to no flow or to another one, and is left alone."
        )
    if any(each.quarantined and each.extra for each in report.before.flows):
        parts.append(
            "Some records stand in quarantine: an extra item may be an earlier state of one of them."
        )
    return "\n".join(parts)
