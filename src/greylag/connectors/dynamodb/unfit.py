"""Why a value cannot stand in an item. It becomes `records.Refused`, with its path, at the codec's boundary."""

from __future__ import annotations

from greylag.core.records import Refused


class Unfit(Exception):  # noqa: N818 - it is an answer, not a failure
    """As `Refused`; `steps` grows from the value to the item while the encoder unwinds."""

    def __init__(self, reason: str, fix: str, kind: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix
        self.kind = kind
        self.steps: list[str | int] = []

    def refused(self) -> Refused:
        """The answer for the engine, the path in front."""
        path = ""
        for step in reversed(self.steps):
            path += f"[{step}]" if isinstance(step, int) else f"{'.' if path else ''}{_printable(step)}"
        return Refused(f"{path}: {self.reason}" if path else self.reason, self.fix, self.kind)


def _printable(name: str) -> str:
    """A name as it may stand in a message: short, and encodable whatever it holds."""
    text = name.encode("utf-8", "backslashreplace").decode() or "(empty name)"
    return text if len(text) <= 100 else text[:97] + "..."
