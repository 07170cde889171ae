"""The fenced blocks of the documents, with what their info string says of them.

```yaml              a whole greylag.yaml
```yaml greylag.yaml the same, and the commands after it use it
```yaml flow         the body of one flow
```yaml connection   one connection, by name
```yaml service      sections of one service
```yaml infrastructure  the body of `infrastructure:`
```bash              commands; those that call greylag must parse
```bash run          the same, run in the order of the document in one shell. They end with 0; with `exit=10` the
                     last one does not, with `exit=0,10` each as it says
```console           what a run printed
```console demo      what the demo prints, shortened at `...`
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, the words after it, and its text."""

    document: Path
    line: int
    language: str
    words: tuple[str, ...]
    text: str

    @property
    def name(self) -> str:
        """Where the block stands."""
        return f"{self.document.relative_to(ROOT)}:{self.line}"


def documents() -> list[Path]:
    """README, the other pages at the top, and everything under docs."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(document: Path) -> list[Block]:
    """The document's blocks in order."""
    text = document.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        language, *words = match["info"].split() or [""]
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(document, line, language, tuple(words), match["text"]))
    return found


def all_blocks(language: str) -> list[Block]:
    """Every block of a language, in all documents."""
    return [block for each in documents() for block in blocks(each) if block.language == language]
