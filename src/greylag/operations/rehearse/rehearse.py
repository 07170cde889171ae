"""`greylag rehearse`: the whole of a migration against servers of this machine, before AWS sees a byte.

Sources are read as in earnest; targets are stand-ins, empty at the beginning. State, quarantine and the stand-ins'
data are in `.greylag/rehearsal`, made anew each time: nothing of a real run is read or changed.
"""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from greylag.config import InvalidProject
from greylag.errors import ResourceError
from greylag.lab import SERVERS, Lab
from greylag.operations.assess.assess import AssessOptions, assess
from greylag.operations.check import refuse_problems
from greylag.operations.plan.plan import PlanOptions, plan
from greylag.operations.quarantine import entries
from greylag.operations.rehearse.report import Reason, Rehearsal, Table
from greylag.operations.rehearse.standin import with_stand_ins
from greylag.operations.run import RunOptions, run
from greylag.operations.verify import VerifyOptions, verify
from greylag.state.locks import run_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from greylag.config import Project, Sources
    from greylag.core.progress import Snapshot
    from greylag.core.work import Executor

SAMPLE_RECORDS = 1000
"""Records of each dataset that a rehearsal carries unless it is told otherwise."""
REASONS = 1000
"""Reasons for quarantine that a report tells apart."""

ServerName = Literal["dynamodb", "moto"]
_ENDPOINTS: dict[ServerName, str] = {"dynamodb": "DYNAMODB_ENDPOINT", "moto": "MOTO_ENDPOINT"}


@dataclass(frozen=True, slots=True)
class RehearsalOptions:
    """What `greylag rehearse` was asked. `only`: services or flows. `sample`: about how many records of each dataset,
    None for all. `server`: None takes DynamoDB Local where it is installed, else moto. `keep`: leave the tables up.
    """

    only: tuple[str, ...] = ()
    sample: int | None = SAMPLE_RECORDS
    server: ServerName | None = None
    keep: bool = False


def rehearse(
    sources: Sources,
    options: RehearsalOptions,
    *,
    executor: Executor,
    observe: Callable[[Snapshot], None],
    announce: Callable[[str], None],
) -> Rehearsal:
    """Check, assess, plan, run and verify the project of `sources`. `announce` is told each step as it begins.

    Raises what the steps raise; records in quarantine and mismatches are in the report.
    """
    started = time.monotonic()
    announce("check")
    if sources.problems:
        raise InvalidProject.of(sources.problems)
    refuse_problems(sources.project)
    earnest = replace(
        sources.project, rehearsal=True
    )  # reads everything, and keeps its state with the rehearsal's
    with _stage(earnest.state_folder, options) as (server, endpoint):
        stand_in = with_stand_ins(earnest, endpoint, records=options.sample)
        announce("assess")
        assessment = assess(
            replace(sources, project=earnest),
            AssessOptions(only=options.only),
            executor=executor,
            observe=observe,
        )
        announce("plan")
        planned = plan(
            earnest, PlanOptions(only=options.only, offline=True), executor=executor, observe=observe
        )
        announce("run")
        ran = run(stand_in, RunOptions(only=options.only), executor=executor, observe=observe)
        announce("verify")
        verified = verify(stand_in, VerifyOptions(only=options.only), executor=executor, observe=observe)
        return Rehearsal(
            server=SERVERS[server].title,
            endpoint=endpoint if options.keep else None,
            sample=options.sample,
            assessment=assessment,
            plan=planned,
            run=ran,
            verification=verified,
            quarantined=tuple(_reasons(stand_in)),
            tables=tuple(Table(each.table, each.items) for each in verified.tables),
            seconds=time.monotonic() - started,
        )


def end(project: Project) -> bool:
    """End the servers that a rehearsal left up, and delete what it kept; whether there was anything."""
    folder = replace(project, rehearsal=True).state_folder
    if not folder.exists():
        return False
    with run_lock(folder.with_name(folder.name + ".lock")):
        _clear(folder)
    return True


@contextmanager
def _stage(folder: Path, options: RehearsalOptions) -> Iterator[tuple[ServerName, str]]:
    """An empty stand-in that serves, and its address. It ends with the `with`, or with this process, unless kept."""
    server = options.server or _installed()
    with run_lock(folder.with_name(folder.name + ".lock")):
        _clear(folder)
        folder.mkdir(parents=True)
        lab = Lab(folder)
        kept = False
        try:
            lab.up([server], until=None if options.keep else os.getpid())
            yield server, lab.environment()[_ENDPOINTS[server]]
            kept = options.keep
        finally:
            if not kept:
                lab.down()


def _clear(folder: Path) -> None:
    Lab(folder).down()
    shutil.rmtree(folder, ignore_errors=True)


def _installed() -> ServerName:
    for name in _ENDPOINTS:
        if not SERVERS[name].missing():
            return name
    raise ResourceError(
        "nothing is installed that could stand in for DynamoDB",
        advice="`greylag lab install dynamodb` fetches DynamoDB Local; pip install 'greylag[local]' brings moto.",
    )


def _reasons(project: Project) -> Iterator[Reason]:
    """The most frequent first. Reasons that name values may be as many as records: beyond `REASONS` they are told
    together.
    """
    counts: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], Any] = {}
    for entry in entries(project.state_folder):
        each = (entry["flow"], entry["reason"])
        if each not in counts and len(counts) >= REASONS:
            each = (entry["flow"], "other reasons")
        counts[each] += 1
        examples.setdefault(each, entry["key"])
    for (flow, reason), records in counts.most_common():
        yield Reason(flow, reason, records, examples[flow, reason])
