"""`greylag certificate`."""

from __future__ import annotations

from pathlib import Path

import click

from greylag.cli.invocation import Invocation, answer
from greylag.console.lines import table
from greylag.console.live import live
from greylag.console.units import count, plural
from greylag.engine.oneside import SIDES
from greylag.errors import VerificationFailed
from greylag.executors.processes import Processes
from greylag.operations.certificate import check as operation
from greylag.operations.certificate.document import load

_SHOWN = 20


@click.group()
def certificate() -> None:
    """Hold a certificate against source or target."""


@certificate.command()
@click.argument("proof", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--side", type=click.Choice(SIDES), help="Read only this side; each alone unless said.")
@click.option(
    "--processes", type=click.IntRange(min=1), metavar="N", help="Worker processes; one a core unless said."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def check(
    invocation: Invocation, *, proof: Path, side: str | None, processes: int | None, as_json: bool
) -> None:
    """Read a side again and say which ranges are not as FILE says. Only reads.

    Ends with exit code 11 if one is not. The other side need not be there any more.
    """
    document = load(proof)
    sides = SIDES if side is None else (side,)
    with live(silent=as_json) as observe:
        found = operation.check(
            invocation.project(), document, sides, executor=Processes(processes), observe=observe
        )
    if as_json:
        answer(found.as_json())
    else:
        click.echo(_text(found))
    if found.apart:
        raise VerificationFailed(
            f"{plural(len(found.apart), 'range')} not as the {found.kind} says",
            advice="Something was written since it was made. While both sides are there, `greylag verify` names the "
            "items.",
        )


def _text(found: operation.Checked) -> str:
    parts = [f"A {found.kind} with the root digest {found.root}"]
    parts += [f"{side}: {plural(items, 'item')} read" for side, items in found.items.items()]
    if found.apart:
        rows: list[tuple[str, ...]] = [("flow", "side", "range", "items then", "items now")]
        rows += [
            (each.flow, each.side, each.range, count(each.certified.items), count(each.found.items))
            for each in found.apart[:_SHOWN]
        ]
        parts.append(table(rows, right=range(3, 5)))
        if len(found.apart) > _SHOWN:
            parts.append(f"and {plural(len(found.apart) - _SHOWN, 'range')} more")
    else:
        parts.append("Every range is as it says.")
    return "\n".join(parts)
