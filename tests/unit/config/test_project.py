"""What a project offers beside its flows: `connection.*`, selection, functions, connectors, lines of a mapping."""

from __future__ import annotations

import pickle
import sys
from typing import TYPE_CHECKING

import pytest

from greylag.config import InvalidProject, load
from greylag.config.functions import load_function
from greylag.core.flows import DatasetRef, PythonSpec, SplitSpec, TtlSpec
from greylag.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from greylag.config import Project

HEAD = """\
project: shop
connections:
  mongo: {kind: mongodb, url: "mongodb://x", database: shop}
  dynamo: {kind: dynamodb, region: us-east-1, write_units_per_second: 12.5}
services:
  all:
    flows:
"""
EVERY = HEAD + '      copy: {from: mongo.*, to: dynamo.*, except: [logs], key: {id: "{_id}"}}\n'


def test_every_key_of_a_flow(project: Callable[..., Project]) -> None:
    read = project(
        HEAD
        + """\
      orders:
        from: mongo.orders
        to: dynamo.orders
        key: {pk: "ORDER#{_id}", sk: "{at:N}"}
        indexes: {ByUser: {user: "{user}", at: "{at}"}}
        attributes: {type: ORDER, version: 1}
        where: {state: {ne: draft}}
        rename: {_id: id}
        drop: [internal]
        types: {at: "date:s"}
        ttl: {attribute: expires, from: at, after: 1w2d}
        split:
          items:
            key: {pk: "ORDER#{@parent._id}", sk: "{@index}"}
            indexes: {ByUser: {user: "{@parent.user}"}}
            attributes: {type: ITEM}
            drop: [x]
        python: "orders:shape"
        order: keep
        numbers: string
"""
    )
    (orders,) = read.flows
    assert orders.table.ttl_attribute == "expires"
    assert orders.table.key_types == {"pk": "S", "sk": "N"}
    assert orders.table.indexes == {"ByUser": ("user", "at")}
    assert orders.attributes == {
        "type": "ORDER",
        "version": 1,
        "pk": "ORDER#{_id}",
        "sk": "{at:N}",
        "user": "{user}",
        "at": "{at}",
    }
    assert orders.where == {"state": {"ne": "draft"}}
    assert orders.types == {"at": "date:s"}
    assert orders.ttl == TtlSpec("expires", "at", 9 * 86400)
    child = {"type": "ITEM", "pk": "ORDER#{@parent._id}", "sk": "{@index}", "user": "{@parent.user}"}
    assert orders.split == (SplitSpec("items", child, {}, ("x",), {}),)
    assert orders.python == PythonSpec("orders:shape")
    assert (orders.keep_order, orders.numbers) == (True, "string")


def test_short_forms(project: Callable[..., Project]) -> None:
    tail = 'a: {from: mongo.a, to: dynamo.a, key: {id: "{_id}"}, ttl: until, python: {function: "m:f", inverse: "m:g"}}'
    (flow,) = project(HEAD + "      " + tail).flows
    assert flow.ttl == TtlSpec("until", "until", 0)
    assert flow.python == PythonSpec("m:f", "m:g")


def test_every_dataset_of_a_connection(project: Callable[..., Project]) -> None:
    read = project(EVERY + '      users: {from: mongo.users, to: dynamo.people, key: {id: "{_id}"}}\n')
    asked: list[str] = []

    def datasets(connection: str) -> list[str]:
        asked.append(connection)
        return ["a/b c", "logs", "orders"]

    flows = read.expand(datasets)
    assert asked == ["mongo"]
    assert [flow.name for flow in flows] == ["copy.a%2Fb%20c", "copy.orders", "users"]
    assert flows[0].source == DatasetRef("mongo", "a/b c")
    assert flows[0].table.ref == DatasetRef("dynamo", "a/b c")
    assert flows[0].table.key == ("id",)
    assert [flow.name for flow in read.select(["copy"], flows)] == ["copy.a%2Fb%20c", "copy.orders"]
    assert [flow.name for flow in read.select(["copy.orders", "users"], flows)] == ["copy.orders", "users"]


@pytest.mark.parametrize(
    ("more", "datasets", "expected"),
    [
        ("", ["logs"], "flow copy: there is no dataset that mongo.* stands for"),
        ("", ["log", "orders"], "flow copy: mongo has no dataset 'logs' to leave out; did you mean 'log'?"),
        (
            '      a: {from: mongo.x, to: dynamo.orders, key: {id: "{_id}"}}\n',
            ["logs", "orders"],
            "mongo.* includes 'orders', whose table dynamo.orders flow a writes already",
        ),
    ],
)
def test_what_every_dataset_cannot_mean(
    project: Callable[..., Project], more: str, datasets: list[str], expected: str
) -> None:
    with pytest.raises(InvalidProject) as caught:
        project(EVERY + more).expand(lambda _: datasets)
    (problem,) = caught.value.problems
    assert problem.line == 8
    assert problem.message.startswith(expected)


