"""What a cache costs a month: ElastiCache by the node, and serverless."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from greylag.cost.bill import HOURS, Bill, number

if TYPE_CHECKING:
    from greylag.cost.bill import Account

LEAST_GB: Final = {"redis": Decimal(1), "valkey": Decimal("0.1")}
"""What a serverless cache is billed for at least. Source: https://aws.amazon.com/elasticache/pricing/"""

ECPU_BYTES: Final = 1024
"""One ECPU for each so many bytes of a simple read or write.

Source: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/WhatIs.corecomponents.html
"""


def nodes(account: Account, name: str, *, engine: str, node: str, count: int) -> Bill:
    """A node and its replicas, by the hour."""
    return Bill(
        (
            account.line(
                f"{name}: {count} x {node}",
                "elasticache",
                f"{engine}-{node}",
                Decimal(count * HOURS),
                f"{count} x {HOURS} hours",
            ),
        )
    )


def serverless(
    account: Account, name: str, *, engine: str, kept_gb: Decimal, calls: Decimal, item_bytes: int
) -> Bill:
    """What it keeps, and its calls by the KB."""
    kept = max(kept_gb, LEAST_GB[engine])
    units = calls * max(Decimal(1), Decimal(item_bytes) / ECPU_BYTES)
    return Bill(
        (
            account.line(
                f"{name}: kept",
                "elasticache",
                f"{engine}-gb-hour",
                kept * HOURS,
                f"{number(kept)} GB x {HOURS} hours",
            ),
            account.line(
                f"{name}: calls",
                "elasticache",
                f"{engine}-ecpu",
                units,
                f"{number(calls)} calls of {item_bytes:,} B",
            ),
        )
    )
