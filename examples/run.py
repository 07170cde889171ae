"""Runs both examples on the lab's servers, then compares with boto3 alone: what `make examples` runs.

    python examples/run.py [--records 20000] [--seed 1]

Starts a mongod and DynamoDB Local (`greylag lab install mongod dynamodb` fetches them), and ends them again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import compare

from greylag.errors import GreylagError, Quarantined
from greylag.lab import temporary_lab

HERE = Path(__file__).parent
COMMAND = Path(sys.executable).with_name("greylag")


@dataclass(frozen=True)
class Outcome:
    """What became of one example."""

    name: str
    records: int
    quarantined: int
    items: int
    run_seconds: float
    verify_seconds: float


class Failed(Exception):  # noqa: N818
    """An example did not end as it should."""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=2000, help="records of each example (2000)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    try:
        with (
            temporary_lab(["mongod", "dynamodb"]) as servers,
            tempfile.TemporaryDirectory(prefix="greylag-examples-") as folder,
        ):
            environment = {**os.environ, **servers}
            os.environ.update(servers)  # for boto3, here
            outcomes = [
                forum(Path(folder) / "forum", arguments.records, arguments.seed, environment),
                shop(Path(folder) / "shop", arguments.records, arguments.seed, environment),
            ]
    except (GreylagError, Failed, compare.Differs) as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    print("example  records  quarantined   items  run, s  verify, s")
    for each in outcomes:
        print(
            f"{each.name:7} {each.records:8,} {each.quarantined:12,} {each.items:7,}"
            f" {each.run_seconds:7.1f} {each.verify_seconds:10.1f}"
        )
    print(
        "Every item holds its record, compared with boto3 alone; what is in quarantine is what was expected."
    )


def forum(folder: Path, records: int, seed: int, environment: dict[str, str]) -> Outcome:
    """JSON files to three tables."""
    folder.mkdir()
    shutil.copy(HERE / "forum" / "greylag.yaml", folder)
    sizes = ["--records", str(records), "--seed", str(seed)]
    call([sys.executable, HERE / "forum" / "generate.py", *sizes, "--out", folder / "data"], environment)
    expected = folder / "data" / "expected.json"
    seconds = move(folder, {**environment, "FORUM_DATA": "data"}, expected, key="row")
    items = compare.forum(folder / "data", environment["DYNAMODB_ENDPOINT"])
    return outcome("forum", expected, items, seconds)


def shop(folder: Path, records: int, seed: int, environment: dict[str, str]) -> Outcome:
    """Four collections of MongoDB to one table."""
    folder.mkdir()
    shutil.copy(HERE / "shop" / "greylag.yaml", folder)
    shutil.copy(HERE / "shop" / "mapping.py", folder)
    expected = folder / "expected.json"
    url = environment["MONGODB_URI"]
    sizes = ["--records", str(records), "--seed", str(seed)]
    call(
        [sys.executable, HERE / "shop" / "generate.py", "--url", url, *sizes, "--expected", expected],
        environment,
    )
    seconds = move(folder, environment, expected, key="id")
    items = compare.shop(url, expected, environment["DYNAMODB_ENDPOINT"])
    return outcome("shop", expected, items, seconds)


def move(folder: Path, environment: dict[str, str], expected: Path, *, key: str) -> tuple[float, float]:
    """Run and verify as a user does; the seconds each took. Raises Failed where one ends otherwise."""
    seconds = []
    for verb, wanted in (("run", Quarantined.exit_code), ("verify", 0)):
        started = time.monotonic()
        call([COMMAND, verb], environment, folder=folder, wanted=wanted)
        seconds.append(time.monotonic() - started)
    for name, flow in json.loads(expected.read_text(encoding="utf-8")).items():
        check_quarantine(name, flow["quarantined"], found(folder, name), key)
    return seconds[0], seconds[1]


def check_quarantine(
    name: str, wanted: list[dict[str, Any]], entries: list[dict[str, Any]], key: str
) -> None:
    """Raises Failed unless exactly the records wanted stand in quarantine, each for the reason wanted."""
    reasons = {json.dumps(entry["key"]): entry["reason"] for entry in entries}
    for each in wanted:
        reason = reasons.pop(json.dumps(each[key]), None)
        if reason is None:
            raise Failed(f"{name}: record {each[key]} ({each['why']}) is not in quarantine")
        if each["why"] not in reason:
            raise Failed(
                f"{name}: record {each[key]} is in quarantine for {reason!r}, not for {each['why']!r}"
            )
    if reasons:
        raise Failed(f"{name}: {len(reasons)} records are in quarantine that should not be: {reasons}")


def found(folder: Path, flow: str) -> list[dict[str, Any]]:
    """The quarantine of a flow."""
    path = folder / ".greylag" / "quarantine" / f"{flow}.jsonl"
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def call(
    arguments: list[str | Path], environment: dict[str, str], *, folder: Path | None = None, wanted: int = 0
) -> None:
    """Run a program with its output as it is. Raises Failed unless it ends with the exit code wanted."""
    shown = " ".join(Path(each).name if isinstance(each, Path) else each for each in arguments)
    print("$", shown, flush=True)
    code = subprocess.run(arguments, cwd=folder, env=environment, check=False).returncode
    if code != wanted:
        raise Failed(f"{shown} ended with {code}, not {wanted}")


def outcome(name: str, expected: Path, items: int, seconds: tuple[float, float]) -> Outcome:
    """The summary of one example."""
    flows = json.loads(expected.read_text(encoding="utf-8")).values()
    return Outcome(
        name, sum(flow["records"] for flow in flows), sum(flow["count"] for flow in flows), items, *seconds
    )


if __name__ == "__main__":
    main()
