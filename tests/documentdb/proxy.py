"""A mongod that passes for Amazon DocumentDB: what DocumentDB does not have is refused in its words, and answers say
what DocumentDB's say. What is refused stands in `refusals.toml` and in the tables of `assess --documentdb`.

It speaks of itself (hello, buildInfo) as the version it was made for, keeps change streams that must be enabled, with
tokens of DocumentDB's form, and forgets what is older than `forget_changes` says. It refuses; it does not show how
DocumentDB does what it does.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import Any, Final

import bson
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.raw_bson import RawBSONDocument
from bson.timestamp import Timestamp
from pymongo.uri_parser import parse_uri

from greylag.connectors.mongodb import wire
from greylag.operations.assess.documentdb.release import INSTANCE, Release
from greylag.operations.assess.documentdb.tables import STAGE, supported, tables
from tests.documentdb.identities import MECHANISM, Conversation, Identity, NotAcceptedError, answer

REFUSALS: Final[dict[str, Any]] = tomllib.loads(
    resources.files(__package__).joinpath("refusals.toml").read_text(encoding="utf-8")
)
_COMMANDS: Final = frozenset(REFUSALS["commands"])
_STREAM: Final = REFUSALS["change_stream"]
_HEAD: Final = struct.Struct("<iiii")
_REPLY, _QUERY, _MESSAGE = 1, 2004, 2013
_CHECKSUM, _MORE_TO_COME = 1, 2
_RAW: Final = CodecOptions(RawBSONDocument, datetime_conversion=DatetimeConversion.DATETIME_MS)
_WRITES: Final = frozenset({"insert", "update", "delete"})
_FOR_EVERYBODY: Final = frozenset({"hello", "isMaster", "ismaster", "endSessions"})
_NOT_AUTHORIZED, _NOT_AUTHENTICATED, _NO_MECHANISM = 13, 18, 334
_NOT_SUPPORTED, _NO_STAGE, _NO_RETRY, _BAD_TOKEN, _TOO_OLD = 303, 304, 301, 9, 136


class _RefusedError(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class DocumentDB:
    """Listens on `port` and asks the mongod at `url` behind it.

    `wait_milliseconds`: how long it waits at most for something new in a change stream, where less than it is asked to.
    `identities`: who may sign in, as an AWS identity; where there are none nobody need.
    """

    def __init__(
        self,
        url: str,
        version: str = "5.0",
        *,
        wait_milliseconds: int | None = None,
        identities: Sequence[Identity] = (),
    ) -> None:
        self.enabled: set[tuple[str, str]] = set()
        self.refused: list[str] = []
        self.forget_cursors = 0
        self._wait_milliseconds = wait_milliseconds
        self._identities = identities
        self._signing_in: dict[socket.socket, Conversation] = {}
        self._forgotten = 0
        self._release = Release(version, INSTANCE)
        self._version = tuple(REFUSALS["versions"][version]["array"])
        self._wire = REFUSALS["versions"][version]["wire"]
        [self._there] = parse_uri(url)["nodelist"]
        self._tokens: dict[str, Any] = {}
        self._streams: dict[int, tuple[str, str]] = {}
        self._last: dict[int, dict[str, str]] = {}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._ends: set[socket.socket] = set()
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Of the cluster."""
        return f"mongodb://127.0.0.1:{self.port}/?replicaSet=rs0"

    def enable_change_streams(self, database: str = "", collection: str = "") -> None:
        """As `modifyChangeStreams` does."""
        self.enabled.add((database, collection))

    def forget_changes(self) -> None:
        """Everything of this second and before is older than it keeps changes. Returns in the next second."""
        self._forgotten = int(time.time()) + 1
        while time.time() < self._forgotten:
            time.sleep(0.01)

    def close(self) -> None:
        """Ends every connection."""
        self._closed = True
        self._listener.close()
        for each in list(self._ends):
            _end(each)

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._there)
            except OSError:
                continue
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._ends.add(each)
            threading.Thread(target=self._serve, args=(client, server), daemon=True).start()

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                head, content = _receive(client)
                if head[3] == _QUERY:
                    self._query(client, server, head, content)
                else:
                    assert head[3] == _MESSAGE, f"a message of kind {head[3]}"
                    self._message(client, server, head, content)
        for each in (client, server):
            _end(each)
            self._ends.discard(each)
        self._signing_in.pop(client, None)

    def _query(
        self, client: socket.socket, server: socket.socket, head: tuple[int, ...], content: bytes
    ) -> None:
        """The first message of a connection, in the old form."""
        server.sendall(_HEAD.pack(len(content) + _HEAD.size, *head[1:]) + content)
        answer, body = _receive(server)
        told = self._answer("hello", {}, bson.decode(body[20:], _RAW))
        client.sendall(_packed(answer[1:], body[:20] + told))

    def _message(
        self, client: socket.socket, server: socket.socket, head: tuple[int, ...], content: bytes
    ) -> None:
        command, sequences = _sections(content)
        name = next(iter(command))
        try:
            told = self._sign_in(client, name, command) if self._identities else None
            self._check(name, command, sequences)
            told = told or self._own_answer(name, command)
            if told is None:
                content = self._translated(name, command, content)
                server.sendall(_packed(head[1:], content))
                if struct.unpack_from("<I", content)[0] & _MORE_TO_COME:
                    return
                _, body = _receive(server)
                told = self._answer(name, command, bson.decode(body[5:], _RAW))
        except _RefusedError as refused:
            self.refused.append(str(refused))
            told = bson.encode(
                {"ok": 0.0, "operationTime": _now(), "code": refused.code, "errmsg": str(refused)}
            )
        client.sendall(_packed((1, head[1], _MESSAGE), bytes(5) + told))

    def _check(self, name: str, command: Mapping[str, Any], sequences: Mapping[str, list[Any]]) -> None:
        if name not in _COMMANDS:
            raise _RefusedError(_NOT_SUPPORTED, f"Feature not supported: {name}")
        for field in REFUSALS["fields"].get(name, ()):
            if field in command:
                raise _RefusedError(_NOT_SUPPORTED, f"Field '{field}' is currently not supported")
        if name == "create":
            self._check_collection(command)
        if command.get("capped"):
            raise _RefusedError(_NOT_SUPPORTED, "Feature not supported: capped:true")
        if "collation" in command and not tables().takes("collections", "collation", self._release):
            raise _RefusedError(_NOT_SUPPORTED, "option collation is not currently supported")
        if "afterClusterTime" in command.get("readConcern", {}):
            raise _RefusedError(_NOT_SUPPORTED, "Feature not supported: 'causal consistency'")
        retryable = tables().takes("retryable_writes", "releases", self._release)
        if "txnNumber" in command and "autocommit" not in command and not retryable:
            raise _RefusedError(_NO_RETRY, "Retryable writes are not supported")
        if name == "listCollections" and "type" in command.get("filter", {}):
            raise _RefusedError(_NOT_SUPPORTED, "Field 'type' is currently not supported")
        if name == "createIndexes":
            for each in command["indexes"]:
                self._check_index(each)
        if name == "find":
            self._check_operators(command.get("filter", {}))
        if name == "aggregate":
            self._check_pipeline(command)
        if name == "update":
            for each in [*command.get("updates", ()), *sequences.get("updates", ())]:
                self._check_update(each)
        if name == "getMore" and self.forget_cursors:
            self.forget_cursors -= 1
            raise _RefusedError(43, f"Cursor not found, cursor id: {command['getMore']}")

    def _check_collection(self, command: Mapping[str, Any]) -> None:
        for option in ("viewOn", "validator"):
            kind = "view" if option == "viewOn" else option
            if option in command and not tables().takes("collections", kind, self._release):
                raise _RefusedError(_NOT_SUPPORTED, f"Field '{option}' is currently not supported")

    def _check_index(self, index: Mapping[str, Any]) -> None:
        for path, kind in index["key"].items():
            named = "wildcard" if "$**" in path else kind if isinstance(kind, str) else None
            if named and not tables().takes("indexes", named, self._release):
                raise _RefusedError(_NOT_SUPPORTED, f"Index type not supported : {named}")
        for option, named in {"partialFilterExpression": "partial"}.items() | {
            (each, each) for each in ("collation", "hidden", "storageEngine", "prepareUnique")
        }:
            if option in index and not tables().takes("index_options", named, self._release):
                raise _RefusedError(_NOT_SUPPORTED, f"Index option not supported : {option}")

    def _check_pipeline(self, command: Mapping[str, Any]) -> None:
        stages = [(next(iter(each)), each) for each in command["pipeline"]]
        streaming = bool(stages) and stages[0][0] == "$changeStream"
        for name, stage in stages:
            if name in {"$changeStream", "$listChangeStreams"}:
                continue
            if streaming and name not in _STREAM["stages"]:
                raise _RefusedError(_NO_STAGE, f"Aggregation stage not supported: '{name}'")
            letters = tables().operator(name, used_as=STAGE)
            if not letters or not self._has(letters):
                raise _RefusedError(_NO_STAGE, f"Aggregation stage not supported: '{name}'")
            self._check_operators(stage[name])
        if streaming:
            for option in stages[0][1]["$changeStream"]:
                at_a_time = option == "startAtOperationTime"
                if option not in _STREAM["options"] or (
                    at_a_time and list(self._version) < _STREAM["start_at_operation_time_since"]
                ):
                    raise _RefusedError(40415, f"BSON field '$changeStream.{option}' is an unknown field.")

    def _check_operators(self, value: Any) -> None:
        if isinstance(value, Mapping):
            for name, each in value.items():
                if name == "$type" and isinstance(each, list):
                    raise _RefusedError(_NOT_SUPPORTED, "Feature not supported: array for $type filter")
                if name.startswith("$") and not self._has(tables().operator(name) or "y" * 5):
                    raise _RefusedError(_NOT_SUPPORTED, f"Feature not supported: {name}")
                self._check_operators(each)
        elif isinstance(value, list):
            for each in value:
                self._check_operators(each)
        elif value == "$$REMOVE":
            raise _RefusedError(_NOT_SUPPORTED, "Feature not supported: $$REMOVE")

    def _check_update(self, statement: Mapping[str, Any]) -> None:
        if isinstance(statement["u"], list):
            for stage in statement["u"]:
                name = next(iter(stage))
                if not self._has(tables().operator(name, used_as=STAGE)):
                    raise _RefusedError(_NO_STAGE, f"Aggregation stage not supported: '{name}'")

    def _has(self, letters: str) -> bool:
        return bool(letters) and supported(letters, self._release)

    def _sign_in(self, client: socket.socket, name: str, command: Mapping[str, Any]) -> bytes | None:
        """What is answered to who signs in; whoever has not is refused."""
        conversation = self._signing_in.setdefault(client, Conversation(self._identities))
        if name == "saslStart":
            if command["mechanism"] != MECHANISM:
                raise _RefusedError(_NO_MECHANISM, f"Unsupported mechanism [ -{command['mechanism']}- ]")
            return bson.encode(answer(conversation.begin(command["payload"]), done=False))
        if name == "saslContinue":
            try:
                conversation.end(command["payload"])
            except NotAcceptedError:
                raise _RefusedError(_NOT_AUTHENTICATED, "Authentication failed.") from None
            return bson.encode(answer(b"", done=True))
        if conversation.identity is None and name not in _FOR_EVERYBODY:
            raise _RefusedError(_NOT_AUTHORIZED, f"command {name} requires authentication")
        return None

    def _own_answer(self, name: str, command: Mapping[str, Any]) -> bytes | None:
        """What is answered without asking the mongod."""
        if name == "modifyChangeStreams":
            where = (command["database"], command["collection"])
            (self.enabled.add if command["enable"] else self.enabled.discard)(where)
            return bson.encode({"ok": 1.0, "operationTime": _now()})
        if name == "aggregate" and command["pipeline"] and "$listChangeStreams" in command["pipeline"][0]:
            listed = [{"database": database, "collection": name} for database, name in sorted(self.enabled)]
            cursor = {"id": bson.Int64(0), "ns": "admin.$cmd.aggregate", "firstBatch": listed}
            return bson.encode({"cursor": cursor, "ok": 1.0, "operationTime": _now()})
        return None

    def _translated(self, name: str, command: Mapping[str, Any], content: bytes) -> bytes:
        """What the mongod is asked instead: a token in a request becomes its own."""
        changed = dict(command)
        if name == "getMore" and command["getMore"] in self._streams and self._wait_milliseconds is not None:
            changed["maxTimeMS"] = min(self._wait_milliseconds, command["maxTimeMS"])
        elif name == "aggregate" and command["pipeline"] and "$changeStream" in command["pipeline"][0]:
            options = dict(command["pipeline"][0]["$changeStream"])
            began = options.get("startAtOperationTime")
            if began is not None:
                self._assert_kept(began.time)
            if "resumeAfter" in options:
                text = options["resumeAfter"]["_data"]
                if text not in self._tokens:
                    raise _RefusedError(_BAD_TOKEN, "Invalid resume token")
                self._assert_kept(int(text[2:10], 16))
                options["resumeAfter"] = {"_data": self._tokens[text]}
            changed["pipeline"] = [{"$changeStream": options}, *command["pipeline"][1:]]
        else:
            return content
        return content[:4] + b"\0" + bson.encode(changed)

    def _assert_kept(self, seconds: int) -> None:
        if seconds < self._forgotten:
            raise _RefusedError(
                _TOO_OLD,
                "CappedPositionLost: CollectionScan died due to position in capped collection being deleted.",
            )

    def _answer(self, name: str, command: Mapping[str, Any], told: RawBSONDocument) -> bytes:
        """As DocumentDB would say it."""
        raw = bytes(told.raw)
        kept = b"".join(
            raw[place:end]
            for place, name_end, end in wire.elements(raw)
            if raw[place + 1 : name_end] not in {b"$clusterTime", b"operationTime"}
        )
        plain = wire.document_of(kept + bson.encode({"operationTime": _later(told)})[4:-1])
        if name in {"hello", "isMaster", "ismaster"}:
            return self._hello(bson.decode(plain))
        if name in {"buildInfo", "buildinfo"}:
            version = ".".join(map(str, self._version[:3]))
            return bson.encode(
                {**bson.decode(plain), "version": version, "versionArray": list(self._version)}
            )
        if name == "listCollections" and told.get("ok"):
            return _edited(bson.decode(plain), _collection)
        if name == "listIndexes" and told.get("ok"):
            return _edited(bson.decode(plain), _index(f"{command['$db']}.{command['listIndexes']}"))
        if name == "aggregate" and command["pipeline"] and "$changeStream" in command["pipeline"][0]:
            if not told.get("ok"):
                return plain
            where = (command["$db"], command["aggregate"] if command["aggregate"] != 1 else "")
            self._streams[told["cursor"]["id"]] = where
            return self._stream(plain, "firstBatch", told["cursor"]["id"])
        if name == "getMore" and command["getMore"] in self._streams and told.get("ok"):
            return self._stream(plain, "nextBatch", command["getMore"])
        return plain

    def _hello(self, told: dict[str, Any]) -> bytes:
        here = f"127.0.0.1:{self.port}"
        for name in ("topologyVersion", "compression", "lastWrite", "electionId", "tags"):
            told.pop(name, None)
        return bson.encode(
            {
                **told,
                "setName": "rs0",
                "hosts": [here],
                "primary": here,
                "me": here,
                "maxWireVersion": self._wire,
            }
        )

    def _stream(self, plain: bytes, batch: str, cursor: int) -> bytes:
        """A batch of a change stream: kinds of events that DocumentDB has, of collections that are enabled. Its token
        does not move while nothing happens.
        """
        told = bson.decode(plain, _RAW)
        events = []
        last = self._last.get(cursor)
        for event in told["cursor"][batch]:
            text = self._token(event["_id"]["_data"], b"\x01")
            last = {"_data": text}
            if event["operationType"] in _STREAM["event_kinds"] and self._is_enabled(event.get("ns", {})):
                fields = {name: event[name] for name in _STREAM["event_fields"] if name in event}
                events.append({**fields, "_id": {"_data": text}})
        if last is None:
            last = {"_data": self._token(told["cursor"]["postBatchResumeToken"]["_data"], b"\x04")}
        self._last[cursor] = last
        answer = {"id": told["cursor"]["id"], "ns": told["cursor"]["ns"], batch: events}
        return bson.encode(
            {
                "cursor": {**answer, "postBatchResumeToken": last},
                "ok": 1.0,
                "operationTime": told["operationTime"],
            }
        )

    def _is_enabled(self, ns: Mapping[str, Any]) -> bool:
        database, collection = ns.get("db", ""), ns.get("coll", "")
        return bool(self.enabled & {("", ""), (database, ""), (database, collection)})

    def _token(self, real: str, kind: bytes) -> str:
        """01, the time, what it is, a number."""
        text = f"01{real[2:18].lower()}{kind.hex()}{len(self._tokens):016x}"
        self._tokens[text] = real
        return text


