"""Which shards go on where others ended, and markers' keys."""

from __future__ import annotations

from typing import Any

import pytest

from greylag.connectors.dynamodb.markers import is_marker, marker
from greylag.connectors.dynamodb.shards import BEGIN, END, Lineage, Position, Stand, at, iterator_of, reaches
from greylag.core.ports import TableInfo


def shard(name: str, parent: str | None = None, *, closed: bool = False) -> dict[str, Any]:
    end = {"EndingSequenceNumber": "9"} if closed else {}
    told: dict[str, Any] = {"ShardId": name, "SequenceNumberRange": {"StartingSequenceNumber": "1", **end}}
    return told if parent is None else {**told, "ParentShardId": parent}


def test_children_go_on_where_their_parent_ended() -> None:
    lineage = Lineage(
        [
            shard("a", closed=True),
            shard("b", "a", closed=True),
            shard("c", "a"),
            shard("d", "b"),
            shard("x", "gone"),
        ]
    )
    assert lineage.children("a") == ["b", "c"]
    assert lineage.leaves() == ["c", "d", "x"]
    assert [each for each in "abcdx" if lineage.is_open(each)] == ["c", "d", "x"]
    assert lineage.is_above("a", ["d"])
    assert lineage.is_above("b", ["c", "d"])
    assert not lineage.is_above("b", ["c", "x"])
    assert not lineage.is_above("d", ["d"])
    assert "gone" not in lineage


def test_a_position_reads_back() -> None:
    position = Position({"t": Stand("arn", {"a": "123", "b": BEGIN, "c": END, "d": at("5")})}, 7)
    assert Position.parse(position.text()) == position
    assert iterator_of("123") == {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": "123"}
    assert iterator_of(at("5")) == {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": "5"}
    assert iterator_of(BEGIN) == {"ShardIteratorType": "TRIM_HORIZON"}


def test_a_number_is_reached_once_it_was_read() -> None:
    assert reaches("100", "99")
    assert reaches("100", "100")
    assert reaches(END, "100")
    assert not any(reaches(place, "100") for place in ("99", BEGIN, at("100")))


@pytest.mark.parametrize("kinds", [("S",), ("N",), ("B",), ("S", "N"), ("N", "B")])
def test_markers_have_keys_of_their_own(kinds: tuple[str, ...]) -> None:
    names = ("PK", "SK")[: len(kinds)]
    table = TableInfo("t", "1", names, {}, dict(zip(names, kinds, strict=True)))
    one, other = marker(table), marker(table)
    assert one != other
    assert is_marker(one, names)
    for kind, content in (("S", "_greylag"), ("N", "-9.7E+124"), ("N", "9.9E+125"), ("B", b"_greylag#")):
        assert not is_marker({**one, "PK": {kind: content}}, names)
