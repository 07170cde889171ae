"""`greylag infra render`: from greylag.yaml to files, in every environment, without a network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from greylag.config import environment_names, load
from greylag.errors import ConfigurationError
from greylag.infra.files import place
from greylag.infra.render.project import render
from greylag.infra.render.stack import ENVIRONMENTS

if TYPE_CHECKING:
    from collections.abc import Collection

    from greylag.infra.files import File

WORKFLOW = Path(".github") / "workflows" / "infrastructure.yml"


def render_project(
    file: Path,
    folder: Path,
    *,
    write: bool = True,
    force: Collection[str] = (),
    keep: Collection[str] = (),
) -> tuple[File, ...]:
    """Render the project of `file` into `folder`, and its workflow into the repository around it.

    What became of each file, by its path from `folder`. `force` and `keep` name files the same way; see
    `greylag.infra.files`. Without `write` nothing is touched.

    Raises ConfigurationError where greylag.yaml does not say enough, or a name in `force` or `keep` is none of the
    files.
    """
    there = environment_names(file)
    projects = {name: load(file, name if name in there else None, offline=True) for name in ENVIRONMENTS}
    repository = _repository(file.parent.resolve())
    below = Path(os.path.relpath(folder.resolve(), repository)).as_posix()
    project = Path(os.path.relpath(file.resolve(), repository)).as_posix()
    rendered = render(projects, below, project)
    wanted = dict(rendered.files)
    if rendered.workflow is not None:
        beside = Path(os.path.relpath(repository / WORKFLOW, folder.resolve())).as_posix()
        wanted[beside] = rendered.workflow
    for name in (*force, *keep):
        if name not in wanted and not (folder / name).exists():
            raise ConfigurationError(
                f"{name} is none of the rendered files",
                advice="Name it as the list does: its path from --out.",
            )
    return place(folder, wanted, rendered.once, write=write, force=force, keep=keep)


def _repository(root: Path) -> Path:
    """The folder that holds `.git`, at or above `root`; `root` where there is none."""
    return next((each for each in (root, *root.parents) if (each / ".git").exists()), root)
