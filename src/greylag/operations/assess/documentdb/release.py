"""Which DocumentDB is meant: a version, and how its cluster is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from greylag.errors import ConfigurationError

VERSIONS: Final = ("3.6", "4.0", "5.0", "8.0")
INSTANCE: Final = "instance"
ELASTIC: Final = "elastic"
SERVERLESS: Final = "serverless"
FLAVOURS: Final = (INSTANCE, ELASTIC, SERVERLESS)
_MADE: Final = {
    INSTANCE: ("instance-based", VERSIONS),
    ELASTIC: ("elastic cluster", ("5.0",)),
    SERVERLESS: ("serverless", ("5.0", "8.0")),
}
"""What each flavour is called, and the versions it comes in.

Source: https://docs.aws.amazon.com/documentdb/latest/developerguide/docdb-using-elastic-clusters.html and
https://docs.aws.amazon.com/documentdb/latest/developerguide/release-notes.html, read 2026-11-21
"""


@dataclass(frozen=True, slots=True)
class Release:
    """One of DocumentDB's releases. Serverless instances take what instances of the same version take."""

    version: str
    flavour: str = INSTANCE

    def __post_init__(self) -> None:
        _, versions = _MADE[self.flavour]
        if self.version not in versions:
            raise ConfigurationError(
                f"DocumentDB has no {self.flavour} clusters of version {self.version}",
                advice=f"--flavour {self.flavour} comes in: {', '.join(versions)}.",
            )

    @property
    def elastic(self) -> bool:
        """Whether it is an elastic cluster, which takes less than instances do."""
        return self.flavour == ELASTIC

    @property
    def column(self) -> str:
        """Its column in the tables."""
        return ELASTIC if self.elastic else self.version

    def __str__(self) -> str:
        return f"DocumentDB {self.version}, {_MADE[self.flavour][0]}"
