"""What differs between two documents, value by value and type by type."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greylag.core.extended_json import to_extended
from greylag.core.paths import MISSING
from greylag.core.values import identical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.core.paths import Missing
    from greylag.core.values import Document, Value


@dataclass(frozen=True, slots=True)
class Difference:
    """Two values at one path: `address.city`, `tags[3]`. Missing is not null. `source` is what was mapped from it.

    `unreadable` says why what stands at the target is no value Greylag knows; the two sides are then empty.
    """

    path: str
    source: Value | Missing = MISSING
    target: Value | Missing = MISSING
    unreadable: str = ""

    def as_json(self) -> dict[str, Any]:
        """In extended JSON; a side that has nothing there is left out."""
        told: dict[str, Any] = {"path": self.path}
        if self.source is not MISSING:
            told["source"] = to_extended(self.source)  # type: ignore[arg-type]
        if self.target is not MISSING:
            told["target"] = to_extended(self.target)  # type: ignore[arg-type]
        if self.unreadable:
            told["unreadable"] = self.unreadable
        return told


def differences(source: Document, target: Document, *, ordered: bool = False) -> Iterator[Difference]:
    """Where the two are not identical, none if they are. The order of fields counts only with `ordered`."""
    yield from _documents(source, target, "", ordered=ordered)


def _documents(source: Document, target: Document, path: str, *, ordered: bool) -> Iterator[Difference]:
    found = False
    for name in [*source, *(name for name in target if name not in source)]:
        here = f"{path}.{_escaped(name)}" if path else _escaped(name)
        for each in _values(source.get(name, MISSING), target.get(name, MISSING), here, ordered=ordered):
            found = True
            yield each
    if ordered and not found and list(source) != list(target):
        yield Difference(path, source, target)


def _values(
    source: Value | Missing, target: Value | Missing, path: str, *, ordered: bool
) -> Iterator[Difference]:
    if isinstance(source, dict) and isinstance(target, dict):
        yield from _documents(source, target, path, ordered=ordered)
    elif isinstance(source, list) and isinstance(target, list) and len(source) == len(target):
        for place, (one, other) in enumerate(zip(source, target, strict=True)):
            yield from _values(one, other, f"{path}[{place}]", ordered=ordered)
    elif source is MISSING or target is MISSING or not identical(source, target, ordered=ordered):  # type: ignore[arg-type]
        yield Difference(path, source, target)


def _escaped(name: str) -> str:
    return re.sub(r"([.\[\]\\])", r"\\\1", name)
