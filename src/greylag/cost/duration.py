"""How long AWS takes to accept a full load of one DynamoDB table: from its quotas, never from a local measurement."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_GUIDE: Final = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide"

NEW_TABLE_UNITS: Final = 4_000
"""Write units a second that a new on-demand table, and each of its indexes, takes from its first moment.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html
"""

DOUBLING_SECONDS: Final = 30 * 60
"""An on-demand table takes up to twice its previous peak; more than that within so long may be throttled.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html
"""

TABLE_QUOTA_UNITS: Final = 40_000
"""Write units a second of a table, and of each index, unless AWS raised the quota.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
"""

PARTITION_UNITS: Final = 1_000
"""Write units a second of one partition.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
"""

BATCH_ITEMS: Final = 25
"""Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html"""


@dataclass(frozen=True, slots=True)
class Load:
    """What is written. `units` by place (the table under the empty name, then its indexes); `heaviest` the units of the
    heaviest partition key value there. `capacity` is what a place takes at its start, where DynamoDB tells;
    `stated_units` what the connection lets Greylag spend a second.
    """

    items: int
    units: Mapping[str, int]
    heaviest: Mapping[str, int] = field(default_factory=dict)
    on_demand: bool = True
    exists: bool = False
    capacity: Mapping[str, int] = field(default_factory=dict)
    stated_units: float | None = None


@dataclass(frozen=True, slots=True)
class Assumption:
    """Something the forecast takes for granted, and where it is written."""

    text: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Forecast:
    """`seconds` it takes at least, by what limits it (`bound_by`); `requests` are BatchWriteItem calls."""

    seconds: float
    bound_by: str
    requests: int
    assumptions: tuple[Assumption, ...]

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return {
            "seconds": round(self.seconds, 1),
            "bound_by": self.bound_by,
            "requests": self.requests,
            "assumptions": [{"text": each.text, "source": each.source or None} for each in self.assumptions],
        }


def forecast(load: Load) -> Forecast:
    """The longest of what each limit asks for: capacity with its ramp, the heaviest partition, the stated rate."""
    limits: dict[str, float] = {}
    for place, units in load.units.items():
        where = f"index {place}" if place else "the table"
        limits[f"the capacity of {where}"] = _capacity_seconds(load, place, units)
    for place, units in load.heaviest.items():
        where = f" of index {place}" if place else ""
        limits[f"the heaviest partition key{where}"] = units / PARTITION_UNITS
    if load.stated_units is not None:
        limits["write_units_per_second of the connection"] = sum(load.units.values()) / load.stated_units
    bound_by = max(limits, key=lambda each: limits[each], default="nothing")
    return Forecast(
        limits.get(bound_by, 0.0), bound_by, -(-load.items // BATCH_ITEMS), tuple(_assumptions(load))
    )


def _capacity_seconds(load: Load, place: str, units: int) -> float:
    start = load.capacity.get(place, NEW_TABLE_UNITS)
    return ramp_seconds(units, start) if load.on_demand else units / max(1, start)


def ramp_seconds(units: float, start: float) -> float:
    """How long `units` take that begin at `start` a second and may double every half hour up to the quota."""
    seconds, rate = 0.0, min(start, TABLE_QUOTA_UNITS)
    while rate < TABLE_QUOTA_UNITS and units > rate * DOUBLING_SECONDS:
        units -= rate * DOUBLING_SECONDS
        seconds += DOUBLING_SECONDS
        rate = min(2 * rate, TABLE_QUOTA_UNITS)
    return seconds + units / rate


def _assumptions(load: Load) -> list[Assumption]:
    told = []
    if not load.on_demand:
        told.append(
            Assumption(
                f"The table keeps its provisioned capacity of {load.capacity.get('', 0):,} write units a second.",
                f"{_GUIDE}/provisioned-capacity-mode.html",
            )
        )
    else:
        start = load.capacity.get("")
        known = (
            f"The table takes {start:,} write units a second at once: DynamoDB says it is warm for that."
            if start is not None
            else f"{'The table is quiet' if load.exists else 'The table is new'}: it takes {NEW_TABLE_UNITS:,} write "
            "units a second at once, and so does each of its indexes."
        )
        told += [
            Assumption(known, f"{_GUIDE}/on-demand-capacity-mode.html"),
            Assumption(
                "It takes twice its previous peak after each half hour.",
                f"{_GUIDE}/on-demand-capacity-mode.html",
            ),
            Assumption(
                f"A table and each of its indexes take no more than {TABLE_QUOTA_UNITS:,} write units a second: AWS's "
                "default quota.",
                f"{_GUIDE}/ServiceQuotas.html",
            ),
        ]
    return [
        *told,
        Assumption(
            f"A partition takes {PARTITION_UNITS:,} write units a second, and the items of one partition key value "
            "stand in one partition.",
            f"{_GUIDE}/bp-partition-key-design.html",
        ),
        Assumption(
            "An item costs a write unit for each KB begun, in the table and again in each index it enters; indexes "
            "hold whole items, and no item is there already.",
            f"{_GUIDE}/CapacityUnitCalculations.html",
        ),
        Assumption(
            f"Items go {BATCH_ITEMS} to a BatchWriteItem.",
            "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html",
        ),
        Assumption(
            "Items of different keys arrive mixed; the source, this machine and the network between keep up; nobody "
            "else writes to the table."
        ),
    ]
