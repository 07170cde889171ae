"""Where JSON values begin and end, told from quotes and brackets alone, in bounded memory.

Nothing is decoded here except keys on the way to an array: what a value holds is checked when it is read.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from greylag.connectors.json.malformed import Malformed
from greylag.connectors.json.window import BLOCK_BYTES, found_instead

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.connectors.json.window import Window

# A match is bounded to a block: the engine's memory grows with the repetitions of a group.
_OUTSIDE = re.compile(rb'[^"\[\]{}]*(?:"[^"\\]*(?:\\.[^"\\]*)*"[^"\[\]{}]*)*', re.DOTALL)
_INSIDE = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
_SCALAR = re.compile(rb'[^\s,:"\[\]{}]*')

_QUOTE, _BACKSLASH, _COMMA = b'"\\,'
_OPENING, _CLOSING = b"{[", b"}]"


def pass_value(window: Window) -> None:
    """Move past the value that starts at `window.position`. Raises Malformed where it does not end."""
    first = window.data[window.position]
    if first in _OPENING:
        _pass_container(window)
    elif first == _QUOTE:
        _pass_string(window)
    else:
        start = window.offset
        while True:
            match = _SCALAR.match(window.data, window.position)
            assert match is not None
            window.position = match.end()
            if window.position < len(window.data) or not window.more():
                break
        if window.offset == start:
            raise Malformed(start, found_instead(first, "expected a value"))


def _pass_container(window: Window) -> None:
    depth = 0
    while True:
        data = window.data
        while (position := window.position) < len(data):
            match = _OUTSIDE.match(data, position, position + BLOCK_BYTES)
            assert match is not None
            window.position = position = match.end()
            if position == len(data):
                break
            byte = data[position]
            if byte in _OPENING:
                depth += 1
                window.position += 1
            elif byte in _CLOSING:
                depth -= 1
                window.position += 1
                if depth == 0:
                    return
            elif byte == _QUOTE:
                _pass_string(window)
                data = window.data
        if not window.more():
            raise Malformed(window.offset, "the file ends inside a value: it was cut off")


def _pass_string(window: Window) -> None:
    window.position += 1
    while True:
        position = window.position
        match = _INSIDE.match(window.data, position, position + BLOCK_BYTES)
        assert match is not None
        window.position = match.end()
        left = len(window.data) - window.position
        if left and window.data[window.position] == _QUOTE:
            window.position += 1
            return
        # Stopped by the bound of the match, by the end of the window, or by a backslash that ends either.
        if (left == 0 or (left == 1 and window.data[window.position] == _BACKSLASH)) and not window.more():
            raise Malformed(window.offset + left, "the file ends inside a string: it was cut off")


def keys(window: Window, *, after_value: bool = False) -> Iterator[str]:
    """The keys of an object, from just after its `{`, or from just after a member.

    The window stands at the key's value; whoever asks for the next key has moved it past the value. Ends after `}`.
    """
    while True:
        found = window.peek()
        if found == ord("}"):
            window.position += 1
            return
        if after_value:
            window.expect(b",")
        key = _key(window)
        window.expect(b":")
        _value_ahead(window)
        yield key
        after_value = True


def elements(window: Window, *, after_value: bool = False) -> Iterator[None]:
    """As `keys`, for the elements of an array: the window stands at each of them in turn."""
    while next_element(window, after_value=after_value):
        yield
        after_value = True


def next_element(window: Window, *, after_value: bool) -> bool:
    """Move to the next element of an array, True, or past its `]`, False."""
    found = window.peek()
    if found == ord("]"):
        window.position += 1
        return False
    if after_value:
        if found != _COMMA:
            raise Malformed(window.offset, found_instead(found, "expected `,` or `]`"))
        window.position += 1
    _value_ahead(window)
    return True


def _value_ahead(window: Window) -> None:
    found = window.peek()
    if found < 0 or found in b",:]}":
        raise Malformed(window.offset, found_instead(found, "expected a value"))


def _key(window: Window) -> str:
    found = window.peek()
    if found != _QUOTE:
        raise Malformed(window.offset, found_instead(found, "expected a key in quotes"))
    start = window.offset
    window.mark = window.position
    try:
        _pass_string(window)
        raw = window.data[window.mark : window.position]
    finally:
        window.mark = None
    try:
        return str(json.loads(raw))
    except UnicodeDecodeError as error:
        raise Malformed(start + error.start, "a key is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise Malformed(start, f"a key is not a JSON string ({error.msg})") from error
