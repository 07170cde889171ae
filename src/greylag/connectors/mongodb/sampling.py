"""A random sample of a collection, chosen by the server."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final, cast

from greylag.connectors.mongodb.bounds import place_of
from greylag.connectors.mongodb.decoding import split_documents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.connectors.mongodb.find import Documents

BIAS: Final = (
    "random documents, chosen by the server ($sample): each about equally likely, another choice each time"
)


def random_documents(collection: Documents, count: int, page_bytes: int) -> Iterator[bytes]:
    """Pages of whole documents end to end; what `$sample` gives twice is given once.

    Source: https://www.mongodb.com/docs/manual/reference/operator/aggregation/sample/
    """
    seen: set[bytes] = set()
    page: list[bytes] = []
    held = 0
    pipeline: list[dict[str, Any]] = [{"$sample": {"size": count}}]
    with collection.aggregate_raw_batches(pipeline, allowDiskUse=True) as batches:
        for batch in cast("Iterator[bytes]", batches):
            for document in split_documents(batch):
                known = hashlib.blake2b(place_of(document), digest_size=16).digest()
                if known in seen:
                    continue
                seen.add(known)
                page.append(document)
                held += len(document)
                if held >= page_bytes:
                    yield b"".join(page)
                    page, held = [], 0
    if page:
        yield b"".join(page)
