"""What becomes of indexes and options at MongoDB and at DocumentDB."""

from __future__ import annotations

from typing import Any

import pytest

from greylag.core.flows import DatasetRef, FlowSpec, TableSpec
from greylag.core.inventory import Index
from greylag.core.structure import IndexDefinition, Product, Structure
from greylag.operations.structure.decide import Fate, Made, decide

MONGODB = Product("mongodb", "6.0")
ONE = {"$numberInt": "1"}


def flow(**more: Any) -> FlowSpec:
    table = TableSpec(DatasetRef("docdb", "users"), ("_id",), any_type=True)
    return FlowSpec("users", "all", DatasetRef("mongo", "users"), table, **more)


def documentdb(version: str, *, elastic: bool = False) -> Product:
    return Product("documentdb", version, elastic)


def index(kind: str = "ascending", path: str = "a.b", **options: Any) -> IndexDefinition:
    value: Any = ONE if kind == "ascending" else kind
    key = {"_fts": "text", "_ftsx": ONE} if kind == "text" else {path: value}
    shown = Index("i", ((path, kind),), unique=bool(options.get("unique")))
    return IndexDefinition(shown, {"key": key, "name": "i", **options})


def fate(one: IndexDefinition, product: Product, **more: Any) -> Fate:
    [found] = decide(Structure("mongodb", {}, (one,)), flow(**more), product).indexes
    return found


@pytest.mark.parametrize("kind", ["ascending", "text", "2d", "2dsphere", "hashed", "wildcard"])
@pytest.mark.parametrize("option", ["sparse", "hidden", "collation", "partialFilterExpression"])
def test_mongodb_takes_every_index_as_it_is(kind: str, option: str) -> None:
    options: dict[str, Any] = {option: {"locale": "fr"} if option == "collation" else True}
    one = index(kind, **options)
    found = fate(one, MONGODB)
    assert (found.what, found.reason, found.definition) == ("make", "", dict(one.definition))


@pytest.mark.parametrize(
    ("kind", "version", "what"),
    [
        ("2d", "8.0", "leave out"),
        ("wildcard", "8.0", "leave out"),
        ("text", "4.0", "leave out"),
        ("text", "5.0", "make"),
        ("2dsphere", "3.6", "make"),
        ("hashed", "5.0", "change"),
        ("ascending", "3.6", "make"),
    ],
)
def test_kinds_that_documentdb_lacks(kind: str, version: str, what: str) -> None:
    found = fate(index(kind), documentdb(version))
    assert found.what == what
    assert (found.definition is None) == (what == "leave out")
    if what == "change":
        assert found.definition is not None
        assert found.definition["key"] == {"a.b": ONE}
    if what != "make":
        assert version in found.reason


def test_options_that_documentdb_lacks() -> None:
    assert fate(index(collation={"locale": "fr"}), documentdb("5.0")).what == "leave out"
    assert fate(index(collation={"locale": "fr"}), documentdb("8.0")).what == "make"
    plain = fate(index(partialFilterExpression={"a": 1}), documentdb("4.0"))
    assert plain.definition is not None
    assert "partialFilterExpression" not in plain.definition
    assert fate(index(partialFilterExpression={"a": 1}, unique=True), documentdb("4.0")).what == "leave out"
    elastic = fate(index(unique=True), documentdb("5.0", elastic=True))
    assert elastic.definition is not None
    assert (elastic.late, "unique" in elastic.definition) == (False, False)


def test_unique_indexes_come_last() -> None:
    assert fate(index(unique=True), MONGODB).late
    assert not fate(index(), MONGODB).late


def test_indexes_follow_what_a_flow_renames_and_drops() -> None:
    found = fate(index(), MONGODB, rename={"a": "z"})
    assert found.definition is not None
    assert found.definition["key"] == {"z.b": ONE}
    assert fate(index(), MONGODB, drop=("a",)).what == "leave out"
    assert fate(index("text"), MONGODB, rename={"a": "z"}).what == "leave out"
    assert fate(index(partialFilterExpression={"a": 1}), MONGODB, rename={"a": "z"}).what == "leave out"


def made(options: dict[str, Any], product: Product, **more: Any) -> Made:
    return decide(Structure("mongodb", options, (index(),)), flow(**more), product)


def test_options_of_collections() -> None:
    options = {"capped": True, "size": 100, "max": 2, "validator": {"a": 1}, "validationLevel": "strict"}
    assert made(options, MONGODB).options == options
    assert made(options, documentdb("5.0")).options == {"validator": {"a": 1}, "validationLevel": "strict"}
    assert not made(options, documentdb("3.6")).options
    assert set(made(options, MONGODB, rename={"a": "b"}).options) == {"capped", "size", "max"}
    assert not made({"storageEngine": {}}, MONGODB).options
    collated = made({"collation": {"locale": "en"}}, documentdb("5.0"))
    assert (collated.options, collated.indexes[0].what) == ({}, "leave out")
