"""Expressions, from the tree that lark makes of python-hcl2's grammar."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from greylag.infra.hcl.tree import (
    Call,
    Conditional,
    Entries,
    For,
    Index,
    Literal,
    Operation,
    Path,
    Reference,
    Sequence,
    Splat,
    Template,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from greylag.infra.hcl.tree import Expression

_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_ESCAPES = {r"\n": "\n", r"\t": "\t", r"\r": "\r", r"\"": '"', "\\\\": "\\"}
_DIRECTIVES = {
    "template_if_start",
    "template_else",
    "template_endif",
    "template_for_start",
    "template_endfor",
}
_DIRECTIVE = re.compile(r"%\{~?\s*(?:if|for\s+(\w+)(?:\s*,\s*(\w+))?\s+in)\s+(.*?)\s*~?\}")
_HEREDOC = re.compile(r"<<-?([\w.-]+)\r?\n(.*?)\s*\1\s*\Z", re.DOTALL)


class Expressions:
    """Reads expressions; `inside` parses the text of one that stands in a heredoc."""

    def __init__(self, inside: Callable[[str, int], Any]) -> None:
        self._inside = inside
        self._offset = 0

    def read(self, tree: Any) -> Expression:
        """The expression of a lark tree."""
        made: Expression = getattr(self, f"_{tree.data}")(tree)
        return made

    def _line(self, tree: Any) -> int:
        line: int = tree.meta.line
        return line + self._offset

    def _expressions(self, tree: Any) -> Iterator[Expression]:
        for child in tree.children:
            if _is_tree(child) and hasattr(self, f"_{child.data}"):
                yield self.read(child)

    def _expr_term(self, tree: Any) -> Expression:
        return next(self._expressions(tree))

    def _identifier(self, tree: Any) -> Expression:
        return Reference(str(tree.children[0]), (), self._line(tree))

    def _literal_value(self, tree: Any) -> Expression:
        return Literal(_CONSTANTS[str(tree.children[0])], self._line(tree))

    def _int_lit(self, tree: Any) -> Expression:
        return Literal(int(tree.children[0]), self._line(tree))

    def _float_lit(self, tree: Any) -> Expression:
        return Literal(float(tree.children[0]), self._line(tree))

    def _template_string(self, tree: Any) -> Expression:
        return Literal(str(tree.children[0])[2:-2], self._line(tree))

    def _string(self, tree: Any) -> Expression:
        line = self._line(tree)
        parts: list[Expression] = []
        scopes: list[list[Expression]] = [parts]
        opened: list[tuple[tuple[str, ...], Expression]] = []
        for part in tree.children[1:-1]:
            inner = part.children[0]
            if not _is_tree(inner):
                scopes[-1].append(Literal(_unescaped(str(inner)), line))
            elif inner.data == "interpolation":
                scopes[-1].append(self.read(inner.children[1]))
            elif inner.data == "template_for_start":
                over = [each for each in inner.children if _is_tree(each)][-1]
                opened.append((_names(inner), self.read(over)))
                scopes.append([])
            elif inner.data == "template_endfor" and opened:
                names, over_read = opened.pop()
                body = tuple(scopes.pop())
                text = Template((*body, Literal("", line)), line)
                whole = For(names, over_read, (text,), makes_map=False, line=line)
                scopes[-1].extend([whole, Literal("", line)])
            elif inner.data in _DIRECTIVES:
                scopes[-1].extend(self._expressions(inner))
        return _template(parts, line)

    def _heredoc_template(self, tree: Any) -> Expression:
        line = self._line(tree)
        found = _HEREDOC.match(str(tree.children[0]))
        text = found[2] if found else ""
        parts: list[Expression] = []
        at = 0
        for start, end in _interpolations(text):
            parts.append(Literal(text[at:start], line))
            parts.append(
                self._within(text[start + 2 : end - 1].strip("~"), line + 1 + text.count("\n", 0, start))
            )
            at = end
        parts.append(Literal(text[at:], line))
        names: set[str] = set()
        directives = []
        for each in _DIRECTIVE.finditer(text):
            names |= {name for name in (each[1], each[2]) if name}
            directives.append(self._within(each[3], line + 1 + text.count("\n", 0, each.start())))
        if not directives:
            return _template(parts, line)
        # Which names a directive binds where is not followed: they are known in all of the heredoc.
        whole = For(
            tuple(sorted(names)), Literal("", line), (*parts, *directives), makes_map=False, line=line
        )
        return Template((whole, Literal("", line)), line)

    def _within(self, text: str, line: int) -> Expression:
        before, self._offset = self._offset, line - 1
        try:
            return self.read(self._inside(text, line))
        finally:
            self._offset = before

    _heredoc_template_trim = _heredoc_template

    def _tuple(self, tree: Any) -> Expression:
        return Sequence(tuple(self._expressions(tree)), self._line(tree))

    def _object(self, tree: Any) -> Expression:
        pairs = []
        for child in tree.children:
            if _is_tree(child) and child.data == "object_elem":
                key, value = child.children[0].children[0], child.children[-1]
                pairs.append((self._key(key), self.read(value)))
        return Entries(tuple(pairs), self._line(tree))

    def _key(self, tree: Any) -> Expression:
        if tree.data == "keyword":
            return Literal(str(tree.children[0]), self._line(tree))
        read = self.read(tree)
        parenthesised = tree.data == "expr_term" and not _is_tree(tree.children[0])
        if isinstance(read, Reference) and not read.steps and not parenthesised:
            return Literal(read.root, read.line)
        return read

    def _function_call(self, tree: Any) -> Expression:
        name = "::".join(
            str(each.children[0]) for each in tree.children if _is_tree(each) and each.data == "identifier"
        )
        for child in tree.children:
            if _is_tree(child) and child.data == "arguments":
                spread = any(not _is_tree(each) and each.type == "ELLIPSIS" for each in child.children)
                return Call(name, tuple(self._expressions(child)), self._line(tree), spread)
        return Call(name, (), self._line(tree))

    def _get_attr_expr_term(self, tree: Any) -> Expression:
        return self._followed(tree)

    _index_expr_term = _attr_splat_expr_term = _full_splat_expr_term = _get_attr_expr_term

    def _followed(self, tree: Any) -> Expression:
        base = self.read(tree.children[0])
        steps = tuple(self._steps(tree.children[1]))
        if isinstance(base, Reference | Path):
            kept = (*base.steps, *steps)
            if isinstance(base, Reference):
                return Reference(base.root, kept, base.line)
            return Path(base.base, kept, base.line)
        return Path(base, steps, self._line(tree))

    def _steps(self, tree: Any) -> Iterator[str | Index | Splat]:
        if tree.data == "get_attr":
            yield str(tree.children[1].children[0])
        elif tree.data == "short_index":
            yield Index(Literal(int(tree.children[1]), self._line(tree)))
        elif tree.data == "braces_index":
            yield Index(next(self._expressions(tree)))
        else:
            yield Splat.ALL
            for child in tree.children[1:]:
                yield from self._steps(child)

    def _for_tuple_expr(self, tree: Any) -> Expression:
        names: tuple[str, ...] = ()
        over: Expression | None = None
        inner: list[Expression] = []
        for child in tree.children:
            if not _is_tree(child):
                continue
            if child.data == "for_intro":
                names = _names(child)
                over = list(self._expressions(child))[-1]
            elif child.data == "for_cond":
                inner.extend(self._expressions(child))
            elif hasattr(self, f"_{child.data}"):
                inner.append(self.read(child))
        assert over is not None
        grouped = any(getattr(child, "type", "") == "ELLIPSIS" for child in tree.children)
        makes_map = tree.data == "for_object_expr"
        return For(names, over, tuple(inner), makes_map, self._line(tree), grouped)

    _for_object_expr = _for_tuple_expr

    def _conditional(self, tree: Any) -> Expression:
        test, yes, no = self._expressions(tree)
        return Conditional(test, yes, no, self._line(tree))

    def _binary_op(self, tree: Any) -> Expression:
        left, term = (each for each in tree.children if _is_tree(each) and each.data != "new_line_or_comment")
        operator = str(term.children[0].children[0]).strip()
        right = next(self._expressions(term))
        return Operation(operator, (self.read(left), right), self._line(tree))

    def _unary_op(self, tree: Any) -> Expression:
        [operand] = self._expressions(tree)
        if (
            isinstance(operand, Literal)
            and isinstance(operand.value, int | float)
            and "-" in tree.children[0]
        ):
            return Literal(-operand.value, operand.line)
        return Operation(str(tree.children[0]), (operand,), self._line(tree))


def _is_tree(node: Any) -> bool:
    return hasattr(node, "data")


def _names(tree: Any) -> tuple[str, ...]:
    """The names that a `for` binds."""
    return tuple(
        str(each.children[0]) for each in tree.children if _is_tree(each) and each.data == "identifier"
    )


def _template(parts: list[Expression], line: int) -> Expression:
    if all(isinstance(each, Literal) for each in parts):
        return Literal("".join(str(each.value) for each in parts if isinstance(each, Literal)), line)
    return Template(tuple(parts), line)


def _unescaped(text: str) -> str:
    return re.sub(r"\\.", lambda found: _ESCAPES.get(found[0], found[0]), text)


def _interpolations(text: str) -> Iterator[tuple[int, int]]:
    """Where each `${ ... }` of a heredoc begins and ends."""
    at = 0
    while (start := text.find("${", at)) >= 0:
        if start and text[start - 1] == "$":
            at = start + 2
            continue
        at = _closing(text, start + 2)
        yield start, at


def _closing(text: str, at: int) -> int:
    """The place after the brace that closes an interpolation whose inside begins at `at`."""
    opened = ["{"]
    while opened and at < len(text):
        sign = text[at]
        if opened[-1] == '"':
            if sign == "\\":
                at += 1
            elif sign == '"':
                opened.pop()
            elif text.startswith("${", at):
                opened.append("{")
                at += 1
        elif sign == "}":
            opened.pop()
        elif sign in '{"':
            opened.append(sign)
        at += 1
    return at
