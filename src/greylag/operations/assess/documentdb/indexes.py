"""What becomes of each index of a collection at DocumentDB, and when to make it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from greylag.core.findings import Finding, Severity
from greylag.operations.assess.documentdb.tables import since, tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.core.inventory import Index, Inventory
    from greylag.operations.assess.documentdb.release import Release

_PLAIN: Final = frozenset({"ascending", "descending"})
_ID: Final = "_id_"
_BECOMES: Final = {
    "2d": "Store GeoJSON points and make a 2dsphere index.",
    "geoHaystack": "Store GeoJSON points and make a 2dsphere index.",
    "hashed": "Make an ascending index: it serves equality too.",
    "wildcard": "Make an index on each field that is asked for.",
    "columnstore": "Leave it out, and make indexes on the fields that reports ask for.",
    "text": "Search with OpenSearch, or on words in an array of their own.",
    "collation": "Index a normal form of the text (lower case) in a field of its own.",
    "hidden": "It becomes visible: leave it out if nobody misses it.",
    "partial": "Make a whole index, or a sparse one where the filter is that the field exists.",
    "unique": "Keep the values unique in the application, or make them the _id.",
    "storageEngine": "Leave the option out.",
    "prepareUnique": "Leave the option out.",
}
_PARTIAL_TAKES: Final = frozenset({"$eq", "$exists", "$and", "$gt", "$gte", "$lt", "$lte"})
"""Source: https://docs.aws.amazon.com/documentdb/latest/developerguide/partial-index.html, read 2026-11-21"""

_EXTENDED_JSON: Final = re.compile(
    r"\$(?:oid|date|number\w+|binary|uuid|regularExpression|timestamp|minKey|maxKey)$"
)
AFTER_LOAD: Final = (
    "`greylag run` makes it after the load: loading into an index costs more than building it at the end."
)


def index_findings(inventory: Inventory, release: Release, *, name: str) -> Iterator[Finding]:
    """A finding for each index but that of `_id`, and for how many there are."""
    known = tables()
    if len(inventory.indexes) > known.limit("indexes", release):
        yield Finding(
            Severity.BLOCKER,
            "too-many-indexes",
            name,
            f"{len(inventory.indexes)} indexes; a collection has {known.limit('indexes', release)}",
            "Leave out those that no query uses: `$indexStats` tells.",
        )
    for index in inventory.indexes:
        if index.name != _ID:
            yield from _index(index, release, name)


def _index(index: Index, release: Release, collection: str) -> Iterator[Finding]:
    name = f"{collection}: {index.name}"
    lacking = list(_lacking(index, release))
    for what, letters, kind in lacking:
        lost = kind == "indexes" or what == "unique"
        yield Finding(
            Severity.BLOCKER if lost else Severity.WARNING,
            "unsupported-index",
            name,
            f"{release} has no {'index of kind' if kind == 'indexes' else 'index option'} {what}: {_shown(index)}",
            f"{since(letters)} {_BECOMES[what]}".strip(),
        )
    yield from _limits(index, release, collection, name)
    if odd := _odd_operators(index):
        yield Finding(
            Severity.WARNING,
            "partial-index",
            name,
            f"the filter of a partial index takes no {', '.join(odd)} there: {index.partial}",
            "Write it with $eq, $exists, $gt, $gte, $lt, $lte and a top-level $and, or make a whole index.",
        )
    if not lacking:
        yield from _kept(index, name)


def _lacking(index: Index, release: Release) -> Iterator[tuple[str, str, str]]:
    known = tables()
    kinds = {kind for _, kind in index.keys}
    for kind in sorted(kinds):
        if not known.takes("indexes", kind, release):
            yield kind, known.sets["indexes"][kind], "indexes"
    options = {
        "unique": index.unique,
        "partial": bool(index.partial),
        # A text index carries a collation and versions of its own.
        **{
            each: bool(index.options.get(each))
            for each in ("collation", "hidden", "storageEngine", "prepareUnique")
        },
    }
    for option, has in options.items():
        if has and not known.takes("index_options", option, release):
            yield option, known.sets["index_options"][option], "index_options"


def _limits(index: Index, release: Release, collection: str, name: str) -> Iterator[Finding]:
    known = tables()
    if len(index.keys) > known.limit("compound_keys", release):
        yield Finding(
            Severity.BLOCKER,
            "too-many-keys",
            name,
            f"{len(index.keys)} fields in an index; DocumentDB takes {known.limit('compound_keys', release)}",
            "Leave out the last ones: the first decide what a query can use.",
        )
    short = collection.partition(".")[2] or collection
    if len(f"{short}${index.name}") > known.limit("index_characters", release):
        yield Finding(
            Severity.BLOCKER,
            "long-name",
            name,
            f"collection and index have {len(short) + len(index.name) + 1} characters in their names; DocumentDB takes "
            f"{known.limit('index_characters', release)}",
            "Give the index a shorter name.",
        )


def _kept(index: Index, name: str) -> Iterator[Finding]:
    """An index that DocumentDB has: as it is, and when to make it."""
    notes = []
    if index.unique:
        when = (
            "`greylag run` makes it last, when nothing earlier can be written any more: before, an earlier state of "
            "one document could keep out another's."
        )
    elif index.ttl_seconds is not None:
        when = (
            "`greylag run` makes it after the load. It deletes as soon as it is built: what one side deleted a minute "
            "before the other shows as missing or extra until then."
        )
    else:
        when = AFTER_LOAD
    if index.sparse:
        notes.append("A query uses a sparse index only where it asks for $exists.")
    if any(kind == "text" for _, kind in index.keys):
        notes.append("Only its name is kept: weights and languages are MongoDB's.")
    yield Finding(Severity.NOTE, "index", name, f"stays as it is: {_shown(index)}", " ".join([when, *notes]))


def _shown(index: Index) -> str:
    keys = ", ".join(path if kind == "ascending" else f"{path} ({kind})" for path, kind in index.keys)
    traits = [word for word, has in (("unique", index.unique), ("sparse", index.sparse)) if has]
    if index.ttl_seconds is not None:
        traits.append(f"expires after {index.ttl_seconds:,.0f} s")
    if index.partial:
        traits.append("partial")
    return f"{keys}{', ' if traits else ''}{', '.join(traits)}"


def _odd_operators(index: Index) -> list[str]:
    if not index.partial:
        return []
    found: set[str] = set()
    _operators(json.loads(index.partial), found, top=True)
    return sorted(found)


def _operators(value: object, found: set[str], *, top: bool) -> None:
    if isinstance(value, dict):
        for key, each in value.items():
            if key.startswith("$") and _EXTENDED_JSON.fullmatch(key):
                return
            if key.startswith("$") and (key not in _PARTIAL_TAKES or (key == "$and" and not top)):
                found.add(key)
            _operators(each, found, top=False)
    elif isinstance(value, list):
        for each in value:
            _operators(each, found, top=False)
