"""`greylag infra check`: every folder of Terraform below one, against language, provider and policies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greylag.core.findings import Finding, Severity, by_severity
from greylag.errors import ConfigurationError
from greylag.infra.check.declarations import check_top
from greylag.infra.check.folder import Folders, under
from greylag.infra.check.scope import Checking, Scope
from greylag.infra.policy import check_policies, checkov
from greylag.infra.schema import aws_schema

if TYPE_CHECKING:
    from pathlib import Path

    from greylag.infra.check.folder import Folder


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found. `policies` is None where checkov was not asked or is not installed."""

    folder: Path
    modules: int
    files: int
    schema: str
    policies: checkov.Policies | None
    findings: tuple[Finding, ...]

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        policies = self.policies
        return {
            "folder": str(self.folder),
            "modules": self.modules,
            "files": self.files,
            "schema": self.schema,
            "checkov": None
            if policies is None
            else {"version": policies.version, "passed": policies.passed, "skipped": policies.skipped},
            "findings": [each.as_json() for each in self.findings],
        }


def check(root: Path, *, policy: bool = True, program: Path | None = None) -> Report:
    """Check every folder of Terraform in and below `root`; reads files alone, and runs checkov where it is.

    `policy`: also the policies, Greylag's own and checkov's (`program`, or `checkov` on PATH). Raises
    ConfigurationError where `root` holds no Terraform, ResourceError where python-hcl2 is not installed.
    """
    if not root.is_dir():
        raise ConfigurationError(
            f"there is no folder {root}",
            advice="Name a folder of Terraform: greylag infra check DIR. `greylag infra render` writes one.",
        )
    paths = under(root)
    if not paths:
        raise ConfigurationError(f"no .tf file in or below {root}", advice="Name a folder of Terraform.")
    checking = Checking(Folders())
    folders = [checking.folders.at(path) for path in paths]
    for folder in folders:
        _check_folder(checking, folder)
        if policy:
            for finding in check_policies(folder):
                checking.found(finding)
    policies = None
    if policy:
        found = checkov.find(program)
        if found is None:
            checking.found(_without_checkov())
        else:
            policies = checkov.run(found, root)
    schema = aws_schema()
    return Report(
        folder=root,
        modules=len(folders),
        files=sum(len(each.files) + len(each.problems) for each in folders),
        schema=f"AWS provider {schema.provider_version} ({schema.source}, {schema.date})",
        policies=policies,
        findings=by_severity([*checking.findings, *(policies.findings if policies else ())]),
    )


def _check_folder(checking: Checking, folder: Folder) -> None:
    for problem in folder.problems:
        checking.found(problem)
    if folder.problems:
        return  # what an unread file declares would be missed everywhere else
    checking.used = set()
    for name, placed in folder.repeated:
        scope = Scope(checking, folder, placed.file, name)
        scope.blocker(
            "declared-twice", placed.block.line, f"{placed.block.kind} {name} is declared twice", "Keep one."
        )
    for file in folder.files:
        for argument in file.body.arguments:
            scope = Scope(checking, folder, file.name, argument.name)
            scope.blocker(
                "unknown-argument",
                argument.line,
                f"{argument.name} stands outside of any block",
                "Move it into a block; values of variables belong in a .tfvars file.",
            )
    for placed in folder.blocks():
        check_top(checking, folder, placed)
    _check_unused(checking, folder)


def _check_unused(checking: Checking, folder: Folder) -> None:
    for name, placed in folder.variables.items():
        if ("var", name) not in checking.used:
            scope = Scope(checking, folder, placed.file, f"variable {name}")
            scope.warning(
                "unused-variable",
                placed.block.line,
                f"nothing reads the variable {name!r}",
                "Use it or remove it.",
            )
    for name, local in folder.locals.items():
        if ("local", name) not in checking.used:
            scope = Scope(checking, folder, local.file, f"local.{name}")
            scope.warning(
                "unused-local",
                local.argument.line,
                f"nothing reads the local {name!r}",
                "Use it or remove it.",
            )


def _without_checkov() -> Finding:
    return Finding(
        Severity.NOTE,
        "no-checkov",
        "checkov",
        "checkov is not installed: its policies were not checked, only Greylag's own",
        checkov.INSTALL,
    )
