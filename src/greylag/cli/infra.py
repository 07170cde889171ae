"""`greylag infra`: the Terraform of a project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from greylag.cli.failing import fail_on, fail_on_option
from greylag.cli.infra_outputs import outputs
from greylag.cli.infra_render import FOLDER, render
from greylag.cli.invocation import Invocation, answer
from greylag.core.findings import Severity

if TYPE_CHECKING:
    from greylag.infra.check import Report

_project = click.make_pass_decorator(Invocation, ensure=True)


@click.group()
def infra() -> None:
    """The project's Terraform: render it, check it, read its outputs."""


infra.add_command(render)
infra.add_command(outputs)


@infra.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path), metavar="[DIR]")
@click.option("--no-policy", is_flag=True, help="Leave the policies out, Greylag's own and checkov's.")
@click.option(
    "--checkov",
    type=click.Path(path_type=Path),
    envvar="GREYLAG_CHECKOV",
    metavar="FILE",
    help="The program checkov, where it is not on PATH.",
)
@fail_on_option()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_project
def check(
    invocation: Invocation,
    *,
    folder: Path | None,
    no_policy: bool,
    checkov: Path | None,
    fail_above: str,
    as_json: bool,
) -> None:
    """Check Terraform without a network: syntax, names, shapes, references, policies.

    DIR is infrastructure/terraform beside greylag.yaml unless said, and may be any folder of Terraform. Changes
    nothing.
    """
    from greylag.infra.check import check as check_terraform

    report = check_terraform(folder or invocation.file.parent / FOLDER, policy=not no_policy, program=checkov)
    if as_json:
        answer(report.as_json())
    else:
        click.echo(_text(report))
    fail_on(fail_above, report.findings)


def _text(report: Report) -> str:
    parts = []
    for each in report.findings:
        place = f"{each.file}:{each.line}: " if each.file else ""
        parts.append(
            f"{place}{each.severity.word}: {each.name}: {each.message} [{each.kind}]\n    {each.advice}"
        )
    counts = {word: sum(each.severity is word for each in report.findings) for word in reversed(Severity)}
    told = ", ".join(f"{count} {word.word}{'s' if count != 1 else ''}" for word, count in counts.items())
    parts.append(f"{report.modules} modules, {report.files} files, {report.schema}: {told}")
    return "\n".join(parts)
