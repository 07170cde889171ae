"""A database of its own for each test, and Greylag's source for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.synchronous.database import Database

from greylag.connectors.mongodb import connector
from greylag.core.ports import Source
from tests.documentdb.proxy import DocumentDB

Documents = Database[dict[str, Any]]
OpenSource = Callable[..., Source]


@pytest.fixture
def server(mongodb_url: str, database: str) -> Iterator[Documents]:
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        yield client[database]


@pytest.fixture
def cluster(mongodb_url: str) -> Iterator[DocumentDB]:
    """The mongod behind a proxy by which it passes for Amazon DocumentDB 5.0."""
    made = DocumentDB(mongodb_url, wait_milliseconds=50)
    yield made
    made.close()


@pytest.fixture
def open_source(mongodb_url: str, database: str) -> Iterator[OpenSource]:
    opened: list[Source] = []

    def source(**options: Any) -> Source:
        given = {"kind": "mongodb", "url": mongodb_url, "database": database, **options}
        opened.append(connector.open("mongo", connector.options(**given), Path()).source())
        return opened[-1]

    yield source
    for each in opened:
        each.close()


@pytest.fixture
def source(open_source: OpenSource) -> Source:
    return open_source()
