"""Fills a MongoDB database with the shop's four collections, BSON's types and its traps included.

    python examples/shop/generate.py --url mongodb://127.0.0.1:27017/?directConnection=true --records 20000

drops and writes `categories`, `users`, `products` and `orders` of the database `shop`; with `--expected
FILE` it writes which records have to end in quarantine, and why. The same arguments give the same data.
Documents go out in batches, and what is expected is collected: one entry in about a hundred records.

Of the records 2 in 100 are categories, 18 users, 30 products, the rest orders. In every thousand documents of
a collection each odd kind stands once, between plain ones; with `--odd N` only the first N kinds.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from bson import Binary, Code, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp, json_util
from bson.datetime_ms import DatetimeMS
from pymongo import MongoClient

PERIOD = 1000
START = datetime(2019, 1, 1, tzinfo=UTC)
CATEGORIES = ("Electronics", "Clothing", "Home & Kitchen", "Livres", "Épicerie", "Jouets#1")
NOUNS = ("Chair", "Kettle", "Lamp", "Phone", "Shirt", "Table", "Théière", "Umbrella")
TOWNS = ("Yaoundé", "Douala", "Bamenda", "Garoua")

Document = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One odd kind of document.

    `why` is a word of the reason that quarantine gives, or empty for what has to arrive like any document.
    `also` is another document, relative to this one, that ends in quarantine with it; `first` the first place
    that may be of this kind.
    """

    change: Callable[[Document, int], Document]
    why: str = ""
    also: int | None = None
    first: int = 0


def setting(**fields: Any) -> Callable[[Document, int], Document]:
    """A change that sets these fields."""
    return lambda document, place: {**document, **fields}


def without(name: str) -> Callable[[Document, int], Document]:
    """A change that removes a field."""
    return lambda document, place: {key: value for key, value in document.items() if key != name}


def nested(depth: int) -> Document:
    """A document that holds a document, `depth` of them."""
    return {"next": nested(depth - 1)} if depth > 1 else {"end": True}


PLAIN = Case(lambda document, place: document)
CASES_OF_ALL = [
    Case(lambda document, place: {**document, "_id": place}),
    Case(lambda document, place: {**document, "_id": f"old-{place}"}),
    Case(lambda document, place: {**document, "_id": Int64(place + 2**40)}),
    Case(setting(legacy={"flags": [True, None, {}], "note": "", "dotted.name": 1}, unnamed=Int64(7))),
    Case(setting(created=datetime(1969, 7, 20, 20, 17, 40, 123000, tzinfo=UTC))),
    Case(setting(pattern=Regex("^a.*b$", "i"), stamp=Timestamp(1600000000, 3), low=MinKey(), high=MaxKey())),
    Case(setting(script=Code("f(x)", {"x": 1}), blob=b"\x00\xff", token=Binary(UUID(int=5).bytes, 4))),
    Case(setting(reference=ObjectId("5f1d7f3a9d3e4b0001c0ffee"), text="5f1d7f3a9d3e4b0001c0ffee")),
    Case(
        setting(
            distant=DatetimeMS(253402300800000), whole=5.0, long=Int64(5), short=5, exact=Decimal128("5.00")
        )
    ),
    Case(
        lambda document, place: {**document, "_id": str(object_id(document["_id"], place - 1))},
        "same key",
        also=-1,
    ),
    Case(lambda document, place: {**document, "_id": Binary(UUID(int=place).bytes, 4)}),
    Case(lambda document, place: {**document, "_id": place.to_bytes(8, "big")}, "binary"),
    Case(lambda document, place: {**document, "_id": {"shop": 1, "number": place}}, "document"),
    Case(setting(entityType="GIFT"), "entityType"),
    Case(setting(id="second name"), "id"),
    Case(setting(ratio=float("nan")), "NaN"),
    Case(setting(ratio=float("-inf")), "nfinit"),
    Case(setting(ratio=-0.0), "zero"),
    Case(setting(huge=Decimal128("1E+6000")), "range"),
    Case(setting(trail=nested(40)), "32"),
    Case(setting(body="x" * 420_000), "409,600", first=PERIOD),
]
PRODUCTS = [
    *CASES_OF_ALL,
    Case(setting(price=5)),
    Case(setting(price=Int64(5))),
    Case(setting(price=Decimal128("1234567890123456789012345678901234"))),
    Case(without("category")),
    Case(without("nameEn")),
    Case(without("images")),
    Case(setting(images=["/uploads/one image.jpg", "https://elsewhere.example/2.jpg", ""])),
    Case(setting(description="", nameFr=None)),
    Case(setting(images=["https://cdn.example.com/uploads/3.jpg"]), "images"),
]
USERS = [
    *CASES_OF_ALL,
    Case(without("email")),
    Case(setting(email=None)),
    Case(setting(addresses=[])),
]
ORDERS = [
    *CASES_OF_ALL,
    Case(without("user")),
    Case(without("createdAt")),
    Case(setting(items=[], note=None)),
]


def object_id(like: ObjectId | int, place: int) -> ObjectId:
    """The ObjectId at `place` of a collection, told by its number or by another ObjectId of it."""
    number = like if isinstance(like, int) else like.binary[4]
    seconds = int(START.timestamp()) + place
    return ObjectId(seconds.to_bytes(4, "big") + bytes([number, 0, 0, 0]) + place.to_bytes(4, "big"))


