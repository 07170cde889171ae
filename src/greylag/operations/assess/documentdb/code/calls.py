"""Calls of drivers in source code: features that DocumentDB lacks, commands, builders of pipelines, indexes.

Only files that have to do with MongoDB are looked at, and names that other libraries have too (`watch`, `update`,
`command`) count on what is a collection or a database.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from greylag.operations.assess.documentdb.code.lexer import NAME, STRING
from greylag.operations.assess.documentdb.code.operators import Use, is_key
from greylag.operations.assess.documentdb.tables import STAGE, Tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.operations.assess.documentdb.code.structure import Code
    from greylag.operations.assess.documentdb.tables import Deprecated, Feature

CONCERNED: Final = re.compile(r"mongo|bson|\bmotor\b|beanie|odmantic|docdb|documentdb", re.IGNORECASE)
_COLLECTION: Final = re.compile(r"coll(?:ection)?s?$|_coll$|Repository$", re.IGNORECASE)
_DATABASE: Final = re.compile(r"^(?:db|database|admin|client|conn|mongo\w*|\w*(?:Db|DB|_db|Database))$")
_OPENS_COLLECTION: Final = frozenset(
    {"collection", "Collection", "get_collection", "getCollection", "GetCollection"}
)
_SHARED_NAMES: Final = frozenset(
    {"watch", "Watch", "WatchAsync", "collation", "capped", "tailable", "reindex"}
)
_RUNS: Final = frozenset(
    {
        "runCommand",
        "run_command",
        "adminCommand",
        "command",
        "RunCommand",
        "RunCommandAsync",
        "executeCommand",
    }
)
_TAKES_OPTIONS: Final = re.compile(
    r"create_?collection|Schema|CollectionOptions|find|aggregate|index|command|view|update|delete|distinct|count|cursor"
    r"|watch|MongoClient|connect|Options|get_?collection",
    re.IGNORECASE,
)
_REPLACES: Final = re.compile(
    r"^(?:update|replace|findOneAnd(?:Update|Replace)|find_one_and_(?:update|replace))", re.IGNORECASE
)
_OFF: Final = frozenset({"false", "False", "0", "nil", "null", "None", "undefined"})
_BUILDERS: Final = frozenset({"Aggregates", "Aggregation", "Filters", "Accumulators", "Sorts", "Windows"})
_IMPORTED: Final = re.compile(
    r"import\s+(?:static\s+)?com\.mongodb\.client\.model\.(Aggregates|Filters|Accumulators)\.(\w+|\*)"
)
_MAKES: Final = {
    "Aggregates": "bucket bucketAuto densify documents facet fill geoNear graphLookup merge out replaceWith "
    "search searchMeta set setWindowFields sortByCount unionWith unset vectorSearch",
    "Filters": "expr geoWithinBox geoWithinCenter geoWithinCenterSphere geoWithinPolygon jsonSchema text where",
    "Accumulators": "accumulator bottom bottomN firstN lastN maxN median minN percentile stdDevPop stdDevSamp top "
    "topN",
}
"""Methods that a file may import by themselves, and whose operators some release lacks."""
_BUILT: Final = {
    "geoWithinBox": "$box",
    "geoWithinCenter": "$center",
    "geoWithinCenterSphere": "$centerSphere",
    "geoWithinPolygon": "$polygon",
    "stdDevPop": "$stdDevPop",
}
_INDEX_CALL: Final = re.compile(r"index", re.IGNORECASE)
_INDEX_KINDS: Final = {
    "2d": "2d",
    "hashed": "hashed",
    "text": "text",
    "geoHaystack": "geoHaystack",
    "HASHED": "hashed",
    "GEO2D": "2d",
    "TEXT": "text",
    "geo2d": "2d",
    "Hashed": "hashed",
    "Geo2D": "2d",
    "Text": "text",
    "Wildcard": "wildcard",
}
_INDEX_OPTIONS: Final = {
    "partialFilterExpression": "partial",
    "collation": "collation",
    "hidden": "hidden",
    "unique": "unique",
    "SetHidden": "hidden",
    "SetUnique": "unique",
    "SetPartialFilterExpression": "partial",
}


@dataclass(frozen=True, slots=True)
class FeatureUse:
    """A feature that code asks for, by the name it has there."""

    feature: Feature
    written: str
    line: int


@dataclass(frozen=True, slots=True)
class IndexUse:
    """An index of a kind (`indexes`) or with an option (`index_options`) that features.toml has."""

    table: str
    name: str
    line: int


@dataclass(frozen=True, slots=True)
class DeprecatedUse:
    """A call that drivers no longer have."""

    deprecated: Deprecated
    written: str
    line: int


Found = FeatureUse | IndexUse | DeprecatedUse | Use


def calls(code: Code, text: str, known: Tables) -> Iterator[Found]:
    """What the calls of a file ask for, in order; nothing for a file that has nothing to do with MongoDB."""
    if CONCERNED.search(text) is None:
        return
    looking = _Looking(
        code, known, frozenset(re.findall(r"(\w+)\s*=\s*mongoose\.model\b", text)), frozenset(_imported(text))
    )
    for place, token in enumerate(code.tokens):
        if token.kind == NAME:
            yield from looking.name(place)
        elif token.kind == STRING:
            yield from looking.string(place)


def _imported(text: str) -> Iterator[str]:
    for found in _IMPORTED.finditer(text):
        names = _MAKES[found[1]].split()
        yield from names if found[2] == "*" else {found[2]} & {*names}


@dataclass(frozen=True)
class _Looking:
    code: Code
    known: Tables
    models: frozenset[str]
    imported: frozenset[str]

    def name(self, place: int) -> Iterator[Found]:
        name, line = self.code.name(place), self.code.tokens[place].line
        called = self.code.mark(place + 1) == "("
        for feature in self.known.features:
            if (
                (called and name in feature.calls and self._counts(place, name))
                or (called and name in feature.cursor and self._on_a_cursor(place))
                or name in feature.words
                or (name in feature.options and self._is_option(place))
                or (called and name in feature.commands and self._on_the_shell(place))
            ):
                yield FeatureUse(feature, name, line)
        for each in self.known.deprecated:
            if each.language and self.code.family.name not in each.language:
                continue
            if name in each.anywhere or (
                called and name in each.calls and self._on_a_collection(place, name)
            ):
                yield DeprecatedUse(each, name, line)
        if called:
            yield from self._command(place, name)
            yield from self._built(place, name, line)
        yield from self._index(place, name, line)

    def string(self, place: int) -> Iterator[Found]:
        text, line = self.code.tokens[place].text, self.code.tokens[place].line
        for feature in self.known.features:
            if text in feature.options and self._is_option(place):
                yield FeatureUse(feature, text, line)
        for each in self.known.deprecated:
            if text in each.text and (not each.language or self.code.family.name in each.language):
                yield DeprecatedUse(each, text, line)
        if (text == "$**" or text.endswith(".$**")) and (
            self._in_a_call(place, _INDEX_CALL) or is_key(self.code, place)
        ):
            yield IndexUse("indexes", "wildcard", line)
        yield from self._index(place, text, line)

    def _counts(self, place: int, name: str) -> bool:
        if self.code.mark(place - 1) not in {".", "?.", "->"}:
            return name not in _SHARED_NAMES and self.code.name(place - 1) not in {
                "def",
                "func",
                "function",
                "void",
            }
        if name not in _SHARED_NAMES:
            return True
        return (
            self._on_a_collection(place, name) or self._on_a_cursor(place) or name in {"collation", "capped"}
        )

    def _on_a_cursor(self, place: int) -> bool:
        return any(each in {"find", "Find", "find_one", "findOne"} for each in self.code.chain(place))

    def _on_a_collection(self, place: int, name: str) -> bool:
        chain = self.code.chain(place)
        if not chain:
            return False
        if name == "count" and chain[0] in {"find", "Find"}:
            return True
        nearest = chain[0]
        if nearest in _OPENS_COLLECTION or _COLLECTION.search(nearest) or nearest in self.models:
            return True
        if name in {"watch", "Watch", "WatchAsync"} and _DATABASE.match(nearest):
            return True
        rest = chain[1:]
        if rest and rest[0] in {"self", "this"}:
            return False
        return bool(rest) and _DATABASE.match(rest[0]) is not None and not nearest.startswith("$")

    def _on_the_shell(self, place: int) -> bool:
        return self.code.family.name == "js" and self.code.chain(place) == ["db"]

    def _is_option(self, place: int) -> bool:
        """Whether a name or a string is an option of a call, and not a field of a document."""
        after = self.code.mark(place + 1)
        if after not in {":", "=", "=>"} or self._value(place + 2) in _OFF:
            return False
        opening = self.code.opener(place)
        if self.code.mark(opening) == "(":
            named = after == "=" or (
                after == ":" and self.code.family.name in {"ruby", "swift", "csharp", "php", "other"}
            )
            return named and _TAKES_OPTIONS.search(self.code.callee(opening)) is not None
        outer = self.code.opener(opening)
        if self.code.mark(opening) not in {"{", "["} or self.code.mark(outer) != "(":
            return False
        callee = self.code.callee(outer)
        if callee in _RUNS:
            first = self.code.at(opening + 1).text
            return first in {
                "create",
                "find",
                "aggregate",
                "createIndexes",
                "distinct",
                "count",
                "update",
                "delete",
            }
        if _TAKES_OPTIONS.search(callee) is None:
            return False
        return self._argument(outer, opening) >= (2 if _REPLACES.match(callee) else 1)

    def _value(self, place: int) -> str:
        return self.code.at(place).text if self.code.at(place).kind == NAME else ""

    def _argument(self, opening: int, place: int) -> int:
        """How many arguments of the call at `opening` come before `place`."""
        return sum(
            self.code.mark(at) == "," and self.code.opener(at) == opening for at in range(opening + 1, place)
        )

    def _command(self, place: int, name: str) -> Iterator[Found]:
        if name not in _RUNS:
            return
        if name == "command" and not any(_DATABASE.match(each) for each in self.code.chain(place)):
            return
        opening = place + 1
        end = self.code.partner.get(opening, opening)
        for at in range(opening + 1, min(end, opening + 12)):
            token = self.code.tokens[at]
            is_key = self.code.family.name == "js" and token.kind == NAME and self.code.mark(at + 1) == ":"
            if token.kind == STRING or is_key:
                for feature in self.known.features:
                    if token.text in feature.commands:
                        yield FeatureUse(feature, token.text, token.line)
                return

    def _built(self, place: int, name: str, line: int) -> Iterator[Found]:
        """Stages and operators that builders make: `Aggregates.facet(…)`, `Model.aggregate().facet(…)`."""
        chain = self.code.chain(place)
        builder = chain[0] if chain else ""
        of_builder = builder in _BUILDERS or (not chain and name in self.imported)
        in_pipeline = bool(chain) and any(each.lower() == "aggregate" for each in chain)
        if not of_builder and not in_pipeline:
            return
        operator = _BUILT.get(name, f"${name[:1].lower()}{name[1:]}")
        if operator in self.known.operators:
            is_stage = operator in {"$set", "$unset"} and builder != "Updates"
            yield Use(operator, line, STAGE if is_stage else "")

    def _index(self, place: int, name: str, line: int) -> Iterator[Found]:
        kind, option = _INDEX_KINDS.get(name), _INDEX_OPTIONS.get(name)
        if kind is None and option is None:
            return
        is_string = self.code.tokens[place].kind == STRING
        if kind is not None:
            before = self.code.mark(place - 1)
            of_builder = bool({"Indexes", "IndexKeys"} & set(self.code.chain(place)))
            is_kind = is_string or name.isupper() or of_builder
            as_property = before == ":" and self.code.name(place - 2) == "index"
            if (
                is_kind
                and before not in {"{", "[", "("}
                and self.code.mark(place + 1) != ":"
                and (as_property or self._in_a_call(place, _INDEX_CALL) or of_builder)
            ):
                yield IndexUse("indexes", kind, line)
        if option is not None and option != "collation":  # that is among the features
            after = self.code.mark(place + 1)
            is_set = after in {":", "=", "=>"} and self._value(place + 2) not in _OFF
            is_called = after == "(" and self._value(place + 2) not in _OFF and self._set_on_index(place)
            if (is_set and self._in_a_call(place, _INDEX_CALL)) or is_called:
                yield IndexUse("index_options", option, line)

    def _set_on_index(self, place: int) -> bool:
        return any(_INDEX_CALL.search(each) for each in self.code.chain(place))

    def _in_a_call(self, place: int, wanted: re.Pattern[str]) -> bool:
        """Whether a bracket around it belongs to a call of such a name, at most four brackets away."""
        opening = self.code.opener(place)
        for _ in range(4):
            if opening < 0:
                return False
            if wanted.search(self.code.callee(opening)):
                return True
            opening = self.code.opener(opening)
        return False
