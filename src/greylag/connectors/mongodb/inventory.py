"""What a MongoDB server says of a collection beside its documents: indexes, options, growth, the oplog's reach."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import bson
import pymongo.errors
from bson import json_util

from greylag.core.inventory import Growth, Index

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pymongo.synchronous.database import Database

    from greylag.connectors.mongodb.find import Documents

RECENT_DAYS: Final = 30
COUNT_MILLISECONDS: Final = 5000
"""How long the server may count the latest documents before that is left out."""

_KINDS: Final = {1: "ascending", -1: "descending"}
_KNOWN: Final = frozenset(
    {"v", "key", "name", "ns", "unique", "sparse", "expireAfterSeconds", "partialFilterExpression"}
)


def indexes_of(collection: Documents) -> tuple[Index, ...]:
    """The collection's indexes, as the server lists them."""
    return tuple(index_of(each) for each in collection.list_indexes())


def index_of(told: Mapping[str, Any]) -> Index:
    """One index, of which `listIndexes` says `told`."""
    keys = []
    for path, kind in told["key"].items():
        if path == "$**" or path.endswith(".$**"):
            keys.append((path, "wildcard"))
        elif path not in {"_fts", "_ftsx"}:
            keys.append((path, kind if isinstance(kind, str) else _KINDS[1 if kind > 0 else -1]))
        elif path == "_fts":
            keys += [(name, "text") for name in told.get("weights", {})]
    partial = told.get("partialFilterExpression")
    return Index(
        name=told["name"],
        keys=tuple(keys),
        unique=bool(told.get("unique")) or told["name"] == "_id_",
        sparse=bool(told.get("sparse")),
        ttl_seconds=told.get("expireAfterSeconds"),
        partial="" if partial is None else json_util.dumps(partial),
        options=plain({name: value for name, value in told.items() if name not in _KNOWN}),
    )


def plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as JSON holds them; what BSON alone has in extended JSON."""
    found: dict[str, Any] = json.loads(json_util.dumps(options))
    return found


def growth_of(collection: Documents, *, hint: bool = True) -> Growth | None:
    """What the ObjectIds in `_id` tell: their makers wrote the second into each. None where they are none. `hint`: the
    server takes one for counting.
    """
    hinted: dict[str, Any] = {"hint": [("_id", 1)]} if hint else {}
    first, last = (_moment(collection, direction) for direction in (1, -1))
    if first is None or last is None:
        return None
    after = bson.ObjectId.from_datetime(max(first, last - timedelta(days=RECENT_DAYS)))  # none is before 1970
    try:
        recent = collection.count_documents({"_id": {"$gte": after}}, maxTimeMS=COUNT_MILLISECONDS, **hinted)
    except pymongo.errors.ExecutionTimeout:
        recent = None
    return Growth(
        "the times in the ObjectIds of _id, as whoever made them set their clocks",
        since=first.isoformat(),
        until=last.isoformat(),
        recent_records=recent,
        recent_days=None if recent is None else RECENT_DAYS,
    )


def _moment(collection: Documents, direction: int) -> datetime | None:
    """The time in the `_id` at one end of the index, if it is an ObjectId."""
    try:
        found = collection.find_one({}, {"_id": 1}, sort=[("_id", direction)], hint=[("_id", 1)])
    except bson.errors.InvalidBSON:
        return None
    value = None if found is None else found.get("_id")
    return value.generation_time.astimezone(UTC) if isinstance(value, bson.ObjectId) else None


def window_seconds(database: Database[dict[str, Any]]) -> float | None:
    """How far back the oplog reaches; None where there is none or the user may not read it."""
    ends = oplog_ends(database)
    return None if ends is None else float(ends[1] - ends[0])


def oplog_ends(database: Database[dict[str, Any]]) -> tuple[int, int] | None:
    """The times of the oplog's first and last entry, seconds since 1970. None as `window_seconds`."""
    oplog = database.client.get_database("local")["oplog.rs"]
    ends = []
    for direction in (1, -1):
        try:
            found = oplog.find_one({}, {"ts": 1}, sort=[("$natural", direction)])
        except pymongo.errors.OperationFailure:
            return None
        if found is None:
            return None
        ends.append(found["ts"].time)
    return ends[0], ends[1]
