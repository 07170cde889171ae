"""What a look at a dataset's records found: the contract between whatever profiles and whatever advises.

Everything here is JSON-ready numbers and text; no value of the data but the examples a report shows.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes of records in bytes, over those read: of a BSON document itself, of a JSON record as compact text.
    `p50` and `p99` are of a bounded digest: within 1 % of the exact value. `total` and `largest` are exact.
    """

    count: int = 0
    total: int = 0
    p50: int = 0
    p99: int = 0
    largest: int = 0


@dataclass(frozen=True, slots=True)
class FieldProfile:
    """One field, by its path as `types:` writes it (`address.city`; `tags[]` for the elements of an array). A path
    that ends in `.*` stands for every field of a document that has too many names to be anything but a map.

    `types` counts values by the name of their type (`core.values.TYPE_NAMES`: `string`, `int`, `objectId` ...), null
    included; `records` is in how many of its parents it is present, `missing` in how many it is not. `distinct` is
    exact while small, else estimated within about 5 %, None where it was not followed (in arrays, for documents).
    `examples` gives one short scalar of each type. `empty` counts empty strings and binaries, `longest` is the most
    bytes a string or binary has. `unfit` counts numbers that the target in view has no number for, `unfit_example`
    is the reason for one of them.
    """

    path: str
    records: int
    missing: int
    types: Mapping[str, int]
    distinct: int | None = None
    examples: Mapping[str, str] = field(default_factory=dict)
    empty: int = 0
    longest: int = 0
    unfit: int = 0
    unfit_example: str = ""

    @property
    def mixed(self) -> bool:
        """Whether it has more than one type, null aside."""
        return len([each for each in self.types if each != "null"]) > 1


@dataclass(frozen=True, slots=True)
class KeyCandidate:
    """A field that could be a key: present in every record read, of one type that a key may have, and its values
    unique or nearly so.

    `duplicates` counts records read whose value another one has too; `proven` says that the source itself or a whole
    read, not a sample, tells that there are none.
    """

    path: str
    type: str
    duplicates: int
    proven: bool


@dataclass(frozen=True, slots=True)
class Fitness:
    """How records stand against the limits of the target in view, as they are: no mapping has touched them. `oversize`
    and `near_limit` count records by the size they would have as items, `largest_item` is the largest in bytes (0:
    none was near enough to be measured). `deepest` is the most levels a record nests, `too_deep` counts those beyond
    what the target takes.
    """

    oversize: int = 0
    near_limit: int = 0
    largest_item: int = 0
    largest_id: str = ""
    deepest: int = 0
    too_deep: int = 0


@dataclass(frozen=True, slots=True)
class DatasetProfile:
    """What was learned of one dataset. `records_read` of about `records_total` were read (None: nobody knows).

    `bias` says how the records read were chosen. `unreadable` counts records that cannot be told exactly, and
    `unreadable_reasons` says why, with how many, for up to 20 reasons. `damaged` is the error that ended the reading of
    a part early, empty for none: what lies behind is not counted. `fields_left_out` says that fields nested deeper than
    those listed were not followed.
    """

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
    bias: str = ""
    fitness: Fitness = Fitness()
    unreadable_reasons: Mapping[str, int] = field(default_factory=dict)
    damaged: str = ""
    fields_left_out: bool = False

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return asdict(self)
