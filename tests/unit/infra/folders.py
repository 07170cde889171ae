"""Folders of Terraform written by tests: a text with `=== path` before each file, `#!` where a finding belongs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from greylag.infra.check import check

if TYPE_CHECKING:
    from pathlib import Path

    from greylag.core.findings import Finding


def write(text: str, folder: Path) -> tuple[str, int]:
    """Write the files of `text`; the name and line of the one marked with `#!` (empty and 0 without a mark)."""
    marked = ("", 0)
    parts = re.split(r"^=== (\S+)\n", text.lstrip("\n"), flags=re.MULTILINE)
    files = list(zip(["main.tf", *parts[1::2]], parts[0::2], strict=True))
    for name, content in files:
        if not content:
            continue
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        for line, told in enumerate(content.splitlines(), 1):
            if "#!" in told:
                marked = (name, line)
    return marked


def found(folder: Path) -> list[Finding]:
    """What the check of a folder finds, without checkov."""
    return [each for each in check(folder, policy=True).findings if each.kind != "no-checkov"]
