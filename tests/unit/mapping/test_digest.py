from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from greylag.core.flows import DatasetRef, FlowSpec, PythonSpec, TtlSpec
from greylag.core.mapping import MappingError, compile_mapping
from tests.unit.mapping.flows import flow, split

BASE = flow(
    {"PK": "{_id}", "SK": "A"},
    indexes=("I",),
    where={"a": 1},
    rename={"b": "c"},
    drop=("d", "e"),
    types={"f": "int"},
)


def digest(spec: FlowSpec) -> str:
    return compile_mapping(spec).digest


@pytest.mark.parametrize(
    "change",
    [
        {"name": "x", "service": "y"},
        {"source": DatasetRef("elsewhere", "z")},
        {"drop": ("e", "d", "d")},
        {"attributes": {"SK": "A", "PK": "{_id}"}},
        {
            "table": replace(
                BASE.table, ref=DatasetRef("other", "t"), indexes={"Renamed": ("I",)}, key_types={"PK": "S"}
            )
        },
    ],
)
def test_what_does_not_change_items_does_not_count(change: dict[str, Any]) -> None:
    assert digest(replace(BASE, **change)) == digest(BASE)


@pytest.mark.parametrize(
    "change",
    [
        {"attributes": {"PK": "{_id}", "SK": "B"}},
        {"attributes": {"PK": "{_id}", "SK": "{@dataset}"}},
        {"where": {"a": "1"}},
        {"where": {"a": 1.0}},
        {"where": {"a": True}},
        {"where": {"a": date(2024, 1, 1)}},
        {"where": {}},
        {"rename": {"b": "x"}},
        {"drop": ("d",)},
        {"types": {"f": "int64"}},
        {"ttl": TtlSpec("t", "at")},
        {"ttl": TtlSpec("t", "at", 1)},
        {"split": (split("s", {"PK": "x", "SK": "{@index:S}"}),)},
        {"split": (split("s", {"PK": "x", "SK": "{@index:S}"}, drop=("a",)),)},
        {"python": PythonSpec("a:b")},
        {"python": PythonSpec("a:b", "a:c")},
        {"numbers": "string"},
        {"keep_order": True},
        {"table": replace(BASE.table, key=("SK", "PK"))},
        {"table": replace(BASE.table, indexes={})},
    ],
)
def test_what_changes_items_counts(change: dict[str, Any]) -> None:
    seen = {digest(BASE)}
    seen.add(digest(replace(BASE, **change)))
    assert len(seen) == 2


def test_the_dataset_counts_where_a_template_uses_it() -> None:
    one = flow({"PK": "{@dataset}#{_id}"})
    assert digest(one) != digest(replace(one, source=DatasetRef("mongo", "others")))


def test_it_is_the_same_in_every_process_and_version() -> None:
    assert digest(BASE) == "8602b85a0c27933a62abd473ca04797deb77f9b4c7391533166234286aaee50f"


def test_errors_cross_process_borders() -> None:
    error = pickle.loads(pickle.dumps(MappingError("attributes.PK", "is wrong", "mend it")))
    assert (error.where, error.message, error.advice) == ("attributes.PK", "is wrong", "mend it")
