"""What a source's indexes mean for a table of DynamoDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from greylag.core.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from greylag.core.inventory import Index, Inventory
    from greylag.core.profile import DatasetProfile

_WAYS_ON: Final = {
    "text": "Search needs another store (OpenSearch, zero-ETL from DynamoDB), or a field of words to query by.",
    "2dsphere": "Query by a geohash that a template or `python:` writes into a sort key.",
    "2d": "Query by a geohash that a template or `python:` writes into a sort key.",
    "hashed": "An ordinary index serves: DynamoDB hashes every partition key.",
    "wildcard": "Find out which fields are queried and give each an index of its own.",
}
_KEYS: Final = 2


def index_findings(inventory: Inventory, profile: DatasetProfile) -> Iterator[Finding]:
    """One or more findings for each index that a secondary index would not simply replace."""
    types = {each.path: each.types for each in profile.fields}
    for index in inventory.indexes:
        if [path for path, _ in index.keys] == ["_id"]:
            continue
        yield from _kinds(index)
        if index.ttl_seconds is not None:
            yield _expiry(index)
        if index.unique:
            yield _unique(index)
        if index.partial:
            yield Finding(
                Severity.WARNING,
                "partial-index",
                index.name,
                f"index {index.name} holds only records that match {index.partial}",
                "An index of DynamoDB holds the items that have its attributes: write them by templates that only such "
                "records can fill, in a flow of their own with `where:`.",
            )
        if "collation" in index.options:
            yield Finding(
                Severity.WARNING,
                "collation",
                index.name,
                f"index {index.name} compares text by a collation; DynamoDB compares bytes",
                "Make the index's key of a normal form of the text (`{field|lower}`), and ask for that form.",
            )
        if arrays := [path for path, _ in index.keys if _crosses_array(path, types)]:
            yield Finding(
                Severity.WARNING,
                "array-index",
                index.name,
                f"index {index.name} finds records by elements of {', '.join(arrays)}, an array; a key holds one value",
                "Make each element an item of its own with `split:`, and index that.",
            )


def _kinds(index: Index) -> Iterator[Finding]:
    kinds = {kind for _, kind in index.keys} - {"ascending", "descending"}
    for kind in sorted(kinds):
        yield Finding(
            Severity.WARNING,
            "index-kind",
            index.name,
            f"index {index.name} is a {kind} index ({_paths(index)}); DynamoDB has none",
            _WAYS_ON.get(kind, "Find out which queries use it before you leave it out."),
        )
    if not kinds and len(index.keys) > _KEYS:
        yield Finding(
            Severity.NOTE,
            "compound-index",
            index.name,
            f"index {index.name} has {len(index.keys)} fields ({_paths(index)}); here a table's index has two",
            "Join fields in a template, the ones that are compared for equality first: `{status}#{region}`.",
        )


def _expiry(index: Index) -> Finding:
    path = index.keys[0][0]
    return Finding(
        Severity.NOTE,
        "ttl-index",
        index.name,
        f"index {index.name} deletes records {index.ttl_seconds:,.0f} s after {path}",
        f"`ttl: {{attribute: expires, from: {path}, after: {index.ttl_seconds:.0f}s}}` keeps that. "
        "DynamoDB deletes within days, not within a minute: readers must leave out what has expired.",
    )


def _unique(index: Index) -> Finding:
    return Finding(
        Severity.WARNING,
        "unique-index",
        index.name,
        f"index {index.name} keeps {_paths(index)} unique; only the key of a table is unique in DynamoDB",
        "Where it must stay so, write an item whose key is that value, in one transaction with the record.",
    )


def _crosses_array(path: str, types: Mapping[str, Mapping[str, int]]) -> bool:
    steps = path.split(".")
    prefixes = (".".join(steps[: count + 1]) for count in range(len(steps)))
    return any("array" in types.get(each, {}) for each in prefixes)


def _paths(index: Index) -> str:
    return ", ".join(path for path, _ in index.keys)
