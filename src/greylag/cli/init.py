"""`greylag init`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from greylag.cli.invocation import Invocation, answer
from greylag.console.lines import table
from greylag.console.units import plural
from greylag.errors import ConfigurationError
from greylag.operations.init.start import start

if TYPE_CHECKING:
    from greylag.operations.init.start import Start


@click.command()
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), required=False)
@click.option("--stdout", "to_stdout", is_flag=True, help="Print the file instead of writing it.")
@click.option(
    "--mongodb", metavar="VARIABLE", help="The variable that holds the address of a MongoDB to look at."
)
@click.option("--no-connect", is_flag=True, help="Connect to no MongoDB, also where its address is found.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def init(
    invocation: Invocation,
    *,
    folder: Path | None,
    to_stdout: bool,
    mongodb: str | None,
    no_connect: bool,
    as_json: bool,
) -> None:
    """Write a first greylag.yaml for the application in DIR (this folder unless said).

    Looks at compose files, .env files, JSON files, code, and a MongoDB whose address it finds. Only reads, and never
    writes over a file.
    """
    file = invocation.file if folder is None else folder / invocation.file
    if folder is not None and file.parent.resolve() != folder.resolve():
        raise ConfigurationError(
            f"{invocation.file} does not lie in {folder}",
            advice="Give DIR, or a --file with its folder, not both.",
        )
    found = start(
        file,
        environment=invocation.environment,
        mongodb=mongodb,
        connect=not no_connect,
        write=not to_stdout,
    )
    if as_json:
        answer(found.as_json())
    elif to_stdout:
        click.echo(found.text, nl=False)
        click.echo(_findings(found), err=True, nl=False)
    else:
        click.echo(_findings(found), err=True, nl=False)
        click.echo(_text(found))


def _findings(found: Start) -> str:
    return "".join(
        f"{each.severity.word}: {each.message}\n  {each.advice}\n" for each in found.survey.findings
    )


def _text(found: Start) -> str:
    flows = [
        (
            each.owner.service,
            each.name,
            each.source,
            each.table,
            each.key.attribute.template,
            str(len(each.indexes.found)),
        )
        for each in found.proposal.flows
    ]
    parts = [
        f"wrote {found.file}: {plural(len(flows), 'flow')} in {plural(len(found.proposal.services), 'service')}"
    ]
    if flows:
        parts.append(table([("service", "flow", "from", "to", "key", "indexes"), *flows]))
    else:
        parts.append("Nothing here can be moved by this version: it reads JSON files and MongoDB.")
    left = found.survey.not_carried()
    if left:
        parts.append(f"found and not moved: {', '.join(left)}; the file says where")
    parts.append("Next: read its comments, CHECK first. Then: greylag check --connect")
    return "\n\n".join(parts)
