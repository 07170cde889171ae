"""JSON files as what a backup reads and a restore writes: their bytes, as they stand."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from greylag.connectors.json.datasets import locate, names
from greylag.connectors.json.files import translated
from greylag.connectors.pace import Pace
from greylag.core.records import Partition
from greylag.engine.disk import sync_folder, writing
from greylag.errors import ConfigurationError, SourceDataError
from greylag.recovery.parts import FILE
from greylag.recovery.stores import UNNAMED, Chunk, Described, Standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from greylag.connectors.json.connector import JsonConnector
    from greylag.connectors.json.files import DataFile
    from greylag.recovery.format import Part, TableBackup

_PIECE_BYTES: Final = 256 << 20
_RESTORING: Final = ".restoring"


class JsonStore:
    """See `Store`. A dataset is a whole file: several arrays in one file are backed up once, with all around them."""

    form = FILE
    consistency = "file"
    statement = "The file did not change while it was read: the backup is the file as it stood then."

    def __init__(self, connector: JsonConnector) -> None:
        self._name = connector.name
        self._root = connector.path
        self._pace = Pace(connector.read_bytes_per_second)

    def datasets(self) -> Sequence[str]:
        """See `Store.datasets`."""
        return sorted({self.resolve(each) for each in names(self._root)})

    def resolve(self, dataset: str) -> str:
        """See `Store.resolve`."""
        return locate(self._root, dataset.partition("#")[0]).file.name

    def describe(self, dataset: str) -> Described:
        """See `Store.describe`."""
        file = self._file(dataset)
        version = file.version()
        identity = f"{file.path}?size={version.size}&mtime_ns={version.mtime_ns}"
        return Described(identity, None, version.size, {"file": file.name})

    def operation_time(self) -> str | None:
        """See `Store.operation_time`."""
        return None

    def pieces(self, dataset: str, *, processes: int) -> Iterator[Partition]:  # noqa: ARG002 - by size alone
        """See `Store.pieces`: ranges of bytes."""
        version = self._file(dataset).version()
        for ordinal, start in enumerate(range(0, version.size, _PIECE_BYTES)):
            end = min(version.size, start + _PIECE_BYTES)
            bounds: dict[str, object] = {"start": start, "end": end, "version": list(version)}
            yield Partition(dataset, ordinal, bounds, estimated_bytes=end - start)

    def read(self, piece: Partition, cursor: str | None, *, chunk_bytes: int) -> Iterator[Chunk]:
        """See `Store.read`. A chunk is one record. Raises SourceDataError where the file has changed."""
        file = self._file(piece.dataset)
        at, end = piece.bounds["start"], piece.bounds["end"]
        assert isinstance(at, int)
        assert isinstance(end, int)
        at = at if cursor is None else int(cursor)
        with file.plain() as stream, translated(file.name):
            stream.seek(at)
            while at < end:
                found = stream.read(min(chunk_bytes, end - at))
                at += len(found)
                if list(file.version()) != piece.bounds["version"] or not found:
                    raise SourceDataError(
                        f"{file.name} has changed since its backup began",
                        advice="Let nothing write it meanwhile, and run again with --restart.",
                    )
                yield Chunk([found], None if at >= end else str(at), len(found))
                self._pace.spend(len(found))

    def limit_reading(self, bytes_per_second: float | None) -> None:
        """See `Store.limit_reading`."""
        self._pace.limit(bytes_per_second)

    def standing(self, dataset: str) -> Standing | None:
        """See `Store.standing`."""
        path = self._path(dataset)
        return Standing(UNNAMED, empty=path.stat().st_size == 0) if path.exists() else None

    def unfit(self, dataset: str, backup: TableBackup) -> list[str]:  # noqa: ARG002 - a file takes any bytes
        """See `Store.unfit`."""
        return [] if backup.form == self.form else [f"its records are {backup.form}, not a file"]

    def make(self, dataset: str, backup: TableBackup) -> None:
        """See `Store.make`: the file appears when all of it is written."""
        for reason in self.unfit(dataset, backup):
            raise ConfigurationError(
                f"{dataset}: {reason}", advice=f"Restore into a connection of kind {backup.kind}."
            )

    def write(self, dataset: str, part: Part, offset: int, records: Sequence[bytes]) -> None:  # noqa: ARG002
        """See `Store.write`, beside the file that is there."""
        path = self._beside(dataset)
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                for each in records:
                    view = memoryview(each)
                    while view:
                        written = os.pwrite(descriptor, view, offset)
                        view, offset = view[written:], offset + written
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def limit_writing(self, units_per_second: float | None) -> None:
        """See `Store.limit_writing`: this machine's disk has no units."""

    def finish(self, dataset: str, backup: TableBackup) -> None:
        """See `Store.finish`: the file takes its place."""
        path, beside = self._path(dataset), self._beside(dataset)
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if not beside.exists():
                if backup.parts:
                    return  # an interrupted restore had come this far
                beside.touch()
            os.truncate(beside, backup.content_bytes)
            beside.replace(path)
            sync_folder(path.parent)

    def remove(self, dataset: str) -> None:
        """See `Store.remove`."""
        for path in (self._path(dataset), self._beside(dataset)):
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """See `Store.close`."""

    def _file(self, dataset: str) -> DataFile:
        return locate(self._root, dataset).file

    def _path(self, dataset: str) -> Path:
        """Where `dataset` stands or would stand, always within the connection's folder."""
        if self._root.is_file():
            return self._root
        path = (self._root / dataset).resolve()
        if not path.is_relative_to(self._root.resolve()) or path == self._root.resolve():
            raise ConfigurationError(
                f"{dataset!r} is no file below {self._root}", advice="Write its path in the folder."
            )
        return path

    def _beside(self, dataset: str) -> Path:
        path = self._path(dataset)
        return path.with_name(f".{path.name}{_RESTORING}")
