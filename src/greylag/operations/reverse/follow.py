"""Follows the target's changes back until it is told to stop.

One process: a thread reads the streams into spools, the rest applies what they hold. Whatever ends it, it goes on from
where it was. What it keeps of a service stands in `reverse/SERVICE` of the state folder, with a lock of its own: other
services may still go forward. When a flow goes back, and that it then never goes forward too, is in `beginning`.
"""

from __future__ import annotations

import json
import secrets
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from greylag.console.units import duration, plural
from greylag.core.mapping.inverse import Inverse
from greylag.engine.disk import write_whole
from greylag.engine.follow.capture import ask_barrier
from greylag.errors import ConfigurationError, NotDrained, PositionLost, StateError
from greylag.operations.belonging import identity, refuse_other
from greylag.operations.prepare import prepare
from greylag.operations.reverse.backstream import BackStream
from greylag.operations.reverse.beginning import (
    BACK,
    COMPARE_LATER,
    begin_anew,
    begin_back,
    begun,
    end_back,
    refuse_lost,
    service_folder,
    unbegun,
)
from greylag.operations.reverse.priming import prime
from greylag.operations.rivals import refuse_resting, rival_losses
from greylag.state.directions import carried_back
from greylag.state.locks import run_lock
from greylag.state.store import Identity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from threading import Event

    from greylag.config import Project
    from greylag.engine.follow.applied import ApplyProgress
    from greylag.engine.follow.apply import Apply
    from greylag.engine.route import Route

_IDLE_SECONDS: Final = 0.05
_TRIED_AGAIN_SECONDS: Final = 6.0
"""Longer than a state that a unique index keeps out waits for its next try."""
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class ReverseOptions:
    """What was asked. `only`: services or flows. `compare`: begin anew, with a pass that carries every difference.
    `once`: end when all that was written before the call is carried back, NotDrained after `timeout_seconds`; `end`:
    as `once`, and give the way back up. `frozen`: the user states that nothing writes at the source any more.
    """

    only: tuple[str, ...] = ()
    compare: bool = False
    once: bool = False
    timeout_seconds: float = 600.0
    frozen: bool = False
    end: bool = False


