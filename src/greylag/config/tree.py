"""greylag.yaml as a tree in which every value knows its line.

YAML 1.2 and no more of it than a configuration needs: `no` and `on` are strings, a number with a fraction is a
Decimal, a duplicate key, a tag or a second document is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from greylag.config.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

Scalar: TypeAlias = "bool | int | float | Decimal | str | None"
Step: TypeAlias = "str | int"

MAX_NODES = 200_000
"""Far more than any project has; what a file of nested aliases would pass."""

MAX_DEPTH = 100
"""How deep values may nest; what reads them later stays far from the interpreter's limit."""

# The core schema: https://yaml.org/spec/1.2.2/#103-core-schema
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_SPECIAL = re.compile(r"([-+]?)\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(frozen=True, slots=True)
class Node:
    """A value and the line it stands on, counted from 1; for a value of a mapping, the line of its key.

    `variables` holds name and value of the variables that were put into this scalar; `unset` is true where one of
    them has no value, so that nothing else is said about it. `absent` is true where the scalar was one reference
    and nothing else, and that came out empty.
    """

    value: Scalar | tuple[Node, ...] | dict[str, Node] = field(repr=False)
    line: int
    variables: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    unset: bool = False
    absent: bool = False

    @property
    def entries(self) -> dict[str, Node]:
        """The values of a mapping by key; nothing where this is no mapping."""
        return self.value if isinstance(self.value, dict) else {}

    def plain(self) -> Any:
        """The value without its lines."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        return self.value

    def at(self, *path: Step) -> Node:
        """The node at `path`, or the deepest on the way to it. Steps that are not in the tree are passed over."""
        node = self
        for step in path:
            if isinstance(node.value, dict) and str(step) in node.value:
                node = node.value[str(step)]
            elif isinstance(node.value, tuple) and isinstance(step, int) and 0 <= step < len(node.value):
                node = node.value[step]
        return node

    def without(self, *path: Step) -> Node:
        """This tree with what stands at `path` left out."""
        entries = self.entries
        if not path or str(path[0]) not in entries:
            return self
        first, rest = str(path[0]), path[1:]
        if rest:
            kept = {**entries, first: entries[first].without(*rest)}
        else:
            kept = {key: node for key, node in entries.items() if key != first}
        return Node(kept, self.line)

    def depth(self) -> int:
        """How many levels of values stand here, this node's own among them."""
        nodes = self.value if isinstance(self.value, tuple) else self.entries.values()
        return 1 + max((node.depth() for node in nodes), default=0)

    def walk(self) -> Iterator[Node]:
        """This node and every node below it."""
        yield self
        nodes = self.value if isinstance(self.value, tuple) else self.entries.values()
        for node in nodes:
            yield from node.walk()


def parse(text: str, file: str) -> Node | Problem:
    """The tree of `text`, or the first reason why it is not one; a broken document has no second."""
    try:
        return _Reader(text, file).document()
    except _Broken as broken:
        return broken.problem
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = ", ".join(part for part in (error.context, error.problem) if part)
        hint = "; is the line indented like those beside it?" if "mapping values" in what else ""
        return Problem(file, mark.line + 1 if mark else 1, f"this is not YAML: {what}{hint}")
    except YAMLError as error:
        character, place = getattr(error, "character", None), getattr(error, "position", 0)
        what = f"character {character!r} is not allowed" if character is not None else "it cannot be read"
        return Problem(file, text.count("\n", 0, place) + 1, f"this is not YAML: {what}")


class _Broken(Exception):  # noqa: N818
    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class _Reader:
    """Builds nodes from the parser's events, so that no tag ever makes an object."""

    def __init__(self, text: str, file: str) -> None:
        self._events = iter(YAML(typ="safe", pure=True).parse(text))
        self._file = file
        self._anchors: dict[str, Node | None] = {}
        self._count = 0
        self._depth = 0

    def document(self) -> Node:
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                root = self._node(next(self._events))
                break
        else:
            raise self._broken(1, "the file is empty")
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                raise self._broken(
                    event.start_mark.line + 1, "a second document begins here; a project is one"
                )
        if not isinstance(root.value, dict):
            raise self._broken(
                root.line, "the file is empty" if root.value is None else "expected `key: value` lines"
            )
        return root

    def _broken(self, line: int, message: str) -> _Broken:
        return _Broken(Problem(self._file, line, message))

    def _node(self, event: NodeEvent, key_line: int | None = None) -> Node:
        line = key_line or event.start_mark.line + 1
        if isinstance(event, AliasEvent):
            return self._alias(event, line)
        tag = getattr(event, "tag", None)
        if tag not in {None, "!"}:
            raise self._broken(line, f"tags such as {tag} have no meaning here; quote the value instead")
        if event.anchor:
            self._anchors[event.anchor] = None
        self._count_up(1, line)
        self._depth += 1
        self._check_depth(self._depth, line)
        if isinstance(event, ScalarEvent):
            node = Node(self._scalar(event, line), line)
        elif isinstance(event, SequenceStartEvent):
            node = Node(tuple(self._sequence()), line)
        elif isinstance(event, MappingStartEvent):
            node = Node(self._mapping(), line)
        else:  # pragma: no cover - the parser has no other node
            raise self._broken(line, "expected a value")
        self._depth -= 1
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _scalar(self, event: ScalarEvent, line: int) -> Scalar:
        if event.style is not None or event.tag is not None:
            return str(event.value)
        try:
            return _scalar(event.value)
        except ValueError:
            raise self._broken(line, "this number has too many digits; quote it to make it text") from None
        except ArithmeticError:
            raise self._broken(
                line, "the exponent of this number is out of range; quote it to make it text"
            ) from None

    def _alias(self, event: AliasEvent, line: int) -> Node:
        if event.anchor not in self._anchors:
            raise self._broken(line, f"*{event.anchor} refers to an anchor that no line before it sets")
        node = self._anchors[event.anchor]
        if node is None:
            raise self._broken(line, f"*{event.anchor} contains itself")
        self._count_up(sum(1 for _ in node.walk()), line)
        self._check_depth(self._depth + node.depth(), line)
        return node

    def _check_depth(self, depth: int, line: int) -> None:
        if depth > MAX_DEPTH:
            raise self._broken(line, f"this nests deeper than {MAX_DEPTH} levels")

    def _count_up(self, count: int, line: int) -> None:
        self._count += count
        if self._count > MAX_NODES:
            raise self._broken(line, f"the file stands for more than {MAX_NODES} values")

    def _sequence(self) -> Iterator[Node]:
        while not isinstance(event := next(self._events), SequenceEndEvent):
            yield self._node(event)

    def _mapping(self) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            line = event.start_mark.line + 1
            if not isinstance(event, ScalarEvent):
                raise self._broken(line, "a key must be plain text")
            key = event.value
            if key in entries:
                raise self._broken(line, f"key {key!r} stands here twice, first on line {entries[key].line}")
            if key == "<<" and event.style is None:
                raise self._broken(line, "merge keys (<<) are not part of YAML 1.2; write the keys out")
            entries[key] = self._node(next(self._events), line)
        return entries


def _scalar(text: str) -> Scalar:
    """What a plain scalar means in YAML 1.2's core schema."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if _FLOAT.fullmatch(text):
        return Decimal(text)
    if special := _SPECIAL.fullmatch(text):
        return float(special[1] + "inf" if special[2] else "nan")
    return text
