"""Operators in source code: names that begin with a dollar sign and stand where a document has its keys.

A string `"$rank"` is an operator as a key and a field's path as a value: what counts is where it stands. In text that
holds a whole query (`'{"$facet": …}'`, a here-document) keys are found by what stands around them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from greylag.operations.assess.documentdb.code.embedded import embedded
from greylag.operations.assess.documentdb.code.lexer import NAME, STRING
from greylag.operations.assess.documentdb.code.stages import LABELS, used_as
from greylag.operations.assess.documentdb.code.words import (
    ASKS,
    OF_QUERY_STRINGS,
    PLAIN_TYPES_OF_GO,
    SAYS,
    SPEAKS,
    TAKES_FIELDS,
    TYPES_OF_TYPESCRIPT,
)
from greylag.operations.assess.documentdb.tables import tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.operations.assess.documentdb.code.structure import Code

_VARIABLE = re.compile(r"\$\$[A-Z_]+")
_OPERATOR: Final = re.compile(r"\$[A-Za-z]\w*")
_KEY_MARKS: Final = frozenset({":", "=>", "->"})
_ARROWS_TO_CASES: Final = {
    "=>": frozenset({"rust", "csharp", "js"}),
    "->": frozenset({"kotlin", "java", "elixir"}),
}
"""Where what stands before the arrow is compared, not a key."""
_BEFORE_KEY: Final = frozenset({"{", "[", "(", ",", "**", "|"})
_NEAR: Final = 100
"""Tokens that are looked at around one: a line of generated code may have a million."""
_IS_ERROR: Final = re.compile(r"(?:Error|Exception|Warning|Panic)$")
_IS_LOG: Final = re.compile(r"(?:console|log|logger|logging|slog|_?log(?:ger)?)", re.IGNORECASE)
_CONSTANT: Final = re.compile(r"[A-Z][A-Z0-9_]*[A-Z0-9]")
_OF_FIELDS: Final = re.compile(r"FIELD|PATH|COLUMN|ATTR|REF")
_CONSTANT_WORDS: Final = frozenset({"const", "final", "static", "readonly", "enum", "define"})
_OBJECTS_OF_FRAMEWORKS: Final = frozenset({"this", "self", "vm", "scope", "$scope", "prototype", "proto"})


@dataclass(frozen=True, slots=True)
class Use:
    """An operator, the line it stands in, and what it is used as where that matters."""

    name: str
    line: int
    used_as: str = ""


def uses(code: Code) -> Iterator[Use]:
    """The operators of a file, in order. Also names that MongoDB does not have: the tables know."""
    for place, token in enumerate(code.tokens):
        if token.kind == STRING and "$" in token.text:
            yield from _of_string(code, place)
        elif token.kind == NAME and token.text.startswith("$") and _bare_key(code, place):
            yield Use(token.text, token.line, used_as(code, place, token.text))


def _of_string(code: Code, place: int) -> Iterator[Use]:
    token = code.tokens[place]
    text = token.text.strip()
    if _OPERATOR.fullmatch(text):
        if is_key(code, place):
            yield Use(text, token.line, used_as(code, place, text))
    elif variable := _VARIABLE.match(text):
        if variable.end() == len(text) or text[variable.end()] == ".":
            yield Use(variable[0], token.line)
    elif "{" in text and not _is_said(code, place):
        for found in embedded(token.text, in_pipeline=_in_an_annotated_pipeline(code, place)):
            line = token.line + token.text.count("\n", 0, found.place)
            yield Use(found.name, line, found.used_as)


def _is_said(code: Code, place: int) -> bool:
    """Whether the text is told to people: an argument of a log's call, or of an error's."""
    opening = code.opener(place)
    if code.mark(opening) != "(":
        return _follows_a_word_for_people(code, place)
    callee = code.callee(opening)
    chain = code.chain(opening - 1)
    return (
        callee in SAYS
        or _IS_ERROR.search(callee) is not None
        or (callee == "New" and chain[:1] == ["errors"])
        or (bool(chain) and _IS_LOG.fullmatch(chain[0]) is not None)
    )


def _follows_a_word_for_people(code: Code, place: int) -> bool:
    """`raise ArgumentError, "…"` and `echo '…'`, which need no brackets."""
    line, opening = code.tokens[place].line, code.opener(place)
    begin = place
    while (
        begin
        and place - begin < _NEAR
        and code.tokens[begin - 1].line == line
        and code.opener(begin - 1) == opening
    ):
        begin -= 1
    return code.family.name != "shell" and code.name(begin) in SAYS


def _in_an_annotated_pipeline(code: Code, place: int) -> bool:
    """`@Aggregation(pipeline = {"{ $match: … }", "{ $set: … }"})`."""
    opening = code.opener(place)
    if code.mark(opening) in {"{", "["}:
        opening = code.opener(opening)
    return code.mark(opening) == "(" and code.callee(opening) == "Aggregation"


def is_key(code: Code, place: int) -> bool:
    """Whether a string stands where a document has its keys."""
    before, after = code.mark(place - 1), code.mark(place + 1)
    if after in _KEY_MARKS or (code.family.name == "kotlin" and code.name(place + 1) == "to"):
        if _is_case(code, place) or _is_of_a_query_string(code, place):
            return False
        if before in _BEFORE_KEY or (before == ":" and after == "=>"):
            return not _is_pattern(code, place) and not _is_declared(code, place)
        return code.family.keys_without_brackets and _begins_line(code, place)
    if before == "[" and after == "]":  # `stage["$facet"] = …`, `{["$facet"]: …}`
        return code.mark(place + 2) in {"=", ":", "=>"}
    if before in {":", "="} and code.name(place - 2) in LABELS:
        return code.mark(code.opener(place)) in {"{", "("}
    if before == "{" and after != "}" and code.family.name != "shell":
        return after != "," or _is_pair(code, place)
    if before == "(":
        return _is_argument(code, place, after)
    return before == "=" and _names_a_constant(code, place)


def _is_case(code: Code, place: int) -> bool:
    """Whether it is compared with: `case "$a", "$b":`, `match ($op) {"$a" => …}`, `when (op) {"$a" -> …}`."""
    if code.family.name in _ARROWS_TO_CASES.get(code.mark(place + 1), ()):
        return True
    opening = code.opener(place)
    if code.mark(opening) == "{" and code.callee(code.opening.get(opening - 1, -1)) == "match":
        return True
    at = place - 1
    while code.string(at) is not None or code.mark(at) in {",", "|"}:
        at -= 1
    return code.name(at) in {"case", "when"} and code.opener(at) == opening


def _is_of_a_query_string(code: Code, place: int) -> bool:
    """Whether a name beside it is one of OData's or Socrata's, whose `$top` and `$where` go into an address."""
    opening = code.opener(place)
    beside = islice(code.directly_in(opening), _NEAR) if opening >= 0 else ()
    return any(code.string(at) in OF_QUERY_STRINGS for at in beside)


def _is_pair(code: Code, place: int) -> bool:
    """Whether the braces hold a key and its value, as in Go and C#, and not a set or an array."""
    opening = code.opener(place)
    if code.family.name == "csharp":
        return code.mark(opening - 1) in {"{", ","} or code.name(opening - 1).startswith("Bson")
    if code.family.name == "go":
        return code.name(opening - 1) not in PLAIN_TYPES_OF_GO and not _are_names(code, opening)
    return code.family.name == "other" and not _are_names(code, opening)


