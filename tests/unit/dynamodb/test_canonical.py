"""Items of one answer in the form that digests and backups compare: each as if it had come alone."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from greylag.connectors.dynamodb.reader import canonical_bodies, canonical_body

PLAIN: dict[str, Any] = {
    "b": {"N": "1.5"},
    "a": {"S": "x"},
    "m": {"M": {"z": {"N": "-0.25"}, "y": {"L": []}}},
}
"""Nothing to mend but the order."""


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (PLAIN, b'{"a":{"S":"x"},"b":{"N":"1.5"},"m":{"M":{"y":{"L":[]},"z":{"N":"-0.25"}}}}'),
        ({"n": {"N": "1.50"}}, b'{"n":{"N":"1.5"}}'),
        ({"n": {"N": "007"}}, b'{"n":{"N":"7"}}'),
        ({"n": {"N": "1E+2"}}, b'{"n":{"N":"100"}}'),
        ({"l": {"L": [{"M": {"n": {"N": "2.0"}}}]}}, b'{"l":{"L":[{"M":{"n":{"N":"2"}}}]}}'),
        ({"s": {"SS": ["b", "a"]}}, b'{"s":{"SS":["a","b"]}}'),
        ({"s": {"NS": ["10", "9.0"]}}, b'{"s":{"NS":["10","9"]}}'),
        ({"s": {"BS": ["/w==", "AA=="]}}, b'{"s":{"BS":["/w==","AA=="]}}'),
        ({"s": {"BS": ["b===", "AA=="]}}, b'{"s":{"BS":["AA==","b==="]}}'),
        ({"N": {"S": '"N":"01"'}, "SS": {"S": 'S":['}}, None),  # looks like more than it is
    ],
)
def test_alone_and_among_others(item: dict[str, Any], expected: bytes | None) -> None:
    alone = canonical_body(item)
    assert alone == (expected or orjson.dumps(item, option=orjson.OPT_SORT_KEYS))
    assert canonical_bodies([PLAIN, item, PLAIN]) == [canonical_body(PLAIN), alone, canonical_body(PLAIN)]


def test_none() -> None:
    assert canonical_bodies([]) == []
