"""What is wrong in greylag.yaml, all of it at once, each with its file and line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from greylag.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing to mend: `file` as the user named it, `line` from 1, a message without any secret."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class InvalidProject(ConfigurationError):  # noqa: N818
    """greylag.yaml or an environment file cannot be used; `problems` says why, in the order of the lines."""

    def __init__(self, message: str, *, advice: str = "", problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message, advice=advice)
        self.problems = problems

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> InvalidProject:
        """The error that reports `problems`, one line each."""
        found = tuple(sorted(set(problems)))
        return cls("\n".join(str(problem) for problem in found), problems=found)


def redact(text: str, variables: Iterable[tuple[str, str]]) -> str:
    """`text` with the values of variables, plain or quoted, replaced by their references.

    A value of less than four characters is replaced only where it stands as a word.
    """
    forms = {(form, name) for name, value in variables for form in (value, repr(value)[1:-1]) if form}
    for form, name in sorted(forms, key=lambda pair: -len(pair[0])):
        if len(form) >= 4:
            text = text.replace(form, f"${{{name}}}")
        else:
            text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", f"${{{name}}}", text)
    return text
