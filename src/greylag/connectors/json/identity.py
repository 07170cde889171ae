"""What tells the records of a followed file apart, and how a change of one is written down.

A file has no ids of its own. Records are told apart by the fields that key templates see, by their place in the file
where a template sees that (the file may then only grow at its end), or by their digest: an edit is then a delete and an
insert. A change's document is a line that says what it is, and then the record in extended JSON.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from greylag.core import extended_json
from greylag.core.canonical import canonical
from greylag.core.paths import MISSING, get
from greylag.core.records import Record, Rejection
from greylag.core.values import Undefined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greylag.core.change import Followed, RawChange
    from greylag.core.paths import Path
    from greylag.core.values import Value

FORM: Final = "json"
AMBIGUOUS: Final = b""
"""The digest that stands for several records of one identity."""

_AMBIGUOUS_FIX = (
    "Mend the file so that one record has this identity; it is carried as soon as one alone does."
)
_DAMAGED = "a change that was written down is damaged"


@dataclass(frozen=True, slots=True)
class Identity:
    """How the records of one dataset are told apart."""

    fields: tuple[Path, ...]
    rows: bool

    @classmethod
    def of(cls, followed: Followed) -> Identity:
        """By rows where one template sees them, else by digest where one does or none sees any field."""
        if followed.rows:
            return cls((), rows=True)
        return cls(() if followed.digests else followed.fields, rows=False)

    def __str__(self) -> str:
        return "rows" if self.rows else json.dumps(self.fields) if self.fields else "digests"

    def of_record(self, record: Record) -> bytes:
        """The id of its changes."""
        if self.rows:
            return b"%d" % row_of(record)
        if not self.fields:
            return digest_of(record)
        return canonical([_or_undefined(get(record.fields, path)) for path in self.fields])

    def of_rejection(self, rejection: Rejection) -> bytes:
        """The same for a record that cannot be carried, of which no field is known."""
        return b"%d" % row_of(rejection) if self.rows else b"?" + digest_of(rejection)


def row_of(found: Record | Rejection) -> int:
    """Its place in its file, from 0."""
    assert isinstance(found.id, int)
    return found.id


def digest_of(found: Record | Rejection) -> bytes:
    """Differs when the record does."""
    if isinstance(found, Record):
        return hashlib.sha256(canonical(found.fields)).digest()
    return hashlib.sha256(b"?" + (found.raw or b"") + found.reason.encode()).digest()


def written(found: Record | Rejection) -> bytes:
    """The document of a change to it."""
    if isinstance(found, Record):
        fields = extended_json.dumps(found.fields).encode("utf-8", "surrogatepass")
        return b"record %d\n%b" % (row_of(found), fields)
    told = json.dumps([found.reason, found.fix]).encode()
    return b"rejected %d\n%b\n%b" % (row_of(found), told, found.raw or b"")


def ambiguous(rows: Sequence[int], shown: str) -> bytes:
    """The document of a change after which several records have one identity."""
    listed = ", ".join(map(str, rows))
    reason = f"{shown} has more than one record of this identity: row {listed}, and perhaps more"
    return written(Rejection(rows[0], reason, _AMBIGUOUS_FIX, raw=b""))


def read_back(change: RawChange) -> Record | Rejection:
    """The inverse of `written`."""
    assert change.document is not None
    head, _, rest = change.document.partition(b"\n")
    kind, _, row = head.partition(b" ")
    try:
        if kind == b"rejected":
            told, _, raw = rest.partition(b"\n")
            reason, fix = json.loads(told)
            return Rejection(int(row), reason, fix, raw=raw)
        fields = extended_json.loads(rest.decode("utf-8", "surrogatepass"))
        assert isinstance(fields, dict)
        return Record(int(row), fields)
    except ValueError:
        return Rejection(None, _DAMAGED, "Report it.", raw=rest)


def _or_undefined(value: object) -> Value:
    return Undefined() if value is MISSING else value  # type: ignore[return-value]
