"""Paths into a document, as greylag.yaml writes them: `address.city`, `tags[]`, `items[].price`.

`[]` means every element of an array. A dot inside a name is written `\\.`, a bracket `\\[`, a backslash `\\\\`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.core.values import Value


class Each:
    """The step into every element of an array."""

    def __repr__(self) -> str:
        return "EACH"

    def __reduce__(self) -> str:
        return "EACH"


EACH: Final = Each()
Path: TypeAlias = "tuple[str | Each, ...]"

_STEP = re.compile(r"(?P<name>(?:\\.|[^.\[\]\\])+)(?P<each>(?:\[\])*)(?:\.|$)")


class Missing:
    """What `get` gives where the path leads nowhere. Missing is not null."""

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False

    def __reduce__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()


def parse_path(text: str) -> Path:
    """The steps of `text`. Raises ValueError, with the place, for what is not a path."""
    steps: list[str | Each] = []
    place = 0
    while place < len(text) or not steps:
        match = _STEP.match(text, place)
        if match is None or (match.end() == len(text) and match.end() > match.end("each")):
            raise ValueError(f"{text!r} is not a path: cannot read it from character {place}")
        steps.append(re.sub(r"\\(.)", r"\1", match["name"]))
        steps.extend([EACH] * (len(match["each"]) // 2))
        place = match.end()
    return tuple(steps)


def format_path(path: Path) -> str:
    """The text `parse_path` reads back."""
    out: list[str] = []
    for step in path:
        if isinstance(step, Each):
            out.append("[]")
        else:
            out.append(("." if out else "") + re.sub(r"([.\[\]\\])", r"\\\1", step))
    return "".join(out)


def get(document: Value, path: Path) -> Value | Missing:
    """The value at `path` (no `[]` steps), or MISSING."""
    value = document
    for step in path:
        if not isinstance(value, dict) or not isinstance(step, str) or step not in value:
            return MISSING
        value = value[step]
    return value


def every(value: Value, path: Path) -> Iterator[Value]:
    """Every value `path` leads to; `[]` leads to each element of an array."""
    if not path:
        yield value
        return
    step, *rest = path
    if isinstance(step, str):
        if isinstance(value, dict) and step in value:
            yield from every(value[step], tuple(rest))
    elif isinstance(value, list):
        for element in value:
            yield from every(element, tuple(rest))
