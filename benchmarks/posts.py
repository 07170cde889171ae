"""Posts of a forum as JSON: an array and JSON Lines of the same records, the same for the same seed.

Numbers are what makes JSON hard to read exactly: beside small ones each record has a score of 17 digits, and some have
an integer beyond 64 bits or a number beyond a double.
"""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

from benchmarks.corpus import SEED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_WORDS = (
    "question",
    "about",
    "the",
    "café",
    "answer",
    "thread",
    "list",
    "quoted",
    '"as is"',
    "line\n",
    "of",
    "a",
    "to",
)


def write(folder: Path, size_bytes: int, *, timed: bool = False) -> int:
    """`posts.jsonl` and `array.json` of about this size each; how many records both hold. `timed`: each with a time
    and an address, as most records have; a colon in a string is where cheap proofs of exact decoding end.
    """
    count = size = 0
    with (
        (folder / "posts.jsonl").open("w", encoding="utf-8") as lines,
        (folder / "array.json").open("w", encoding="utf-8") as array,
    ):
        for text in _records(timed=timed):
            lines.write(text + "\n")
            array.write(("[\n" if count == 0 else ",\n") + text)
            count += 1
            size += len(text)
            if size >= size_bytes:
                break
        array.write("\n]\n")
    return count


def _records(*, timed: bool) -> Iterator[str]:
    draw = random.Random(f"{SEED}/posts")
    place = 0
    while True:
        post: dict[str, Any] = {
            "id": f"post-{place:08}",
            "thread": f"thread-{draw.randrange(5000)}",
            "user": {
                "id": draw.randrange(20_000),
                "name": f"User {draw.randrange(20_000)}",
                "moderator": place % 50 == 0,
            },
            "title": " ".join(draw.choices(_WORDS, k=6)),
            "body": " ".join(draw.choices(_WORDS, k=draw.randrange(10, 90))),
            "tags": draw.sample(_WORDS, 3),
            "votes": [
                {"user": draw.randrange(20_000), "value": draw.choice((1, -1))} for _ in range(place % 5)
            ],
            "views": draw.randrange(100_000),
            "parent": None if place % 3 else f"post-{draw.randrange(place + 1):08}",
        }
        if timed:
            post["at"] = f"2024-01-{place % 28 + 1:02}T{place % 24:02}:00:00Z"
            post["address"] = f"https://forum.example/posts/{place}"
        exact = f'"score": {draw.random():.17f}'
        if place % 100 == 0:
            exact += f', "serial": {draw.getrandbits(98)}, "weight": {draw.randrange(1, 99)}e100'
        yield f"{json.dumps(post, ensure_ascii=False)[:-1]}, {exact}}}"
        place += 1
