"""What a backup reads and a restore writes: tables, collections and files, each in the form its records have there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from greylag.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from greylag.core.ports import Connector
    from greylag.core.records import Partition
    from greylag.recovery.format import Part, TableBackup


@dataclass(frozen=True, slots=True)
class Described:
    """A dataset as it stands. `identity` differs when it is another; `settings` is what a restore makes it with."""

    identity: str
    estimated_records: int | None
    estimated_bytes: int | None
    settings: Mapping[str, Any] = field(default_factory=dict)


class Chunk(NamedTuple):
    """Some records of a piece, and where reading goes on after them. None: the piece ends here."""

    records: Sequence[bytes]
    cursor: str | None
    bytes_read: int


class Store(Protocol):
    """One connection. Opened in the process that uses it."""

    form: str
    """What its records are: one of `parts.FORMS`."""

    consistency: str
    """A stable word for what a backup of it is, and in `statement` the sentence."""
    statement: str

    def datasets(self) -> Sequence[str]:
        """All that the connection has, sorted."""

    def resolve(self, dataset: str) -> str:
        """What a backup calls `dataset`: the file of a part of one, else the name itself."""

    def describe(self, dataset: str) -> Described:
        """Raises SchemaError where there is none."""

    def operation_time(self) -> str | None:
        """The store's own clock now, by which its change stream goes on; None where it has none."""

    def pieces(self, dataset: str, *, processes: int) -> Iterator[Partition]:
        """Parts that are read on their own and together hold every record once."""

    def read(self, piece: Partition, cursor: str | None, *, chunk_bytes: int) -> Iterator[Chunk]:
        """The records after `cursor` (None: from the start); a chunk without a cursor is the last one."""

    def limit_reading(self, bytes_per_second: float | None) -> None:
        """Safe to call from another thread."""

    def standing(self, dataset: str) -> Standing | None:
        """Whether `dataset` is there to restore into, and whether anything is in it."""

    def unfit(self, dataset: str, backup: TableBackup) -> list[str]:
        """Why the records of `backup` cannot go into `dataset`, which is there."""

    def make(self, dataset: str, backup: TableBackup) -> None:
        """Make `dataset` as the settings of `backup` say, ready to write; what a restore puts back later (`rewire`)
        is left out.
        """

    def write(self, dataset: str, part: Part, offset: int, records: Sequence[bytes]) -> None:
        """All of them, durably; what has their keys is replaced. `offset` is the place of the part's content in that
        of its table. Raises ConnectorError where the store refuses one.
        """

    def limit_writing(self, units_per_second: float | None) -> None:
        """Safe to call from another thread."""

    def finish(self, dataset: str, backup: TableBackup) -> None:
        """All records are written."""

    def remove(self, dataset: str) -> None:
        """Remove `dataset` with all that is in it. No error where there is none. Only for what a drill has made."""

    def close(self) -> None:
        """Let go of connections."""


UNNAMED = ""
"""The identity of what is not there, and of a file: only its content tells one from another."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is there. `identity` differs when it is another."""

    identity: str
    empty: bool


def store_of(connector: Connector) -> Store:
    """The store that a connection is. Raises ConfigurationError for a kind that has no backups."""
    if connector.kind == "dynamodb":
        from greylag.recovery.dynamodb import DynamoDBStore

        return DynamoDBStore(connector)  # type: ignore[arg-type]
    if connector.kind == "json":
        from greylag.recovery.jsonfiles import JsonStore

        return JsonStore(connector)  # type: ignore[arg-type]
    if connector.kind in {"mongodb", "documentdb"}:
        from greylag.recovery.mongodb import MongoStore

        return MongoStore(connector)  # type: ignore[arg-type]
    raise ConfigurationError(
        f"connections of kind {connector.kind} have no backups here",
        advice="Kinds with backups: dynamodb, mongodb, json.",
    )
