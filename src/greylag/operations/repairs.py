"""What was ever repaired, a line for each repair, so that a certificate can say how many items were."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from greylag.engine.disk import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from greylag.engine.repair import Repair


def remember(folder: Path, done: Repair) -> None:
    """Add `done` to the state in `folder`, durably. Raises ResourceError."""
    line = {
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "flows": {each.flow: each.mended for each in done.flows if each.mended},
    }
    if line["flows"]:
        path = _file(folder)
        before = path.read_bytes() if path.exists() else b""
        write_whole(path, before + json.dumps(line).encode() + b"\n")


def repaired_items(folder: Path) -> dict[str, int]:
    """How many items were written or deleted, by flow, since the state was begun."""
    found: Counter[str] = Counter()
    path = _file(folder)
    if path.exists():
        for line in path.read_text(encoding="ascii").splitlines():
            found.update(json.loads(line)["flows"])
    return dict(found)


def _file(folder: Path) -> Path:
    return folder / "repairs.jsonl"
