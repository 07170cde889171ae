"""What becomes of a source's options and indexes at a target: taken over, changed, or left out, each with its reason.

What DocumentDB takes stands in the tables of `assess --documentdb`. An index follows the fields a flow renames; one of
a field that the flow drops is left out.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from greylag.operations.assess.documentdb.release import ELASTIC, INSTANCE, VERSIONS, Release
from greylag.operations.assess.documentdb.tables import tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greylag.core.flows import FlowSpec
    from greylag.core.inventory import Index
    from greylag.core.structure import IndexDefinition, Product, Structure

_DESCRIBING: Final = ("partialFilterExpression", "weights", "wildcardProjection", "language_override")
"""Options of an index that name fields in ways of their own."""
_RUNS_ON_FIELDS: Final = ("validator", "validationLevel", "validationAction")
_NEVER: Final = {
    "storageEngine": "how its server stores it",
    "encryptedFields": "client-side encryption keeps collections of its own beside it",
    "autoIndexId": "every collection has an index on _id",
    "uuid": "its server's own number",
}
_PLAIN_KINDS: Final = frozenset({"ascending", "descending"})


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one index: `what` is `make`, `change` or `leave out`; `definition` is what is built, None where
    nothing is. `late`: it is unique, and built only once nothing earlier can be written any more.
    """

    name: str
    keys: tuple[str, ...]
    what: str
    reason: str = ""
    definition: Mapping[str, Any] | None = None
    late: bool = False

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return {**asdict(self), "keys": list(self.keys)}


@dataclass(frozen=True, slots=True)
class Made:
    """How a collection is to be made: its options, what became of the others, and the fate of each index."""

    options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    indexes: tuple[Fate, ...] = ()


def decide(structure: Structure, flow: FlowSpec, product: Product) -> Made:
    """What `flow` makes of `structure` at a server that is `product`."""
    rules = _Rules(product)
    options, notes = _options(structure.options, flow, rules)
    collation = structure.options.get("collation") if "collation" not in options else None
    fates = tuple(_fate(each, flow, rules, lost_collation=collation) for each in structure.indexes)
    return Made(options, notes, fates)


class _Rules:
    """What a product takes."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.release = _release(product) if product.name == "documentdb" else None

    def takes(self, kind: str, name: str) -> bool:
        return self.release is None or tables().takes(kind, name, self.release)


def _release(product: Product) -> Release:
    if product.elastic:
        return Release("5.0", ELASTIC)
    known = [each for each in VERSIONS if _number(each) <= _number(product.version)]
    return Release(known[-1] if known else VERSIONS[0], INSTANCE)


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _options(
    options: Mapping[str, Any], flow: FlowSpec, rules: _Rules
) -> tuple[dict[str, Any], tuple[str, ...]]:
    kept = dict(options)
    notes = []
    for name, reason in _NEVER.items():
        if kept.pop(name, None) is not None:
            notes.append(f"{name} is left out: {reason}")
    if any(name in kept for name in _RUNS_ON_FIELDS) and (
        flow.rename or flow.drop or flow.python or flow.split
    ):
        for name in _RUNS_ON_FIELDS:
            kept.pop(name, None)
        notes.append("the validator is left out: it is of documents that the flow changes")
    if kept.get("capped") is False:  # as DocumentDB says of every collection
        kept.pop("capped")
    for name in ("capped", "validator", "collation", "clusteredIndex", "changeStreamPreAndPostImages"):
        if name in kept and not rules.takes("collections", name):
            kept.pop(name)
            notes.append(f"{name} is left out: {rules.product} has none")
            for more in {"capped": ("size", "max"), "validator": _RUNS_ON_FIELDS[1:]}.get(name, ()):
                kept.pop(more, None)
    if "capped" in kept:
        notes.append(
            "it is capped, which keeps the order documents came in: they are carried in the order of _id, over "
            "several connections"
        )
    return kept, tuple(notes)


def _fate(each: IndexDefinition, flow: FlowSpec, rules: _Rules, *, lost_collation: Any) -> Fate:
    index = each.index
    shown = tuple(path if kind == "ascending" else f"{path} {kind}" for path, kind in index.keys)

    def left_out(reason: str) -> Fate:
        return Fate(index.name, shown, "leave out", reason)

    definition = dict(each.definition)
    reasons: list[str] = []
    if dropped := [path for path, _ in index.keys if _first(path) in flow.drop]:
        return left_out(f"the flow drops {', '.join(dropped)}")
    if any(_first(path) in flow.rename for path, _ in index.keys):
        if any(name in definition for name in _DESCRIBING) or "_fts" in definition["key"]:
            return left_out("the flow renames its fields, which its options name too")
        definition["key"] = {_renamed(path, flow): kind for path, kind in definition["key"].items()}
        reasons.append("follows the fields that the flow renames")
    reason = _kinds(index, definition, rules)
    if reason.startswith("-"):
        return left_out(reason[1:])
    if reason:
        reasons.append(reason)
    for option in ("collation", "hidden", "partial", "storageEngine", "prepareUnique"):
        name = "partialFilterExpression" if option == "partial" else option
        if name not in definition or (rules.release is not None and rules.takes("index_options", option)):
            continue
        if rules.release is None and option != "storageEngine":
            continue
        if option == "collation" or (option == "partial" and index.unique):
            return left_out(f"{rules.product} has no {option} {'unique ' if index.unique else ''}indexes")
        definition.pop(name)
        reasons.append(f"without `{name}`, which {rules.product} does not have")
    if lost_collation is not None:
        return left_out(
            f"it compares text by the collection's collation, which {rules.product} does not have"
        )
    unique = index.unique
    if unique and not rules.takes("index_options", "unique"):
        definition.pop("unique")
        unique = False
        reasons.append(f"no longer unique: {rules.product} has no unique indexes but that of _id")
    what = "change" if reasons else "make"
    return Fate(index.name, shown, what, "; ".join(reasons), definition, late=unique)


def _kinds(index: Index, definition: dict[str, Any], rules: _Rules) -> str:
    """Why it cannot be made (beginning with "-") or is made otherwise; empty where its kinds are taken as they are."""
    for path, kind in index.keys:
        if kind in _PLAIN_KINDS or rules.takes("indexes", kind):
            continue
        if kind == "hashed" and len(index.keys) <= tables().limits["compound_keys"]:
            definition["key"] = {
                name: {"$numberInt": "1"} if each == "hashed" else each
                for name, each in definition["key"].items()
            }
            return f"{path} ascending, not hashed: {rules.product} has no hashed indexes"
        return f"-{rules.product} has no {kind} indexes"
    return ""


def _first(path: str) -> str:
    return path.partition(".")[0]


def _renamed(path: str, flow: FlowSpec) -> str:
    first, dot, rest = path.partition(".")
    return flow.rename.get(first, first) + dot + rest
