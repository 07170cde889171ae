"""Connections of one process stay few, however many tables it carries."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from greylag.connectors.memory import MemoryWriter, put
from greylag.core.flows import DatasetRef, TableSpec
from greylag.engine.connections import OPEN_WRITERS, Connections, Rates
from tests.routes import route

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_only_the_writers_used_last_stay_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "memory.sqlite"
    put(path, "users", [{"id": 1}])
    one = route(path, "users", {"pk": "{id}"})
    routes = [
        replace(one, flow=replace(one.flow, table=TableSpec(DatasetRef("memory", f"table{n}"), ("pk",))))
        for n in range(20)
    ]
    closed: list[Any] = []
    limits: list[float | None] = []

    def close(writer: MemoryWriter) -> None:
        closed.append(writer)

    monkeypatch.setattr(MemoryWriter, "close", close)
    monkeypatch.setattr(MemoryWriter, "limit", lambda _, rate: limits.append(rate))
    connections = Connections()
    connections.limit(Rates({"memory.table19": 7.0}))
    first = connections.writer(routes[0])
    for each in routes[1:]:
        assert connections.writer(routes[0]) is first
        connections.writer(each)
    assert first not in closed
    assert len(closed) == 20 - OPEN_WRITERS
    assert limits[-1] == 7.0
    connections.close()
    assert len(closed) == 20
