"""Writes the forum's three services as JSON files, with every kind of record that hand-written scripts lose.

    python examples/forum/generate.py --records 20000 --seed 1 --out DIR

writes DIR/users/db.json, DIR/threads/db.json, DIR/posts/db.json and DIR/expected.json. The same arguments
give the same bytes. Records are written one at a time, so the size is bounded by the disk only.

Of the records 2 in 10 are users, 1 in 10 threads, the rest posts. In every thousand rows of a service each
odd kind stands once, between plain records; expected.json names the rows that have to end in quarantine,
and why.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PERIOD = 1000
NAMES = ("Ada", "Björn", "Chidi", "Dilnoza", "Élodie", "Fatima", "Grażyna", "Hiroshi", "Ngozi", "Zoë")
WORDS = [
    "aws",
    "backup",
    "cache",
    "disk",
    "error",
    "forum",
    "güvenli",
    "host",
    "index",
    "jour",
    "ключ",
    "日本語",
]

Record = dict[str, Any]


class Raw(str):
    """JSON text that is written as it stands: 19.90 stays 19.90."""

    __slots__ = ()


@dataclass(frozen=True)
class Case:
    """One odd kind of record.

    `why` is a word of the reason that quarantine gives, or empty for what has to arrive like any record.
    `also` is another row, relative to this one, that ends in quarantine with it; `first` the first row that
    may be of this kind.
    """

    change: Callable[[Record, int], Any]
    why: str = ""
    also: int | None = None
    first: int = 0


def setting(**fields: Any) -> Callable[[Record, int], Record]:
    """A change that sets these fields."""
    return lambda record, row: {**record, **fields}


def without(name: str) -> Callable[[Record, int], Record]:
    """A change that removes a field."""
    return lambda record, row: {key: value for key, value in record.items() if key != name}


def nested(depth: int) -> dict[str, Any]:
    """A document that holds a document, `depth` of them."""
    return {"next": nested(depth - 1)} if depth > 1 else {"end": True}


def doubled(record: Record, row: int) -> Raw:
    """The record's text with one name twice: JSON allows it, and most readers keep the last."""
    return Raw(text(record)[:-1] + ', "karma": 1, "karma": 2}')


PLAIN = Case(lambda record, row: record)
USERS = [
    # These arrive as they are.
    Case(setting(signature="", address={"street": "", "city": None}, achievements=[], settings={})),
    Case(
        setting(balance=Raw("19.90"), score=Raw("1E+2"), ratio=Raw("1.0"), tiny=Raw("1e-7"), zero=Raw("0.00"))
    ),
    Case(setting(karma=12345678901234567890123456789012345678, smallest=-9223372036854775809)),
    Case(lambda record, row: {**record, "id": row}),
    Case(without("email")),
    Case(setting(nickname=None)),
    Case(setting(name="Łukasz \u202b\u05e9\u05dc\u05d5\u05dd\u202c e\u0301 🜁 \u0000 \u2028 end")),
    Case(setting(**{"dotted.name": 1, "a b": 2, "$set": 3, "#hash": 4, "PK": "mine", "ключ": 5})),
    Case(setting(external={"$oid": "5f1d7f3a9d3e4b0001c0ffee"}, price={"$numberLong": "5"})),
    Case(setting(trail=nested(20))),
    Case(setting(mixed=[1, "1", Raw("1.0"), True, "true", None, [], {}, [[1], [2, [3]]]])),
    Case(lambda record, row: {"id": record["id"], "profile": {"id": 7, "links": [{"id": 8}]}, **record}),
    # These cannot, each for its own reason.
    Case(without("id"), "missing"),
    Case(setting(id=None), "null"),
    Case(setting(id=""), "empty"),
    Case(setting(id={"tenant": 1, "user": 2}), "document"),
    Case(setting(id="long" * 600), "2,048"),
    Case(lambda record, row: {**record, "id": user_id(row - 1)}, "same key", also=-1),
    Case(lambda record, row: {**record, "id": row}),
    Case(lambda record, row: {**record, "id": str(row - 2)}, "same key", also=-2),
    Case(setting(email=""), "empty"),
    Case(setting(email=None), "NULL"),
    Case(setting(email=5551234), "email"),
    Case(setting(karma=10**38 + 1), "38"),
    Case(setting(karma=Raw("1e400")), "range"),
    Case(setting(balance=Raw("-0.0")), "zero"),
    Case(setting(trail=nested(40)), "32"),
    Case(setting(name=Raw('"half a pair: \\ud83d"')), "surrogate"),
    Case(setting(userId="legacy-7"), "userId"),
    Case(setting(**{"": "no name"}), "empty attribute name"),
    Case(doubled, "karma"),
    Case(lambda record, row: "this row is a string", "object"),
]

THREADS = [
    Case(setting(title="")),
    Case(without("createdAt")),
    Case(
        setting(
            pinned=None, poll={"options": [{"text": "yes", "votes": 0}, {"text": "no", "votes": Raw("0.5")}]}
        )
    ),
    Case(setting(views=2**64)),
    Case(without("id"), "missing"),
    Case(lambda record, row: {**record, "id": row}, "threadId"),
    Case(lambda record, row: {**record, "id": thread_id(row - 1)}, "same key", also=-1),
    Case(setting(createdAt=""), "empty"),
    Case(setting(createdAt=1577836800), "createdAt"),
]

