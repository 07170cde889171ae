"""Two stores of MongoDB, for tests of what goes from one to the other and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pymongo import MongoClient
from pymongo.synchronous.collection import Collection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Things = Collection[dict[str, Any]]


@pytest.fixture
def things(
    request: pytest.FixtureRequest, tmp_path: Path, mongodb_url: str, database: str
) -> Iterator[tuple[Things, Things]]:
    """The collections of the old and of the new store, of a greylag.yaml as the module's PROJECT says."""
    (tmp_path / "greylag.yaml").write_text(request.module.PROJECT.format(url=mongodb_url, database=database))
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        yield client[database].things, client[f"{database}_new"].things
        client.drop_database(f"{database}_new")
