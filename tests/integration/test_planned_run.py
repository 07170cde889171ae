"""`run --plan` does what was shown, all of it and nothing else, whatever happened in between."""

from __future__ import annotations

import importlib
import sqlite3
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from greylag.config import load
from greylag.executors.inline import Inline
from greylag.operations.plan import file as planfile
from greylag.operations.run import RunOptions
from tests.command import items_of
from tests.integration.test_plan import KEY, Project, greylag, tables_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["greylag"]  # the fixture

run_module = importlib.import_module("greylag.operations.run")


class Killed(BaseException):
    """What nothing expects."""


def run_plan(greylag: Project) -> Any:
    plan = planfile.read(greylag.folder / "plan.json")
    return run_module.run(
        load(greylag.folder / "greylag.yaml"),
        RunOptions(plan=plan),
        executor=Inline(),
        observe=lambda _: None,
    )


@pytest.fixture(autouse=True)
def _variables(greylag: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in greylag.environment.items():
        monkeypatch.setenv(name, value)


def test_a_plan_of_nothing_makes_nothing(greylag: Project, dynamodb_endpoint: str, table_prefix: str) -> None:
    greylag.things([{"id": "a"}])
    text = (greylag.folder / "greylag.yaml").read_text()
    greylag.write(text[: text.index("services:")] + "services: {}\n")
    greylag("plan", "--out", "plan.json")
    greylag.write(text)
    assert run_plan(greylag).flows == ()
    assert tables_of(dynamodb_endpoint, table_prefix) == []


def test_a_flow_that_was_not_planned_is_left_though_its_service_is_named_like_one_that_was(
    greylag: Project, dynamodb_endpoint: str, table_prefix: str
) -> None:
    greylag.things([{"id": "a"}])
    file = greylag.folder / "greylag.yaml"
    file.write_text(file.read_text().replace("  all:", "  things:"))
    greylag("plan", "--out", "plan.json")
    more = f"      more: {{from: files.things, to: dynamo.{table_prefix}more, {KEY}}}\n"
    file.write_text(file.read_text().rstrip("\n") + "\n" + more)
    [flow] = run_plan(greylag).flows
    assert flow.flow == "things"
    assert tables_of(dynamodb_endpoint, table_prefix) == [greylag.table]


SHARED = """
project: test
connections:
  files: {{kind: json, path: data}}
  dynamo: {{kind: dynamodb, region: us-east-1, endpoint_url: "${{DYNAMODB_ENDPOINT}}", create_tables: true}}
tables:
  {table}: {{in: dynamo, key: [id]}}
services:
  all:
    flows:
      things:
        {{from: files.things, to: dynamo.{table}, rename: {{id: old}}, attributes: {{id: "T#{{id}}", kind: THING}}}}
"""
OTHER = """\
      other:
        {{from: files.other, to: dynamo.{table}, rename: {{id: old}}, attributes: {{id: "O#{{id}}", kind: OTHER}}}}
"""


def _gone(text: str, other: str) -> str:
    return text.replace(other, "")


def _changed(text: str, other: str) -> str:
    return text.replace("kind: OTHER", "kind: OTHERS")


@pytest.mark.parametrize("change", [_gone, _changed])
def test_another_flow_of_a_planned_table_is_a_part_of_what_was_shown(
    greylag: Project, change: Callable[[str, str], str]
) -> None:
    greylag.things([{"id": "a"}])
    (greylag.folder / "data" / "other.json").write_text('[{"id": "a"}]')
    file, other = greylag.folder / "greylag.yaml", OTHER.format(table=greylag.table)
    text = SHARED.format(table=greylag.table) + other
    file.write_text(text)
    greylag("plan", "--only", "things", "--out", "plan.json")
    file.write_text(change(text, other))
    assert "flow other" in greylag("run", "--plan", "plan.json", expect=7).stderr
    file.write_text(text)
    assert [each.flow for each in run_plan(greylag).flows] == ["things"]


def test_a_kill_after_tables_were_made_and_before_any_state(
    greylag: Project, dynamodb_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    greylag.things([{"id": "a"}])
    greylag("plan", "--out", "plan.json")

    def killed(*_: Any, **__: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(run_module, "begin", killed)
        with pytest.raises(Killed):
            run_plan(greylag)
    assert items_of(dynamodb_endpoint, greylag.table) == {}
    [flow] = run_plan(greylag).flows
    assert flow.items_written == 1
    with sqlite3.connect(greylag.folder / ".greylag" / "state.sqlite") as state:
        [[left]] = state.execute("SELECT value FROM meta WHERE name LIKE '%being made%'").fetchall()
    assert left == "[]"
    client = boto3.client("dynamodb", endpoint_url=dynamodb_endpoint, region_name="us-east-1")
    client.delete_table(TableName=greylag.table)
    client.close()


def test_restart_takes_the_table_that_the_plan_made_for_its_own(
    greylag: Project, dynamodb_endpoint: str
) -> None:
    greylag.things([{"id": "a"}])
    greylag("plan", "--out", "plan.json")
    greylag("run", "--plan", "plan.json")
    [flow] = greylag.json("run", "--plan", "plan.json", "--restart")["flows"]
    assert flow["items_written"] == 1
    assert len(items_of(dynamodb_endpoint, greylag.table)) == 1


@pytest.mark.parametrize("name", ["greylag.yaml", "data/things.jsonl", "nowhere/plan.json"])
def test_a_plan_is_written_over_nothing_but_a_plan(greylag: Project, name: str) -> None:
    greylag.things([{"id": "a"}])
    before = {each: each.read_bytes() for each in greylag.folder.rglob("*") if each.is_file()}
    assert name in greylag("plan", "--out", name, expect=3).stderr
    assert before == {each: each.read_bytes() for each in greylag.folder.rglob("*") if each.is_file()}
    greylag("plan", "--out", "plan.json")
    greylag("plan", "--out", "plan.json")


def test_a_plan_too_deep_to_read_is_none(greylag: Project) -> None:
    (greylag.folder / "plan.json").write_text("[" * 200_000)
    assert "is no plan" in greylag("run", "--plan", "plan.json", expect=3).stderr


def test_a_record_whose_items_share_keys_is_refused_once(greylag: Project) -> None:
    """Five records of two items each, whose second items all have one key."""
    greylag.things([{"id": str(n), "tags": ["same"]} for n in range(5)])
    greylag.flow('key: {key: "THING#{id}"}', 'split: {tags: {attributes: {key: "TAG#{@value}"}}}')
    for how in ((), ("--full",)):
        [flow] = greylag.json("plan", *how)["flows"]
        [group] = flow["quarantine"]
        assert (group["kind"], group["records"], flow["items"]) == ("key-collision", 5, 0), how


def test_one_large_item_in_a_sample_is_no_hot_key(greylag: Project) -> None:
    """Each value of a partition key without a sort key has one item, however many records there are."""
    greylag.things(
        [{"id": "large", "text": "x" * 300_000}, *({"id": str(n), "text": "x" * 99} for n in range(40_000))]
    )
    plan = greylag.json("plan", "--sample", "100")
    [table] = plan["tables"]
    assert table["items"] > 1_000
    assert all(each["units"] <= 300 for each in table["hot_keys"])
    assert "hot-key" not in {each["kind"] for each in plan["findings"]}
