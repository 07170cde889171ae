"""Random histories of writes, pages, changes, crashes and late writes end with target == map(source).

A model of the whole way over the memory connector, in one process: a load that may be killed after any batch,
capture into a real spool, apply in windows of a few changes. The target acknowledges some batches only at a second try
and lands the first one at any time within `late_write_seconds`; a kill leaves writes behind that land then too. The
clock is the test's own.

Keys of every kind: of the id, of other fields (moved), shared, `where`, `split`; and a unique secondary index, which
becomes unique once the load is caught up. Seen to fail, one at a time, where no key is held after an unknown outcome;
where the intent is not saved; where apply begins before the load's late writes have landed; where what was taken away
before it was put, or what was written before the first window, is not held.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from greylag.connectors import memory
from greylag.core.change import ChangeBatch, Followed
from greylag.core.extended_json import to_extended
from greylag.core.flows import SplitSpec
from greylag.core.records import Encoded, Erased, Record, Refused, Rejection
from greylag.engine.collisions import doubtful, find_collisions
from greylag.engine.follow import applied, holding
from greylag.engine.follow.applied import Applied
from greylag.engine.follow.apply import Apply
from greylag.engine.follow.carrier import Forward
from greylag.engine.follow.claims import Claiming, ClaimsFile
from greylag.engine.follow.spool import SpoolReader, SpoolWriter
from greylag.engine.lane import Lane
from tests.inline import Inline
from tests.routes import route

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from greylag.core.ports import Delivery, Writer

LATE_SECONDS = 100.0
ITEM = {"pk": "{a}#{@index}"}
FLOWS: dict[str, dict[str, Any]] = {
    "keys from the id": {"attributes": {"pk": "R#{_id}"}},
    "keys from other fields": {"attributes": {"pk": "{a}#{_id}"}},
    "keys that can be shared": {"attributes": {"pk": "{a}"}},
    "where": {"attributes": {"pk": "{_id}"}, "where": {"b": 1}},
    "split": {
        "attributes": {"pk": "P#{_id}"},
        "split": (SplitSpec("list", {"pk": "C#{@parent._id}#{@index}"}),),
    },
    "unique secondary index": {"attributes": {"pk": "{_id}"}},
    "split whose children can share keys": {
        "attributes": {"pk": "P#{_id}"},
        "split": (SplitSpec("list", {"pk": "C#{@value}"}),),
    },
}
IDS = st.integers(0, 3)
RECORDS = st.fixed_dictionaries(
    {"_id": IDS, "b": st.integers(0, 2), "list": st.lists(st.integers(0, 4), max_size=3)},
    optional={"a": st.integers(0, 3).map(str)},
)


class Killed(Exception):  # noqa: N818 - what happens to a process
    """The process that writes is gone."""


class Landing:
    """The network between a process and the target: batches on their way, and the clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.kill_after: int | None = None
        self.unknown_next = 0
        self.unique = False
        self.flying: list[tuple[float, Sequence[Encoded | Erased]]] = []

    def launch(self, batch: Sequence[Encoded | Erased]) -> None:
        self.flying.append((self.now + LATE_SECONDS, list(batch)))


