"""Looks at datasets: what their source says of them, what their records are, what that means."""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from greylag.core.findings import Finding, Severity, by_severity
from greylag.engine.connections import Rates
from greylag.engine.profiling.profile import profile
from greylag.engine.profiling.reading import Subject
from greylag.errors import AuthenticationError, ConnectorError, TransientError
from greylag.operations.assess.choose import choose
from greylag.operations.assess.indexes import index_findings
from greylag.operations.assess.records import record_findings
from greylag.operations.assess.report import Assessed, Assessment
from greylag.operations.assess.servers import server_findings
from greylag.operations.assess.target import DYNAMODB
from greylag.state.locks import run_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from greylag.config import Sources
    from greylag.core.inventory import Inventory
    from greylag.core.ports import DatasetInfo, Source
    from greylag.core.profile import DatasetProfile
    from greylag.core.progress import Snapshot
    from greylag.core.work import Executor
    from greylag.engine.profiling.target import Holds
    from greylag.operations.assess.choose import Chosen

DEFAULT_SAMPLE: Final = 10_000
LISTED_PROBLEMS: Final = 5


@dataclass(frozen=True, slots=True)
class AssessOptions:
    """What `greylag assess` was asked. `only`: services or flows; `named`: CONNECTION or CONNECTION.DATASET; `sample`:
    records of each dataset, None for all.
    """

    only: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    sample: int | None = DEFAULT_SAMPLE


def assess(
    sources: Sources, options: AssessOptions, *, executor: Executor, observe: Callable[[Snapshot], None]
) -> Assessment:
    """Look at what `options` ask for. A dataset that cannot be read is a finding; a server that is away or that
    refuses the user is raised, as is what is wrong with `options`.
    """
    started = time.monotonic()
    looked = look(sources, options, executor=executor, observe=observe, holds=DYNAMODB)
    return Assessment(
        project=sources.project.name,
        environment=sources.project.environment,
        sample=options.sample,
        datasets=tuple(_assessed(sources, each) for each in looked),
        findings=_of_the_file(sources),
        seconds=time.monotonic() - started,
    )


@dataclass(frozen=True, slots=True)
class Looked:
    """A dataset, what its source says of it and what its records are, or the error for which it says nothing."""

    chosen: Chosen
    info: DatasetInfo | None = None
    inventory: Inventory | None = None
    subject: Subject | None = None
    error: ConnectorError | None = None
    profile: DatasetProfile | None = None

    @property
    def unreadable(self) -> Iterator[Finding]:
        """The finding for a dataset that cannot be read."""
        if self.error is not None:
            name = str(self.chosen.source)
            message, advice = self.error.message, self.error.advice
            yield Finding(Severity.BLOCKER, "unreadable-dataset", name, message, advice)


def look(
    sources: Sources,
    options: AssessOptions,
    *,
    executor: Executor,
    observe: Callable[[Snapshot], None],
    holds: Holds,
) -> list[Looked]:
    """What `options` ask for, read and profiled. Raises as `assess` does."""
    project = sources.project
    chosen = choose(sources, only=options.only, named=options.named)
    with run_lock(project.state_folder / "assess"):
        looked = _look(sources, chosen)
        subjects = [each.subject for each in looked if each.subject is not None]
        profiles = profile(
            subjects,
            executor=executor,
            folder=project.state_folder / "assess" / "work",
            observe=observe,
            sample=options.sample,
            holds=holds,
            rates=_rates(sources, subjects, executor.processes),
        )
    by_name = dict(zip((each.name for each in subjects), profiles, strict=True))
    return [replace(each, profile=by_name.get(str(each.chosen.source))) for each in looked]


def _look(sources: Sources, chosen: Sequence[Chosen]) -> list[Looked]:
    opened: dict[str, Source] = {}
    looked = []
    with ExitStack() as stack:
        for each in chosen:
            connection = each.source.connection
            connector = sources.connection(connection).connector
            if connection not in opened:
                opened[connection] = stack.enter_context(closing(connector.source()))
            source = opened[connection]
            try:
                info = source.describe(each.source.dataset)
                inventory = source.inventory(each.source.dataset)
            except (TransientError, AuthenticationError):
                raise
            except ConnectorError as error:
                looked.append(Looked(each, error=error))
                continue
            subject = Subject(str(each.source), connection, connector, info, _unique(inventory))
            looked.append(Looked(each, info, inventory, subject))
    return looked


def _unique(inventory: Inventory) -> frozenset[str]:
    """Fields that the source keeps unique in every record."""
    return frozenset(
        each.keys[0][0]
        for each in inventory.indexes
        if each.unique and len(each.keys) == 1 and not each.sparse and not each.partial and not each.options
    )


def _rates(sources: Sources, subjects: Sequence[Subject], processes: int) -> Rates:
    names = {each.connection for each in subjects}
    return Rates(read_bytes={name: sources.project.read_bytes_per_second(name) for name in names}).divided(
        processes
    )


def _assessed(sources: Sources, looked: Looked) -> Assessed:
    chosen, found = looked.chosen, looked.profile
    findings: list[Finding] = list(looked.unreadable)
    if looked.info is not None and looked.inventory is not None and found is not None:
        findings += server_findings(looked.info, looked.inventory, name=str(chosen.source))
        findings += index_findings(looked.inventory, found)
        findings += record_findings(
            found, looked.inventory, to_dynamodb=chosen.to_dynamodb, key_fields=chosen.key_fields
        )
    return Assessed(
        source=chosen.source,
        kind=sources.connection(chosen.source.connection).kind,
        flows=tuple(each.name for each in chosen.flows),
        info=looked.info,
        inventory=looked.inventory,
        profile=found,
        findings=by_severity(findings),
    )


def _of_the_file(sources: Sources) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            Severity.NOTE,
            "unfinished-project",
            each.file,
            each.message,
            "An assessment needs no more than connections; `greylag check` shows all that a run needs mended.",
            file=each.file,
            line=each.line,
        )
        for each in sources.problems[:LISTED_PROBLEMS]
    )
