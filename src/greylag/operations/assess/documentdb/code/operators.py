"""Operators in source code: names that begin with a dollar sign and stand where a document has its keys.

A string `"$rank"` is an operator as a key and a field's path as a value: what counts is where it stands. In text that
holds a whole query (`'{"$facet": …}'`, a here-document) keys are found by what stands around them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from greylag.operations.assess.documentdb.code.lexer import NAME, STRING
from greylag.operations.assess.documentdb.tables import ACCUMULATOR, STAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.operations.assess.documentdb.code.structure import Code

_EMBEDDED = re.compile(r"""(?:[{,]|^)\s*\\?["']?(?P<name>\$[A-Za-z]\w*)\\?["']?\s*:(?!:)""", re.MULTILINE)
_VARIABLE = re.compile(r"\$\$[A-Z_]+")
_KEY_MARKS: Final = frozenset({":", "=>", "->"})
_BEFORE_KEY: Final = frozenset({"{", "[", "(", ",", "**", "|"})
_LABELS: Final = frozenset({"Key", "key", "Name", "name"})
_TAKES_FIELDS: Final = frozenset(
    {
        *("group", "bucket", "bucketAuto", "sortByCount", "unwind", "replaceRoot", "replaceWith", "count"),
        *(
            "sum",
            "avg",
            "min",
            "max",
            "first",
            "last",
            "push",
            "addToSet",
            "stdDevPop",
            "stdDevSamp",
            "project",
        ),
        *("Group", "Unwind", "SortByCount", "ReplaceRoot", "ReplaceWith", "graphLookup", "geoNear"),
    }
)
"""Calls whose first argument is a field's path."""

_SPEAKS: Final = frozenset(
    {
        *(
            "print",
            "println",
            "printf",
            "fprintf",
            "sprintf",
            "format",
            "log",
            "debug",
            "info",
            "warn",
            "warning",
        ),
        *(
            "error",
            "fatal",
            "trace",
            "write",
            "puts",
            "echo",
            "replace",
            "replaceAll",
            "replace_all",
            "Replace",
        ),
        *(
            "startsWith",
            "startswith",
            "start_with",
            "HasPrefix",
            "split",
            "Split",
            "equals",
            "includes",
            "contains",
        ),
        *(
            "indexOf",
            "getattr",
            "strtr",
            "str_replace",
            "translate",
            "Printf",
            "Println",
            "Errorf",
            "Sprintf",
        ),
        *("assertEqual", "assertEquals", "expect", "t", "gettext", "ReplaceAll", "gsub", "sub"),
    }
)
"""Calls that show or change text: what they get is no document."""

_CONSTANT: Final = re.compile(r"[A-Z][A-Z0-9_]*[A-Z0-9]")
_OF_FIELDS: Final = re.compile(r"FIELD|PATH|COLUMN|ATTR|REF")
_CONSTANT_WORDS: Final = frozenset({"const", "final", "static", "readonly", "enum", "define"})
_OBJECTS_OF_FRAMEWORKS: Final = frozenset({"this", "self", "vm", "scope", "$scope", "prototype", "proto"})
_ARRAYS: Final = frozenset({"asList", "of", "singletonList", "listOf", "arrayListOf", "List", "Seq", "Array"})
_DOCUMENTS: Final = frozenset({"Document", "BasicDBObject", "BsonDocument", "D", "M", "SON", "OrderedDict"})


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
            yield Use(token.text, token.line, _used_as(code, place, token.text))


def _of_string(code: Code, place: int) -> Iterator[Use]:
    token = code.tokens[place]
    text = token.text.strip()
    if re.fullmatch(r"\$[A-Za-z]\w*", text):
        if is_key(code, place):
            yield Use(text, token.line, _used_as(code, place, text))
    elif variable := _VARIABLE.match(text):
        if variable.end() == len(text) or text[variable.end()] == ".":
            yield Use(variable[0], token.line)
    else:
        for found in _EMBEDDED.finditer(token.text):
            line = token.line + token.text.count("\n", 0, found.start("name"))
            yield Use(found["name"], line, _embedded_as(token.text, found))


def _embedded_as(text: str, found: re.Match[str]) -> str:
    before = text[: found.start("name")].rstrip("\"'\\ \n\t")
    in_list = before.endswith("{") and before[:-1].rstrip().endswith("[")
    more = before.endswith("{") and re.search(r"\}\s*,\s*\{$", before) is not None
    if found["name"] in {"$set", "$unset"} and (in_list or more):
        return STAGE
    if found["name"] == "$count" and re.match(r"\s*\{\s*\}", text[found.end() :]):
        return ACCUMULATOR
    return ""


def is_key(code: Code, place: int) -> bool:
    """Whether a string stands where a document has its keys."""
    before, after = code.mark(place - 1), code.mark(place + 1)
    if after in _KEY_MARKS or (code.family.name == "kotlin" and code.name(place + 1) == "to"):
        if before in _BEFORE_KEY or (before == ":" and after == "=>"):
            return not _is_pattern(code, place)
        return code.family.keys_without_brackets and _begins_line(code, place)
    if before == "[" and after == "]":  # `stage["$facet"] = …`, `{["$facet"]: …}`
        return code.mark(place + 2) in {"=", ":", "=>"}
    if before in {":", "="} and code.name(place - 2) in _LABELS:
        return code.mark(code.opener(place)) in {"{", "("}
    if before == "{" and after != "}" and code.family.name != "shell":
        return True
    if before == "(":
        return _is_argument(code, place, after)
    return before == "=" and _names_a_constant(code, place)


def _is_argument(code: Code, place: int, after: str) -> bool:
    callee = code.callee(place - 1)
    if after == ")":  # an enumeration's member: `FACET("$facet")`
        return _CONSTANT.fullmatch(callee) is not None
    return after == "," and callee not in _TAKES_FIELDS | _SPEAKS


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
    opening = code.opener(place)
    return (
        after == ":"
        and before in {"{", ","}
        and code.mark(opening) == "{"
        and not _is_pattern(code, place)
        and not _is_type(code, opening)
    )


def _begins_line(code: Code, place: int) -> bool:
    """Whether nothing but a list's dash stands before it in its line."""
    line = code.tokens[place].line
    before = place - 1
    while code.mark(before) == "-" and code.tokens[before].line == line:
        before -= 1
    return before < 0 or code.tokens[before].end < line


def _is_pattern(code: Code, place: int) -> bool:
    """Whether the braces around it take a document apart: `const {$rank: rank} = row`."""
    opening = code.opener(place)
    if code.family.name != "js" or code.mark(opening) != "{":
        return False
    close = code.partner.get(opening, -2)
    if code.mark(close + 1) == "=":
        return True
    return code.mark(close + 1) == ")" and code.mark(close + 2) == "=>"


def _is_type(code: Code, opening: int) -> bool:
    """Whether braces declare a type: its members are fields."""
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


def _used_as(code: Code, place: int, name: str) -> str:
    if name in {"$set", "$unset"} and _is_stage(code, place):
        return STAGE
    if name == "$count" and _has_no_value(code, place):
        return ACCUMULATOR
    return ""


def _has_no_value(code: Code, place: int) -> bool:
    """Whether what belongs to the key is an empty document: `$count: {}`, `{"$count", bson.D{}}`."""
    at = place + 2
    while code.name(at) or code.mark(at) in {".", "<", ">", "!", "%"}:
        at += 1
    return code.mark(at) in {"{", "(", "["} and code.partner.get(at) == at + 1


def _is_stage(code: Code, place: int) -> bool:
    """Whether the document around it is an element of an array, as stages are and updates are not."""
    opening = code.opener(place)
    if code.mark(opening) == "(" and code.callee(opening) in _DOCUMENTS:
        outer = code.opener(opening)
        return code.mark(outer) == "[" or (code.mark(outer) == "(" and code.callee(outer) in _ARRAYS)
    outer = code.opener(opening)
    if code.mark(outer) == "[" and code.mark(opening - 1) in {"[", ","}:
        return _is_only_key(code, opening)
    return _is_stage_of_go(code, opening) if code.family.name == "go" else False


def _is_only_key(code: Code, opening: int) -> bool:
    """Whether the document in these brackets has one key; a comma at its end does not count."""
    end = code.partner.get(opening, len(code.tokens))
    commas = [at for at in range(opening + 1, end) if code.mark(at) == "," and code.opener(at) == opening]
    return commas in ([], [end - 1])


def _is_stage_of_go(code: Code, opening: int) -> bool:
    """`mongo.Pipeline{{{"$set", …}}}`, `[]bson.M{{"$set": …}}`, `bson.A{bson.D{{"$set", …}}}`; elided types too."""
    while code.mark(opening) == "{":
        name = code.name(opening - 1)
        if name in {"Pipeline", "A"}:
            return True
        if name and name not in {"D", "M"}:
            return False
        at = opening - 2
        while code.mark(at) == "." or code.name(at) == "bson":
            at -= 1
        if name and code.mark(at) == "]" and code.mark(at - 1) == "[":
            return True
        opening = code.opener(opening)
    return False
