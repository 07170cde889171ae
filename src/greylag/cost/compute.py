"""What programs cost a month: Lambda functions and Fargate containers."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from greylag.cost.bill import HOURS, Bill, number

if TYPE_CHECKING:
    from greylag.cost.bill import Account


def function(
    account: Account,
    name: str,
    *,
    calls: Decimal,
    milliseconds: int,
    memory_mb: int,
    arm: bool = True,
    warm: int = 0,
) -> Bill:
    """A Lambda function: its calls, and GB-seconds by whole milliseconds. `warm` copies are kept at all hours."""
    suffix = "-arm" if arm else ""
    seconds = calls * milliseconds * memory_mb / (1000 * 1024)
    lines = [
        account.line(f"{name}: calls", "lambda", f"request{suffix}", calls),
        account.line(
            f"{name}: compute",
            "lambda",
            f"gb-second{suffix}",
            seconds,
            f"{number(calls)} calls x {milliseconds:,} ms x {memory_mb:,} MB",
        ),
    ]
    if warm:
        kept = Decimal(warm * memory_mb * HOURS * 3600) / 1024
        lines.append(
            account.line(
                f"{name}: {warm} copies kept warm",
                "lambda",
                f"provisioned-gb-second{suffix}",
                kept,
                f"{warm} x {memory_mb:,} MB x {HOURS} hours",
            )
        )
    return Bill(tuple(lines))


def containers(
    account: Account,
    name: str,
    *,
    count: Decimal,
    cpu: int,
    memory_mb: int,
    arm: bool = True,
    hours: Decimal = Decimal(HOURS),
) -> Bill:
    """Fargate tasks by the vCPU and the GB. `cpu` is in 1/1024 vCPU; the first 20 GB of disk are free."""
    suffix = "-arm" if arm else ""
    cores, memory = Decimal(cpu) / 1024, Decimal(memory_mb) / 1024
    worked = f"{number(count)} tasks x {number(hours)} hours"
    return Bill(
        (
            account.line(
                f"{name}: processors",
                "fargate",
                f"vcpu-hour{suffix}",
                count * cores * hours,
                f"{worked} x {number(cores)} vCPU",
            ),
            account.line(
                f"{name}: memory",
                "fargate",
                f"gb-hour{suffix}",
                count * memory * hours,
                f"{worked} x {number(memory)} GB",
            ),
        )
    )
