"""Imported by the one process that all of `commands` are forked from: everything they would import, and shorter waits.

Minutes of patience would be minutes of a test: how long one waits before one looks again or tries again is divided.
Nothing else is other than a user's.
"""

from __future__ import annotations

from typing import Any, Final

import pymongo.common

from greylag.connectors import memory_changes
from greylag.connectors.dynamodb import patience as dynamodb_patience
from greylag.connectors.dynamodb import probe
from greylag.connectors.dynamodb import streams as dynamodb_streams
from greylag.connectors.json import changes as json_changes
from greylag.connectors.mongodb import patience as mongodb_patience
from greylag.connectors.mongodb import stream as mongodb_stream
from greylag.engine.follow import holding
from greylag.executors import child, processes
from greylag.operations.reverse import follow as reverse
from tests.faults import again, sdk, steps

SHORTER: Final[list[tuple[Any, str, float]]] = [
    (child, "_LONGEST_WAIT_SECONDS", 0.2),
    (mongodb_stream, "WAIT_MILLISECONDS", 100),
    (mongodb_patience, "LONGEST_WAIT_SECONDS", 0.4),
    (dynamodb_patience, "LONGEST_DELAY_SECONDS", 0.4),
    (dynamodb_streams, "_IDLE_SECONDS", 0.1),
    (dynamodb_streams, "_POLL_SECONDS", 0.05),
    (probe, "_AGAIN_SECONDS", 0.3),
    (json_changes, "_IDLE_SECONDS", 0.1),
    (holding, "_DUPLICATE_AGAIN_SECONDS", 0.3),
    (memory_changes, "_IDLE_SECONDS", 0.1),
    (reverse, "_TRIED_AGAIN_SECONDS", 1.0),
    (pymongo.common, "MIN_HEARTBEAT_INTERVAL", 0.1),
]


def _prepare() -> None:
    for module, name, value in SHORTER:
        assert hasattr(module, name), name
        setattr(module, name, value)
    sdk.read_once()
    processes._serve = steps.named(processes._serve)
    again.install()
    steps.install()


_prepare()
