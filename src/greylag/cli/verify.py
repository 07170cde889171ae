"""`greylag verify`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from greylag.cli.invocation import Invocation, answer
from greylag.console.lines import table
from greylag.console.live import live
from greylag.console.units import count, duration, plural
from greylag.errors import VerificationFailed
from greylag.executors.processes import Processes
from greylag.operations.verify import VerifyOptions, save
from greylag.operations.verify import verify as verify_project

if TYPE_CHECKING:
    from greylag.engine.verification import Verification


@click.command()
@click.option(
    "--only", multiple=True, metavar="SERVICE|FLOW", help="Only these; may be given more than once."
)
@click.option(
    "--sample", type=click.IntRange(min=1), metavar="N", help="Compare N records of each flow, not all."
)
@click.option(
    "--processes", type=click.IntRange(min=1), metavar="N", help="Worker processes; one a core unless said."
)
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the report here too.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_obj
def verify(
    invocation: Invocation,
    *,
    only: tuple[str, ...],
    sample: int | None,
    processes: int | None,
    report: Path | None,
    as_json: bool,
) -> None:
    """Compare every record with its target. Only reads.

    Ends with exit code 11 if source and target differ. `greylag repair` mends.
    """
    with live(silent=as_json) as observe:
        found = verify_project(
            invocation.project(), VerifyOptions(only, sample), executor=Processes(processes), observe=observe
        )
    if report is not None:
        save(found.as_json(), report)
    if as_json:
        answer(found.as_json())
    else:
        click.echo(text(found))
    if found.mismatches:
        raise VerificationFailed(
            f"{plural(found.mismatches, 'item')} at the target {'is' if found.mismatches == 1 else 'are'} not as the "
            "source says",
            advice=f"{found.mismatches_file} has a line for each; `greylag repair` mends them.",
        )


def text(found: Verification) -> str:
    """The report as a table and a few sentences."""
    heading = (
        "flow",
        "records",
        "filtered",
        "quarantined",
        "verified",
        "missing",
        "different",
        "extra",
        "contested",
    )
    rows: list[tuple[str, ...]] = [heading]
    rows += [
        (each.flow, *(count(getattr(each, name)) for name in heading[1:]))  # a column is named as its count
        for each in found.flows
    ]
    parts = [table(rows, right=range(1, len(heading)))]
    for each in found.tables:
        if each.unowned:
            keys = ", ".join(json.dumps(key, ensure_ascii=False) for key in each.examples)
            parts.append(
                f"{each.table}: {plural(each.unowned, 'item')} of no flow, left alone, for example {keys}"
            )
    checked = sum(each.verified for each in found.flows)
    parts.append(f"{plural(checked, 'item')} verified in {duration(found.seconds)}")
    changed = sum(each.changed for each in found.flows)
    if changed:
        parts.append(f"{plural(changed, 'item')} changed while they were compared, and were not counted")
    if found.sample is not None:
        parts.append("A sample: items without a record and keys that records share were not looked for.")
    parts += [f"Note: {note}" for note in found.notes]
    return "\n".join(parts)
