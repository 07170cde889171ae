"""Which datasets are looked at: those that flows read, or those that were named."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from greylag.config import EVERY
from greylag.core.flows import DatasetRef
from greylag.core.nearest import did_you_mean
from greylag.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from greylag.config import SourceFlow, Sources


@dataclass(frozen=True, slots=True)
class Chosen:
    """A dataset and the flows that read it."""

    source: DatasetRef
    flows: tuple[SourceFlow, ...]

    @property
    def to_dynamodb(self) -> bool:
        """Whether a flow says that it goes to DynamoDB."""
        return any(each.target == "dynamodb" for each in self.flows)

    @property
    def key_fields(self) -> frozenset[str]:
        """The fields that keys are made of."""
        return frozenset(name for each in self.flows for name in each.key_fields)


def choose(sources: Sources, *, only: Sequence[str], named: Sequence[str]) -> tuple[Chosen, ...]:
    """The datasets of the flows in `only` (services or flows; all for none), or those `named` as CONNECTION or
    CONNECTION.DATASET. Raises ConfigurationError, with the nearest name, for what is not there.
    """
    if only and named:
        raise ConfigurationError(
            "--only chooses among the flows, a name looks at a dataset whatever flow reads it",
            advice="Give one of the two.",
        )
    with ExitStack() as stack:

        def datasets_of(connection: str) -> Sequence[str]:
            source = stack.enter_context(closing(sources.connection(connection).connector.source()))
            return source.datasets()

        flows = _selected(sources, only)
        refs = _named(named, datasets_of) if named else _read(flows, datasets_of)
    for ref in refs:
        sources.connection(ref.connection)
    return tuple(Chosen(ref, tuple(each for each in flows if _reads(each, ref))) for ref in refs)


def connections(sources: Sources, *, only: Sequence[str], named: Sequence[str]) -> tuple[str, ...]:
    """Those whose datasets `choose` gives, also where they have none. Raises ConfigurationError as it does."""
    names = named or [str(each.source) for each in _selected(sources, only)]
    return tuple(dict.fromkeys(each.partition(".")[0] for each in names))


def _selected(sources: Sources, only: Sequence[str]) -> tuple[SourceFlow, ...]:
    known = {name for each in sources.flows for name in (each.name, each.service)}
    for name in only:
        if name not in known:
            raise ConfigurationError(
                f"there is no service or flow {name!r}{did_you_mean(name, known)}",
                advice=f"There are: {', '.join(sorted(known)) or 'none'}.",
            )
    return tuple(each for each in sources.flows if not only or {each.name, each.service} & set(only))


def _named(names: Sequence[str], datasets_of: Callable[[str], Sequence[str]]) -> list[DatasetRef]:
    found: dict[DatasetRef, None] = {}
    for name in names:
        connection, _, dataset = name.partition(".")
        for each in [dataset] if dataset not in {"", EVERY} else datasets_of(connection):
            found[DatasetRef(connection, each)] = None
    return list(found)


def _read(flows: Sequence[SourceFlow], datasets_of: Callable[[str], Sequence[str]]) -> list[DatasetRef]:
    if not flows:
        raise ConfigurationError(
            "no flow of greylag.yaml says what it reads",
            advice="Name what to look at: `greylag assess CONNECTION` or `greylag assess CONNECTION.DATASET`.",
        )
    found: dict[DatasetRef, None] = {}
    for flow in flows:
        ref = flow.source
        names = datasets_of(ref.connection) if ref.dataset == EVERY else [ref.dataset]
        for each in names:
            if each not in flow.excluded:
                found[DatasetRef(ref.connection, each)] = None
    return list(found)


def _reads(flow: SourceFlow, ref: DatasetRef) -> bool:
    return flow.source.connection == ref.connection and (
        flow.source.dataset == ref.dataset
        or (flow.source.dataset == EVERY and ref.dataset not in flow.excluded)
    )
