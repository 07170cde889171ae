"""`greylag backup`: tables, collections and files into a place of their own, from wherever an earlier one stopped."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from greylag.core.ports import DatasetInfo
from greylag.core.work import Finished
from greylag.engine.connections import Rates
from greylag.engine.sharing import Sharing
from greylag.engine.stages import Stages
from greylag.errors import StateError
from greylag.operations.recoverable import chosen, connectors, history, journals, shown_place
from greylag.recovery.format import MANIFEST, Consistency, Manifest
from greylag.recovery.journal import Journal
from greylag.recovery.parts import PART_BYTES
from greylag.recovery.places import place_of
from greylag.recovery.saving import Saved, SaveWork
from greylag.recovery.underway import Underway, described
from greylag.state.locks import run_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from greylag.config import Project
    from greylag.core.flows import DatasetRef
    from greylag.core.progress import Snapshot
    from greylag.core.work import Executor
    from greylag.recovery.places import Place


@dataclass(frozen=True, slots=True)
class BackupOptions:
    """What `greylag backup` was asked. `names`: connections, tables, services, flows; none: every table of a flow."""

    to: str
    names: tuple[str, ...] = ()
    region: str | None = None
    read_bytes_per_second: float | None = None
    restart: bool = False
    dry_run: bool = False
    part_bytes: int = PART_BYTES


@dataclass(frozen=True, slots=True)
class BackedUp:
    """One table of a backup; in a dry run the numbers are estimates, None where nobody knows."""

    name: str
    records: int | None
    content_bytes: int | None
    bytes: int | None
    consistency: Consistency | None


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What a backup did. `seconds` is this call alone."""

    id: str
    place: str
    tables: tuple[BackedUp, ...]
    seconds: float
    resumed: bool = False
    dry_run: bool = False

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def backup(
    project: Project,
    options: BackupOptions,
    *,
    executor: Executor,
    observe: Callable[[Snapshot], None],
) -> BackupReport:
    """Back up what is named. Raises StateError where an unfinished backup of something else stands in the way."""
    started = time.monotonic()
    opened = connectors(project, region=options.region)
    refs = chosen(project, options.names, opened)
    root = place_of(options.to, root=project.root)
    if options.dry_run:
        tables = tuple(
            BackedUp(str(ref), each.estimated_records, each.estimated_bytes, None, None)
            for ref, each in described(refs, opened).items()
        )
        return BackupReport("", shown_place(root), tables, time.monotonic() - started, dry_run=True)
    folder = journals(project)
    with run_lock(folder):
        journal = Journal.of(folder, "backup", shown_place(root), options.region or "")
        if options.restart:
            _discard(journal, root)
        state = Underway.read(journal)
        resumed = state is not None
        if state is None:
            state = Underway.begin(journal, refs, opened)
        else:
            state.refuse_other(refs, opened, str(root))
        if not state.planned:
            state.plan(opened, executor.processes)
        place = root.below(state.id)
        work = SaveWork(opened, place, folder, options.part_bytes)
        _save(state, work, executor, observe, _rates(project, refs, options))
        manifest = state.manifest(project.name, project.environment, opened)
        _seal(place, manifest)
        history(project).add(
            {
                "place": str(place),
                "id": state.id,
                "finished_at": manifest.finished_at,
                "tables": [each.name for each in manifest.tables],
            }
        )
        journal.forget()
    return BackupReport(
        manifest.id,
        str(place),
        tuple(
            BackedUp(
                each.name,
                each.records,
                each.content_bytes,
                sum(part.bytes for part in each.parts),
                each.consistency,
            )
            for each in manifest.tables
        ),
        time.monotonic() - started,
        resumed=resumed,
    )


def _save(
    state: Underway, work: SaveWork, executor: Executor, observe: Callable[[Snapshot], None], rates: Rates
) -> None:
    stages = Stages("backup", [_Shown(each) for each in state.tables], observe)
    stages.begin("reading")
    for table, part in state.parts():
        stages.add(state.tables[table]["name"], records_read=part.records, bytes_read=part.content_bytes)
    sharing = Sharing(executor, rates)
    for event in sharing.run(work, state.tasks()):
        if isinstance(event, Finished):
            state.done(event.task)
            continue
        saved: Saved = event.content
        state.saved(event.task, saved)
        stages.add(
            state.tables[event.task.table]["name"],
            records_read=saved.part.records,
            bytes_read=saved.part.content_bytes,
            bytes_written=saved.part.bytes,
        )
    stages.finish()


def _seal(place: Place, manifest: Manifest) -> None:
    """The manifest makes it a backup; what an interruption left behind is no part of one."""
    known = manifest.files()
    for name in list(place.names()):
        if name not in known:
            place.remove(name)
    place.write(MANIFEST, manifest.encoded())


def _discard(journal: Journal, root: Place) -> None:
    """Forget an unfinished backup, and remove what it had written."""
    try:
        header = next(journal.lines(), None)
    except StateError:
        header = None
    if header is not None:
        place = root.below(header["backup"])
        for name in list(place.names()):
            place.remove(name)
    journal.forget()


def _rates(project: Project, refs: Sequence[DatasetRef], options: BackupOptions) -> Rates:
    names = {ref.connection for ref in refs}
    return Rates(
        read_bytes={
            name: options.read_bytes_per_second or project.read_bytes_per_second(name) for name in names
        }
    )


class _Shown:
    """A table, as progress shows it."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self.name: str = table["name"]
        self.dataset = DatasetInfo(
            table["dataset"],
            table["identity"],
            "",
            table["estimated_records"],
            table["estimated_bytes"],
            None,
        )
