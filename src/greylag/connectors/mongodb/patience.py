"""How long a server that is away is waited for."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final, TypeVar

from greylag.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")

FIRST_WAIT_SECONDS: Final = 0.1
LONGEST_WAIT_SECONDS: Final = 5.0


class Patience:
    """Waits between attempts, doubling and jittered, until `seconds` have passed since things last went well."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._failing_since: float | None = None
        self._wait = FIRST_WAIT_SECONDS

    def went_well(self) -> None:
        """Whatever fails next is a new failure."""
        self._failing_since = None
        self._wait = FIRST_WAIT_SECONDS

    def wait(self, error: TransientError) -> None:
        """Wait before the next attempt; raises `error`, with the time that was spent, once patience is over."""
        now = time.monotonic()
        if self._failing_since is None:
            self._failing_since = now
        left = self._failing_since + self.seconds - now
        if left <= 0:
            raise TransientError(
                f"{error.message} (tried for {now - self._failing_since:.0f} s: `patience_seconds`)",
                advice=error.advice or "Run again once the server is back: what was done is kept.",
            ) from error
        time.sleep(min(left, self._wait * random.uniform(0.5, 1)))  # noqa: S311 - jitter
        self._wait = min(LONGEST_WAIT_SECONDS, self._wait * 2)

    def insist(self, attempt: Callable[[], Result]) -> Result:
        """What `attempt` returns once it raises no TransientError."""
        while True:
            try:
                result = attempt()
            except TransientError as error:
                self.wait(error)
            else:
                self.went_well()
                return result