class LateWriter:
    """A writer whose requests may land late, and whose process may be killed between any two of them."""

    batch_items = 2
    late_write_seconds = LATE_SECONDS

    def __init__(self, lane: Lane, landing: Landing) -> None:
        self.lane, self.landing = lane, landing

    def write(self, batches: Iterable[Sequence[Encoded | Erased]]) -> Iterator[Delivery]:
        for batch in batches:
            if self.landing.kill_after is not None:
                if self.landing.kill_after == 0:
                    self.landing.launch(batch)
                    raise Killed
                self.landing.kill_after -= 1
            unknown = self.landing.unknown_next > 0
            if unknown:
                self.landing.unknown_next -= 1
                self.landing.launch(batch)
            yield replace(self.arrive(batch), unknown=int(unknown))

    def arrive(self, batch: Sequence[Encoded | Erased]) -> Delivery:
        """At the target, whose unique index on `a`, once there is one, keeps items out."""
        taken: dict[Any, bytes] = {}
        if self.landing.unique:
            taken = {self.value(each.body): each.key for each in stored(self.lane)}
        fine: list[Encoded | Erased] = []
        kept_out: list[tuple[int, str]] = []
        for place, each in enumerate(batch):
            value = None if isinstance(each, Erased) else self.value(each.body)
            if self.landing.unique and value is not None and taken.get(value, each.key) != each.key:
                kept_out.append((place, "another has it"))
                continue
            fine.append(each)
            taken = {other: key for other, key in taken.items() if key != each.key}
            if value is not None:
                taken[value] = each.key
        [delivery] = self.lane.writer.write([fine])
        holders = tuple([partial(taken.get, self.value(batch[place].body)) for place, _ in kept_out])
        return replace(delivery, duplicates=tuple(kept_out), holders=holders)

    def value(self, body: bytes) -> Any:
        return self.lane.codec.decode(body).get("a")


class LateForward(Forward):
    """The forward carrier over a `LateWriter`."""

    def __init__(self, lane: Lane, feed: Any, landing: Landing) -> None:
        super().__init__(lane, feed)
        self._late: Any = LateWriter(lane, landing)

    @property
    def writer(self) -> Writer:
        return self._late  # type: ignore[no-any-return]


