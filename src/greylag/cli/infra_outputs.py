"""`greylag infra outputs`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from greylag.cli.invocation import answer
from greylag.errors import ConfigurationError


@click.command()
@click.argument("source", metavar="FILE|-")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="An environment file to bring up to date, instead of printing lines.",
)
@click.option(
    "--include-sensitive", is_flag=True, help="Sensitive outputs too; only to a file, which gets mode 600."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def outputs(source: str, *, out: Path | None, include_sensitive: bool, as_json: bool) -> None:
    """Turn what `terraform output -json` prints into lines of an environment file.

    FILE is that output, - standard input. Other lines of the environment file stay as they are.
    """
    from greylag.infra.outputs import choose, merge, read, write

    found = read(_read(source))
    values = choose(found, include_sensitive=include_sensitive, to_file=out is not None)
    if out is None:
        if as_json:
            answer({"variables": values})
        else:
            click.echo(merge("", values), nl=False)
        return
    before = out.read_text(encoding="utf-8") if out.exists() else ""
    write(out, merge(before, values), private=bool(found.sensitive))
    if as_json:
        answer({"file": str(out), "names": sorted(values)})
    else:
        click.echo(f"{out}: {len(values)} variables")


def _read(source: str) -> str:
    try:
        return sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError(
            f"there is no {source}", advice="Run: terraform output -json | greylag infra outputs -"
        ) from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{source} is not UTF-8 text") from None
