"""How long, and how often, to try again."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from greylag.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_DELAY_SECONDS: Final = 0.05
LONGEST_DELAY_SECONDS: Final = 10.0
"""Full jitter: a delay is anything between 0 and the first doubled with each attempt, up to the longest.

Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
"""


class Patience:
    """One for all requests of a writer or reader: they are one target's, and a success of any shows it is there."""

    def __init__(self, seconds: float, now: Callable[[], float]) -> None:
        self._seconds = seconds
        self._now = now
        self._away_since: float | None = None

    def succeeded(self) -> None:
        """Something was done."""
        self._away_since = None

    def failed(self, reason: str, attempt: int) -> float:
        """Seconds to wait before attempt `attempt + 1`; `attempt` counts from 0.

        Raises TransientError once nothing has succeeded for as long as the connection's `patience_seconds`.
        """
        now = self._now()
        if self._away_since is None:
            self._away_since = now
        elif now - self._away_since >= self._seconds:
            raise TransientError(
                f"{reason}; nothing has succeeded for {now - self._away_since:.0f} s",
                advice="Run again once DynamoDB answers: it continues from the checkpoint. "
                "`patience_seconds` on the connection says how long to wait.",
            )
        left = self._seconds - (now - self._away_since)
        return min(self.delay(attempt), left + 0.001)

    def delay(self, attempt: int) -> float:
        """Seconds to wait before attempt `attempt + 1`, whether anything failed or not."""
        most = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** min(attempt, 20))
        return random.uniform(0, most)  # noqa: S311 - no secret depends on it
