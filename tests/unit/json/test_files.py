"""Datasets of folders and files: their names, what they refuse, and what a broken file loses."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import re
import threading
from typing import TYPE_CHECKING

import pytest

from greylag.connectors.json import connector
from greylag.connectors.json.array import ArrayReader
from greylag.connectors.pace import Pace
from greylag.connectors.registry import connector_type
from greylag.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectorError,
    SchemaError,
    SourceDataError,
)
from tests.unit.json.reading import everything, fields, pages, source, written

if TYPE_CHECKING:
    from pathlib import Path

    from greylag.core.records import Page
    from greylag.core.values import Value


def test_a_file_that_is_being_written_is_described_once_it_is_whole(tmp_path: Path) -> None:
    path = written(tmp_path / "things.json", "")
    writing = threading.Timer(0.1, lambda: path.write_text('[{"id": 1}]'))
    writing.start()
    described = source(tmp_path).describe("things")
    writing.join()
    assert described.estimated_bytes == 11
    path.write_text("")
    with pytest.raises(SourceDataError):
        source(tmp_path).describe("things")


def test_a_folder_s_datasets_are_its_arrays(tmp_path: Path) -> None:
    written(tmp_path / "users.json", '[{"id": 1}]')
    written(tmp_path / "log.jsonl.gz", '{"id": 2}\n')
    written(tmp_path / "posts/db.json", '{"posts": [{"id": 3}], "n": 1, "a/b~": [], "o": {"x": []}}')
    written(tmp_path / "both.json", "[]")
    written(tmp_path / "both.jsonl", "")
    written(tmp_path / "by-id.json", '{"u1": {}}')
    written(tmp_path / "broken.json", '{"a": [')
    written(tmp_path / "notes.txt", "[]")
    written(tmp_path / ".hidden/x.json", "[]")
    reader = source(tmp_path)
    reader.check()
    assert reader.datasets() == [
        "both.json",
        "both.jsonl",
        "broken",
        "by-id",
        "log",
        "posts/db.json#/a~1b~0",
        "posts/db.json#/posts",
        "users",
    ]
    assert fields(reader, "users") == fields(reader, "users.json") == [{"id": 1}]
    assert fields(reader, "log") == [{"id": 2}]
    assert fields(reader, "posts/db.json#/posts") == fields(reader, "posts/db#/posts") == [{"id": 3}]
    assert fields(reader, "posts/db.json#/a~1b~0") == fields(reader, "both.jsonl") == []


def test_a_file_may_be_the_whole_connection(tmp_path: Path) -> None:
    one = source(written(tmp_path / "db.json", '{"users": [{"id": 1}]}'))
    assert one.datasets() == ["#/users"]
    assert fields(one, "#/users") == fields(one, "db#/users") == fields(one, "db.json#/users") == [{"id": 1}]
    other = source(written(tmp_path / "users.json.gz", '[{"id": 1}]'))
    assert other.datasets() == ["users"]
    assert fields(other, "users") == [{"id": 1}]
    with pytest.raises(SchemaError, match=r"one file users\.json\.gz"):
        other.describe("posts")


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ("user", "did you mean 'users'"),
        ("users.jsonl", "did you mean"),
        ("both", "means both.json and both.jsonl"),
        ("../users", "no file below"),
        ("/etc/users", "no file below"),
        ("", "no file below"),
        ("db", "Name an array inside it: #/users, #/a~1b"),
        ("db#/user", "did you mean 'users'"),
        ("db#/users/x", "Write an element's place"),
        ("db#/users/1", "has no element 1"),
        ("db#/users/0/id", "neither an array nor an object"),
        ("db#/n/x", "nothing lies below #/n"),
        ("db#users", "write #/users"),
        ("db#/~2", "Write ~ in a key as ~0"),
        ("by-id", r"jq '\[to_entries"),
        ("records", "name the file .jsonl"),
        ("log#/users", "Write log alone"),
        ("text", "neither an array nor an object"),
    ],
)
def test_what_is_no_dataset_is_refused_with_the_way_on(tmp_path: Path, dataset: str, message: str) -> None:
    written(tmp_path / "users.json", "[]")
    written(tmp_path / "both.json", "[]")
    written(tmp_path / "both.jsonl", "")
    written(tmp_path / "db.json", '{"users": [{"id": 1}], "n": 1, "a/b": []}')
    written(tmp_path / "by-id.json", '{"u1": {}}')
    written(tmp_path / "records.json", '{"id": 1}\n{"id": 2}\n')
    written(tmp_path / "log.jsonl", "")
    written(tmp_path / "text.json", '"text"')
    with pytest.raises(SchemaError, match=message) as caught:
        source(tmp_path).describe(dataset)
    assert (
        caught.value.advice
        or "did you mean" in str(caught.value)
        or dataset == "db#/users/1"
        or "below" in message
    )


def test_the_identity_changes_with_the_content(tmp_path: Path) -> None:
    path = written(tmp_path / "db.json", '{"a": [{"v": 1}], "b": []}')
    reader = source(tmp_path)
    first = reader.describe("db#/a")
    assert (first.family, first.unique_id, first.resumable_changes) == ("json", "@row", True)
    assert reader.describe("db#/a") == first
    assert reader.describe("db#/b").identity != first.identity
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    assert reader.describe("db#/a").identity != first.identity


def test_what_a_user_must_mend_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConnectorError, match="there is no"):
        source(tmp_path / "nowhere").check()
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may read everything
    with pytest.raises(AuthenticationError, match="may not be read"):
        source(tmp_path).check()


def test_the_connector_is_registered_picklable_and_a_source_only(tmp_path: Path) -> None:
    kind = connector_type("json")
    assert kind is connector
    made = kind.open("files", kind.options(kind="json", path="data"), tmp_path)
    assert pickle.loads(pickle.dumps(made)) == made
    assert made.path == tmp_path / "data"  # type: ignore[attr-defined]
    with pytest.raises(ConfigurationError, match="source only"):
        made.target()


BROKEN = [
    ("a.json", '[{"v":0},{"v":1},{"v":2', "cut off", 23, 2),
    ("a.json", '[{"v":0},{"v":1},{"v":"2', "cut off", 24, 2),
    ("a.json", '[{"v":0},{"v":1},{"v":"\\', "cut off", 24, 2),
    ("a.json", '[{"v":0},{"v":1},', "ends where it should go on", 17, 2),
    ("a.json", '[{"v":0},{"v":1}', "ends where it should go on", 16, 2),
    ("a.json", '[{"v":0},{"v":1},]', "expected a value, found `]`", 17, 2),
    ("a.json", '[{"v":0},{"v":1} {"v":2}]', "expected `,` or `]`, found `{`", 17, 2),
    ("a.json", '[{"v":0},{"v":1},{"v":no},{}]', "not JSON", 22, 2),
    ("a.json", '[{"v":0},{"v":1},{"v":[}]},{}]', "not JSON", 23, 2),
    ("a.json", '[{"v":0},{"v":1},nope]', "not JSON", 17, 2),
    ("a.json", '[{"v":0},{"v":1},:]', "expected a value, found `:`", 17, 2),
    ("a.json", '[{"v":0},{"v":1}}', "expected `,` or `]`, found `}`", 16, 2),
    ("a.json", '[{"v":0},{"v":1}]]', "expected the end of the file", 17, None),
    ("a.json", "\ufeff" + '[{"v":0},{"v":1},{"v":"\x02"}]', "control character", 26, 2),
    ("a.jsonl", '{"v":0}\n\n{"v":1}\n{"v":2', "not JSON", 23, 2),
    ("a.jsonl", '{"v":0}\n{"v":1}\n {"v":2} {}\n', "something follows", 24, 2),
    ("a.jsonl", '{"v":0}\n{"v":1}\n{"v":\n2}\n', "not JSON", 21, 2),
]


def _read_until_it_breaks(
    path: Path, dataset: str = "", page_bytes: int = 1 << 20
) -> tuple[list[Value], str]:
    found: list[Page] = []
    reader = source(path)
    (partition,) = reader.partitions(dataset, partition_bytes=1 << 20)
    with pytest.raises(SourceDataError) as caught:
        found.extend(reader.read(partition, None, page_bytes=page_bytes))
    for page in found:
        with pytest.raises(SourceDataError, match=re.escape(str(caught.value))):
            list(reader.read(partition, page.cursor, page_bytes=page_bytes))
    return [record.fields for page in found for record in page.records], str(caught.value)


@pytest.mark.parametrize("page_bytes", [1, 10, 1000])
@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(("name", "content", "reason", "offset", "row"), BROKEN)
def test_what_came_before_a_broken_place_is_not_lost(
    tmp_path: Path,
    name: str,
    content: str,
    reason: str,
    offset: int,
    row: int | None,
    zipped: bool,
    page_bytes: int,
) -> None:
    name += ".gz" * zipped
    records, message = _read_until_it_breaks(written(tmp_path / name, content), "", page_bytes=page_bytes)
    assert records == [{"v": 0}, {"v": 1}]
    assert name in message
    assert reason.lower() in message.lower()
    assert f"at byte {offset}" in message
    assert row is None or f"(row {row})" in message


@pytest.mark.parametrize("content", [b"", b" \n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_no_array(tmp_path: Path, content: bytes) -> None:
    reader = source(written(tmp_path / "a.json", content))
    with pytest.raises(SourceDataError, match=f"the file is empty.*at byte {len(content)}"):
        reader.describe("")
    with pytest.raises(SourceDataError, match="the file is empty"):
        list(reader.partitions("#/a", partition_bytes=1))


@pytest.mark.parametrize("content", ["[]", " [ \n ] ", "\ufeff[]"])
def test_an_empty_array_has_no_records(tmp_path: Path, content: str) -> None:
    assert everything(source(written(tmp_path / "a.json", content)), "") == ([], [])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.json.gz"])
def test_other_encodings_are_named(tmp_path: Path, encoding: str, name: str) -> None:
    reader = source(written(tmp_path / name, '[{"a": 1}]'.encode(encoding)))
    with pytest.raises(SourceDataError, match=r"this is UTF-(16|32).*iconv"):
        list(reader.partitions("", partition_bytes=1))


@pytest.mark.parametrize("name", ["a.json.gz", "a.jsonl.gz"])
def test_a_gzip_stream_cut_off_gives_what_it_still_holds(tmp_path: Path, name: str) -> None:
    rows = [{"id": row, "digest": os.urandom(8).hex()} for row in range(20_000)]
    lines = ",".join(map(json.dumps, rows)) if name == "a.json.gz" else "\n".join(map(json.dumps, rows))
    data = gzip.compress((f"[{lines}]" if name == "a.json.gz" else lines).encode())
    (tmp_path / name).write_bytes(data[: len(data) // 2])
    records, message = _read_until_it_breaks(tmp_path / name, "")
    assert records == rows[: len(records)]
    assert len(records) > 9_000
    assert "the gzip stream is cut off or damaged" in message


def test_a_key_on_the_way_that_occurs_twice_is_an_error(tmp_path: Path) -> None:
    content = '{"d": {"u\\u0073ers": [{"v": 1}], "x": {"users": []}, "users": []}}'
    records, message = _read_until_it_breaks(written(tmp_path / "a.json", content), "#/d/users")
    assert records == [{"v": 1}]
    assert "'users' occurs a second time" in message


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_a_file_that_changes_while_it_is_read_is_an_error(tmp_path: Path, name: str) -> None:
    content = '[{"v":0},{"v":1}]' if name == "a.json" else '{"v":0}\n{"v":1}\n'
    path = written(tmp_path / name, content)
    reader = source(path)
    (partition,) = reader.partitions("", partition_bytes=1000)
    reading = reader.read(partition, None, page_bytes=1)
    page = next(reading)
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    with pytest.raises(SourceDataError, match="has changed"):
        list(reading)
    with pytest.raises(SourceDataError, match=r"has changed.*\n.*--restart"):
        list(reader.read(partition, page.cursor, page_bytes=1))


def test_the_first_range_of_lines_is_there_before_the_rest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = source(written(tmp_path / "a.jsonl", '{"v":0}\n' * 1000))
    monkeypatch.setattr("greylag.connectors.json.lines.count_records", lambda *_: pytest.fail("was read"))
    first = next(iter(reader.partitions("", partition_bytes=100)))
    assert (first.ordinal, first.bounds["start"], first.bounds["end"]) == (0, 0, 104)


def test_fetching_lines_decodes_only_ranges_that_hold_a_wanted_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("greylag.connectors.json.source._FETCHED_BYTES", 100)
    lines = [f'{{"v":{row}}}' for row in range(1000)]
    lines[500] = lines[990] = "this is not decoded"
    reader = source(written(tmp_path / "a.jsonl", "\n\n".join(lines)))
    assert [record.fields for record in reader.fetch("", [900, 3])] == [{"v": 3}, {"v": 900}]


ROW = {"id": "0001", "items": [{"id": "0002"}, {"id": "}],},{"}], "note": '},{"id"'}


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
@pytest.mark.parametrize("special", ['{"id":1,"id":2}', "7", '{"other":"[{"}', None])
def test_records_that_look_like_the_space_between_records(
    tmp_path: Path, separators: tuple[str, str], special: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ArrayReader.__init__, "__kwdefaults__", {"batch_bytes": 1000})
    rows = [json.dumps(ROW, separators=separators)] * 100
    if special is not None:
        rows[50] = special
    reader = source(written(tmp_path / "a.json", f"[{','.join(rows)}]"))
    records, rejected = everything(reader, "", page_bytes=5000)
    lost = special is not None and "other" not in special
    assert [each.id for each in rejected] == [50] * lost
    assert [r.id for r in records] == [row for row in range(100) if not lost or row != 50]
    assert all(r.fields == ROW for r in records if r.id != 50)
    for partition, read in pages(reader, "", page_bytes=5000):
        for place, page in enumerate(read):
            assert list(reader.read(partition, page.cursor, page_bytes=5000)) == read[place + 1 :]


def test_a_source_waits_as_it_was_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "a.json", "[" + ",".join(['{"v":0}'] * 100) + "]")
    reader = source(path, read_bytes_per_second=200)
    waited: list[float] = []
    monkeypatch.setattr(Pace, "_wait", lambda pace, seconds, rate: waited.append(seconds))
    monkeypatch.setattr(reader, "_pace", Pace(200, clock=lambda: 0.0))
    everything(reader, "", page_bytes=100)
    assert max(waited) == pytest.approx(799 / 200)
    waited.clear()
    reader.limit(None)
    everything(reader, "", page_bytes=100)
    assert waited == []
