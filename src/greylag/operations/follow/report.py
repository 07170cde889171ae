"""What a run that follows has to say at its end."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from greylag.core.progress import FlowProgress, StreamProgress


@dataclass(frozen=True, slots=True)
class FollowReport:
    """How far a run that follows had come when it was told to stop."""

    flows: tuple[FlowProgress, ...]
    streams: tuple[StreamProgress, ...]
    seconds: float
    restarts: int
    notes: tuple[str, ...] = ()

    @property
    def quarantined(self) -> int:
        """How many records of the load stand in quarantine."""
        return sum(flow.records_quarantined for flow in self.flows)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "records_quarantined": self.quarantined}
