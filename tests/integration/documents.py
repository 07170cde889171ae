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
```console run       commands after `$ `, which run as those of `bash run` do, and what each prints, shortened at `...`.
                     With `halfway` the first waits until a load is under way
```console           what a run printed
```console demo      what the demo prints, shortened at `...`
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def commands(block: Block) -> Iterator[tuple[str, str, str]]:
    """What `bash run` and `console run` say: each command, what it has to end with, and what it prints, if shown."""
    text = block.text.replace("\\\n", " ")
    if block.language == "console":
        calls = [tuple(part.split("\n", 1)) for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]]
    else:
        calls = [(line, "") for line in text.splitlines() if line.strip()]
    exits = next((word.removeprefix("exit=") for word in block.words if word.startswith("exit=")), "0")
    wanted = exits.split(",") if "," in exits else ["0"] * (len(calls) - 1) + [exits]
    for (command, shown), code in zip(calls, wanted, strict=True):
        yield command, code, shown


def assert_prints(shown: str, printed: str, name: str) -> None:
    """That `printed` has what `shown` says, in its order, with anything in the place of `...`."""
    printed, place = f"\n{_comparable(printed)}\n", 0
    parts = f"\n{_comparable(shown)}\n".split("\n...\n")
    for part in filter(None, (each.strip("\n") for each in parts)):
        found = printed.find(f"\n{part}\n", place)
        assert found >= 0, f"{name}: not printed, or not in this order:\n{part}\n\nIt prints:\n{printed}"
        place = found + len(part)


def _comparable(text: str) -> str:
    """`text` without how long things took, and without what this machine chose: ports, processes, widths."""
    text = re.sub(r"[\d.]+ (ms|s|min|h)\b", "0 s", text)
    text = re.sub(r"(127\.0\.0\.1:|port |process )\d+", r"\g<1>0", text)
    text = re.sub(r" +$", "", text, flags=re.MULTILINE)
    return re.sub(r"(?<=\S) {2,}", " ", text).strip("\n")
