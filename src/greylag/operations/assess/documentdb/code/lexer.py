"""Source code as tokens: strings with the text the program sees, names, marks. Comments are left out.

Small on purpose: it tells strings, comments and names apart and knows lines, and it recovers at the end of a line from
what it does not understand. It parses no language.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from greylag.operations.assess.documentdb.code.languages import FILLED, RAW, Family

if TYPE_CHECKING:
    from collections.abc import Iterator

STRING: Final = "string"
NAME: Final = "name"
MARK: Final = "mark"
HOLE: Final = "\ufffc"
"""Stands in a string for what the program fills in there."""

_HOLES = re.compile(
    r"\\(?P<escaped>.)|\$\{'(?P<dollar>\$)'\}|\$\{[^}]*\}|\{\$[^}]*\}|\$[A-Za-z_]\w*", re.DOTALL
)
_ESCAPES = re.compile(r"\\(?:u(?P<code>[0-9a-fA-F]{4})|x(?P<byte>[0-9a-fA-F]{2})|(?P<char>.))", re.DOTALL)
_SPACES: Final = {"n": " ", "t": " ", "r": " ", "\n": "\n"}
_MARKS: Final = r"=>|->|:=|==+|!=+|::|\?\.|\*\*|&&|\|\||."
_REGEX: Final = r"/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*"
_BEFORE_REGEX: Final = frozenset("(,=:[!&|?{};+-*%<>~^") | {"=>", "==", "===", "!=", "!==", "&&", "||"}
_WORDS_BEFORE_REGEX: Final = frozenset(
    {"return", "typeof", "case", "in", "of", "do", "else", "await", "yield"}
)


@dataclass(frozen=True, slots=True)
class Token:
    """`text` of a string is its content; `line` is where it begins, `end` where it ends, both counted from 1."""

    kind: str
    text: str
    line: int
    end: int


def tokens(text: str, family: Family) -> list[Token]:
    """All of them, in order."""
    start = text.find(family.opens_with) if family.opens_with else 0
    if start < 0:
        return []
    return _without_docstrings(list(_lexed(text, family, start, len(text), _Lines(text))), family)


class _Lines:
    """The line of each place of a text, asked for in rising order."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._line = 1

    def at(self, place: int) -> int:
        if place < self._place:
            return self._line - self._text.count("\n", place, self._place)
        self._line += self._text.count("\n", self._place, place)
        self._place = place
        return self._line


def _lexed(text: str, family: Family, start: int, end: int, lines: _Lines) -> Iterator[Token]:
    pattern, groups = _pattern(family)
    place, before = start, Token(MARK, ";", 1, 1)
    while place < end:
        if family.templates and text[place] == "`":
            token, inner, place = _template(text, place, end, lines)
            yield token
            for first, last in inner:
                yield from _lexed(text, family, first, last, lines)
            before = token
            continue
        if family.templates and text[place] == "/" and _regex_may_follow(before):
            found = _regex().match(text, place, end)
            if found is not None:
                place = found.end()
                before = Token(NAME, "regex", lines.at(found.start()), lines.at(found.start()))
                continue
        found = pattern.match(text, place, end)
        assert found is not None  # `.` takes what nothing else does
        place = found.end()
        token_of = _token(found, groups, lines)
        if token_of is not None:
            before = token_of
            yield token_of


def _token(found: re.Match[str], groups: dict[str, str], lines: _Lines) -> Token | None:
    kind = found.lastgroup
    if kind in {"skip", None}:
        return None
    line = lines.at(found.start())
    if kind is not None and kind in {NAME, MARK}:
        return Token(kind, found[0], line, line)
    name = next(each for each in groups if found.group(f"whole{each}") is not None)
    # A heredoc begins on the line after the one that names it.
    line += found[0][: found.start(name) - found.start()].count("\n")
    return Token(STRING, _content(found[name], groups[name]), line, lines.at(found.end()))


def _content(text: str, escapes: str) -> str:
    if escapes == RAW:
        return text
    if escapes == FILLED:
        return _HOLES.sub(lambda each: each["dollar"] or each["escaped"] or HOLE, text)
    return _ESCAPES.sub(_unescaped, text)


def _unescaped(each: re.Match[str]) -> str:
    if each["char"] is not None:
        return _SPACES.get(each["char"], each["char"])
    return chr(int(each["code"] or each["byte"], 16))


def _template(text: str, start: int, end: int, lines: _Lines) -> tuple[Token, list[tuple[int, int]], int]:
    """A template literal, the places of the code within it, and where it ends."""
    parts: list[str] = []
    inner: list[tuple[int, int]] = []
    place = start + 1
    while place < end and text[place] != "`":
        if text[place] == "\\":
            parts.append(text[place + 1 : place + 2])
            place += 2
        elif text.startswith("${", place):
            close = _closing(text, place + 2, end)
            inner.append((place + 2, close))
            parts.append(HOLE + "\n" * text.count("\n", place, close))
            place = close + 1
        else:
            parts.append(text[place])
            place += 1
    return Token(STRING, "".join(parts), lines.at(start), lines.at(min(place, end))), inner, place + 1


def _closing(text: str, place: int, end: int) -> int:
    """The brace that closes what opened before `place`; strings within are stepped over."""
    depth = 1
    while place < end:
        char = text[place]
        if char in "'\"`":
            close = text.find(char, place + 1, end)
            place = close if close >= 0 else place
        elif char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if not depth:
                return place
        place += 1
    return end


def _regex_may_follow(before: Token) -> bool:
    if before.kind == MARK:
        return before.text in _BEFORE_REGEX
    return before.kind == NAME and before.text in _WORDS_BEFORE_REGEX


@cache
def _regex() -> re.Pattern[str]:
    return re.compile(_REGEX)


@cache
def _pattern(family: Family) -> tuple[re.Pattern[str], dict[str, str]]:
    """The pattern of one token, and what the escapes are of each kind of string."""
    groups = {f"s{number}": escapes for number, (_, escapes) in enumerate(family.strings)}
    strings = [
        f"(?P<whole{name}>{pattern.format(name)})"
        for name, (pattern, _) in zip(groups, family.strings, strict=True)
    ]
    comments = "|".join(family.comments)
    name = r"\$?\$?[A-Za-z_][\w$]*" if family.dollar_names else r"[A-Za-z_]\w*"
    number = r"\d[\w.]*"
    parts = [
        rf"(?P<skip>\s+|{comments})",
        rf"(?P<{STRING}>{'|'.join(strings)})",
        rf"(?P<{NAME}>{name}|{number})",
        rf"(?P<{MARK}>{_MARKS})",
    ]
    return re.compile("|".join(parts), re.DOTALL | re.MULTILINE), groups


def _without_docstrings(found: list[Token], family: Family) -> list[Token]:
    """A string that is a statement of its own says something to people alone."""
    if not family.docstrings:
        return found
    kept: list[Token] = []
    depth = 0
    for place, token in enumerate(found):
        if token.kind == MARK:
            depth += (token.text in {"(", "[", "{"}) - (token.text in {")", "]", "}"})
        alone = (
            token.kind == STRING
            and depth == 0
            and (place == 0 or found[place - 1].end < token.line)
            and (place + 1 == len(found) or found[place + 1].line > token.end)
        )
        if not alone:
            kept.append(token)
    return kept
