"""The short ways of writing labels write what the long one does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greylag.core import extended_json
from greylag.core.values import ObjectId
from greylag.engine.spill import label, value_of

if TYPE_CHECKING:
    from greylag.core.values import Value

ID = ObjectId(bytes(range(12)))


@pytest.mark.parametrize("value", [ID, {"_id": ID}, {"_id": ID, "a": 1}, {"id": ID}, {"_id": {"_id": ID}}, 7])
def test_a_label_is_extended_json(value: Value) -> None:
    assert label(value) == extended_json.dumps(value).encode()
    assert value_of(label(value)) == value
