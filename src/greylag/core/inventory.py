"""What a source knows of a dataset beside its records, and a sample of those."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from greylag.core.records import Page


@dataclass(frozen=True, slots=True)
class Index:
    """An index of the source. `keys` are (path, kind) in order; kinds: `ascending`, `descending`, and what else the
    source has (`text`, `2dsphere`, `hashed`, `wildcard` ...). `partial` is the filter it keeps to, as text, empty
    for none; `options` is what else was set (collation, weights ...), JSON-ready.
    """

    name: str
    keys: tuple[tuple[str, str], ...]
    unique: bool = False
    sparse: bool = False
    ttl_seconds: float | None = None
    partial: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Growth:
    """How a dataset grew, as far as that can be seen without reading it. `since` and `until` are ISO 8601 moments of
    its first and latest record; `recent_records` came in the last `recent_days` before `until`. None: not known.
    `basis` says in a sentence how it is known.
    """

    basis: str
    since: str | None = None
    until: str | None = None
    recent_records: int | None = None
    recent_days: int | None = None


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a source knows of a dataset without reading it.

    `form` is what the dataset is at its source ("collection", "JSON Lines" ...), `topology` what serves it
    ("standalone", "replica set", "sharded cluster"; empty where nothing does), `server` its name and version.
    `options` are those the dataset was made with, JSON-ready. `change_window_seconds` is how far back the change
    stream reaches now, None where it has none or does not tell.
    """

    dataset: str
    form: str
    topology: str = ""
    server: str = ""
    stored_bytes: int | None = None
    index_bytes: int | None = None
    indexes: tuple[Index, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    growth: Growth | None = None
    change_window_seconds: float | None = None

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        told = asdict(self)
        told["indexes"] = [
            {**asdict(each), "keys": [{"path": path, "kind": kind} for path, kind in each.keys]}
            for each in self.indexes
        ]
        return told


@dataclass(frozen=True, slots=True)
class Sample:
    """Some records of a dataset. `whole`: it is all of them. `bias` says in a sentence how they were chosen and which
    are likelier than others. A record's `id` may be None where the source would have to count to know it.
    """

    pages: Iterator[Page]
    bias: str
    whole: bool = False
