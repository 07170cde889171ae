"""Asking the user before something is made or removed: on the terminal, or not at all."""

from __future__ import annotations

import sys

import click

from greylag.errors import ConfigurationError


def confirm(listing: str, question: str, *, word: str = "") -> None:
    """Show `listing` and ask. Returns where the user says yes, or types `word` where one is given.

    Raises ConfigurationError where the user does not, or nobody can be asked.
    """
    click.echo(listing, err=True)
    if not sys.stdin.isatty():
        raise ConfigurationError(
            "nobody can be asked here: standard input is no terminal",
            advice="`--yes` says yes, `--dry-run` shows what would be done. Nothing was changed.",
        )
    if word:
        said = (
            click.prompt(f"{question} Type {word} to go on", default="", show_default=False, err=True) == word
        )
    else:
        said = click.confirm(question, err=True)
    if not said:
        raise ConfigurationError("not confirmed", advice="Nothing was changed.")
