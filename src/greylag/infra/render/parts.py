"""What one concern (the network, the tables, the functions) adds to a root module."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from greylag.infra.render.hcl import Block, Raw, Set

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greylag.infra.render.hcl import Value

By = Literal["project", "person", "pipeline"]
"""Where a variable's value comes from: terraform.tfvars, values.auto.tfvars, or TF_VAR_… in the environment."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the root module, and its value where greylag.yaml knows one."""

    name: str
    type: str
    description: str
    value: Value = None
    by: By = "project"
    sensitive: bool = False
    default: Value = None
    """Only for what the pipeline gives, so that a plan works without it."""
    required: str = ""
    """Why it may not be empty, where it may not."""

    def block(self) -> Block:
        """As it stands in variables.tf."""
        rows: list[Set | Block | None] = [
            Set("description", self.description),
            Set("type", Raw(self.type)),
        ]
        if self.default is not None:
            rows.append(Set("default", self.default))
        if self.sensitive:
            rows.append(Set("sensitive", True))
        if self.required:
            condition = Raw(f"length(var.{self.name}) > 0")
            rows += [
                None,
                Block("validation", (), (Set("condition", condition), Set("error_message", self.required))),
            ]
        return Block("variable", (self.name,), tuple(rows))


def sizes(name: str, description: str, values: Mapping[str, Mapping[str, Value]], **types: str) -> Variable:
    """A variable of one object for each service or database; `types` are those of its fields."""
    width = max(len(each) for each in types)
    fields = "".join(f"    {field.ljust(width)} = {kind}\n" for field, kind in types.items())
    return Variable(name, f"map(object({{\n{fields}  }}))", description, dict(values))


def sized(name: str, key: str, fields: Mapping[str, Value]) -> list[Set]:
    """The arguments that take their values from that variable, field by field."""
    return [Set(field, Raw(f'var.{name}["{key}"].{field}')) for field in fields]


@dataclass(frozen=True, slots=True)
class Output:
    """An output; `greylag infra outputs` makes a line of .env of it, by its name in capitals."""

    name: str
    description: str
    value: Raw

    def block(self) -> Block:
        """As it stands in outputs.tf."""
        return Block("output", (self.name,), (Set("description", self.description), Set("value", self.value)))


@dataclass(frozen=True, slots=True)
class Part:
    """Blocks by file, the modules they call, variables and outputs."""

    files: Mapping[str, tuple[Block, ...]] = field(default_factory=dict)
    variables: tuple[Variable, ...] = ()
    outputs: tuple[Output, ...] = ()


def module(kind: str, label: str, *rows: Set | Block | None, why: str = "") -> Block:
    """A call of one of the modules beside the root modules."""
    return Block("module", (label,), (Set("source", f"../../modules/{kind}"), None, *rows), why)
