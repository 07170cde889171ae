"""`greylag init` and folders that are odd, broken or hostile: clear, bounded, and nothing lost or shown."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from greylag.operations.init import start
from greylag.operations.init.folder import MAX_DEPTH
from greylag.operations.init.settings import mongo_address
from tests.command import Command
from tests.integration.test_init import CASES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def greylag(tmp_path: Path) -> Command:
    return Command(tmp_path)


def records(folder: Path, name: str = "users.json") -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps([{"id": n, "email": f"{n}@example.com"} for n in range(5)]))


@pytest.mark.parametrize("link", [False, True])
def test_an_existing_file_is_left_alone(greylag: Command, link: bool) -> None:
    records(greylag.folder)
    file = greylag.folder / "greylag.yaml"
    if link:
        file.symlink_to(greylag.folder / "elsewhere.yaml")
    else:
        file.write_text("mine")
    assert "--stdout" in greylag("init", expect=3).stderr
    assert greylag("init", "--stdout").stdout.endswith("key_types: {id: N, email: S}\n")
    assert file.is_symlink() == link
    assert not (greylag.folder / "elsewhere.yaml").exists()
    assert link or file.read_text() == "mine"


def test_a_folder_without_anything_gets_no_file(greylag: Command) -> None:
    (greylag.folder / "notes.txt").write_text("nothing")
    (greylag.folder / "users.json").write_text("[{")
    told = greylag("init", expect=3).stderr
    assert "nothing was found" in told
    assert "users.json" in told
    assert not (greylag.folder / "greylag.yaml").exists()


def test_files_that_hold_no_records_or_end_early_are_named(greylag: Command) -> None:
    (greylag.folder / "cut.json").write_text('[{"id": 1},')
    (greylag.folder / "numbers.json").write_text("[1, 2]")
    found = greylag.json("init")
    assert [each["name"] for each in found["found"]["findings"]] == ["cut.json", "numbers.json"]
    assert [each["flow"] for each in found["proposed"]["flows"]] == ["cut"]


def test_a_folder_that_is_not_there(greylag: Command) -> None:
    assert "is not a folder" in greylag("init", "nowhere", expect=3).stderr


def test_the_folder_may_be_named(greylag: Command) -> None:
    records(greylag.folder / "app")
    greylag("init", "app")
    greylag("check", "--file", "app/greylag.yaml", "--connect", expect=None)
    assert (greylag.folder / "app" / "greylag.yaml").exists()
    assert "does not lie in" in greylag("init", "app", "--file", "../x/greylag.yaml", expect=3).stderr


@pytest.mark.parametrize(
    ("compose", "line"),
    [
        ("services:\n  a:\n image: [", 3),
        ("services: 7\n", None),
        ("- services\n", None),
        ("services: {a: &a [*a]}\n", None),
        ("\x00", None),
        ("a: " + "[" * 5000, None),
    ],
)
def test_a_broken_compose_file_is_named_and_the_rest_goes_on(
    greylag: Command, compose: str, line: int | None
) -> None:
    records(greylag.folder)
    (greylag.folder / "compose.yaml").write_text(compose)
    found = greylag.json("init")
    told = [each for each in found["found"]["findings"] if each["file"] == "compose.yaml"]
    assert [each["line"] for each in told] in ([], [line])
    assert [each["flow"] for each in found["proposed"]["flows"]] == ["users"]
    greylag("check")


@pytest.mark.parametrize(
    "body",
    [
        "depends_on: 5",
        "depends_on: true",
        'ports: ["\u00b2:\u00b2", "99999999999:27017", {published: -1, target: 27017}]',
        "env_file: 5\n    volumes: 5\n    ports: 5\n    build: 5\n    image: 5",
    ],
)
def test_odd_values_in_a_compose_file_do_no_harm(greylag: Command, body: str) -> None:
    odd = f'services:\n  web:\n    environment: {{MONGO_URL: "mongodb://a..b/x"}}\n    {body}\n'
    (greylag.folder / "compose.yaml").write_text(f"{odd}  a..b:\n    image: mongo\n    {body}\n")
    greylag("init", "--no-connect")
    assert "mongodb://127.0.0.1:27017" in (greylag.folder / "greylag.yaml").read_text()
    greylag("check")


def test_what_is_odd_in_a_compose_file_shows_no_secret(greylag: Command) -> None:
    (greylag.folder / "compose.yaml").write_text(
        """