def test_a_flow_of_every_dataset_needs_a_key(project: Callable[..., Project]) -> None:
    with pytest.raises(InvalidProject, match=r":8: flow copy: table \* is not declared; give `key:"):
        project(HEAD + "      copy: {from: mongo.*, to: dynamo.*}\n")


def test_select(project: Callable[..., Project]) -> None:
    read = project(EVERY)
    assert read.select([]) == read.flows
    assert read.select(["all"]) == read.flows
    with pytest.raises(ConfigurationError, match=r"no service or flow 'cpoy'; did you mean 'copy'\?"):
        read.select(["cpoy"])


def test_connections_open_when_they_are_asked_for(project: Callable[..., Project]) -> None:
    read = project(EVERY)
    assert read.connector("mongo") is read.connector("mongo")
    assert read.connector("mongo").kind == "mongodb"
    assert read.write_units_per_second("dynamo") == 12.5
    assert read.write_units_per_second("mongo") is None
    assert read.state_folder == read.root / ".greylag"


@pytest.fixture
def _own_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.mark.usefixtures("_own_modules")
def test_functions_of_the_project(project: Callable[..., Project], tmp_path: Path) -> None:
    (tmp_path / "shapes_of_shop.py").write_text("def flat(record):\n    return [record]\n")
    functions = pickle.loads(pickle.dumps(project(EVERY).functions))
    assert functions("shapes_of_shop:flat")(1) == [1]
    with pytest.raises(ConfigurationError, match="has no function 'flatt'; did you mean 'flat'"):
        functions("shapes_of_shop:flatt")
    with pytest.raises(ConfigurationError, match="'flat' does not name a function"):
        functions("flat")
    with pytest.raises(ConfigurationError, match="needs the module no_such_shapes"):
        functions("no_such_shapes:flat")


@pytest.mark.usefixtures("_own_modules")
def test_two_projects_with_modules_of_one_name(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "shapes_of_both.py").write_text(f"def flat(record):\n    return {name!r}\n")
    answers = [load_function(tmp_path / name, "shapes_of_both:flat")(0) for name in ("one", "two", "one")]
    assert answers == ["one", "two", "one"]


@pytest.mark.usefixtures("_own_modules")
def test_functions_that_cannot_be_imported(tmp_path: Path) -> None:
    (tmp_path / "broken_shapes.py").write_text("1 / 0\n")
    with pytest.raises(ConfigurationError, match=r"importing broken_shapes .* failed: ZeroDivisionError"):
        load_function(tmp_path, "broken_shapes:flat")
    (tmp_path / "decimal.py").write_text("def flat(record): ...\n")
    with pytest.raises(ConfigurationError, match=r"decimal\.py has the name of another Python module"):
        load_function(tmp_path, "decimal:flat")


def test_the_line_of_what_a_mapping_complains_about(project: Callable[..., Project]) -> None:
    read = project(
        HEAD
        + """\
      orders:
        from: mongo.orders
        to: dynamo.orders
        key:
          pk: "{_id}"
        indexes:
          ByUser:
            user: "{user}"
        attributes:
          a.b: "{x}"
        types:
          address.city: string
        split:
          items:
            key:
              pk: "{@index}"
            attributes:
              c: "{y}"
"""
    )
    (orders,) = read.flows
    for where, line in {
        "attributes.pk": 12,
        "attributes.user": 15,
        "attributes.a.b": 17,
        "types.address.city": 19,
        "split.items.attributes.c": 25,
        "split.items.attributes.pk": 23,
        "split.items": 21,
        "attributes.none": 16,
        "unheard": 8,
        "": 8,
    }.items():
        assert read.problem(orders, where, "m").line == line, where


def test_spool_bytes_has_a_default_and_a_least(tmp_path: Path) -> None:
    text = """
project: p
connections: {a: {kind: json, path: a}, b: {kind: dynamodb, region: us-east-1}}
services: {s: {flows: {f: {from: a.x, to: b.x, key: {id: "{_id}"}}}}}
"""
    file = tmp_path / "greylag.yaml"
    file.write_text(text)
    assert load(file, environ={}).spool_bytes == 10 * 2**30
    file.write_text(f"{text}spool_bytes: 2097152\n")
    assert load(file, environ={}).spool_bytes == 2097152
    file.write_text(f"{text}spool_bytes: 5\n")
    with pytest.raises(InvalidProject, match="spool_bytes"):
        load(file, environ={})
