"""Records of a JSON file put, changed and deleted, everything else byte for byte as it was."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from greylag.connectors.json.oldstore import JsonOldStore
from greylag.core.flows import DatasetRef, FlowSpec, TableSpec
from greylag.core.records import Erased, Record, Refused
from greylag.errors import SourceDataError, StateError

if TYPE_CHECKING:
    from pathlib import Path

    from greylag.core.values import Document


def flow(dataset: str, template: str) -> FlowSpec:
    table = TableSpec(DatasetRef("dynamo", "users"), ("id",))
    return FlowSpec("users", "users", DatasetRef("forum", dataset), table, {"id": template})


def carry(folder: Path, spec: FlowSpec, *changes: tuple[int, Document | None] | Document) -> None:
    """Each change is a record, or (its row, what it is now)."""
    store = JsonOldStore(folder)
    codec = store.codec(spec, "json")
    batch: list[Any] = []
    for each in changes:
        row, fields = each if isinstance(each, tuple) else (-1, each)
        gone = fields is not None and fields.get("gone") is True
        encoded = codec.encode(Record(row, {} if fields is None else fields))
        batch.append(Erased(encoded.key, b"") if fields is None or gone else encoded)
    assert [delivery.items for delivery in store.writer(spec).write([batch, []])] == [len(batch), 0]


PRETTY = """{
  "before": [1, {"a": "]"}],
  "users": [
    {
      "id": 1,
      "name": "Ann",
      "tags": ["a", "b"]
    },
    {"id":2,"name":"Bo","n":1.50},
    {
      "id": 3
    }
  ],
  "after": "\\u00e9"
}
"""


def test_an_array_keeps_its_style(tmp_path: Path) -> None:
    path = tmp_path / "db.json"
    path.write_text(PRETTY)
    spec = flow("db.json#/users", "{id}")
    carry(
        tmp_path,
        spec,
        {"name": "Anna", "tags": ["a", "c"], "id": 1, "age": 5},
        {"n": Decimal("2.50"), "id": 2, "name": "Bo"},
        {"id": 3, "gone": True},
        {"id": 4, "name": "Dé"},
    )
    assert path.read_text() == (
        """{
  "before": [1, {"a": "]"}],
  "users": [
    {
      "id": 1,
      "name": "Anna",
      "tags": [
        "a",
        "c"
      ],
      "age": 5
    },
    {"id":2,"name":"Bo","n":2.50},
    {
      "id": 4,
      "name": "Dé"
    }
  ],
  "after": "\\u00e9"
}
"""
    )
    assert sorted(each.name for each in tmp_path.iterdir()) == ["db.json"]


def test_a_record_that_is_the_same_keeps_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "db.json"
    path.write_text(PRETTY)
    before = path.stat().st_mtime_ns
    carry(tmp_path, flow("db.json#/users", "{id}"), {"id": 1, "tags": ["a", "b"], "name": "Ann"})
    assert path.read_text() == PRETTY
    assert path.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]", '[{"id":9}]'),
        ("[ ]\n", '[{"id":9} ]\n'),
        ('[{"id": 1}]', '[{"id": 1}, {"id": 9}]'),
        ('[\n{"id": 1}\n]', '[\n{"id": 1},\n{"id": 9}\n]'),
    ],
)
def test_new_records_come_at_the_end(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "users.json").write_text(text)
    carry(tmp_path, flow("users", "{id}"), {"id": 9})
    found = (tmp_path / "users.json").read_text()
    assert found.replace(" ", "") == expected.replace(" ", "")


def test_every_record_may_go(tmp_path: Path) -> None:
    (tmp_path / "users.json").write_text('[{"id": 1},\n {"id": 2}]')
    carry(tmp_path, flow("users", "{id}"), {"id": 1, "gone": True}, {"id": 2, "gone": True})
    assert (tmp_path / "users.json").read_text() == "[]"


def test_lines_are_changed_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "users.jsonl"
    path.write_text('{"id": 1, "n": 1}\n\n{"id": 2}\r\n{"id":3,"id":4}\n{"id": 5}')
    spec = flow("users", "{id}")
    carry(tmp_path, spec, {"id": 1, "gone": True}, {"x": True, "id": 2}, {"id": 6})
    assert path.read_bytes() == b'\n{"id": 2, "x": true}\r\n{"id":3,"id":4}\n{"id": 5}\n{"id": 6}\n'.replace(
        b'"id": 2, "x": true', b'"id": 2,"x": true'
    )


def test_rows_stay_those_of_the_load(tmp_path: Path) -> None:
    path = tmp_path / "posts.json"
    path.write_text('["no record", {"n": "b"}, {"n": "c"}, {"n": "d"}]')
    spec = flow("posts", "{@row}")
    carry(tmp_path, spec, (1, None))
    assert path.read_text() == '["no record", {"n": "c"}, {"n": "d"}]'
    carry(tmp_path, spec, (2, {"n": "cc"}), (17, {"n": "new"}))
    carry(tmp_path, spec, (17, {"n": "newer"}), (3, None))
    assert path.read_text() == '["no record", {"n": "cc"}, {"n": "newer"}]'
    path.write_text("[]")
    with pytest.raises(StateError, match="changed by something else"):
        carry(tmp_path, spec, (17, {"n": "again"}))


def test_what_json_cannot_hold_is_refused(tmp_path: Path) -> None:
    codec = JsonOldStore(tmp_path).codec(flow("users", "{id}"), "json")
    with pytest.raises(Refused, match="binary"):
        codec.encode(Record(0, {"id": 1, "data": b"x"}))
    with pytest.raises(Refused, match="missing"):
        codec.encode(Record(0, {}))
    assert codec.encode(Record(0, {"id": 1})).key == codec.encode(Record(0, {"id": Decimal("1.0")})).key
    assert codec.encode(Record(0, {"id": 1})).key != codec.encode(Record(0, {"id": "1"})).key


def test_a_malformed_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "users.json"
    path.write_text('[{"id": 1}, {"id": ')
    with pytest.raises(SourceDataError):
        carry(tmp_path, flow("users", "{id}"), {"id": 1, "gone": True})
    assert path.read_text() == '[{"id": 1}, {"id": '
    assert sorted(each.name for each in tmp_path.iterdir()) == ["users.json"]


def test_a_read_only_folder_is_written_for_a_moment(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    path = folder / "users.json"
    path.write_text("[]")
    path.chmod(0o444)
    folder.chmod(0o555)
    carry(folder, flow("users", "{id}"), {"id": 1})
    assert path.read_text() == '[{"id": 1}]'
    assert (path.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o444, 0o555)
    folder.chmod(0o755)
