from __future__ import annotations

from greylag.connectors.dynamodb.bucket import Bucket


class Clock:
    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_the_average_holds_however_large_each_spending_is() -> None:
    clock = Clock()
    bucket = Bucket(clock=clock)
    bucket.units_per_second = 10.0
    spent = 0.0
    while clock.seconds < 200.0:
        wait = bucket.try_spend(25.0)
        if wait:
            clock.seconds += wait
        else:
            spent += 25.0
    assert 1000 <= spent <= 1000 + 25 + 2.5


def test_without_a_limit_nothing_waits_and_nothing_is_owed() -> None:
    bucket = Bucket(clock=Clock())
    assert bucket.try_spend(1e9) == 0
    bucket.settle(1e9)
    bucket.units_per_second = 1.0
    assert bucket.try_spend(1.0) == 0


def test_what_was_foreseen_is_corrected() -> None:
    clock = Clock()
    bucket = Bucket(clock=clock)
    bucket.units_per_second = 10.0
    assert bucket.try_spend(5.0) == 0
    assert bucket.try_spend(5.0) == 0.5
    bucket.settle(-5.0)
    assert bucket.try_spend(5.0) == 0
    bucket.settle(15.0)
    assert bucket.try_spend(1.0) == 2.0


def test_an_idle_bucket_saves_little() -> None:
    clock = Clock()
    bucket = Bucket(clock=clock)
    bucket.units_per_second = 100.0
    clock.seconds += 3600
    assert bucket.try_spend(50.0) == 0
    assert bucket.try_spend(50.0) == 0.25