class Following(RuleBasedStateMachine):
    """See the module."""

    kind = "keys from the id"

    @initialize(records=st.lists(RECORDS, max_size=4, unique_by=lambda each: each["_id"]))
    def begin(self, records: list[dict[str, Any]]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="greylag-model-"))
        self.path = self.folder / "memory.sqlite"
        if self.unique:
            records = list({each.get("a", each["_id"]): each for each in records}.values())
        memory.put(self.path, "things", records, family="bson")
        drawn = route(self.path, "things", family="bson", **FLOWS[self.kind])
        source_feed = self.feed_of(drawn)
        self.start = source_feed.position()  # law 1
        source_feed.close()
        if doubtful([drawn]):
            found = find_collisions([drawn], Inline(), self.folder / "collisions")
            drawn = drawn.with_colliding(found.path)
        self.lane = Lane(drawn)
        self.feed = self.feed_of(drawn)
        self.landing = Landing()
        self.writer: Any = LateWriter(self.lane, self.landing)
        self.spool = SpoolWriter(self.folder / "spool", segment_bytes=400)
        self.spool.recover()
        self.spool.append(ChangeBatch([], self.start))
        self.partition = next(iter(self.lane.source.partitions("things", partition_bytes=1 << 30)), None)
        self.cursor: str | None = None
        self.loaded = self.partition is None
        self.load_died_at: float | None = None
        self.refused_by_load: set[bytes] = set()
        self.claims = self.folder / "claims"
        self.file = ClaimsFile(self.claims)
        self.claiming = Claiming(self.lane, self.feed, self.file)
        self.apply: Apply | None = None
        self.applied: Applied | None = None
        self.mark: int | None = None

    def feed_of(self, drawn: Any) -> Any:
        source = drawn.source.source()
        return source.feed([Followed("things")], self.folder / "scratch")

    # What the application does.

    @rule(record=RECORDS)
    def write(self, record: dict[str, Any]) -> None:
        if self.unique and "a" in record:
            others = self.lane.source.fetch("things", [id_ for id_ in range(4) if id_ != record["_id"]])
            if any(each.fields.get("a") == record["a"] for each in others):
                return  # the source has the index too
        memory.write(self.path, "things", [record])

    @rule(one=IDS, other=IDS)
    def swap(self, one: int, other: int) -> None:
        found = {each.id: each.fields for each in self.lane.source.fetch("things", [one, other])}
        if len(found) == 2 and not (self.unique and any("a" not in each for each in found.values())):
            first, second = found[one].get("a", "0"), found[other].get("a", "0")
            if self.unique and first != second:
                memory.write(self.path, "things", [{**found[one], "a": "between"}])
                memory.write(self.path, "things", [{**found[other], "a": first}])
                memory.write(self.path, "things", [{**found[one], "a": second}])
                return
            memory.write(self.path, "things", [{**found[one], "a": second}])
            memory.write(self.path, "things", [{**found[other], "a": first}])

    @rule(id_=IDS)
    def delete(self, id_: int) -> None:
        memory.delete(self.path, "things", [id_])

    # The load.

    @rule(kill_after=st.one_of(st.none(), st.integers(0, 2)), counted=st.booleans())
    def load_page(self, kill_after: int | None, *, counted: bool) -> None:
        if self.loaded:
            return
        assert self.partition is not None
        page = next(self.lane.source.read(self.partition, self.cursor, page_bytes=150), None)
        if page is None:
            self.loaded = True
            return
        self.landing.kill_after = kill_after
        try:
            items: list[Encoded] = []
            carry = self.claiming.carry_all if self.claiming.needed else self.lane.carry_all
            for _, carried in carry(page):
                items += [] if isinstance(carried, Rejection) else carried
            for each in items:  # the load's pipeline has many batches in flight: order is nobody's
                list(self.writer.write([[each]]))
            if counted:
                self.cursor = page.cursor
            else:
                self.load_crash()
        except Killed:
            self.load_crash()
        self.landing.kill_after = None

    def load_crash(self) -> None:
        self.load_died_at = self.landing.now
        self.file.close()
        self.file = ClaimsFile(self.claims)
        self.claiming = Claiming(self.lane, self.feed, self.file)

    # Capture.

    def pending(self) -> bool:
        return int(self.feed._last()) > int(self.spool.position or self.start)

    @rule(crash=st.booleans())
    def capture(self, *, crash: bool) -> None:
        if self.pending():
            reader = self.feed.read(self.spool.position or self.start)
            self.spool.append(next(reader))
            reader.close()
        if self.mark is not None and int(self.spool.position or self.start) >= self.mark:
            self.spool.barrier("load")
            self.mark = None
        if crash:
            self.spool.close()
            self.spool = SpoolWriter(self.folder / "spool", segment_bytes=400)
            self.spool.recover()

    # Apply.

    def started(self) -> Apply | None:
        if not self.loaded:
            return None
        if self.apply is None:
            settle = 0.0
            if self.load_died_at is not None:
                settle = max(0.0, self.load_died_at + LATE_SECONDS - self.landing.now)
            if (settle or self.landing.flying) and not self.died_gathering:
                return None  # the coordinator waits
            self.file.close()
            self.open_apply()
            assert self.apply is not None
            try:
                self.apply.gather(self.claims)
            except Killed:
                self.died_gathering = True
                self.killed()
                return None
            self.mark = int(self.feed._last())
        return self.apply

    def open_apply(self) -> None:
        self.applied = Applied(self.folder / "apply.sqlite")
        self.apply = Apply(
            {"things": [LateForward(self.lane, self.feed, self.landing)]},
            SpoolReader(self.folder / "spool"),
            self.applied,
            window_changes=3,
            clock=lambda: self.landing.now,
        )

    @rule(kill_after=st.one_of(st.none(), st.integers(0, 3)), unknown=st.integers(0, 2))
    def apply_window(self, kill_after: int | None, unknown: int) -> None:
        if self.landing.flying and self.apply is None and not (self.began or self.died_gathering):
            return
        self.landing.kill_after, self.landing.unknown_next = kill_after, unknown
        try:
            apply = self.resumed()
            if apply is not None:
                apply.step()
        except Killed:
            self.killed()
        self.catch_up()
        self.landing.kill_after, self.landing.unknown_next = None, 0

    began = died_gathering = False

    @property
    def unique(self) -> bool:
        return self.kind == "unique secondary index"

    def catch_up(self) -> None:
        """Secondary indexes become unique once no earlier state can show any more."""
        if self.unique and self.applied is not None and self.applied.passed("load"):
            self.landing.unique = True

    def resumed(self) -> Apply | None:
        if self.apply is None and self.began:
            self.open_apply()
        if self.apply is None:
            self.apply = self.started()
            self.began = self.apply is not None
        return self.apply

    def killed(self) -> None:
        assert self.applied is not None
        self.applied.close()
        self.applied = self.apply = None

    @rule()
    def kill_apply(self) -> None:
        if self.apply is not None:
            self.killed()

    @rule(
        steps=st.lists(
            st.tuples(RECORDS, st.sampled_from([None, None, 0, 1]), st.sampled_from([0, 0, 1])),
            min_size=2,
            max_size=10,
        )
    )
    def write_through(self, steps: list[tuple[dict[str, Any], int | None, int]]) -> None:
        """Writes that go all the way, once the load is over."""
        self.load_the_rest()
        for record, kill_after, unknown in steps:
            self.write(record)
            self.capture(crash=False)
            self.apply_window(kill_after, unknown)

    @rule(
        kills=st.lists(st.one_of(st.none(), st.integers(0, 6)), min_size=1, max_size=4),
        unknown=st.integers(0, 4),
        lands=st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=4),
    )
    def swap_through(self, kills: list[int | None], unknown: int, lands: list[tuple[int, bool]]) -> None:
        """Two records swap a value within one window, whose apply is killed; what was on its way lands in between."""
        self.load_the_rest()
        for id_ in (0, 1):
            self.write({"_id": id_, "b": 1, "list": [], "a": str(id_)})
        self.go_through()
        self.swap(0, 1)
        while self.pending():
            self.capture(crash=False)
        for kill_after in kills:
            self.apply_window(kill_after, unknown)
            for place, there in lands:
                self.land(place, lands=there)

    def window(self, kill_after: int | None = None, unknown: int = 0) -> None:
        """Everything written so far is captured, and a window of it applied."""
        while self.pending():
            self.capture(crash=False)
        self.apply_window(kill_after, unknown)

    def held(self, records: list[dict[str, Any]]) -> None:
        """The keys of these records are held, since a window that writes them was killed."""
        for each in records:
            self.write(each)
        self.window(0)
        self.window()

    def go_through(self) -> None:
        """Everything written so far is applied, and nothing is on its way."""
        while self.pending() or self.mark is not None:
            self.capture(crash=False)
        for _ in range(3):
            self.apply_window(None, 0)
            self.wait(101.0)

    @rule()
    def load_the_rest(self) -> None:
        if not self.began:
            while not self.loaded:
                self.load_page(None, counted=True)
            self.wait(101.0)
            self.resumed()

    # The network and the clock.

    @rule(place=st.integers(0, 10), lands=st.booleans())
    def land(self, place: int, *, lands: bool) -> None:
        if self.landing.flying:
            _, batch = self.landing.flying.pop(place % len(self.landing.flying))
            if lands:
                self.writer.arrive(batch)

    @rule(seconds=st.sampled_from([1.0, 60.0, 101.0]))
    def wait(self, seconds: float) -> None:
        self.landing.now += seconds
        late = [each for each in self.landing.flying if each[0] < self.landing.now]
        self.landing.flying = [each for each in self.landing.flying if each[0] >= self.landing.now]
        for _, batch in late:  # at the last moment
            self.writer.arrive(batch)

    # What holds at the end.

    def teardown(self) -> None:
        try:
            if hasattr(self, "folder"):
                self.finish()
        finally:
            if hasattr(self, "folder"):
                if self.applied is not None:
                    self.applied.close()
                self.file.close()
                self.spool.close()
                self.lane.close()
                self.feed.close()
                shutil.rmtree(self.folder, ignore_errors=True)

    def finish(self) -> None:
        while not self.loaded:
            self.load_page(None, counted=True)
        self.wait(101.0)
        apply = self.resumed()
        assert apply is not None
        self.capture(crash=False)
        while self.pending() or self.mark is not None:
            self.capture(crash=False)
        for _ in range(6):
            while apply.step():
                self.catch_up()
            self.wait(101.0)
        assert self.landing.unique == self.unique
        self.compare()

    def compare(self) -> None:
        assert self.applied is not None
        expected: dict[bytes, bytes] = {}
        by_key: dict[bytes, list[Record]] = {}
        left_out: set[Any] = set()
        records = list(self.lane.source.fetch("things", range(4)))
        items: list[tuple[Record, list[Encoded]]] = []
        for record in records:
            try:
                made = [self.lane.codec.encode(item) for item in self.lane.items(record)]
                if len({each.key for each in made}) < len(made):
                    left_out.add(record.id)
                    continue
            except Refused:
                left_out.add(record.id)
                continue
            items.append((record, made))
            for each in made:
                by_key.setdefault(each.key, []).append(record)
        for record, made in items:
            if any(len(by_key[each.key]) > 1 for each in made):
                left_out.add(record.id)
            else:
                expected |= {each.key: each.body for each in made}
        stale = {each.entry["key"] for each in self.applied.stale()}
        assert stale <= {_shown(each) for each in left_out} | self.unsure()
        shared = {key for key, found in by_key.items() if len(found) > 1}
        found = {each.key: each.body for each in stored(self.lane)}
        spoilt = stale | {_shown(each) for each in left_out}
        keys_of_spoilt = {
            row[0]
            for row in self.applied.db.execute("SELECT key, id FROM claims")
            if int(row[1]) in {_plain(each) for each in spoilt}
        }
        for id_ in left_out:
            with suppress(Refused):
                keys_of_spoilt.add(self.lane.codec.encode(self.lane.mapping.key(_only_id(id_))).key)
        ignored = (shared | keys_of_spoilt) - expected.keys()
        doubted = {key for key in expected if key in keys_of_spoilt and self.is_unsure(key)}
        assert {key: body for key, body in found.items() if key not in ignored | doubted} == {
            key: body for key, body in expected.items() if key not in doubted
        }

    def unsure(self) -> set[Any]:
        assert self.applied is not None
        return {each.entry["key"] for each in self.applied.stale() if "not known" in each.entry["reason"]}

    def is_unsure(self, key: bytes) -> bool:
        assert self.applied is not None
        found = {_plain(each) for each in self.unsure()}
        rows = self.applied.db.execute("SELECT id FROM claims WHERE key = ?", (key,)).fetchall()
        return any(int(row[0]) in found for row in rows)


