"""The vendor's own pricing examples, to the cent, by the formulas and the prices that `greylag cost` uses.

Each names the page it is from. Where a page's example states a price of its own, that price is put in its place. Where
the vendor rounds to dollars, so does the test. docs/cost.md says for which services there is an example and for which
none was found; test_by_hand.py holds those.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from greylag.cost.bill import GB, Account, Bill, cents
from greylag.cost.caches import serverless
from greylag.cost.compute import containers, function
from greylag.cost.databases import DatabaseUse, aurora, proxy
from greylag.cost.dynamodb import read_units, write_units
from greylag.cost.edge import firewall, http_api, load_balancer, websocket_api
from greylag.cost.network import nat_gateway
from greylag.cost.objects import BucketUse, bucket
from greylag.cost.prices import PriceList, Tier, shipped

if TYPE_CHECKING:
    from greylag.cost.bill import Free

M = 1_000_000


def account(free: Free = "always", **stated: str) -> Account:
    """With prices as an example states them, by `service__sku`."""
    prices = shipped()
    own = dict(prices.prices)
    for name, price in stated.items():
        service, _, sku = name.partition("__")
        known = own[service, sku.replace("_", "-")]
        own[known.service, known.sku] = replace(known, tiers=(Tier(Decimal(0), Decimal(price)),))
    return Account(PriceList(prices.region, own, prices.allowances), free)


def dollars(bill: Bill) -> list[str]:
    return [str(line.dollars) for line in bill.lines]


# https://aws.amazon.com/lambda/pricing/


def test_lambda_mobile_backend() -> None:
    bill = function(account(), "app", calls=Decimal(3 * M), milliseconds=120, memory_mb=1536, arm=False)
    assert dollars(bill) == ["0.40", "2.33"]
    assert str(bill.dollars) == "2.73"


def test_lambda_telemetry() -> None:
    bill = function(
        account("none"), "app", calls=Decimal(7_440_000), milliseconds=2000, memory_mb=1024, arm=False
    )
    assert dollars(bill) == ["1.49", "248.00"]
    assert str(bill.dollars) == "249.49"


def test_lambda_support_tickets_with_storage() -> None:
    own = account()
    bill = function(own, "app", calls=Decimal(6 * M), milliseconds=280, memory_mb=4096, arm=False)
    disk = own.line("disk", "lambda", "ephemeral-storage", Decimal(1_680_000 * 1536) / 1024)
    assert [*dollars(bill), str(disk.dollars)] == ["1.00", "105.33", "0.08"]
    assert str((bill + Bill((disk,))).dollars) == "106.41"


def test_lambda_older_page_with_the_price_it_states() -> None:
    own = account(lambda__gb_second="0.00001667")
    bill = function(own, "app", calls=Decimal(3 * M), milliseconds=1000, memory_mb=512, arm=False)
    assert dollars(bill) == ["0.40", "18.34"]
    assert str(bill.dollars) == "18.74"


def test_lambda_kept_warm_for_a_launch() -> None:
    own = account()
    warm = own.line("warm", "lambda", "provisioned-gb-second", Decimal(150 * 28_800))
    busy = own.line("busy", "lambda", "provisioned-duration", Decimal(75_000))
    calls = own.line("calls", "lambda", "request", 3 * M)
    rest = own.line("rest", "lambda", "gb-second", Decimal(450_000))
    bill = Bill((warm, calls, busy, rest))
    assert dollars(bill) == ["18.00", "0.40", "0.73", "0.83"]
    assert str(bill.dollars) == "19.96"


# https://aws.amazon.com/fargate/pricing/ (its examples are by the second: 600 s on each of 30 days)


@pytest.mark.parametrize(
    ("arm", "expected", "total"), [(False, ["1.01", "0.22"], "1.26"), (True, ["0.81", "0.18"], "1.02")]
)
def test_fargate_five_tasks(arm: bool, expected: list[str], total: str) -> None:
    own = account()
    hours = Decimal(600 * 30) / 3600
    bill = containers(own, "app", count=Decimal(5), cpu=1024, memory_mb=2048, arm=arm, hours=hours)
    disk = own.line("disk", "fargate", "storage-gb-hour", 5 * 10 * hours)
    assert dollars(bill) == expected
    assert str((bill + Bill((disk,))).dollars) == total


def test_fargate_ten_pods() -> None:
    bill = containers(
        account(), "app", count=Decimal(10), cpu=256, memory_mb=1024, arm=False, hours=Decimal(30)
    )
    assert dollars(bill) == ["3.04", "1.33"]
    assert str(bill.dollars) == "4.37"


# https://aws.amazon.com/api-gateway/pricing/


def test_http_api_crosses_its_tier() -> None:
    bill = http_api(account(), "app", requests=Decimal(10_000 * 60 * 24 * 30))
    assert str(bill.dollars) == "418.80"
    assert "300,000,000 / 1,000,000 x $1 + 132,000,000 / 1,000,000 x $0.9" in bill.lines[0].arithmetic


def test_http_api_meters_512_kb() -> None:
    bill = http_api(
        account(), "app", requests=Decimal(25 * 60 * 24 * 30), request_bytes=int(4.5 * 1024 * 1024)
    )
    assert bill.lines[0].quantity == 9_720_000
    assert str(bill.dollars) == "9.72"


def test_rest_api_and_what_it_sends() -> None:
    own = account("none")
    calls = own.line("calls", "apigateway", "rest-request", 5 * M)
    sent = own.line("sent", "ec2", "transfer-out", Decimal(15 * M) * 1024 / GB)
    assert (str(calls.dollars), str(sent.dollars)) == ("17.50", "1.29")
    assert str(Bill((calls, sent)).dollars) == "18.79"


def test_rest_api_of_fifteen_billion() -> None:
    assert str(account().line("calls", "apigateway", "rest-request", 15_000 * M).dollars) == "36353.10"


def test_websocket_chat() -> None:
    bill = websocket_api(
        account(),
        "chat",
        messages=Decimal(600 * 1000 * 30),
        message_bytes=3 * 1024,
        minutes=Decimal(1000 * 12 * 60 * 30),
    )
    assert dollars(bill) == ["18.00", "5.40"]
    assert str(bill.dollars) == "23.40"


def test_a_message_of_33_kb_is_two() -> None:
    bill = websocket_api(account(), "chat", messages=Decimal(10), message_bytes=33 * 1024, minutes=Decimal(0))
    assert bill.lines[0].quantity == 20


# https://aws.amazon.com/s3/faqs/ (storage, requests, retrieval and transfer of a March)


def test_s3_storage_crosses_its_tier() -> None:
    line = account().line("storage", "s3", "storage", Decimal(52_900))
    assert str(line.dollars) == "1215.00"


def test_s3_requests() -> None:
    bill = bucket(
        account("none"),
        BucketUse("files", uploads=Decimal(310_000), downloads=Decimal(620_000), cdn=False),
    )
    assert dollars(bill)[1:3] == ["1.55", "0.25"]


def test_s3_retrieval() -> None:
    assert str(account().line("read", "s3", "ia-retrieval", Decimal(300)).dollars) == "3.00"


def test_transfer_out_across_three_tiers_with_one_gb_free() -> None:
    own = account("none")
    own.line("free then, 100 GB now", "ec2", "transfer-out", 1)
    line = own.line("transfer", "ec2", "transfer-out", Decimal(63_487))
    assert line.price.parts(Decimal(63_487), Decimal(1)) == (
        (Decimal(10_239), Decimal("0.09")),
        (Decimal(40_960), Decimal("0.085")),
        (Decimal(12_288), Decimal("0.07")),
    )
    assert str(line.dollars) == "5263.27"


# https://aws.amazon.com/rds/proxy/pricing/


def test_rds_proxy_is_billed_for_two_processors_at_least() -> None:
    line = proxy(account(), "orders", "db.t2.small", hours=24 * 30)
    assert line.quantity == 1440
    assert str(line.dollars) == "21.60"


# https://aws.amazon.com/waf/pricing/


def test_waf_requests_and_web_acl() -> None:
    bill = firewall(account(), "api", requests=Decimal(10 * M))
    assert (dollars(bill)[0], dollars(bill)[2]) == ("5.00", "6.00")


# https://aws.amazon.com/vpc/pricing/


def test_nat_gateway_one_hour_one_gb() -> None:
    hour = account().line("hour", "ec2", "nat-gateway-hour", 1)
    passed = account().line("passed", "ec2", "nat-gateway-gb", 1)
    assert (hour.exact, passed.exact) == (Decimal("0.045"), Decimal("0.045"))
    month = nat_gateway(account(), gigabytes=Decimal(100))
    assert dollars(month) == ["32.85", "4.50", "3.65"]


# https://aws.amazon.com/ebs/pricing/ (read 2026-12-01: its example 1, 12 hours of a month of 30 days)


def test_a_gp3_volume_for_twelve_hours() -> None:
    line = account().line("volume", "ec2", "gp3-storage", Decimal(2000 * 43_200) / (86_400 * 30))
    assert round(line.exact, 3) == Decimal("2.667")


# https://aws.amazon.com/elasticloadbalancing/pricing/ (read 2026-12-01 as public notes copy its two examples, with the
# prices of us-east-1; KB and GB are decimal there)


def test_a_load_balancer_that_is_paid_by_its_bytes() -> None:
    seconds = 720 * 3600
    bill = load_balancer(
        account(),
        "web",
        requests=Decimal(5 * seconds),
        transfer_gb=Decimal(300 * seconds) / 10**6,
        connections=Decimal(seconds),
        connection_seconds=120,
        rules=60,
        hours=720,
    )
    assert bill.lines[1].quantity == Decimal("1.08") * 720
    assert dollars(bill) == ["16.20", "6.22"]
    assert str(bill.dollars) == "22.42"


def test_a_load_balancer_that_is_paid_by_its_open_connections() -> None:
    seconds = 720 * 3600
    bill = load_balancer(
        account(),
        "web",
        requests=Decimal(4 * 100 * seconds),
        transfer_gb=Decimal(100 * seconds) / 10**6,
        connections=Decimal(100 * seconds),
        connection_seconds=180,
        rules=20,
        hours=720,
    )
    assert bill.lines[1].quantity == 6 * 720
    assert dollars(bill) == ["16.20", "34.56"]
    assert str(bill.dollars) == "50.76"


# https://aws.amazon.com/dynamodb/pricing/on-demand/ and /provisioned/ (units of items); /dynamodb/pricing/ of earlier
# years, as public notes copy it (an hour at $0.01 for 10 units of writes and for 50 of reads; a month of one unit, "as
# low as"). Read 2026-12-01


def test_dynamodb_units_of_items_of_several_kb() -> None:
    assert read_units(8 * 1024, Decimal(1)) == 2
    assert read_units(8 * 1024) == 1
    assert read_units(4 * 1024) == Decimal("0.5")
    assert write_units(1024) == 1
    assert write_units(3 * 1024) == 3


def test_dynamodb_capacity_for_an_hour() -> None:
    own = account("none", dynamodb__write_capacity_hour="0.001", dynamodb__read_capacity_hour="0.0002")
    writes = own.line("writes", "dynamodb", "write-capacity-hour", 10)
    reads = own.line("reads", "dynamodb", "read-capacity-hour", 200)
    assert (str(writes.dollars), str(reads.dollars)) == ("0.01", "0.04")
    assert str(Bill((writes, reads)).dollars) == "0.05"


def test_dynamodb_a_unit_and_a_gb_for_a_month() -> None:
    own = account("none")
    month = [
        own.line("", "dynamodb", sku, amount)
        for sku, amount in (("write-capacity-hour", 730), ("read-capacity-hour", 730), ("storage", 1))
    ]
    assert [str(line.dollars) for line in month] == ["0.47", "0.09", "0.25"]


# https://github.com/aws/agent-toolkit-for-aws (d6ad2e4, 2026-08-20), AWS's own: worked examples of
# skills/specialized-skills/database-skills/amazon-aurora-postgresql, rounded to dollars


@pytest.mark.parametrize(
    ("instance", "month"),
    [("db.r6g.large", 190), ("db.r7g.large", 201), ("db.t4g.medium", 53), ("db.t4g.large", 107)],
)
def test_aurora_an_instance_for_a_month(instance: str, month: int) -> None:
    bill = aurora(account(), DatabaseUse("db", instance))
    assert round(bill.lines[0].exact) == month


def test_aurora_two_instances_with_io() -> None:
    own = account(
        "always", **{"aurora__db.r6g.large": "1.038"}
    )  # as db.r6g.2xlarge, which we have no price of
    use = DatabaseUse(
        "db", "db.r6g.large", storage_gb=Decimal(800), copies=1, writes=Decimal(1_200 * M), item_bytes=4096
    )
    bill = aurora(own, use)
    assert [round(line.exact) for line in bill.lines] == [1515, 80, 240]
    assert round(bill.exact) == 1835


@pytest.mark.parametrize(("capacity", "month"), [("6", 526), ("13.5", 1183)])
def test_aurora_serverless(capacity: str, month: int) -> None:
    use = DatabaseUse("db", "", storage_gb=Decimal(1000), capacity=Decimal(capacity))
    bill = aurora(account(), use, serverless=True)
    assert [round(line.exact) for line in bill.lines] == [month, 100, 0]
    assert round(bill.exact) == month + 100


# The same repository: amazon-elasticache (about $6 a month for an empty serverless cache of Valkey), and
# aws-billing-and-cost-management ($3.65 a month for each public address)


def test_a_serverless_cache_that_is_empty() -> None:
    bill = serverless(account(), "c", engine="valkey", kept_gb=Decimal(0), calls=Decimal(0), item_bytes=1024)
    assert round(bill.exact) == 6


def test_a_public_address_for_a_month() -> None:
    assert str(account().line("address", "vpc", "public-ipv4-hour", 730).dollars) == "3.65"


# The same repository: aws-database (about $55 a month for DocumentDB at the least), amazon-elasticache (about $12 for
# a cache.t4g.micro, about $3 for a t4g.nano)


@pytest.mark.parametrize(
    ("service", "sku", "month"),
    [
        ("documentdb", "db.t4g.medium", 55),
        ("elasticache", "redis-cache.t4g.micro", 12),
        ("ec2", "t4g.nano", 3),
    ],
)
def test_the_least_of_a_service_for_a_month(service: str, sku: str, month: int) -> None:
    assert round(account("none").line("", service, sku, 730).exact) == month


# https://aws.amazon.com/dynamodb/pricing/on-demand/ (read 2026-12-01 as a public note quotes its prices and numbers of
# requests; what they come to is not in the note)


def test_dynamodb_requests_on_demand() -> None:
    own = account("none")
    writes = own.line("writes", "dynamodb", "write-request-unit", 3_550_000)
    reads = own.line("reads", "dynamodb", "read-request-unit", 3_550_000)
    assert "/ 1,000,000 x $0.625 = $2.22" in writes.arithmetic
    assert "/ 1,000,000 x $0.125 = $0.44" in reads.arithmetic


# https://aws.amazon.com/kms/pricing/ (read 2026-12-01 as public notes copy it; AWS's own
# https://github.com/aws-solutions/automated-forensic-orchestrator-for-amazon-ec2 reckons the same)


def test_a_key_for_ten_thousand_objects_that_are_read_two_million_times() -> None:
    own = account()
    key = own.line("key", "kms", "key", 1)
    requests = own.line("requests", "kms", "request", 10_000 + 2 * M)
    assert requests.free == 20_000
    assert (str(key.dollars), str(requests.dollars)) == ("1.00", "5.97")
    assert str(Bill((key, requests)).dollars) == "6.97"


# https://aws.amazon.com/cloudwatch/pricing/ (read 2026-12-01 as public notes copy three of its examples)


def test_detailed_metrics_of_ten_instances() -> None:
    assert str(account().line("metrics", "cloudwatch", "metric", 70).dollars) == "21.00"


def test_a_gb_of_logs_a_day() -> None:
    own = account()
    logs = own.line("logs", "cloudwatch", "log-ingestion", 30)
    kept = own.line("kept", "cloudwatch", "log-storage", 6)
    assert (str(logs.dollars), str(kept.dollars)) == ("12.50", "0.03")
    assert str(Bill((logs, kept)).dollars) == "12.53"


def test_flow_logs_cross_all_their_tiers() -> None:
    own = account("none")
    logs = own.line("logs", "cloudwatch", "vended-log-ingestion", 72 * 1024)
    kept = own.line("kept", "cloudwatch", "log-storage", 30 * 1024)
    assert (str(logs.dollars), str(kept.dollars)) == ("13414.40", "921.60")
    assert str(Bill((logs, kept)).dollars) == "14336.00"


def test_half_a_cent_is_rounded_up() -> None:
    assert cents(Decimal("0.005")) == Decimal("0.01")
    assert cents(Decimal("0.00499")) == Decimal(0)
