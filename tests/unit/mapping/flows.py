"""Short ways to say a flow and to apply it, for the tests of mappings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from greylag.core.flows import DatasetRef, FlowSpec, SplitSpec, TableSpec
from greylag.core.mapping import Mapping, MappingError, compile_mapping
from greylag.core.records import Record, Refused

if TYPE_CHECKING:
    from greylag.core.values import Document, Value

KEY = {"PK": "{_id:S}"}


def flow(attributes: dict[str, Any] | None = None, *, indexes: tuple[str, ...] = (), **more: Any) -> FlowSpec:
    """A flow whose table has the key attributes that `attributes` has of PK and SK, and one index on `indexes`."""
    attributes = KEY if attributes is None else attributes
    table = TableSpec(
        DatasetRef("dynamo", "shop"),
        tuple(name for name in ("PK", "SK") if name in attributes) or ("PK",),
        {"Index": indexes} if indexes else {},
    )
    return FlowSpec("orders", "shop", DatasetRef("mongo", "orders"), table, attributes, **more)


def split(path: str, attributes: dict[str, Any], **more: Any) -> SplitSpec:
    return SplitSpec(path, attributes, **more)


def mapping(attributes: dict[str, Any] | None = None, **more: Any) -> Mapping:
    unique_id = more.pop("unique_id", None)
    load = more.pop("load", None)
    return compile_mapping(flow(attributes, **more), unique_id=unique_id, load=load)


def apply(compiled: Mapping, fields: Document, *, record_id: Value = 0) -> list[Document]:
    """The attributes of every item."""
    return [item.attributes for item in compiled.apply(Record(record_id, fields))]


def filled(template: Any, fields: Document, *, record_id: Value = 0, **more: Any) -> Value:
    """What `template` gives as an attribute that is neither key nor index."""
    compiled = mapping({"PK": "constant", "made": template}, **more)
    return apply(compiled, fields, record_id=record_id)[0]["made"]


def refused(compiled: Mapping, fields: Document, *, record_id: Value = 0) -> str:
    with pytest.raises(Refused) as caught:
        compiled.apply(Record(record_id, fields))
    assert caught.value.fix
    return caught.value.reason


def error(attributes: dict[str, Any] | None = None, **more: Any) -> MappingError:
    with pytest.raises(MappingError) as caught:
        mapping(attributes, **more)
    assert caught.value.advice
    return caught.value
