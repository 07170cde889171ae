"""How private subnets reach the internet, and what that costs a month."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from greylag.cost.bill import HOURS, Bill

if TYPE_CHECKING:
    from greylag.cost.bill import Account, Line

INSTANCE: Final = "t4g.nano"
INSTANCE_GB: Final = 8


def nat_gateway(account: Account, *, gigabytes: Decimal, count: int = 1) -> Bill:
    """Gateways by the hour, with an address each, and all that passes, by the GB."""
    return Bill(
        (
            account.line(
                "NAT gateway", "ec2", "nat-gateway-hour", Decimal(count * HOURS), f"{count} x {HOURS} hours"
            ),
            account.line("NAT gateway: what passes", "ec2", "nat-gateway-gb", gigabytes),
            _address(account, count),
        )
    )


def nat_instance(account: Account, *, count: int = 1) -> Bill:
    """A small instance with its disk and its address. What passes is not charged for."""
    return Bill(
        (
            account.line(
                f"NAT instance {INSTANCE}",
                "ec2",
                INSTANCE,
                Decimal(count * HOURS),
                f"{count} x {HOURS} hours",
            ),
            account.line("NAT instance: disk", "ec2", "gp3-storage", Decimal(INSTANCE_GB * count)),
            _address(account, count),
        )
    )


def _address(account: Account, count: int) -> Line:
    return account.line("public address", "vpc", "public-ipv4-hour", Decimal(count * HOURS))
