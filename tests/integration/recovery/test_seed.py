"""Sample data that looks like a project's: the same for the same seed, and nobody's."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from bson import ObjectId, json_util

from greylag.config import load_sources
from greylag.core.profile import DatasetProfile, FieldProfile, KeyCandidate, Sizes
from greylag.errors import ConfigurationError
from greylag.operations.assess.assess import AssessOptions, assess
from greylag.operations.seed import Seeded, SeedOptions, seed
from greylag.recovery.seeding import Seeds
from tests.inline import Inline

if TYPE_CHECKING:
    from pathlib import Path

    from greylag.config import Sources

YAML = """
project: forum
connections: {files: {kind: json, path: data}, dynamo: {kind: dynamodb, region: us-east-1}}
services: {users: {flows: {users: {from: files.users, to: dynamo.users, key: {id: "{id}"}}}}}
"""


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    (tmp_path / "greylag.yaml").write_text(YAML)
    (tmp_path / "data").mkdir()
    records: list[dict[str, Any]] = [
        {
            "id": f"user-{number}",
            "email": f"Ada{number}@example.com",
            "karma": number,
            "role": "admin" if number % 5 else "moderator",
            "tags": ["a", "b"],
            "": 1,
            "address": {"city": "Izmir", **({"zip": "35000"} if number % 2 else {})},
            **({"banned": None} if number % 4 == 0 else {}),
        }
        for number in range(200)
    ]
    (tmp_path / "data" / "users.json").write_text(json.dumps(records))
    return load_sources(tmp_path / "greylag.yaml", environ={})


def seeded(sources: Sources, out: Path, **options: Any) -> tuple[Seeded, ...]:
    return seed(sources, SeedOptions(out, **options), executor=Inline(), observe=lambda _: None)


def test_records_look_like_those_of_the_source(sources: Sources, tmp_path: Path) -> None:
    [told] = seeded(sources, tmp_path / "one", records=500)
    text = (tmp_path / "one" / "files.users.jsonl").read_text()
    assert told.file == str(tmp_path / "one" / "files.users.jsonl")
    records = [json.loads(line) for line in text.splitlines()]
    assert len(records) == 500
    assert len({each["id"] for each in records}) == 500
    assert all(isinstance(each["karma"], int) and "@" in each["email"] for each in records)
    assert 150 < sum("zip" in each["address"] for each in records) < 350
    assert 60 < sum("banned" in each for each in records) < 200
    assert len({each["role"] for each in records}) <= 2
    assert "Izmir" not in text
    assert all("" in each for each in records)
    seeded(sources, tmp_path / "two", records=500)
    assert (tmp_path / "two" / "files.users.jsonl").read_text() == text
    seeded(sources, tmp_path / "other", records=500, seed=2)
    assert (tmp_path / "other" / "files.users.jsonl").read_text() != text
    with pytest.raises(ConfigurationError, match="is there already"):
        seeded(sources, tmp_path / "one")


def test_a_long_text_is_as_long_as_those_of_the_source(sources: Sources, tmp_path: Path) -> None:
    """The report that it is made from cuts off its example after 59 characters."""
    text = " ".join(["lorem ipsum"] * 10)
    (tmp_path / "data" / "users.json").write_text(
        json.dumps([{"id": number, "text": text} for number in range(50)])
    )
    seeded(sources, tmp_path / "out", records=200)
    lines = (tmp_path / "out" / "files.users.jsonl").read_text(encoding="utf-8")
    made = [json.loads(line)["text"] for line in lines.splitlines()]
    assert "\u2026" not in "".join(made)
    assert all(59 < len(each) <= len(text) for each in made)


def test_from_an_assessment_without_the_source(sources: Sources, tmp_path: Path) -> None:
    found = assess(sources, AssessOptions(), executor=Inline(), observe=lambda _: None)
    file = tmp_path / "assessment.json"
    file.write_text(json.dumps(found.as_json()))
    [told] = seeded(sources, tmp_path / "one", dry_run=True)
    assert not (tmp_path / "one").exists()
    (tmp_path / "data" / "users.json").unlink()
    [again] = seeded(sources, tmp_path / "one", assessment=file)
    assert again.first == told.first
    assert len((tmp_path / "one" / "files.users.jsonl").read_text().splitlines()) == 1000
    file.write_text("{}")
    with pytest.raises(ConfigurationError, match="is not what"):
        seeded(sources, tmp_path / "two", assessment=file)


def test_bson_types_come_out_as_extended_json() -> None:
    kinds = (
        "objectId",
        "int",
        "int64",
        "double",
        "decimal128",
        "date",
        "binary",
        "bool",
        "null",
        "timestamp",
    )
    fields = tuple(FieldProfile(kind if kind != "objectId" else "_id", 9, 0, {kind: 9}) for kind in kinds)
    profile = DatasetProfile(
        "orders", "bson", 9, 900, 9, True, Sizes(), fields, (KeyCandidate("_id", "objectId", 0, True),)
    )
    made = [Seeds(profile, seed=1).record(number) for number in range(50)]
    assert len({each["_id"] for each in made}) == 50
    assert isinstance(made[0]["_id"], ObjectId)
    text = json_util.dumps(made[0], json_options=json_util.CANONICAL_JSON_OPTIONS)
    assert json_util.loads(text, json_options=json_util.CANONICAL_JSON_OPTIONS).keys() == made[0].keys()


def test_the_projects_own_generator(sources: Sources, tmp_path: Path) -> None:
    program = tmp_path / "generate.py"
    program.write_text("import sys\nopen(sys.argv[6] + '.txt', 'w').write(' '.join(sys.argv[1:5]))\n")
    seeded(sources, tmp_path / "out", generator=program, records=7, dry_run=True)
    assert not (tmp_path / "out.txt").exists()
    seeded(sources, tmp_path / "out", generator=program, records=7)
    assert (tmp_path / "out.txt").read_text() == "--records 7 --seed 1"
    program.write_text("raise SystemExit('no room')\n")
    with pytest.raises(Exception, match="no room"):
        seeded(sources, tmp_path / "out", generator=program)


def test_the_command(sources: Sources, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from greylag.cli import main; main()",
            "seed",
            "out",
            "--records",
            "3",
            "--dry-run",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "files.users" in done.stdout
    assert "Nothing was written." in done.stdout