services:
  web:
    build: https://user:s3cr3t@example.com/app.git
    environment:
      - "MONGO_URL: mongodb://root:s3cr3t@mongo/shop"
      - "MONGO_PASSWORD s3cr3t"
      - "MONGODB=mongodb://root:s3cr3t@mongo/shop"
  own:
    build: git@example.com:s3cr3t.git
    environment: {"REDIS_PASSWORD s3cr3t": 1}
  mongo: {image: "user:s3cr3t@example.com/mongo:7@sha256:00 --password s3cr3t"}
"""
    )
    told = greylag("init", "--json", "--no-connect")
    text = (greylag.folder / "greylag.yaml").read_text()
    assert "s3cr3t" not in told.stdout + told.stderr + text
    assert "image example.com/mongo:7@sha256:00)" in text.replace("\n  #", "")
    assert "${MONGODB:-" in text


@pytest.mark.parametrize(
    ("written", "variable"),
    [
        ("${ADDRESS:-mongodb://root:${PASSWORD:-s3cr3t}@db:27017/shop}", "ADDRESS"),
        ("$ADDRESS", "ADDRESS"),
        ("mongodb://root:${PASSWORD:-s3cr3t}@db:27017/shop", "MONGO_URL"),
        ("${ADDRESS}${MORE}", "MONGO_URL"),
        ("${ADDRESS:-mongodb://db", "MONGO_URL"),
    ],
)
def test_a_variable_is_named_where_all_of_an_address_is_one(
    greylag: Command, written: str, variable: str
) -> None:
    service = {"build": ".", "environment": {"MONGO_URL": written}}
    (greylag.folder / "compose.yaml").write_text(json.dumps({"services": {"web": service}}))
    [database] = greylag.json("init", "--no-connect")["found"]["databases"]
    assert database["variable"] == variable
    assert "s3cr3t" not in (greylag.folder / "greylag.yaml").read_text()


def test_names_that_are_not_text_are_passed_over(greylag: Command) -> None:
    records(greylag.folder)
    for name in (b"\xff.json", b"\xff.py", b"\xff"):
        (greylag.folder / os.fsdecode(name)).write_text("[{}]")
    found = greylag.json("init")
    assert [each["kind"] for each in found["found"]["findings"]] == ["unreadable-name"]
    assert [each["flow"] for each in found["proposed"]["flows"]] == ["users"]
    greylag("check")


def test_half_a_file_is_not_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records(tmp_path)
    monkeypatch.setattr(start, "render", lambda *_: "text, and then what no file takes: \udc80")
    with pytest.raises(UnicodeEncodeError):
        start.start(tmp_path / "greylag.yaml", connect=False)
    assert not (tmp_path / "greylag.yaml").exists()


def test_aliases_cannot_fill_memory(greylag: Command) -> None:
    bomb = ["x0: &x0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    bomb += [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]" for n in range(1, 12)]
    body = "services: {a: {build: ., environment: {A: *x11}, volumes: *x11, ports: *x11, env_file: *x11}}"
    (greylag.folder / "compose.yaml").write_text("\n".join([*bomb, body]))
    greylag("init")
    greylag("check")


def test_what_is_not_the_applications_is_not_looked_at(greylag: Command) -> None:
    records(greylag.folder, "data/users.json")
    for folder in ("node_modules/x", ".git", ".venv/lib", "tests/fixtures", "/".join("d" * (MAX_DEPTH + 2))):
        records(greylag.folder, f"{folder}/other.json")
    (greylag.folder / "data" / "loop").symlink_to(greylag.folder, target_is_directory=True)
    os.mkfifo(greylag.folder / "data" / "pipe.json")
    found = greylag.json("init")
    assert [each["dataset"] for each in found["found"]["datasets"]] == ["data/users.json"]
    assert {each["kind"] for each in found["found"]["findings"]} == {"links", "too-deep"}
    greylag("check")


def test_names_that_yaml_and_templates_give_a_meaning(greylag: Command) -> None:
    odd = {
        "id": 1,
        "{u}": 2,
        "a.b": 2,
        "x}y": 3,
        "@at": 4,
        "user|Id": "u",
        "userId": "$${x}",
        "": 5,
        "email": "e",
    }
    (greylag.folder / "we$ird ${x} 'n\" {ame}.jsonl").write_text(json.dumps(odd) + "\n")
    (greylag.folder / "user.json").write_text(
        '{"a/b~c": [{"id": "1"}], "x#y": [{"id": "2"}], "": [{"id": 1}], "{u}": [{"id": 1}]}'
    )
    (greylag.folder / "null.json").write_text('[{"id": "1", "userId": "2"}]')
    (greylag.folder / "compose.yaml").write_text('services: {"a\\n  b: [": {image: "postgres\\nkind: x"}}')
    (greylag.folder / "#.json").write_text("[{}]")
    found = greylag.json("init")
    assert len(found["proposed"]["flows"]) == 6
    assert "{{" not in (greylag.folder / "greylag.yaml").read_text()
    greylag("check")
    tried = greylag.json("check", "--connect", expect=None)["connections"]
    assert [each for each in tried if each["role"] == "source" and not each["ok"]] == []


def test_an_address_only_containers_know(tmp_path: Path) -> None:
    shutil.copytree(CASES / "init-shop" / "app", tmp_path / "shop")
    greylag = Command(tmp_path / "shop")
    told = greylag("init", "--no-connect").stdout
    text = (tmp_path / "shop" / "greylag.yaml").read_text()
    assert '"${GREYLAG_MONGODB_URI:-mongodb://127.0.0.1:27017/?directConnection=true}"' in text
    assert "from: mongo.*" in text
    assert "never-print" not in text + told
    greylag("check")


def test_two_servers_under_one_variable(greylag: Command) -> None:
    (greylag.folder / "compose.yaml").write_text(
        "services:\n"
        "  a: {build: a, environment: {MONGO_URL: 'mongodb://u:secret-one@one.example.com/first'}}\n"
        "  b: {build: b, environment: {MONGO_URL: 'mongodb://two.example.com:27018/second'}}\n"
    )
    found = greylag.json("init", "--no-connect")
    text = (greylag.folder / "greylag.yaml").read_text()
    assert {(each["database"], each["variable"]) for each in found["found"]["databases"]} == {
        ("first", "MONGO_URL"),
        ("second", "B_MONGO_URL"),
    }
    assert '"${MONGO_URL:-mongodb://one.example.com}"' in text
    assert "secret-one" not in text + json.dumps(found)
    assert [each["from"] for each in found["proposed"]["flows"]] == ["mongo-first.*"]
    assert "no flow reads it yet" in found["proposed"]["left"][0]
    greylag("check")


def test_a_server_that_is_away_is_said_and_every_collection_proposed(greylag: Command) -> None:
    address = "mongodb://user:secret-two@127.0.0.1:1/shop?serverSelectionTimeoutMS=200"
    (greylag.folder / ".env").write_text(f"MONGODB_URI='{address}'\n")
    ran = greylag("init")
    text = (greylag.folder / "greylag.yaml").read_text()
    assert "cannot list the collections" in ran.stderr
    assert "from: mongo.*" in text
    assert "secret-two" not in text + ran.stdout + ran.stderr
    greylag("check")


def test_a_variable_that_was_asked_for_is_not_set(greylag: Command) -> None:
    records(greylag.folder)
    assert "ELSEWHERE is not set" in greylag("init", "--mongodb", "ELSEWHERE", expect=3).stderr


def test_the_database_of_a_variable_that_was_asked_for(
    greylag: Command, mongodb_url: str, database: str
) -> None:
    from pymongo import MongoClient

    with MongoClient[dict[str, object]](mongodb_url) as client:
        client[database]["things"].insert_one({"_id": 1})
    address = mongodb_url.replace("/?", f"/{database}?")
    asked = Command(greylag.folder, {"ELSEWHERE": address})
    assert [each["from"] for each in asked.json("init", "--mongodb", "ELSEWHERE")["proposed"]["flows"]] == [
        "mongo.things"
    ]
    assert "${ELSEWHERE:-" in (greylag.folder / "greylag.yaml").read_text()


@pytest.mark.parametrize(
    "text",
    [
        "mongodb://user:pa@ss@host/db",
        "mongodb://user:pa/ss@host/db",
        "mongodb://user:password",
        "mongodb://user:pa ss@host/db",
        "mongodb://user:pa?ss@host/db",
        "mongodb://${USER}:${PASSWORD}@host/db",
        "postgres://user:password@host/db",
    ],
)
def test_an_address_that_may_show_a_secret_is_none(text: str) -> None:
    found = mongo_address(text)
    assert found is None or (found.hosts, found.database) == ("host", "db")
    assert "pa" not in repr(found)
