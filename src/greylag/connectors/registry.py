"""Finds connectors by the `kind` of a connection. Anyone may add one: entry points group `greylag.connectors`."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, cast

from greylag.core.nearest import did_you_mean
from greylag.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greylag.core.ports import ConnectorType

GROUP = "greylag.connectors"

LATER = frozenset(
    {"documentdb", "elasticache", "minio", "postgres", "postgresql", "rds", "redis", "s3", "sqs"}
)
"""Kinds that users of DESIGN's support matrix will try, and this version does not have."""


@cache
def _installed() -> Mapping[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def kinds() -> tuple[str, ...]:
    """Every kind that is installed, sorted. Loads none of them."""
    return tuple(sorted(_installed()))


@cache
def connector_type(kind: str) -> ConnectorType:
    """The connector for connections of `kind`.

    Raises ConfigurationError for a kind that is unknown, or whose software is not installed.
    """
    point = _installed().get(kind)
    if point is None and kind in LATER:
        raise ConfigurationError(f"kind {kind!r} is not in this version; kinds: {', '.join(kinds())}")
    if point is None:
        hint = did_you_mean(kind, kinds())
        raise ConfigurationError(f"unknown kind {kind!r}{hint or '; kinds: ' + ', '.join(kinds())}")
    try:
        return cast("ConnectorType", point.load())
    except ImportError as error:
        raise ConfigurationError(
            f"kind {kind!r} cannot be used: Python module {error.name or error} is missing",
            advice=f"Install what {point.value} needs.",
        ) from error
    except AttributeError as error:
        raise ConfigurationError(
            f"kind {kind!r} cannot be used: there is no {point.value}", advice="Install its software again."
        ) from error
