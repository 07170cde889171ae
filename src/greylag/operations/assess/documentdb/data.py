"""What a collection and its documents mean for a move to DocumentDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from greylag.console.units import plural, size
from greylag.core.findings import Finding, Severity
from greylag.core.paths import EACH, parse_path
from greylag.engine.profiling.target import Holds
from greylag.operations.assess.documentdb.tables import since, tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.core.inventory import Inventory
    from greylag.core.paths import Path
    from greylag.core.profile import DatasetProfile
    from greylag.core.values import Document, Value
    from greylag.operations.assess.documentdb.release import Release

_NAMES_TAKEN_SINCE: Final = frozenset({"5.0", "8.0"})
_SHOWN: Final = 5
_TYPES: Final = {
    "code": "JavaScript",
    "dbPointer": "a DBPointer",
    "symbol": "a symbol",
    "undefined": "undefined",
    "dbRef": "a DBRef",
}


def holds(release: Release) -> Holds:
    """DocumentDB's limits, for a look at documents: a document counts as the BSON it is."""
    limit = tables().limit("document_bytes", release)
    near = limit * 9 // 10
    return Holds(
        item_bytes=limit,
        near_bytes=near,
        measured_bytes=limit + 1,  # its size at the source is its size
        levels=tables().limit("nesting_levels", release),
        record_bytes=_no_bytes,
        number_problem=_no_problem,
    )


def _no_bytes(document: Document, family: str) -> int:  # noqa: ARG001 - the form of `Holds.record_bytes`
    return 0


def _no_problem(value: Value) -> str:  # noqa: ARG001 - DocumentDB has every number of BSON
    return ""


def data_findings(
    profile: DatasetProfile, inventory: Inventory, release: Release, *, name: str
) -> Iterator[Finding]:
    """Types, names and sizes that the release refuses or may refuse."""
    yield from _types(profile, release, name)
    yield from _names(profile, release, name)
    limit = tables().limit("document_bytes", release)
    if profile.sizes.largest > limit * 9 // 10:
        yield Finding(
            Severity.WARNING,
            "large-documents",
            name,
            f"the largest document read has {size(profile.sizes.largest)}; DocumentDB takes {size(limit)}",
            "It fits as it is; what the application adds may not. Split it, or keep the large part in S3.",
        )
    if profile.fitness.too_deep:
        levels = tables().limit("nesting_levels", release)
        yield Finding(
            Severity.BLOCKER,
            "deep-documents",
            name,
            f"{plural(profile.fitness.too_deep, 'document')} with over {levels} levels",
            "Flatten them with `python:` in the flow, or at the source.",
        )
    yield from _index_keys(profile, inventory, release, name)


def _types(profile: DatasetProfile, release: Release, name: str) -> Iterator[Finding]:
    found: dict[str, tuple[int, list[str]]] = {}
    paths = {each.path for each in profile.fields}
    for each in profile.fields:
        refused = {kind: count for kind, count in each.types.items() if kind in _TYPES}
        if each.path.endswith(".$ref") and each.path.removesuffix("$ref") + "$id" in paths:
            refused["dbRef"] = each.records
        for kind, count in refused.items():
            total, where = found.get(kind, (0, []))
            found[kind] = total + count, [*where, each.path.removesuffix(".$ref")]
    for kind, (count, where) in sorted(found.items()):
        if not tables().takes("types", kind, release):
            yield Finding(
                Severity.BLOCKER,
                "refused-type",
                f"{name}: {where[0]}",
                f"{plural(count, 'value')} of a type that {release} does not have, {_TYPES[kind]}, in {_listed(where)}",
                "`drop` the field, or make another value of it with `python:` in the flow; or change it at the source.",
            )


