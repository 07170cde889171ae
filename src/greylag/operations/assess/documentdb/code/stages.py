"""What an operator is used as, where its name means two things: `$set` in an update or as a stage, `$count` as a stage
or in a `$group`.

A stage is a document of one key in an array of such documents. An array may also hold updates, or a filter and its
update: what the others in it begin with tells, and what is done with the array.
"""

from __future__ import annotations

import re
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Final

from greylag.operations.assess.documentdb.code.lexer import NAME, STRING
from greylag.operations.assess.documentdb.code.words import STAGES
from greylag.operations.assess.documentdb.tables import ACCUMULATOR, STAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.operations.assess.documentdb.code.structure import Code

LABELS: Final = frozenset({"Key", "key", "Name", "name"})
TWO_MEANINGS: Final = frozenset({"$set", "$unset"})
_ARRAYS: Final = frozenset({"asList", "of", "singletonList", "listOf", "arrayListOf", "List", "Seq", "Array"})
_DOCUMENTS: Final = frozenset({"Document", "BasicDBObject", "BsonDocument", "D", "M", "SON", "OrderedDict"})
_BEFORE_DOCUMENT: Final = _DOCUMENTS | {"new", "bson", "doc"}
_SEVERAL_UPDATES: Final = re.compile(
    r"(?:updates|ops|operations|writes|changes|patches|modifications)$", re.IGNORECASE
)
_LOOKED_AT: Final = 50
"""Elements of an array by which it is judged."""
_TAKES_EACH: Final = frozenset({"map", "forEach", "each", "flatMap", "reduce", "stream", "iterator"})
_PUTS_IN: Final = frozenset(
    {"append", "push", "add", "insert", "unshift", "prepend", "Add", "Insert", "push_back"}
)
_IS_PIPELINE: Final = re.compile(r"pipe(?:line)?|stage", re.IGNORECASE)
_KEY_MARKS: Final = frozenset({":", "=>", "->"})


def used_as(code: Code, place: int, name: str) -> str:
    """As what the operator at `place` counts: STAGE, ACCUMULATOR, or nothing of the kind."""
    if name in TWO_MEANINGS and _is_stage(code, place):
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
    outer = code.opener(opening)
    if code.mark(opening) == "(" and code.callee(opening) in _DOCUMENTS:
        return _is_array(code, outer) and _holds_stages(code, outer)
    before = opening - 3 if code.mark(opening - 1) == "!" else opening - 1  # a macro of Rust
    if code.mark(outer) == "[" and code.mark(before) in {"[", ","}:
        return _is_only_key(code, opening) and _holds_stages(code, outer)
    if code.mark(outer) == "(" and code.callee(outer) in _PUTS_IN:
        return any(_IS_PIPELINE.search(each) for each in code.chain(outer - 1)[:1])
    return _is_stage_of_go(code, opening) if code.family.name == "go" else False


def _is_array(code: Code, opening: int) -> bool:
    """`[`, `Arrays.asList(`, `new[] {`, `new List<BsonDocument> {`."""
    mark, callee = code.mark(opening), code.callee(opening)
    return (
        mark == "["
        or (mark == "(" and callee in _ARRAYS)
        or (mark == "{" and (code.mark(opening - 1) == "]" or callee in _ARRAYS))
    )


def _is_only_key(code: Code, opening: int) -> bool:
    """Whether the document in these brackets has one key; a comma at its end does not count."""
    end = code.partner.get(opening, len(code.tokens))
    commas = [at for at in range(opening + 1, end) if code.mark(at) == "," and code.opener(at) == opening]
    return commas in ([], [end - 1])


def _is_stage_of_go(code: Code, opening: int) -> bool:
    """`mongo.Pipeline{{{"$set", …}}}`, `[]bson.M{{"$set": …}}`, `bson.A{bson.D{{"$set", …}}}`; elided types too."""
    while code.mark(opening) == "{":
        name = code.name(opening - 1)
        if name == "Pipeline":
            return True
        if name == "A":
            return _holds_stages(code, opening)
        if name and name not in {"D", "M"}:
            return False
        at = opening - 2
        while code.mark(at) == "." or code.name(at) == "bson":
            at -= 1
        if name and code.mark(at) == "]" and code.mark(at - 1) == "[":
            return _holds_stages(code, opening)
        opening = code.opener(opening)
    return False


def _holds_stages(code: Code, array: int) -> bool:
    """Whether the array that opens there is a pipeline, as far as what else it holds and what becomes of it tell."""
    if _is_gone_through(code, array):
        return False
    begins = list(islice(_elements(code, array), _LOOKED_AT))
    keys = [_first_key(code, at) for at in begins]
    if any(each is not None and each not in STAGES for each in keys):
        return False
    if any(each not in TWO_MEANINGS for each in keys) or len(begins) < 2:
        return True
    return not (code.mark(array - 1) in {"=", ":"} and _SEVERAL_UPDATES.search(_target(code, array - 2)))


def _target(code: Code, place: int) -> str:
    return code.name(place) or code.string(place) or ""


def _is_gone_through(code: Code, array: int) -> bool:
    """`[{$set: …} for …]`, `for each in [{$set: …}]`, `[{$set: …}].map(…)`."""
    end = code.partner.get(array, len(code.tokens))
    if code.name(array - 1) in {"in", "of"}:
        return True
    if code.mark(end + 1) == "." and code.name(end + 2) in _TAKES_EACH:
        return True
    in_first = takewhile(lambda at: code.mark(at) != ",", code.directly_in(array))
    return code.family.name == "python" and any(code.name(at) == "for" for at in in_first)


def _elements(code: Code, array: int) -> Iterator[int]:
    """Where each of its elements begins."""
    begins = True
    for at in code.directly_in(array):
        if code.mark(at) == ",":
            begins = True
        elif begins:
            begins = False
            yield at


def _first_key(code: Code, begin: int) -> str | None:
    """The first key of a document that is written out, "" for an empty one; None where an element is something else."""
    at = begin
    while code.name(at) in _BEFORE_DOCUMENT or code.mark(at) in {".", "!"}:
        at += 1
    if code.mark(at) not in {"{", "[", "("}:
        return None
    if code.partner.get(at) == at + 1:
        return ""
    while code.mark(at) in {"{", "[", "("}:
        at += 1
    if code.name(at) in LABELS and code.mark(at + 1) == ":":
        at += 2
    token = code.at(at)
    if token.kind == STRING:
        return token.text if code.string(at + 1) is None else None  # put together of several
    return token.text if token.kind == NAME and code.mark(at + 1) in _KEY_MARKS else None
