"""`ttl:`: when an item may expire, in seconds since 1970, as DynamoDB reads it.

Source:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING

from greylag.core.canonical import milliseconds
from greylag.core.mapping.errors import MappingError
from greylag.core.mapping.moments import microseconds, moment
from greylag.core.mapping.text import UNFILLED, Unfilled, text_of
from greylag.core.mapping.types import path_at
from greylag.core.paths import EACH, Missing, get
from greylag.core.records import Refused
from greylag.core.values import DistantDate, is_number, type_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greylag.core.flows import TtlSpec
    from greylag.core.mapping.carried import Carried
    from greylag.core.paths import Path
    from greylag.core.values import Document, Value

_FAR = 2**63
_NUMBER_RULES = {"date:s": 1, "date:ms": 1000}


class Ttl:
    """`ttl:` checked against the rest of the flow. `own` says that the attribute is the field itself.

    Raises MappingError for what cannot work.
    """

    def __init__(
        self, spec: TtlSpec, rules: Mapping[Path, str], carried: Carried, attributes: Mapping[str, object]
    ):
        self.attribute = spec.attribute
        self.field = spec.field
        self.path = path_at(spec.field, "ttl")
        self.after_seconds = spec.after_seconds
        self.rule = rules.get(self.path)
        self._per_second = _NUMBER_RULES.get(self.rule or "")
        if EACH in self.path:
            raise MappingError("ttl", f"`{spec.field}` names many values", "name one date field")
        if spec.attribute in attributes:
            raise MappingError(
                "ttl", f"`{spec.attribute}` has a template under `attributes`", "let one of them write it"
            )
        source = carried.source_of(spec.attribute)
        self.own = len(self.path) == 1 and self.path[0] == source
        if self.own and (spec.after_seconds or carried.is_pruned(str(source))):
            raise MappingError(
                "ttl",
                f"`{spec.attribute}` carries the field `{spec.field}` itself, which is another moment",
                "give the ttl attribute a name of its own",
            )
        if self.own and self.rule not in {None, "date", "date:s"}:
            raise MappingError(
                "ttl",
                f"`types` carries `{spec.field}` as {self.rule}, and DynamoDB reads seconds from it",
                "give the ttl attribute a name of its own, or the type `date:s`",
            )
        if not self.own and source is not None and source != spec.attribute:
            raise MappingError(
                "ttl",
                f"`rename` carries `{source}` as `{spec.attribute}`",
                "give the ttl attribute another name",
            )

    def check(self, fields: Document) -> None:
        """Raises Refused where the attribute is the field itself and the field holds no moment."""
        value = get(fields, self.path)
        if isinstance(value, Missing | None | datetime | DistantDate):
            return
        if not (self.rule == "date:s" and is_number(value)):
            raise self._refused(value)

    def seconds(self, fields: Document) -> int | Unfilled:
        """The attribute's value; UNFILLED where the field is missing or null. Raises Refused for what is no
        date.

        A date is a date, ISO 8601 text that names its zone, or a number where `types` says `date:s` or
        `date:ms`. Parts of a second are left off.
        """
        value = get(fields, self.path)
        if isinstance(value, Missing) or value is None:
            return UNFILLED
        if isinstance(value, datetime):
            return milliseconds(value) // 1000 + self.after_seconds
        if isinstance(value, DistantDate):
            return value.milliseconds // 1000 + self.after_seconds
        if isinstance(value, str):
            named = moment(value, zone=True)
            if named is not None:
                return microseconds(named) // 1_000_000 + self.after_seconds
        elif (
            self._per_second and is_number(value) and text_of(value) is not UNFILLED and -_FAR < value < _FAR
        ):
            return math.floor(value) // self._per_second + self.after_seconds
        raise self._refused(value)

    def _refused(self, value: Value) -> Refused:
        return Refused(
            f"ttl: `{self.field}` is of type {type_name(value)}, not a date",
            "make it a date at the source; where it is a number of seconds or milliseconds since 1970, "
            "say so under "
            "`types:` (date:s, date:ms); or leave `ttl:` out",
        )