def _are_names(code: Code, opening: int) -> bool:
    """Whether the brackets hold several operators' names and nothing else: a list of what is allowed, or is not."""
    found = [at for at in islice(code.directly_in(opening), _NEAR) if code.mark(at) != ","]
    return len(found) > 1 and all(code.string(at) in tables().operators for at in found)


def _is_argument(code: Code, place: int, after: str) -> bool:
    callee = code.callee(place - 1)
    if _are_names(code, place - 1):
        return False
    if after == ")":  # an enumeration's member: `FACET("$facet")`
        return _CONSTANT.fullmatch(callee) is not None
    return after == "," and callee not in TAKES_FIELDS | SPEAKS | ASKS


def _names_a_constant(code: Code, place: int) -> bool:
    """Whether the string is assigned to a constant, not to a field's path: those are made to be keys."""
    target = code.name(place - 2)
    if _OF_FIELDS.search(target.upper()):
        return False
    if _CONSTANT.fullmatch(target):
        return True
    if code.family.name in {"js", "python"}:
        opening = code.opener(place)
        return "enum" in {code.name(opening - 1), code.name(opening - 2)}
    line = code.tokens[place].line
    at = place - 1
    while at >= 0 and code.tokens[at].line == line:
        if code.name(at) in _CONSTANT_WORDS:
            return True
        at -= 1
    return False