def stored(lane: Lane) -> list[Any]:
    """What the target holds."""
    return [
        each
        for segment in lane.target.segments("table", count=1)
        for page in lane.target.scan(segment)
        for each in page
    ]


def _shown(id_: Any) -> Any:
    return to_extended(id_)


def _plain(shown: Any) -> int:
    return int(shown["$numberInt"]) if isinstance(shown, dict) else int(shown)


def _only_id(id_: Any) -> Any:
    return Record(id_, {"_id": id_})


@pytest.mark.parametrize("kind", FLOWS)
def test_target_is_what_the_source_maps_to(kind: str) -> None:
    histories(kind, 15)


@pytest.mark.long
@pytest.mark.parametrize("kind", FLOWS)
def test_target_is_what_the_source_maps_to_in_many_histories(kind: str) -> None:
    histories(kind, 500)


@contextmanager
def history(kind: str) -> Iterator[Following]:
    """A loaded one, to be told step by step; in the end target == map(source)."""
    machine = type("Following", (Following,), {"kind": kind})()
    machine.begin(records=[])
    try:
        machine.load_the_rest()
        yield machine
    finally:
        machine.teardown()


def things(b: int, count: int = 2) -> list[dict[str, Any]]:
    return [{"_id": id_, "a": str(id_), "b": b, "list": []} for id_ in range(count)]


