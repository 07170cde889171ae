"""The policy of a bucket or queue that lets nobody in without TLS, put beside whatever else a policy says."""

from __future__ import annotations

import json
from typing import Any

_SID = "TlsOnly"


def tls_only(service: str, resources: list[str]) -> dict[str, Any]:
    """The statement, as modules/assets and modules/queue write it."""
    return {
        "Sid": _SID,
        "Effect": "Deny",
        "Principal": "*",
        "Action": f"{service}:*",
        "Resource": resources,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def statement_in(policy: str | None) -> dict[str, Any] | None:
    """That statement as a policy has it; None where it has none."""
    found: dict[str, Any] | None = next(
        (each for each in _statements(policy) if each.get("Sid") == _SID), None
    )
    if found is not None and isinstance(found.get("Resource"), str):
        found = {**found, "Resource": [found["Resource"]]}
    return found


def with_statement(policy: str | None, statement: dict[str, Any]) -> str:
    """`policy` with the statement, and all its others as they were."""
    others = [each for each in _statements(policy) if each.get("Sid") != _SID]
    return json.dumps({"Version": "2012-10-17", "Statement": [*others, statement]})


def _statements(policy: str | None) -> list[dict[str, Any]]:
    return list(json.loads(policy).get("Statement", [])) if policy else []
