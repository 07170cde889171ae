"""`--fail-on`: how bad a finding must be for a command that only looks to end with exit code 12."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from greylag.console.units import plural
from greylag.core.findings import Severity
from greylag.errors import FindingsAbove

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from greylag.core.findings import Finding

_Command = TypeVar("_Command", bound="Callable[..., Any]")
NEVER = "never"


def fail_on_option(default: str = Severity.BLOCKER.word) -> Callable[[_Command], _Command]:
    """The option, given to the command as `fail_above`."""
    return click.option(
        "--fail-on",
        "fail_above",
        type=click.Choice([*(each.word for each in sorted(Severity, reverse=True)), NEVER]),
        default=default,
        show_default=True,
        help="How bad a finding must be to end with exit code 12.",
    )


def fail_on(word: str, findings: Sequence[Finding]) -> None:
    """Raises FindingsAbove if one of `findings` is at least as bad as `word` says."""
    if word == NEVER:
        return
    bad = [each for each in findings if each.severity >= Severity[word.upper()]]
    if bad:
        kinds = ", ".join(dict.fromkeys(each.kind for each in bad))
        raise FindingsAbove(
            f"{plural(len(bad), 'finding')} as bad as --fail-on {word}: {kinds}",
            advice="Each says what to do; --fail-on sets from where on findings count.",
        )
