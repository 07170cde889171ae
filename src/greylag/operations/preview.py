"""`greylag preview`: records beside the items they become. Reads the source; writes and creates nothing."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from greylag.core.extended_json import to_extended
from greylag.core.records import Record, Refused, Rejection
from greylag.engine.lane import Lane
from greylag.errors import ConfigurationError
from greylag.operations.keytypes import pages
from greylag.operations.prepare import prepare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.config import Project
    from greylag.core.ports import Source
    from greylag.core.values import Document, Value


@dataclass(frozen=True, slots=True)
class Preview:
    """One record and what becomes of it: items as the target holds them (`body`, its own JSON), or why none. What of
    a record that cannot be read is known, `record` has.
    """

    record: Record
    items: tuple[Document, ...] = ()
    bodies: tuple[bytes, ...] = ()
    sizes_bytes: tuple[int, ...] = ()
    refused: str | None = None
    fix: str = ""

    def as_json(self) -> dict[str, Any]:
        """For `--json`: record and items in extended JSON, bodies as the target's own."""
        return {
            "id": to_extended(self.record.id),
            "record": to_extended(self.record.fields),
            "items": [to_extended(item) for item in self.items],
            "bodies": [body.decode() for body in self.bodies],
            "sizes_bytes": list(self.sizes_bytes),
            "refused": self.refused,
            "fix": self.fix,
        }


def preview(project: Project, flow: str, *, key: Value = None, count: int = 5) -> list[Preview]:
    """The first `count` records of `flow`, or the one whose id is `key`. Raises ConfigurationError if there is none."""
    routes = prepare(project, only=(flow,), pretend=True).routes
    route = next((each for each in routes if each.name == flow), None)
    if route is None:
        raise ConfigurationError(
            f"{flow} is not a flow", advice="Flows: " + ", ".join(each.name for each in routes)
        )
    with closing(Lane(route)) as lane:
        found: list[Record | Rejection]
        if key is None:
            found = list(islice(_first(lane.source, route.dataset.dataset), count))
        else:
            found = list(lane.source.fetch(route.dataset.dataset, [key]))
            if not found:
                raise ConfigurationError(
                    f"{route.flow.source} has no record with the id {key!r}",
                    advice="Ids are typed: write --key in extended JSON, such as "
                    '\'{"$oid": "665f…"}\' for an ObjectId, \'"text"\' for a string, 7 for a number. '
                    "A JSON source's ids are row numbers, from 0.",
                )
        return [_unread(each) if isinstance(each, Rejection) else _preview(lane, each) for each in found]


def _first(source: Source, dataset: str) -> Iterator[Record | Rejection]:
    """Page by page the records that cannot be read, then the others."""
    for page in pages(source, dataset):
        yield from page.rejected
        yield from page.records


def _unread(rejection: Rejection) -> Preview:
    record = Record(rejection.id, rejection.original or {})
    return Preview(record, refused=rejection.reason, fix=rejection.fix)


def _preview(lane: Lane, record: Record) -> Preview:
    try:
        items = lane.items(record)
        encoded = [lane.codec.canonical(item) for item in items]
    except Refused as refused:
        return Preview(record, refused=refused.reason, fix=refused.fix)
    return Preview(
        record,
        tuple(item.attributes for item in items),
        tuple(each.body for each in encoded),
        tuple(each.size_bytes for each in encoded),
    )
