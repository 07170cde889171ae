"""What is told of following: warnings in time, nothing alarming while all is well, metrics as Prometheus reads them."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import pytest

from greylag.console.lines import following, total
from greylag.core.change import History
from greylag.core.progress import FlowProgress, Snapshot, StreamProgress
from greylag.engine.follow.capture import CaptureProgress
from greylag.errors import ConfigurationError
from greylag.operations.metrics import CONTENT_TYPE, exposition, parse_address, serving
from greylag.operations.streams import BEHIND_MS, SILENT_SECONDS, progress

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_000_000.0
WELL = CaptureProgress(
    "p", NOW, 7, 9, clock_ms=5, spool_bytes=10, limit_bytes=100, history=History(1000.0, 900.0)
)


def told(folder: Path, capture: CaptureProgress) -> StreamProgress:
    (folder / "spool" / "a").mkdir(parents=True, exist_ok=True)
    (folder / "spool" / "a" / "capture.json").write_text(json.dumps(asdict(capture)))
    [found] = progress(folder, ["a"], now=NOW)
    return found


def test_before_anything_began_nothing_is_known(tmp_path: Path) -> None:
    assert progress(tmp_path, ["a"]) == (StreamProgress("a"),)


def test_capture_alone_is_told(tmp_path: Path) -> None:
    found = told(tmp_path, WELL)
    assert found == StreamProgress(
        "a",
        changes_captured=7,
        changes_behind=9,
        captured_until_ms=5,
        spool_bytes=10,
        spool_limit_bytes=100,
        history_seconds=900.0,
    )


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"full": True}, ["full", "keeps what is to come for 15 min"]),
        ({"full": True, "history": History(None, None)}, ["full", "keeps what is to come"]),
        ({"full": True, "history": History(1000.0, 240.0)}, ["the spool is full", "in 4 min"]),
        ({"behind_ms": BEHIND_MS + 1, "history": History(1000.0, 240.0)}, ["capture is behind", "lost"]),
        ({"at": NOW - 700}, ["capture is not running", "in 3 min"]),
        ({"at": NOW - 2000}, ["capture is not running", "may have lost"]),
    ],
)
def test_what_threatens_is_said(tmp_path: Path, changed: dict[str, object], words: list[str]) -> None:
    warning = told(tmp_path, replace(WELL, **changed)).warning  # type: ignore[arg-type]
    for each in words:
        assert each in warning


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"history": History(10.0, 0.0)},  # a log that has only begun
        {"history": History(None, None), "behind_ms": BEHIND_MS + 1},
        {"behind_ms": BEHIND_MS + 1},
        {"at": NOW - SILENT_SECONDS - 1},
    ],
)
def test_while_nothing_threatens_nothing_is_said(tmp_path: Path, changed: dict[str, object]) -> None:
    assert told(tmp_path, replace(WELL, **changed)).warning == ""  # type: ignore[arg-type]


STREAM = StreamProgress(
    'a"b\\c', 10, 8, 2, 1, 1, 20, 90, 15_000, 5_500, 4_500, spool_bytes=2048, history_seconds=7200.0
)
FLOWS = (FlowProgress("f", "following", records_read=3),)


def test_a_stream_in_words() -> None:
    line = following(STREAM)
    for each in (
        "8 changes applied",
        "2 behind",
        "lag 20 ms (p99 90 ms, most 15 s)",
        "1 key waiting",
        "1 record stale",
    ):
        assert each in line
    assert total(Snapshot("run", FLOWS, 1.0, streams=(STREAM,))).startswith("following: ")
    assert total(Snapshot("run", (replace(FLOWS[0], stage="loading"),), 1.0, streams=(STREAM,))).startswith(
        "run:"
    )


def test_metrics_are_served_and_what_is_unknown_is_left_out() -> None:
    snapshot = Snapshot("run", FLOWS, 1.0, streams=(STREAM, StreamProgress("new")))
    with serving("127.0.0.1:0", lambda: snapshot) as address:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=30) as answer:
            assert answer.headers["Content-Type"] == CONTENT_TYPE
            text = answer.read().decode()
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"http://{address}/other", timeout=30)
    assert text == exposition(snapshot)
    lines = text.splitlines()
    assert 'greylag_flow_stage{flow="f",stage="following"} 1' in lines
    assert 'greylag_lag_seconds{stream="a\\"b\\\\c",quantile="1"} 15' in lines
    assert 'greylag_applied_until_seconds{stream="a\\"b\\\\c"} 4.5' in lines
    assert 'greylag_changes_behind{stream="a\\"b\\\\c"} 2' in lines
    assert not [line for line in lines if "changes_behind" in line and "new" in line]
    families = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(families) == len(set(families))


def test_addresses() -> None:
    assert parse_address(":9464") == ("127.0.0.1", 9464)
    assert parse_address("0.0.0.0:1") == ("0.0.0.0", 1)
    assert parse_address("[::1]:80") == ("::1", 80)
    for wrong in ("9464", "host", "host:", ":x", ":70000"):
        with pytest.raises(ConfigurationError), serving(wrong, lambda: Snapshot("run", (), 0.0)):
            pass
    with (
        serving(":0", lambda: Snapshot("run", (), 0.0)) as taken,
        pytest.raises(ConfigurationError, match="metrics"),
        serving(taken, lambda: Snapshot("run", (), 0.0)),
    ):
        pass
