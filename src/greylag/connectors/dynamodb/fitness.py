"""Whether records could be items as they are, before any mapping: what a look at a source asks."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from greylag.connectors.dynamodb.encoder import Encoder
from greylag.connectors.dynamodb.hints import RESERVED
from greylag.connectors.dynamodb.numbers import decimal_text, float_text, int_text
from greylag.connectors.dynamodb.size import item_bytes
from greylag.connectors.dynamodb.unfit import Unfit
from greylag.core import extended_json
from greylag.core.flows import DatasetRef, FlowSpec, TableSpec
from greylag.core.records import Item

if TYPE_CHECKING:
    from greylag.core.values import Document


def record_bytes(record: Document, family: str) -> int:
    """What DynamoDB would count for the record as an item, type hints aside; of one that it cannot hold for another
    reason, the length of its extended JSON.
    """
    try:
        attributes, _, _ = _encoder(family).encode(Item(record), sort=False)
    except Unfit:
        return len(extended_json.dumps(record).encode("utf-8", "surrogatepass"))
    return item_bytes({name: value for name, value in attributes.items() if name != RESERVED})


def number_problem(value: Any) -> str:
    """Why DynamoDB has no number for `value`; empty where it has one."""
    text = int_text if isinstance(value, int) else float_text if isinstance(value, float) else decimal_text
    try:
        text(value)
    except Unfit as unfit:
        return unfit.reason
    return ""


@cache
def _encoder(family: str) -> Encoder:
    table = TableSpec(DatasetRef("", ""), ())
    return Encoder(FlowSpec("", "", DatasetRef("", ""), table, numbers="string"), family)
