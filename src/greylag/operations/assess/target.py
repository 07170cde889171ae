"""DynamoDB's limits, as a look at a source holds records against them."""

from __future__ import annotations

from typing import Final

from greylag.connectors.dynamodb import limits
from greylag.connectors.dynamodb.fitness import number_problem, record_bytes
from greylag.engine.profiling.target import Holds

NEAR_BYTES: Final = limits.ITEM_BYTES * 9 // 10
"""A record beyond this is near the limit: what a mapping adds may carry it over."""

DYNAMODB: Final = Holds(
    item_bytes=limits.ITEM_BYTES,
    near_bytes=NEAR_BYTES,
    measured_bytes=NEAR_BYTES // 3,  # no type is three times as large in an item as at its source
    levels=limits.NESTING_LEVELS,
    record_bytes=record_bytes,
    number_problem=number_problem,
)
