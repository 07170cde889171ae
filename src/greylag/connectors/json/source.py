"""JSON files as a `greylag.core.ports.Source`.

A partition of JSON Lines is a range of lines; an array, and whatever is compressed, is one partition. A cursor is
`[offset, row]`: where the last record read ends, and the row of the next.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn, cast

from greylag.connectors.json import snapshot
from greylag.connectors.json.array import ArrayReader
from greylag.connectors.json.datasets import locate, names
from greylag.connectors.json.files import Version, translated
from greylag.connectors.json.lines import LinesReader, count_records, ranges
from greylag.connectors.json.malformed import Malformed
from greylag.connectors.json.pointer import enter_array, leave
from greylag.connectors.json.sampling import PASSED_BYTES, PLACES, lines_at, spots, spread_sample
from greylag.connectors.pace import Pace
from greylag.core.inventory import Growth, Inventory, Sample
from greylag.core.ports import DatasetInfo
from greylag.core.records import Page, Partition
from greylag.errors import AuthenticationError, ConnectorError, SourceDataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from greylag.connectors.json.datasets import Dataset
    from greylag.core.change import Followed
    from greylag.core.ports import ChangeFeed
    from greylag.core.records import Record
    from greylag.core.values import Value

_FETCHED_BYTES = 4 << 20
"""How much of JSON Lines `fetch` passes over or reads at a time."""
_SAMPLE_PAGE_BYTES = 1 << 20
_PLACE_BYTES = 1 << 15
_HALF_WRITTEN_SECONDS = 0.5
_LOOK_SECONDS = 0.02


class JsonSource:
    """The JSON files of a folder, or one file. `path` is absolute. With `scratch`, that of a feed, records are those of
    the feed's first position, which no later write changes; so a dataset's identity then does not tell its content.
    """

    def __init__(
        self, name: str, path: Path, *, bytes_per_second: float | None = None, scratch: Path | None = None
    ) -> None:
        self._name = name
        self._live = path
        self._scratch = scratch
        self._pace = Pace(bytes_per_second)

    def check(self) -> None:
        """Raises ConnectorError where nothing is there, AuthenticationError where it may not be read."""
        if not self._path.exists():
            raise ConnectorError(
                f"connection {self._name!r}: there is no {self._path}",
                advice="Correct `path:` of the connection; a relative path starts at greylag.yaml's folder.",
            )
        readable = os.R_OK | os.X_OK if self._path.is_dir() else os.R_OK
        if not os.access(self._path, readable):
            raise AuthenticationError(
                f"connection {self._name!r}: {self._path} may not be read",
                advice="Give the user that runs greylag permission to read it.",
            )

    def datasets(self) -> Sequence[str]:
        """As the port; reads files that are objects, to list the arrays in them."""
        self.check()
        return names(self._path)

    def describe(self, dataset: str) -> DatasetInfo:
        """As the port. The identity holds the file's path, size and time of change. One that was written a moment ago
        and is no JSON is looked at again: an application may be in the middle of writing it.
        """
        self.check()
        found = locate(self._path, dataset)
        while True:
            version = found.file.version()
            try:
                if not found.file.lines:
                    with _named(found), found.file.window() as window:
                        enter_array(window, found.steps, found.shown)
                break
            except SourceDataError:
                if not 0 <= time.time() - version.mtime_ns / 1e9 < _HALF_WRITTEN_SECONDS:
                    raise
            time.sleep(_LOOK_SECONDS)
        pointer = found.shown.removeprefix(found.file.name)
        live = self._live if self._live.is_file() else self._live / found.file.name
        content = f"?size={version.size}&mtime_ns={version.mtime_ns}" if self._scratch is None else ""
        return DatasetInfo(
            dataset=dataset,
            identity=f"{live}{pointer}{content}",
            family="json",
            estimated_records=None,
            estimated_bytes=None if found.file.gzipped else version.size,
            unique_id="@row",
            resumable_changes=True,
        )

    def partitions(self, dataset: str, *, partition_bytes: int) -> Iterator[Partition]:
        """As the port. Raises SourceDataError where a file is empty or not UTF-8."""
        self.check()
        found = locate(self._path, dataset)
        version = found.file.version()
        with _named(found), found.file.window() as window:
            entered = "" if found.file.lines else enter_array(window, found.steps, found.shown)
            start = window.offset
        common: dict[str, object] = {"size": version.size, "mtime_ns": version.mtime_ns}
        if not found.file.lines or found.file.gzipped:
            size = 0 if found.file.gzipped else version.size - start
            bounds = {"start": start, "end": None, "row": 0, "entered": entered, **common}
            yield Partition(dataset, 0, bounds, estimated_bytes=size)
            return
        with found.file.plain() as file, translated(found.file.name):
            cuts = ranges(file, start, version.size, range_bytes=partition_bytes)
            for ordinal, (begin, end, row) in enumerate(cuts):
                bounds = {"start": begin, "end": end, "row": row, "entered": "", **common}
                yield Partition(dataset, ordinal, bounds, estimated_bytes=end - begin)
        _check_version(found, version)

    def read(self, partition: Partition, cursor: str | None, *, page_bytes: int) -> Iterator[Page]:
        """As the port. Raises SourceDataError, after the pages before it, for what is not JSON, with its place;
        and where the file has changed since the partition was planned.
        """
        self.check()
        found = locate(self._path, partition.dataset)
        bounds = cast("dict[str, int]", partition.bounds)
        version = Version(bounds["size"], bounds["mtime_ns"])
        _check_version(found, version)
        offset, row = (bounds["start"], bounds["row"]) if cursor is None else json.loads(cursor)
        with _named(found), found.file.window(offset, end=bounds["end"]) as window:
            reader = LinesReader(window, row) if found.file.lines else ArrayReader(window, row)
            while not reader.finished:
                yield from self._page(found, reader, page_bytes)
            if not found.file.lines:
                leave(window, found.steps, str(partition.bounds["entered"]))
        _check_version(found, version)

    def _page(self, found: Dataset, reader: ArrayReader | LinesReader, page_bytes: int) -> Iterator[Page]:
        """The next page, if there is one; then the failure that ended it, if one did."""
        start = reader.offset
        failure: Malformed | None = None
        try:
            reader.read(page_bytes)
        except Malformed as error:
            failure = error
        if reader.records or reader.rejected:
            size = reader.offset - start
            cursor = json.dumps([reader.offset, reader.row], separators=(",", ":"))
            yield Page(reader.records, cursor, size, reader.rejected)
            self._pace.spend(size)
        if failure is not None:
            _raise(found, failure, reader.row)

    def fetch(self, dataset: str, ids: Iterable[Value]) -> Iterator[Record]:
        """As the port, in one pass that ends after the last of them; in order."""
        wanted = {each for each in ids if type(each) is int and each >= 0}
        if not wanted:
            return
        last = max(wanted)
        for partition in self._holding(dataset, wanted):
            for page in self.read(partition, None, page_bytes=_FETCHED_BYTES):
                yield from (record for record in page.records if record.id in wanted)
                if json.loads(page.cursor)[1] > last:
                    return

    def _holding(self, dataset: str, wanted: set[int]) -> Iterator[Partition]:
        """The partitions that hold a wanted row; ranges of lines that hold none are counted, not decoded."""
        last = max(wanted)
        found = locate(self._path, dataset)
        for partition in self.partitions(dataset, partition_bytes=_FETCHED_BYTES):
            bounds = cast("dict[str, int]", partition.bounds)
            if not found.file.lines or found.file.gzipped:
                yield partition
                return
            if bounds["row"] > last:
                return
            with found.file.plain() as file:
                count = count_records(file, bounds["start"], bounds["end"])
            if any(bounds["row"] <= row < bounds["row"] + count for row in wanted):
                yield partition

    def inventory(self, dataset: str) -> Inventory:
        """As the port. A file has no index, no change stream, and of its growth tells when it was last written."""
        self.describe(dataset)
        file = locate(self._path, dataset).file
        version = file.version()
        written = datetime.fromtimestamp(version.mtime_ns // 10**9, UTC).isoformat()
        form = ("JSON Lines" if file.lines else "JSON array") + (", gzip" if file.gzipped else "")
        growth = Growth("the file was last written then", until=written)
        return Inventory(dataset, form, stored_bytes=version.size, growth=growth)

    def sample(self, dataset: str, count: int) -> Sample:
        """As the port: what `sampling` says of a file of this form and size."""
        self.check()
        found = locate(self._path, dataset)
        size = found.file.version().size
        if found.file.lines and not found.file.gzipped and size > PASSED_BYTES:
            return Sample(
                self._at_places(found, size, count),
                f"runs of records at {min(PLACES, count)} random places of the file; one that follows a long record is "
                "a little likelier",
            )
        whole = list(self.partitions(dataset, partition_bytes=max(1, size)))
        pages = (page for each in whole for page in self.read(each, None, page_bytes=_SAMPLE_PAGE_BYTES))
        return spread_sample(pages, count, found.file)

    def _at_places(self, found: Dataset, size: int, count: int) -> Iterator[Page]:
        with _named(found):
            for spot in spots(size, count):
                page = lines_at(found.file, spot, _PLACE_BYTES)
                if page is not None:
                    yield page
                    self._pace.spend(page.bytes_read)

    def feed(self, datasets: Sequence[Followed], scratch: Path) -> ChangeFeed:
        """As the port."""
        from greylag.connectors.json.changes import JsonFeed

        return JsonFeed(self._name, self._live, datasets, scratch)

    @property
    def _path(self) -> Path:
        """Where records are read."""
        if self._scratch is None:
            return self._live
        copies = snapshot.root_of(self._scratch, self._live)
        return copies if copies.exists() else self._live

    def limit(self, bytes_per_second: float | None) -> None:
        """As the port; holds from the next page on."""
        self._pace.limit(bytes_per_second)

    def close(self) -> None:
        """Files close when the reading of them ends."""


@contextmanager
def _named(found: Dataset) -> Iterator[None]:
    """What is malformed outside records, and what cannot be read, as the error a user sees."""
    try:
        with translated(found.file.name):
            yield
    except Malformed as error:
        _raise(found, error)


def _raise(found: Dataset, error: Malformed, row: int | None = None) -> NoReturn:
    where = f"byte {error.offset}" + (" of the decompressed content" if found.file.gzipped else "")
    raise SourceDataError(
        f"{found.shown}: {error.reason}, at {where}" + ("" if row is None else f" (row {row})"),
        advice="Mend or replace the file, then start the flow again with --restart: a file that has changed "
        "is another source. Records before this place were read.",
    ) from error


def _check_version(found: Dataset, planned: Version) -> None:
    if found.file.version() != planned:
        raise SourceDataError(
            f"{found.file.name} has changed since reading began",
            advice="Let nothing write it while it is read (or read a copy), then start again with --restart.",
        )
