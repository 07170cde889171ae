"""`python:` a user's own function between the source's record and the templates."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from greylag.core.mapping.errors import MappingError
from greylag.core.records import Refused
from greylag.core.values import TYPE_NAMES, Code, is_well_formed, type_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from greylag.core.values import Document, Value


def check_name(name: str, where: str) -> None:
    """Raises MappingError where `name` is not "module:function"."""
    module, colon, function = name.partition(":")
    if not (colon and function.isidentifier() and all(part.isidentifier() for part in module.split("."))):
        raise MappingError(
            where, f"`{name}` names no function", "write `module:function`, the module from PYTHONPATH"
        )


def compile_function(name: str, function: Callable[[Any], Any]) -> Callable[[Document], list[Document]]:
    """A function of a record's fields → the records `function` makes of a copy of them.

    It may give one record (a dict), several (a list), or none (None or an empty list). Raises Refused where
    it raises, or gives anything that Greylag does not carry.
    """

    def call(fields: Document) -> list[Document]:
        try:
            made = function(_copied(fields))
        except Refused:
            raise
        except (Exception, SystemExit) as error:
            raise Refused(
                f"`{name}` raised {type(error).__name__}: {_printable(error)}",
                "mend the function, or the record at the source",
            ) from error
        if made is None:
            return []
        records = made if isinstance(made, list) else [made]
        for record in records:
            if type(record) is not dict:
                raise Refused(
                    f"`{name}` gave a {type(record).__name__}, not a record",
                    "return a dict, a list of them, or None",
                )
            try:
                if not _is_carried(record):
                    _check(record, "", name)
            except RecursionError:
                raise Refused(
                    f"`{name}` gave a record that nests too deep, or that holds itself",
                    "return each value once, at most as deep as the target takes it",
                ) from None
        return records

    return call


def _copied(value: Any) -> Any:
    """Containers anew, so that what a function does to them does nothing to the record; the rest cannot change."""
    if type(value) is dict:
        if _CONTAINERS.isdisjoint(map(type, value.values())):
            return value.copy()
        return {name: _copied(each) if type(each) in _CONTAINERS else each for name, each in value.items()}
    if _CONTAINERS.isdisjoint(map(type, value)):
        return value.copy()
    return [_copied(each) if type(each) in _CONTAINERS else each for each in value]


_CONTAINERS = frozenset({dict, list})
_NAMES = frozenset({str})
_SIMPLE = frozenset({str, bool, type(None), float, bytes})
"""Types of which every value is one that Greylag carries."""
_CERTAIN = 2**63
"""Below it every int is one, too."""


def _is_carried(value: Any) -> bool:
    """Whether a container holds only what Greylag carries; fast, and without a word where it does not."""
    if type(value) is dict:
        if not _NAMES.issuperset(map(type, value)):
            return False
        value = value.values()
    for each in value:
        kind = type(each)
        if kind in _SIMPLE:
            continue
        if kind is int:
            if not -_CERTAIN < each < _CERTAIN:
                return False
        elif kind in _CONTAINERS:
            if not _is_carried(each):
                return False
        elif kind is Code or kind not in TYPE_NAMES or not is_well_formed(each):
            return False
    return True


def _check(value: Value, path: str, function: str) -> None:
    """Raises Refused, with the path, for the first value that Greylag does not carry."""
    kind = type(value)
    if kind is dict:
        assert isinstance(value, dict)
        for name, each in value.items():
            if type(name) is not str:
                raise Refused(f"`{function}` gave a field named {name!r}", "names of fields are strings")
            _check(each, f"{path}.{name}" if path else name, function)
    elif kind is list:
        assert isinstance(value, list)
        for each in value:
            _check(each, f"{path}[]", function)
    elif kind not in TYPE_NAMES:
        raise Refused(
            f"`{function}` gave a {type(value).__name__} as `{path}`, which Greylag does not carry",
            "return only types of greylag.core.values",
        )
    elif not is_well_formed(value):
        raise Refused(
            f"`{function}` gave `{path}` as {_printable(_shown(value))}",
            "dates are UTC (datetime.UTC), in whole milliseconds"
            if isinstance(value, datetime)
            else f"that is no {type_name(value)}: greylag.core.values says what its parts are",
        )
    elif isinstance(value, Code):
        _check(value.scope, path, function)


def _shown(value: Value) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    try:
        return repr(value)[:100]
    except Exception:  # noqa: BLE001 - its parts may be anything
        return f"a {type(value).__name__} that cannot be shown"


def _printable(what: object) -> str:
    """Text that can be written anywhere: an error's message may quote half a surrogate pair."""
    return str(what).encode("utf-8", "backslashreplace").decode()
