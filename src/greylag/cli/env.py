"""`greylag env`."""

from __future__ import annotations

from pathlib import Path

import click

from greylag.cli.invocation import Invocation, answer
from greylag.operations.assess.documentdb.release import FLAVOURS, INSTANCE, VERSIONS, Release
from greylag.operations.envtemplates import EnvTemplates, write_templates


@click.command()
@click.argument("services", nargs=-1, metavar="[SERVICE]...")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("env"),
    show_default=True,
    metavar="DIR",
    help="The folder to write into.",
)
@click.option(
    "--variable",
    default="MONGODB_URI",
    show_default=True,
    metavar="NAME",
    help="The variable in which the programs look for the address.",
)
@click.option(
    "--documentdb",
    type=click.Choice(VERSIONS),
    default="5.0",
    show_default=True,
    metavar="VERSION",
    help=f"The version of DocumentDB in production: {', '.join(VERSIONS)}.",
)
@click.option(
    "--flavour",
    type=click.Choice(FLAVOURS),
    default=INSTANCE,
    show_default=True,
    help="How its cluster is made.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def env(
    invocation: Invocation,
    *,
    services: tuple[str, ...],
    into: Path,
    variable: str,
    documentdb: str,
    flavour: str,
    as_json: bool,
) -> None:
    """Write .env templates of services: MongoDB for development, DocumentDB for production.

    No secret is in them, and no file is written over.
    """
    options = EnvTemplates(services, into, variable, Release(documentdb, flavour))
    done = write_templates(invocation.project(), options)
    if as_json:
        answer(done.as_json())
        return
    for file in done.written:
        click.echo(f"written {file}")
    for file in done.kept:
        click.echo(f"kept    {file}: it is there already")
