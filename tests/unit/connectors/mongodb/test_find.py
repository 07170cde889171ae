"""A reply of `find` is taken apart into its documents' bytes, or refused."""

from __future__ import annotations

import bson
import pytest
from bson.int64 import Int64

from greylag.connectors.mongodb.find import _batch
from greylag.errors import SourceDataError

DOCUMENTS = [bson.encode({"_id": number, "text": "t" * number}) for number in range(120)]


@pytest.mark.parametrize("name", ["firstBatch", "nextBatch"])
@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 120])
def test_every_document_as_it_is(name: str, count: int) -> None:
    found = [bson.decode(each) for each in DOCUMENTS[:count]]
    reply = bson.encode({name: found, "id": Int64(-7 if count else 0), "ns": "a.b"})
    assert _batch(reply) == (-7 if count else 0, DOCUMENTS[:count])


def test_what_is_no_document_is_refused() -> None:
    with pytest.raises(SourceDataError, match="BSON type 16 instead of a document"):
        _batch(bson.encode({"id": Int64(0), "firstBatch": [1]}))


@pytest.mark.parametrize("length", [0, 4, -1, 1 << 20])
def test_a_length_that_no_document_has_is_refused(length: int) -> None:
    reply = bson.encode({"id": Int64(0), "firstBatch": [{"a": 1}]})
    at = reply.index(bson.encode({"a": 1}))
    broken = reply[:at] + length.to_bytes(4, "little", signed=True) + reply[at + 4 :]
    with pytest.raises(SourceDataError, match="length"):
        _batch(broken)


def test_a_cut_reply_is_refused() -> None:
    reply = bson.encode({"id": Int64(0), "firstBatch": [{"a": 1}]})
    for end in range(5, len(reply)):
        with pytest.raises(SourceDataError):
            _batch(reply[:end])
