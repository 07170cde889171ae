"""`greylag init` on small applications: what it proposes passes check, and moves after what its comments ask for."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from bson import json_util

from tests.command import Command

if TYPE_CHECKING:
    from collections.abc import Iterator

CASES = Path(__file__).parents[1] / "cases"


def rehearse(command: Command) -> int:
    """The whole migration of what greylag.yaml says, on a server of its own; how many items it made."""
    found = command.json("rehearse", "--full", "--processes", "1")
    return sum(each["items"] for each in found["tables"])


@pytest.fixture(params=sorted(each.name for each in CASES.glob("init-*")))
def case(request: pytest.FixtureRequest) -> Path:
    return CASES / str(request.param)


@pytest.fixture
def seeded(case: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of the MongoDB that holds the case's databases; empty where it has none."""
    from pymongo import MongoClient

    file = case / "mongodb.json"
    if not file.exists():
        yield ""
        return
    url: str = request.getfixturevalue("mongodb_url")
    seeds = json_util.loads(file.read_text(), json_options=json_util.CANONICAL_JSON_OPTIONS)
    with MongoClient[dict[str, Any]](url) as client:
        for database, collections in seeds.items():
            client.drop_database(database)
            for name, seed in collections.items():
                collection = client[database].create_collection(name)
                for index in seed["indexes"]:
                    collection.create_index(
                        [(path, kind) for path, kind in index["keys"]], **index["options"]
                    )
                if seed["documents"]:
                    collection.insert_many(seed["documents"])
        yield url
        for database in seeds:
            client.drop_database(database)


@pytest.fixture
def application(case: Path, tmp_path: Path, table_prefix: str) -> Path:
    folder = tmp_path / f"{table_prefix}{case.name}"
    shutil.copytree(case / "app", folder)
    return folder


def test_an_application_moves_by_the_file_that_init_writes(
    case: Path, application: Path, seeded: str
) -> None:
    expected = json.loads((case / "expected.json").read_text())
    addresses = dict.fromkeys(expected["variables"], seeded)
    greylag = Command(application, addresses)

    found = greylag.json("init")
    text = (application / "greylag.yaml").read_text()

    flows = {each["flow"]: each for each in found["proposed"]["flows"]}
    assert {
        name: {"service": each["service"], "key": each["key"], "indexes": each["indexes"]}
        for name, each in flows.items()
    } == expected["flows"]
    assert found["found"]["not_carried"] == expected["not_carried"]
    told = " ".join(line.strip().lstrip("#- ") for line in text.splitlines())
    for sentence in expected["says"]:
        assert sentence in told
    for secret in expected["secrets"]:
        assert secret not in text
        assert secret not in json.dumps(found)
    greylag("check")
    if not flows:
        return
    assert rehearse(greylag) == expected["records"]
