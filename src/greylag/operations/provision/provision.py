"""`greylag provision`: makes what the project needs and is not there, and nothing else.

What was there before is never changed. What Greylag made is brought to what greylag.yaml says now. A kill at any
moment leaves a state from which the same command goes on: see `record`.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from greylag.core.naming import DEFAULT_ENVIRONMENT
from greylag.errors import ConnectorError
from greylag.operations.check import refuse_problems
from greylag.operations.provision.ownership import new_token, strange, tags_of
from greylag.operations.provision.record import Entry, Record
from greylag.operations.provision.settle import settle
from greylag.operations.provision.wanted import Makers, Wanted, wanted
from greylag.state.locks import run_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from greylag.config import Project

Action = Literal["make", "go on", "change", "keep", "leave"]
"""make: it is not there. go on: Greylag began to make it. change: it is Greylag's, and settings differ. keep: it is
Greylag's and as it should be. leave: it was there before, or is somebody else's.
"""


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one thing. `details` are the settings that change, or why it is left."""

    action: Action
    what: str
    name: str
    place: str
    billed: bool
    details: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    """Settings that this server does not have."""

    def as_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "action": self.action,
            "kind": self.what,
            "name": self.name,
            "at": self.place,
            "billed": self.billed,
            "details": list(self.details),
            "not_supported": list(self.refused),
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done. `changes` tells whether anything would."""

    steps: tuple[Step, ...]

    @property
    def changing(self) -> tuple[Step, ...]:
        """The steps that make or change something."""
        return tuple(each for each in self.steps if each.action in {"make", "go on", "change"})


@dataclass(frozen=True, slots=True)
class ProvisionReport:
    """What was done, or with `dry_run` would be."""

    steps: tuple[Step, ...]
    dry_run: bool
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "dry_run": self.dry_run,
            "steps": [each.as_json() for each in self.steps],
            "notes": list(self.notes),
        }


def provision(
    project: Project,
    *,
    only: Sequence[str] = (),
    dry_run: bool = False,
    ask: Callable[[Plan], None],
    say: Callable[[str], None],
) -> ProvisionReport:
    """Make what is not there. `ask` is called before anything is made or changed, and raises where the user says no;
    `say` is told of each thing as it is done.

    `only` names services or flows. With `dry_run` nothing is written, here or there. Raises StateError while a run
    works on the same state.
    """
    refuse_problems(project)
    with ExitStack() as stack:
        if not dry_run:
            stack.enter_context(run_lock(project.state_folder))
        record = Record(project.state_folder)
        things = wanted(project, only, Makers(project, stack))
        planned = [(each, _step(each, record)) for each in things]
        plan = Plan(tuple(step for _, step in planned))
        notes = _notes(project, only)
        if dry_run or not plan.changing:
            return ProvisionReport(plan.steps, dry_run, notes)
        ask(plan)
        done = []
        for each, step in planned:
            result = step
            if step in plan.changing:
                result = _carry_out(project, each, step, record)
                say(f"{result.what} {result.name}: {_DONE[result.action]}")
            done.append(result)
        return ProvisionReport(tuple(done), dry_run, notes)


_DONE = {"make": "made", "go on": "finished", "change": "changed"}


def _entry(each: Wanted, record: Record) -> Entry | None:
    return record.find(each.maker.kind, each.maker.place, each.thing.name)


def _step(each: Wanted, record: Record) -> Step:
    thing, maker = each.thing, each.maker
    found = maker.look(thing.name).found
    entry = _entry(each, record)

    def step(action: Action, details: Sequence[str] = (), refused: Sequence[str] = ()) -> Step:
        return Step(action, thing.what, thing.name, maker.place, maker.billed, tuple(details), tuple(refused))

    if found is None:
        return step("make")
    if entry is None:
        return step("leave", ["it was there before"])
    why = strange(entry, found, tags_at_creation=maker.tags_at_creation)
    if why:
        return step("leave", [why])
    if entry.state == "making":
        return step("go on")
    settled = settle(maker, thing, entry.refused, pretend=True)
    return step("change" if settled.changed else "keep", settled.changed, settled.refused)


def _carry_out(project: Project, each: Wanted, step: Step, record: Record) -> Step:
    thing, maker = each.thing, each.maker
    entry = _entry(each, record)
    if step.action == "make":
        # Asked again: an entry must not say that nothing was there before this very moment.
        look = maker.look(thing.name)
        if look.found is not None:
            return replace(step, action="leave", details=("it has come to be in the meantime",))
        entry = Entry(
            kind=maker.kind,
            place=maker.place,
            name=thing.name,
            what=thing.what,
            project=project.name,
            token=new_token(),
            absent_at=look.at,
            owners=thing.owners,
        )
        record.put(entry)
    assert entry is not None
    tags = {**_shared_tags(project), **tags_of(entry)}
    if step.action == "make":
        maker.create(thing, tags)
    if entry.state == "making":
        entry = _own(each, entry, record)
        maker.ready(thing, tags)
    settled = settle(maker, thing, entry.refused, pretend=False)
    found = maker.look(thing.name).found
    if found is None:
        raise ConnectorError(f"{thing.what} {thing.name} is gone again", advice="Run the same command again.")
    record.put(
        replace(entry, state="made", identity=found.identity, refused=settled.refused, owners=thing.owners)
    )
    changed = settled.changed if step.action == "change" else ()
    return replace(step, details=changed, refused=settled.refused)


def _own(each: Wanted, entry: Entry, record: Record) -> Entry:
    """The entry, once it is seen that what stands there is what it stands for."""
    thing, maker = each.thing, each.maker
    found = maker.look(thing.name).found
    if found is None:
        raise ConnectorError(
            f"{thing.what} {thing.name} is not there right after it was made",
            advice="Run the same command again: it goes on.",
        )
    why = strange(entry, found, tags_at_creation=maker.tags_at_creation)
    if why:
        record.remove(entry)
        raise ConnectorError(
            f"{thing.what} {thing.name}: {why}", advice="It was not changed. Run the same command again."
        )
    return entry


def _shared_tags(project: Project) -> dict[str, str]:
    """Those of Terraform's modules too, and what `infrastructure:` says."""
    environment = project.environment or DEFAULT_ENVIRONMENT
    named = {"project": project.name, "environment": environment, "managed-by": "greylag"}
    return {**named, **(project.infrastructure.tags if project.infrastructure is not None else {})}


def _notes(project: Project, only: Sequence[str]) -> tuple[str, ...]:
    """What the project names and this command does not make."""
    services = [each for each in project.service_specs.values() if not only or each.name in only]
    left = []
    if any(each.run is not None or each.api is not None for each in services):
        left.append("programs and APIs")
    if any(each.assets is not None and each.assets.cloudfront for each in services):
        left.append("CloudFront")
    if any(each.cache is not None and each.cache.engine != "dynamodb" for each in services):
        left.append("caches of ElastiCache")
    if project.infrastructure is not None and project.infrastructure.databases:
        left.append("databases")
    if project.infrastructure is not None and project.infrastructure.replicas:
        left.append("replicas of tables in other regions")
    return (f"Not made here, `greylag infra render` has them: {', '.join(left)}.",) if left else ()
