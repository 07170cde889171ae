"""`greylag plan --write-types`: the proposed `types` go into greylag.yaml, and nothing else in it changes."""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from typing import TYPE_CHECKING

from greylag.config import load
from greylag.config.typelines import TypesAt, only_types_added, with_types
from greylag.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from greylag.config import Project
    from greylag.operations.plan.plan import FlowPlan


def write_types(project: Project, flows: Sequence[FlowPlan]) -> dict[str, dict[str, str]]:
    """Add what is proposed for `flows` to the project's file; what was added, by the place in the file.

    What flows of one `connection.*` do not agree on is left out. The file is replaced in one step, once it is seen that
    it says what it said before and the types. Raises ConfigurationError where it cannot be; it is then as it was.
    """
    additions = _additions(flows)
    if not additions:
        return {}
    file = project.file.resolve()
    if not file.stat().st_mode & 0o222:  # replacing it would succeed, and is not what its mode asks for
        raise ConfigurationError(
            f"{project.file} is read-only", advice="Make it writable, or write the types by hand."
        )
    before = file.read_bytes().decode("utf-8")
    mark = "\ufeff" if before.startswith("\ufeff") else ""
    after = with_types(before.removeprefix(mark), additions, file=str(project.file))
    if not only_types_added(before.removeprefix(mark), after, additions, str(project.file)):
        raise ConfigurationError(
            f"{project.file} is laid out in a way that types cannot be added to without changing more",
            advice="Write them by hand; the plan shows them.",
        )
    _replace(file, mark + after)
    try:
        load(project.file, project.environment or None)
    except ConfigurationError:
        _replace(file, before)
        raise
    return {".".join(each.path): dict(each.types) for each in additions}


def _additions(flows: Sequence[FlowPlan]) -> list[TypesAt]:
    wanted: dict[tuple[str, ...], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for flow in flows:
        place = ("services", flow.service, "flows", flow.name.partition(".")[0])
        for each in flow.types:
            within = (*place, "split", each.split) if each.split else place
            wanted[within][each.path].add(each.rule)
    found = [
        TypesAt(path, {name: next(iter(rules)) for name, rules in types.items() if len(rules) == 1})
        for path, types in wanted.items()
    ]
    return [each for each in found if each.types]


def _replace(file: Path, text: str) -> None:
    partial = file.with_name(f".{file.name}.partial")
    try:
        with partial.open("w", encoding="utf-8", newline="") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        shutil.copymode(file, partial)
        partial.replace(file)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}") from None
