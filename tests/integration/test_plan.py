"""`greylag plan` on hand-made sources whose right answer is known, with DynamoDB Local as the target."""

from __future__ import annotations

import gzip
import importlib
import json
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from click.testing import CliRunner

from greylag.cli.root import greylag as greylag_command
from tests.command import Command, items_of
from tests.inline import Inline

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

cli_plan = importlib.import_module("greylag.cli.plan")  # the package has the command under this name

PROJECT = """
project: test
connections:
  files: {{kind: json, path: data}}
  dynamo: {{kind: dynamodb, region: us-east-1, endpoint_url: "${{DYNAMODB_ENDPOINT}}", create_tables: {create}}}
services:
  all:
    flows:
      things:
        from: files.things
        to: dynamo.{prefix}things   # the target
        {key}
{more}
"""
KEY = 'key: {id: "{id:S}"}'


class Project(Command):
    """A folder with `data/things.jsonl` and a greylag.yaml that carries it. Plans are made in this very process, which
    is in that folder; other verbs in processes of their own.
    """

    prefix = ""

    def __call__(self, *arguments: str, expect: int | None = 0) -> subprocess.CompletedProcess[str]:
        if arguments[0] != "plan":
            return super().__call__(*arguments, expect=expect)
        result = CliRunner(env=self.environment).invoke(greylag_command, arguments)
        assert expect is None or result.exit_code == expect, result.output
        return subprocess.CompletedProcess(arguments, result.exit_code, result.stdout, result.stderr)

    def things(self, records: Iterable[Any]) -> None:
        (self.folder / "data").mkdir(exist_ok=True)
        lines = (each if isinstance(each, str) else json.dumps(each) for each in records)
        (self.folder / "data" / "things.jsonl").write_text("".join(f"{line}\n" for line in lines))

    def flow(self, key: str = KEY, more: str = "", *, create: bool = True) -> None:
        self.write(
            PROJECT.format(
                prefix=self.prefix,
                key=key,
                create=str(create).lower(),
                more="".join(f"        {line}\n" for line in more.splitlines()),
            )
        )

    @property
    def table(self) -> str:
        return f"{self.prefix}things"


@pytest.fixture
def greylag(
    tmp_path: Path, dynamodb_endpoint: str, table_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> Project:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli_plan, "Processes", lambda _: Inline())
    command = Project(tmp_path, {"DYNAMODB_ENDPOINT": dynamodb_endpoint})
    command.prefix = table_prefix
    command.flow()
    return command


def tables_of(endpoint: str, prefix: str) -> list[str]:
    client = boto3.client("dynamodb", endpoint_url=endpoint, region_name="us-east-1")
    try:
        return [name for name in client.list_tables()["TableNames"] if name.startswith(prefix)]
    finally:
        client.close()


def kinds(plan: Any, severity: str | None = None) -> dict[str, int]:
    """How many findings there are of each kind."""
    found: dict[str, int] = {}
    for each in plan["findings"]:
        if severity in (None, each["severity"]):
            found[each["kind"]] = found.get(each["kind"], 0) + 1
    return found


def groups(plan: Any) -> dict[str, int]:
    """How many records of the only flow would be quarantined, by kind."""
    found: dict[str, int] = {}
    for group in plan["flows"][0]["quarantine"]:
        found[group["kind"]] = found.get(group["kind"], 0) + group["records"]
    return found


@pytest.mark.parametrize("how", [(), ("--full",)], ids=["sample", "full"])
def test_items_sizes_and_units_are_those_of_the_items(greylag: Project, how: tuple[str, ...]) -> None:
    """An item of 1,024 bytes costs one unit and one of 1,025 two, again in each index that it enters."""
    key = KEY + '\n        indexes: {ByUser: {user: "{user}"}, ByTag: {tag: "{tag}"}}'
    greylag.flow(key)
    names = len("id") + len("user") + len("text")
    greylag.things(
        [
            {"id": "a", "user": "u", "text": "x" * (1024 - names - 2)},
            {"id": "b", "user": "u", "text": "x" * (1025 - names - 2)},
            {"id": "c", "tag": "t"},
        ]
    )
    plan = greylag.json("plan", *how)
    [flow], [table] = plan["flows"], plan["tables"]
    assert flow["whole"]
    assert (flow["records_read"], flow["items"], flow["records_quarantined"]) == (3, 3, 0)
    assert flow["item_bytes"]["largest"] == 1025
    assert table["write_units"] == {"table": 4, "indexes": {"ByUser": 3, "ByTag": 1}, "total": 8}
    assert table["state"] == "create"
    assert (table["key_types"], table["exact"]) == ({"id": "S", "tag": "S", "user": "S"}, True)
    shares = {(each["index"], each["value"]): (each["units"], each["share"]) for each in table["hot_keys"]}
    assert shares["ByUser", "u"] == (3, 1.0)
    assert shares[None, "b"] == (2, 0.5)
    assert kinds(plan, "blocker") == {}


