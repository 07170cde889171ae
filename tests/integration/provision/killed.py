"""One provisioning or its undoing in a process that is killed at a chosen request, without a chance to clean up."""

from __future__ import annotations

import multiprocessing
import os
import signal
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

When = Literal["before the second", "after the first", "never"]
"""Which of the requests that change something ends the process: each run gets one step further than the last."""

_READING = ("Get", "Head", "List", "Describe", "Scan")
_MODULES = ["boto3", "greylag.config", "greylag.operations.provision"]


def run(folder: Path, environment: Mapping[str, str], verb: str, when: When) -> int:
    """The exit code of the process, negative for the signal that ended it."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_MODULES)
    process = context.Process(target=_child, args=(folder, dict(environment), verb, when))
    process.start()
    process.join(120)
    assert process.exitcode is not None
    return process.exitcode


def _child(folder: Path, environment: Mapping[str, str], verb: str, when: When) -> None:
    os.environ.update(environment)
    import botocore.client

    real = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]
    requests = 0

    def counting(self: Any, operation: str, parameters: Any) -> Any:
        nonlocal requests
        # moto forgets who may redrive: a run killed right after it was set would never get past it.
        forgotten = "RedriveAllowPolicy" in parameters.get("Attributes", {})
        changes = not operation.startswith(_READING) and not forgotten
        requests += changes
        if changes and when == "before the second" and requests == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = real(self, operation, parameters)
        if changes and when == "after the first":
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    botocore.client.BaseClient._make_api_call = counting  # type: ignore[attr-defined]
    from greylag.config import load
    from greylag.operations.provision import deprovision, provision

    project = load(folder / "greylag.yaml")
    if verb == "provision":
        provision(project, ask=_nothing, say=_nothing)
    else:
        deprovision(project, delete_data=True, ask=_nothing, say=_nothing)


def _nothing(_: object) -> None:
    pass
