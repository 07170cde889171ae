"""`greylag rehearse`."""

from greylag.operations.rehearse.rehearse import (
    SAMPLE_RECORDS,
    RehearsalOptions,
    ServerName,
    end,
    rehearse,
)
from greylag.operations.rehearse.report import Reason, Rehearsal, Table

__all__ = [
    "SAMPLE_RECORDS",
    "Reason",
    "Rehearsal",
    "RehearsalOptions",
    "ServerName",
    "Table",
    "end",
    "rehearse",
]
