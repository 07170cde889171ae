"""`greylag restore`: a backup into tables, collections and files, once every byte of it was found to be as written."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from greylag.core.ports import DatasetInfo
from greylag.core.work import Finished
from greylag.engine.connections import Rates
from greylag.engine.sharing import Sharing
from greylag.engine.stages import Stages
from greylag.errors import ConfigurationError, SchemaError, VerificationFailed
from greylag.operations.recoverable import connectors, journals, targets
from greylag.operations.rewire import put_back
from greylag.recovery.backups import chosen, opened, refuse_other_files
from greylag.recovery.begun import Begun
from greylag.recovery.format import Digest
from greylag.recovery.journal import Journal
from greylag.recovery.loading import Counted, CountTask, LoadTask, LoadWork, LookTask
from greylag.recovery.places import place_of
from greylag.recovery.stores import store_of
from greylag.state.locks import run_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from greylag.config import Project
    from greylag.core.flows import DatasetRef
    from greylag.core.ports import Connector
    from greylag.core.progress import Snapshot
    from greylag.core.work import Executor
    from greylag.recovery.format import TableBackup
    from greylag.recovery.rewire import Rewired


@dataclass(frozen=True, slots=True)
class RestoreOptions:
    """What `greylag restore` was asked. `into` is a connection, or connection.dataset where one table is restored."""

    place: str
    tables: tuple[str, ...] = ()
    into: str = ""
    region: str | None = None
    write_units_per_second: float | None = None
    overwrite: bool = False
    verify: bool = False
    rewire: bool = False
    restart: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Restored:
    """One table of a restore. `made`: it was not there before. `verified`: read back and found equal by digest."""

    name: str
    into: str
    records: int
    content_bytes: int
    made: bool
    verified: bool = False


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What a restore did, or in a dry run would do. `seconds` is this call alone."""

    backup: str
    place: str
    tables: tuple[Restored, ...]
    seconds: float
    resumed: bool = False
    dry_run: bool = False
    rewired: tuple[Rewired, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def restore(
    project: Project,
    options: RestoreOptions,
    *,
    executor: Executor,
    observe: Callable[[Snapshot], None],
) -> RestoreReport:
    """Restore what is named. Nothing is written before the whole of it was checked, and every target looked at."""
    started = time.monotonic()
    ends = connectors(project, region=options.region)
    place, manifest = opened(place_of(options.place, root=project.root))
    tables = chosen(manifest, options.tables)
    refs = targets(tables, options.into, ends)
    folder = journals(project)
    with run_lock(folder):
        work = LoadWork(ends, place, folder)
        refuse_other_files(place, manifest)
        look(tables, work, executor, observe)
        journal = Journal.of(folder, "restore", manifest.id, *map(str, refs), options.region or "")
        if options.restart:
            journal.forget()
        begun = Begun.read(journal)
        made = _refuse_unfit(tables, refs, ends, begun, overwrite=options.overwrite)
        if not options.dry_run:
            if begun is None:
                begun = Begun.begin(journal, tables, refs, ends, made)
                resumed = False
            else:
                resumed = True
            rates = Rates(
                write_units={
                    ref.connection: options.write_units_per_second
                    or project.write_units_per_second(ref.connection)
                    for ref in refs
                }
            )
            _load(tables, refs, begun, work, executor, observe, rates)
            for table, ref in zip(tables, refs, strict=True):
                with closing(store_of(ends[ref.connection])) as store:
                    store.finish(ref.dataset, table)
            made = begun.made
        verified = set()
        if options.verify and not options.dry_run:
            verified = {str(ref) for ref in compare(tables, refs, work, executor, observe)}
        if not options.dry_run:
            journal.forget()
    rewired = (
        tuple(
            change
            for table, ref in zip(tables, refs, strict=True)
            if table.kind == "dynamodb" and (not options.dry_run or not made[str(ref)])
            for change in put_back(
                ends[ref.connection],
                ref.dataset,
                table.settings,
                named=table.dataset,
                dry_run=options.dry_run,
            )
        )
        if options.rewire
        else ()
    )
    return RestoreReport(
        manifest.id,
        str(place),
        tuple(
            Restored(
                table.name, str(ref), table.records, table.content_bytes, made[str(ref)], str(ref) in verified
            )
            for table, ref in zip(tables, refs, strict=True)
        ),
        time.monotonic() - started,
        resumed=not options.dry_run and resumed,
        dry_run=options.dry_run,
        rewired=rewired,
    )


def look(
    tables: Sequence[TableBackup],
    work: LoadWork,
    executor: Executor,
    observe: Callable[[Snapshot], None],
) -> None:
    """Read every file of `tables` and compare it with the manifest. Raises SourceDataError for what differs."""
    stages = Stages("restore", [_Shown(each.name, each) for each in tables], observe)
    stages.begin("checking the backup")
    names = {part.file: table for table in tables for part in table.parts}
    tasks = [LookTask(part, table.form) for table in tables for part in table.parts]
    for event in executor.run(work, tasks):
        if isinstance(event, Finished):
            part = event.task.part
            stages.add(names[part.file].name, records_read=part.records, bytes_read=part.bytes)
    stages.finish()


def compare(
    tables: Sequence[TableBackup],
    refs: Sequence[DatasetRef],
    work: LoadWork,
    executor: Executor,
    observe: Callable[[Snapshot], None],
) -> list[DatasetRef]:
    """Read the tables back. Raises VerificationFailed where one does not hold just what its backup holds."""
    stages = Stages(
        "restore", [_Shown(str(ref), each) for ref, each in zip(refs, tables, strict=True)], observe
    )
    stages.begin("reading back")
    digests = [Digest() for _ in tables]
    counts: Counter[int] = Counter()

    def tasks() -> Iterator[CountTask]:
        for place, ref in enumerate(refs):
            if tables[place].form == "file":
                continue  # written whole, checked part by part, and renamed
            with closing(store_of(work.connectors[ref.connection])) as store:
                for piece in store.pieces(ref.dataset, processes=executor.processes):
                    yield CountTask(place, ref.connection, piece)

    for event in executor.run(work, tasks()):
        if not isinstance(event, Finished):
            counted: Counted = event.content
            digests[event.task.table].join(counted.digest)
            counts[event.task.table] += counted.records
            stages.add(str(refs[event.task.table]), records_read=counted.records, bytes_read=counted.bytes)
    stages.finish()
    for place, (table, ref) in enumerate(zip(tables, refs, strict=True)):
        if table.form != "file" and (counts[place], digests[place].text()) != (table.records, table.digest):
            raise VerificationFailed(
                f"{ref} holds {counts[place]:,} records, the backup {table.records:,}"
                + ("" if counts[place] != table.records else ", and not the same ones"),
                advice="Something else writes it, or it was not empty. Restore into a table of its own to compare.",
            )
    return list(refs)


def _refuse_unfit(
    tables: Sequence[TableBackup],
    refs: Sequence[DatasetRef],
    ends: Mapping[str, Connector],
    begun: Begun | None,
    *,
    overwrite: bool,
) -> dict[str, bool]:
    """Which targets have to be made. Raises what stands in the way of any of them, before one is touched."""
    made = {}
    with ExitStack() as stack:
        for table, ref in zip(tables, refs, strict=True):
            store = stack.enter_context(closing(store_of(ends[ref.connection])))
            if table.form != store.form:
                raise SchemaError(
                    f"the records of {table.name} are {table.form}; {ref} takes {store.form}",
                    advice=f"Restore into a connection of kind {table.kind}.",
                )
            standing = store.standing(ref.dataset)
            made[str(ref)] = standing is None
            if begun is not None:
                begun.refuse_other(ref, standing)
            if standing is None:
                continue
            unfit = store.unfit(ref.dataset, table)
            if unfit:
                raise SchemaError(
                    f"{ref} cannot take the records of {table.name}: {'; '.join(unfit)}",
                    advice="--into names another table; one that does not exist is made as the backup's was.",
                )
            if begun is None and not standing.empty and not overwrite:
                raise ConfigurationError(
                    f"{ref} is not empty",
                    advice="--into names another table. --overwrite restores over it: what has the key of a record "
                    "in the backup is replaced, all else stays.",
                )
    return made


def _load(  # noqa: PLR0917 - they belong to one restore
    tables: Sequence[TableBackup],
    refs: Sequence[DatasetRef],
    begun: Begun,
    work: LoadWork,
    executor: Executor,
    observe: Callable[[Snapshot], None],
    rates: Rates,
) -> None:
    stages = Stages(
        "restore", [_Shown(str(ref), each) for ref, each in zip(refs, tables, strict=True)], observe
    )
    stages.begin("writing")

    def tasks() -> Iterator[LoadTask]:
        for place, (table, ref) in enumerate(zip(tables, refs, strict=True)):
            offset = 0
            for part in table.parts:
                if part.file not in begun.done:
                    yield LoadTask(place, part, table.form, ref.connection, ref.dataset, offset)
                offset += part.content_bytes

    sharing = Sharing(executor, rates)
    for event in sharing.run(work, tasks()):
        if isinstance(event, Finished):
            part = event.task.part
            begun.add(part.file)
            stages.add(
                str(refs[event.task.table]),
                records_read=part.records,
                items_written=part.records,
                bytes_read=part.content_bytes,
            )
    stages.finish()


class _Shown:
    """A table, as progress shows it."""

    def __init__(self, name: str, table: TableBackup) -> None:
        self.name = name
        self.dataset = DatasetInfo(
            table.dataset, table.identity, "", table.records, table.content_bytes, None
        )
