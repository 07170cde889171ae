"""What a look at a sample of a dataset tells: enough to propose a key and indexes."""

from __future__ import annotations

import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from greylag.engine.profiling.profile import profile
from greylag.engine.profiling.reading import Subject
from greylag.executors.inline import Inline

if TYPE_CHECKING:
    from greylag.core.inventory import Index
    from greylag.core.ports import Connector
    from greylag.core.profile import DatasetProfile, FieldProfile

SAMPLE_RECORDS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Sample:
    """The profile of a sample of a dataset, and the indexes its source has."""

    profile: DatasetProfile
    indexes: tuple[Index, ...] = ()

    @property
    def readable(self) -> int:
        """How many of the records read can be told exactly."""
        return self.profile.records_read - self.profile.unreadable

    def field(self, path: str) -> FieldProfile | None:
        """The field at `path`, as `types:` writes it."""
        return next((each for each in self.profile.fields if each.path == path), None)


def take(connector: Connector, dataset: str) -> Sample:
    """Read about SAMPLE_RECORDS records of `dataset`, in this process. Raises the source's errors, but for a file that
    is broken further on.
    """
    with closing(connector.source()) as source:
        info = source.describe(dataset)
        indexes = source.inventory(dataset).indexes
    unique = frozenset(each.keys[0][0] for each in indexes if each.unique and len(each.keys) == 1)
    subject = Subject(dataset, "sampled", connector, info, unique)
    with tempfile.TemporaryDirectory(prefix="greylag-init-") as folder:
        [found] = profile(
            [subject],
            executor=Inline(),
            folder=Path(folder, "profile"),
            observe=lambda _: None,
            operation="init",
            sample=SAMPLE_RECORDS,
        )
    return Sample(found, indexes)
