"""One table of a plan: what it is or will be, what its load weighs, how long AWS takes for it and what it charges."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from greylag.core.extended_json import to_extended
from greylag.cost.duration import Forecast, Load, forecast
from greylag.cost.loading import Cost, loading_cost
from greylag.cost.prices import MissingPrice
from greylag.engine.survey.heavy import KEPT, HeavyHitters
from greylag.operations.cost.pricelists import price_folder, prices_of
from greylag.operations.prepare import NOT_CREATED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from greylag.config import Project
    from greylag.core.ports import TableInfo
    from greylag.cost.prices import PriceList
    from greylag.engine.survey.tally import Tally
    from greylag.operations.prepare import Looked
    from greylag.operations.structure.decide import Made

HOT_KEYS = 3
"""Partition key values that are told of the table and of each index."""


LEAST_SEEN = 5
"""In how many items a sample must have seen a partition key value before its units are reckoned for all records."""


@dataclass(frozen=True, slots=True)
class HotKey:
    """A partition key value in extended JSON, and the share of the write units of its `place` (an index; the table
    under the empty name) that go to it, at least.
    """

    place: str
    value: Any
    units: int
    share: float


@dataclass(frozen=True, slots=True)
class TablePlan:
    """`state` is `create`, `exists`, `differs`, `missing` (and may not be created) or `assumed` (nobody asked).

    `units` are write units by place: the table under the empty name, then its indexes; `entries` the items there.
    `forecast` and `costs` are None and empty where the target is no DynamoDB.
    """

    name: str
    state: str
    identity: str
    key: tuple[str, ...]
    indexes: Mapping[str, tuple[str, ...]]
    key_types: Mapping[str, str]
    ttl_attribute: str | None
    differences: tuple[str, ...]
    makes_indexes: tuple[str, ...]
    turns_on_ttl: bool
    region: str | None
    on_demand: bool
    items: int
    units: Mapping[str, int]
    entries: Mapping[str, int]
    hot_keys: tuple[HotKey, ...]
    exact: bool
    forecast: Forecast | None
    costs: tuple[Cost, ...]
    made: tuple[tuple[str, Made], ...] = ()
    """By flow: what the options and indexes of its dataset become."""

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return {
            "table": self.name,
            "state": self.state,
            "identity": self.identity,
            "key": list(self.key),
            "indexes": {name: list(names) for name, names in self.indexes.items()},
            "key_types": dict(self.key_types),
            "ttl": self.ttl_attribute,
            "differences": list(self.differences),
            "turns_on_ttl": self.turns_on_ttl,
            "region": self.region,
            "on_demand": self.on_demand,
            "exact": self.exact,
            "items": self.items,
            "write_units": {
                "table": self.units.get("", 0),
                "indexes": {name: self.units.get(name, 0) for name in self.indexes},
                "total": sum(self.units.values()),
            },
            "hot_keys": [
                {
                    "index": each.place or None,
                    "value": each.value,
                    "units": each.units,
                    "share": round(each.share, 4),
                }
                for each in self.hot_keys
            ],
            "forecast": None if self.forecast is None else self.forecast.as_json(),
            "costs": [each.as_json() for each in self.costs],
            "as_source": [
                {
                    "flow": flow,
                    "options": dict(made.options),
                    "notes": list(made.notes),
                    "indexes": [each.as_json() for each in made.indexes],
                }
                for flow, made in self.made
            ],
        }


def table_plan(
    project: Project,
    looked: Looked,
    flows: Sequence[tuple[float | None, Tally, TableInfo]],
    *,
    offline: bool,
) -> TablePlan:
    """`flows`: of each flow that is planned how many times its records there are, what was counted, its table."""
    spec = looked.spec
    connection = project.connections[spec.ref.connection]
    creates = bool(getattr(connection.options, "create_tables", False))
    units: Counter[str] = Counter()
    entries: Counter[str] = Counter()
    heavy: dict[str, HeavyHitters[Any]] = {}
    items = body_bytes = 0
    for scale, tally, _ in flows:
        times = scale or 1.0
        items += round(tally.items * times)
        body_bytes += round(tally.body_bytes * times)
        for place, count in tally.units.items():
            units[place] += round(count * times)
            entries[place] += round(tally.entries[place] * times)
        for place, weights in tally.heavy.items():
            own = heavy.setdefault(place, HeavyHitters())
            known = weights.heaviest(HOT_KEYS * 10)
            if times > 1:
                # What a sample saw once or twice tells nothing of the records that it left out.
                often = {
                    each.key for each in tally.seen[place].heaviest(2 * KEPT) if each.at_least >= LEAST_SEEN
                }
                known = [
                    replace(each, at_least=round(each.at_least * (times if each.key in often else 1)))
                    for each in known
                ]
            own.add((each.key, each.at_least) for each in known if each.at_least)
    hot = _hot_keys(heavy, units)
    info = flows[0][2]
    extra = {} if looked.existing is None else looked.existing.extra
    told: tuple[Forecast | None, tuple[Cost, ...]] = (None, ())
    region = getattr(connection.options, "region", None)
    on_demand = bool(extra.get("on_demand", True))
    if connection.kind == "dynamodb":
        load = Load(
            items=items,
            units=units,
            heaviest={
                place: max((each.units for each in hot if each.place == place), default=0) for place in heavy
            },
            on_demand=on_demand,
            exists=looked.existing is not None,
            capacity=extra.get("write_units", {}),
            stated_units=project.write_units_per_second(connection.name),
        )
        costs = loading_cost(
            items=items,
            units=units.total(),
            body_bytes=body_bytes,
            region=region,
            prices=_prices(region),
            new=looked.existing is None,
            on_demand=on_demand,
        )
        told = (forecast(load), costs)
    return TablePlan(
        name=str(spec.ref),
        state=_state(looked, creates=creates, offline=offline),
        identity=NOT_CREATED if looked.existing is None else looked.existing.identity,
        key=spec.key,
        indexes=info.indexes,
        key_types=spec.key_types,
        ttl_attribute=spec.ttl_attribute,
        differences=looked.differences,
        makes_indexes=tuple(spec.indexes) if looked.existing is None else (),
        turns_on_ttl=spec.ttl_attribute is not None
        and (looked.existing is None or looked.existing.ttl_attribute != spec.ttl_attribute),
        region=region,
        on_demand=on_demand,
        items=items,
        units=dict(units),
        entries=dict(entries),
        hot_keys=hot,
        exact=all(scale == 1.0 for scale, _, _ in flows),
        forecast=told[0],
        costs=told[1],
        made=looked.made,
    )


def _prices(region: str | None) -> PriceList | None:
    try:
        return None if region is None else prices_of(region, price_folder())
    except MissingPrice:
        return None


def _state(looked: Looked, *, creates: bool, offline: bool) -> str:
    if offline:
        return "assumed"
    if looked.existing is None:
        return "create" if creates else "missing"
    return "differs" if looked.differences else "exists"


def _hot_keys(heavy: Mapping[str, HeavyHitters[Any]], units: Mapping[str, int]) -> tuple[HotKey, ...]:
    return tuple(
        HotKey(place, to_extended(each.key), each.at_least, each.at_least / units[place])
        for place in sorted(heavy)
        for each in heavy[place].heaviest(HOT_KEYS)
    )
