"""The spool: nothing that was durable is lost, nothing a reader saw comes twice, whatever the end of the writer."""

from __future__ import annotations

import random
import resource
import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greylag.core.change import ChangeBatch, DatasetEvent, RawChange
from greylag.engine.follow.entries import Barrier, Entry, Position
from greylag.engine.follow.spool import LEAP, SpoolReader, SpoolWriter
from greylag.errors import ResourceError, StateError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


CHANGES = st.builds(
    RawChange,
    st.text("ab.ü\ud800", max_size=5),
    st.binary(max_size=6),
    st.none() | st.binary(max_size=40),
    st.integers(-(2**62), 2**62),
)
BATCHES = st.builds(
    ChangeBatch, st.lists(CHANGES, max_size=4), st.text(max_size=8), st.none() | st.integers(0, 2**50)
)


def numbered(first: int, last: int) -> list[ChangeBatch]:
    """Batches of one change each; the position after a change is its number."""
    return [
        ChangeBatch([RawChange("d", b"%d" % each, b"x" * 50, each)], str(each)) for each in range(first, last)
    ]


def written(folder: Path, batches: list[ChangeBatch], **options: int) -> None:
    with SpoolWriter(folder, **options) as spool:
        spool.recover()
        for each in batches:
            spool.append(each)


def read(folder: Path, start: int = 0) -> list[Entry]:
    return list(SpoolReader(folder).read(start))


def changes(entries: list[Entry]) -> list[RawChange]:
    return [each.content for each in entries if isinstance(each.content, RawChange)]


def numbers(folder: Path) -> list[int]:
    return [each.written_ms for each in changes(read(folder))]


@settings(max_examples=60, deadline=None)
@given(st.lists(BATCHES, max_size=8), st.integers(20, 400))
def test_what_was_appended_is_read(
    tmp_path_factory: pytest.TempPathFactory, batches: list[ChangeBatch], segment_bytes: int
) -> None:
    folder = tmp_path_factory.mktemp("spool") / "s"
    written(folder, batches, segment_bytes=segment_bytes)
    entries = read(folder)
    assert changes(entries) == [change for each in batches for change in each.changes]
    assert [each.ordinal for each in entries] == list(range(len(entries)))
    if batches:
        last = batches[-1]
        assert entries[-1].content == Position(last.position, last.clock_ms)
        with SpoolWriter(folder) as spool:
            assert spool.recover() == last.position


def test_a_new_spool_has_no_position(tmp_path: Path) -> None:
    with SpoolWriter(tmp_path / "s") as spool:
        assert spool.recover() is None
    with SpoolWriter(tmp_path / "s") as spool:
        assert spool.recover() is None
    assert read(tmp_path / "s") == []
    assert read(tmp_path / "none") == []


def test_a_reader_goes_on_where_it_was_while_a_writer_writes(tmp_path: Path) -> None:
    reader, seen, start = SpoolReader(tmp_path), [], 0
    with SpoolWriter(tmp_path, segment_bytes=300) as spool:
        spool.recover()
        for number, each in enumerate(numbered(0, 60)):
            spool.append(each)
            if number % 7 == 0:
                for entry in reader.read(start):
                    seen.append(entry)
                    start = entry.ordinal + 1
                    if number % 2:
                        break
        seen += reader.read(start)
        assert seen == read(tmp_path)
        assert spool.next_ordinal == reader.end == seen[-1].ordinal + 1


def test_barriers_and_events_stand_where_they_were_put(tmp_path: Path) -> None:
    event = DatasetEvent("d", "dropped", "someone dropped it")
    with SpoolWriter(tmp_path) as spool:
        spool.recover()
        spool.append(ChangeBatch([RawChange("d", b"1", b"", 1)], "1", 5))
        spool.barrier("load")
        spool.append(ChangeBatch([RawChange("d", b"2", None, 2)], "2", event=event))
        spool.append(ChangeBatch([], "3"))
    assert [each.content for each in read(tmp_path)] == [
        RawChange("d", b"1", b"", 1),
        Position("1", 5),
        Barrier("load"),
        Position("1", 5),
        RawChange("d", b"2", None, 2),
        event,
        Position("2", None),
        Position("3", None),
    ]


