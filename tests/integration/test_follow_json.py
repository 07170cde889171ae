"""JSON files to DynamoDB while an application writes them: a ledger of all it wrote, and what stands at the target."""

from __future__ import annotations

import json
import random
import signal
import threading
import time
from typing import TYPE_CHECKING, Any, Self

import pytest

from tests.command import Command, items_of

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = """
project: forum
connections:
  files: {{kind: json, path: data}}
  dynamo: {{kind: dynamodb, region: us-east-1, endpoint_url: "{endpoint}", create_tables: true}}
services:
  forum:
    flows:
      threads: {{from: "files.db.json#/threads", to: dynamo.{prefix}threads, key: {{kind: "{{kind}}", id: "{{id}}"}}}}
      posts: {{from: files.posts, to: dynamo.{prefix}posts, key: {{post: "{{@row}}"}}}}
      notes: {{from: files.notes, to: dynamo.{prefix}notes, key: {{digest: "{{@digest}}"}}}}
"""
DEADLINE_SECONDS = 120.0
KINDS = ("open", "closed", "pinned")


class Ledger:
    """Inserts, edits, deletes and moves of keys in three files, each written anew in turn: in place, by another
    file put in its place, with half of it written first.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._chance = random.Random(seed)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.threads = {number: {"id": number, "kind": "open", "n": 0} for number in range(40)}
        self.posts: list[dict[str, Any]] = [{"text": f"first {number}"} for number in range(10)]
        self.notes: list[dict[str, Any]] = [{"note": number} for number in range(10)]
        self.writes = 0
        folder.mkdir()
        self._save()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._work)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        assert self._thread is not None
        self._thread.join(60)

    def wait_for(self, writes: int) -> None:
        wanted, deadline = self.writes + writes, time.monotonic() + DEADLINE_SECONDS
        while self.writes < wanted:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def _work(self) -> None:
        while not self._stopping.is_set():
            number = self._chance.randrange(60)
            record = self.threads.get(number)
            if record is None:
                self.threads[number] = {"id": number, "kind": self._chance.choice(KINDS), "n": self.writes}
            elif self._chance.random() < 0.3:
                del self.threads[number]
            else:
                self.threads[number] = {**record, "kind": self._chance.choice(KINDS), "n": self.writes}
            if self._chance.random() < 0.5:
                self.posts.append({"text": f"post {self.writes}"})
            self.notes[self._chance.randrange(10)] = {"note": f"changed {self.writes}"}
            self._save()
            self._stopping.wait(0.02)

    def _save(self) -> None:
        threads = list(self.threads.values())
        self._chance.shuffle(threads)
        self._put("db.json", json.dumps({"other": [], "threads": threads}))
        self._put("posts.jsonl", "".join(json.dumps(each) + "\n" for each in self.posts))
        self._put("notes.json", json.dumps(self.notes))
        self.writes += 1

    def _put(self, name: str, content: str) -> None:
        path = self._folder / name
        way = self._chance.randrange(3) if name != "posts.jsonl" else 1  # a file of rows may only ever grow
        if way == 0:
            path.write_text(content)
        elif way == 1:
            beside = path.with_suffix(".new")
            beside.write_text(content)
            beside.replace(path)
        else:
            with path.open("w") as file:
                for start in range(0, len(content), 400):
                    file.write(content[start : start + 400])
                    file.flush()


def differs(ledger: Ledger, endpoint: str, prefix: str) -> str:
    """Which table does not hold what its file does; empty where each does."""
    threads = {(each["kind"], each["id"], each["n"]) for each in ledger.threads.values()}
    found = items_of(endpoint, f"{prefix}threads").values()
    if {(each["kind"]["S"], int(each["id"]["N"]), int(each["n"]["N"])) for each in found} != threads:
        return "threads"
    found = items_of(endpoint, f"{prefix}posts").values()
    if {int(each["post"]["N"]): each["text"]["S"] for each in found} != {
        row: each["text"] for row, each in enumerate(ledger.posts)
    }:
        return "posts"
    found = items_of(endpoint, f"{prefix}notes").values()
    notes = sorted(str(each["note"]) for each in ledger.notes)
    return "" if sorted(next(iter(each["note"].values())) for each in found) == notes else "notes"


@pytest.mark.long
def test_a_ledger_of_json_files(tmp_path: Path, dynamodb_endpoint: str, table_prefix: str) -> None:
    ledger = Ledger(tmp_path / "data", seed=7)
    greylag = Command(tmp_path)
    greylag.write(PROJECT.format(endpoint=dynamodb_endpoint, prefix=table_prefix))
    with ledger:
        process = greylag.start("run", "--follow", "--processes", "1")
        while not list((tmp_path / ".greylag").glob("spool/*/capture.json")):
            ledger.wait_for(5)
        ledger.wait_for(20)
        process.kill()
        process.communicate(timeout=DEADLINE_SECONDS)
        process = greylag.start("run", "--follow", "--processes", "1")
        ledger.wait_for(40)
    try:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while wrong := _differs(ledger, dynamodb_endpoint, table_prefix):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, wrong
            time.sleep(0.2)
    finally:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=DEADLINE_SECONDS)
    assert "Traceback" not in err, err
    assert greylag.json("verify")["mismatches"] == 0


def _differs(ledger: Ledger, endpoint: str, prefix: str) -> str:
    import botocore.exceptions

    try:
        return differs(ledger, endpoint, prefix)
    except botocore.exceptions.ClientError as error:
        return str(error)  # a table that nobody has made yet
