"""A record's size, held against what writes it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from greylag.connectors.mongodb.wire import encode_document
from greylag.engine.profiling.sizes import record_bytes
from tests.contract.records import BSON

if TYPE_CHECKING:
    from greylag.core.values import Document


@pytest.mark.parametrize("document", BSON[:16], ids=range(16))
def test_a_bson_document_has_its_own_size(document: Document) -> None:
    assert record_bytes(document, "bson") == len(encode_document(document))


def test_a_json_record_has_that_of_its_compact_text() -> None:
    assert record_bytes({"a": [1, Decimal("1.50"), None], "ü": "x"}, "json") == len(
        b'{"a":[1,1.50,null],"\xc3\xbc":"x"}'
    )
    assert record_bytes({"big": 10**30}, "json") == len(f'{{"big":{10**30}}}')
