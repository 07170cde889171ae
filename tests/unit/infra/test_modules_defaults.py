"""What the monitoring module promises by default, and the one piece of code among the modules."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from typing import TYPE_CHECKING

import pytest

from tests.unit.infra.module import MODULES

if TYPE_CHECKING:
    from types import ModuleType

_ALARM = re.compile(
    r"^    (\w+) = optional\(object\(\{\s+enabled\s+= optional\(bool, true\)\s+"
    r"threshold\s+= optional\(number, (\d+)\)\s+periods\s+= optional\(number, (\d+)\)\s+"
    r'missing_data\s+= optional\(string, "(\w+)"\)\s+\}\), \{\}\)$',
    re.MULTILINE,
)

_ALARMS = {
    "database_connections": (80, 5, "breaching"),
    "database_cpu": (80, 15, "breaching"),
    "database_storage": (80, 5, "breaching"),
    "replication_lag": (30, 5, "notBreaching"),
    "proxy_pinned_connections": (0, 5, "notBreaching"),
    "function_errors": (5, 5, "notBreaching"),
    "api_5xx": (1, 5, "notBreaching"),
    "table_throttles": (0, 5, "notBreaching"),
    "bucket_4xx": (5, 15, "notBreaching"),
    "bucket_5xx": (1, 5, "notBreaching"),
    "cache_memory": (80, 5, "breaching"),
    "dead_letters": (0, 1, "notBreaching"),
}


def test_alarms_have_these_defaults() -> None:
    text = (MODULES / "monitoring" / "variables.tf").read_text(encoding="utf-8")
    declared = {
        name: (int(threshold), int(periods), missing)
        for name, threshold, periods, missing in _ALARM.findall(text)
    }
    assert declared == _ALARMS


def test_every_alarm_is_made_and_explained() -> None:
    folder = MODULES / "monitoring"
    made = (folder / "alarms.tf").read_text(encoding="utf-8") + (folder / "rates.tf").read_text(
        encoding="utf-8"
    )
    assert set(re.findall(r"var\.alarms\.(\w+)\.threshold", made)) == set(_ALARMS)
    said = dict(
        re.findall(
            r"^\| `(\w+)` \|[^|]*> (\d+) [^|]*\|", (folder / "README.md").read_text("utf-8"), re.MULTILINE
        )
    )
    assert {name: int(threshold) for name, threshold in said.items()} == {
        name: threshold for name, (threshold, _, _) in _ALARMS.items()
    }


@pytest.fixture
def origin_verify(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    digests = tuple(hashlib.sha256(secret.encode()).hexdigest() for secret in ("current", "previous"))
    monkeypatch.setenv("HEADER", "x-origin-verify")
    monkeypatch.setenv("DIGESTS", ",".join(digests))
    spec = importlib.util.spec_from_file_location("origin_verify", MODULES / "http-api" / "origin_verify.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"x-origin-verify": "current"}, True),
        ({"x-origin-verify": "previous"}, True),
        ({"x-origin-verify": "another"}, False),
        ({"x-origin-verify": ""}, False),
        ({}, False),
    ],
)
def test_origin_is_known_by_its_secret(
    origin_verify: ModuleType, headers: dict[str, str], allowed: bool
) -> None:
    assert origin_verify.handler({"headers": headers}, None) == {"isAuthorized": allowed}