def _bare_key(code: Code, place: int) -> bool:
    before, after = code.mark(place - 1), code.mark(place + 1)
    if code.family.keys_without_brackets:
        return after == ":" and (before in {"{", ","} or _begins_line(code, place))
    if (
        before == "." and after == "="
    ):  # `stage.$facet = …`; what frameworks call $where belongs to their objects
        return code.name(place - 2) not in _OBJECTS_OF_FRAMEWORKS
    if after == "(":
        return _is_method(code, place, before)
    opening = code.opener(place)
    return (
        after == ":"
        and before in {"{", ","}
        and code.mark(opening) == "{"
        and not _is_pattern(code, place)
        and not _is_type(code, opening)
        and not _is_declared(code, place)
    )


def _is_method(code: Code, place: int, before: str) -> bool:
    """`{ $where() { … } }`, and Mongoose's `Model.find().$where(…)`."""
    if before == ".":
        return any(each.startswith("find") for each in code.chain(place))
    opening = code.opener(place)
    close = code.partner.get(place + 1, -2)
    return (
        before in {"{", ","}
        and code.mark(close + 1) == "{"
        and code.mark(opening) == "{"
        and code.mark(opening - 1) in {"(", "=", ",", ":", "["}
    )


def _begins_line(code: Code, place: int) -> bool:
    """Whether nothing but a list's dash stands before it in its line."""
    line = code.tokens[place].line
    before = place - 1
    while code.mark(before) == "-" and code.tokens[before].line == line:
        before -= 1
    return before < 0 or code.tokens[before].end < line


def _is_declared(code: Code, place: int) -> bool:
    """Whether a type stands behind the colon, of a member in TypeScript; or it is a Go map that is a set of names."""
    opening = code.opener(place)
    if code.family.name == "js":
        return code.name(place + 2) in TYPES_OF_TYPESCRIPT and code.mark(place + 3) in {
            ";",
            ",",
            "}",
            "|",
            "[",
        }
    if code.family.name == "go":
        of_nothing = (
            code.mark(opening - 1) == "}" and code.name(code.opening.get(opening - 1, 0) - 1) == "struct"
        )
        return of_nothing or code.name(opening - 1) == "bool"
    return False


def _is_pattern(code: Code, place: int) -> bool:
    """Whether the brackets around it take a document apart: `const {$rank: rank} = row`."""
    opening = code.opener(place)
    close = code.partner.get(opening, -2)
    if code.family.name == "php":
        return code.mark(close + 1) == "=" and (code.mark(opening) == "[" or code.callee(opening) == "list")
    if code.family.name != "js" or code.mark(opening) != "{":
        return False
    if code.mark(close + 1) == "=":
        return True
    return code.mark(close + 1) == ")" and code.mark(close + 2) == "=>"


def _is_type(code: Code, opening: int) -> bool:
    """Whether braces declare a type: its members are fields."""
    if code.name(opening - 1) in {"extends", "as", "satisfies"}:
        return True
    inner = True
    while code.mark(opening) == "{":
        at = opening - 1
        words = []
        while at >= 0 and opening - at <= 12 and code.mark(at) not in {";", "{", "}", ")", "("}:
            words.append(code.name(at))
            at -= 1
        if "interface" in words or ("type" in words and code.mark(opening - 1) == "="):
            return True
        if inner and "class" in words:
            return True
        inner = False
        opening = code.opener(opening)
    return False
