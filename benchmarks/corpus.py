"""What is carried: documents of the shop, each of exactly 874 bytes of BSON; the same for the same seed.

`orders` is what the figures carry: the order of examples/shop with one to five lines, and what a shop notes beside
them (address, payment, a remark), about 30 values in a document. `products` is the product of examples/shop with what
a catalogue adds to it (brand, tags, sizes, ratings, variants), about 33 values; its flow has a `python:` function.
`texts` is the plain product with a long description: 10 values, two thirds of it one string. What the generic tools
spend goes by the value, so these bound what a reader's own documents will show.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import bson

from examples.shop import generate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SEED = 1
DOCUMENT_BYTES = 874
DISTINCT = 20_000
_ID = 9
"""Where the twelve bytes of a document's first field stand, its `_id`."""
_COUNTS = {"categories": 100, "users": 10_000, "products": 10_000, "orders": 10_000}
_BRANDS = ("Akwa", "Bonanjo", "Douala Home", "Logpom", "Mboa", "Wouri")
_COLOURS = ("black", "blue", "green", "natural", "red", "white")
_TAGS = ("gift", "handmade", "kitchen", "living room", "new", "outdoor", "sale", "travel")
_WORDS = (
    "chair",
    "for",
    "the",
    "kitchen",
    "made",
    "of",
    "oak",
    "with",
    "a",
    "cushion",
    "sold",
    "in",
    "pairs",
)


def documents(kind: str, count: int) -> Iterator[bytes]:
    """`count` documents of a kind as BSON. Ids rise; all else repeats after `DISTINCT`."""
    draw = random.Random(f"{SEED}/{kind}")
    collection, plain, detailed, filled = _KINDS[kind]
    found: list[bytes] = []
    for place in range(min(count, DISTINCT)):
        document = detailed(plain(draw, place, _COUNTS), draw)
        found.append(_filled(document, filled, draw))
        yield found[-1]
    for place in range(DISTINCT, count):
        raw = found[place % DISTINCT]
        yield raw[:_ID] + generate.object_id(collection, place).binary + raw[_ID + 12 :]


def write_bson(path: Path, kind: str, count: int) -> None:
    """The documents end to end, as the server sends them."""
    with path.open("wb") as file:
        file.writelines(documents(kind, count))


def read_bson(path: Path, count: int) -> list[bytes]:
    """The first documents of such a file."""
    with path.open("rb") as file:
        return [file.read(DOCUMENT_BYTES) for _ in range(count)]


def values_in(value: Any) -> int:
    """How many scalars a document holds."""
    if isinstance(value, dict):
        return sum(map(values_in, value.values()))
    return sum(map(values_in, value)) if isinstance(value, list) else 1


def _order(order: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    town = draw.choice(generate.TOWNS)
    return {
        **order,
        "number": draw.randrange(10**6),
        "gift": draw.random() < 0.1,
        "address": {
            "name": f"User {draw.randrange(9999)}",
            "street": f"Rue {draw.randrange(900)}",
            "town": town,
        },
        "payment": {
            "method": draw.choice(("card", "cash", "mobile")),
            "reference": f"{draw.getrandbits(48):012X}",
        },
        "phones": [f"+237 6{draw.randrange(10**8):08}" for _ in range(draw.randrange(1, 3))],
        "note": "",
    }


def _product(product: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    price = product["price"]
    return {
        **product,
        "description": product["description"][:40],
        "images": product["images"][:2],
        "brand": draw.choice(_BRANDS),
        "active": draw.random() < 0.9,
        "tags": draw.sample(_TAGS, 3),
        "size": {"width": draw.randrange(10, 200), "height": draw.randrange(10, 200), "unit": "cm"},
        "rating": {"average": round(draw.uniform(1, 5), 2), "count": draw.randrange(2000)},
        "variants": [
            {
                "sku": f"{draw.getrandbits(32):08X}",
                "colour": colour,
                "stock": draw.randrange(200),
                "price": price,
            }
            for colour in draw.sample(_COLOURS, 3)
        ],
        "updatedAt": generate.moment(draw),
    }


_Plain = Callable[[random.Random, int, dict[str, int]], dict[str, Any]]
_Detailed = Callable[[dict[str, Any], random.Random], dict[str, Any]]
_KINDS: dict[str, tuple[int, _Plain, _Detailed, str]] = {
    "orders": (4, generate.order, _order, "note"),
    "products": (3, generate.product, _product, "description"),
    "texts": (3, generate.product, lambda product, _: product, "description"),
}
"""The number of the collection, the plain document, what is added, and the field of text that fills it up."""


def _filled(document: dict[str, Any], field: str, draw: random.Random) -> bytes:
    """Of the size, by words at the end of a text."""
    missing = DOCUMENT_BYTES - len(bson.encode(document))
    assert missing >= 0, "the document is larger than that"
    filling = ""
    while len(filling) < missing:
        filling += " " + draw.choice(_WORDS)
    document[field] += filling[:missing]
    return bson.encode(document)
