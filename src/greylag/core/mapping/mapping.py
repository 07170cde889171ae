"""A flow's mapping, compiled once and applied to every record. Pure: no I/O, nothing it is given changes.

The order: `where`, `python`, templates, `split`, `drop`, `rename`. Templates see the source's fields (what
`python` gave, where there is one), also those that are then dropped or renamed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from greylag.core.mapping.carried import Carried
from greylag.core.mapping.columns import Column, Role, read_columns
from greylag.core.mapping.digest import mapping_digest
from greylag.core.mapping.direct import Direct, direct
from greylag.core.mapping.errors import MappingError
from greylag.core.mapping.functions import check_name, compile_function
from greylag.core.mapping.items import compile_item
from greylag.core.mapping.keys import injective, key_types, keyed_by, lone_fields, seen_by_keys
from greylag.core.mapping.ownership import Claim, item_claim
from greylag.core.mapping.split import Split, check_inside, split_paths
from greylag.core.mapping.templates import Origin
from greylag.core.mapping.ttl import Ttl
from greylag.core.mapping.types import parse_types, path_at, renamed
from greylag.core.mapping.where import compile_where
from greylag.core.paths import format_path
from greylag.core.records import Record

if TYPE_CHECKING:
    from greylag.core.flows import FlowSpec, SplitSpec
    from greylag.core.paths import Path
    from greylag.core.records import Item

Load = Callable[[str], Callable[[Any], Any]]


def compile_mapping(
    spec: FlowSpec,
    *,
    unique_id: str | None = None,
    unique_value: str | None = None,
    load: Load | None = None,
) -> Mapping:
    """The mapping `spec` describes. Raises MappingError for one that cannot work.

    `unique_id` and `unique_value` are those of the source's DatasetInfo, if they are known yet. `load` finds the
    function that `python:` names; without it such a flow is only checked, and its mapping cannot be applied.
    """
    return Mapping(spec, unique_id, unique_value, load)


class Mapping:
    """A compiled mapping; made by `compile_mapping`, in the process that uses it."""

    spec: FlowSpec
    """The flow, with the rule that `ttl` adds to `types`: what a target's codec is made of."""
    types: dict[str, str]
    """The rules of the flow and of its splits, by the paths of attributes (after `rename`)."""
    digest: str
    """SHA-256 of all that decides how records become items."""
    claim: Claim
    """The items this flow owns (law 11)."""
    injective: bool
    """Whether no two records can share a key, nor two items of one record. True is proof, False is not."""
    key_types: dict[str, str]
    """S, N or B by key and index attribute, where the mapping decides it."""
    identity: bool
    """Whether every record becomes one item with exactly its own fields, in their order."""
    direct: Direct | None
    """The mapping's own part where it leaves records nearly as they are; None where it does more."""
    one_item: bool
    """Whether every record becomes one item: neither `where` nor `split` nor `python` decides that."""
    seen_by_keys: frozenset[Path]
    """What the key of a record's own item is made of: fields, and ("@row",) or ("@digest",); where there is `python`,
    of what that gives.
    """
    lone_fields: dict[str, Path]
    """The other key and index attributes by the source's field whose values decide."""

    def __init__(
        self, spec: FlowSpec, unique_id: str | None, unique_value: str | None, load: Load | None
    ) -> None:
        table, dataset = spec.table, spec.source.dataset
        carried = Carried(spec.drop, spec.rename)
        rules = parse_types(spec.types, "types")
        ttl = Ttl(spec.ttl, rules, carried, spec.attributes) if spec.ttl else None
        columns = read_columns(
            spec.attributes, table, carried, where="attributes", dataset=dataset, child=False
        )
        paths = split_paths(spec.split)
        for section, texts in (("drop", spec.drop), ("types", spec.types)):
            for text in texts:
                check_inside(paths, path_at(text, section), f"{section}.{text}", section)
        kinds = [SplitKind(each, path, spec) for each, path in zip(spec.split, paths, strict=True)]
        children = [kind.columns for kind in kinds]
        if unique_id not in {None, Origin.ROW.value}:
            _refuse_rows([columns, *children])

        if ttl and ttl.own:
            rules[ttl.path] = "date:s"
        self.spec = replace(spec, types={format_path(path): rule for path, rule in rules.items()})
        self.types = _all_rules(rules, carried, kinds)
        self.digest = mapping_digest(spec, uses_dataset=_uses_dataset(spec))
        self.claim = Claim(tuple(item_claim(each, table.key) for each in (columns, *children)))
        self.injective = spec.python is None and (
            injective(columns, children, table.key, unique_id)
            or (table.any_type and not children and keyed_by(columns, table.key, unique_value))
        )
        self.key_types = key_types([(columns, rules), *((kind.columns, kind.rules) for kind in kinds)], table)
        self.lone_fields = {}
        for found in (
            lone_fields(columns, self.key_types),
            *(lone_fields(kind.columns, self.key_types, kind.path) for kind in kinds),
            _carried_index_fields(spec, carried, self.key_types),
        ):
            self.lone_fields = {**found, **self.lone_fields}

        self.identity = not (spec.where or spec.python or spec.split or spec.ttl or carried.changes) and all(
            each.carried for each in columns
        )
        self.one_item = not (spec.where or spec.split or spec.python)
        self.seen_by_keys = seen_by_keys(columns)
        self._make_key = compile_item([each for each in columns if each.role is Role.KEY], carried)

        self.direct = direct(self.spec, columns, carried)
        self._passes = compile_where(spec.where)
        self._transform = _function(spec, load)
        self._make = compile_item(columns, carried, ttl)
        self._splits = [Split(kind.path, kind.make) for kind in kinds]

    def apply(self, record: Record) -> list[Item]:
        """The items `record` becomes: its own first, then its children; none where `where` leaves it out.

        Raises Refused where one of them cannot be made: then there are none. The items share values with the
        record.
        """
        if self._passes is not None and not self._passes(record.fields):
            return []
        if self._transform is None and not self._splits:
            return [self._make(record.fields, record.fields, record)]
        if self._transform is None:
            return self._items(record)
        return [
            item
            for fields in self._transform(record.fields)
            for item in self._items(Record(record.id, fields))
        ]

    def key(self, record: Record) -> Item:
        """What of `record`'s item its key is; `record` need have no more than `seen_by_keys`. Raises Refused."""
        return self._make_key(record.fields, record.fields, record)

    def _items(self, record: Record) -> list[Item]:
        remaining, children = record.fields, []
        for split in self._splits:
            remaining, taken = split.take(record, remaining)
            children += taken
        return [self._make(record.fields, remaining, record), *children]


