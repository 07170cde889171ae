"""A month's bill: lines of quantity, price and dollars, and the account they are put to.

An account is what AWS bills: tiers and free allowances count all that it uses in a month, whatever uses it. So lines
are put to it in order, and the same line may cost nothing first and something later.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from greylag.cost.prices import Allowance, Price, PriceList

CENT: Final = Decimal("0.01")
HOURS: Final = 730
"""Of a month, as in AWS's own calculator.

Source: https://docs.aws.amazon.com/pricing-calculator/latest/userguide/faq.html
"""
SECONDS: Final = HOURS * 3600
GB: Final = 2**30
"""Source: https://aws.amazon.com/s3/pricing/ and https://aws.amazon.com/fargate/pricing/"""

Free = Literal["none", "always", "first-year"]
"""Which allowances an account has; those of the first year beside what everyone always has."""


def cents(amount: Decimal) -> Decimal:
    """Rounded to a cent, half up: what AWS charges for a line."""
    return amount.quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Line:
    """`quantity` units of a price; `free` of them cost nothing. `exact` is not rounded. `worked` says where the
    quantity comes from.
    """

    what: str
    quantity: Decimal
    free: Decimal
    exact: Decimal
    price: Price
    arithmetic: str
    worked: str = ""

    @property
    def dollars(self) -> Decimal:
        """As it is billed."""
        return cents(self.exact)

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return {
            "what": self.what,
            "quantity": plain(self.quantity),
            "unit": self.price.unit,
            "free": plain(self.free),
            "dollars": str(self.dollars),
            "exact": plain(self.exact),
            "worked": self.worked or None,
            "arithmetic": self.arithmetic,
            "price": self.price.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Bill:
    """Lines that belong together."""

    lines: tuple[Line, ...] = ()

    @property
    def dollars(self) -> Decimal:
        """The sum of what is billed: every line rounded by itself."""
        return sum((each.dollars for each in self.lines), Decimal("0.00"))

    @property
    def exact(self) -> Decimal:
        """Not rounded, for comparisons."""
        return sum((each.exact for each in self.lines), Decimal(0))

    def __add__(self, other: Bill) -> Bill:
        return Bill((*self.lines, *other.lines))


def total(bills: Iterable[Bill]) -> Bill:
    """All of their lines."""
    return Bill(tuple(line for each in bills for line in each.lines))


@dataclass
class Account:
    """What was used so far in a month, at the prices of one region."""

    prices: PriceList
    free: Free = "always"
    _used: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    _given: dict[Allowance, Decimal] = field(default_factory=dict)

    def line(self, what: str, service: str, sku: str, quantity: int | Decimal, worked: str = "") -> Line:
        """Use so much of it. Raises MissingPrice."""
        price = self.prices.price(service, sku)
        amount = Decimal(quantity)
        used = self._used.get((service, sku), Decimal(0))
        given = self._give(service, sku, amount)
        self._used[service, sku] = used + amount
        parts = price.parts(amount - given, used + given)
        exact = price.of(amount - given, used + given)
        return Line(
            what, amount, given, exact, price, _arithmetic(price, amount, given, parts, exact), worked
        )

    def _give(self, service: str, sku: str, amount: Decimal) -> Decimal:
        allowance = self.prices.allowance(service, sku)
        if allowance is None or not self._has(allowance):
            return Decimal(0)
        left = self._given.get(allowance, allowance.amount)
        given = min(left, amount)
        self._given[allowance] = left - given
        return given

    def _has(self, allowance: Allowance) -> bool:
        return self.free == "first-year" or (self.free == "always" and allowance.when == "always")


def _arithmetic(
    price: Price,
    amount: Decimal,
    given: Decimal,
    parts: tuple[tuple[Decimal, Decimal], ...],
    exact: Decimal,
) -> str:
    noun = price.unit
    text = f"{number(amount)} {noun}"
    if given:
        text += f" - {number(given)} free = {number(amount - given)}"
    each = "" if price.per == 1 else f" / {price.per:,}"
    if len(parts) > 1:
        text += ": " + " + ".join(f"{number(part)}{each} x ${rate}" for part, rate in parts)
    else:
        text += f"{each} x ${parts[0][1] if parts else price.price}"
    return f"{text} = {money(cents(exact))}"


def plain(value: Decimal) -> str:
    """Without an exponent and without zeros at its end."""
    return format(value.normalize(), "f")


def number(value: Decimal) -> str:
    """With commas, and with no more places than say something."""
    if value == value.to_integral_value():
        return f"{value:,.0f}"
    return f"{value:,.3f}".rstrip("0").rstrip(".") if value >= 1 else plain(value.quantize(Decimal("1e-6")))


def money(amount: Decimal) -> str:
    """$1,234.50; less than a cent with as many places as say something."""
    if amount and abs(amount) < CENT:
        return f"${plain(Decimal(f'{amount:.2g}'))}"
    return f"{'-' if amount < 0 else ''}${abs(cents(amount)):,.2f}"