def test_nothing_is_written_anywhere(greylag: Project, dynamodb_endpoint: str, table_prefix: str) -> None:
    greylag.things([{"id": "a"}, {"id": "a"}])
    before = sorted(greylag.folder.rglob("*"))
    greylag("plan")
    greylag("plan", "--full")
    assert sorted(greylag.folder.rglob("*")) == before
    assert tables_of(dynamodb_endpoint, table_prefix) == []


def test_what_would_be_quarantined_by_reason_with_examples(greylag: Project) -> None:
    greylag.things(
        [
            {"id": "good"},
            {"name": "no id"},
            {"id": None},
            {"id": "twice"},
            {"id": "twice"},
            {"id": "large", "text": "x" * 420_000},
            {"id": "large too", "text": "x" * 430_000},
            '{"id": "unfit", "n": 1e400}',
            '{"id": "unreadable", "id": 1}',
            {"id": 7},  # {id:S} is the text "7", the field itself is a number
        ]
    )
    plan = greylag.json("plan", "--full")
    assert groups(plan) == {
        "unfillable-key": 2,
        "key-collision": 2,
        "oversize": 2,
        "unfit-value": 1,
        "unreadable": 1,
        "two-writers": 1,
    }
    assert plan["flows"][0]["items"] == 1
    assert kinds(plan, "blocker") == dict.fromkeys(groups(plan), 1)
    [oversize] = [each for each in plan["flows"][0]["quarantine"] if each["kind"] == "oversize"]
    assert [each["id"] for each in oversize["examples"]] == [5, 6]
    assert "420," in oversize["examples"][0]["reason"]
    # It is what a run does.
    report = greylag.json("run", expect=10)
    assert report["records_quarantined"] == plan["flows"][0]["records_quarantined"]
    assert report["flows"][0]["items_written"] == 1


@pytest.mark.parametrize(
    "records", [50_000, pytest.param(1_000_000, marks=pytest.mark.long)], ids=["50k", "1M"]
)
def test_one_collision_among_many_is_found_with_full(greylag: Project, records: int) -> None:
    twins = records // 3, records - 5
    greylag.things(f'{{"id":"{twins[0] if row == twins[1] else row}"}}' for row in range(records))
    plan = greylag.json("plan", "--full", "--partition-bytes", "200000")
    assert groups(plan) == {"key-collision": 2}
    [group] = plan["flows"][0]["quarantine"]
    assert sorted(each["id"] for each in group["examples"]) == list(twins)
    assert plan["flows"][0]["items"] == records - 2
    assert plan["flows"][0]["partitions"] > 1


def test_a_sample_says_what_it_is_and_reckons_the_rest(greylag: Project) -> None:
    greylag.things({"id": f"{row:06}", "text": "x" * 90} for row in range(20_000))
    plan = greylag.json("plan", "--sample", "500")
    [flow], [table] = plan["flows"], plan["tables"]
    assert not flow["whole"]
    assert flow["sample_bias"]
    assert 500 <= flow["records_read"] < 20_000
    assert abs(flow["items"] * flow["scale"] - 20_000) < 1_000
    assert abs(table["items"] - 20_000) < 1_000
    assert not table["exact"]
    assert "keys-unproven" in kinds(plan, "note")
    told = greylag("plan", "--sample", "500").stdout
    assert "~" in told
    assert max(len(line) for line in told.splitlines()) <= 100


