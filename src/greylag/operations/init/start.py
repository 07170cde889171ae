"""`greylag init`: look at a folder, propose, and write a greylag.yaml where there is none."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greylag.errors import ConfigurationError
from greylag.operations.init.proposal import propose
from greylag.operations.init.survey import survey
from greylag.operations.init.writing import render

if TYPE_CHECKING:
    from pathlib import Path

    from greylag.operations.init.proposal import Proposal
    from greylag.operations.init.survey import Survey

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Start:
    """What was found and proposed; `text` is the file, `written` says whether it is on disk at `file`."""

    file: Path
    survey: Survey
    proposal: Proposal
    text: str
    written: bool

    def as_json(self) -> dict[str, Any]:
        """For `--json`. The text itself only where it was not written."""
        return {
            "file": str(self.file),
            "written": self.written,
            "found": self.survey.as_json(),
            "proposed": self.proposal.as_json(),
            "text": None if self.written else self.text,
        }


def start(
    file: Path,
    *,
    environment: str | None = None,
    mongodb: str | None = None,
    connect: bool = True,
    write: bool = True,
) -> Start:
    """Look at the folder of `file` and write `file`, unless `write` is false.

    Raises ConfigurationError, and writes nothing, where `file` exists or nothing at all was found.
    """
    if write and os.path.lexists(file):
        raise _exists(file)
    found = survey(file.parent, environment=environment, asked=mongodb, connect=connect)
    if found.empty:
        raise ConfigurationError(
            f"nothing was found in {file.parent} that a greylag.yaml could start from: no compose file, no data, no"
            " address of a store" + "".join(f"\n  {each.message}" for each in found.findings[:_SHOWN]),
            advice="Name the application's folder (greylag init DIR), or a variable with the address of its MongoDB"
            " (--mongodb VARIABLE). docs/mapping.md has a whole greylag.yaml to begin with.",
        )
    proposal = propose(found)
    text = render(proposal, found)
    if write:
        _write(file, text)
    return Start(file, found, proposal, text, write)


def _write(file: Path, text: str) -> None:
    """The whole file or none: half of one would stand in the way of the next try."""
    try:
        opened = file.open("x", encoding="utf-8")
    except FileExistsError:
        raise _exists(file) from None
    try:
        with opened:
            opened.write(text)
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def _exists(file: Path) -> ConfigurationError:
    return ConfigurationError(
        f"{file} exists already, and init never writes over a file",
        advice="See what init would write with --stdout, or move the file away and run it again.",
    )
