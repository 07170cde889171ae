"""What a backup consists of: a manifest and its parts. docs/backup-format.md says the same to other programs."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from greylag.errors import SourceDataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MANIFEST: Final = "manifest.json"
FORMAT: Final = "greylag-backup"
VERSION: Final = 1
_PART = re.compile(r"data/[0-9]{4}/[0-9]{6}-[0-9]{6}\.gz")
_WRITTEN = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a backup: `records` of a table, compressed.

    `bytes` and `sha256` are those of the file, `content_bytes` of what it holds decompressed. `digest` is the sum of
    the records' SHA-256 (see `digests`). `piece` and `place` order the parts of a table.
    """

    file: str
    piece: int
    place: int
    bytes: int
    sha256: str
    records: int
    content_bytes: int
    digest: str


@dataclass(frozen=True, slots=True)
class Consistency:
    """What moment the records are of. `kind` is a stable word, `statement` says it in a sentence."""

    kind: str
    from_time: str
    until_time: str
    statement: str
    operation_time: str | None = None


@dataclass(frozen=True, slots=True)
class TableBackup:
    """One table, collection or file. `name` is connection.dataset as it was; a restore makes it with `settings`."""

    name: str
    kind: str
    form: str
    identity: str
    records: int
    content_bytes: int
    digest: str
    consistency: Consistency
    settings: Mapping[str, Any] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()

    @property
    def dataset(self) -> str:
        """Its name without the connection's."""
        return self.name.partition(".")[2]


@dataclass(frozen=True, slots=True)
class Manifest:
    """A finished backup. Times are UTC."""

    id: str
    project: str
    environment: str
    made_by: str
    started_at: str
    finished_at: str
    tables: tuple[TableBackup, ...]

    def files(self) -> dict[str, Part]:
        """Every part by its file."""
        return {part.file: part for table in self.tables for part in table.parts}

    def finished(self) -> datetime:
        """When it was finished."""
        return moment_of(self.finished_at)

    def encoded(self) -> bytes:
        """The content of manifest.json: its last key is the digest of all that stands before."""
        document = {"format": FORMAT, "version": VERSION, **asdict(self)}
        return json.dumps({**document, "sha256": _sealed(document)}, indent=1).encode() + b"\n"


def manifest_of(content: bytes, where: str) -> Manifest:
    """Raises SourceDataError for what is no manifest, or no longer the one that was written."""
    try:
        document = json.loads(content)
        seal = document.pop("sha256")
        if document["format"] != FORMAT:
            raise ValueError("its format is another")  # noqa: TRY301
        if document["version"] != VERSION:
            raise SourceDataError(
                f"{where} is of version {document['version']}, this Greylag reads {VERSION}",
                advice="Restore it with the version of Greylag that made it, or a newer one.",
            )
        if seal != _sealed(document):
            raise SourceDataError(
                f"{where} was altered after it was written: its digest does not fit",
                advice="Restore another backup, or an unaltered copy of this one. Nothing was written.",
            )
        del document["format"], document["version"]
        manifest = Manifest(**{**document, "tables": tuple(_table(each) for each in document["tables"])})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SourceDataError(
            f"{where} is not the manifest of a backup: {type(error).__name__}",
            advice="It is damaged, or something else. Nothing was written.",
        ) from error
    unfit = [file for file in manifest.files() if not _PART.fullmatch(file)]
    if unfit:
        raise SourceDataError(f"{where} names {unfit[0]!r}, which no part of a backup is called")
    return manifest


def part_file(table: int, piece: int, place: int) -> str:
    """Where a part stands in a backup. Written again after an interruption, it has the same name."""
    return f"data/{table:04}/{piece:06}-{place:06}.gz"


def part_of(document: Mapping[str, Any]) -> Part:
    """From its JSON."""
    return Part(**document)


def now() -> str:
    """As a manifest writes it."""
    return written(datetime.now(UTC))


def written(moment: datetime) -> str:
    """`moment` as a manifest writes it."""
    return moment.astimezone(UTC).strftime(_WRITTEN)


def moment_of(text: str) -> datetime:
    """The moment that a manifest writes so. Raises ValueError."""
    return datetime.strptime(text, _WRITTEN).replace(tzinfo=UTC)


class Digest:
    """A digest of records that does not depend on their order: the sum of their SHA-256 modulo 2**256.

    It tells a lost, added or changed record; it is no defence against someone who makes records to fit it. That is
    what the parts' own SHA-256 are for.
    """

    __slots__ = ("_sum",)

    def __init__(self, start: str = "0") -> None:
        self._sum = int(start, 16)

    def add(self, records: Iterable[bytes]) -> None:
        """Count them in."""
        sha256, number = hashlib.sha256, int.from_bytes
        self._sum += sum([number(sha256(each).digest()) for each in records])

    def join(self, other: str) -> None:
        """Count in what another digest has."""
        self._sum += int(other, 16)

    def text(self) -> str:
        """64 hexadecimal digits."""
        return f"{self._sum % (1 << 256):064x}"


def _table(document: Mapping[str, Any]) -> TableBackup:
    return TableBackup(
        **{
            **document,
            "consistency": Consistency(**document["consistency"]),
            "parts": tuple(part_of(each) for each in document["parts"]),
        }
    )


def _sealed(document: Mapping[str, Any]) -> str:
    plain = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(plain.encode()).hexdigest()