def test_what_nobody_can_reckon_is_shown_as_the_samples_own(greylag: Project) -> None:
    greylag.things([])
    (greylag.folder / "data" / "things.jsonl").unlink()
    lines = "".join(f'{{"id": "{n}", "text": "{"x" * 200}"}}\n' for n in range(5_000))
    (greylag.folder / "data" / "things.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    assert greylag.json("plan", "--sample", "10")["flows"][0]["scale"] is None
    told = greylag("plan", "--sample", "10").stdout
    assert "+ is of the sample alone" in told
    assert "~" not in told


def test_a_template_with_rows_is_sampled_where_rows_are_known(greylag: Project) -> None:
    greylag.flow('key: {id: "{@row}"}')
    greylag.things({"n": row, "text": "x" * 2_000} for row in range(3_000))
    plan = greylag.json("plan", "--sample", "100")
    assert groups(plan) == {}
    assert 100 <= plan["flows"][0]["records_read"] < 3_000


def test_a_hot_partition_key_decides_the_time(greylag: Project) -> None:
    greylag.flow('key: {user: "{user}", at: "{at}"}')
    greylag.things({"user": "hot" if row % 4 else f"u{row % 2_000}", "at": row} for row in range(16_000))
    plan = greylag.json("plan", "--full")
    [table] = plan["tables"]
    assert table["hot_keys"][0] == {"index": None, "value": "hot", "units": 12_000, "share": 0.75}
    assert table["forecast"]["seconds"] == 12.0  # 12,000 at 1,000 a second; 16,000 at 4,000 would be 4
    assert table["forecast"]["bound_by"] == "the heaviest partition key"
    assert table["forecast"]["requests"] == 640
    assert kinds(plan, "warning")["hot-key"] == 1


def test_prices_have_their_arithmetic_and_other_regions_none(greylag: Project) -> None:
    greylag.things({"id": str(row)} for row in range(1_000))
    written, imported = greylag.json("plan")["tables"][0]["costs"]
    assert written["arithmetic"] == "1,000 write units / 1,000,000 x $0.625 = $0.00"
    assert imported["arithmetic"].startswith("0.000 GB of DynamoDB JSON x $0.15")
    assert written["price"]["source"]
    greylag.write((greylag.folder / "greylag.yaml").read_text().replace("us-east-1", "eu-north-1"))
    plan = greylag.json("plan")
    assert [each["dollars"] for each in plan["tables"][0]["costs"]] == [None, None]
    assert "no prices of eu-north-1" in plan["tables"][0]["costs"][0]["arithmetic"]
    assert kinds(plan)["no-price"] == 1


def test_a_table_that_stands_is_compared(greylag: Project) -> None:
    greylag.things([{"id": "a", "user": "u"}])
    greylag("run")
    assert greylag.json("plan")["tables"][0]["state"] == "exists"
    assert greylag.json("plan")["tables"][0]["costs"][1]["dollars"] is None  # imports make new tables only
    greylag.flow(KEY + '\n        indexes: {ByUser: {user: "{user}"}}', "ttl: gone")
    plan = greylag.json("plan", "--fail-on", "blocker", expect=12)
    [table] = plan["tables"]
    assert table["state"] == "differs"
    assert table["differences"] == ["it has no index ByUser (user)"]
    assert kinds(plan, "blocker") == {"table-differs": 1}


def test_a_table_that_may_not_be_made_is_a_blocker(greylag: Project) -> None:
    greylag.things([{"id": "a"}])
    greylag.flow(create=False)
    plan = greylag.json("plan", "--fail-on", "blocker", expect=12)
    assert plan["tables"][0]["state"] == "missing"
    assert kinds(plan, "blocker") == {"table-missing": 1}


def test_stated_key_types_hold_where_no_template_decides(greylag: Project) -> None:
    greylag.flow('key: {id: "{id}"}', "key_types: {id: N}")
    greylag.things([{"id": "a"}, {"id": "b"}, {"id": 3}])
    plan = greylag.json("plan")
    assert plan["tables"][0]["key_types"] == {"id": "N"}
    assert groups(plan) == {"unfit-key": 2}


def test_a_plan_never_turns_on_time_to_live(greylag: Project, dynamodb_endpoint: str) -> None:
    greylag.things([{"id": "a"}])
    greylag("run")
    greylag.flow(more="ttl: gone")
    plan = greylag.json("plan")
    assert plan["tables"][0]["turns_on_ttl"]
    greylag.json("run", "--dry-run")
    client = boto3.client("dynamodb", endpoint_url=dynamodb_endpoint, region_name="us-east-1")
    told = client.describe_time_to_live(TableName=greylag.table)["TimeToLiveDescription"]
    client.close()
    assert told["TimeToLiveStatus"] == "DISABLED"


def test_a_target_that_is_away_is_an_error_unless_offline(greylag: Project) -> None:
    greylag.things([{"id": "a"}])
    away = Project(greylag.folder, {"DYNAMODB_ENDPOINT": "http://127.0.0.1:9"})
    assert "127.0.0.1:9" in away("plan", expect=4).stderr
    plan = away.json("plan", "--offline")
    assert plan["tables"][0]["state"] == "assumed"
    assert kinds(plan)["offline"] == 1


def test_damage_in_a_file_is_a_finding_and_the_rest_is_told(greylag: Project) -> None:
    greylag.things([{"id": "a"}, {"id": "b"}, '{"id": "c'])
    plan = greylag.json("plan", "--full")
    assert kinds(plan, "blocker") in ({"damaged-source": 1}, {"unreadable": 1})
    assert plan["flows"][0]["items"] == 2


def test_a_source_that_can_be_followed_needs_no_write_freeze(greylag: Project) -> None:
    greylag.things([{"id": "a"}])
    plan = greylag.json("plan", "--fail-on", "note", expect=12)
    assert kinds(plan, "warning") == {}
    assert kinds(plan, "note")["changes-not-followed"] == 1
    assert "Behind a write freeze" not in greylag("plan").stdout
    greylag("plan", "--fail-on", "warning")
    ranks = [each["severity"] for each in plan["findings"]]
    assert ranks == sorted(ranks, key=["blocker", "warning", "note"].index)


def test_dropped_fields_and_those_that_python_leaves_out_are_counted(greylag: Project) -> None:
    (greylag.folder / "own.py").write_text("def f(record):\n    record.pop('b', None)\n    return record\n")
    greylag.flow(more='drop: [a]\npython: "own:f"')
    greylag.things([{"id": "1", "a": 1}, {"id": "2", "a": 1, "b": 1}, {"id": "3"}])
    plan = greylag.json("plan")
    assert plan["flows"][0]["dropped"] == [{"path": "a", "records": 2, "of": 3}]
    assert plan["flows"][0]["left_out_by_python"] == [{"path": "b", "records": 1, "of": 3}]
    assert kinds(plan, "warning")["left-out-by-python"] == 1


def test_markdown_has_the_same_tables(greylag: Project, tmp_path: Path) -> None:
    greylag.things([{"id": "a|b"}, {"id": "a|b"}])
    greylag("plan", "--full", "--markdown", str(tmp_path / "plan.md"))
    told = (tmp_path / "plan.md").read_text()
    assert told.startswith("# Plan of test\n")
    assert "| severity | about | what and what to do |\n|---|---|---|\n| blocker | things |" in told


@pytest.mark.parametrize(
    "arguments",
    [
        ("--full", "--sample", "5"),
        ("--out", "plan.json", "--write-types"),
        ("--sample", "0"),
        ("--fail-on", "terrible"),
    ],
)
def test_options_that_contradict_each_other(greylag: Project, arguments: tuple[str, ...]) -> None:
    greylag("plan", *arguments, expect=2)


# The plan file.


def test_a_planned_run_is_the_run_that_was_shown(greylag: Project, dynamodb_endpoint: str) -> None:
    greylag.things({"id": str(row), "text": "x" * 100} for row in range(2_000))
    processes = Command(greylag.folder, greylag.environment)
    plan = processes.json(
        "plan", "--full", "--out", "plan.json", "--processes", "2", "--partition-bytes", "50000"
    )
    text = (greylag.folder / "plan.json").read_text()
    assert json.loads(text)["greylag_plan"] == 1
    assert dynamodb_endpoint not in text
    report = greylag.json("run", "--plan", "plan.json")
    [flow] = report["flows"]
    assert (
        flow["items_written"] == plan["flows"][0]["items"] == len(items_of(dynamodb_endpoint, greylag.table))
    )
    assert flow["partitions_planned"] == plan["flows"][0]["partitions"] > 1
    again = greylag.json("run", "--plan", "plan.json")  # the table that stands now is this run's own
    assert again["already_finished"] == ["things"]


def _another_mapping(greylag: Project, endpoint: str) -> None:
    greylag.flow('key: {id: "T#{id}"}', "rename: {id: old}")


def _another_source(greylag: Project, endpoint: str) -> None:
    greylag.things([{"id": "b"}, {"id": "c"}])


def _another_project(greylag: Project, endpoint: str) -> None:
    file = greylag.folder / "greylag.yaml"
    file.write_text(file.read_text().replace("project: test", "project: other"))


def _a_table_of_someone(greylag: Project, endpoint: str) -> None:
    client = boto3.client("dynamodb", endpoint_url=endpoint, region_name="us-east-1")
    client.create_table(
        TableName=greylag.table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    client.close()


def _another_name(greylag: Project, endpoint: str) -> None:
    file = greylag.folder / "greylag.yaml"
    file.write_text(file.read_text().replace("      things:", "      others:"))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_another_mapping, "the mapping of flow things has changed"),
        (_another_source, "the source of flow things is another one, or a file has changed"),
        (_another_project, "it is of project test, this is other"),
        (_a_table_of_someone, "was to be created, and somebody else has made it"),
        (_another_name, "flow things is gone"),
    ],
)
def test_a_plan_that_no_longer_fits_is_refused(
    greylag: Project, dynamodb_endpoint: str, table_prefix: str, change: Any, why: str
) -> None:
    greylag.things([{"id": "a"}])
    greylag("plan", "--out", "plan.json")
    change(greylag, dynamodb_endpoint)
    before = tables_of(dynamodb_endpoint, table_prefix)
    refused = greylag("run", "--plan", "plan.json", expect=7)
    assert why in refused.stderr
    assert "greylag plan --out plan.json" in refused.stderr
    assert tables_of(dynamodb_endpoint, table_prefix) == before


