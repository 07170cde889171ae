"""The shape of `traffic:` and `budget:` of a service: what `greylag cost` reckons with.

Every key is optional. What is not said is not reckoned, but for sizes, which the data itself tells.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field

from greylag.config.section import Section

_RATE = re.compile(r"(\d+(?:\.\d+)?)/(s|m|h|d|month)", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
MONTH_SECONDS = 730 * 3600
"""A month has 730 hours, as in AWS's own calculator.

Source: https://docs.aws.amazon.com/pricing-calculator/latest/userguide/faq.html
"""


def rate(text: str) -> Decimal:
    """How many a month `20/s`, `500/m`, `500/h`, `10000/d` or `3000000/month` are. Raises ValueError for others."""
    match = _RATE.fullmatch(text)
    if match is None:
        raise ValueError(
            f"{text!r} is not a rate: write a number, / and s, m, h, d or month, such as 20/s or 5000/d"
        )
    number, unit = Decimal(match[1]), match[2]
    return number if unit == "month" else number * MONTH_SECONDS / _SECONDS[unit]


def _rate(text: str) -> str:
    rate(text)
    return text


Rate = Annotated[str, AfterValidator(_rate)]
Share = Annotated[Decimal, Field(ge=0, le=1)]
Positive = Annotated[Decimal, Field(gt=0)]
Money = Annotated[Decimal, Field(ge=0)]


class Traffic(Section):
    """What a service is asked to do, on average, and what it keeps."""

    reads: Rate | None = Field(None, description="Records read from its tables: 20/s, 5000/d, 3000000/month.")
    writes: Rate | None = Field(None, description="Records written or deleted in its tables.")
    items: int | None = Field(
        None, ge=0, description="Records its tables keep; without it, the assessment counts."
    )
    item_bytes: int | None = Field(
        None, ge=1, le=409_600, description="Bytes of a record; without it, the assessment measures."
    )
    consistent: Share = Field(
        Decimal(0), description="Share of reads that are strongly consistent, from 0 to 1."
    )
    requests: Rate | None = Field(None, description="Calls of its API, or of its function.")
    response_bytes: int = Field(2048, ge=0, description="Bytes of an answer of the API.")
    milliseconds: int = Field(100, ge=1, le=900_000, description="How long a call of its function takes.")
    messages: Rate | None = Field(None, description="Messages through its queue.")
    message_bytes: int = Field(1024, ge=1, le=1_048_576, description="Bytes of a message.")
    objects: int | None = Field(None, ge=0, description="Files its bucket keeps.")
    object_bytes: int = Field(102_400, ge=1, description="Bytes of a file.")
    uploads: Rate | None = Field(None, description="Files written into its bucket.")
    downloads: Rate | None = Field(None, description="Files read from its bucket or its CDN.")
    archived: Share = Field(
        Decimal(0), description="Share of files old enough for infrequent access, from 0 to 1."
    )
    hit_rate: Share = Field(
        Decimal(0), description="Share of reads that its cache answers, or would, from 0 to 1."
    )
    peak: Decimal = Field(Decimal(1), ge=1, description="The busiest hour against the mean: 4 is four times.")
    low: Positive = Field(Decimal("0.5"), description="The least to reckon with, as a multiple of the mean.")
    high: Positive = Field(Decimal(2), description="The most to reckon with, as a multiple of the mean.")
    tenants: int | None = Field(None, ge=1, description="Customers that share the service.")


class Budget(Section):
    """What a service may cost, in US dollars; `greylag cost` ends with exit code 12 where it costs more."""

    monthly_usd: Money | None = Field(None, description="A month.")
    per_call_usd: Money | None = Field(None, description="For each of `requests`.")
    per_tenant_usd: Money | None = Field(None, description="For each of `tenants`, a month.")
    now_usd: Money | None = Field(
        None, description="What the set-up that is left behind costs a month, for comparison."
    )
