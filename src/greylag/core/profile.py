"""What a look at a dataset's records found: the contract between whatever profiles and whatever advises.

Everything here is JSON-ready numbers and text; no value of the data but the examples a report shows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes in bytes of source, over the records read. `p50` and `p99` are of a bounded digest: within 1 % of rank."""

    count: int = 0
    total: int = 0
    p50: int = 0
    p99: int = 0
    largest: int = 0


@dataclass(frozen=True, slots=True)
class FieldProfile:
    """One field, by its path as templates write it (`address.city`; `tags.*` for every element of a list).

    `types` counts values by the type's name as `types:` writes it (`string`, `int32`, `objectId` ...), null included;
    `records` is in how many of its parents it is present, `missing` in how many it is not. `distinct` is exact
    while small, else estimated, None where it was not followed. `examples` gives one short value of each type.
    """

    path: str
    records: int
    missing: int
    types: Mapping[str, int]
    distinct: int | None = None
    examples: Mapping[str, str] = field(default_factory=dict)

    @property
    def mixed(self) -> bool:
        """Whether it has more than one type, null aside."""
        return len([each for each in self.types if each != "null"]) > 1


@dataclass(frozen=True, slots=True)
class KeyCandidate:
    """A field that could be a key: present in every record, of one type, and unique in those read.

    `duplicates` counts records whose value another record had too; `proven` says that the source itself or a whole
    read says so, not a sample.
    """

    path: str
    type: str
    duplicates: int
    proven: bool


@dataclass(frozen=True, slots=True)
class DatasetProfile:
    """What was learned of one dataset. `records_read` of about `records_total` were read (None: nobody knows)."""

    dataset: str
    family: str
    records_total: int | None
    bytes_total: int | None
    records_read: int
    whole: bool
    sizes: Sizes
    fields: tuple[FieldProfile, ...]
    keys: tuple[KeyCandidate, ...] = ()
    unreadable: int = 0
