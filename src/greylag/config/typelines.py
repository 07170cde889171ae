"""Puts `types:` into the text of greylag.yaml: what is there, comments and layout, stays byte for byte.

Only the text of the file is looked at, where `${VAR}` is a reference: no variable's value can get into it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from greylag.config.problems import Problem
from greylag.config.tree import Node, parse
from greylag.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PLAIN = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
_RESERVED = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


@dataclass(frozen=True, slots=True)
class TypesAt:
    """`types` to be added to the mapping that stands at `path`: a flow, or a split of one."""

    path: tuple[str, ...]
    types: Mapping[str, str]


def with_types(text: str, additions: list[TypesAt], *, file: str = "greylag.yaml") -> str:
    """`text` with them added. Raises ConfigurationError, with the lines to write by hand, where they have no place of
    their own: below an anchor that others use, or beside a type that is stated already.
    """
    wanted = [each for each in additions if each.types]
    root = YAML(typ="safe", pure=True).compose(text)
    shared = _shared(root)
    edits = [_edit(text, root, each, shared, file) for each in wanted]
    newline = "\r\n" if "\r\n" in text else "\n"
    for place, inserted in sorted(edits, reverse=True):
        text = text[:place] + inserted.replace("\n", newline) + text[place:]
    return text


def only_types_added(before: str, after: str, additions: list[TypesAt], file: str) -> bool:
    """Whether `after` says what `before` says and the added types, and nothing else."""
    old, new = parse(before, file), parse(after, file)
    if isinstance(old, Problem) or isinstance(new, Problem):
        return False
    expected = old.plain()
    for each in additions:
        if each.types:
            node = expected
            for step in each.path:
                node = node[step]
            node["types"] = {**(node.get("types") or {}), **each.types}
    return bool(_told(new) == _told_plain(expected))


def _told(node: Node) -> Any:
    return _told_plain(node.plain())


def _told_plain(value: Any) -> Any:
    """`value` with every type told apart and the order of keys kept out of it."""
    if isinstance(value, dict):
        return {key: _told_plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_told_plain(each) for each in value]
    return type(value).__name__, repr(value)


def _edit(text: str, root: Any, addition: TypesAt, shared: set[int], file: str) -> tuple[int, str]:
    node = root
    for step in addition.path:
        node = _value(node, step)
        if not isinstance(node, MappingNode) or id(node) in shared:
            raise _by_hand(addition, file, node)
    types = _value(node, "types")
    if types is None:
        return _beside(text, node, addition, file)
    if id(types) in shared:
        raise _by_hand(addition, file, types)
    if isinstance(types, ScalarNode):
        if types.value or types.style:
            raise _by_hand(addition, file, types)
        key = next(name for name, value in node.value if value is types)
        return text.index(":", key.end_mark.index) + 1, f" {_flow(addition.types)}"
    if not isinstance(types, MappingNode):
        raise _by_hand(addition, file, types)
    return _into(text, types, addition.types)


def _into(text: str, types: MappingNode, added: Mapping[str, str]) -> tuple[int, str]:
    """Behind the last of the types that are stated."""
    if not types.value:
        return types.start_mark.index + 1, _pairs(added)
    key, last = types.value[-1]
    if types.flow_style:
        return last.end_mark.index, f", {_pairs(added)}"
    lines = (f"{_text(path)}: {_text(rule)}" for path, rule in added.items())
    return _line_end(text, last), _block(lines, key.start_mark.column)


def _beside(text: str, node: MappingNode, addition: TypesAt, file: str) -> tuple[int, str]:
    """As a new key: behind `to`, else behind the first key whose value ends where it can be seen."""
    known = sorted(node.value, key=lambda pair: pair[0].value != "to")
    for key, value in known:
        if not _ends_clearly(value):
            continue
        if node.flow_style:
            return value.end_mark.index, f", types: {_flow(addition.types)}"
        return _line_end(text, value), _block([f"types: {_flow(addition.types)}"], key.start_mark.column)
    if node.flow_style or not node.value:
        raise _by_hand(addition, file, node)
    first = node.value[0][0].start_mark
    return first.index, f"types: {_flow(addition.types)}\n{' ' * first.column}"


def _ends_clearly(value: Any) -> bool:
    """Whether the end of the value's text is the end of the value: not so in block collections and block text."""
    if isinstance(value, ScalarNode):
        return bool(value.value or value.style) and value.style not in {"|", ">"}
    return bool(value.flow_style)


def _line_end(text: str, value: Any) -> int:
    """Where the line ends that the value ends on."""
    found = text.find("\n", value.end_mark.index)
    if found < 0:
        return len(text)
    return found - 1 if text[found - 1] == "\r" else found


def _block(lines: Any, column: int) -> str:
    return "".join(f"\n{' ' * column}{line}" for line in lines)


def _flow(types: Mapping[str, str]) -> str:
    return "{" + _pairs(types) + "}"


def _pairs(types: Mapping[str, str]) -> str:
    return ", ".join(f"{_text(path)}: {_text(rule)}" for path, rule in types.items())


def _text(text: str) -> str:
    """`text` as YAML reads it back as text, inside braces too."""
    if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED:
        return text
    return json.dumps(text, ensure_ascii=False)


def _value(node: Any, key: str) -> Any:
    if not isinstance(node, MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def _shared(root: Any) -> set[int]:
    """The nodes that stand at more than one place, and all below them."""
    seen: set[int] = set()
    twice: set[int] = set()

    def walk(node: Any) -> None:
        if id(node) in seen:
            twice.update(id(below) for below in _below(node))
            return
        seen.add(id(node))
        for each in _children(node):
            walk(each)

    walk(root)
    return twice


def _below(node: Any) -> Iterator[Any]:
    yield node
    for each in _children(node):
        yield from _below(each)


def _children(node: Any) -> Iterator[Any]:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            yield key
            yield value
    elif isinstance(node, SequenceNode):
        yield from node.value


def _by_hand(addition: TypesAt, file: str, node: Any) -> ConfigurationError:
    line = node.start_mark.line + 1 if node is not None else 1
    return ConfigurationError(
        f"{file}:{line}: the types of {'.'.join(addition.path)} have no place of their own here",
        advice=f"Write them by hand: types: {_flow(addition.types)}",
    )
