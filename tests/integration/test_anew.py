"""A stream that begins anew waits where a load or an apply from before may have left something on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pymongo import MongoClient

from greylag.config import load
from greylag.engine.follow.stream import streams
from greylag.operations.belonging import identity
from greylag.operations.follow import anew
from greylag.operations.prepare import prepare
from greylag.state.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from greylag.engine.follow.stream import Stream

PROJECT = """
project: anew
connections:
  old: {{kind: mongodb, url: "{url}", database: {database}}}
  new: {{kind: mongodb, url: "{url}", database: {database}_new, create_tables: true}}
services:
  s: {{flows: {{things: {{from: old.things, to: new.things}}}}}}
"""


@pytest.mark.parametrize(
    ("left", "waits"),
    [("nothing", False), ("a load", True), ("requests of unknown outcome", True), ("an apply", True)],
)
def test_what_may_still_land_is_waited_for(
    tmp_path: Path,
    mongodb_url: str,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
    left: str,
    *,
    waits: bool,
) -> None:
    (tmp_path / "greylag.yaml").write_text(PROJECT.format(url=mongodb_url, database=database))
    waited: list[str] = []

    def seconds(stream: Stream) -> float:
        waited.append(stream.name)
        return 0.0

    monkeypatch.setattr(anew, "late_write_seconds", seconds)
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        client[database].things.insert_one({"_id": 1})
        try:
            project = load(tmp_path / "greylag.yaml")
            prepared = prepare(project, create=True)
            [stream] = streams(prepared.routes, project.state_folder)
            project.state_folder.mkdir()
            with Store(project.state_folder / "state.sqlite") as store:
                if left == "a load":
                    known = identity(prepared.routes[0], project.environment)
                    store.begin("things", known, now=0.0, records_estimate=None)
                elif left == "requests of unknown outcome":
                    store.note(anew.UNSETTLED, True)
                elif left == "an apply":
                    stream.applied.parent.mkdir()
                    stream.applied.touch()
                anew.begin_anew(project, store, prepared, [stream], restart=True, reload=())
                assert waited == (["old"] if waits else [])
                assert store.noted(anew.UNSETTLED)
        finally:
            client.drop_database(f"{database}_new")
