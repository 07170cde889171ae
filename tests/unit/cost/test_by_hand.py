"""Prices, tiers and minima of services for which no published example was found, against arithmetic done by hand.

docs/cost.md has the table: every service that there is a price of stands in it.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from greylag.cost.bill import Account
from greylag.cost.caches import serverless
from greylag.cost.databases import DatabaseUse, documentdb, rds
from greylag.cost.prices import shipped
from greylag.cost.queues import queue

DOCUMENT = Path(__file__).parents[3] / "docs" / "cost.md"
M = 1_000_000


@pytest.mark.parametrize(
    ("service", "sku", "quantity", "dollars"),
    [
        ("dynamodb", "replicated-write-request-unit", 2 * M, "1.25"),  # 2 x 0.625
        ("dynamodb", "storage", 27, "6.75"),  # 27 x 0.25
        ("dynamodb", "pitr", 60, "12.00"),  # 60 x 0.20
        ("dynamodb", "backup", 30, "3.00"),  # 30 x 0.10
        ("dynamodb", "restore", 30, "4.50"),  # 30 x 0.15
        ("dynamodb", "export", 100, "10.00"),  # 100 x 0.10
        ("dynamodb", "import", 100, "15.00"),  # 100 x 0.15
        ("dynamodb", "stream-read", 10 * M, "2.00"),  # 10 x 0.20
        ("sqs", "standard", 100_001 * M, "40000.30"),  # 100,000 x 0.40 + 1 x 0.30
        ("sqs", "fifo", 3 * M, "1.50"),  # 3 x 0.50
        ("rds", "db.t4g.micro", 730, "11.68"),  # 730 x 0.016
        ("rds", "gp3-storage", 20, "2.30"),  # 20 x 0.115
        ("rds", "gp3-storage-multi-az", 20, "4.60"),  # 20 x 0.23
        ("documentdb", "db.t4g.medium", 730, "55.23"),  # 730 x 0.07566 = 55.2318
        ("documentdb", "io", 5 * M, "1.00"),  # 5 x 0.20
        ("documentdb", "backup", 50, "1.05"),  # 50 x 0.021
        ("elasticache", "redis-cache.t4g.micro", 730, "11.68"),  # 730 x 0.016
        ("elasticache", "valkey-ecpu", 1_000 * M, "2.30"),  # 1,000 x 0.0023
        ("cloudfront", "https-request", 25_000, "0.03"),  # 2.5 x 0.01 = 0.025
        ("cloudfront", "transfer", 10_241, "870.48"),  # 10,240 x 0.085 + 1 x 0.08 = 870.48
        ("waf", "web-acl", 1, "5.00"),
        ("waf", "rule", 4, "4.00"),
        ("secretsmanager", "secret", 3, "1.20"),  # 3 x 0.40
        ("secretsmanager", "request", 45_000, "0.23"),  # 4.5 x 0.05 = 0.225
        ("cloudwatch", "alarm", 10, "1.00"),  # 10 x 0.10
        ("vpc", "endpoint-hour", 2 * 730, "14.60"),  # 1,460 x 0.01
        ("vpc", "endpoint-gb", 1_048_577, "10485.77"),  # 1,048,576 x 0.01 + 1 x 0.006 = 10,485.766
        ("ec2", "t4g.nano", 730, "3.07"),  # 730 x 0.0042 = 3.066
        ("ec2", "transfer-region", 100, "2.00"),  # 100 x 0.02
    ],
)
def test_a_quantity_costs(service: str, sku: str, quantity: int, dollars: str) -> None:
    assert str(Account(shipped(), "none").line("", service, sku, quantity).dollars) == dollars


def test_documentdb_serverless_is_billed_for_its_least() -> None:
    use = DatabaseUse("db", "", storage_gb=Decimal(10), capacity=Decimal("0.1"))
    bill = documentdb(Account(shipped(), "none"), use, serverless=True)
    assert [str(line.dollars) for line in bill.lines] == ["30.00", "1.00", "0.00"]  # 0.5 x 730 x 0.0822


def test_two_zones_and_a_replica() -> None:
    use = DatabaseUse("db", "db.t4g.small", storage_gb=Decimal(20), multi_az=True, copies=1)
    bill = rds(Account(shipped(), "none"), use)
    # 730 x 0.065; 20 x 0.23; 730 x 0.032; 20 x 0.115
    assert [str(line.dollars) for line in bill.lines] == ["47.45", "4.60", "23.36", "2.30"]


def test_a_serverless_cache_of_redis_is_billed_for_one_gb() -> None:
    bill = serverless(
        Account(shipped(), "none"),
        "c",
        engine="redis",
        kept_gb=Decimal("0.2"),
        calls=Decimal(2 * M),
        item_bytes=1536,
    )
    assert [str(line.dollars) for line in bill.lines] == ["91.25", "0.01"]  # 730 x 0.125; 2 x 1.5 x 0.0034


@pytest.mark.parametrize(("size", "requests"), [(1, 3), (65_536, 3), (65_537, 5), (262_144, 9)])
def test_a_message_is_a_request_for_each_64_kb_begun(size: int, requests: int) -> None:
    bill = queue(Account(shipped(), "none"), "q", messages=Decimal(1), message_bytes=size)
    assert bill.lines[0].quantity == requests


def test_the_document_says_how_each_service_is_checked() -> None:
    _, _, after = DOCUMENT.read_text(encoding="utf-8").partition("### What the formulas are held to")
    rows = re.findall(r"^\| `(\w+)` \|", after.partition("\n## ")[0], re.MULTILINE)
    assert sorted(rows) == sorted({price.service for price in shipped().prices.values()})
