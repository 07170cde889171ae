"""`greylag plan`."""

from __future__ import annotations

from pathlib import Path

import click

from greylag.cli.failing import NEVER, fail_on, fail_on_option
from greylag.cli.invocation import Invocation, answer
from greylag.cli.planview import sections
from greylag.console.document import as_markdown, as_text
from greylag.console.live import live
from greylag.engine.disk import writing
from greylag.engine.loader import PARTITION_BYTES
from greylag.executors.processes import Processes
from greylag.operations.plan import file as planfile
from greylag.operations.plan.plan import SAMPLE_RECORDS, PlanOptions
from greylag.operations.plan.plan import plan as plan_project
from greylag.operations.plan.writing import write_types as write_types_of


@click.command()
@click.option(
    "--only", multiple=True, metavar="SERVICE|FLOW", help="Only these; may be given more than once."
)
@click.option("--full", is_flag=True, help="Read every record, and look at every key, on disk.")
@click.option(
    "--sample",
    type=click.IntRange(min=1, max=1_000_000),
    metavar="N",
    help=f"Look at about N records of each flow ({SAMPLE_RECORDS:,}).",
)
@click.option("--offline", is_flag=True, help="Ask no target; every table is taken as missing.")
@click.option(
    "--processes", type=click.IntRange(min=1), metavar="N", help="Worker processes; one a core unless said."
)
@click.option(
    "--partition-bytes",
    type=click.IntRange(min=1),
    default=PARTITION_BYTES,
    show_default=True,
    metavar="N",
    help="How much of the source a worker takes at once.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the plan here, for `greylag run --plan FILE`.",
)
@click.option("--write-types", is_flag=True, help="Put the proposed types into greylag.yaml.")
@fail_on_option(NEVER)
@click.option(
    "--markdown",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the report here too, as Markdown.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@click.pass_obj
def plan(
    invocation: Invocation,
    *,
    only: tuple[str, ...],
    full: bool,
    sample: int | None,
    offline: bool,
    processes: int | None,
    partition_bytes: int,
    out: Path | None,
    write_types: bool,
    fail_above: str,
    markdown: Path | None,
    as_json: bool,
) -> None:
    """Say what a run would create, carry, refuse and cost. Writes nothing to any target."""
    if full and sample is not None:
        raise click.UsageError("--full reads everything: --sample cannot be given beside it")
    if out is not None and write_types:
        raise click.UsageError(
            "--write-types changes what is planned: write the types first, then plan --out"
        )
    if out is not None:
        planfile.refuse_place(out)
    project = invocation.project()
    options = PlanOptions(only, None if full else sample or SAMPLE_RECORDS, offline, partition_bytes)
    with live(silent=as_json) as observe:
        found = plan_project(project, options, executor=Processes(processes), observe=observe)
    if out is not None:
        planfile.save(found, out)
    written = write_types_of(project, found.flows) if write_types else None
    told = sections(found, out=out, written=written)
    if markdown is not None:
        with writing(markdown):
            markdown.write_text(as_markdown(told), encoding="utf-8")
    if as_json:
        answer({**found.as_json(), **({} if written is None else {"types_written": written})})
    else:
        click.echo(as_text(told))
    fail_on(fail_above, found.findings)
