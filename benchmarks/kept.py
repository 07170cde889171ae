"""What was measured, a file for each figure: an interrupted run, or one of some figures, adds to the others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.figure import Figure  # noqa: TC001 - what is read back needs it

FOLDER: Final = Path(__file__).parent / "figures"


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure, of which commit and when, on which kernel, and how busy the machine was before. `machine` has what must
    be the same for figures to stand in one table.
    """

    figure: Figure
    commit: str
    when: str
    minutes: float
    load: float
    system: str
    machine: tuple[tuple[str, str], ...]


def keep(measured: Measured) -> None:
    """In place of what there was of its letter."""
    FOLDER.mkdir(exist_ok=True)
    content = msgspec.json.format(msgspec.json.encode(measured), indent=1)
    (FOLDER / f"{measured.figure.letter}.json").write_bytes(content + b"\n")


def kept(machine: tuple[tuple[str, str], ...]) -> list[Measured]:
    """All that was measured on this machine with these versions, by letter; what was measured elsewhere is left out."""
    found = [msgspec.json.decode(each.read_bytes(), type=Measured) for each in sorted(FOLDER.glob("*.json"))]
    return [each for each in found if each.machine == machine]