class SplitKind:
    """The items of one split, read and compiled."""

    def __init__(self, split: SplitSpec, path: Path, spec: FlowSpec) -> None:
        where = f"split.{split.path}."
        self.where = where
        self.path = path
        self.carried = Carried(split.drop, split.rename, where=where)
        self.rules = parse_types(split.types, f"{where}types")
        self.columns = read_columns(
            split.attributes,
            spec.table,
            self.carried,
            where=f"{where}attributes",
            dataset=spec.source.dataset,
            child=True,
        )
        self.make = compile_item(self.columns, self.carried)


def _all_rules(rules: dict[Path, str], carried: Carried, kinds: list[SplitKind]) -> dict[str, str]:
    """The rules of all items of the flow by the paths of attributes. Raises MappingError where two differ."""
    merged = {renamed(path, carried.names): rule for path, rule in rules.items()}
    for kind in kinds:
        for path, rule in kind.rules.items():
            attribute = renamed(path, kind.carried.names)
            if merged.setdefault(attribute, rule) != rule:
                raise MappingError(
                    f"{kind.where}types.{format_path(path)}",
                    f"`{format_path(attribute)}` has the type {merged[attribute]} in other items of the flow",
                    "rename one of the fields, or leave the rule out: the value is carried exactly without it",
                )
    return {format_path(path): rule for path, rule in merged.items()}


def _carried_index_fields(spec: FlowSpec, carried: Carried, known: dict[str, str]) -> dict[str, Path]:
    """Index attributes that no template writes: fields that are carried under that name."""
    names = {name for index in spec.table.indexes.values() for name in index} - {*spec.attributes, *known}
    found: dict[str, Path] = {}
    for name in sorted(names):
        source = carried.source_of(name)
        if source is not None and not (spec.ttl and spec.ttl.attribute == name):
            found[name] = (source,)
    return found


def _refuse_rows(kinds: list[tuple[Column, ...]]) -> None:
    for columns in kinds:
        for column in columns:
            if column.template and any(each.origin is Origin.ROW for each in column.template.placeholders):
                raise MappingError(
                    f"attributes.{column.name}",
                    "`{@row}` is a record's place in a file, and this source has no rows",
                    "use the source's own id instead",
                )


def _uses_dataset(spec: FlowSpec) -> bool:
    texts = [spec.attributes, *(split.attributes for split in spec.split)]
    return any("@dataset" in value for each in texts for value in each.values() if isinstance(value, str))


def _function(spec: FlowSpec, load: Load | None) -> Callable[[Any], list[Any]] | None:
    if spec.python is None:
        return None
    check_name(spec.python.function, "python")
    if spec.python.inverse is not None:
        check_name(spec.python.inverse, "inverse")
    name = spec.python.function
    return compile_function(name, load(name)) if load else _unloaded


def _unloaded(_: Any) -> Any:
    raise AssertionError("the mapping was compiled without `load`: it can be checked, not applied")
