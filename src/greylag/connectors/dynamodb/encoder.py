"""Items to DynamoDB JSON: the hot path.

Frequent types are dispatched and sized in line. Whatever its wire form would not give back leaves a hint; the
containers put the path before it on the way out, so a value without one costs nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import orjson

from greylag.connectors.dynamodb import hints, limits, numbers, scalars
from greylag.connectors.dynamodb.restore import NO, TAGGED, TAGGED_NAMES, by_rule, date_text, natural
from greylag.connectors.dynamodb.rules import Rules, compile_rules
from greylag.connectors.dynamodb.scalars import FALSE, NULL, TRUE, text_size
from greylag.connectors.dynamodb.size import CONTAINER_BYTES, value_bytes
from greylag.connectors.dynamodb.unfit import Unfit
from greylag.core.extended_json import to_extended
from greylag.core.values import (
    INT32_MAX,
    INT32_MIN,
    INT64_MAX,
    INT64_MIN,
    Code,
    Decimal128,
    Int64,
    ObjectId,
    identical,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from greylag.core.flows import FlowSpec
    from greylag.core.records import Item

_NO_OFFSET: Final = timedelta(0)
_DEEPEST_CONTAINER: Final = limits.NESTING_LEVELS - 1
_KEPT: Final = 4096
_ROOTS_KEPT: Final = 64
_LONGEST_KEPT: Final = 64
"""Characters of a number that is remembered."""
"""Names and numbers remembered, of each kind: the same ones come again and again."""


class _Names(dict[str, "tuple[int, _Ruled | None]"]):
    """The names met on one level, each with its bytes and its rule. A new name is checked."""

    def __init__(self, rules: Mapping[str, _Ruled], derived: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self._rules = rules
        self._derived = derived

    def __missing__(self, name: str) -> tuple[int, _Ruled | None]:
        if type(name) is not str:
            raise Unfit(f"an attribute name that is a {type(name).__name__}", "Name attributes by strings.")
        size = text_size(name)
        if not name:
            raise Unfit("DynamoDB allows no empty attribute name", "`drop` or `rename` the field.")
        if size > limits.NAME_BYTES:
            raise Unfit(
                f"an attribute name of {size} bytes; DynamoDB allows {limits.NAME_BYTES}", "`rename` it."
            )
        if len(self) >= _KEPT:
            self.clear()
        self[name] = found = size, None if name in self._derived else self._rules.get(name)
        return found


class _Ruled:
    """`Rules` ready for encoding: a value of type `sure` needs no more than `encode`."""

    __slots__ = ("each", "encode", "names", "sure", "type")

    def __init__(self, rules: Rules, known: dict[str, tuple[type, Callable[[Any], dict[str, Any]]]]) -> None:
        self.type = rules.type
        found = known.get(rules.type or "")
        self.sure: type | None = found and found[0]
        self.encode: Any = found and found[1]
        fields = {name: _Ruled(each, known) for name, each in rules.fields.items()}
        self.names = _Names(fields) if fields else None
        self.each = None if rules.each is None else _Ruled(rules.each, known)


class _Integers(dict[int, tuple[dict[str, Any], int]]):
    """Wire values and sizes of int32s met lately. Raises Unfit for others."""

    def __missing__(self, value: int) -> tuple[dict[str, Any], int]:
        text, size = numbers.int_text(value)
        if len(self) >= _KEPT:
            self.clear()
        self[value] = found = {"N": text}, size
        return found


class Encoder:
    """One flow's encoder: `encode` is all that the codec asks of it, and of any other that took its place.

    Not thread-safe: the size and the hints of the item in work are its own.
    """

    def __init__(self, flow: FlowSpec, family: str) -> None:
        known: dict[str, tuple[type, Callable[[Any], dict[str, Any]]]] = {
            "objectId": (ObjectId, self._known_object_id),
            "date": (datetime, self._known_date),
            "int64": (Int64, self._known_int64),
            "double": (float, self._known_float),
            "string": (str, self._string),
            "decimal128": (Decimal128, self._remembering("decimal128")),
        }
        self._known = known
        self._rules = {name: _Ruled(each, known) for name, each in compile_rules(flow).fields.items()}
        self._alone: dict[str | None, _Ruled] = {}
        self._roots: dict[frozenset[str], _Names] = {}
        self._names = _Names({})
        self._policy = flow.numbers
        self._keep_order = flow.keep_order
        self._bson = family == "bson"
        self._family = family
        self._integers = _Integers()
        self._hints: hints.Hints = []
        self._depth = 0
        self.size = 0
        self._encoders: Final[dict[type, Callable[[Any], dict[str, Any]]]] = {
            str: self._string,
            bool: self._bool,
            type(None): self._null,
            int: self._int,
            Int64: self._int64,
            float: self._float,
            ObjectId: self._object_id,
            datetime: self._date,
            dict: self._map,
            list: self._list,
            Decimal: self._remembering(None),
            Decimal128: self._remembering(None),
            **dict.fromkeys(TAGGED, self._tagged),
        }

    def encode(self, item: Item, *, sort: bool) -> tuple[Mapping[str, Any], bytes, int]:
        """The item's attributes in DynamoDB JSON, the reserved one included, its
        body (names sorted if asked), and the bytes that DynamoDB counts. Item sizes and keys are not checked here.

        Raises Unfit, with the path below the item, for what cannot be carried exactly.
        """
        out = self._attributes(item)
        return out, orjson.dumps(out, option=orjson.OPT_SORT_KEYS if sort else None), self.size

    def scalar(self, value: Any, rule: str | None) -> tuple[dict[str, Any], int, str]:
        """One value that is no container, alone, under a rule of `types`: its wire value, the bytes counted for it,
        and the code of its hint, empty without one. Raises Unfit.
        """
        self._hints.clear()
        self.size = 0
        if rule not in self._alone:
            self._alone[rule] = _Ruled(Rules(rule), self._known)
        alone = self._alone[rule]
        wire = alone.encode(value) if type(value) is alone.sure else self._by_rule(value, alone)
        [code] = [str(code) for _, code in self._hints] or [""]
        return wire, self.size, code

    def _attributes(self, item: Item) -> dict[str, Any]:
        values, derived = item
        if hints.RESERVED in values:
            raise Unfit(
                f"the attribute {hints.RESERVED} is Greylag's own, for the types of an item's other attributes",
                f"`rename` the field {hints.RESERVED}.",
            )
        self._hints.clear()
        self._depth = 0
        self.size = 0
        out = self._fields(values, self._root(derived))
        if self._hints and derived:
            self._hints[:] = [hint for hint in self._hints if hints.first(hint[0]) not in derived]
        if self._hints or self._keep_order:
            self._reserve(out)
        return out

    def _root(self, derived: frozenset[str]) -> _Names:
        """Derived attributes follow no rule. Which they are, differs with the templates that an item fills."""
        found = self._roots.get(derived)
        if found is None:
            if len(self._roots) >= _ROOTS_KEPT:
                self._roots.clear()
            found = self._roots[derived] = _Names(self._rules, derived)
        return found

    def _reserve(self, out: dict[str, Any]) -> None:
        orders = hints.orders({"M": out}) if self._keep_order else []
        if self._hints or orders:
            check_pointers(self._hints)
            check_pointers(orders)
            value = hints.attribute(self._hints, orders)
            out[hints.RESERVED] = value
            self.size += len(hints.RESERVED) + value_bytes(value)

    def _fields(self, values: dict[str, Any], names: _Names) -> dict[str, Any]:
        """The members of a document. What comes most often is dealt with here: no call, no look for hints."""
        out: dict[str, Any] = {}
        size = 0
        found = self._hints
        encoders = self._encoders
        name = ""
        try:
            for name, value in values.items():
                name_bytes, rule = names[name]
                size += name_bytes
                kind = type(value)
                if rule is None:
                    if kind is str:
                        size += len(value) if value.isascii() else text_size(value)
                        out[name] = {"S": value}
                        continue
                    if kind is int and INT32_MIN <= value <= INT32_MAX:
                        out[name], bytes_of = self._integers[value]
                        size += bytes_of
                        continue
                    before = len(found)
                    encode = encoders.get(kind)
                    out[name] = self._other(value) if encode is None else encode(value)
                else:
                    before = len(found)
                    out[name] = rule.encode(value) if kind is rule.sure else self._by_rule(value, rule)
                if len(found) != before:
                    hints.prefix(found, before, name)
        except Unfit as unfit:
            unfit.steps.append(name)
            raise
        self.size += size
        return out

    def _map(self, value: dict[str, Any], names: _Names | None = None) -> dict[str, Any]:
        self._depth += 1
        if self._depth > _DEEPEST_CONTAINER:
            raise _too_deep()
        self.size += CONTAINER_BYTES + len(value)
        out = {"M": self._fields(value, self._names if names is None else names)}
        self._depth -= 1
        return out

    def _list(self, value: list[Any], rule: _Ruled | None = None) -> dict[str, Any]:
        self._depth += 1
        if self._depth > _DEEPEST_CONTAINER:
            raise _too_deep()
        out: list[Any] = []
        size = CONTAINER_BYTES + len(value)
        found = self._hints
        encoders = self._encoders
        spans: list[tuple[int, int, int]] = []
        index = 0
        try:
            for index, each in enumerate(value):
                kind = type(each)
                if kind is str and rule is None:
                    size += len(each) if each.isascii() else text_size(each)
                    out.append({"S": each})
                    continue
                before = len(found)
                if rule is None:
                    encode = encoders.get(kind)
                    out.append(self._other(each) if encode is None else encode(each))
                else:
                    out.append(rule.encode(each) if kind is rule.sure else self._by_rule(each, rule))
                if len(found) != before:
                    spans.append((index, before, len(found)))
        except Unfit as unfit:
            unfit.steps.append(index)
            raise
        if spans:
            hints.collapse(found, spans, len(value))
        self.size += size
        self._depth -= 1
        return {"L": out}

    def _by_rule(self, value: Any, rule: _Ruled) -> dict[str, Any]:
        """A value of another type than the rule's own."""
        kind = type(value)
        if kind is dict:
            wire = self._map(value, rule.names)
            if rule.type in TAGGED_NAMES and by_rule(rule.type, "M", wire["M"], self._family) is not NO:
                self._hints.append(("", "m"))
            return wire
        if kind is list:
            return self._list(value, rule.each)
        if rule.type is None:
            encode = self._encoders.get(kind)
            return self._other(value) if encode is None else encode(value)
        if kind in TAGGED:
            wire = self._tagged(value)
            if by_rule(rule.type, "M", wire["M"], self._family) is not NO:
                self._hints.pop()
            return wire
        return self._scalar(value, rule.type)

    def _scalar(self, value: Any, rule: str | None) -> dict[str, Any]:
        """Any scalar; the hint is left out where the wire value, read as `rule` says, gives the value back."""
        wire, size, code = scalars.encode(value, rule, self._policy)
        self.size += size
        if code:
            [(kind, content)] = wire.items()
            taken = NO if rule is None else by_rule(rule, kind, content, self._family)
            if taken is NO:
                taken = natural(kind, content, self._family)
            if not identical(taken, value):  # type: ignore[arg-type]
                self._hints.append(("", code))
        return wire

    def _other(self, value: Any) -> dict[str, Any]:
        return self._scalar(value, None)

    def _string(self, value: str) -> dict[str, Any]:
        self.size += text_size(value)
        return {"S": value}

    def _bool(self, value: bool) -> dict[str, Any]:
        self.size += 1
        return TRUE if value else FALSE

    def _null(self, _: None) -> dict[str, Any]:
        self.size += 1
        return NULL

    def _int(self, value: int) -> dict[str, Any]:
        if not INT32_MIN <= value <= INT32_MAX:
            return self._large_int(value)
        wire, size = self._integers[value]
        self.size += size
        return wire

    def _large_int(self, value: int) -> dict[str, Any]:
        if self._bson:
            return self._other(value)
        try:
            text, size = numbers.int_text(value)
        except Unfit:
            return self._other(value)
        self.size += size
        return {"N": text}

    def _int64(self, value: Int64) -> dict[str, Any]:
        if not self._bson or INT32_MIN <= value <= INT32_MAX:
            self._hints.append(("", "l"))
        return self._known_int64(value)

    def _known_int64(self, value: Int64) -> dict[str, Any]:
        text, size = numbers.int_text(value)
        self.size += size
        return {"N": text}

    def _float(self, value: float) -> dict[str, Any]:
        try:
            text, size = numbers.float_text(value)
        except Unfit:
            return self._other(value)
        self.size += size
        if not self._bson or (value.is_integer() and INT64_MIN <= int(text) <= INT64_MAX):
            self._hints.append(("", "d"))
        return {"N": text}

    def _known_float(self, value: float) -> dict[str, Any]:
        try:
            text, size = numbers.float_text(value)
        except Unfit:
            return self._scalar(value, "double")
        self.size += size
        return {"N": text}

    def _remembering(self, rule: str | None) -> Callable[[Decimal], dict[str, Any]]:
        """An encoder of decimals of one type under one rule, which remembers what it did last."""
        known: dict[str, tuple[dict[str, Any], int, hints.Hints]] = {}

        def encode(value: Decimal) -> dict[str, Any]:
            text = Decimal.__str__(value)  # says value and exponent: no two have one text
            met = known.get(text)
            if met is None:
                size, count = self.size, len(self._hints)
                wire = self._scalar(value, rule)
                if len(known) >= _KEPT:
                    known.clear()
                if len(text) <= _LONGEST_KEPT:
                    known[text] = wire, self.size - size, self._hints[count:]
                return wire
            wire, size, found = met
            self.size += size
            if found:
                self._hints += found
            return wire

        return encode

    def _object_id(self, value: ObjectId) -> dict[str, Any]:
        self._hints.append(("", "o"))
        self.size += 24
        return {"S": value.binary.hex()}

    def _known_object_id(self, value: ObjectId) -> dict[str, Any]:
        self.size += 24
        return {"S": value.binary.hex()}

    def _date(self, value: datetime) -> dict[str, Any]:
        if not _exact(value):
            return self._other(value)
        self._hints.append(("", "t"))
        self.size += 24
        return {"S": date_text(value)}

    def _known_date(self, value: datetime) -> dict[str, Any]:
        if not _exact(value):
            return self._scalar(value, "date")
        self.size += 24
        return {"S": date_text(value)}

    def _tagged(self, value: Any) -> dict[str, Any]:
        plain = to_extended(value)
        if not isinstance(
            value, Code
        ):  # the order of its parts says nothing, so `order: keep` need not keep it
            plain = {
                name: dict(sorted(part.items())) if isinstance(part, dict) else part
                for name, part in plain.items()
            }
        before = len(self._hints)
        wire = self._map(plain)
        self._hints[before:] = [("", "x")]
        return wire


def _exact(moment: datetime) -> bool:
    """Whether a date is in UTC and of whole milliseconds; pymongo's zone is not Python's own UTC object."""
    zone = moment.tzinfo
    return (
        zone is UTC or (zone is not None and moment.utcoffset() == _NO_OFFSET)
    ) and not moment.microsecond % 1000


def _too_deep() -> Unfit:
    return Unfit(
        f"nested deeper than DynamoDB's {limits.NESTING_LEVELS} levels",
        "Flatten it with `python:`, or `drop` the field.",
    )


def check_pointers(found: hints.Hints) -> None:
    """A pointer is the name of an attribute: names that each are short enough can make up one that is not."""
    for pointer, _ in found:
        if len(pointer) > limits.NAME_BYTES // 4 and text_size(pointer) > limits.NAME_BYTES:
            raise Unfit(
                f"the names on the way to {pointer[:60]}... have together more than the {limits.NAME_BYTES} bytes "
                "in which Greylag can keep the type or the order of what is there",
                "`rename` the field or `drop` it, or give the fields shorter names with `python:`.",
            )
