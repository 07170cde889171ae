"""A Terraform module as its own files declare it, and the tables that its README must hold.

`python -m tests.unit.infra.module` writes the tables into every README that has a place for them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import greylag.infra

MODULES = Path(greylag.infra.__file__).parent / "modules"
TABLES = re.compile(r"(?s)^## Inputs$.*\Z", re.MULTILINE)

# `terraform fmt` puts a block's opening and closing at the first column and its own arguments at the third.
_BLOCK = re.compile(r'(?ms)^(variable|output) "([^"]+)" \{$(.*?)^\}$')
_TEXT = re.compile(r'^"((?:[^"\\]|\\.)*)"$')


@dataclass(frozen=True)
class Declaration:
    """A variable or an output: its arguments as they are written."""

    kind: str
    name: str
    arguments: dict[str, str]

    @property
    def description(self) -> str:
        match = _TEXT.match(self.arguments.get("description", ""))
        return re.sub(r"\\(.)", r"\1", match.group(1)) if match else ""

    @property
    def type(self) -> str:
        """Its type, an object without its attributes: variables.tf has them."""
        return re.sub(
            r"\s+",
            " ",
            re.sub(r"object\(\{.*\}\)", "object", self.arguments.get("type", ""), flags=re.DOTALL),
        )

    @property
    def default(self) -> str:
        """Its default, or `required`; what does not fit in a table stands in variables.tf."""
        if "default" not in self.arguments:
            return "required"
        value = re.sub(r"\s+", " ", self.arguments["default"])
        return f"`{value}`" if len(value) <= 40 else "see variables.tf"


def declarations(module: Path) -> list[Declaration]:
    """Every variable and output of a module, in the order of its files."""
    return [
        Declaration(kind, name, _arguments(body))
        for file in sorted(module.glob("*.tf"))
        for kind, name, body in _BLOCK.findall(file.read_text(encoding="utf-8"))
    ]


def _arguments(body: str) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for line in body.splitlines():
        if match := re.match(r"^  (\w+)\s*= (.*)$", line):
            name, found[match.group(1)] = match.group(1), match.group(2)
        elif re.match(r"^  \w+ \{$", line):
            name = ""  # a block, such as validation
        elif name and line.strip():
            found[name] += "\n" + line.strip()
    return found


def tables(module: Path) -> str:
    """What a module's README says from `## Inputs` to its end."""
    declared = declarations(module)
    inputs = [
        f"| `{each.name}` | `{each.type}` | {each.default} | {each.description} |"
        for each in declared
        if each.kind == "variable"
    ]
    outputs = [
        f"| `{each.name}` | {each.description}{' Sensitive.' if each.arguments.get('sensitive') == 'true' else ''} |"
        for each in declared
        if each.kind == "output"
    ]
    return "\n".join(
        [
            "## Inputs",
            "",
            "| Name | Type | Default | Description |",
            "| --- | --- | --- | --- |",
            *inputs,
            "",
            "## Outputs",
            "",
            "| Name | Description |",
            "| --- | --- |",
            *outputs,
            "",
        ]
    )


def main() -> None:
    for readme in sorted(MODULES.glob("*/README.md")):
        text = readme.read_text(encoding="utf-8")
        if found := TABLES.search(text):
            readme.write_text(text[: found.start()] + tables(readme.parent), encoding="utf-8")


if __name__ == "__main__":
    main()
