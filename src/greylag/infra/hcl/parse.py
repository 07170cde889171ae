"""From the text of a Terraform file to its tree, with python-hcl2's grammar and lark's positions.

python-hcl2 gives lines of blocks alone; the tree that lark makes of its grammar has them for every part.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greylag.errors import ResourceError
from greylag.infra.hcl.expressions import Expressions
from greylag.infra.hcl.tree import Argument, Block, Body, File

if TYPE_CHECKING:
    from collections.abc import Callable

_PLAIN = {"identifier", "keyword", "literal_value"}


@dataclass
class SyntaxProblem(Exception):  # noqa: N818
    """A file that is not Terraform's language: what stands at `line` and should not."""

    message: str
    line: int


def _grammar() -> Callable[[str], Any]:
    try:
        from hcl2.api import parses_to_tree
    except ImportError as error:
        raise ResourceError(
            "reading Terraform needs the package python-hcl2",
            advice="Install it: pip install 'greylag[infra]'",
        ) from error
    return parses_to_tree


def parse(text: str, name: str) -> File:
    """The tree of a file. Raises SyntaxProblem, and ResourceError where python-hcl2 is not installed."""
    grammar = _grammar()
    lines = tuple(text.splitlines())
    tree = _tree(grammar, text)

    def inside(source: str, line: int) -> Any:
        """The expression in a template of a heredoc, which the grammar leaves as text."""
        try:
            return _tree(grammar, f"x = {source}").children[0].children[0].children[-1]
        except SyntaxProblem as problem:
            raise SyntaxProblem(problem.message, line + problem.line - 1) from None

    return File(name, _body(tree.children[0], Expressions(inside)), lines)


def _tree(grammar: Callable[[str], Any], text: str) -> Any:
    from lark.exceptions import UnexpectedInput

    try:
        return grammar(text)
    except UnexpectedInput as error:
        last = max(len(text.splitlines()), 1)
        line = min(error.line, last) if error.line > 0 else last
        token = getattr(error, "token", None)
        if token is not None and token.type == "$END":
            raise SyntaxProblem("the file ends before a block or an expression does", line) from None
        shown = str(token) if token is not None else getattr(error, "char", "")
        shown = re.sub(r"\s+", " ", shown).strip() or "the end of the line"
        raise SyntaxProblem(f"{shown[:40]} is not expected here", line) from None


def _body(tree: Any, expressions: Expressions) -> Body:
    arguments, blocks = [], []
    for child in tree.children:
        if child.data == "attribute":
            name = str(child.children[0].children[0])
            value = expressions.read(child.children[-1])
            arguments.append(Argument(name, value, child.meta.line))
        elif child.data == "block":
            blocks.append(_block(child, expressions))
    return Body(tuple(arguments), tuple(blocks))


def _block(tree: Any, expressions: Expressions) -> Block:
    words = []
    body = None
    for child in tree.children:
        data = getattr(child, "data", "")
        if data in _PLAIN:
            words.append(str(child.children[0]))
        elif data == "string":
            words.append("".join(str(part.children[0]) for part in child.children[1:-1]))
        elif data == "body":
            body = _body(child, expressions)
    assert body is not None
    return Block(words[0], tuple(words[1:]), body, tree.meta.line, tree.meta.end_line)
