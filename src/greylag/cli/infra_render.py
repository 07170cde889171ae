"""`greylag infra render`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from greylag.cli.invocation import Invocation, answer
from greylag.errors import FindingsAbove

if TYPE_CHECKING:
    from collections.abc import Iterable

    from greylag.infra.files import File

FOLDER = Path("infrastructure") / "terraform"
"""Where the project's Terraform stands, beside greylag.yaml."""

_WORDS = {
    "new": ("written", "to write"),
    "changed": ("changed", "to change"),
    "removed": ("removed", "to remove"),
    "edited": ("yours, kept", "yours, kept"),
    "conflict": (
        "yours, kept; the project asks for something else now",
        "yours; the project asks for something else now",
    ),
    "kept": ("yours, kept; the project no longer needs it", "yours; the project no longer needs it"),
}


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where to, instead of infrastructure/terraform beside greylag.yaml.",
)
@click.option(
    "--check", "only_check", is_flag=True, help="Write nothing; end with 12 if anything would change."
)
@click.option("--force", multiple=True, metavar="FILE", help="Overwrite this file though you changed it.")
@click.option(
    "--keep", multiple=True, metavar="FILE", help="Your version of this file is the answer to the project's."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def render(
    invocation: Invocation,
    *,
    out: Path | None,
    only_check: bool,
    force: tuple[str, ...],
    keep: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write the project's Terraform and its pipeline.

    Files you changed are never overwritten: what would change in them is shown. The same project gives the same
    bytes.
    """
    from greylag.infra.rendering import render_project

    folder = out or invocation.file.parent / FOLDER
    files = render_project(invocation.file, folder, write=not only_check, force=force, keep=keep)
    if as_json:
        answer(
            {"folder": str(folder), "written": not only_check, "files": [each.as_json() for each in files]}
        )
    else:
        click.echo(_text(folder, files, written=not only_check))
    waiting = [each for each in files if each.outcome == "conflict"]
    if waiting:
        raise FindingsAbove(
            f"{len(waiting)} of your files differ from what the project asks for now; none was touched",
            advice="Take over what you want of the differences, then --keep FILE; or --force FILE.",
        )
    if only_check and any(each.outcome in ("new", "changed", "removed") for each in files):
        raise FindingsAbove(f"{folder} is not as greylag.yaml says", advice="Run: greylag infra render")


def _text(folder: Path, files: Iterable[File], *, written: bool) -> str:
    files = list(files)
    lines = []
    many = Counter((each.outcome, _group(each.path)) for each in files)
    for each in files:
        group = _group(each.path)
        count = many.pop((each.outcome, group), 0)
        if each.outcome == "unchanged" or not count:
            continue
        name = f"{group} ({count} file{'s' if count > 1 else ''})" if group != each.path else group
        lines.append(f"{name}: {_WORDS[each.outcome][0 if written else 1]}")
        if each.difference:
            lines.append(each.difference.rstrip("\n"))
    counts = Counter(each.outcome for each in files)
    lines.append(f"{folder}: {len(files)} files, {counts['unchanged']} unchanged")
    return "\n".join(lines)


def _group(path: str) -> str:
    """Modules are listed as folders: people read the root modules first."""
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] == "modules" else path
