"""The nearest valid name to one that was mistyped."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that `name` was most likely meant to be, or None if none is close."""
    by_folded = {known.casefold(): known for known in sorted(names, reverse=True)}
    found = difflib.get_close_matches(name.casefold(), list(by_folded), n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """ "; did you mean 'x'?" to end a message with, or nothing."""
    found = nearest(name, names)
    return f"; did you mean {found!r}?" if found else ""
