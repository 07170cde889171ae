"""Why a flow's mapping cannot be compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.core.nearest import nearest as nearest_of

if TYPE_CHECKING:
    from collections.abc import Iterable


class MappingError(ValueError):
    """A mapping that cannot work, found before any record is read.

    `where` is the place within the flow (`attributes.PK`), `message` what is wrong there, `advice` what to
    do.
    """

    def __init__(self, where: str, message: str, advice: str = "") -> None:
        super().__init__(f"{where}: {message}")
        self.where = where
        self.message = message
        self.advice = advice

    def __reduce__(self) -> tuple[type[MappingError], tuple[str, str, str]]:
        return MappingError, (self.where, self.message, self.advice)


def nearest(name: str, known: Iterable[str]) -> str:
    """Advice that names the nearest of `known`, or all of them."""
    names = sorted(known)
    close = nearest_of(name, names)
    return f"did you mean `{close}`?" if close else f"known are {', '.join(names)}"
