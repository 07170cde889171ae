"""Writes and deletes documents with unordered commands, several connections at once.

A document is inserted; only where its `_id` is there already is it put in the place of what stands there. So a first
load costs what a plain copy does, and a page written again after a kill leaves what it left before. Where most are
there, replacing comes first. Every command waits for a majority and its journal (law 4).

Each connection has a session of its own, whose commands are numbered where the server knows retryable writes: one that
got no answer is sent again under its number, and whichever of the two arrives second does nothing. Then nothing of
this writer's lands after what was acknowledged; elsewhere such commands are counted as `unknown`.

Source: https://github.com/mongodb/specifications/blob/master/source/retryable-writes/retryable-writes.md
"""

from __future__ import annotations

import queue
import re
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pymongo.errors
from bson.int64 import Int64

from greylag.connectors.mongodb import statements
from greylag.connectors.mongodb.errors import OUT_OF_ORDER, TRANSIENT
from greylag.connectors.mongodb.keeper import keeper
from greylag.connectors.mongodb.keys import key_of
from greylag.connectors.mongodb.patience import Patience
from greylag.connectors.pace import Pace
from greylag.core.passing import Passing
from greylag.core.ports import Delivery
from greylag.core.records import Erased
from greylag.errors import ConnectorError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from bson.raw_bson import RawBSONDocument
    from pymongo.synchronous.client_session import ClientSession

    from greylag.connectors.mongodb.server import About, Server
    from greylag.core.ports import TableInfo
    from greylag.core.records import Encoded

BATCH_ITEMS: Final = 2000
_AHEAD: Final = 2
"""Batches pulled beyond the oldest unacknowledged one, as a multiple of the connections."""
_COMMAND_BYTES: Final = 16 << 20
"""Of the documents in one command, or one that is larger: a message may have 48 MB.

Source: https://www.mongodb.com/docs/manual/reference/command/hello/#mongodb-data-hello.maxMessageSizeBytes
"""
_UNIT_BYTES: Final = 1024
COMMAND_SECONDS: Final = 30
"""After this the server gives a command up by itself; it is sent again."""

_DUPLICATE: Final = 11000
_OF_ID: Final = re.compile(r" index: _id_(?:\s|$)")
_INDEX: Final = re.compile(r" index: (.+?)(?: collation:| dup key:|$)")
_DOLLAR_NAMES: Final = frozenset({52, 54, 55})
"""Names that a plain replacement may not have."""
_EVERYTHING_FAILS: Final = frozenset({13, 14031, 28})
"""Not authorized, out of disk: no matter of a document's."""


