"""The command `greylag` as a user calls it: another process, another folder, an exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


_PROGRAM = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from greylag.cli import main
main()
"""
"""Ctrl-C is heard also where the tests were begun in a shell's background, whose children ignore it."""


@dataclass
class Command:
    """Calls `greylag` in `folder`, whose greylag.yaml it can write."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    seconds: float = 300
    """The longest that a call may take: one that hangs fails its test, and leaves no process behind."""

    def write(self, yaml: str, name: str = "greylag.yaml") -> None:
        (self.folder / name).write_text(yaml)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, *arguments],
            cwd=self.folder,
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a test's Ctrl-C or kill must not reach pytest
        )

    def __call__(self, *arguments: str, expect: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run to its end; fails the test where the exit code is not `expect` (None: any)."""
        process = self.start(*arguments)
        try:
            out, err = process.communicate(timeout=self.seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # its workers with it
            process.communicate()
            raise
        assert "Traceback" not in err, err
        assert expect is None or process.returncode == expect, f"exit code {process.returncode}\n{out}\n{err}"
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def json(self, *arguments: str, expect: int | None = 0) -> Any:
        """What `--json` prints."""
        return json.loads(self(*arguments, "--json", expect=expect).stdout)


def items_of(endpoint: str, table: str) -> dict[bytes, dict[str, Any]]:
    """Every item of a table by its key, read with boto3 alone, in DynamoDB's own JSON."""
    import boto3

    client = boto3.client("dynamodb", endpoint_url=endpoint, region_name="us-east-1")
    try:
        key = [each["AttributeName"] for each in client.describe_table(TableName=table)["Table"]["KeySchema"]]
        found: dict[bytes, dict[str, Any]] = {}
        for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            for item in page["Items"]:
                found[repr([item[name] for name in key]).encode()] = item
    finally:
        client.close()
    return found
