"""The inverse of a mapping: from the items of a target, as its codec decodes them, back to the source's record.

Renamed attributes get their fields' names back, what templates, constants and `ttl` wrote is taken out, and the
children of `split` go back into their arrays by their place. Of a field that `drop` leaves out only what a template
holds exactly can be had back. Then the record is mapped again, `where` left aside: an item that it would not become,
were it read at the source, is refused. So whatever is given is what the application meant, or nothing is.

What the mapping itself loses, whatever the item, is a `Loss`. A field of the source's that has the name of an
attribute which a template writes (it must hold the very same value) is not told from the template's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greylag.core.mapping.agreement import disagreement
from greylag.core.mapping.carried import Carried
from greylag.core.mapping.columns import read_columns
from greylag.core.mapping.functions import compile_function
from greylag.core.mapping.items import compile_item
from greylag.core.mapping.mapping import SplitKind
from greylag.core.mapping.ownership import item_claim, item_keys_disjoint
from greylag.core.mapping.rejoin import Family, rejoin_losses
from greylag.core.mapping.restoring import Loss, Restoring
from greylag.core.mapping.split import Split, split_paths
from greylag.core.mapping.ttl import Ttl
from greylag.core.mapping.types import parse_types
from greylag.core.paths import format_path
from greylag.core.records import Record, Refused
from greylag.core.values import identical

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from greylag.core.flows import FlowSpec
    from greylag.core.mapping.mapping import Load
    from greylag.core.values import Document, Value

__all__ = ["Inverse", "Loss"]


class Inverse:
    """The inverse of one flow's mapping; made in the process that uses it. Pure.

    Raises MappingError where the mapping itself would.
    """

    losses: tuple[Loss, ...]
    """What cannot be had back, whatever the item; empty where the mapping can be inverted."""
    splits: bool
    """Whether a record is several items."""

    def __init__(self, spec: FlowSpec, load: Load | None = None) -> None:
        """`load` finds the functions that `python:` names; without it a flow that has one is only checked."""
        self._spec = spec
        self._carried = Carried(spec.drop, spec.rename)
        rules = parse_types(spec.types, "types")
        self._ttl = Ttl(spec.ttl, rules, self._carried, spec.attributes) if spec.ttl else None
        self._columns = read_columns(
            spec.attributes,
            spec.table,
            self._carried,
            where="attributes",
            dataset=spec.source.dataset,
            child=False,
        )
        paths = split_paths(spec.split)
        self._kinds = [SplitKind(each, path, spec) for each, path in zip(spec.split, paths, strict=True)]
        self.splits = bool(self._kinds)
        self._claims = [
            item_claim(each, spec.table.key) for each in (self._columns, *(k.columns for k in self._kinds))
        ]
        self._own = Restoring(self._columns, self._carried, rules, self._ttl, needed=_needed(spec))
        self._families = [Family(kind, self._columns, spec.table.key) for kind in self._kinds]
        self._make = compile_item(self._columns, self._carried, self._ttl)
        self._splits = [Split(kind.path, kind.make) for kind in self._kinds]
        self._forward, self._backward = _functions(spec, load)
        self.losses = (
            *_python_losses(spec),
            *self._own.losses,
            *rejoin_losses(self._families),
            *self._mixed(),
        )

    def kind(self, attributes: Document) -> int | None:
        """0 for the item of a record itself, 1 and up for a child of the first split and the next; None for an item
        that the flow does not own.
        """
        return next((place for place, claim in enumerate(self._claims) if claim.matches(attributes)), None)

    def parent_key(self, attributes: Document, kind: int) -> Document:
        """The key attributes of the item whose child, of this kind, has these attributes: its key alone will do.

        Raises Refused where they do not tell.
        """
        return self._families[kind - 1].parent_key(attributes)

    def record(self, attributes: Document, children: Sequence[tuple[int, Document]] = ()) -> Record:
        """The record whose own item has these attributes, and these children, each with its kind, in any order.

        Its `id` is its row where a template holds that, else its field `_id`, if there is one. Raises Refused where
        no record would become these items.
        """
        fields, row = self._own.fields(attributes)
        placed = self._placed(fields, children)
        record = Record(row if row is not None else fields.get("_id"), fields)
        self._check(record, attributes, placed)
        if self._backward is None:
            return record
        undone = self._undone(fields)
        return Record(row if row is not None else undone.get("_id"), undone)

    def _placed(
        self, fields: Document, children: Sequence[tuple[int, Document]]
    ) -> list[list[tuple[int, Value, Document]]]:
        """The children of each split in their order: place, element, attributes. Puts their arrays into `fields`."""
        placed = []
        for number, family in enumerate(self._families, 1):
            own = [(*family.element(item), item) for kind, item in children if kind == number]
            own.sort(key=lambda each: each[0])
            places = [place for place, _, _ in own]
            if len(set(places)) != len(places):
                raise Refused(
                    f"two items of `{family.path_text}` have one place in it",
                    "give each a place of its own at the target",
                    "split-place",
                )
            if own:
                family.put(fields, [element for _, element, _ in own])
            placed.append(own)
        return placed

    def _check(
        self, record: Record, attributes: Document, placed: list[list[tuple[int, Value, Document]]]
    ) -> None:
        remaining = record.fields
        for split in self._splits:
            remaining = split.remaining(record, remaining)
        _refuse_difference(self._make(record.fields, remaining, record).attributes, attributes)
        for split, own in zip(self._splits, placed, strict=True):
            for place, element, found in own:
                _refuse_difference(split.child(record, place, element).attributes, found)

    def _undone(self, fields: Document) -> Document:
        assert self._backward is not None
        assert self._forward is not None
        name = self._spec.python.inverse if self._spec.python else ""
        found = self._backward(fields)
        again = self._forward(found[0]) if len(found) == 1 else []
        if len(again) != 1 or not identical(again[0], fields):
            raise Refused(
                f"`{name}` gives {len(found)} records of it"
                if len(found) != 1
                else "`python:` would not make this item of what its `inverse:` gives",
                "mend the functions: each must undo the other",
                "python-inverse",
            )
        undone: Document = found[0]
        return undone

    def _mixed(self) -> list[Loss]:
        return [
            Loss(
                "split-kinds",
                format_path(kind.path),
                f"an item of `{format_path(kind.path)}` is not told from the flow's other items by its key",
                "Give each kind of item a constant attribute, or keys that begin differently.",
            )
            for place, kind in enumerate(self._kinds, 1)
            if any(not item_keys_disjoint(self._claims[place], other) for other in self._claims[:place])
        ]


def _refuse_difference(expected: Document, found: Document) -> None:
    why = disagreement(expected, found)
    if why is not None:
        raise Refused(
            why,
            "let the application write what greylag.yaml derives (or not write it), then write the item again",
            "not-derived",
        )


def _needed(spec: FlowSpec) -> bool:
    """Whether dropped fields are looked for: what `python` made need not be given back by its name."""
    return not (spec.python is not None and spec.python.inverse is None)


def _python_losses(spec: FlowSpec) -> list[Loss]:
    if spec.python is None or spec.python.inverse is not None:
        return []
    return [
        Loss(
            "python-without-inverse",
            spec.python.function,
            f"`python: {spec.python.function}` has no inverse",
            "Write a function that undoes it, and name it: `python: {function: …, inverse: …}`.",
        )
    ]


def _functions(
    spec: FlowSpec, load: Load | None
) -> tuple[Callable[[Any], list[Any]] | None, Callable[[Any], list[Any]] | None]:
    if spec.python is None or spec.python.inverse is None or load is None:
        return None, None
    forward, inverse = spec.python.function, spec.python.inverse
    return compile_function(forward, load(forward)), compile_function(inverse, load(inverse))