def test_what_is_left_of_many_that_waited_has_its_intent_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applied, "MOST_DUE", 1)
    monkeypatch.setattr(holding, "MOST_DUE", 1)
    with history("keys from the id") as told:
        told.held(things(1))
        for each in things(2):
            told.write(each)
        told.window()
        told.wait(101.0)
        told.window()  # one of the two
        told.window(kill_after=0)
        for each in things(0):
            told.write(each)
        told.window()
        told.wait(101.0)


def test_a_kill_after_the_intent_of_a_step_that_only_releases_keys_stops_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def dies(*_: object, **__: object) -> None:
        raise Killed

    with history("keys from the id") as told:
        told.held(things(1, 1))
        told.wait(101.0)
        monkeypatch.setattr(Apply, "_apply", dies)
        told.window()
        monkeypatch.undo()
        for each in things(2, 1):
            told.write(each)


@pytest.mark.parametrize(("kill_after", "unknown"), [(2, 0), (None, 3)])
def test_no_barrier_is_passed_while_what_was_put_may_still_be_taken_away(
    kill_after: int | None, unknown: int
) -> None:
    with history("unique secondary index") as told:
        for each in things(1):
            told.write(each)
        told.go_through()
        told.held(things(2))
        told.swap(0, 1)
        told.window()
        told.spool.barrier("drain")
        told.window()
        told.wait(101.0)
        told.window(kill_after, unknown)
        told.window()
        assert told.applied is not None
        assert not told.applied.passed("drain")


