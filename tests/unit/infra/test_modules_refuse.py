"""Values the modules refuse, asked of Terraform itself: variables need no provider, so this runs without a network.

Skipped where neither `terraform` nor `tofu` is on PATH.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.infra.module import MODULES

if TYPE_CHECKING:
    from pathlib import Path

_PROGRAM = shutil.which("terraform") or shutil.which("tofu")
_KEY = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
_QUEUE = "arn:aws:sqs:eu-west-1:123456789012:shop-prod-orders"
_ALIAS = "arn:aws:lambda:eu-west-1:123456789012:function:shop-prod-orders:live"
_COMMON = {"name": "shop-prod", "kms_key_arn": _KEY}
_STATEMENT = {"sid": "Read", "actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::shop/*"]}

_GOOD: dict[str, dict[str, Any]] = {
    "assets": _COMMON,
    "queue": _COMMON | {"consumer_timeout_seconds": 60},
    "function": _COMMON | {"image_uri": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop:1"},
    "http-api": _COMMON
    | {
        "origin_secrets": ["0123456789abcdef0123456789abcdef"],
        "integrations": {"shop": {"function_arn": _ALIAS}},
        "routes": {"GET /": {"integration": "shop"}},
    },
    "websocket-api": _COMMON | {"routes": {"$connect": _ALIAS, "$default": _ALIAS}},
    "service": _COMMON
    | {
        "vpc_id": "vpc-1",
        "subnet_ids": ["subnet-1", "subnet-2"],
        "releases": {"blue": {"image": "shop:1"}},
    },
    "monitoring": _COMMON | {"monthly_budget_usd": 90},
    "deploy-identity": _COMMON
    | {
        "repository": "example/shop",
        "environments": {
            "prod": {"name_prefix": "shop-prod", "modules": ["queue"], "regions": ["eu-west-1"]}
        },
    },
}

_REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("assets", {"expirations": [{"prefix": "", "days": 1}]}, "a prefix that is not empty"),
    (
        "assets",
        {"cdn": False, "signing_public_keys": {"a": "-----BEGIN PUBLIC KEY-----"}},
        "cdn must be true",
    ),
    ("queue", {"visibility_timeout_seconds": 359}, "at least 6 x consumer_timeout_seconds"),
    ("queue", {"visibility_timeout_seconds": 360, "batching_window_seconds": 10}, "at least 6 x"),
    ("queue", {"fifo": True, "batching_window_seconds": 1}, "must be 0 for a FIFO queue"),
    ("queue", {"content_based_deduplication": True}, "for FIFO queues only"),
    ("queue", {"dead_letter_retention_seconds": 345600}, "must be greater than message_retention_seconds"),
    ("function", {"zip_path": "app.zip"}, "exactly one of zip_path, zip_s3 and image_uri"),
    ("function", {"image_uri": None}, "exactly one of zip_path, zip_s3 and image_uri"),
    ("function", {"image_uri": "shop:latest"}, "immutable tag"),
    ("function", {"policy_statements": [_STATEMENT | {"actions": ["s3:*"]}]}, "no wildcard"),
    ("function", {"policy_statements": [_STATEMENT | {"actions": ["*"]}]}, "no wildcard"),
    ("function", {"policy_statements": [_STATEMENT | {"resources": ["*"]}]}, "must say its reason"),
    (
        "function",
        {"event_sources": {"q": {"arn": f"{_QUEUE}.fifo", "batch_size": 11}}},
        "batches of 10 at most",
    ),
    (
        "function",
        {"event_sources": {"q": {"kind": "stream", "arn": _QUEUE}}},
        "a DynamoDB stream's for kind stream",
    ),
    (
        "function",
        {"reserved_concurrency": 5, "event_sources": {"q": {"arn": _QUEUE, "maximum_concurrency": 6}}},
        "must not exceed reserved_concurrency",
    ),
    ("function", {"reserved_concurrency": 5, "provisioned_concurrency": 6}, "at most reserved_concurrency"),
    ("function", {"database_connections": {"per_copy": 1, "limit": 9}}, "reserved_concurrency must be set"),
    (
        "function",
        {"reserved_concurrency": 5, "database_connections": {"per_copy": 2, "limit": 9}},
        "must not exceed limit",
    ),
    ("function", {"alias_weights": {"7": 0.1, "8": 0.1}}, "one version number at most"),
    ("http-api", {"origin_secrets": ["short"]}, "32 to 128 letters and digits"),
    ("http-api", {"routes": {"GET /": {"integration": "other"}}}, "must stand in integrations"),
    (
        "http-api",
        {"routes": {"GET /": {"integration": "shop", "authorization": "JWT"}}},
        "needs the jwt variable",
    ),
    (
        "http-api",
        {"routes": {"GET /": {"integration": "shop", "authorization": "NONE"}}},
        "ORIGIN, JWT or AWS_IAM",
    ),
    ("http-api", {"integrations": {"shop": {"kind": "listener", "listener_arn": "arn"}}}, "needs vpc_link"),
    ("http-api", {"cors": {"allow_origins": ["*"], "allow_credentials": True}}, "may not stand beside"),
    ("websocket-api", {"routes": {"$connect": _ALIAS}}, "needs $connect"),
    ("websocket-api", {"integration_timeout_ms": 30000}, "50 to 29000"),
    ("service", {"cpu": 256, "memory_mb": 4096}, "does not go with cpu"),
    ("service", {"port": 8000}, "belong together"),
    ("service", {"releases": {"blue": {"image": "shop:latest"}}}, "never :latest"),
    ("service", {"releases": {"blue": {"image": "shop:1", "min_tasks": 0}}}, "answered 503"),
    ("service", {"releases": {"blue": {"image": "shop:1", "weight": 0}}}, "at least one has weight"),
    ("service", {"secrets": {"PASSWORD": "swordfish"}}, "never the secret itself"),
    ("monitoring", {"alarms": {"dead_letters": {"missing_data": "fine"}}}, "missing_data must be"),
    ("monitoring", {"caches": {"a": {"member_ids": ["x"]}}}, "with their number in node_count"),
    ("deploy-identity", {"repository": "example/*"}, "without a wildcard"),
    ("deploy-identity", {"plan_secret_arns": ["*"]}, "single secrets"),
]

pytestmark = pytest.mark.skipif(_PROGRAM is None, reason="neither terraform nor tofu is on PATH")


def _plan(folder: Path, module: str, values: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    shutil.copy(MODULES / module / "variables.tf", folder)
    (folder / "values.tfvars.json").write_text(json.dumps(values), encoding="utf-8")
    told = os.environ | {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
    plan = [str(_PROGRAM), "plan", "-input=false", "-no-color", "-var-file=values.tfvars.json"]
    return subprocess.run(plan, cwd=folder, env=told, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("module", sorted(_GOOD))
def test_takes_what_is_good(tmp_path: Path, module: str) -> None:
    done = _plan(tmp_path, module, _GOOD[module])
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("module", "change", "told"), _REFUSED)
def test_refuses_and_says_why(tmp_path: Path, module: str, change: dict[str, Any], told: str) -> None:
    done = _plan(tmp_path, module, _GOOD[module] | change)
    said = " ".join(line.strip("│ ") for line in done.stderr.splitlines())
    assert done.returncode == 1
    assert told in " ".join(said.split())
