"""`greylag assess`."""

from __future__ import annotations

from pathlib import Path

import click

from greylag.cli.failing import fail_on, fail_on_option
from greylag.cli.invocation import Invocation, answer
from greylag.config import load_sources
from greylag.console.document import as_markdown, as_text
from greylag.console.live import live
from greylag.engine.disk import writing
from greylag.executors.processes import Processes
from greylag.operations.assess import DEFAULT_SAMPLE, AssessOptions
from greylag.operations.assess import assess as assess_sources
from greylag.operations.assess.document import document


@click.command()
@click.argument("datasets", nargs=-1, metavar="[CONNECTION[.DATASET]]...")
@click.option(
    "--only", multiple=True, metavar="SERVICE|FLOW", help="Only what these read; may be given more than once."
)
@click.option("--full", is_flag=True, help="Read every record.")
@click.option(
    "--sample",
    type=click.IntRange(min=1, max=1_000_000),
    metavar="N",
    help=f"Read about N records of each dataset; {DEFAULT_SAMPLE:,} unless said.",
)
@click.option(
    "--processes", type=click.IntRange(min=1), metavar="N", help="Worker processes; one a core unless said."
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
def assess(
    invocation: Invocation,
    *,
    datasets: tuple[str, ...],
    only: tuple[str, ...],
    full: bool,
    sample: int | None,
    processes: int | None,
    markdown: Path | None,
    fail_above: str,
    as_json: bool,
) -> None:
    """Say what the sources hold and what stands in the way of moving it. Only reads, and needs no target.

    Looks at what the flows of greylag.yaml read, or at the datasets named. Ends with exit code 12 if a finding is as
    bad as --fail-on says.
    """
    if full and sample is not None:
        raise click.UsageError("--full reads every record, --sample some: give one of them")
    options = AssessOptions(only, datasets, None if full else sample or DEFAULT_SAMPLE)
    with live(silent=as_json) as observe:
        found = assess_sources(
            load_sources(invocation.file, invocation.environment),
            options,
            executor=Processes(processes),
            observe=observe,
        )
    if markdown is not None:
        with writing(markdown):
            markdown.write_text(as_markdown(document(found)), encoding="utf-8")
    if as_json:
        answer(found.as_json())
    else:
        click.echo(as_text(document(found)))
    fail_on(fail_above, found.every_finding)