def _collection(told: dict[str, Any]) -> dict[str, Any]:
    if told.get("type") != "collection" or "options" not in told:  # names alone
        return told
    options = {
        **told["options"],
        "autoIndexId": True,
        "capped": False,
        "storageEngine": {"documentDB": {"compression": {"enable": False}}},
    }
    return {"name": told["name"], "type": "collection", "options": options, "info": {"readOnly": False}}


def _index(namespace: str) -> Any:
    def edited(told: dict[str, Any]) -> dict[str, Any]:
        sphere = {"2dsphereIndexVersion": 1} if "2dsphereIndexVersion" in told else {}
        return {**told, "v": 4, "ns": namespace, **sphere}

    return edited


def _edited(told: dict[str, Any], edit: Any) -> bytes:
    cursor = told["cursor"]
    batch = "firstBatch" if "firstBatch" in cursor else "nextBatch"
    return bson.encode({**told, "cursor": {**cursor, batch: [edit(each) for each in cursor[batch]]}})


def _now() -> Timestamp:
    return Timestamp(int(time.time()), 1)


def _later(told: Mapping[str, Any]) -> Timestamp:
    """DocumentDB's time goes on while nothing happens."""
    return max(_now(), told.get("operationTime") or _now())


def _sections(content: bytes) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """The command, and what follows it as sequences of documents."""
    [flags] = struct.unpack_from("<I", content)
    end = len(content) - (4 if flags & _CHECKSUM else 0)
    command: dict[str, Any] = {}
    sequences: dict[str, list[Any]] = {}
    place = 4
    while place < end:
        kind, place = content[place], place + 1
        [size] = struct.unpack_from("<i", content, place)
        if kind == 0:
            command = dict(bson.decode(content[place : place + size], _RAW))
        else:
            name_end = content.index(0, place + 4)
            name = content[place + 4 : name_end].decode()
            sequences[name] = (
                [] if name == "documents" else list(_documents(content[name_end + 1 : place + size]))
            )
        place += size
    return command, sequences


def _documents(content: bytes) -> Iterator[RawBSONDocument]:
    place = 0
    while place < len(content):
        [size] = struct.unpack_from("<i", content, place)
        yield RawBSONDocument(content[place : place + size], _RAW)
        place += size


def _receive(end: socket.socket) -> tuple[tuple[int, ...], bytes]:
    head = _HEAD.unpack(_exactly(end, _HEAD.size))
    return head, _exactly(end, head[0] - _HEAD.size)


def _exactly(end: socket.socket, size: int) -> bytes:
    parts = []
    while size:
        part = end.recv(min(size, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _packed(head: tuple[int, ...], content: bytes) -> bytes:
    return _HEAD.pack(len(content) + _HEAD.size, *head) + content


def _end(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        end.close()