def test_a_tail_torn_at_any_byte_is_cut_back_to_the_last_position(tmp_path: Path) -> None:
    """What the last batch was writing when the machine stopped; `end` had not told of it."""
    whole = tmp_path / "whole"
    batches = [
        *numbered(0, 3),
        ChangeBatch([RawChange("d", b"%d" % each, b"y" * 20, each) for each in (3, 4)], "4", 9),
    ]
    written(whole, batches[:-1])
    [path] = whole.glob("*.seg")
    durable, told = path.stat().st_size, (whole / "end").read_bytes()
    shutil.rmtree(whole)
    written(whole, batches)
    content = path.read_bytes()
    for size in range(durable, len(content) + 1):
        torn = tmp_path / "torn"
        shutil.copytree(whole, torn)
        (torn / path.name).write_bytes(content[:size])
        (torn / "end").write_bytes(told)
        assert numbers(torn) == [0, 1, 2]
        with SpoolWriter(torn) as spool:
            assert spool.recover() == ("2" if size < len(content) else "4")
            assert numbers(torn) == ([0, 1, 2] if size < len(content) else [0, 1, 2, 3, 4])
            for each in numbered(3, 6) if size < len(content) else numbered(5, 6):
                spool.append(each)
        assert numbers(torn) == [0, 1, 2, 3, 4, 5]
        shutil.rmtree(torn)


def test_a_segment_torn_while_it_was_made_is_made_anew(tmp_path: Path) -> None:
    written(tmp_path, numbered(0, 3))
    first = SpoolReader(tmp_path).end
    for content in (b"", b"gls", b"glseg\x00\x01\n", b"glseg\x00\x01\n\x00\x00"):
        (tmp_path / f"{first:016x}.seg").write_bytes(content)
        with SpoolWriter(tmp_path) as spool:
            assert spool.recover() == "2"
        first = SpoolReader(tmp_path).end
        assert numbers(tmp_path) == [0, 1, 2]


def flips(size: int) -> Iterator[tuple[int, int]]:
    for place in range(size):
        yield place, 1 << (place % 8)


def test_every_flipped_byte_is_found(tmp_path: Path) -> None:
    """By a reader, and where the last segment has it by the writer too."""
    written(tmp_path / "s", numbered(0, 8), segment_bytes=400)
    names = sorted((tmp_path / "s").glob("*.seg"))
    assert len(names) > 1
    for path in names:
        content = path.read_bytes()
        for place, bit in flips(len(content)):
            spoiled = bytearray(content)
            spoiled[place] ^= bit
            path.write_bytes(spoiled)
            with pytest.raises(StateError, match=r"damaged at byte|no longer holds") as raised:
                read(tmp_path / "s")
            assert "--reload" in raised.value.advice
            if path == names[-1]:
                with pytest.raises(StateError, match="damaged at byte"), SpoolWriter(tmp_path / "s") as spool:
                    spool.recover()
        path.write_bytes(content)
    assert numbers(tmp_path / "s") == list(range(8))


def test_a_flipped_byte_of_end_hides_entries_until_the_writer_recovers(tmp_path: Path) -> None:
    written(tmp_path, numbered(0, 3))
    told = (tmp_path / "end").read_bytes()
    for place, bit in flips(len(told)):
        spoiled = bytearray(told)
        spoiled[place] ^= bit
        (tmp_path / "end").write_bytes(spoiled)
        assert read(tmp_path) == []
    with SpoolWriter(tmp_path) as spool:
        assert spool.recover() == "2"
    assert numbers(tmp_path) == [0, 1, 2]


@pytest.mark.parametrize("gone", [0, 1, -1])
def test_a_segment_that_is_gone_is_missed(tmp_path: Path, gone: int) -> None:
    written(tmp_path, numbered(0, 12), segment_bytes=300)
    sorted(tmp_path.glob("*.seg"))[gone].unlink()
    with pytest.raises(StateError, match="no longer holds"):
        read(tmp_path)