@dataclass(frozen=True, slots=True)
class ReverseReport:
    """What was carried back since reverse began. `compared`: records put and deleted by comparing. `refused`: records
    of the old store that are stale, since their items cannot be carried back: flow, key, reason.
    """

    flows: tuple[str, ...]
    changes: int
    put: int
    deleted: int
    stale: int
    compared: tuple[int, int] | None = None
    refused: tuple[tuple[str, Any, str], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return {
            "flows": list(self.flows),
            "changes": self.changes,
            "put": self.put,
            "deleted": self.deleted,
            "stale": self.stale,
            "compared": None
            if self.compared is None
            else {"put": self.compared[0], "deleted": self.compared[1]},
            "refused": [{"flow": flow, "key": key, "reason": reason} for flow, key, reason in self.refused],
        }


def follow_back(
    project: Project,
    options: ReverseOptions,
    *,
    stop: Event,
    observe: Callable[[str], None] = lambda _: None,
) -> ReverseReport:
    """Carry changes back until `stop` is set, or as `options.once` says. `observe` is told in words how far it is.

    Raises ConfigurationError for a mapping that cannot be inverted, NotDrained where forward may not have ended,
    PositionLost where the target's history no longer reaches back to where this stopped.
    """
    with ExitStack() as stack:
        prepared = prepare(project, only=options.only)
        routes = prepared.routes
        _refuse_losses(routes)
        state = project.state_folder
        by_service: dict[str, list[Route]] = {}
        for route in routes:
            by_service.setdefault(route.flow.service, []).append(route)
        folders = {each: service_folder(state, each) for each in by_service}
        for folder in folders.values():
            stack.enter_context(run_lock(folder))
        back = carried_back(state)
        refuse_resting(state, prepared.flows, {route.name for route in routes})
        for service, mine in by_service.items():
            if not options.compare and any(route.name in back for route in mine):
                refuse_lost(folders[service])
                _belong(mine, folders[service], project.environment)
        begin_back(state, routes, frozen=options.frozen)
        streams: list[BackStream] = []
        for service, mine in by_service.items():
            folder = folders[service]
            if options.compare or unbegun(folder) is not None:
                begin_anew(folder, compare=options.compare or bool(unbegun(folder)))
            _belong(mine, folder, project.environment)
            for name in dict.fromkeys(route.flow.table.ref.connection for route in mine):
                some = [route for route in mine if route.flow.table.ref.connection == name]
                streams.append(
                    stack.enter_context(
                        closing(BackStream(name, some, folder, limit_bytes=project.spool_bytes))
                    )
                )
        compared = _prime(streams, stop=stop, observe=observe)
        for folder in folders.values():
            begun(folder)
        _follow(streams, options, stop, observe)
        report = _report(routes, streams, compared)
        if options.end:
            if stop.is_set():
                raise NotDrained("interrupted: the way back goes on", advice="Give the command again.")
            if report.stale:
                raise NotDrained(
                    f"{plural(report.stale, 'item')} could not be carried back: the way back goes on",
                    advice="Mend the items at the target, and give the command again.",
                )
            end_back(state, routes)
        return report


def _refuse_losses(routes: Sequence[Route]) -> None:
    for route in routes:
        losses = [*Inverse(route.flow).losses, *rival_losses(route, routes)]
        if losses:
            raise ConfigurationError(
                f"flow {route.name} cannot be carried back: " + "; ".join(each.message for each in losses),
                advice=" ".join(each.advice for each in losses),
            )


def _belong(routes: Sequence[Route], folder: Path, environment: str) -> None:
    """The state is of these flows, and they are what they were (law 12). The old store's content is left out of their
    identity, since it is written here.
    """
    path = folder / "flows.json"
    now = {route.name: _identity(route, environment) for route in routes}
    try:
        before = {name: Identity(*each) for name, each in json.loads(path.read_bytes()).items()}
    except FileNotFoundError:
        write_whole(path, json.dumps({name: list(each) for name, each in now.items()}).encode())
        return
    if before.keys() != now.keys():
        raise ConfigurationError(
            f"changes of {', '.join(before)} are being carried back, not of {', '.join(now)}",
            advice="Name the same services and flows; or `greylag follow --reverse --compare` begins anew with these.",
        )
    for name, each in now.items():
        refuse_other(name, before[name], Identity(*each))


def _identity(route: Route, environment: str) -> tuple[str, str, str, str]:
    found = identity(route, environment)
    source = found.source_identity.partition("?size=")[0]
    return found.environment, found.mapping_digest, source, found.target_identity


def _prime(
    streams: Sequence[BackStream], *, stop: Event, observe: Callable[[str], None]
) -> tuple[int, int] | None:
    compared: tuple[int, int] | None = None
    later = [each for each in streams if not each.primed and unbegun(each.folder) == COMPARE_LATER]
    if rest := max((each.late_write_seconds for each in later), default=0.0):
        observe(f"waiting {duration(rest)}: so long may requests from before still land at the old store")
        if stop.wait(rest):
            raise NotDrained("interrupted: nothing was compared yet", advice="Give the command again.")
    for stream in streams:
        if not stream.primed:
            observe(f"{stream.name}: reading every item, to know which record each is")
            compare = bool(unbegun(stream.folder))
            put, deleted = prime(stream, compare=stream.folder / "compare.sqlite" if compare else None)
            if compare:
                before = compared or (0, 0)
                compared = before[0] + put, before[1] + deleted
    return compared


def _follow(
    streams: Sequence[BackStream],
    options: ReverseOptions,
    stop: Event,
    observe: Callable[[str], None],
) -> None:
    applies = [(stream, stream.start()) for stream in streams]
    waited: dict[BackStream, str] = {}
    deadline = time.monotonic() + options.timeout_seconds
    passed_at: float | None = None
    once = options.once or options.end
    if once:
        for stream in streams:
            waited[stream] = name = f"once-{secrets.token_hex(8)}"
            with closing(stream.another_feed()) as feed:
                ask_barrier(stream.spool, name, feed.mark())
    observe("following; Ctrl-C ends it, and the same command goes on")
    while not stop.is_set():
        worked = False
        for stream, apply in applies:
            if _step(stream, apply):
                worked = True
            else:
                stream.check()
        if once:
            if all(stream.applied.passed(waited[stream]) for stream in streams):
                passed_at = passed_at or time.monotonic()
                settled = all(_settled(stream, passed_at) for stream in streams)
                if settled and not (options.end and any(apply.late for _, apply in applies)):
                    return
            if time.monotonic() > deadline:
                late = sum(apply.late for _, apply in applies)
                held = f" ({plural(late, 'key')} of which a request may still land)" if late else ""
                raise NotDrained(
                    f"not everything was carried back within {options.timeout_seconds:.0f} s{held}",
                    advice="Run it again: it goes on. A longer --timeout gives it more time.",
                )
        if not worked:
            stop.wait(_IDLE_SECONDS)


def _settled(stream: BackStream, passed_at: float) -> bool:
    """Whether nothing waits any more. What waits behind a barrier a unique index keeps out: once what it clashed with
    can be written it is tried again, and only what is refused then too stays stale.
    """
    again = time.monotonic() - passed_at > stream.late_write_seconds + _TRIED_AGAIN_SECONDS
    return again or not stream.applied.count("waiting")


def _step(stream: BackStream, apply: Apply) -> bool:
    try:
        return apply.step()
    except StateError as error:  # the stream ended, or what was read of it is damaged
        raise PositionLost(f"{stream.name}: {error.message}", advice=BACK) from error


def _report(
    routes: Sequence[Route], streams: Sequence[BackStream], compared: tuple[int, int] | None
) -> ReverseReport:
    found: list[ApplyProgress] = [each for each in (stream.applied.progress() for stream in streams) if each]
    stale = [each for stream in streams for each in stream.applied.stale()]
    return ReverseReport(
        tuple(route.name for route in routes),
        sum(each.changes for each in found),
        sum(each.put for each in found),
        sum(each.deleted for each in found),
        len(stale),
        compared,
        tuple((each.flow, each.entry.get("key"), str(each.entry.get("reason"))) for each in stale[:_SHOWN]),
    )
