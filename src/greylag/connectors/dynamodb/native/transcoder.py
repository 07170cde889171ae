"""From a BSON document to an item's bytes, by the layouts of the shapes met so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from greylag.connectors.dynamodb.native.layout import Layout
from greylag.connectors.dynamodb.native.shape import Shapeless
from greylag.connectors.dynamodb.native.values import Writing
from greylag.connectors.dynamodb.unfit import Unfit
from greylag.core.records import Encoded, Item, Record, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from greylag.connectors.dynamodb.encoder import Encoder
    from greylag.connectors.dynamodb.rules import Rules
    from greylag.core.mapping.direct import Direct

_LAYOUTS: Final = 24
"""Kept at once, the one used last in front: each that does not match costs a look."""
_LEARNED: Final = 120
"""In all. A shape is worth the millisecond that its expression takes only if it comes again."""
_WATCHED: Final = 2000
"""Documents after which it is known whether this is worth while."""

Finish: TypeAlias = "Callable[[Mapping[str, Any], bytes, int], Encoded]"


class Transcoder:
    """See `ports.Transcoding`. `finish` makes of attributes, body and size what the codec gives, or raises Unfit."""

    def __init__(
        self, mapping: Direct, rules: Rules, encoder: Encoder, keys: frozenset[str], finish: Finish
    ) -> None:
        self._mapping = mapping
        self._rules = rules
        self._encoder = encoder
        self._writing = Writing(encoder)
        self._keys = keys
        self._finish = finish
        self._layouts: list[Layout] = []
        self._learned = 0
        self._seen = 0
        self._carried = 0

    def __call__(self, documents: Sequence[bytes]) -> Iterator[Encoded | None]:
        """Each document as `one` gives it."""
        return map(self.one, documents)

    def one(self, document: bytes) -> Encoded | None:
        """The document as an item, or None: where its shape is new to it or has no layout, where something of it cannot
        be carried, and for every document once less than half of them have been of use.
        """
        if self._seen >= _WATCHED:
            if self._carried * 2 < self._seen:
                return None
            self._seen = self._carried = 0
        self._seen += 1
        try:
            encoded = self._carry(document)
        except (Refused, Shapeless, Unfit, ValueError):
            return None  # what is wrong with it, the codec says
        self._carried += encoded is not None
        return encoded

    def _carry(self, document: bytes) -> Encoded | None:
        layouts = self._layouts
        for place, layout in enumerate(layouts):
            found = layout.carry(document)
            if found is not None:
                if place:
                    layouts.insert(0, layouts.pop(place))
                break
        else:
            self._learn(document)
            return None
        carried, carried_bytes, fields = found
        written, derived = self._mapping.write(fields, Record(fields.get("_id"), fields))
        attributes, own, own_bytes = self._encoder.encode(Item(written, derived), sort=False)
        return self._finish(attributes, b"%b,%b}" % (own[:-1], carried), own_bytes + carried_bytes)

    def _learn(self, document: bytes) -> None:
        if self._learned < _LEARNED:
            self._learned += 1
            layout = Layout(document, self._mapping, self._rules, self._writing, self._keys)
            self._layouts.insert(0, layout)
            del self._layouts[_LAYOUTS:]
