"""Connectors are found by `kind`, through entry points."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from greylag.connectors import registry
from greylag.connectors.registry import GROUP, connector_type, kinds
from greylag.errors import ConfigurationError


def test_kinds_are_sorted() -> None:
    assert kinds() == ("dynamodb", "json", "mongodb", "third")


def test_a_kind_gives_its_connector_once() -> None:
    assert connector_type("json") is connector_type("json")
    assert connector_type("json").kind == "json"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("jsno", "unknown kind 'jsno'; did you mean 'json'?"),
        ("oracle", "unknown kind 'oracle'; kinds: dynamodb, json, mongodb, third"),
        ("postgres", "kind 'postgres' is not in this version"),
        ("documentdb", "kind 'documentdb' is not in this version"),
        ("third", "kind 'third' cannot be used: Python module driver is missing"),
    ],
)
def test_a_kind_that_is_not_there(kind: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        connector_type(kind)
    assert caught.value.message.startswith(expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("no_such_package:connector", "module no_such_package"), ("json:no_such_name", "no json:no_such_name")],
)
def test_an_entry_point_that_leads_nowhere(
    monkeypatch: pytest.MonkeyPatch, value: str, expected: str
) -> None:
    monkeypatch.setattr(registry, "_installed", lambda: {"lost": EntryPoint("lost", value, GROUP)})
    with pytest.raises(ConfigurationError, match=f"kind 'lost' cannot be used: .*{expected}"):
        connector_type("lost")
