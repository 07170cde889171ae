"""`greylag fence`."""

from __future__ import annotations

import click

from greylag.cli.invocation import Invocation, answer
from greylag.operations import fence as operation


@click.command()
@click.argument("service")
@click.option("--release", is_flag=True, help="Put back exactly what was before.")
@click.option(
    "--side",
    type=click.Choice(operation.SIDES),
    default=operation.SIDES[0],
    show_default=True,
    help="Which store is the old one.",
)
@click.option("--user", metavar="NAME[@DB]", help="MongoDB: the user the application signs in as.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def fence(
    invocation: Invocation, *, service: str, release: bool, side: str, user: str | None, as_json: bool
) -> None:
    """Make the store that SERVICE is leaving refuse the application's writes, and say exactly what was done.

    Run again it makes sure that the fence stands; killed half way it can be run again or released.
    """
    project = invocation.project()
    report = (
        operation.release(project, service)
        if release
        else operation.fence(project, service, side=side, user=user)
    )
    if as_json:
        answer(report.as_json())
        return
    for line in report.did:
        click.echo(line)
    if report.others:
        click.echo(
            f"Note: {', '.join(report.others)} may be held too: the same user, folder or table serves them.",
            err=True,
        )
    click.echo(f"{service}: {report.state}")
