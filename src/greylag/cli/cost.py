"""`greylag cost`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from greylag.cli.costview import chart, comparisons, sections
from greylag.cli.failing import fail_on, fail_on_option
from greylag.cli.invocation import Invocation, answer
from greylag.console.document import as_markdown, as_text
from greylag.console.live import live
from greylag.cost.pricelist import BASE
from greylag.cost.prices import HOME
from greylag.engine.disk import writing
from greylag.executors.processes import Processes
from greylag.operations.cost.compare import PRESETS, compare_presets
from greylag.operations.cost.cost import CostOptions, region_of
from greylag.operations.cost.cost import cost as cost_of
from greylag.operations.cost.pricelists import price_folder, prices_of, refresh

if TYPE_CHECKING:
    from greylag.console.document import Block
    from greylag.core.findings import Finding
    from greylag.cost.bill import Free
    from greylag.cost.prices import PriceList


@click.command()
@click.option("--region", metavar="NAME", help="Prices of this region instead of the project's.")
@click.option(
    "--refresh", "fetch", is_flag=True, help="Fetch the region's prices from AWS's price list first."
)
@click.option(
    "--price-list",
    "base",
    default=BASE,
    metavar="URL",
    help="Fetch them from a mirror of AWS's price list.",
)
@click.option(
    "--free-tier",
    "free",
    type=click.Choice(["none", "always", "first-year"]),
    default="always",
    show_default=True,
    help="What AWS gives each month: nothing, what everyone has, an account's first year.",
)
@click.option(
    "--weeks",
    type=click.IntRange(min=0, max=520),
    default=2,
    show_default=True,
    metavar="N",
    help="How long both sides run beside each other.",
)
@click.option(
    "--offline", is_flag=True, help="Ask no source for sizes; what is not stated counts as nothing."
)
@click.option("--explain", is_flag=True, help="Show the arithmetic of every line.")
@click.option(
    "--compare",
    "services",
    metavar="NAMES",
    help="Compare dynamodb, rds, aurora, documentdb, nat for an application; needs no greylag.yaml.",
)
@click.option(
    "--preset",
    "presets",
    type=click.Choice(PRESETS),
    multiple=True,
    help="The application that --compare is for; all of them unless said.",
)
@click.option(
    "--chart",
    "picture",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write costs against traffic here, as SVG.",
)
@click.option(
    "--markdown",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the report here too, as Markdown.",
)
@click.option(
    "--processes", type=click.IntRange(min=1), metavar="N", help="Worker processes; one a core unless said."
)
@fail_on_option()
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_obj
def cost(
    invocation: Invocation,
    *,
    region: str | None,
    fetch: bool,
    base: str,
    free: str,
    weeks: int,
    offline: bool,
    explain: bool,
    services: str | None,
    presets: tuple[str, ...],
    picture: Path | None,
    markdown: Path | None,
    processes: int | None,
    fail_above: str,
    as_json: bool,
) -> None:
    """Say what the project costs a month, what moving it costs, and what other choices would. Only reads.

    Sizes are those of the services' `traffic`, or those an assessment finds. Ends with exit code 12 where a service
    costs more than its `budget`.
    """
    if base != BASE and not fetch:
        raise click.UsageError("--price-list says where --refresh fetches prices: give both")
    if presets and services is None:
        raise click.UsageError("--preset says what --compare is for: give both")
    allowance = cast("Free", free)
    folder = price_folder()

    def priced(name: str) -> PriceList:
        if fetch:
            return refresh(name, folder, base=base, tell=lambda said: click.echo(f"{name}: {said}", err=True))
        return prices_of(name, folder)

    if fetch and region is not None and services is None and not invocation.file.exists():
        kept = priced(region)
        if as_json:
            answer({"region": region, "prices": len(kept.prices), "folder": str(folder)})
        else:
            click.echo(f"{len(kept.prices):,} prices of {region} are kept in {folder}")
        return
    today = datetime.now(UTC).date()
    if services is not None:
        names = [each.strip() for each in services.split(",") if each.strip()]
        found = compare_presets(names, presets or PRESETS, priced(region or HOME), allowance)
        told = comparisons(found, today, explain=explain)
        _write(told, markdown, picture, None if picture is None else chart(found))
        if as_json:
            answer(
                {
                    "region": region or HOME,
                    "free_tier": free,
                    "comparisons": [each.as_json() for each in found],
                }
            )
        else:
            click.echo(as_text(told))
        return
    project = invocation.project()
    options = CostOptions(region or region_of(project), allowance, weeks, offline)
    with live(silent=as_json) as observe:
        report = cost_of(
            project, options, prices_of=priced, today=today, executor=Processes(processes), observe=observe
        )
    blocks = sections(report, explain=explain)
    _write(blocks, markdown, picture, None if picture is None else chart(report))
    if as_json:
        answer(report.as_json())
    else:
        click.echo(as_text(blocks))
    findings: tuple[Finding, ...] = report.findings
    fail_on(fail_above, findings)


def _write(blocks: list[Block], markdown: Path | None, picture: Path | None, drawn: str | None) -> None:
    if markdown is not None:
        with writing(markdown):
            markdown.write_text(as_markdown(blocks), encoding="utf-8")
    if picture is not None and drawn is not None:
        with writing(picture):
            picture.write_text(drawn, encoding="utf-8")
