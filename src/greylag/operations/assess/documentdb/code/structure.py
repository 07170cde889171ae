"""Tokens with the brackets they stand in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from greylag.operations.assess.documentdb.code.lexer import MARK, NAME, STRING, Token, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.operations.assess.documentdb.code.languages import Family

_CLOSES: Final = {")": "(", "]": "[", "}": "{"}
_NOTHING: Final = Token(MARK, "", 0, 0)


@dataclass(frozen=True)
class Code:
    """A file's tokens. `inside[i]` is the place of the bracket that token i stands in, -1 for none; `partner` leads
    from an opening bracket to the one that closes it, `opening` back.
    """

    family: Family
    tokens: list[Token]
    inside: list[int]
    partner: dict[int, int]
    opening: dict[int, int]

    def at(self, place: int) -> Token:
        """The token there; an empty mark before the first and behind the last."""
        return self.tokens[place] if 0 <= place < len(self.tokens) else _NOTHING

    def mark(self, place: int) -> str:
        """The mark there; empty where something else stands."""
        token = self.at(place)
        return token.text if token.kind == MARK else ""

    def name(self, place: int) -> str:
        """The name there; empty where something else stands."""
        token = self.at(place)
        return token.text if token.kind == NAME else ""

    def string(self, place: int) -> str | None:
        """The string there; None where something else stands."""
        token = self.at(place)
        return token.text if token.kind == STRING else None

    def opener(self, place: int) -> int:
        """The bracket around a token, -1 for none."""
        return self.inside[place] if 0 <= place < len(self.inside) else -1

    def callee(self, opening: int) -> str:
        """The name before an opening bracket, generics passed over: `put` of `map.put(`, `Of` of `Map.Of<String>(`."""
        place = opening - 1
        if self.mark(place) == ">":
            depth = 0
            while place >= 0:
                depth += (self.mark(place) == ">") - (self.mark(place) == "<")
                place -= 1
                if not depth:
                    break
        if self.mark(place) == "!":  # a macro of Rust
            place -= 1
        return self.name(place)

    def directly_in(self, opening: int) -> Iterator[int]:
        """The places in a bracket; what stands in brackets of its own there is passed over, but for the brackets."""
        end = self.partner.get(opening, len(self.tokens))
        place = opening + 1
        while place < end:
            yield place
            place = self.partner.get(place, place + 1)

    def chain(self, place: int) -> list[str]:
        """The names that a call is made on, the nearest first: `find`, `users`, `db` for the call at
        `db.users.find(…).limit`.
        """
        found: list[str] = []
        at = place - 1
        while self.mark(at) in {".", "?.", "->", "::", "!"}:
            if self.mark(at) in {"?.", "!"} and self.mark(at - 1) == ".":
                at -= 1
            at -= 1
            while self.mark(at) in {")", "]", "!", "?"}:
                if self.mark(at) in {"!", "?"}:
                    at -= 1
                    continue
                opening = self.opening.get(at, 0)
                if self.mark(at) == "]" and (text := self.string(opening + 1)) is not None:
                    found.append(text)
                at = opening - 1
            if not self.name(at):
                break
            found.append(self.name(at))
            at -= 1
        return found


def code(text: str, family: Family) -> Code:
    """`text` as tokens with their brackets."""
    found = tokens(text, family)
    inside: list[int] = []
    partner: dict[int, int] = {}
    open_brackets: list[int] = []
    for place, token in enumerate(found):
        closes = _CLOSES.get(token.text) if token.kind == MARK else None
        if closes is not None and any(found[each].text == closes for each in open_brackets):
            # What was left open between the two is closed too.
            while open_brackets:
                opening = open_brackets.pop()
                partner[opening] = place
                if found[opening].text == closes:
                    break
        inside.append(open_brackets[-1] if open_brackets else -1)
        if token.kind == MARK and token.text in {"(", "[", "{"}:
            open_brackets.append(place)
    return Code(family, found, inside, partner, {close: opening for opening, close in partner.items()})