def _names(profile: DatasetProfile, release: Release, name: str) -> Iterator[Finding]:
    odd: dict[str, list[str]] = {"$": [], ".": []}
    for each in profile.fields:
        try:
            last = _last(parse_path(each.path))
        except ValueError:  # an empty name
            continue
        if last.startswith("$") and last not in {"$ref", "$id", "$db"}:
            odd["$"].append(each.path)
        if "." in last:
            odd["."].append(each.path)
    known = release.version in _NAMES_TAKEN_SINCE
    for mark, where in odd.items():
        if where:
            how = "begin with a dollar sign" if mark == "$" else "hold a dot"
            told = "may be refused, and cannot be asked for as others can" if known else "are refused"
            yield Finding(
                Severity.WARNING if known else Severity.BLOCKER,
                "odd-names",
                f"{name}: {where[0]}",
                f"names of fields that {how} {told}: {_listed(where)}",
                "`rename` them in the flow and in the application. Try it on a cluster first where that is hard.",
            )


def _last(path: Path) -> str:
    return next((str(each) for each in reversed(path) if each is not EACH), "")


def _index_keys(
    profile: DatasetProfile, inventory: Inventory, release: Release, name: str
) -> Iterator[Finding]:
    limit = tables().limit("index_key_bytes", release)
    longest: dict[str, int] = {}
    for each in profile.fields:
        path = each.path.replace("[]", "")
        longest[path] = max(longest.get(path, 0), each.longest)
    for index in inventory.indexes:
        whole = sum(longest.get(path, 0) for path, kind in index.keys if kind in {"ascending", "descending"})
        alone = max((longest.get(path, 0) for path, _ in index.keys), default=0)
        if whole > limit and all(kind in {"ascending", "descending"} for _, kind in index.keys):
            sure = alone > limit
            yield Finding(
                Severity.BLOCKER if sure else Severity.WARNING,
                "long-index-key",
                f"{name}: {index.name}",
                f"its values have up to {whole:,} bytes{'' if sure else ' together'}; a key takes {limit:,}",
                "DocumentDB refuses a document with a longer key. Index a digest of the value, or leave the index out.",
            )


def collection_findings(inventory: Inventory, release: Release, *, name: str) -> Iterator[Finding]:
    """The options a collection was made with."""
    known = tables()
    advice = {
        "capped": "It becomes an ordinary collection: nothing removes its oldest documents. A TTL index does.",
        "collation": "It becomes a collection that compares bytes: sort, find and unique change for text. Keep a "
        "normal form of the text in a field of its own.",
        "clusteredIndex": "It becomes an ordinary collection, with the same documents.",
        "validator": "It becomes a collection without rules: validate in the application.",
        "encryptedFields": "Queryable encryption has no counterpart: decrypt in the application before the move.",
        "changeStreamPreAndPostImages": "Change streams give the document as it is, not as it was.",
    }
    for option, do in advice.items():
        value = inventory.options.get(option)
        if not value or (option == "changeStreamPreAndPostImages" and value == {"enabled": False}):
            continue
        letters = known.sets["collections"][option]
        if not known.takes("collections", option, release):
            yield Finding(
                Severity.BLOCKER if option == "encryptedFields" else Severity.WARNING,
                "collection-option",
                name,
                f"the collection has the option {option}, which {release} does not know",
                f"{since(letters)} {do}".strip(),
            )
        else:
            yield Finding(
                Severity.NOTE,
                "collection-option",
                name,
                f"the collection has the option {option}",
                "`greylag run` makes the collection with it, where the target's connection says `create_tables: true`."
                + (
                    " What is carried is written whether it keeps to it or not."
                    if option == "validator"
                    else ""
                ),
            )
    yield from _long_names(name, release)


def _long_names(name: str, release: Release) -> Iterator[Finding]:
    _, _, collection = name.partition(".")
    before, now = (
        tables().limit(each, release) for each in ("collection_characters_before", "collection_characters")
    )
    if len(collection) > now:
        yield Finding(
            Severity.BLOCKER,
            "long-name",
            name,
            f"the collection's name has {len(collection)} characters; DocumentDB takes {now}",
            "Give it a shorter name in the flow's `to:`.",
        )
    elif len(collection) > before:
        yield Finding(
            Severity.WARNING,
            "long-name",
            name,
            f"the collection's name has {len(collection)} characters; clusters not yet patched take {before}",
            "Give it a shorter name in the flow's `to:`, or update the cluster.",
        )


def _listed(paths: list[str]) -> str:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(paths[:_SHOWN]) + more