def moment(draw: random.Random) -> datetime:
    """A moment in 2019 to 2021, in whole milliseconds."""
    return START + timedelta(milliseconds=draw.randrange(3 * 365 * 86_400_000))


def price(draw: random.Random) -> Decimal128:
    """An amount with two decimals, the last of which may be 0."""
    return Decimal128(f"{draw.randrange(1, 500)}.{draw.randrange(100):02}")


def category(draw: random.Random, place: int, counts: dict[str, int]) -> Document:
    """A plain category."""
    return {
        "_id": object_id(1, place),
        "name": f"{CATEGORIES[place % len(CATEGORIES)]} {place // len(CATEGORIES)}",
    }


def user(draw: random.Random, place: int, counts: dict[str, int]) -> Document:
    """A plain user."""
    return {
        "_id": object_id(2, place),
        "name": f"User {place}",
        "email": f"user{place}@example.com",
        "password": f"$2b$10${draw.getrandbits(128):032x}",
        "role": draw.choice(("customer", "customer", "admin")),
        "addresses": [
            {"town": draw.choice(TOWNS), "street": f"Rue {n}", "default": n == 0}
            for n in range(draw.randrange(3))
        ],
        "createdAt": moment(draw),
    }


def product(draw: random.Random, place: int, counts: dict[str, int]) -> Document:
    """A plain product."""
    noun = draw.choice(NOUNS)
    return {
        "_id": object_id(3, place),
        "nameEn": f"{noun} {place}",
        "nameFr": f"{noun} n° {place}",
        "price": price(draw),
        "weight": draw.random() * 10,
        "category": draw.choice(CATEGORIES),
        "images": [f"/uploads/products/{place}-{n}.jpg" for n in range(draw.randrange(4))],
        "description": " ".join(draw.choices(NOUNS, k=draw.randrange(5, 40))),
        "stock": draw.randrange(500),
        "createdAt": moment(draw),
    }


def order(draw: random.Random, place: int, counts: dict[str, int]) -> Document:
    """A plain order."""
    items: list[Document] = [
        {
            "product": object_id(3, draw.randrange(counts["products"])),
            "quantity": draw.randrange(1, 5),
            "price": price(draw),
        }
        for _ in range(draw.randrange(1, 6))
    ]
    return {
        "_id": object_id(4, place),
        "user": object_id(2, draw.randrange(counts["users"])),
        "items": items,
        "total": Decimal128(
            sum((each["price"].to_decimal() * each["quantity"] for each in items), start=Decimal())
        ),
        "status": draw.choice(("paid", "pending", "shipped")),
        "createdAt": moment(draw),
    }


Plain = Callable[[random.Random, int, dict[str, int]], Document]
COLLECTIONS: dict[str, tuple[Plain, list[Case]]] = {
    "categories": (category, []),
    "users": (user, USERS),
    "products": (product, PRODUCTS),
    "orders": (order, ORDERS),
}


def counts_of(records: int) -> dict[str, int]:
    """How many documents each collection gets: at least one."""
    shares = {"categories": 2, "users": 18, "products": 30}
    counts = {name: max(1, records * share // 100) for name, share in shares.items()}
    return {**counts, "orders": max(1, records - sum(counts.values()))}


def documents(
    name: str, seed: int, counts: dict[str, int], odd_kinds: int | None
) -> Iterator[tuple[Document, list[tuple[Any, str]]]]:
    """Each document of a collection, and the ids that end in quarantine because of it."""
    plain, cases = COLLECTIONS[name]
    cases = cases[:odd_kinds]
    draw = random.Random(f"{seed}/{name}")
    for place in range(counts[name]):
        whole = plain(draw, place, counts)
        number, odd = divmod(place % PERIOD, 2)
        case = cases[number] if odd and number < len(cases) else PLAIN
        if place < case.first:
            case = PLAIN
        document = case.change(whole, place)
        refused = [(document["_id"], case.why)] if case.why else []
        if case.also is not None:
            refused.append((object_id(whole["_id"], place + case.also), case.why))
        yield document, refused


def generate(
    url: str, database: str, counts: dict[str, int], seed: int, *, odd: int | None, expected: Path | None
) -> None:
    """Write the four collections, and `expected` where it is given."""
    summary: dict[str, Any] = {}
    with MongoClient[Document](url) as client:
        for name in COLLECTIONS:
            collection = client[database][name]
            collection.drop()
            quarantined: list[dict[str, Any]] = []
            made = documents(name, seed, counts, odd)
            while batch := list(islice(made, 1000)):
                collection.insert_many([document for document, _ in batch])
                quarantined += [
                    {"id": json.loads(json_util.dumps(key)), "why": why}
                    for _, refused in batch
                    for key, why in refused
                ]
            summary[name] = {"records": counts[name], "quarantined": quarantined, "count": len(quarantined)}
    if expected is not None:
        expected.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--url", required=True, help="the MongoDB to write to; the four collections are replaced"
    )
    parser.add_argument("--database", default="shop")
    parser.add_argument(
        "--records", type=int, default=400, help="documents of the four collections together (400)"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--odd", type=int, metavar="N", help="only the first N odd kinds of a collection (all)"
    )
    parser.add_argument("--expected", type=Path, help="a file for the list of records to be quarantined")
    arguments = parser.parse_args()
    generate(
        arguments.url,
        arguments.database,
        counts_of(arguments.records),
        arguments.seed,
        odd=arguments.odd,
        expected=arguments.expected,
    )


if __name__ == "__main__":
    main()
