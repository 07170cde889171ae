"""Which `types:` lines spare a flow's items their hints: tried with the target's own codec on records of the source.

A value whose wire form alone does not give it back leaves a hint in its item: a date, an ObjectId, 5.0. A rule under
`types:` says it once for all. For each path the rule is proposed that makes the items of the sample smallest.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from greylag.core.mapping import MappingError, compile_mapping
from greylag.core.mapping.types import TYPE_RULES
from greylag.core.paths import EACH, format_path, parse_path
from greylag.core.records import Refused
from greylag.core.values import Binary, type_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from greylag.core.flows import FlowSpec
    from greylag.core.mapping import Mapping
    from greylag.core.paths import Path
    from greylag.core.ports import Codec, Target
    from greylag.core.records import Item, Record
    from greylag.core.values import Document, Value
    from greylag.engine.route import Route

TRIED_RECORDS = 300
MOST_PATHS = 2000
"""Paths whose types are counted, and of them those that rules are tried for, the most frequent first."""
TRIED_PATHS = 200
_NATURAL = frozenset({"null", "bool", "array", "document"})
_UUID = 4


@dataclass(frozen=True, slots=True)
class Proposal:
    """`types: {path: rule}` for the flow, or for its split `split`. `types` counts the values seen by type; those of
    another type than the rule's keep a hint each where they need one. `saved_bytes` is what an item of the sample is
    smaller by, on average.
    """

    path: str
    rule: str
    types: dict[str, int]
    saved_bytes: float
    split: str | None = None

    @property
    def mixed(self) -> bool:
        """Whether values of more than one type were seen, null aside."""
        return len(set(self.types) - {"null"}) > 1

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return {
            "path": self.path,
            "split": self.split,
            "rule": self.rule,
            "types": dict(sorted(self.types.items())),
            "saved_bytes": round(self.saved_bytes, 1),
        }


def propose(route: Route, sample: Sequence[Record]) -> tuple[Proposal, ...]:
    """What is proposed for the flow from these records; what greylag.yaml states already is left alone.

    Of a flow with both `python:` and `split:` nothing is: where a field of an item came from is then not known.
    """
    flow = route.flow
    if flow.python is not None and flow.split:
        return ()
    mapping = route.mapping()
    items = [made for record in sample if (made := _items(mapping, record))]
    seen = _seen(flow, sample, items)
    with closing(route.target.target()) as target:
        trial = _Trial(route, target, [item for made in items[:TRIED_RECORDS] for item in made])
        frequent = sorted(seen.items(), key=lambda each: -each[1].total())[:TRIED_PATHS]
        found = [each for path, types in frequent if (each := _best(flow, trial, path, types))]
    return tuple(sorted(found, key=lambda each: (each.split or "", each.path)))


def with_rules(flow: FlowSpec, proposals: Sequence[Proposal]) -> FlowSpec:
    """The flow with the proposals among its `types`."""
    for each in proposals:
        flow = _with_rule(flow, each.split, each.path, each.rule)
    return flow


class _Trial:
    """Items of a sample, and how large they are together under other rules."""

    def __init__(self, route: Route, target: Target, items: Sequence[Item]) -> None:
        self._route = route
        self._target = target
        codec = self._codec(route.flow)
        assert codec is not None
        sizes = [(item, size) for item in items if (size := _size(codec, item)) is not None]
        self._items = [item for item, _ in sizes]
        self._bytes = sum(size for _, size in sizes)

    def saved(self, flow: FlowSpec) -> float | None:
        """Bytes an item is smaller under the rules of `flow`; None where these cannot be, or refuse an item."""
        codec = self._codec(flow)
        if codec is None or not self._items:
            return None
        total = 0
        for item in self._items:
            size = _size(codec, item)
            if size is None:
                return None
            total += size
        return (self._bytes - total) / len(self._items)

    def _codec(self, flow: FlowSpec) -> Codec | None:
        route = self._route
        try:
            mapping = compile_mapping(flow, unique_id=route.dataset.unique_id, load=route.functions)
        except MappingError:
            return None
        known = route.table.key_types
        if any(known.get(name, kind) != kind for name, kind in mapping.key_types.items()):
            return None
        return self._target.codec(mapping.spec, route.table, route.dataset.family)


def _items(mapping: Mapping, record: Record) -> list[Item]:
    try:
        return mapping.apply(record)
    except Refused:
        return []


def _size(codec: Codec, item: Item) -> int | None:
    try:
        return codec.encode(item).size_bytes
    except Refused:
        return None


def _best(flow: FlowSpec, trial: _Trial, path: Path, types: Counter[str]) -> Proposal | None:
    split, inside = _split_of(flow, path)
    text = format_path(inside)
    rules = [name for name, _ in types.most_common() if name in TYPE_RULES and name not in _NATURAL]
    if not rules or rules in (["string"], ["binary"], ["int"]):
        return None
    best: Proposal | None = None
    for rule in rules:
        saved = trial.saved(_with_rule(flow, split, text, rule))
        if saved is not None and saved > (best.saved_bytes if best else 0):
            best = Proposal(text, rule, dict(types), saved, split)
    return best


def _with_rule(flow: FlowSpec, split: str | None, path: str, rule: str) -> FlowSpec:
    if split is None:
        return replace(flow, types={**flow.types, path: rule})
    return replace(
        flow,
        split=tuple(
            replace(each, types={**each.types, path: rule}) if each.path == split else each
            for each in flow.split
        ),
    )


def _split_of(flow: FlowSpec, path: Path) -> tuple[str | None, Path]:
    """The split whose elements the path is in, and the path within; (None, path) for the flow's own."""
    for each in flow.split:
        steps = (*parse_path(each.path), EACH)
        if path[: len(steps)] == steps:
            return each.path, path[len(steps) :] or ("value",)
    return None, path


def _seen(
    flow: FlowSpec, sample: Sequence[Record], items: Sequence[Sequence[Item]]
) -> dict[Path, Counter[str]]:
    """The types of values by path, of what is carried and has no rule."""
    stated = {parse_path(path) for path in flow.types}
    stated |= {
        (*parse_path(split.path), EACH, *parse_path(path)) for split in flow.split for path in split.types
    }
    dropped = [parse_path(path) for path in flow.drop]
    dropped += [
        (*parse_path(split.path), EACH, *parse_path(path)) for split in flow.split for path in split.drop
    ]
    seen: dict[Path, Counter[str]] = defaultdict(Counter)
    for fields in _documents(flow, sample, items):
        for path, name in _types(fields, ()):
            if path in seen or len(seen) < MOST_PATHS:
                seen[path][name] += 1
    return {
        path: types
        for path, types in seen.items()
        if path not in stated and not any(path[: len(each)] == each for each in dropped)
    }


def _documents(
    flow: FlowSpec, sample: Sequence[Record], items: Sequence[Sequence[Item]]
) -> Iterator[Document]:
    """The fields that rules speak of: the records', or what `python:` made of them."""
    if flow.python is None:
        yield from (record.fields for record in sample)
        return
    names = {attribute: parse_path(field)[0] for field, attribute in flow.rename.items()}
    for made in items:
        for item in made:
            yield {
                str(names.get(name, name)): value
                for name, value in item.attributes.items()
                if name not in item.derived
            }


def _types(value: Value, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _types(each, (*path, name))
    elif isinstance(value, list):
        for each in value:
            yield from _types(each, (*path, EACH))
    elif path:
        yield path, "uuid" if isinstance(value, Binary) and value.subtype == _UUID else type_name(value)
