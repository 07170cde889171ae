"""`greylag status`."""

from __future__ import annotations

import click

from greylag.cli.invocation import Invocation, answer
from greylag.console import lines
from greylag.console.units import duration
from greylag.operations.status import status as status_of


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def status(invocation: Invocation, *, as_json: bool) -> None:
    """Show how far a run is. Reads the state only, and may be called while a run goes on."""
    now = status_of(invocation.project().state_folder)
    if as_json:
        answer(now.as_json())
        return
    click.echo(lines.flows(now.snapshot.flows))
    click.echo(lines.total(now.snapshot))
    for stream in now.snapshot.streams:
        if stream.warning:
            click.echo(f"Warning: {stream.stream}: {stream.warning}")
    if now.carried_back:
        paused = "" if now.back_running else " (not running: `greylag follow --reverse` goes on)"
        click.echo(f"carried back from the target: {', '.join(now.carried_back)}{paused}")
    if now.given_up:
        click.echo(
            f"carried back once: {', '.join(now.given_up)}; `greylag run --follow --reload FLOW` loads them again"
        )
    if now.running:
        click.echo(f"running for {duration(now.snapshot.elapsed_seconds)}")
    elif now.snapshot.streams:
        click.echo("not running; `greylag run --follow` goes on from here")
    elif now.snapshot.finished:
        click.echo("the load is finished")
    else:
        click.echo("not running; `greylag run` goes on from here")
