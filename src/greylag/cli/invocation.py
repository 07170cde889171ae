"""One call of the command line: what its options say, and the one document it prints with `--json`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from greylag.config import Project


@dataclass
class Invocation:
    """One call of the command line. A verb gets it with `@click.pass_obj`."""

    file: Path = field(default=Path("greylag.yaml"))
    environment: str | None = None
    debug: bool = False
    as_json: bool = False
    answered: bool = False
    """Whether the document of `--json` has been printed."""

    def project(self) -> Project:
        """The project the call is about. Raises ConfigurationError."""
        from greylag.config import load

        return load(self.file, self.environment)


def answer(document: Any) -> None:
    """Print what `--json` asks for."""
    click.get_current_context().ensure_object(Invocation).answered = True
    click.echo(json.dumps(document, indent=2))
