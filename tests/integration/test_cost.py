"""`greylag cost` as a user calls it: five applications whose bills were reckoned by hand, and what else it says."""

from __future__ import annotations

import ast
import json
import operator
import re
import shutil
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from greylag.cli.root import greylag
from greylag.cost.bill import cents

if TYPE_CHECKING:
    from collections.abc import Callable

CASES = Path(__file__).parents[1] / "cases"
APPLICATIONS = ("quiz", "shop", "forum", "summariser", "pos")
OPERATORS: dict[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def by_hand(text: str) -> Decimal:
    """The value of what was written down, each number as it stands there."""

    def value(node: ast.expr) -> Decimal:
        if isinstance(node, ast.BinOp):
            return OPERATORS[type(node.op)](value(node.left), value(node.right))
        written = ast.get_source_segment(text, node)
        assert written is not None
        return Decimal(written)

    return value(ast.parse(text, mode="eval").body)


@dataclass(frozen=True)
class Inside:
    """Calls `greylag` in this process, in `folder`: what is reckoned needs no process of its own."""

    folder: Path

    def write(self, text: str) -> None:
        (self.folder / "greylag.yaml").write_text(text)

    def __call__(self, *arguments: str, expect: int = 0) -> Result:
        result = CliRunner().invoke(greylag, list(arguments))
        assert result.exit_code == expect, result.output
        return result


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Inside:
    # A cache folder of its own: prices that somebody fetched on this machine are not those that were reckoned with.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return Inside(tmp_path)


def told(command: Inside, *arguments: str, expect: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(command("cost", "--json", *arguments, expect=expect).stdout)
    return found


@pytest.mark.parametrize("name", APPLICATIONS)
def test_a_bill_is_what_was_reckoned_by_hand(command: Inside, name: str) -> None:
    case = CASES / f"cost-{name}"
    shutil.copy(case / "greylag.yaml", command.folder)
    expected = json.loads((case / "bill.json").read_text(encoding="utf-8"))
    report = told(command, "--offline")
    lines = [line for service in report["services"] for line in service["lines"]]
    assert [(line["what"], line["dollars"]) for line in lines] == [
        (line["what"], line["dollars"]) for line in expected["lines"]
    ]
    for line in expected["lines"]:
        assert cents(by_hand(line["by_hand"])) == Decimal(line["dollars"]), line["what"]
    assert sum(Decimal(line["dollars"]) for line in expected["lines"]) == Decimal(expected["total"])
    assert report["total"]["expected"] == expected["total"]
    assert Decimal(report["total"]["low"]) <= Decimal(expected["total"]) <= Decimal(report["total"]["high"])


def test_the_document_says_the_same_of_the_five() -> None:
    text = (
        (CASES.parents[1] / "docs" / "cost.md")
        .read_text(encoding="utf-8")
        .partition("## Five applications")[2]
    )
    told = re.findall(r"^\| [^|]+ \| [^|]+ \| \$([0-9.]+) \|", text, re.MULTILINE)
    bills = [json.loads((CASES / f"cost-{name}" / "bill.json").read_text())["total"] for name in APPLICATIONS]
    assert told == bills


def test_a_call_and_a_tenant_are_held_to_the_budget(command: Inside) -> None:
    shutil.copy(CASES / "cost-pos" / "greylag.yaml", command.folder)
    report = told(command)
    assert report["total"]["per_call"] == "0.000025"
    assert report["total"]["per_tenant"] == "0.0751"
    assert not [each for each in report["findings"] if "budget" in each["kind"]]
    text = (command.folder / "greylag.yaml").read_text()
    command.write(text.replace("per_tenant_usd: 0.10", "per_tenant_usd: 0.01"))
    [over] = [each for each in told(command, expect=12)["findings"] if each["kind"] == "over-budget"]
    assert over["name"] == "api"
    assert "a tenant and month, and the budget is $0.01" in over["message"]
    command("cost", "--fail-on", "never")


def test_the_shared_budget_counts_where_it_is_written(command: Inside) -> None:
    shutil.copy(CASES / "cost-pos" / "greylag.yaml", command.folder)
    text = (command.folder / "greylag.yaml").read_text()
    command.write(text.replace("monthly_budget_usd: 100", "monthly_budget_usd: 75"))
    refused = command("cost", expect=12)
    assert "over-budget" in refused.stderr
    assert "$75.11 a month, and the budget is $75" in refused.stdout
    command.write(text.replace("  monthly_budget_usd: 100\n", "").replace("monthly_usd: 100, ", ""))
    command("cost")


FORUM = """\
project: forum
connections:
  files: {kind: json, path: .}
  dynamo: {kind: dynamodb, region: us-east-1}
services:
  users:
    flows:
      users: {from: files.users, to: dynamo.users, key: {id: "{id}"}, indexes: {ByEmail: {email: "{email}"}}}
    traffic: {writes: 1000/d}
"""


def test_sizes_are_those_of_the_data(command: Inside) -> None:
    command.write(FORUM)
    users = [{"id": f"u{number}", "email": "a@example.com", "text": "x" * 2000} for number in range(100)]
    (command.folder / "users.json").write_text(json.dumps(users))
    report = told(command)
    [users_service] = report["services"]
    assert users_service["sizes"] == "counted"
    loaded = {each["what"]: each for each in report["migration"]}
    assert loaded["bulk load"]["lines"][0]["quantity"] == "200"  # 100 records of 2 KB begun
    assert loaded["its index writes"]["lines"][0]["quantity"] == "200"
    assert (
        loaded["changes followed for 2 weeks"]["lines"][0]["quantity"] == "56000"
    )  # 14,000 x 2 x (table + index)
    offline = told(command, "--offline")
    assert [each["kind"] for each in offline["findings"] if each["kind"] != "old-prices"] == ["unknown-size"]


def test_a_region_without_prices_is_refused_with_the_way_on(command: Inside) -> None:
    command.write(FORUM.replace("us-east-1", "eu-west-2"))
    refused = command("cost", "--offline", expect=3)
    assert "no prices of eu-west-2" in refused.stderr
    assert "greylag cost --refresh --region eu-west-2" in refused.stderr
    assert (
        json.loads(command("cost", "--offline", "--json", expect=3).stdout)["error"]["kind"] == "MissingPrice"
    )


def test_an_instance_without_a_price_is_refused(command: Inside) -> None:
    text = (CASES / "cost-pos" / "greylag.yaml").read_text()
    command.write(text.replace("db.t4g.small", "db.x2g.large"))
    assert "there is no price of rds db.x2g.large in us-east-1" in command("cost", expect=3).stderr


def test_the_arithmetic_of_every_line_is_shown(command: Inside) -> None:
    shutil.copy(CASES / "cost-pos" / "greylag.yaml", command.folder)
    plain = command("cost").stdout
    assert "Arithmetic" not in plain
    explained = command("cost", "--explain", "--markdown", "cost.md").stdout
    assert "3,000,000 request - 1,000,000 free = 2,000,000 / 1,000,000 x $0.2 = $0.40" in explained
    assert "https://aws.amazon.com/ebs/pricing/, 2026-09-29" in explained.replace("\n  ", " ")
    markdown = (command.folder / "cost.md").read_text()
    assert markdown.startswith("# Cost of pos\n")
    assert "| in all | $72.41 | $75.11 | $80.51 |" in markdown


def test_services_are_compared_without_a_project(command: Inside) -> None:
    found = told(command, "--compare", "dynamodb,rds", "--free-tier", "none")
    small, medium = found["comparisons"]
    assert [each["name"] for each in small["choices"]] == [
        "DynamoDB on demand",
        "DynamoDB autoscaled",
        "DynamoDB held at its peak",
        "RDS db.t4g.micro",
        "RDS db.t4g.micro Multi-AZ",
        "Aurora db.t4g.medium",
        "Aurora serverless, 0.5 ACU",
    ]
    assert {each["dearer"] for each in small["crossings"]} >= {"DynamoDB on demand", "DynamoDB autoscaled"}
    assert medium["title"] == "A medium application"
    [one] = told(command, "--compare", "nat", "--preset", "medium")["comparisons"]
    assert [each["dollars"] for each in one["choices"]] == ["41.00", "7.36"]
    assert one["axis"] == "100 GB a month through it"
    both = told(command, "--compare", "dynamodb,nat", "--preset", "medium")["comparisons"]
    assert [len(each["choices"]) for each in both] == [3, 2]
    assert "nothing to compare named 'dynamo'" in command("cost", "--compare", "dynamo", expect=3).stderr
    assert "give both" in command("cost", "--preset", "small", expect=2).stderr


def test_the_chart_has_the_project_and_its_choices(command: Inside) -> None:
    shutil.copy(CASES / "cost-shop" / "greylag.yaml", command.folder)
    command("cost", "--offline", "--chart", "cost.svg")
    root = ET.fromstring((command.folder / "cost.svg").read_text())
    texts = {each.text for each in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"the project", "DynamoDB on demand", "DynamoDB autoscaled"} <= texts


def test_savings_have_figures(command: Inside) -> None:
    text = (CASES / "cost-summariser" / "greylag.yaml").read_text()
    command.write(text.replace("uploads: 20000/month", "archived: 0.5, uploads: 20000/month"))
    report = told(command)
    found = {each["name"]: each for each in report["savings"]}
    assert found["arm"]["dollars"] == "1.00"  # 300,000 GB-seconds x (0.0000166667 - 0.0000133334)
    assert not found["arm"]["done"]
    assert found["endpoints"]["dollars"] == "0.84"  # 20,000 uploads of 1 MB x $0.045 a GB
    assert not found["lifecycle"]["done"]
    assert "archive_after" in found["lifecycle"]["worked"]
    assert [each["title"] for each in report["comparisons"]] == ["Database documents", "Way out", "Free tier"]
