"""What a mapping does where it does little: templates of top-level fields, `rename`, `drop` of whole fields.

A target that can carry a record as its source holds it, undecoded, needs no more than this of the mapping.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from greylag.core.mapping.items import compile_write, constants_of, fills_of
from greylag.core.mapping.templates import Origin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from greylag.core.flows import FlowSpec
    from greylag.core.mapping.carried import Carried
    from greylag.core.mapping.columns import Column
    from greylag.core.mapping.items import Write
    from greylag.core.mapping.templates import Template
    from greylag.core.values import Document


@dataclass(frozen=True, slots=True)
class Direct:
    """`write` gives the attributes that templates write, and their names, seeing only the top-level fields in `reads`;
    all names it may ever write are `writes`. Every other field is carried: not one of `dropped`, by its name in
    `renamed` or its own. `write` raises Refused.

    `constants` and then `fills` (see `items.fills_of`) are what `write` does, for those who do it themselves.
    """

    reads: frozenset[str]
    writes: frozenset[str]
    write: Write
    dropped: frozenset[str]
    renamed: Mapping[str, str]
    constants: Document
    fills: Sequence[tuple[str, Template, bool, bool]]


def direct(spec: FlowSpec, columns: Sequence[Column], carried: Carried) -> Direct | None:
    """None where the mapping does more: `where`, `python`, `split`, `ttl`, a part of a field dropped, a template of
    anything but fields, an attribute that a template and a field both give.
    """
    placeholders = [each for column in columns if column.template for each in column.template.placeholders]
    if spec.where or spec.python or spec.split or spec.ttl or carried.prunes:
        return None
    if any(each.origin is not Origin.FIELD for each in placeholders) or any(each.carried for each in columns):
        return None
    reads = frozenset(str(each.path[0]) for each in placeholders)
    dropped = frozenset(map(str, carried.dropped))
    return Direct(
        reads,
        frozenset(column.name for column in columns),
        compile_write(columns),
        dropped,
        carried.names,
        constants_of(columns),
        fills_of(columns),
    )
