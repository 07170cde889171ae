"""What greylag.yaml's connections offer, with the connectors that are really installed."""

from __future__ import annotations

from importlib.metadata import entry_points

from greylag.connectors.registry import GROUP, kinds


def test_the_package_brings_its_connectors() -> None:
    assert {"json", "mongodb", "dynamodb"} <= set(kinds())
    assert {point.name for point in entry_points(group=GROUP)} == set(kinds())