POSTS = [
    Case(setting(body="")),
    Case(without("user")),
    Case(setting(user=None)),
    Case(lambda record, row: {"thread": record["thread"], "user": record["user"]}),
    Case(setting(reactions={"👍": 3, "👎": 0, "why?": []})),
    Case(setting(edits=[{"at": "2021-03-04T05:06:07Z", "body": None}], score=Raw("4.50"))),
    Case(setting(id=17)),
    Case(without("thread"), "missing"),
    Case(setting(thread=""), "empty"),
    Case(setting(thread=12), "threadId"),
    Case(
        setting(body="x" * 420_000), "409,600", first=PERIOD
    ),  # not in the checked-in data: too large to read
]


def user_id(row: int) -> str:
    """The id of the plain user in this row."""
    return f"u-{row:07}"


def thread_id(row: int) -> str:
    """The id of the plain thread in this row."""
    return f"t-{row:07}"


def user(draw: random.Random, row: int, count: int) -> Record:
    """A plain user."""
    name = draw.choice(NAMES)
    return {
        "id": user_id(row),
        "name": name,
        "email": f"{name.casefold()}.{row}@example.com",
        "joined": moment(draw),
        "karma": draw.randrange(10_000),
        "balance": Raw(f"{draw.randrange(1000)}.{draw.randrange(100):02}"),
        "moderator": draw.random() < 0.02,
        "address": {
            "city": draw.choice(("Yaoundé", "Łódź", "São Paulo", "Kyoto")),
            "zip": f"{draw.randrange(10**5):05}",
        },
        "achievements": draw.sample(WORDS, draw.randrange(3)),
    }


def thread(draw: random.Random, row: int, count: int) -> Record:
    """A plain thread."""
    return {
        "id": thread_id(row),
        "title": " ".join(draw.choices(WORDS, k=4)),
        "user": user_id(draw.randrange(max(1, count * 2))),
        "createdAt": moment(draw),
        "tags": draw.sample(WORDS, 2),
        "views": draw.randrange(10**6),
        "locked": draw.random() < 0.1,
    }


def post(draw: random.Random, row: int, count: int) -> Record:
    """A plain post. It has no id of its own: its place in the file is its name."""
    return {
        "thread": thread_id(draw.randrange(max(1, count // 7))),
        "user": user_id(draw.randrange(max(1, count * 2 // 7))),
        "body": " ".join(draw.choices(WORDS, k=draw.randrange(3, 60))),
        "createdAt": moment(draw),
        "likes": draw.randrange(50),
    }


def moment(draw: random.Random) -> str:
    """A moment in 2021, as the forum writes it."""
    month, day, hour, minute = (draw.randrange(*limits) for limits in ((1, 13), (1, 29), (24,), (60,)))
    return f"2021-{month:02}-{day:02}T{hour:02}:{minute:02}:00Z"


def text(value: Any) -> str:
    """`value` as JSON, numbers in `Raw` as they stand."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(
                f"{json.dumps(name, ensure_ascii=False)}: {text(each)}" for name, each in value.items()
            )
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(text, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


Plain = Callable[[random.Random, int, int], Record]


def rows(plain: Plain, cases: list[Case], seed: str, count: int) -> Iterator[tuple[Any, dict[int, str]]]:
    """Each row's record, and the rows that end in quarantine because of it."""
    draw = random.Random(seed)
    for row in range(count):
        record = plain(draw, row, count)
        place, odd = divmod(row % PERIOD, 2)
        case = cases[place] if odd and place < len(cases) else PLAIN
        if row < case.first:
            case = PLAIN
        refused = {row: case.why} if case.why else {}
        if case.also is not None:
            refused[row + case.also] = case.why
        yield case.change(record, row), refused


def write_service(
    path: Path, made: Iterator[tuple[Any, dict[int, str]]]
) -> Generator[tuple[int, str], None, None]:
    """Write one service's file; yield the rows to be quarantined, with the reason."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.write(f'{{"{path.parent.name}": [')
        for row, (record, refused) in enumerate(made):
            file.write(",\n  " if row else "\n  ")
            file.write(text(record))
            yield from refused.items()
        file.write("\n]}\n")


def generate(folder: Path, records: int, seed: int) -> None:
    """Write the three services and expected.json under `folder`."""
    users, threads = records * 2 // 10, records // 10
    services = (
        ("users", user, USERS, users),
        ("threads", thread, THREADS, threads),
        ("posts", post, POSTS, records - users - threads),
    )
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "expected.json").open("w", encoding="utf-8") as expected:
        expected.write("{")
        for place, (name, plain, cases, count) in enumerate(services):
            expected.write(f'{"," if place else ""}\n  "{name}": {{"records": {count}, "quarantined": [')
            total = 0
            made = rows(plain, cases, f"{seed}/{name}", count)
            with closing(write_service(folder / name / "db.json", made)) as refused:
                for row, why in refused:
                    expected.write(f"{',' if total else ''}\n    {json.dumps({'row': row, 'why': why})}")
                    total += 1
            expected.write(f'\n  ], "count": {total}}}')
        expected.write("\n}\n")


def main() -> None:
    """The command line."""
    here = Path(__file__).parent
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=400, help="users, threads and posts together (400)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--out", type=Path, default=here / "data", help="the folder to write (data, beside this file)"
    )
    arguments = parser.parse_args()
    generate(arguments.out, arguments.records, arguments.seed)


if __name__ == "__main__":
    main()
