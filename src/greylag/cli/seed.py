"""`greylag seed`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from greylag.cli.invocation import Invocation, answer
from greylag.config import load_sources
from greylag.console.lines import table
from greylag.console.live import live
from greylag.console.units import count
from greylag.executors.processes import Processes
from greylag.operations.seed import RECORDS, SeedOptions
from greylag.operations.seed import seed as seed_project


@click.command()
@click.argument("out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
@click.option(
    "--only", multiple=True, metavar="SERVICE|FLOW", help="Only what these read; may be given more than once."
)
@click.option(
    "--records",
    type=click.IntRange(min=1),
    default=RECORDS,
    show_default=True,
    metavar="N",
    help="How many records of each dataset.",
)
@click.option(
    "--seed",
    "number",
    type=int,
    default=1,
    show_default=True,
    metavar="N",
    help="Another seed, other records.",
)
@click.option(
    "--assessment",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="What `greylag assess --json` printed, instead of a look at the sources.",
)
@click.option(
    "--generator",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PROGRAM",
    help="The project's own generator: called with --records, --seed and --out.",
)
@click.option("--dry-run", is_flag=True, help="Show the files and one record of each, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_obj
def seed(
    invocation: Invocation,
    *,
    out: Path,
    only: tuple[str, ...],
    records: int,
    number: int,
    assessment: Path | None,
    generator: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write sample data for the project's flows into DIR: records that look like those of the sources.

    The same seed gives the same records. Writes to no source and no target.
    """
    if assessment is not None and generator is not None:
        raise click.UsageError("give one of --assessment and --generator")
    options = SeedOptions(out, only, records, number, assessment, generator, dry_run)
    with live(silent=as_json) as observe:
        found = seed_project(
            load_sources(invocation.file, invocation.environment),
            options,
            executor=Processes(1),
            observe=observe,
        )
    if as_json:
        answer({"dry_run": dry_run, "files": [asdict(each) for each in found]})
        return
    rows = [("source", "file", "records", "form")]
    rows += [(each.source, each.file, count(each.records), each.form) for each in found]
    click.echo(table(rows, right=(2,)))
    if dry_run:
        click.echo("\n".join(["", *(each.first for each in found), "", "Nothing was written."]))
