"""What every section of greylag.yaml is made of: names, texts, durations, and mappings whose keys are all known."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"(?:\d+[smhdw])+", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*", re.ASCII)


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(
            f"{text!r} is not a name: letters, digits, - and _ make one, and a letter or digit begins it"
        )
    return text


def duration_seconds(text: str) -> int:
    """The seconds in `30d` or `1h30m`. Raises ValueError for anything else."""
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration: write a whole number and s, m, h, d or w, such as 30d")
    return sum(int(number) * _SECONDS[unit] for number, unit in re.findall(r"(\d+)([smhdw])", text))


def _duration(text: str) -> str:
    duration_seconds(text)
    return text


Name = Annotated[str, AfterValidator(_name)]
Text = Annotated[str, StringConstraints(min_length=1)]
Duration = Annotated[str, AfterValidator(_duration)]
Templates = dict[Text, Any]


class Section(BaseModel):
    """A mapping of greylag.yaml whose keys are all known."""

    # Built when the first file is read, the whole of it at once, not part by part at every command's start.
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False, defer_build=True)
