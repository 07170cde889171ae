"""Which states that a unique index keeps out are taken away, so that they can be put."""

from __future__ import annotations

import pytest

from greylag.core.records import Encoded
from greylag.engine.follow.delivering import KeptOut, in_each_others_way
from greylag.engine.follow.index import Written


@pytest.mark.parametrize(
    ("holders", "taken"),
    [
        ({"a": "b", "b": "a"}, "ab"),
        ({"a": "b", "b": "c", "c": "a"}, "abc"),
        ({"a": "b", "b": "a", "c": "d", "d": "c"}, "abcd"),
        ({"a": "x"}, ""),
        ({"a": "b", "b": "x"}, ""),
        ({"a": "b", "b": "a", "c": "a"}, "ab"),
        ({"a": "b", "b": "a", "c": "d", "d": "x"}, "ab"),
        ({"a": None}, ""),
        ({"a": None, "b": None}, ""),
        ({"a": "b", "b": None}, ""),
        ({"a": "b", "b": "a", "c": None}, "ab"),
    ],
)
def test_what_waits_in_a_ring_is_taken_away_and_nothing_else(
    holders: dict[str, str | None], taken: str
) -> None:
    kept_out = [
        KeptOut(
            Written("p", Encoded(key.encode(), b"", 0), "f", key.encode()),
            "",
            lambda holder=holder: holder and holder.encode(),  # type: ignore[misc]
        )
        for key, holder in holders.items()
    ]
    assert "".join(each.item.key.decode() for each in in_each_others_way(kept_out)) == taken
