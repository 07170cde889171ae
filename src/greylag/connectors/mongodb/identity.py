"""Whether the text of a collection's `_id` tells its documents apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pymongo.errors

from greylag.connectors.mongodb import wire
from greylag.connectors.mongodb.find import find
from greylag.core.records import Refused
from greylag.core.values import type_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greylag.connectors.mongodb.find import Documents

PROOF_SECONDS: Final = 20
"""How long the server may look for numbers of another type before nothing is promised."""

ALIKE: Final = "_id"
MIXED: Final = "_id of several types"
"""Values of `DatasetInfo.order`."""

_ALONE = frozenset({"bool", "date", "objectId", "string"})
"""Types that share their stretch of the index with no other, or (symbols) with one that is unique beside them."""

_OTHER_NUMBERS = {
    "int": ["double", "decimal"],
    "int64": ["double", "decimal"],
    "double": ["int", "long", "decimal"],
    "decimal128": ["int", "long", "double"],
}
"""Which types may not be among the numbers: 1 and 1.0 cannot both be an `_id`, but 0.1 as double and as decimal can,
and have one text. int32 and int64 write the same number the same way.
"""


def unique_id(collection: Documents, *, lists: bool = True) -> str | None:
    """ "_id" where every `_id` has one type, whose text form differs for different values; else None.

    The index groups values by type, so its two ends tell all there is between them; but for numbers, whose four
    types stand in one group: there the server looks for the others in the index, for `PROOF_SECONDS`. `lists`: it
    looks for several types at once.
    """
    ends = {_type_of_end(collection, direction) for direction in (1, -1)}
    if len(ends) == 1:
        [only] = ends
        if only in _ALONE:
            return "_id"
    if None in ends or not ends <= set(_OTHER_NUMBERS):
        return None
    others = _OTHER_NUMBERS[next(each for each in ends if each is not None)]
    for types in [others] if lists else others:
        try:
            stray = collection.find_one(
                {"_id": {"$type": types}},
                {"_id": 1},
                hint=[("_id", 1)],
                max_time_ms=PROOF_SECONDS * 1000,
            )
        except pymongo.errors.ExecutionTimeout:
            return None
        if stray is not None:
            return None
    return "_id"


def _type_of_end(collection: Documents, direction: int) -> str | None:
    for [raw] in find(collection, {}, {"_id": 1}, sort=[("_id", direction)], hint=[("_id", 1)], limit=1):
        try:
            return type_name(wire.decode_exact(raw)["_id"])
        except (KeyError, Refused):
            return None
    return None


def order_of(info: Mapping[str, Any], *, alike: bool, documentdb: bool) -> str | None:
    """By what a collection is cut (`DatasetInfo.order`). `alike`: every `_id` has one type.

    Such ids every server puts in one order; of others only MongoDB's is known. A collation makes an order of its own.
    """
    if info.get("options", {}).get("collation", {}).get("locale", "simple") != "simple":
        return None
    return ALIKE if alike else None if documentdb else MIXED


def collection_identity(info: dict[str, Any], database: str) -> str:
    """Another one for another collection, also of the same name: the server's own UUID where it gives one."""
    uuid = info.get("info", {}).get("uuid")
    number = bytes(uuid).hex() if uuid is not None else "no-uuid"
    return f"mongodb:{number}:{database}.{info['name']}"
