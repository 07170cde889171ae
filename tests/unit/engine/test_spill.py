"""Spilled joins: nothing lost, nothing doubled, whatever the size of a bucket and however a writer ended."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greylag.engine import spill
from greylag.engine.spill import BUCKETS, SOURCE, Entry, Spill, SpillWriter, hashed, label, value_of
from greylag.errors import ResourceError
from tests.property.strategies import values

if TYPE_CHECKING:
    from greylag.core.values import Value


def entry(key: bytes, place: int = 0) -> Entry:
    return Entry(hashed(key), hashed(b"body"), SOURCE, 0, place, label(key.hex()))


def joined(folder: Path, **options: int) -> list[tuple[bytes, list[Entry]]]:
    read = Spill(folder, **options)
    return [(key, list(entries)) for bucket in range(BUCKETS) for key, entries in read.groups(bucket)]


def test_groups_hold_every_entry_by_key_in_order(tmp_path: Path) -> None:
    writers = [SpillWriter(tmp_path, block_bytes=200) for _ in range(3)]
    for number in range(900):
        writers[number % 3].add(entry(b"%d" % (number % 300), number))
    for each in writers:
        each.flush()
    found = joined(tmp_path)
    assert [key for key, _ in found] == sorted(hashed(b"%d" % number) for number in range(300))
    assert sorted(each.place for _, entries in found for each in entries) == list(range(900))


def test_a_large_bucket_is_split_and_a_hot_key_streamed(tmp_path: Path) -> None:
    writer = SpillWriter(tmp_path)
    for number in range(3000):
        writer.add(entry(b"hot", number))
        writer.add(entry(b"%d" % number))
    writer.flush()
    found = joined(tmp_path, bucket_bytes=400)
    assert [key for key, _ in found] == sorted({hashed(b"hot"), *(hashed(b"%d" % n) for n in range(3000))})
    assert len(dict(found)[hashed(b"hot")]) == 3000
    assert not list(tmp_path.glob("*-split"))


def test_keys_alike_but_for_their_last_bit_are_told_apart(tmp_path: Path) -> None:
    writer = SpillWriter(tmp_path)
    keys = [bytes(15) + b"\x00", bytes(15) + b"\x01"]
    for key in keys * 20:
        writer.add(Entry(key, hashed(b""), SOURCE, 0, 0, b"1"))
    writer.flush()
    assert [(key, len(entries)) for key, entries in joined(tmp_path, bucket_bytes=100)] == [
        (key, 20) for key in keys
    ]


def test_a_torn_block_hides_nothing_written_before_it(tmp_path: Path) -> None:
    writer = SpillWriter(tmp_path)
    writer.add(entry(b"key", 1))
    writer.sync()
    (path,) = tmp_path.glob("*.spill")
    whole = path.read_bytes()
    for cut in range(1, len(whole)):
        path.write_bytes(whole + whole[:cut])
        assert [len(entries) for _, entries in joined(tmp_path)] == [1]
    path.write_bytes(whole + whole[:-1] + bytes([whole[-1] ^ 1]))
    assert [len(entries) for _, entries in joined(tmp_path)] == [1]


def test_a_full_disk_is_a_resource_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    writer = SpillWriter(tmp_path)
    writer.add(entry(b"key"))
    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(ResourceError, match="No space left"):
        writer.flush()


@given(values("bson"))
def test_labels_give_back_the_value(value: Value) -> None:
    assert label(value_of(label(value))) == label(value)


@settings(max_examples=30)
@given(st.integers(0, 25))
def test_buckets_of_every_level_stay_in_the_order_of_keys(level: int) -> None:
    keys = sorted(hashed(b"%d" % number) for number in range(200))
    shift = 6 * level
    prefix_cleared = [
        (int.from_bytes(key, "big") >> shift).to_bytes(16, "big") if shift < 128 else bytes(16)
        for key in keys
    ]
    buckets = [spill.bucket_of(key, level) for key in prefix_cleared]
    assert buckets == sorted(buckets)
