"""Collects what is wrong while a project is read, so that all of it is reported at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.config.problems import InvalidProject, Problem, redact

if TYPE_CHECKING:
    from greylag.config.tree import Node, Step


class Findings:
    """Problems found so far in the tree of one file."""

    def __init__(self, file: str, tree: Node) -> None:
        self.file = file
        self.tree = tree
        self.problems: list[Problem] = []

    def add(self, path: tuple[Step, ...], message: str) -> None:
        """Something is wrong with what stands at `path`. Values that came from variables are taken out of it."""
        node = self.tree.at(*path)
        secrets = [pair for below in node.walk() for pair in below.variables]
        self.problems.append(Problem(self.file, node.line, redact(message, secrets)))

    def stop_if_any(self) -> None:
        """Raises InvalidProject with everything found."""
        if self.problems:
            raise InvalidProject.of(self.problems)
