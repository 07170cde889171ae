"""Filters of a placeholder: `{name|upper}`, `{number|pad:8}`, `{createdAt|date}`. Each makes text of a value.

=========  ==========================================================================================
upper      the text in capitals
lower      the text in small letters
trim       the text without white space at its ends
pad:WIDTH  a whole number with leading zeros; refuses negative numbers and those of more digits
date       the day of a date, `2024-01-31`, in UTC; of ISO 8601 text the day it names, unless the text
           has a zone other than UTC
=========  ==========================================================================================

Filters are applied from left to right. One that cannot take its value leaves the template unfilled.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from greylag.core.mapping.errors import MappingError, nearest
from greylag.core.mapping.text import UNFILLED, text_of
from greylag.core.values import Int64

if TYPE_CHECKING:
    from collections.abc import Callable

    from greylag.core.mapping.text import Text
    from greylag.core.paths import Missing
    from greylag.core.values import Value

_WIDEST_PAD = 38
_WIDTH = re.compile(r"[0-9]{1,4}")


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter as written. `width` is only set for `pad`. Two values may give one text where `loses`."""

    name: str
    width: int = 0

    @property
    def loses(self) -> bool:
        """Whether two values can give one text."""
        return self.name != "pad"

    def apply(self, value: Value | Missing) -> Text:
        """The text this filter makes of `value`, or UNFILLED."""
        if self.name == "pad":
            return _pad(value, self.width)
        return _FILTERS[self.name](value)


def parse_filter(text: str, where: str) -> Filter:
    """The filter `text` names (`pad:8`). Raises MappingError."""
    name, colon, argument = text.partition(":")
    if name == "pad":
        if not (_WIDTH.fullmatch(argument) and 1 <= int(argument) <= _WIDEST_PAD):
            raise MappingError(
                where, f"`{text}` needs a width from 1 to {_WIDEST_PAD}", "write for example `{number|pad:8}`"
            )
        return Filter("pad", int(argument))
    if name not in _FILTERS:
        raise MappingError(where, f"there is no filter `{name}`", nearest(name, (*_FILTERS, "pad")))
    if colon:
        raise MappingError(where, f"the filter `{name}` takes no argument", f"write `{name}` alone")
    return Filter(name)


def _pad(value: Value | Missing, width: int) -> Text:
    if type(value) is not int and type(value) is not Int64:
        return UNFILLED
    text = text_of(value)
    return UNFILLED if value < 0 or text is UNFILLED or len(text) > width else text.zfill(width)


def _date(value: Value | Missing) -> Text:
    if isinstance(value, str):
        try:
            written = datetime.fromisoformat(value)
        except ValueError:
            return UNFILLED
        if value[4:5] != "-" or value[7:8] != "-" or written.utcoffset():
            return UNFILLED
        return value[:10]
    return value.isoformat()[:10] if isinstance(value, datetime) else UNFILLED


def _changed(change: Callable[[str], str]) -> Callable[[Value | Missing], Text]:
    def apply(value: Value | Missing) -> Text:
        text = text_of(value)
        return UNFILLED if text is UNFILLED else change(text)

    return apply


_FILTERS: dict[str, Callable[[Value | Missing], Text]] = {
    "upper": _changed(str.upper),
    "lower": _changed(str.lower),
    "trim": _changed(str.strip),
    "date": _date,
}
