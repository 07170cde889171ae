"""Writes a marker into a table, waits for it in the second region, reads it there, and takes it away again."""

from __future__ import annotations

import secrets
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from greylag.connectors.dynamodb.connector import DynamoDBConnector
from greylag.connectors.dynamodb.session import Session
from greylag.errors import ConfigurationError, SchemaError, VerificationFailed
from greylag.operations.drill.log import Drill, kept_if_failed
from greylag.operations.recoverable import chosen, connectors
from greylag.recovery.format import now
from greylag.recovery.settings import Settings, keys_of

if TYPE_CHECKING:
    from greylag.config import Project
    from greylag.core.flows import DatasetRef

MARKER: Final = "greylag-drill#"
"""What the key of a marker begins with, where it is text."""

_POLL_SECONDS: Final = 0.1
_LIFE_SECONDS: Final = 3600


def drill_region(
    project: Project, names: tuple[str, ...], region: str, *, timeout_seconds: float
) -> list[Drill]:
    """Each DynamoDB table: how long until what is written at home can be read in `region`. Failing over then loses what
    was written in that time. Raises VerificationFailed where the marker does not come in time.
    """
    ends = connectors(project)
    refs = [
        ref for ref in chosen(project, names, ends) if isinstance(ends[ref.connection], DynamoDBConnector)
    ]
    if not refs:
        raise ConfigurationError("no DynamoDB table is named", advice="Name a CONNECTION.TABLE.")
    found: list[Drill] = []
    for ref in refs:
        home = ends[ref.connection]
        assert isinstance(home, DynamoDBConnector)
        there = replace(home, options=home.options.model_copy(update={"region": region}))
        with (
            closing(Settings(Session(home.name, home.options))) as here,
            closing(Settings(Session(there.name, there.options))) as far,
            kept_if_failed(project, found, str(ref), "region", _way(here, far)),
        ):
            found.append(_marked(ref, here, far, timeout_seconds))
    return found


def _marked(ref: DatasetRef, here: Settings, far: Settings, timeout_seconds: float) -> Drill:
    table = ref.dataset
    if here.region == far.region:
        raise ConfigurationError(f"{ref} is at home in {here.region}", advice="Name the second region.")
    told = here.read(table)
    if told is None or far.described(table) is None:
        missing = here if told is None else far
        raise SchemaError(
            f"{ref} does not exist in {missing.region}",
            advice="`infrastructure: {replicas: […]}` and `greylag infra render` make a replica.",
        )
    names, types = keys_of(told.as_json())
    marker = secrets.token_hex(8)
    key = {name: _value(types[name], marker) for name in names}
    expires = (
        {told.ttl: {"N": str(int(time.time()) + _LIFE_SECONDS)}} if told.ttl and told.ttl not in key else {}
    )
    began = time.monotonic()
    try:
        with here.asking(f"writing a marker to {ref}"):
            here.client.put_item(TableName=table, Item={**key, **expires, "greylagDrill": {"S": marker}})
        arrived = _seconds_until(far, table, key, marker=marker, began=began, timeout_seconds=timeout_seconds)
    finally:
        with here.asking(f"removing the marker from {ref}"):
            here.client.delete_item(TableName=table, Key=key)
    if arrived is None:
        raise VerificationFailed(
            f"{ref}: what was written in {here.region} was not in {far.region} after {timeout_seconds:.0f} s",
            advice="`greylag inspect` says how its replicas stand. Do not fail over: that would lose writes.",
        )
    gone = _seconds_until(
        far, table, key, marker=None, began=time.monotonic(), timeout_seconds=timeout_seconds
    )
    note = "the marker was removed there too" if gone is not None else f"the marker is still in {far.region}"
    return Drill(
        str(ref),
        "region",
        now(),
        _way(here, far),
        None,
        0.0,
        arrived,
        verified=True,
        note=note,
    )


def _seconds_until(
    far: Settings,
    table: str,
    key: dict[str, Any],
    *,
    marker: str | None,
    began: float,
    timeout_seconds: float,
) -> float | None:
    """Until the marker, or nothing, is read there; None where it is not in time."""
    while True:
        with far.asking(f"reading the marker in {far.region}"):
            item = far.client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
        seconds = time.monotonic() - began
        if (item or {}).get("greylagDrill", {}).get("S") == marker:
            return seconds
        if seconds > timeout_seconds:
            return None
        time.sleep(_POLL_SECONDS)


def _way(here: Settings, far: Settings) -> str:
    return f"{here.region} to {far.region}"


def _value(kind: str, marker: str) -> dict[str, Any]:
    """A key that no application uses."""
    if kind == "N":
        return {"N": f"-{int(marker, 16)}.{int(marker[:8], 16)}1"}
    return {"S": MARKER + marker} if kind == "S" else {"B": (MARKER + marker).encode()}