class MongoWriter:
    """See `ports.Writer`. A unit is a document of up to 1 KB; larger ones are one for each KB begun."""

    batch_items = BATCH_ITEMS

    def __init__(
        self,
        server: Server,
        table: TableInfo,
        *,
        connections: int,
        late_write_seconds: float,
        patience_seconds: float,
    ) -> None:
        self.late_write_seconds = late_write_seconds
        self._server = server
        self._table = table
        self._patience_seconds = patience_seconds
        self._pace = Pace()
        self._stopped = threading.Event()
        self._threads = ThreadPoolExecutor(connections, thread_name_prefix="greylag-mongodb")
        self._most = _AHEAD * connections
        self._idle: queue.SimpleQueue[_Connection] = queue.SimpleQueue()
        for _ in range(connections):
            self._idle.put(_Connection(server.client.start_session(causal_consistency=False)))
        self._mostly_there = False

    def write(self, batches: Iterable[Sequence[Encoded | Erased]]) -> Iterator[Delivery]:
        """See `ports.Writer.write`."""
        waiting = iter(batches)
        flights: deque[Future[Delivery]] = deque()
        ended: Exception | None = None
        more = True
        try:
            while True:
                while more and len(flights) < self._most and not (flights and flights[0].done()):
                    try:
                        batch = next(waiting, None)
                    except Exception as error:  # noqa: BLE001 - raised once what came before is acknowledged
                        ended, batch = error, None
                    more = batch is not None
                    if batch is not None:
                        flights.append(self._threads.submit(self._deliver, batch))
                if not flights:
                    break
                yield flights.popleft().result()
            if ended is not None:
                raise ended
        finally:
            if flights:
                self._stopped.set()
                for each in flights:
                    each.cancel() or each.exception()
                self._stopped.clear()

    def limit(self, units_per_second: float | None) -> None:
        """See `ports.Writer.limit`."""
        self._pace.limit(units_per_second)

    def close(self) -> None:
        """See `ports.Writer.close`."""
        self._stopped.set()
        self._threads.shutdown()
        while not self._idle.empty():
            self._idle.get().session.end_session()
        self._server.close()

    def _deliver(self, batch: Sequence[Encoded | Erased]) -> Delivery:
        done = _Done()
        connection = self._idle.get()
        try:
            rest = self._pass(connection, batch, done) if isinstance(batch, Passing) else batch
            items = {each.key: each for each in rest}
            if len(items) < len(rest):
                self._refuse_different(rest, items)
            for group in _groups(items.values()):
                self._put(connection, group, done)
        finally:
            self._idle.put(connection)
        refused, duplicates = done.refused, done.duplicates
        left = refused or duplicates
        written = [each for each in batch if each.key not in refused | duplicates] if left else batch
        return Delivery(
            len(written),
            _size_bytes(written),
            done.units,
            refused=_places(batch, refused),
            unknown=done.unknown,
            duplicates=_places(batch, duplicates),
            holders=tuple([done.holders[each.key] for each in batch if each.key in duplicates])
            if duplicates
            else (),
        )

    def _pass(self, connection: _Connection, batch: Passing, done: _Done) -> Sequence[Encoded]:
        """Insert documents as they stand, all by one command; gives those that have to be looked at one by one."""
        size = batch.size_bytes
        if self._mostly_there or not size or size > _COMMAND_BYTES:
            return batch
        raw = b"".join(batch.bodies)
        if statements.any_is_changed_by_the_server(batch.bodies, raw):
            return batch
        units = sum([-(-len(each) // _UNIT_BYTES) for each in batch.bodies])
        self._pace.spend(units)
        done.units += units
        patience = Patience(self._patience_seconds)
        answer = self._send(connection, _INSERT, [statements.Documents(raw)], done, patience)
        errors = answer.get("writeErrors", ())
        if not errors:
            return ()
        items = {each.key: each for each in batch}
        if len(items) < len(batch):  # only the first of two with one _id went in
            self._refuse_different(batch, items)
        rest = [batch[error["index"]] for error in errors]
        self._mostly_there = sum(
            [_is_there((item, error)) for item, error in zip(rest, errors, strict=True)]
        ) * 2 > len(batch)
        return rest

    def _refuse_different(
        self, batch: Sequence[Encoded | Erased], items: Mapping[bytes, Encoded | Erased]
    ) -> None:
        """Raises ConnectorError where not all items of a key are one."""
        if any(items[each.key].body != each.body for each in batch):
            raise ConnectorError(
                f"writing to {self._table.name}: two different documents of a batch have one _id",
                advice="Shared keys were looked for before: since then the source has changed, or a function gives "
                "other keys each time it is called. `greylag run --restart` looks again.",
            )

    def _put(self, connection: _Connection, items: Sequence[Encoded | Erased], done: _Done) -> None:
        """Until every item is written or refused."""
        units = float(sum([-(-each.size_bytes // _UNIT_BYTES) or 1 for each in items]))
        self._pace.spend(int(units))
        done.units += units
        gone: list[Encoded | Erased] = [each for each in items if isinstance(each, Erased)]
        odd: list[Encoded | Erased] = []
        plain: list[Encoded | Erased] = []
        for each in items:
            if not isinstance(each, Erased):
                (odd if statements.is_changed_by_the_server(each.body) else plain).append(each)
        if gone:
            self._refuse(self._run(connection, _DELETE, gone, done), done)
        if plain and not self._mostly_there:
            there, others = _parted(self._run(connection, _INSERT, plain, done), _is_there)
            self._refuse(others, done)
            self._mostly_there = len(there) * 2 > len(plain)
            plain = [item for item, _ in there]
        if plain:
            dollars, others = _parted(self._run(connection, _REPLACE, plain, done), _has_dollar_names)
            self._refuse(others, done)
            odd += [item for item, _ in dollars]
        if odd:
            self._refuse(self._run(connection, _LITERALLY, odd, done), done)

    def _refuse(self, failures: Iterable[_Failure], done: _Done) -> None:
        for item, error in failures:
            code, reason = error.get("code"), str(error.get("errmsg", error))[:1000]
            if code in _EVERYTHING_FAILS:
                with self._server.translated(f"write to {self._table.name}"):
                    raise pymongo.errors.OperationFailure(reason, code, error)
            left = done.duplicates if code == _DUPLICATE else done.refused
            left[item.key] = f"{self._server.about} refused it: {reason}"
            if code == _DUPLICATE:
                done.holders[item.key] = partial(self._holder, item.body, reason)

    def _holder(self, body: bytes, reason: str) -> bytes | None:
        """The key of the document that keeps this one out by the unique index that the server names in `reason`; None
        where it cannot be found.
        """
        index = _INDEX.search(reason)
        patience = Patience(self._patience_seconds)
        while index is not None:
            try:
                with self._server.translated(f"read from {self._table.name}"):
                    found = keeper(self._server.database, self._table.name, index[1], body)
                return None if found is None else key_of(found)
            except TransientError as raised:
                self._pause(patience, raised)
            except ConnectorError:  # what may be written need not be readable
                return None
        return None

    def _run(
        self, connection: _Connection, kind: _Kind, items: Sequence[Encoded | Erased], done: _Done
    ) -> list[_Failure]:
        """One command's work; the items it was not done for, and what the server said."""
        patience = Patience(self._patience_seconds)
        failures: list[_Failure] = []
        while items:
            made = [kind.statement(each.body) for each in items]
            answer = self._send(connection, kind, made, done, patience)
            if kind is _REPLACE and "upserted" in answer:
                self._mostly_there = len(answer["upserted"]) * 2 < len(items)
            again: list[Encoded | Erased] = []
            for error in answer.get("writeErrors", ()):
                item = items[error["index"]]
                if error.get("code") in TRANSIENT or (
                    error.get("code") == _DUPLICATE and kind is not _INSERT and _is_there((item, error))
                ):  # two upserts of one _id may meet
                    again.append(item)
                    reason = error.get("errmsg")
                else:
                    failures.append((item, error))
            if again:
                self._pause(patience, TransientError(f"{self._server.name}: {reason}"))
            items = again
        return failures

    def _send(
        self,
        connection: _Connection,
        kind: _Kind,
        made: Sequence[Mapping[str, Any]],
        done: _Done,
        patience: Patience,
    ) -> dict[str, Any]:
        """The answer of a command that is durable."""
        about = self._known(patience)
        command: dict[str, Any] = {
            kind.command: self._table.name,
            "ordered": False,
            kind.field: made,
            "writeConcern": {"w": "majority", "j": True},
        }
        if not about.documentdb:
            command["maxTimeMS"] = COMMAND_SECONDS * 1000
        if self._table.extra.get("validated") and kind is not _DELETE:
            command["bypassDocumentValidation"] = True
        if about.retryable:
            connection.number += 1
            command["txnNumber"] = Int64(connection.number)
        while True:
            try:
                with self._server.translated(f"write to {self._table.name}"):
                    answer = self._server.database.command(dict(command), session=connection.session)
                if "writeConcernError" not in answer:
                    patience.went_well()
                    return answer
                error = self._not_durable(answer["writeConcernError"])
            except TransientError as raised:
                error = raised
                cause = raised.__cause__
                if isinstance(cause, pymongo.errors.OperationFailure) and cause.code in OUT_OF_ORDER:
                    connection.number += (
                        1  # the server has forgotten the session, and no longer tells twice from once
                    )
                    command["txnNumber"] = Int64(connection.number)
                    done.unknown += 1
                elif not about.retryable and _may_have_been_sent(cause):
                    done.unknown += 1
            self._pause(patience, error)

    def _known(self, patience: Patience) -> About:
        """What the server is, asked until it answers: it may be away when a writer begins, too."""
        while True:
            try:
                return self._server.about
            except TransientError as error:
                self._pause(patience, error)

    def _not_durable(self, problem: dict[str, Any]) -> TransientError:
        """What a write concern that was not met says. Raises ConnectorError where it never will be."""
        reason = f"{self._server.name}: written, but not safe yet: {problem.get('errmsg')}"
        if problem.get("code") in {79, 100}:
            raise ConnectorError(
                reason, advice="Greylag writes with w: majority, which this server cannot keep."
            )
        return TransientError(reason)

    def _pause(self, patience: Patience, error: TransientError) -> None:
        if self._stopped.is_set():
            raise error
        patience.wait(error)


_Failure = tuple["Encoded | Erased", dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Kind:
    """A write command, and how one of its statements is made."""

    command: str
    field: str
    statement: Callable[[bytes], RawBSONDocument]


_INSERT = _Kind("insert", "documents", statements.insert)
_REPLACE = _Kind("update", "updates", statements.replace)
_LITERALLY = _Kind("update", "updates", statements.replace_literally)
_DELETE = _Kind("delete", "deletes", statements.delete)


@dataclass(slots=True)
class _Connection:
    """A session and the number of its last command."""

    session: ClientSession
    number: int = 0


@dataclass(slots=True)
class _Done:
    """What became of a batch's items so far, by key: reasons, and what finds who has a duplicate's value."""

    units: float = 0.0
    unknown: int = 0
    refused: dict[bytes, str] = field(default_factory=dict)
    duplicates: dict[bytes, str] = field(default_factory=dict)
    holders: dict[bytes, Callable[[], bytes | None]] = field(default_factory=dict)


def _size_bytes(items: Sequence[Encoded | Erased]) -> int:
    return items.size_bytes if isinstance(items, Passing) else sum([each.size_bytes for each in items])


def _places(batch: Sequence[Encoded | Erased], reasons: dict[bytes, str]) -> tuple[tuple[int, str], ...]:
    if not reasons:
        return ()
    return tuple((place, reasons[each.key]) for place, each in enumerate(batch) if each.key in reasons)


def _groups(items: Iterable[Encoded | Erased]) -> Iterator[list[Encoded | Erased]]:
    """Items that go into one command."""
    items = list(items)
    if sum([len(each.body) for each in items]) <= _COMMAND_BYTES:
        if items:
            yield items
        return
    group: list[Encoded | Erased] = []
    size = 0
    for each in items:
        if group and size + len(each.body) > _COMMAND_BYTES:
            yield group
            group, size = [], 0
        group.append(each)
        size += len(each.body)
    if group:
        yield group


def _parted(
    failures: Iterable[_Failure], condition: Callable[[_Failure], bool]
) -> tuple[list[_Failure], list[_Failure]]:
    found: tuple[list[_Failure], list[_Failure]] = ([], [])
    for each in failures:
        found[not condition(each)].append(each)
    return found


def _is_there(failure: _Failure) -> bool:
    """Whether it was refused because its `_id` is there already."""
    error = failure[1]
    if error.get("code") != _DUPLICATE:
        return False
    pattern = error.get("keyPattern")
    if pattern is not None:
        return list(pattern) == ["_id"]
    return _OF_ID.search(str(error.get("errmsg"))) is not None


def _has_dollar_names(failure: _Failure) -> bool:
    return failure[1].get("code") in _DOLLAR_NAMES


def _may_have_been_sent(cause: BaseException | None) -> bool:
    never = (pymongo.errors.NotPrimaryError, pymongo.errors.ServerSelectionTimeoutError)
    return isinstance(cause, pymongo.errors.ConnectionFailure) and not isinstance(cause, never)
