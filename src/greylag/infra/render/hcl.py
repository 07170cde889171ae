"""HCL as `terraform fmt` writes it: two spaces, `=` aligned over neighbouring lines, strings escaped.

Source: https://developer.hashicorp.com/terraform/language/style
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

WIDTH = 110
"""Lists and objects that would pass this column stand on several lines."""

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


@dataclass(frozen=True, slots=True)
class Raw:
    """An expression, written as it is: `var.region`, `module.network.vpc_id`."""

    text: str


@dataclass(frozen=True, slots=True)
class Inline:
    """An object on one line: `{ read = 1, write = 2 }`."""

    entries: Mapping[str, Value]


Value: TypeAlias = "str | int | float | bool | Raw | Inline | Sequence[Value] | Mapping[str, Value] | None"


@dataclass(frozen=True, slots=True)
class Set:
    """An argument and its value, with a comment before it that says why."""

    name: str
    value: Value
    why: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A block: `resource "aws_sqs_queue" "jobs" { … }`. `why` stands as a comment above it."""

    kind: str
    labels: tuple[str, ...] = ()
    body: tuple[Set | Block | None, ...] = ()
    """None is an empty line."""
    why: str = ""


def document(*parts: Block | str) -> str:
    """A file: blocks with an empty line between them; a text is a comment."""
    return "\n".join(_comment(part, 0) if isinstance(part, str) else _block(part, 0) for part in parts)


def assignments(*parts: Set) -> str:
    """The body of a .tfvars file."""
    return _body(parts, 0)


def quoted(text: str) -> str:
    """A string of HCL. Nothing in it is a template: `${` and `%{` lose their meaning.

    Source: https://developer.hashicorp.com/terraform/language/expressions/strings#escape-sequences
    """
    escaped = "".join(
        _ESCAPES.get(char) or (char if char.isprintable() else _codepoint(ord(char))) for char in text
    )
    return '"' + escaped.replace("${", "$${").replace("%{", "%%{") + '"'


def _codepoint(number: int) -> str:
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def _comment(text: str, indent: int) -> str:
    lines = textwrap.wrap(text, WIDTH - indent - 2, break_long_words=False, break_on_hyphens=False)
    return "".join(f"{' ' * indent}# {line}\n" for line in lines)


def _block(block: Block, indent: int) -> str:
    head = " ".join([block.kind, *(quoted(label) for label in block.labels)])
    space = " " * indent
    before = _comment(block.why, indent) if block.why else ""
    if not block.body:
        return f"{before}{space}{head} {{}}\n"
    return f"{before}{space}{head} {{\n{_body(block.body, indent + 2)}{space}}}\n"


def _body(parts: Sequence[Set | Block | None], indent: int) -> str:
    out: list[str] = []
    row: list[tuple[str, str]] = []

    def flush() -> None:
        width = max((len(name) for name, _ in row), default=0)
        out.extend(f"{' ' * indent}{name.ljust(width)} = {value}\n" for name, value in row)
        row.clear()

    for part in parts:
        if part is None:
            flush()
            out.append("\n")
        elif isinstance(part, Block):
            flush()
            out.append(_block(part, indent))
        else:
            value = _value(part.value, indent, len(part.name) + 3)
            if part.why:
                flush()
                out.append(_comment(part.why, indent))
            if "\n" in value:  # what spans lines is aligned with nothing
                flush()
                out.append(f"{' ' * indent}{part.name} = {value}\n")
            else:
                row.append((part.name, value))
    flush()
    return "".join(out)


def _value(value: Value, indent: int, column: int) -> str:
    """`value` as an expression; `column` characters stand before it on its line, after `indent` spaces."""
    if isinstance(value, Raw):
        return value.text
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Inline):
        inside = ", ".join(
            f"{_key(name)} = {_value(each, indent, WIDTH)}" for name, each in value.entries.items()
        )
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, Mapping):
        if not value:
            return "{}"
        body = _body([Set(_key(name), each) for name, each in value.items()], indent + 2)
        return f"{{\n{body}{' ' * indent}}}"
    items = [_value(each, indent + 2, 0) for each in value]
    line = f"[{', '.join(items)}]"
    if "\n" not in line and indent + column + len(line) <= WIDTH:
        return line
    return "[\n" + "".join(f"{' ' * (indent + 2)}{item},\n" for item in items) + f"{' ' * indent}]"


def _key(name: str) -> str:
    return name if _IDENTIFIER.fullmatch(name) else quoted(name)


def expression(value: Value, indent: int = 0) -> str:
    """`value` as text, for use inside another expression that stands `indent` spaces in."""
    return _value(value, indent, WIDTH)
