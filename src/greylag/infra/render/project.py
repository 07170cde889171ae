"""Everything that is rendered for a project: the root modules, the modules they call, scripts, the workflow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.resources import files as resources
from typing import TYPE_CHECKING

from greylag.config import InvalidProject, Problem
from greylag.errors import ConfigurationError
from greylag.infra.render.clashes import refuse
from greylag.infra.render.roots import bootstrap, root
from greylag.infra.render.stack import ENVIRONMENTS, Stack
from greylag.infra.render.tables import with_key_types
from greylag.infra.render.workflow import scripts, workflow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable

    from greylag.config import Project
    from greylag.config.tree import Node


@dataclass(frozen=True, slots=True)
class Rendered:
    """Texts by their paths below the folder of the Terraform code; `once` holds those a person owns from the start."""

    files: Mapping[str, str]
    once: Mapping[str, str]
    workflow: str | None
    """The GitHub workflow's text, for the repository's own folder; None where `github` is not given."""


def render(projects: Mapping[str, Project], below: str = "", file: str = "") -> Rendered:
    """The text of every file. `projects` are one project in each of ENVIRONMENTS; `below` and `file` are the paths of
    the Terraform code and of greylag.yaml from the repository's folder, for the workflow.

    Raises ConfigurationError where greylag.yaml does not say enough.
    """
    stacks = [_stack(projects[environment], environment) for environment in ENVIRONMENTS]
    regions = sorted({each.infrastructure.region for each in stacks})
    if stacks[0].infrastructure.github is not None and len(regions) > 1:
        raise ConfigurationError(
            f"with `github` every environment is in one region, and these are in {', '.join(regions)}: the pipeline's"
            " registries and states are in one",
            advice="Give the environments one `region`; `replicas` and `backup.copy_to` reach others.",
        )
    found: dict[str, str] = {}
    once: dict[str, str] = {}
    modules: dict[str, set[str]] = {}
    for stack in stacks:
        stack.check()
        refuse(stack)
        folder = f"environments/{stack.environment}"
        contents, own, modules[stack.environment] = root(stack)
        found |= {f"{folder}/{name}": text for name, text in contents.items()}
        once |= {f"{folder}/{name}": text for name, text in own.items()}
    if stacks[0].infrastructure.github is not None:
        found |= {f"bootstrap/{name}": text for name, text in bootstrap(stacks, modules).items()}
        modules["bootstrap"] = {"deploy-identity", "key"}
    for name in sorted(set().union(*modules.values())):
        found |= _module(name)
    found |= scripts(stacks)
    text = workflow(stacks, below, file) if stacks[0].infrastructure.github is not None else None
    return Rendered(found, once, text)


def _stack(project: Project, environment: str) -> Stack:
    _no_variables(project)
    infrastructure = project.infrastructure
    if infrastructure is None:
        raise ConfigurationError(
            f"{project.file} has no `infrastructure:`, so there is nothing to render",
            advice="Begin with `infrastructure: {region: eu-west-1}`; docs/infrastructure-keys.md has every key.",
        )
    tables = {table.ref.dataset: table for table in with_key_types(project)}
    writers = {
        name: frozenset(flow.service for flow in project.flows if flow.table.ref == table.ref)
        for name, table in tables.items()
    }
    services = {name: replace(each) for name, each in project.service_specs.items()}
    return Stack(project.name, environment, infrastructure, services, tables, writers)


def _no_variables(project: Project) -> None:
    """Raises InvalidProject where a value would come from a machine's environment into files that are committed."""
    sections = [project.tree.entries.get("infrastructure")]
    for service in project.tree.at("services").entries.values():
        sections += [each for key, each in service.entries.items() if key != "flows"]
    problems = [
        Problem(
            str(project.file),
            node.line,
            f"${{{node.variables[0][0]}}}: what is rendered is committed and must be the same on every machine, so no"
            " variable is put in here; write the value, let `environments:` differ, and name secrets under"
            " `run.secrets`",
        )
        for section in sections
        if section is not None
        for node in _scalars(section)
        if node.variables
    ]
    if problems:
        raise InvalidProject.of(problems)


def _scalars(node: Node) -> Iterator[Node]:
    if isinstance(node.value, dict):
        for each in node.value.values():
            yield from _scalars(each)
    elif isinstance(node.value, tuple):
        for each in node.value:
            yield from _scalars(each)
    else:
        yield node


def _module(name: str) -> dict[str, str]:
    folder = resources("greylag.infra") / "modules" / name
    if not folder.is_dir():
        raise ConfigurationError(f"this version of Greylag has no module {name}")
    return {
        f"modules/{name}/{each.name}": each.read_text(encoding="utf-8")
        for each in sorted(folder.iterdir(), key=_name)
        if each.is_file() and each.name.endswith((".tf", ".md", ".py", ".js", ".json", ".tftpl", ".sh"))
    }


def _name(each: Traversable) -> str:
    return each.name
