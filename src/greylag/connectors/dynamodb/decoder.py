"""DynamoDB JSON back to attributes, by hints, rules and the natural type of each wire value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greylag.connectors.dynamodb import hints
from greylag.connectors.dynamodb.numbers import normal
from greylag.connectors.dynamodb.restore import NO, by_hint, by_rule, natural
from greylag.connectors.dynamodb.rules import Rules, compile_rules
from greylag.connectors.dynamodb.unfit import Unfit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greylag.connectors.dynamodb.hints import Hint
    from greylag.core.flows import FlowSpec
    from greylag.core.values import Document, Value

_NO_RULES = Rules()


class Decoder:
    """One flow's decoder."""

    def __init__(self, flow: FlowSpec, family: str) -> None:
        self._rules = compile_rules(flow)
        self._family = family

    def attributes(self, item: dict[str, Any]) -> Document:
        """The attributes of an item, by name unless hints order them. Raises Unfit, with the path below the item."""
        types, orders = hints.read(item.get(hints.RESERVED))
        content = {name: wire for name, wire in item.items() if name != hints.RESERVED}
        return self._fields(content, self._rules, [types] if types else [], [orders] if orders else [])

    def _fields(
        self, content: dict[str, Any], rules: Rules, types: Sequence[Hint], orders: Sequence[Hint]
    ) -> dict[str, Value]:
        out: dict[str, Value] = {}
        for name in _in_order(content, orders):
            try:
                out[name] = self._value(
                    content[name],
                    rules.fields.get(name, _NO_RULES),
                    hints.under(types, name) if types else types,
                    hints.under(orders, name) if orders else orders,
                )
            except Unfit as unfit:
                unfit.steps.append(name)
                raise
        return out

    def _value(
        self, wire: dict[str, Any], rules: Rules, types: Sequence[Hint], orders: Sequence[Hint]
    ) -> Value:
        [(kind, content)] = wire.items()
        if kind == "N":
            content = normal(content)
        elif kind == "L":
            return self._list(content, rules.each or _NO_RULES, types, orders)
        codes = [hint.code for hint in types if isinstance(hint.code, str)]
        for code in codes:
            value = by_hint(code, kind, _ordered(content, orders) if kind == "M" else content)
            if value is not NO:
                return value  # type: ignore[return-value]
        if rules.type is not None and "m" not in codes:
            value = by_rule(
                rules.type, kind, _ordered(content, orders) if kind == "M" else content, self._family
            )
            if value is not NO:
                return value  # type: ignore[return-value]
        if kind == "M":
            return self._fields(content, rules, types, orders)
        value = natural(kind, content, self._family)
        if value is NO:
            raise Unfit("a DynamoDB set, which no source of Greylag's holds", "Make it a list.")
        return value  # type: ignore[return-value]

    def _list(
        self, content: list[Any], rules: Rules, types: Sequence[Hint], orders: Sequence[Hint]
    ) -> list[Value]:
        out: list[Value] = []
        for index, each in enumerate(content):
            names = (str(index), "*")
            try:
                out.append(
                    self._value(
                        each,
                        rules,
                        hints.under(types, *names) if types else types,
                        hints.under(orders, *names) if orders else orders,
                    )
                )
            except Unfit as unfit:
                unfit.steps.append(index)
                raise
        return out


def _in_order(content: dict[str, Any], orders: Sequence[Hint]) -> list[str]:
    """The names of a map: sorted, or those that a hint orders first."""
    for hint in orders:
        if isinstance(hint.code, tuple):
            kept = [name for name in dict.fromkeys(hint.code) if name in content]
            return kept + sorted(content.keys() - set(kept))
    return sorted(content)


def _ordered(content: dict[str, Any], orders: Sequence[Hint]) -> dict[str, Any]:
    """The content of an M with its maps in the order of their hints, else by name."""
    return {
        name: _ordered_value(content[name], hints.under(orders, name)) for name in _in_order(content, orders)
    }


def _ordered_value(wire: dict[str, Any], orders: Sequence[Hint]) -> dict[str, Any]:
    [(kind, content)] = wire.items()
    if kind == "M":
        return {"M": _ordered(content, orders)}
    if kind == "L":
        places = enumerate(content)
        return {"L": [_ordered_value(each, hints.under(orders, str(index), "*")) for index, each in places]}
    return wire
