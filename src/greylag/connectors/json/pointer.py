"""RFC 6901 pointers: the way to an array inside a file, found by streaming.

Source: https://www.rfc-editor.org/rfc/rfc6901
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from greylag.connectors.json.malformed import Malformed
from greylag.connectors.json.structure import elements, keys, pass_value
from greylag.connectors.json.window import found_instead
from greylag.core.nearest import did_you_mean
from greylag.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greylag.connectors.json.window import Window

_INDEX = re.compile(r"0|[1-9][0-9]*")
_SHOWN = 20
_EMPTY = "the file is empty; an array without records is []"


def parse_pointer(text: str) -> tuple[str, ...]:
    """The steps of `text`, which begins with `/` or is empty. Raises SchemaError."""
    if text and not text.startswith("/"):
        raise SchemaError(
            f"#{text} is not a JSON pointer", advice=f"A pointer begins with a slash: write #/{text}"
        )
    if re.search(r"~(?![01])", text):
        raise SchemaError(f"#{text} is not a JSON pointer", advice="Write ~ in a key as ~0, and / as ~1.")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in text.split("/")[1:])


def format_step(key: str) -> str:
    """`key` as a step of a pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def enter_array(window: Window, steps: Sequence[str], shown: str) -> str:
    """Move from the start of a document to just after the `[` of the array that `steps` lead to.

    Gives what was entered on the way, as `leave` needs it. Raises SchemaError, in which `shown` names the dataset,
    where there is no such array; Malformed for what is not JSON on the way.
    """
    entered = ""
    for place, step in enumerate(steps):
        found = window.peek()
        if found == ord("{"):
            window.position += 1
            _find_key(window, step, shown)
        elif found == ord("["):
            window.position += 1
            _find_index(window, step, shown)
        elif found < 0:
            raise Malformed(window.offset, _EMPTY)
        else:
            raise SchemaError(
                f"{shown}: nothing lies below #{''.join('/' + format_step(each) for each in steps[:place])}"
            )
        entered += chr(found)
    found = window.peek()
    if found == ord("["):
        window.position += 1
        return entered
    if found == ord("{"):
        raise _not_an_array(window, steps, shown)
    if found < 0:
        raise Malformed(window.offset, _EMPTY)
    raise SchemaError(f"{shown} is neither an array nor an object", advice="Greylag reads arrays of objects.")


def leave(window: Window, steps: Sequence[str], entered: str) -> None:
    """From just after the array that `enter_array` entered, to the end of the file.

    Raises Malformed where the way to the array is ambiguous, a key on it occurring again, or something follows.
    """
    for step, kind in reversed(list(zip(steps, entered, strict=True))):
        if kind == "{":
            for key in keys(window, after_value=True):
                if key == step:
                    raise Malformed(
                        window.offset,
                        f"the key {key!r} occurs a second time: which value counts is not defined",
                    )
                pass_value(window)
        else:
            for _ in elements(window, after_value=True):
                pass_value(window)
    found = window.peek()
    if found >= 0:
        raise Malformed(window.offset, found_instead(found, "expected the end of the file"))


def array_members(window: Window) -> list[str]:
    """The keys of an object, just after whose `{` the window stands, that hold arrays."""
    found = []
    for key in keys(window):
        if window.data[window.position] == ord("["):
            found.append(key)
        pass_value(window)
    return found


def _find_key(window: Window, step: str, shown: str) -> None:
    seen: list[str] = []
    for key in keys(window):
        if key == step:
            return
        if len(seen) < 1000:
            seen.append(key)
        pass_value(window)
    there = ", ".join(repr(key) for key in seen[:_SHOWN]) or "none"
    raise SchemaError(
        f"{shown}: there is no key {step!r}{did_you_mean(step, seen)}", advice=f"Its keys: {there}."
    )


def _find_index(window: Window, step: str, shown: str) -> None:
    if not _INDEX.fullmatch(step):
        raise SchemaError(
            f"{shown}: {step!r} leads into an array", advice="Write an element's place, from 0."
        )
    for _ in islice(elements(window), int(step)):
        pass_value(window)
    if next(elements(window, after_value=step != "0"), False) is False:
        raise SchemaError(f"{shown}: the array has no element {step}")


def _not_an_array(window: Window, steps: Sequence[str], shown: str) -> SchemaError:
    window.position += 1
    inside = array_members(window)
    if not steps and window.peek() == ord("{"):
        return SchemaError(
            f"{shown} holds one object after another, not one array",
            advice="That is JSON Lines: name the file .jsonl.",
        )
    if inside:
        base = "#" + "".join("/" + format_step(step) for step in steps)
        names = ", ".join(f"{base}/{format_step(key)}" for key in inside[:_SHOWN])
        return SchemaError(f"{shown} is an object, not an array", advice=f"Name an array inside it: {names}.")
    return SchemaError(
        f"{shown} is an object, not an array",
        advice="Greylag reads arrays of objects. An object of records by their ids becomes one with "
        "jq '[to_entries[] | {id: .key} + .value]'.",
    )
