"""Which document a unique index keeps another out by, for every kind of unique index."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from greylag.connectors.mongodb import connector
from greylag.connectors.mongodb.keys import key_of
from greylag.connectors.mongodb.wire import encode_document
from greylag.core.records import Encoded

if TYPE_CHECKING:
    from tests.documentdb.proxy import DocumentDB
    from tests.integration.mongodb.conftest import Documents

Document = dict[str, Any]
SWAPPED: list[tuple[list[tuple[str, int]], dict[str, Any], Document, Document]] = [
    ([("a", 1)], {}, {"a": 1}, {"a": 2}),
    ([("a", 1)], {}, {"a": {"$x": 1}}, {"a": {"$x": 2}}),
    ([("a", 1)], {}, {}, {"a": 2}),
    ([("a", 1), ("b.c", -1)], {}, {"a": 1, "b": {"c": 1}}, {"a": 1, "b": {"c": 2}}),
    ([("a.b", 1)], {}, {"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 3}]}),
    ([("a.0", 1)], {}, {"a": [1, 2]}, {"a": [2, 1]}),
    ([("a", 1)], {}, {"a": [1, 2]}, {"a": []}),
    ([("a", 1)], {"partialFilterExpression": {"on": True}}, {"a": 1, "on": True}, {"a": 2, "on": True}),
    ([("a", 1)], {"collation": {"locale": "en", "strength": 2}}, {"a": "x"}, {"a": "y"}),
]
IDS = [
    "number",
    "object",
    "missing",
    "compound",
    "array of objects",
    "place",
    "array",
    "partial",
    "collation",
]


@pytest.mark.parametrize("documentdb", [False, True])
@pytest.mark.parametrize(("keys", "options", "one", "other"), SWAPPED, ids=IDS)
def test_who_has_the_value_is_found(
    mongodb_url: str,
    server: Documents,
    cluster: DocumentDB,
    keys: Any,
    options: Document,
    one: Document,
    other: Document,
    *,
    documentdb: bool,
) -> None:
    if documentdb and "collation" in options:
        return  # it has none
    if "partialFilterExpression" in options:  # it has the value, and is not in the index
        server.things.insert_many([{"_id": 0, **one, "on": False}, {"_id": 3, **other, "on": False}])
    server.things.insert_many([{"_id": 1, **one}, {"_id": 2, **other}])
    server.things.create_index(keys, unique=True, **options)
    url = cluster.url if documentdb else mongodb_url
    given: Any = {"kind": "mongodb", "url": url, "database": server.name}
    with closing(connector.open("new", connector.options(**given), Path()).target()) as target:
        table = target.describe("things")
        assert table is not None
        with closing(target.writer(table)) as writer:
            [done] = writer.write([[_encoded({"_id": 1, **other}), _encoded({"_id": 2, **one})]])
            assert [place for place, _ in done.duplicates] == [0, 1]
            assert [holder() for holder in done.holders] == [b"n2;", b"n1;"]
            server.things.delete_many({"_id": {"$in": [1, 2]}})
            assert [holder() for holder in done.holders] == [None, None]
            server.things.drop_indexes()
            assert [holder() for holder in done.holders] == [None, None]


def _encoded(document: Document) -> Encoded:
    body = encode_document(document)
    key = key_of(body)
    assert key is not None
    return Encoded(key, body, len(body))