@pytest.mark.parametrize("seed", range(40))
def test_a_power_cut_leaves_what_end_told_of(tmp_path: Path, seed: int) -> None:
    """Of what was not made durable any sector may be on the disk or not, and `end` may be any earlier one."""
    chance = random.Random(seed)
    batches = [
        ChangeBatch(
            [RawChange("d", b"", chance.randbytes(chance.randrange(300)), number)] * chance.randrange(4),
            str(number),
        )
        for number in range(20)
    ]
    ends: list[bytes] = []
    folder, last = tmp_path / "s", chance.randrange(1, 20)
    with SpoolWriter(folder, segment_bytes=1500) as spool:
        spool.recover()
        for each in batches[:last]:
            spool.append(each)
            ends.append((folder / "end").read_bytes())
        durable = {path: path.stat().st_size for path in folder.glob("*.seg")}
        sure = numbers(folder)
        spool.append(batches[last])
    for path in folder.glob("*.seg"):
        content = bytearray(path.read_bytes())
        for place in range(0, len(content), 64):
            for byte in range(max(place, durable.get(path, 0)), min(place + 64, len(content))):
                content[byte] = content[byte] if place * seed % 3 else 0
        path.write_bytes(content[: chance.randint(durable.get(path, 0), len(content))])
    (folder / "end").write_bytes(chance.choice(ends))

    applied = SpoolReader(folder).end
    with SpoolWriter(folder, segment_bytes=1500) as spool:
        position = spool.recover()
        assert position in (str(last - 1), str(last))
        found = numbers(folder)
        assert found in (sure, sure + [each.written_ms for each in batches[last].changes])
        for each in batches[int(position) + 1 :]:
            spool.append(each)
    assert numbers(folder) == [change.written_ms for each in batches for change in each.changes]
    seen = [each for each in read(folder) if each.ordinal < applied]
    assert seen + read(folder, applied) == read(folder)


def test_a_reader_that_applied_what_the_disk_lost_is_told(tmp_path: Path) -> None:
    written(tmp_path, numbered(0, 2))
    told = (tmp_path / "end").read_bytes()
    with SpoolWriter(tmp_path) as spool:
        spool.recover()
        for each in numbered(2, 6):
            spool.append(each)
        applied = SpoolReader(tmp_path).end
    path = max(tmp_path.glob("*.seg"))
    path.write_bytes(path.read_bytes()[:-3])
    (tmp_path / "end").write_bytes(told)
    with SpoolWriter(tmp_path) as spool:
        assert spool.recover() == "4"
        for each in numbered(5, 9):
            spool.append(each)
        assert spool.next_ordinal > LEAP
    assert numbers(tmp_path) == list(range(9))
    with pytest.raises(StateError, match="no longer holds"):
        read(tmp_path, applied)


def test_a_full_spool_has_room_again_once_segments_are_discarded(tmp_path: Path) -> None:
    reader = SpoolReader(tmp_path)
    with SpoolWriter(tmp_path, limit_bytes=4000) as spool:
        spool.recover()
        waiting = numbered(0, 200)
        seen: list[Entry] = []
        while waiting:
            while waiting and not spool.full:
                spool.append(waiting.pop(0))
            assert spool.size_bytes < 4000 + 200
            seen += reader.read(seen[-1].ordinal + 1 if seen else 0)
            reader.discard(seen[-1].ordinal + 1)
            assert not spool.full
        assert len(list(tmp_path.glob("*.seg"))) == 1
    assert [each.written_ms for each in changes(seen)] == list(range(200))


def test_a_batch_larger_than_the_spool_is_held_whole_and_can_be_discarded(tmp_path: Path) -> None:
    with SpoolWriter(tmp_path, limit_bytes=1000) as spool:
        spool.recover()
        spool.append(ChangeBatch([RawChange("d", b"", b"x" * 5000, 1)], "1"))
        assert spool.full
        SpoolReader(tmp_path).discard(SpoolReader(tmp_path).end)
        assert not spool.full
    with SpoolWriter(tmp_path) as spool:
        assert spool.recover() == "1"


def test_what_is_not_applied_is_not_discarded(tmp_path: Path) -> None:
    written(tmp_path, numbered(0, 30), segment_bytes=300)
    reader = SpoolReader(tmp_path)
    before = read(tmp_path)
    for entry in before:
        reader.discard(entry.ordinal)
        assert entry in read(tmp_path, entry.ordinal)


def test_a_full_disk_is_a_clear_error_and_what_was_durable_stays(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with SpoolWriter(tmp_path) as spool:
        spool.recover()
        spool.append(ChangeBatch([RawChange("d", b"", b"x", 1)], "1"))
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limits[1]))
        try:
            with pytest.raises(ResourceError, match="cannot write"):
                spool.append(ChangeBatch([RawChange("d", b"", b"x" * (2 << 20), 2)], "2"))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert numbers(tmp_path) == [1]
    with SpoolWriter(tmp_path) as spool:
        assert spool.recover() == "1"
