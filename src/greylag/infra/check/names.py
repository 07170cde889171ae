"""What a reference begins with: a variable, a local, a module, a resource, and whether there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.core.nearest import did_you_mean
from greylag.infra.check.inference import Types, fixed, of_object, of_variable, repeated
from greylag.infra.check.language import LANGUAGE
from greylag.infra.check.types import ANY, NoSuch, Type

if TYPE_CHECKING:
    from pathlib import Path

    from greylag.infra.check.folder import Folder
    from greylag.infra.check.scope import Checking
    from greylag.infra.hcl.tree import Reference
    from greylag.infra.schema import Block

_BOUND = {"each": "no for_each", "count": "no count", "self": "nothing of its own to read"}


def declared(types: Types, checking: Checking, folder: Folder, reference: Reference) -> tuple[Type, int]:
    """The type of what `reference` begins with, and how many of its steps name it. Raises NoSuch."""
    root = reference.root
    names = tuple(each for each in reference.steps[:2] if isinstance(each, str))
    if root in _BOUND:
        raise NoSuch("misplaced-reference", f"this block has {_BOUND[root]}")
    of_root = fixed(root)
    if of_root is not None:
        return of_root, 0
    if root == "resource":
        return _object(checking, folder, names[:2], ""), 2
    if root in ("data", "ephemeral"):
        return _object(checking, folder, names[:2], f"{root}."), 2
    if root in ("var", "local", "module"):
        if not names:
            raise NoSuch("dangling-reference", f"{root} is followed by a name, as in {root}.name")
        return _simple(types, checking, folder, root, names[0]), 1
    if not names:
        raise NoSuch(
            "dangling-reference",
            f"{root!r} is not a reference: those begin with var, local, data, module or a resource's type",
        )
    return _object(checking, folder, (root, names[0]), ""), 1


def _simple(types: Types, checking: Checking, folder: Folder, root: str, name: str) -> Type:
    if root == "var":
        if name not in folder.variables:
            near = did_you_mean(name, folder.variables)
            raise NoSuch("unknown-variable", f"there is no variable {name!r}{near}")
        return of_variable(folder.variables[name])
    if root == "local":
        if name not in folder.locals:
            raise NoSuch("unknown-local", f"there is no local {name!r}{did_you_mean(name, folder.locals)}")
        return types.once("local", name, folder.locals[name].argument.value)
    if name not in folder.modules:
        raise NoSuch("unknown-module", f"there is no module {name!r}{did_you_mean(name, folder.modules)}")
    return _outputs(checking, folder, name)


def _outputs(checking: Checking, folder: Folder, name: str) -> Type:
    placed = folder.modules[name]
    path = source_of(folder, name)
    if path is None or not path.is_dir():
        return ANY
    called = checking.folders.at(path)
    if called.problems:
        return ANY
    inside = Types(checking, called)
    fields = {}
    for output, block in called.outputs.items():
        value = block.block.body.argument("value")
        fields[output] = ANY if value is None else inside.once("output", output, value.value)
    return repeated(Type("object", fields=fields), placed)


def source_of(folder: Folder, name: str) -> Path | None:
    """The folder that a module call names; None where its source is a registry or a repository."""
    source = folder.modules[name].block.body.argument("source")
    written = getattr(source.value, "value", None) if source is not None else None
    if not isinstance(written, str) or not written.startswith(("./", "../")):
        return None
    return folder.path / written


def _object(checking: Checking, folder: Folder, names: tuple[str, ...], prefix: str) -> Type:
    if len(names) < 2:
        raise NoSuch(
            "dangling-reference", "a reference to an object has a type and a name, as in aws_vpc.this"
        )
    address = prefix + ".".join(names)
    placed = folder.objects.get(address)
    if placed is None:
        near = did_you_mean(address, folder.objects)
        raise NoSuch("dangling-reference", f"nothing declares {address}{near}")
    kind = {"": "resources", "data.": "data", "ephemeral.": "ephemeral"}[prefix]
    block = described(checking, kind, names[0])
    return ANY if block is None else of_object(block, placed)


def described(checking: Checking, kind: str, name: str) -> Block | None:
    """What may stand in a resource or data source; None where no schema knows it."""
    own = LANGUAGE.of(kind, name) if kind != "ephemeral" else None
    return own or checking.schema.of(kind, name)
