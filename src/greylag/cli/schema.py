"""`greylag schema`."""

from __future__ import annotations

import click

from greylag.cli.invocation import answer


@click.command()
@click.option("--json", "as_json", is_flag=True, help="JSON, which the output is in any case.")
def schema(as_json: bool) -> None:  # noqa: ARG001 - every command has --json
    """Print the JSON schema of greylag.yaml, for editors.

    Save it beside greylag.yaml and begin the file with: # yaml-language-server: $schema=greylag.schema.json
    """
    from greylag.config import schema as schema_of_project

    answer(schema_of_project())
