"""Which document keeps another out of a collection, by a unique index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

from greylag.connectors.mongodb.bounds import LENIENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pymongo.database import Database

_RAW: Final = CodecOptions(RawBSONDocument)
_PLAIN: Final[CodecOptions[dict[str, Any]]] = LENIENT.with_options(document_class=dict)


def keeper(database: Database[dict[str, Any]], collection: str, index: str, body: bytes) -> bytes | None:
    """`{_id: ...}` of a document other than `body` that has its values in the unique index of that name; None where
    there is none any more, or no such index. Raises as pymongo does.
    """
    documents = database[collection]
    info = documents.with_options(_PLAIN).index_information().get(index)
    if info is None:
        return None
    document = bson.decode(body, _PLAIN)
    wanted: list[Mapping[str, Any]] = [{"_id": {"$ne": document.get("_id")}}]
    for path, _ in info["key"]:
        values = list(_values(document, path.split(".")))
        wanted.append({"$or": [{path: {"$eq": each}} for each in values]})
    if "partialFilterExpression" in info:
        wanted.append(info["partialFilterExpression"])
    collation = {name: each for name, each in info.get("collation", {}).items() if name != "version"}
    found = documents.with_options(_RAW).find_one({"$and": wanted}, {"_id": 1}, collation=collation or None)
    return None if found is None else bytes(found.raw)


def _values(value: Any, path: list[str]) -> Iterator[Any]:
    """What an index has of a value under a path: an array's elements, or that it is empty; None where nothing is."""
    if not path:
        yield from (value or [[]]) if isinstance(value, list) else [value]
    elif isinstance(value, dict):
        yield from _values(value.get(path[0]), path[1:])
    elif isinstance(value, list) and value:
        if path[0].isdecimal() and int(path[0]) < len(value):
            yield from _values(value[int(path[0])], path[1:])
        else:
            for each in value:
                yield from _values(each, path)
    else:
        yield None