def test_a_barrier_waits_for_the_delete_of_what_was_kept_out() -> None:
    with history("unique secondary index") as told:
        for each in things(1):
            told.write(each)
        told.go_through()
        memory.write(told.path, "things", [{**things(1)[0], "a": "1"}])  # no index at the source
        told.window()
        assert told.applied is not None
        assert [each.kind for each in told.applied.stale()] == ["duplicate"]
        told.delete(0)
        told.window()
        told.spool.barrier("drain")
        told.window()
        assert not told.applied.passed("drain")
        told.wait(101.0)
        told.window()
        assert told.applied.passed("drain")


def test_an_acceptance_holds_while_its_state_is_tried_again() -> None:
    with history("unique secondary index") as told:
        for each in things(1):
            told.write(each)
        told.go_through()
        memory.write(told.path, "things", [{**things(1)[0], "a": "1"}])
        told.window()
        assert told.applied is not None
        [before] = told.applied.stale()
        told.write({"_id": 2, "b": 0, "list": [], "a": "2"})
        told.window()
        told.wait(101.0)
        told.window()
        [again] = told.applied.stale()
        assert again.ordinal == before.ordinal
        memory.write(told.path, "things", [{**things(2)[0], "a": "1"}])
        told.window()
        told.wait(101.0)
        told.window()
        [newer] = told.applied.stale()
        assert newer.ordinal > before.ordinal
        told.delete(0)


@pytest.mark.parametrize("kill_after", [None, *range(5)])
@pytest.mark.parametrize("unknown", range(5))
def test_what_takes_swapped_records_away_may_land_late(kill_after: int | None, unknown: int) -> None:
    with history("unique secondary index") as told:
        told.swap_through([kill_after, None], unknown, [])


def test_a_key_that_was_left_to_others_is_held_once_its_write_was_killed() -> None:
    machine = type("Following", (Following,), {"kind": "keys that can be shared"})()
    record = {"_id": 0, "b": 0, "list": [], "a": "1"}
    machine.begin(records=[record, {**record, "_id": 1}])
    try:
        machine.write({**record, "_id": 1, "a": "2"})
        while not machine.loaded:
            machine.load_page(None, counted=True)
        machine.apply_window(0, 0)
        assert machine.landing.flying
        machine.write({**record, "b": 1})
        while machine.mark is not None or machine.pending():
            machine.apply_window(None, 0)
            machine.capture(crash=False)
        machine.apply_window(None, 0)
        machine.land(0, lands=True)
    finally:
        machine.teardown()


def histories(kind: str, count: int) -> None:
    machine = type("Following", (Following,), {"kind": kind})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=count,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
