"""`greylag assess`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from greylag.cli.failing import fail_on, fail_on_option
from greylag.cli.invocation import Invocation, answer
from greylag.config import load_sources
from greylag.console.document import as_markdown, as_text
from greylag.console.live import live
from greylag.engine.disk import writing
from greylag.executors.processes import Processes
from greylag.operations.assess.assess import DEFAULT_SAMPLE, AssessOptions
from greylag.operations.assess.assess import assess as assess_sources
from greylag.operations.assess.document import document
from greylag.operations.assess.documentdb.assess import Programs, assess_programs
from greylag.operations.assess.documentdb.assess import assess_sources as assess_for_documentdb
from greylag.operations.assess.documentdb.release import FLAVOURS, INSTANCE, VERSIONS, Release

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greylag.console.document import Block


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
@click.option(
    "--documentdb",
    type=click.Choice(VERSIONS),
    metavar="VERSION",
    help=f"Say what stands in the way of a move to DocumentDB of this version: {', '.join(VERSIONS)}.",
)
@click.option(
    "--flavour",
    type=click.Choice(FLAVOURS),
    help="How the DocumentDB cluster is made; instance unless said.",
)
@click.option(
    "--source-code",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Look at the programs in this folder; may be given more than once. Needs no greylag.yaml.",
)
@click.option(
    "--log",
    "logs",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Look at the commands in this log of mongod; may be given more than once.",
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
    documentdb: str | None,
    flavour: str | None,
    source_code: tuple[Path, ...],
    logs: tuple[Path, ...],
    fail_above: str,
    as_json: bool,
) -> None:
    """Say what the sources hold and what stands in the way of moving it. Only reads, and needs no target.

    Looks at what the flows of greylag.yaml read, or at the datasets named. With --source-code or --log it looks at
    those, and at datasets only where they are named too. Ends with exit code 12 if a finding is as bad as --fail-on
    says.
    """
    if full and sample is not None:
        raise click.UsageError("--full reads every record, --sample some: give one of them")
    options = AssessOptions(only, datasets, None if full else sample or DEFAULT_SAMPLE)
    programs = Programs(source_code, logs)
    if documentdb is None:
        if programs or flavour is not None:
            raise click.UsageError("--source-code, --log and --flavour need --documentdb VERSION")
    else:
        release = Release(documentdb, flavour or INSTANCE)
        if programs and not datasets and not only:
            judgement = assess_programs(release, programs)
        else:
            with live(silent=as_json) as observe:
                judgement = assess_for_documentdb(
                    load_sources(invocation.file, invocation.environment),
                    options,
                    release,
                    programs,
                    executor=Processes(processes),
                    observe=observe,
                )
        _show(judgement.document(), judgement.as_json(), markdown=markdown, as_json=as_json)
        fail_on(fail_above, judgement.findings)
        return
    with live(silent=as_json) as observe:
        found = assess_sources(
            load_sources(invocation.file, invocation.environment),
            options,
            executor=Processes(processes),
            observe=observe,
        )
    _show(document(found), found.as_json(), markdown=markdown, as_json=as_json)
    fail_on(fail_above, found.every_finding)


def _show(blocks: Sequence[Block], as_document: Any, *, markdown: Path | None, as_json: bool) -> None:
    if markdown is not None:
        with writing(markdown):
            markdown.write_text(as_markdown(blocks), encoding="utf-8")
    if as_json:
        answer(as_document)
    else:
        click.echo(as_text(blocks))