def test_a_table_that_was_made_anew_is_another_one(greylag: Project, dynamodb_endpoint: str) -> None:
    greylag.things([{"id": "a"}])
    _a_table_of_someone(greylag, dynamodb_endpoint)
    greylag("plan", "--out", "plan.json")
    client = boto3.client("dynamodb", endpoint_url=dynamodb_endpoint, region_name="us-east-1")
    client.delete_table(TableName=greylag.table)
    client.close()
    assert "was there and is gone" in greylag("run", "--plan", "plan.json", expect=7).stderr
    _a_table_of_someone(greylag, dynamodb_endpoint)
    assert "is another one" in greylag("run", "--plan", "plan.json", expect=7).stderr


def test_a_plan_made_offline_is_refused(greylag: Project) -> None:
    greylag.things([{"id": "a"}])
    greylag("plan", "--offline", "--out", "plan.json")
    assert "--offline" in greylag("run", "--plan", "plan.json", expect=7).stderr


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"greylag_plan": 1}', '{"greylag_plan": 99}', "\x00"])
def test_a_file_that_is_no_plan(greylag: Project, text: str) -> None:
    greylag.things([{"id": "a"}])
    (greylag.folder / "plan.json").write_text(text)
    assert "plan.json" in greylag("run", "--plan", "plan.json", expect=3).stderr
    greylag("run", "--plan", "nowhere.json", expect=3)


