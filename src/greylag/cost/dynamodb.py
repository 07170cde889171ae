"""What a DynamoDB table costs a month: on demand, and provisioned with autoscaling."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Final

from greylag.cost.bill import GB, HOURS, SECONDS, Bill, number

if TYPE_CHECKING:
    from greylag.cost.bill import Account, Line

WRITE_BYTES: Final = 1024
READ_BYTES: Final = 4096
"""Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html"""

ITEM_OVERHEAD: Final = 100
"""Bytes added to each item for billing of storage.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

TARGET: Final = Decimal("0.7")
"""The share of the capacity that autoscaling keeps in use unless told otherwise.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/AutoScaling.html
"""


@dataclass(frozen=True, slots=True)
class TableUse:
    """A table in a month. `indexes` hold whole items; `consistent` is the share of reads that are strongly consistent;
    `peak` the busiest hour against the mean; `replicas` other regions that get every write.
    """

    name: str
    reads: Decimal = Decimal(0)
    writes: Decimal = Decimal(0)
    items: int = 0
    item_bytes: int = 1024
    indexes: int = 0
    consistent: Decimal = Decimal(0)
    peak: Decimal = Decimal(1)
    pitr: bool = True
    replicas: int = 0


def write_units(item_bytes: int) -> int:
    """Units of one write: one for each KB begun."""
    return max(1, -(-item_bytes // WRITE_BYTES))


def read_units(item_bytes: int, consistent: Decimal = Decimal(0)) -> Decimal:
    """Units of one read on average: one for each 4 KB begun, half where it is eventually consistent."""
    return max(1, -(-item_bytes // READ_BYTES)) * (1 + consistent) / 2


def storage_gb(items: int, item_bytes: int, indexes: int) -> Decimal:
    """What a table and its indexes keep."""
    return Decimal(items * (item_bytes + ITEM_OVERHEAD) * (1 + indexes)) / GB


def on_demand(account: Account, use: TableUse) -> Bill:
    """Paid by the request."""
    each = write_units(use.item_bytes) * (1 + use.indexes)
    written = use.writes * each
    lines = [
        account.line(
            f"{use.name}: writes",
            "dynamodb",
            "write-request-unit",
            _whole(written),
            f"{number(use.writes)} writes of {use.item_bytes:,} B x {write_units(use.item_bytes)} "
            f"x (table + {use.indexes} indexes)",
        ),
        account.line(
            f"{use.name}: reads", "dynamodb", "read-request-unit", _whole(_read(use)), _reading(use)
        ),
    ]
    if use.replicas:
        lines.append(
            account.line(
                f"{use.name}: writes in other regions",
                "dynamodb",
                "replicated-write-request-unit",
                _whole(written * use.replicas),
                f"{number(written)} units x {use.replicas} regions",
            )
        )
    return Bill((*lines, *_kept(account, use)))


def provisioned(account: Account, use: TableUse, *, held: bool = False) -> Bill:
    """Paid by the hour of capacity. Autoscaling keeps 70 % of it in use and follows the mean; `held` keeps what the
    peak needs at all hours, which is what it comes to where traffic moves faster than autoscaling.
    """
    times = use.peak if held else Decimal(1)
    writing = _capacity(use.writes * write_units(use.item_bytes) * times)
    reading = _capacity(_read(use) * times)
    shape = "the peak" if held else "the mean"
    lines = [
        account.line(
            f"{use.name}: write capacity",
            "dynamodb",
            "write-capacity-hour",
            writing * (1 + use.indexes) * HOURS,
            f"{writing} units at 70 % of {shape} x (table + {use.indexes} indexes) x {HOURS} hours",
        ),
        account.line(
            f"{use.name}: read capacity",
            "dynamodb",
            "read-capacity-hour",
            (reading + use.indexes) * HOURS,
            f"({reading} units at 70 % of {shape} + {use.indexes} for indexes) x {HOURS} hours",
        ),
    ]
    if use.replicas:
        lines.append(
            account.line(
                f"{use.name}: write capacity in other regions",
                "dynamodb",
                "replicated-write-capacity-hour",
                writing * (1 + use.indexes) * use.replicas * HOURS,
                f"{writing} units x (table + {use.indexes} indexes) x {use.replicas} regions x {HOURS} hours",
            )
        )
    return Bill((*lines, *_kept(account, use)))


def _read(use: TableUse) -> Decimal:
    return use.reads * read_units(use.item_bytes, use.consistent)


def _reading(use: TableUse) -> str:
    each = read_units(use.item_bytes, use.consistent)
    return f"{number(use.reads)} reads of {use.item_bytes:,} B x {number(each)} ({use.consistent:.0%} consistent)"


def _capacity(units: Decimal) -> int:
    return max(1, int((units / SECONDS / TARGET).to_integral_value(ROUND_CEILING)))


def _kept(account: Account, use: TableUse) -> list[Line]:
    size = storage_gb(use.items, use.item_bytes, use.indexes)
    copies = 1 + use.replicas
    worked = (
        f"{use.items:,} items x ({use.item_bytes:,} + {ITEM_OVERHEAD} B) x (table + {use.indexes} indexes)"
        + (f" x {copies} regions" if use.replicas else "")
    )
    lines = [account.line(f"{use.name}: storage", "dynamodb", "storage", size * copies, worked)]
    if use.pitr:
        table = storage_gb(use.items, use.item_bytes, 0)
        lines.append(
            account.line(
                f"{use.name}: point-in-time recovery",
                "dynamodb",
                "pitr",
                table,
                f"{use.items:,} items, without indexes",
            )
        )
    return lines


def _whole(value: Decimal) -> Decimal:
    return value.to_integral_value(ROUND_CEILING)
