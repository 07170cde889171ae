"""`greylag verify`."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from greylag.cli.invocation import Invocation, answer
from greylag.console.lines import table
from greylag.console.live import live
from greylag.console.units import count, duration, plural
from greylag.errors import VerificationFailed
from greylag.executors.processes import Processes
from greylag.operations.rounds import rounds as verify_rounds
from greylag.operations.verify import VerifyOptions, save
from greylag.operations.verify import verify as verify_project

if TYPE_CHECKING:
    from greylag.engine.verification import Verification
    from greylag.operations.rounds import Round

_SHOWN_ROUNDS = 1000


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
@click.option(
    "--certificate",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write what was proven here, for `greylag certificate check`.",
)
@click.option(
    "--frozen", is_flag=True, help="State that nothing writes to the source; the certificate says so."
)
@click.option("--follow", is_flag=True, help="Verify again and again while writes go on, until interrupted.")
@click.option("--rounds", type=click.IntRange(min=1), metavar="N", help="With --follow: so many times.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_obj
def verify(
    invocation: Invocation,
    *,
    only: tuple[str, ...],
    sample: int | None,
    processes: int | None,
    report: Path | None,
    certificate: Path | None,
    frozen: bool,
    follow: bool,
    rounds: int | None,
    as_json: bool,
) -> None:
    """Compare every record with its target. Only reads.

    Ends with exit code 11 if source and target differ. `greylag repair` mends.
    """
    if rounds is not None and not follow:
        raise click.UsageError("--rounds is for --follow")
    if follow:
        if sample is not None or certificate is not None or report is not None:
            raise click.UsageError("--sample, --report and --certificate cannot be given beside --follow")
        _follow(invocation, only, processes, rounds, as_json=as_json)
        return
    if certificate is not None and sample is not None:
        raise click.UsageError("--certificate needs every record, so no --sample")
    if frozen and certificate is None:
        raise click.UsageError("--frozen is for --certificate")
    with live(silent=as_json) as observe:
        found = verify_project(
            invocation.project(),
            VerifyOptions(only, sample, certificate, frozen),
            executor=Processes(processes),
            observe=observe,
        )
    if report is not None:
        save(found.as_json(), report)
    if as_json:
        answer(found.as_json())
    else:
        click.echo(text(found))
        if certificate is not None:
            click.echo(f"{found.statement}\nWritten to {certificate}.")
    if found.mismatches:
        raise VerificationFailed(
            f"{plural(found.mismatches, 'item')} at the target {'is' if found.mismatches == 1 else 'are'} not as the "
            "source says",
            advice=f"{found.mismatches_file} has a line for each; `greylag repair` mends them.",
        )


def _follow(
    invocation: Invocation,
    only: tuple[str, ...],
    processes: int | None,
    count_of_rounds: int | None,
    *,
    as_json: bool,
) -> None:
    """An interrupt ends it well, with what the last whole round found."""
    last: Round | None = None
    told: list[dict[str, Any]] = []
    with live(silent=True) as observe:
        found = verify_rounds(invocation.project(), only, executor=Processes(processes), observe=observe)
        try:
            for last in islice(found, count_of_rounds):
                told = [*told, last.as_json()][-_SHOWN_ROUNDS:]
                if not as_json:
                    click.echo(_round(last))
        except KeyboardInterrupt:
            if last is None:
                raise
        finally:
            found.close()
    if as_json:
        answer({"rounds": told})
    if last is not None and last.lasting:
        raise VerificationFailed(
            f"{plural(last.lasting, 'item')} at the target not as the source says, after what was written before was "
            "applied",
            advice=f"{last.lasting_file} has a line for each; stop the run and `greylag repair` mends them.",
        )


def _round(found: Round) -> str:
    what = "" if found.whole else f" of {plural(found.looked_at, 'record')} that changed"
    parts = [
        f"round {found.number}: {plural(found.verified, 'item')}{what} verified in {duration(found.seconds)}"
    ]
    if found.because:
        parts[0] += f" (everything was read: {found.because})"
    if found.passing:
        parts.append(f"{plural(found.passing, 'difference')} passed")
    if found.changing:
        parts.append(f"{plural(found.changing, 'item')} changed meanwhile")
    lasting = f"{plural(found.lasting, 'item')} not as the source says, the oldest for {duration(found.oldest_seconds)}"
    parts.append(lasting if found.lasting else "nothing differs")
    return "; ".join(parts)


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