@pytest.mark.parametrize("option", ["--only", "--processes", "--limit", "--partition-bytes"])
def test_what_the_plan_decides_cannot_be_said_again(greylag: Project, option: str) -> None:
    assert option in greylag("run", "--plan", "plan.json", option, "1", expect=2).stderr


# Types.


@pytest.fixture
def shop(greylag: Project, mongodb_url: str, database: str) -> Project:
    """Orders in MongoDB whose fields have two types, in a file with comments."""
    from bson import Decimal128, Int64, ObjectId
    from pymongo import MongoClient

    when = datetime(2024, 5, 1, 12, tzinfo=UTC)
    orders = [
        {
            "_id": ObjectId(row.to_bytes(12, "big")),
            "user": f"user-{row}" if row % 5 == 0 else ObjectId((row + 1000).to_bytes(12, "big")),
            "total": [Decimal128("1.5"), Decimal128("2"), 3.0][row % 3],
            "count": Int64(row) if row % 4 else row,
            "at": when,
            "plain": row,
            "lines": [{"price": 2.0}, {"price": 3.5}],
        }
        for row in range(100)
    ]
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        client[database]["orders"].insert_many(orders)
    greylag.environment["MONGODB_URI"] = mongodb_url
    greylag.write(
        f"""# The shop.
project: shop
connections:
  mongo: {{kind: mongodb, url: "${{MONGODB_URI}}", database: {database}}}   # a secret
  dynamo: {{kind: dynamodb, region: us-east-1, endpoint_url: "${{DYNAMODB_ENDPOINT}}", create_tables: true}}
services:
  sales:
    flows:
      orders:   # every order
        from: mongo.orders
        to: dynamo.{greylag.table}   # one table
        key: {{PK: "ORDER#{{_id}}"}}

        # what is below stays below
        rename: {{_id: id}}
"""
    )
    return greylag


