"""Adds up a table as docs/certificate.md says, from that page alone: nothing of Greylag's is imported."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

Item = dict[str, dict[str, Any]]
Sums = dict[str, tuple[int, str]]


def root_of(document: dict[str, Any]) -> str:
    rest = {name: value for name, value in document.items() if name != "root"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def canonical_bytes(item: Item) -> bytes:
    return json.dumps(item, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def key_bytes(item: Item, names: list[str]) -> bytes:
    parts = [(kind, content) for name in names for kind, content in item[name].items()]
    return "".join(f"{kind}{len(content)}:{content}" for kind, content in parts).encode()


def add_up(items: Iterable[Item], table: dict[str, Any]) -> Sums:
    """Items and sum by range."""
    counts: dict[str, int] = defaultdict(int)
    sums: dict[str, int] = defaultdict(int)
    for item in items:
        content = table["table"].encode() + b"\0" + key_bytes(item, table["key"])
        number = hashlib.blake2b(content, digest_size=16).hexdigest()[:2]
        counts[number] += 1
        sums[number] += int.from_bytes(hashlib.sha256(canonical_bytes(item)).digest(), "big")
    return {number: (counts[number], f"{sums[number] % 2**256:064x}") for number in counts}


def owned(item: Item, owns: list[list[dict[str, Any]]]) -> bool:
    return any(all(_matches(item, pattern) for pattern in each) for each in owns)


def said(flow: dict[str, Any], side: str) -> Sums:
    """What the document says of a side."""
    found = {each["range"]: (each[side]["items"], each[side]["digest"]) for each in flow["ranges"]}
    return {number: each for number, each in found.items() if each[0]}


def _matches(item: Item, pattern: dict[str, Any]) -> bool:
    if pattern["attribute"] not in item:
        return False
    [(kind, content)] = item[pattern["attribute"]].items()
    if "constant" in pattern:
        constant = pattern["constant"]
        if kind == "N":
            return isinstance(constant, int) and Decimal(content) == constant
        return kind in ("S", "BOOL") and bool(content == constant)
    if pattern["type"] not in (None, kind) or kind not in "SNB":
        return False
    if kind != "S":
        return True
    return _fills(content, pattern["literals"])


def _fills(text: str, literals: list[str]) -> bool:
    if not text.startswith(literals[0]):
        return False
    place = len(literals[0])
    for literal in literals[1:-1]:
        place = text.find(literal, place + 1)
        if place < 0:
            return False
        place += len(literal)
    return text.endswith(literals[-1]) and place < len(text) - len(literals[-1])
