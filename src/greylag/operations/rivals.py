"""Flows of one dataset that could carry the same records, of which one alone may be carried back.

Each of them has an item of the record, and each of these items would be the whole record at the old store: which of
them is newer, no stream tells. Flows whose `where` keeps their records apart are no rivals: ownership tells whose an
item is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.core.mapping.apart import apart
from greylag.core.mapping.keys import key_fields
from greylag.core.mapping.restoring import Loss
from greylag.core.ports import Returning
from greylag.errors import StateError
from greylag.state.directions import carried_back

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from greylag.core.flows import FlowSpec
    from greylag.engine.route import Route

ADVICE = (
    "Carry one of them back, by its name (`greylag follow --reverse FLOW`): one whose items hold all of the record and "
    "are what the application writes. Or give each of them a `where` that leaves the other's records out."
)


def rivals(flow: FlowSpec, flows: Iterable[FlowSpec]) -> list[str]:
    """The names of those of `flows` that could carry a record of this one's."""
    return [
        each.name
        for each in flows
        if each.source == flow.source and each.name != flow.name and not apart(flow.where, each.where)
    ]


def rival_losses(route: Route, routes: Sequence[Route]) -> list[Loss]:
    """Why `route` could not be carried back together with the others of `routes`."""
    flow, losses = route.flow, []
    shared = rivals(flow, (each.flow for each in routes))
    if shared:
        losses.append(
            Loss(
                "shared-records",
                ", ".join(shared),
                f"the records of {flow.source} are those of flow {', '.join(shared)} too: an item of either would be "
                "the whole record",
                ADVICE,
            )
        )
    others = [
        each.flow.name
        for each in routes
        if isinstance(route.source, Returning)
        and each.flow.source == flow.source
        and each.name not in {flow.name, *shared}
        and key_fields(each.flow) != key_fields(flow)
    ]
    if others:
        losses.append(
            Loss(
                "shared-file",
                ", ".join(others),
                f"records of {flow.source} are found by the fields that key templates see, and flow "
                f"{', '.join(others)} sees others there",
                "Carry one of them back, by its name; or make their keys of the same fields, in the same order.",
            )
        )
    return losses


def resting(folder: Path, flows: Sequence[FlowSpec]) -> dict[str, str]:
    """Of all flows of a project those that go no way, since the way back of another, which is named, writes their
    records: carried forward, that would come back to the target.
    """
    names = carried_back(folder)
    back = [flow for flow in flows if flow.name in names]
    found = {}
    for flow in flows:
        if flow.name not in names and (others := rivals(flow, back)):
            found[flow.name] = min(others)
    return found


def refuse_resting(folder: Path, flows: Sequence[FlowSpec], named: Iterable[str]) -> None:
    """Raise StateError where one that is `named` goes no way."""
    rest = resting(folder, flows)
    for name in sorted(rest.keys() & set(named)):
        raise StateError(
            f"flow {name} cannot be written: flow {rest[name]}, of the same records, is carried back from its target",
            advice="The two directions never overlap. "
            f"`greylag follow --reverse {rest[name]} --end` gives the way back up.",
        )