RULES = {
    "_id": "objectId",
    "at": "date",
    "count": "int64",
    "lines[].price": "double",
    "total": "decimal128",
    "user": "objectId",
}


def test_types_are_proposed_for_every_field_that_leaves_hints(shop: Project) -> None:
    plan = shop.json("plan")
    types = {each["path"]: each for each in plan["flows"][0]["types"]}
    assert {path: each["rule"] for path, each in types.items()} == RULES
    assert types["user"]["types"] == {"objectId": 80, "string": 20}
    assert all(each["saved_bytes"] > 0 for each in types.values())
    assert kinds(plan, "warning")["mixed-types"] == 3
    assert kinds(plan, "note")["hinted-type"] == 3


def test_types_are_written_and_nothing_else_changes(shop: Project, mongodb_url: str) -> None:
    file = shop.folder / "greylag.yaml"
    before = file.read_text()
    written = shop.json("plan", "--write-types")["types_written"]
    assert written == {"services.sales.flows.orders": RULES}
    after = file.read_text()
    [added] = [line for line in after.splitlines() if line not in before.splitlines()]
    assert after.replace(added + "\n", "") == before
    assert mongodb_url not in after
    plan = shop.json("plan", "--write-types")
    assert (plan["flows"][0]["types"], plan["types_written"]) == ([], {})
    assert file.read_text() == after


def test_the_written_types_spare_the_hints(shop: Project) -> None:
    before = shop.json("plan", "--full")["flows"][0]["item_bytes"]["p50"]
    shop("plan", "--write-types")
    assert shop.json("plan", "--full")["flows"][0]["item_bytes"]["p50"] < before
    shop("run")
    shop("verify")
    items = items_of(shop.environment["DYNAMODB_ENDPOINT"], shop.table).values()
    # Exceptions alone keep a hint; a user that is no ObjectId reads back as the text it is without one.
    assert sum("_greylag" not in item for item in items) == sum(
        row % 3 != 2 and row % 4 != 0 for row in range(100)
    )


def test_a_file_that_may_not_be_written_gets_no_types(shop: Project) -> None:
    file = shop.folder / "greylag.yaml"
    file.chmod(0o444)
    before = file.read_bytes()
    assert "is read-only" in shop("plan", "--write-types", expect=3).stderr
    assert file.read_bytes() == before


def test_a_file_that_types_cannot_be_added_to_stays_as_it_was(shop: Project) -> None:
    file = shop.folder / "greylag.yaml"
    other = "      more: {from: mongo.orders, to: dynamo.more, key: {PK: '{_id}'}, types: *shared}\n"
    text = (
        file.read_text().replace("        rename:", "        types: &shared {plain: int}\n        rename:")
        + other
    )
    file.write_text(text)
    before = file.read_text()
    refused = shop("plan", "--only", "orders", "--write-types", expect=3)
    assert "Write them by hand: types: {" in refused.stderr
    assert file.read_text() == before
