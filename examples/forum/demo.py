"""Moves the forum to moto's server and verifies it: what `make demo` runs.

Needs nothing but Greylag with its extra `local`: no AWS account, no server, no root. It works in a temporary
folder and leaves nothing behind.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import boto3

from greylag.errors import GreylagError, Quarantined
from greylag.lab.moto import serve
from greylag.lab.server import AWS_ENVIRONMENT

HERE = Path(__file__).parent
COMMAND = Path(sys.executable).with_name("greylag")
SHOWN = {  # one item of each table, chosen for what is odd about it
    "forum-users": {"userId": {"S": "u-0000003"}},
    "forum-threads": {"threadId": {"S": "t-0000005"}},
    "forum-posts": {"postId": {"N": "11"}},
}


def main() -> None:
    """Run the demo. Exits with 1 if other records than expected went to quarantine, or anything differs."""
    isolate()
    try:
        with serve() as endpoint, tempfile.TemporaryDirectory(prefix="greylag-demo-") as folder:
            ok = demo(Path(folder), endpoint)
    except GreylagError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    sys.exit(0 if ok else 1)


def demo(folder: Path, endpoint: str) -> bool:
    """Move and verify the forum in `folder`; whether all of it went as expected.json says."""
    shutil.copy(HERE / "greylag.yaml", folder)
    shutil.copytree(HERE / "data", folder / "data")
    expected = json.loads((folder / "data" / "expected.json").read_text(encoding="utf-8"))
    print("# The forum of examples/forum on moto's server, which stands in for DynamoDB.")
    moved = greylag(folder, endpoint, "run")
    verified = greylag(folder, endpoint, "verify")
    if moved != Quarantined.exit_code or verified != 0:
        return False
    greylag(folder, endpoint, "quarantine", "list")
    print("# An item of each table, as boto3 reads it:\n")
    for table in SHOWN:
        print(table)
        for name, value in item(endpoint, table).items():
            print(f"  {name:12} {json.dumps(value, ensure_ascii=False)}")
        print()
    wanted = {name: service["count"] for name, service in expected.items()}
    as_expected = quarantined(folder) == wanted
    print(f"# Expected in quarantine: {wanted}. {'So it is.' if as_expected else 'It is not so.'}")
    return as_expected


def isolate() -> None:
    """Leave out what this shell knows of AWS: nothing here may reach an account of the user's."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(
        AWS_ENVIRONMENT,
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        NO_PROXY="127.0.0.1",
        no_proxy="127.0.0.1",
    )


def greylag(folder: Path, endpoint: str, *arguments: str) -> int:
    """Run the command as a user does, with its output as it is; its exit code."""
    print(f"$ greylag {' '.join(arguments)}", flush=True)
    environment = {**os.environ, "DYNAMODB_ENDPOINT": endpoint, "FORUM_DATA": "data"}
    code = subprocess.run([COMMAND, *arguments], cwd=folder, env=environment, check=False).returncode
    print(f"(exit code {code})\n", flush=True)
    return code


def quarantined(folder: Path) -> dict[str, int]:
    """How many records of each flow stand in quarantine."""
    files = (folder / ".greylag" / "quarantine").glob("*.jsonl")
    return {file.stem: len(file.read_bytes().splitlines()) for file in files}


def item(endpoint: str, table: str) -> dict[str, Any]:
    """The chosen item of `table`."""
    client = boto3.client("dynamodb", endpoint_url=endpoint)
    [(attribute, value)] = SHOWN[table].items()
    try:
        found = client.query(
            TableName=table,
            KeyConditionExpression="#key = :value",
            ExpressionAttributeNames={"#key": attribute},
            ExpressionAttributeValues={":value": value},
        )
    finally:
        client.close()
    return found["Items"][0]


if __name__ == "__main__":
    main()
