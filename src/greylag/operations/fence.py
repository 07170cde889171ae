"""`greylag fence`: the old store itself refuses the application's writes; `--release` puts back what was.

In what order, so that a kill at any moment leaves something that can be put up or lifted: how a thing stands is
durable before it is changed; a service is fenced once every thing of its connections is; a thing is forgotten only
after it was put back.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from greylag.core.nearest import did_you_mean
from greylag.core.ports import Fenceable
from greylag.errors import ConfigurationError, StateError
from greylag.state import fences as state
from greylag.state.directions import carried_back
from greylag.state.fences import FencedService, FencedThing
from greylag.state.locks import run_lock

if TYPE_CHECKING:
    from pathlib import Path

    from greylag.config import Project
    from greylag.core.ports import Fence
    from greylag.state.fences import Fences

SIDES = ("source", "target")
FENCING, FENCED, RELEASING = "fencing", "fenced", "releasing"


@dataclass(frozen=True, slots=True)
class FenceReport:
    """What was done, a sentence each. `others` are services that are held too, although nobody asked for it: they
    write as the same user, or to the same folder.
    """

    service: str
    state: str
    did: tuple[str, ...]
    others: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def fence(project: Project, service: str, *, side: str = SIDES[0], user: str | None = None) -> FenceReport:
    """Fence the store that `service` writes at `side`. Run again it makes sure that the fence stands."""
    _refuse_unknown(project, service)
    datasets = _datasets(project, service, side)
    folder = project.state_folder
    did: list[str] = []
    with run_lock(folder / "fence"):
        fences = state.load(folder)
        known = fences.service(service)
        if known is not None and known.side != side:
            raise StateError(
                f"service {service} is fenced at its {known.side}",
                advice=f"`greylag fence {service} --release` first.",
            )
        known = known or FencedService(service, side)
        if known not in fences.services:
            fences.services.append(known)
        if known.state != FENCED:
            known.state = FENCING
        for connection, names in datasets.items():
            with closing(_fence(project, connection)) as store:
                things = [
                    _recorded(fences, store, connection, each, service) for each in store.things(names, user)
                ]
                state.save(fences, folder)
                for each in things:
                    did += store.impose(each.thing, each.before)
                known.since_ms.setdefault(connection, store.clock_ms())
        known.state = FENCED
        state.save(fences, folder)
    return FenceReport(service, FENCED, tuple(did), _others(project, service, datasets, side))


def release(project: Project, service: str) -> FenceReport:
    """Put back what `fence` changed for this service, as far as no other fenced service needs it."""
    _refuse_unknown(project, service)
    folder = project.state_folder
    did: list[str] = []
    with run_lock(folder / "fence"):
        fences = state.load(folder)
        known = fences.service(service)
        if known is None:
            return FenceReport(
                service, "not fenced", (f"service {service} is not fenced: nothing was changed",)
            )
        if known.side == SIDES[0]:
            _refuse_release(project, service)
        known.state = RELEASING
        known.since_ms.clear()
        state.save(fences, folder)
        mine = [each for each in reversed(fences.things) if service in each.services]
        for connection in dict.fromkeys(each.connection for each in mine):
            with closing(_fence(project, connection)) as store:
                for each in (each for each in mine if each.connection == connection):
                    did += _lift(fences, store, each, service)
                    state.save(fences, folder)
        fences.services.remove(known)
        state.save(fences, folder)
    return FenceReport(service, "released", tuple(did))


def _refuse_release(project: Project, service: str) -> None:
    """While changes are carried back, the old store has one writer: Greylag."""
    back = carried_back(project.state_folder)
    if names := sorted(flow.name for flow in project.flows if flow.service == service and flow.name in back):
        raise StateError(
            f"flow {', '.join(names)} is carried back: the application must not write at the old store too",
            advice=f"`greylag follow --reverse {service} --end` first.",
        )


def fenced(folder: Path) -> Fences:
    """What is fenced, for whoever follows changes or tells how things stand. Only reads."""
    return state.load(folder)


def _recorded(fences: Fences, store: Fence, connection: str, thing: str, service: str) -> FencedThing:
    """What is known of the thing; looked at only where nothing is, since a look at a fenced thing sees the fence."""
    known = fences.thing(connection, thing)
    if known is None:
        known = FencedThing(connection, thing, dict(store.look(thing)))
        fences.things.append(known)
    if service not in known.services:
        known.services.append(service)
    return known


def _lift(fences: Fences, store: Fence, thing: FencedThing, service: str) -> list[str]:
    others = [each for each in thing.services if each != service]
    if others:
        thing.services = others
        return [f"{thing.thing} stays fenced for {', '.join(others)}"]
    did = list(store.lift(thing.thing, thing.before))
    fences.things.remove(thing)
    return did


def _fence(project: Project, connection: str) -> Fence:
    connector = project.connector(connection)
    if not isinstance(connector, Fenceable):
        raise ConfigurationError(
            f"connection {connection} is of kind {connector.kind}, which cannot refuse writes",
            advice="Stop the application, and state `--frozen` where something asks for a fence.",
        )
    return connector.fence()


def _refuse_unknown(project: Project, service: str) -> None:
    if service not in project.services:
        raise ConfigurationError(
            f"there is no service {service!r}{did_you_mean(service, project.services)}",
            advice=f"Services: {', '.join(project.services)}.",
        )


def _datasets(project: Project, service: str, side: str) -> dict[str, list[str]]:
    def listed(connection: str) -> list[str]:
        with closing(project.connector(connection).source()) as source:
            return list(source.datasets())

    found: dict[str, list[str]] = defaultdict(list)
    for flow in project.select([service], project.expand(listed)):
        ref = flow.source if side == SIDES[0] else flow.table.ref
        found[ref.connection].append(ref.dataset)
    return dict(found)


def _others(project: Project, service: str, datasets: dict[str, list[str]], side: str) -> tuple[str, ...]:
    """Other services of a connection whose fence does not tell datasets apart. Told, so that nobody is surprised."""
    found = {
        flow.service
        for flow in project.flows
        if flow.service != service
        and (flow.source if side == SIDES[0] else flow.table.ref).connection in datasets
    }
    return tuple(sorted(found))
