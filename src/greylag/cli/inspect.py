"""`greylag inspect`."""

from __future__ import annotations

from pathlib import Path

import click

from greylag.cli.failing import fail_on, fail_on_option
from greylag.cli.invocation import Invocation, answer
from greylag.console.document import as_markdown, as_text
from greylag.engine.disk import writing
from greylag.operations.inspect import InspectOptions
from greylag.operations.inspect import inspect as inspect_project
from greylag.operations.inspect.document import document


@click.command()
@click.argument("names", nargs=-1, metavar="[CONNECTION[.TABLE]|SERVICE|FLOW]...")
@click.option("--region", metavar="REGION", help="The region to look in, instead of the connection's.")
@click.option(
    "--backup-age",
    type=click.IntRange(min=1),
    default=7,
    show_default=True,
    metavar="DAYS",
    help="How old the newest backup may be.",
)
@click.option(
    "--markdown",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the report here too, as Markdown.",
)
@fail_on_option()
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_obj
def inspect(
    invocation: Invocation,
    *,
    names: tuple[str, ...],
    region: str | None,
    backup_age: int,
    markdown: Path | None,
    fail_above: str,
    as_json: bool,
) -> None:
    """Say how tables stand: keys and indexes against greylag.yaml, protection, streams, alarms, backups, replicas.

    Looks at every table that a flow writes, or at those named. Only reads. Ends with exit code 12 if a finding is as
    bad as --fail-on says.
    """
    found = inspect_project(invocation.project(), InspectOptions(names, region, backup_age * 86_400.0))
    if markdown is not None:
        with writing(markdown):
            markdown.write_text(as_markdown(document(found)), encoding="utf-8")
    if as_json:
        answer(found.as_json())
    else:
        click.echo(as_text(document(found)))
    fail_on(fail_above, found.findings)
