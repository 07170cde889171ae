"""Counts and sums of digests per range of hash(target key): what a certificate holds of each side.

A range is the first byte of the hash of an item's key (`Lane.digest`). The sum of a side adds the SHA-256 digests of
its items' canonical bytes modulo 2^256: it does not depend on the order of the items, and two sides that hold the
same items have the same one. docs/certificate.md specifies all of it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TypeVar

Name = TypeVar("Name", int, str)

RANGES = 256
MODULUS = 2**256


def digest_of(body: bytes) -> bytes:
    """What stands for an item's canonical bytes: their SHA-256 digest."""
    return hashlib.sha256(body).digest()


def range_of(key: bytes) -> int:
    """The range of a hashed key."""
    return key[0]


@dataclass(slots=True)
class Sum:
    """How many items a side has in a range, and the sum of their digests."""

    items: int = 0
    total: int = 0

    @classmethod
    def of(cls, items: int, total: int) -> Sum:
        """Of items whose digests add up to `total`, not yet reduced."""
        return cls(items, total % MODULUS)

    def add(self, digest: bytes) -> None:
        """One more item."""
        self.items += 1
        self.total = (self.total + int.from_bytes(digest, "big")) % MODULUS

    def merge(self, other: Sum) -> None:
        """Its items too."""
        self.items += other.items
        self.total = (self.total + other.total) % MODULUS

    @property
    def digest(self) -> str:
        """The sum, 64 hexadecimal digits."""
        return f"{self.total:064x}"


@dataclass(slots=True)
class Sides:
    """One range: both sides, and of those the items that say the same in other bytes (`alike`: the same number on
    both sides, each with its own sum).
    """

    source: Sum
    target: Sum
    alike_source: Sum
    alike_target: Sum

    @classmethod
    def empty(cls) -> Sides:
        """Of no item."""
        return cls(Sum(), Sum(), Sum(), Sum())

    def merge(self, other: Sides) -> None:
        """Its items too."""
        self.source.merge(other.source)
        self.target.merge(other.target)
        self.alike_source.merge(other.alike_source)
        self.alike_target.merge(other.alike_target)

    @property
    def agree(self) -> bool:
        """Whether both sides hold the same items."""
        source = (self.source.total - self.alike_source.total) % MODULUS
        target = (self.target.total - self.alike_target.total) % MODULUS
        return self.source.items == self.target.items and source == target


class Ranges(dict[Name, dict[int, Sides]]):
    """The ranges of some flows, by any name of theirs, then by number. A range without an item is not held."""

    def at(self, flow: Name, key: bytes) -> Sides:
        """The range of this hashed key."""
        mine = self.setdefault(flow, {})
        if (found := mine.get(number := range_of(key))) is None:
            found = mine[number] = Sides.empty()
        return found

    def merge(self, flow: Name, found: dict[int, Sides]) -> None:
        """Add what another process found of a flow."""
        mine = self.setdefault(flow, {})
        for number, each in found.items():
            mine.setdefault(number, Sides.empty()).merge(each)
