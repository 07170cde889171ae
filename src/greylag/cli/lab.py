"""`greylag lab`: real servers on this machine."""

from __future__ import annotations

import click
import msgspec

from greylag.cli.invocation import Invocation, answer
from greylag.lab import DEFAULT, SERVERS, Lab
from greylag.lab.install import install as fetch

_SERVERS = click.argument("servers", nargs=-1, type=click.Choice(list(SERVERS)))
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_project = click.make_pass_decorator(Invocation, ensure=True)


@click.group()
def lab() -> None:
    """Real servers on this machine, for rehearsals and tests.

    They listen on free ports of the loopback interface (DynamoDB Local on every interface) and keep logs and
    data under .greylag/lab, beside greylag.yaml (which need not be there).
    """


@lab.command()
@_SERVERS
@click.option("--members", type=click.Choice(["1", "3"]), help="Members of the replica set; 1 unless said.")
@_JSON
@_project
def up(invocation: Invocation, servers: tuple[str, ...], members: str | None, *, as_json: bool) -> None:
    """Start SERVERS (mongod, dynamodb and moto unless said) and print their addresses as .env lines.

    What runs already is left as it is. The lines also go to .greylag/lab/.env.
    """
    here = Lab(invocation.file.parent)
    running = here.up(servers or DEFAULT, members=int(members) if members else None)
    notes = [note for server in running for note in server.notes]
    if as_json:
        names = [server.server for server in running]
        answer({"servers": names, "environment": here.environment(), "notes": notes})
        return
    for key, value in here.environment().items():
        click.echo(f"{key}={value}")
    for note in notes:
        click.echo(f"Note: {note}", err=True)


@lab.command()
@_JSON
@_project
def status(invocation: Invocation, *, as_json: bool) -> None:
    """Tell what runs."""
    found = Lab(invocation.file.parent).status()
    if as_json:
        answer({"servers": msgspec.to_builtins(found)})
        return
    for server in found:
        where = ", ".join(f"127.0.0.1:{process.port} (process {process.pid})" for process in server.processes)
        click.echo(f"{server.server:12} {server.title:15} {server.state:14} {where}".rstrip())


@lab.command()
@_JSON
@_project
def down(invocation: Invocation, *, as_json: bool) -> None:
    """End what `up` started, and delete its data."""
    ended = Lab(invocation.file.parent).down()
    if as_json:
        answer({"ended": ended})
    else:
        click.echo(f"Ended: {', '.join(ended)}." if ended else "Nothing was running.")


@lab.command()
@_SERVERS
@_JSON
def install(servers: tuple[str, ...], *, as_json: bool) -> None:
    """Fetch what SERVERS (mongod, dynamodb and moto unless said) lack, telling each part's licence first.

    Goes to the user's cache folder; PostgreSQL and Redis come from Debian's packages and need root.
    """
    fetched = fetch(servers or DEFAULT, say=lambda line: click.echo(line, err=True))
    if as_json:
        answer({"fetched": msgspec.to_builtins(fetched)})
    elif not fetched:
        click.echo("Everything is there.")
    else:
        click.echo("Done.")
