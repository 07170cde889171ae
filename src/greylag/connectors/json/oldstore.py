"""JSON files as an old store: what changes at the target are carried back into (see `ports.OldStore`)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from greylag.connectors.json.datasets import locate
from greylag.connectors.json.decoding import decode_value
from greylag.connectors.json.places import RowsFile
from greylag.connectors.json.rendering import COMPACT, render
from greylag.connectors.json.rewriting import Changes, rewrite
from greylag.core.canonical import canonical
from greylag.core.mapping.keys import key_fields
from greylag.core.paths import Missing, get
from greylag.core.ports import Delivery
from greylag.core.records import Encoded, Erased, Refused
from greylag.core.values import is_number
from greylag.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path as Folder

    from greylag.core.flows import FlowSpec
    from greylag.core.records import Record
    from greylag.core.values import Document, Value


class JsonOldStore:
    """The files of a folder, or one file."""

    def __init__(self, root: Folder) -> None:
        self._root = root

    def codec(self, flow: FlowSpec, family: str) -> JsonRecords:  # noqa: ARG002 - JSON has one
        """See `ports.OldStore.codec`."""
        return JsonRecords(flow)

    def writer(self, flow: FlowSpec) -> JsonRewriter:
        """See `ports.OldStore.writer`."""
        return JsonRewriter(self._root, JsonRecords(flow), flow.source.dataset)

    def with_ids(self, flow: FlowSpec, records: Sequence[Record]) -> Iterator[Record]:
        """See `ports.OldStore.with_ids`: the rows of the load, where records have moved since."""
        found = locate(self._root, flow.source.dataset)
        rows = enumerate(RowsFile(found.file.path.resolve(), found.shown).read())
        for record in records:
            assert isinstance(record.id, int)
            yield record._replace(id=next(row for place, row in rows if place >= record.id))

    def close(self) -> None:
        """Files close when they are written."""


class JsonRecords:
    """What tells the records of a flow apart: the fields that its key templates see, or their row.

    Raises ConfigurationError for `python:`, of which the file does not show what the templates see.
    """

    def __init__(self, flow: FlowSpec) -> None:
        if flow.python is not None:
            raise ConfigurationError(
                f"flow {flow.name}: records of a JSON file are found by the fields that its key templates see, and "
                "`python:` makes them see others",
                advice="Carry this flow forward only.",
            )
        self._paths, self.by_row = key_fields(flow)

    def encode(self, record: Record) -> Encoded:
        """See `ports.OldCodec.encode`."""
        key = self.key_of(record.fields, record.id if isinstance(record.id, int) else -1)
        if key is None:
            raise Refused(
                "a field that its key is made of is missing", "mend the item at the target", "unfit-key"
            )
        body = render(record.fields, COMPACT)
        return Encoded(key, body, len(body))

    def erased(self, encoded: Encoded) -> Erased:
        """See `ports.OldCodec.erased`."""
        return Erased(encoded.key, b"")

    def key_of(self, fields: Document, row: int) -> bytes | None:
        """Equal where the target takes both for one record; None where fields are missing."""
        if self.by_row:
            return b"%d" % row if row >= 0 else None
        values: list[Value] = []
        for path in self._paths:
            value = get(fields, path)
            if isinstance(value, Missing):
                return None
            values.append(_plain(value))
        return canonical(values)


class JsonRewriter:
    """See `ports.Writer`. All that is given to one call of `write` is one new file."""

    batch_items: int = 1000
    late_write_seconds: float = 0.0

    def __init__(self, root: Folder, records: JsonRecords, dataset: str) -> None:
        self._root = root
        self._records = records
        self._dataset = dataset

    def write(self, batches: Iterable[Sequence[Encoded | Erased]]) -> Iterator[Delivery]:
        """See `ports.Writer.write`; holds what it is given."""
        given = [list(batch) for batch in batches]
        wanted: dict[bytes, Document | None] = {
            each.key: None if isinstance(each, Erased) else decode_value(each.body, 0)
            for batch in given
            for each in batch
        }
        if wanted:
            changes = Changes(wanted, self._records.key_of)
            rewrite(locate(self._root, self._dataset), changes, int if self._records.by_row else None)
        for batch in given:
            yield Delivery(len(batch), sum(each.size_bytes for each in batch), 0.0)

    def limit(self, units_per_second: float | None) -> None:
        """A file has no rate."""

    def close(self) -> None:
        """Nothing is open."""


def _plain(value: Value) -> Value:
    """Numbers by their value: 1 and 1.0 are one key."""
    if is_number(value):
        sign, digits, exponent = Decimal(str(value)).as_tuple()
        text = "".join(map(str, digits)).lstrip("0")
        shorter = text.rstrip("0")
        assert isinstance(exponent, int)
        return [
            "-" if sign and shorter else "",
            shorter,
            exponent + len(text) - len(shorter) if shorter else 0,
        ]
    return value
