"""Operators in text that holds a whole query: `'{"$facet": …}'`, a here-document, the argument of `--eval`.

A key stands in braces, behind the brace or a comma, and has a colon behind it; so prose that names an operator is none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from greylag.operations.assess.documentdb.code.stages import TWO_MEANINGS
from greylag.operations.assess.documentdb.code.words import STAGES
from greylag.operations.assess.documentdb.tables import ACCUMULATOR, STAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOOKED_AT: Final = re.compile(
    r"""(?P<open>[\[({])|(?P<close>[\])}])|(?<![\w$])\\?["']?(?P<name>\$[A-Za-z]\w*)\\?["']?\s*:(?!:)"""
)
_BEFORE_KEY: Final = re.compile(r"[{,]\s*(?://[^\n]*\n\s*)?$")
_FIRST_KEY: Final = re.compile(r"""[\[(]\s*\{\s*(?:\\?["']?(?P<name>[\w$]+)|\})""")
_EMPTY: Final = re.compile(r"\s*\{\s*\}")
_CLOSES: Final = {"]": "[", ")": "(", "}": "{"}
_NEAR: Final = 200


class Embedded(NamedTuple):
    """An operator, where in the text it stands, and what it is used as."""

    name: str
    place: int
    used_as: str


def embedded(text: str, *, in_pipeline: bool = False) -> Iterator[Embedded]:
    """The operators that are keys in `text`. `in_pipeline`: the text is a stage by itself."""
    around: list[tuple[str, int]] = []
    for found in _LOOKED_AT.finditer(text):
        if found["open"]:
            around.append((found["open"], found.start()))
        elif found["close"]:
            if any(bracket == _CLOSES[found["close"]] for bracket, _ in around):
                while around.pop()[0] != _CLOSES[found["close"]]:
                    pass
        elif (
            around
            and around[-1][0] == "{"
            and _BEFORE_KEY.search(text, max(0, found.start() - _NEAR), found.start())
        ):
            yield Embedded(
                found["name"], found.start("name"), _used_as(text, found, around, in_pipeline=in_pipeline)
            )


def _used_as(text: str, found: re.Match[str], around: list[tuple[str, int]], *, in_pipeline: bool) -> str:
    if found["name"] in TWO_MEANINGS:
        if len(around) == 1:
            return STAGE if in_pipeline else ""
        bracket, place = around[-2]
        first = _FIRST_KEY.match(text, place)
        return STAGE if bracket == "[" and first is not None and first["name"] in STAGES else ""
    if found["name"] == "$count" and _EMPTY.match(text, found.end()):
        return ACCUMULATOR
    return ""
