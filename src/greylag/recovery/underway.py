"""A backup on its way: its tables, their pieces, and the parts of them that are durable, as its journal says them."""

from __future__ import annotations

import secrets
from contextlib import ExitStack, closing
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from greylag import __version__
from greylag.core.records import Partition
from greylag.errors import SourceDataError, StateError
from greylag.recovery.format import Consistency, Digest, Manifest, Part, TableBackup, now, part_of
from greylag.recovery.saving import SaveTask
from greylag.recovery.stores import store_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from greylag.core.flows import DatasetRef
    from greylag.core.ports import Connector
    from greylag.recovery.journal import Journal
    from greylag.recovery.saving import Saved
    from greylag.recovery.stores import Described


def described(refs: Sequence[DatasetRef], opened: Mapping[str, Connector]) -> dict[DatasetRef, Described]:
    """Each as it stands. Raises SchemaError for one that is not there."""
    with ExitStack() as stack:
        stores = {
            name: stack.enter_context(closing(store_of(opened[name])))
            for name in dict.fromkeys(ref.connection for ref in refs)
        }
        return {ref: stores[ref.connection].describe(ref.dataset) for ref in refs}


class Underway:
    """What the journal of a backup says: its tables, their pieces, and the parts of them that are durable."""

    def __init__(self, journal: Journal, header: Mapping[str, Any]) -> None:
        self.journal = journal
        self.header = header
        self.id: str = header["backup"]
        self.tables: list[dict[str, Any]] = header["tables"]
        self.planned = False
        self._pieces: dict[tuple[int, int], Partition] = {}
        self._cursors: dict[tuple[int, int], tuple[str | None, int]] = {}
        self._done: set[tuple[int, int]] = set()
        self._parts: dict[int, list[Part]] = {place: [] for place in range(len(self.tables))}

    @classmethod
    def read(cls, journal: Journal) -> Underway | None:
        """The unfinished backup that stands there; None for none."""
        lines = journal.lines()
        header = next(lines, None)
        if header is None:
            return None
        state = cls(journal, header)
        for line in lines:
            state._take(line)
        return state

    @classmethod
    def begin(cls, journal: Journal, refs: Sequence[DatasetRef], opened: Mapping[str, Connector]) -> Underway:
        """A new one, durable before anything is read."""
        at = datetime.now(UTC)
        tables = []
        with ExitStack() as stack:
            stores = {
                name: stack.enter_context(closing(store_of(opened[name])))
                for name in dict.fromkeys(ref.connection for ref in refs)
            }
            for ref in refs:
                store = stores[ref.connection]
                found = store.describe(ref.dataset)
                tables.append(
                    {
                        "name": str(ref),
                        "connection": ref.connection,
                        "dataset": ref.dataset,
                        "kind": opened[ref.connection].kind,
                        "form": store.form,
                        "identity": found.identity,
                        "estimated_records": found.estimated_records,
                        "estimated_bytes": found.estimated_bytes,
                        "settings": dict(found.settings),
                        "from": now(),
                        "operation_time": store.operation_time(),
                        "consistency": store.consistency,
                        "statement": store.statement,
                    }
                )
        header = {
            "backup": f"{at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
            "started_at": now(),
            "tables": tables,
        }
        journal.add(header)
        return cls(journal, header)

    def refuse_other(self, refs: Sequence[DatasetRef], opened: Mapping[str, Connector], root: str) -> None:
        """Raises StateError unless this is the backup of just these tables, as they stand."""
        advice = "The same command with --restart discards it and begins anew."
        if [str(ref) for ref in refs] != [each["name"] for each in self.tables]:
            raise StateError(
                f"an unfinished backup to {root} is of other tables: {', '.join(each['name'] for each in self.tables)}",
                advice=f"Name those to go on with it. {advice}",
            )
        for table, (ref, found) in zip(self.tables, described(refs, opened).items(), strict=True):
            if found.identity != table["identity"]:
                raise StateError(
                    f"{ref} is no longer what the unfinished backup to {root} began to read", advice=advice
                )

    def plan(self, opened: Mapping[str, Connector], processes: int) -> None:
        """Divide the tables into pieces, durably. A plan that was interrupted is made again: nothing was read."""
        self._pieces.clear()
        lines: list[dict[str, Any]] = []
        with ExitStack() as stack:
            for place, table in enumerate(self.tables):
                store = stack.enter_context(closing(store_of(opened[table["connection"]])))
                lines += [
                    {"piece": asdict(piece), "table": place}
                    for piece in store.pieces(table["dataset"], processes=processes)
                ]
        self.journal.add(*lines, {"planned": True})
        for line in lines:
            self._take(line)
        self.planned = True

    def tasks(self) -> Iterator[SaveTask]:
        """What is left to read."""
        for (table, ordinal), piece in self._pieces.items():
            if (table, ordinal) not in self._done:
                cursor, place = self._cursors.get((table, ordinal), (None, 0))
                yield SaveTask(table, self.tables[table]["connection"], piece, cursor, place)

    def parts(self) -> Iterator[tuple[int, Part]]:
        """Those that are durable, with the place of their table."""
        for table, parts in self._parts.items():
            for part in parts:
                yield table, part

    def saved(self, task: SaveTask, saved: Saved) -> None:
        """Note a part."""
        line = {"part": asdict(saved.part), "table": task.table, "cursor": saved.cursor}
        self.journal.add(line)
        self._take(line)

    def done(self, task: SaveTask) -> None:
        """Note that a piece is read to its end."""
        line = {"done": task.piece.ordinal, "table": task.table}
        self.journal.add(line)
        self._take(line)

    def manifest(self, project: str, environment: str, opened: Mapping[str, Connector]) -> Manifest:
        """What is durable, as a finished backup. Raises SourceDataError where a table was replaced meanwhile."""
        until = now()
        found = []
        for place, table in enumerate(self.tables):
            with closing(store_of(opened[table["connection"]])) as store:
                if store.describe(table["dataset"]).identity != table["identity"]:
                    raise SourceDataError(
                        f"{table['name']} was replaced or changed while it was read",
                        advice="Run again with --restart.",
                    )
            parts = tuple(sorted(self._parts[place], key=lambda part: (part.piece, part.place)))
            digest = Digest()
            for part in parts:
                digest.join(part.digest)
            found.append(
                TableBackup(
                    name=table["name"],
                    kind=table["kind"],
                    form=table["form"],
                    identity=table["identity"],
                    records=sum(part.records for part in parts),
                    content_bytes=sum(part.content_bytes for part in parts),
                    digest=digest.text(),
                    consistency=Consistency(
                        table["consistency"],
                        table["from"],
                        until,
                        table["statement"],
                        table["operation_time"],
                    ),
                    settings=table["settings"],
                    parts=parts,
                )
            )
        return Manifest(
            self.id,
            project,
            environment,
            f"greylag {__version__}",
            self.header["started_at"],
            now(),
            tuple(found),
        )

    def _take(self, line: Mapping[str, Any]) -> None:
        if "piece" in line:
            piece = Partition(**line["piece"])
            self._pieces[line["table"], piece.ordinal] = piece
        elif "part" in line:
            part = part_of(line["part"])
            self._parts[line["table"]].append(part)
            after = part.place + 1
            self._cursors[line["table"], part.piece] = (line["cursor"], after)
            if line["cursor"] is None:
                self._done.add((line["table"], part.piece))
        elif "done" in line:
            self._done.add((line["table"], line["done"]))
        elif "planned" in line:
            self.planned = True
