"""What is carried: products of the shop, each of exactly 874 bytes of BSON; the same for the same seed.

`details` is the collection that the figures carry: the plain product of examples/shop with what a shop's catalogue
adds to it (brand, tags, sizes, ratings, variants), about 45 values in a document. `texts` is the plain product with
its description made long enough: 15 values, two thirds of it one string. What the generic tools spend goes by the
value, so the two bound what a reader's own documents will show.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import bson

from examples.shop import generate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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
    """`count` products of a kind, `details` or `texts`, as BSON. Ids rise; all else repeats after `DISTINCT`."""
    draw = random.Random(f"{SEED}/{kind}")
    found: list[bytes] = []
    for place in range(min(count, DISTINCT)):
        product = generate.product(draw, place, _COUNTS)
        found.append(_filled(_KINDS[kind](product, draw), draw))
        yield found[-1]
    for place in range(DISTINCT, count):
        raw = found[place % DISTINCT]
        yield raw[:_ID] + generate.object_id(3, place).binary + raw[_ID + 12 :]


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


def _detailed(product: dict[str, Any], draw: random.Random) -> dict[str, Any]:
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


_KINDS: dict[str, Callable[[dict[str, Any], random.Random], dict[str, Any]]] = {
    "details": _detailed,
    "texts": lambda product, _: product,
}


def _filled(document: dict[str, Any], draw: random.Random) -> bytes:
    """Of the size, by words at the end of the description."""
    missing = DOCUMENT_BYTES - len(bson.encode(document))
    assert missing >= 0, "the document is larger than that"
    filling = ""
    while len(filling) < missing:
        filling += " " + draw.choice(_WORDS)
    document["description"] += filling[:missing]
    return bson.encode(document)
