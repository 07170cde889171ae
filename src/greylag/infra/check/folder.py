"""A folder of Terraform files, which Terraform takes for one module, and what it declares."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from greylag.core.findings import Finding, Severity
from greylag.infra.hcl import SyntaxProblem, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.infra.hcl.tree import Argument, Block, File

ADDRESSED = {"resource": "", "data": "data.", "ephemeral": "ephemeral."}
"""Kinds of block with a type and a name, and how their addresses begin."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A top-level block or a local, and the file it stands in."""

    block: Block
    file: str


@dataclass(frozen=True, slots=True)
class Local:
    """One argument of a `locals` block."""

    argument: Argument
    file: str


@dataclass
class Folder:
    """One module. Its dictionaries hold the first declaration of each name; `repeated` the later ones."""

    path: Path
    files: list[File] = field(default_factory=list)
    problems: list[Finding] = field(default_factory=list)
    objects: dict[str, Placed] = field(default_factory=dict)
    """Resources, data sources and ephemeral resources by address: `aws_vpc.this`, `data.aws_region.current`."""
    variables: dict[str, Placed] = field(default_factory=dict)
    outputs: dict[str, Placed] = field(default_factory=dict)
    modules: dict[str, Placed] = field(default_factory=dict)
    locals: dict[str, Local] = field(default_factory=dict)
    providers: dict[str, Placed] = field(default_factory=dict)
    """Configurations by the name that `provider =` uses: `aws`, `aws.replica`."""
    aliases: set[str] = field(default_factory=set)
    """Those that a caller hands over: `configuration_aliases`."""
    required: set[str] | None = None
    """The names in `required_providers`; None where there is none."""
    repeated: list[tuple[str, Placed]] = field(default_factory=list)

    def blocks(self) -> Iterator[Placed]:
        """Every top-level block, in the order of files and lines."""
        for file in self.files:
            for block in file.body.blocks:
                yield Placed(block, file.name)

    def declare(self) -> None:
        """Fill the dictionaries from the files."""
        for placed in self.blocks():
            self._declare(placed)

    def _declare(self, placed: Placed) -> None:
        block = placed.block
        kind, labels = block.kind, block.labels
        if kind in ADDRESSED and len(labels) == 2:
            self._keep(self.objects, ADDRESSED[kind] + ".".join(labels), placed)
        elif kind == "check":
            for inner in block.body.of("data"):
                self._keep(self.objects, "data." + ".".join(inner.labels), Placed(inner, placed.file))
        elif kind in ("variable", "output", "module") and len(labels) == 1:
            named = {"variable": self.variables, "output": self.outputs, "module": self.modules}
            self._keep(named[kind], labels[0], placed)
        elif kind == "locals":
            for argument in block.body.arguments:
                self.locals.setdefault(argument.name, Local(argument, placed.file))
        elif kind == "provider" and len(labels) == 1:
            alias = block.body.argument("alias")
            name = labels[0] if alias is None else f"{labels[0]}.{getattr(alias.value, 'value', '')}"
            self._keep(self.providers, name, placed)
        elif kind == "terraform":
            self._requirements(block)

    def _keep(self, into: dict[str, Placed], name: str, placed: Placed) -> None:
        if into.setdefault(name, placed) is not placed:
            self.repeated.append((name, placed))

    def _requirements(self, block: Block) -> None:
        for required in block.body.of("required_providers"):
            self.required = (self.required or set()) | {each.name for each in required.body.arguments}
            for argument in required.body.arguments:
                for key, value in getattr(argument.value, "pairs", ()):
                    if getattr(key, "value", "") == "configuration_aliases":
                        for each in getattr(value, "items", ()):
                            self.aliases.add(".".join([each.root, *each.steps]))

    def lines(self, file: str) -> tuple[str, ...]:
        """The text of one of its files."""
        return next((each.lines for each in self.files if each.name == file), ())


class Folders:
    """Reads each folder once. Files are named as a person at the current folder would."""

    def __init__(self) -> None:
        self._read: dict[Path, Folder] = {}

    def at(self, path: Path) -> Folder:
        """The folder at `path`, which exists."""
        key = path.resolve()
        if key not in self._read:
            self._read[key] = _read(path)
        return self._read[key]


def under(root: Path) -> list[Path]:
    """`root` and the folders below it that hold Terraform, sorted; not what Terraform itself downloads."""
    found = []
    for here, below, files in os.walk(root):
        below[:] = sorted(name for name in below if not name.startswith(".") and name != "node_modules")
        if any(name.endswith(".tf") for name in files):
            found.append(Path(here))
    return sorted(found)


def _read(path: Path) -> Folder:
    folder = Folder(path)
    for file in sorted(path.glob("*.tf")):
        name = os.path.relpath(file) if file.is_absolute() and file.is_relative_to(Path.cwd()) else str(file)
        try:
            folder.files.append(parse(file.read_text(encoding="utf-8-sig"), name))
        except UnicodeDecodeError:
            folder.problems.append(_unreadable(name, 1, "it is not UTF-8", "Save the file as UTF-8."))
        except SyntaxProblem as problem:
            advice = "Mend the syntax; nothing else of this file was checked."
            folder.problems.append(_unreadable(name, problem.line, problem.message, advice))
    folder.declare()
    return folder


def _unreadable(file: str, line: int, message: str, advice: str) -> Finding:
    return Finding(Severity.BLOCKER, "syntax", Path(file).name, message, advice, file, line)
