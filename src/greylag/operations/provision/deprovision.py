"""`greylag deprovision`: removes what `greylag provision` made and nothing else.

A thing is removed where the record and the thing itself agree that Greylag made it (`ownership`), and, unless told
otherwise, where nothing is in it. A kill leaves a state from which the same command goes on.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from greylag.core.nearest import did_you_mean
from greylag.errors import ConfigurationError
from greylag.operations.provision.ownership import strange
from greylag.operations.provision.record import Record
from greylag.operations.provision.wanted import Makers
from greylag.state.locks import run_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from greylag.config import Project
    from greylag.operations.provision.makers import Maker
    from greylag.operations.provision.record import Entry

Removal = Literal["remove", "keep", "leave", "gone"]
"""remove: it goes. keep: something is in it. leave: it is not what Greylag made, or stands elsewhere. gone: it is no
longer there.
"""


@dataclass(frozen=True, slots=True)
class Departure:
    """What becomes of one thing of the record, and why."""

    action: Removal
    what: str
    name: str
    place: str
    contents: str = ""
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "action": self.action,
            "kind": self.what,
            "name": self.name,
            "at": self.place,
            "contents": self.contents,
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class DeprovisionReport:
    """What was removed, or with `dry_run` would be."""

    departures: tuple[Departure, ...]
    dry_run: bool

    @property
    def removing(self) -> tuple[Departure, ...]:
        """Those that go."""
        return tuple(each for each in self.departures if each.action == "remove")

    def as_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {"dry_run": self.dry_run, "things": [each.as_json() for each in self.departures]}


def deprovision(
    project: Project,
    *,
    only: Sequence[str] = (),
    delete_data: bool = False,
    dry_run: bool = False,
    ask: Callable[[DeprovisionReport], None],
    say: Callable[[str], None],
) -> DeprovisionReport:
    """Remove what the record names. `ask` is called before anything is removed and raises where the user says no;
    `say` is told of each thing as it goes. Without `delete_data` what holds data stays.

    `only` names services or flows that are or were in greylag.yaml. With `dry_run` nothing is written, here or there.
    Raises StateError while a run works on the same state.
    """
    with ExitStack() as stack:
        if not dry_run:
            stack.enter_context(run_lock(project.state_folder))
        record = Record(project.state_folder)
        makers = _places(Makers(project, stack), record)
        entries = list(reversed(_chosen(project, record, only)))  # who refers to another goes first
        planned = [(each, _departure(each, makers, delete_data=delete_data)) for each in entries]
        report = DeprovisionReport(tuple(each for _, each in planned), dry_run)
        if dry_run:
            return report
        if report.removing:
            ask(report)
        done = []
        for entry, departure in planned:
            done.append(_carry_out(entry, departure, makers, record, say, delete_data=delete_data))
        return DeprovisionReport(tuple(done), dry_run)


def _chosen(project: Project, record: Record, only: Sequence[str]) -> list[Entry]:
    known = {*project.services, *(flow.name for flow in project.flows)}
    known |= {owner for each in record.entries for owner in each.owners}
    for name in only:
        if name not in known:
            raise ConfigurationError(f"there is no service or flow {name!r}{did_you_mean(name, known)}")
    return [each for each in record.entries if not only or set(only) & set(each.owners)]


def _places(makers: Makers, record: Record) -> dict[tuple[str, str], Maker]:
    """The makers of today by kind and place; none is made for which the record has nothing."""
    kinds = {each.kind for each in record.entries}

    def found() -> Iterator[Maker]:
        if "table" in kinds:
            yield from (makers.tables(name) for name in makers.connections or [""])
        if "bucket" in kinds:
            yield makers.buckets
        if "queue" in kinds:
            yield makers.queues

    return {(each.kind, each.place): each for each in found()}


def _departure(entry: Entry, makers: dict[tuple[str, str], Maker], *, delete_data: bool) -> Departure:
    maker = makers.get((entry.kind, entry.place))
    departure = Departure("remove", entry.what, entry.name, entry.place)
    if maker is None:
        return replace(departure, action="leave", why="greylag.yaml and the environment lead elsewhere now")
    found = maker.look(entry.name).found
    if found is None:
        return replace(departure, action="gone", why="it is no longer there")
    why = strange(entry, found, tags_at_creation=maker.tags_at_creation)
    if why:
        return replace(departure, action="leave", why=why)
    contents = maker.contents(entry.name)
    if contents and not delete_data:
        return replace(departure, action="keep", contents=contents, why=f"it holds {contents}")
    return replace(departure, contents=contents)


def _carry_out(
    entry: Entry,
    departure: Departure,
    makers: dict[tuple[str, str], Maker],
    record: Record,
    say: Callable[[str], None],
    *,
    delete_data: bool,
) -> Departure:
    if departure.action == "gone":
        record.remove(entry)
    if departure.action != "remove":
        return departure
    # The user may have thought for long: it is looked at again, and only what is still so is done.
    now = _departure(entry, makers, delete_data=delete_data)
    if now.action == "remove":
        makers[entry.kind, entry.place].delete(entry.name, say)
        say(f"{entry.what} {entry.name}: removed")
    if now.action in {"remove", "gone"}:
        record.remove(entry)
    return now
