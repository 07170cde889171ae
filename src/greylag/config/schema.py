"""The JSON schema of greylag.yaml, from which editors complete and check as one types."""

from __future__ import annotations

import copy
from typing import Any

from greylag.config.model import ProjectFile
from greylag.connectors.registry import connector_type, kinds
from greylag.errors import ConfigurationError

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_VARIABLE: dict[str, Any] = {"type": "string", "pattern": r"\$\{"}
_REF = "#/$defs/"


def schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of greylag.yaml with the connectors that are installed.

    A connection is one of them, told apart by `kind`. A key that takes a number or a truth value takes `${VAR}` too.
    An environment's overlay is the same shape with nothing required and null allowed.
    """
    root = ProjectFile.model_json_schema(by_alias=True)
    defs: dict[str, Any] = root.pop("$defs")
    defs.update(_connections())
    properties = root["properties"]
    properties["connections"]["additionalProperties"] = {"$ref": _REF + "Connection"}
    for definition in (root, *defs.values()):
        _simplify(definition)
    overlays = {_overlay_name(name): _overlay(definition) for name, definition in defs.items()}
    defs["Environment"] = _overlay({key: value for key, value in root.items() if key != "title"})
    defs["Environment"]["description"] = "What differs from the rest of the file; null removes a key."
    properties["environments"] = {
        "type": "object",
        "description": "Overlays for --env, by name: mappings merge, lists and scalars replace, null removes.",
        "additionalProperties": {"anyOf": [{"$ref": _REF + "Environment"}, {"type": "null"}]},
    }
    return {"$schema": _DIALECT, **root, "title": "greylag.yaml", "$defs": {**defs, **overlays}}


def _connections() -> dict[str, Any]:
    """A definition for each kind of connection, and `Connection`, the union of them."""
    defs: dict[str, Any] = {}
    kind_of: dict[str, str] = {}
    for kind in kinds():
        name = f"{kind}_connection"
        try:
            options = connector_type(kind).options.model_json_schema(
                by_alias=True, ref_template=f"{_REF}{name}.{{model}}"
            )
        except ConfigurationError as error:
            options = {
                "type": "object",
                "description": error.message,
                "properties": {},
                "additionalProperties": True,
            }
        for inner, definition in options.pop("$defs", {}).items():
            defs[f"{name}.{inner}"] = definition
        options["properties"]["kind"] = {
            "const": kind,
            "type": "string",
            "description": "What the connection speaks.",
        }
        options["required"] = sorted({*options.get("required", ()), "kind"})
        defs[name] = options
        kind_of[kind] = _REF + name
    defs["Connection"] = {
        "description": "A source or a target; `kind` decides which other keys there are.",
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"enum": list(kind_of), "description": "What the connection speaks."}},
        "oneOf": [{"$ref": ref} for ref in kind_of.values()],
        "discriminator": {"propertyName": "kind", "mapping": kind_of},
    }
    return defs


def _simplify(node: Any) -> None:
    """Let variables stand for what is not text, and drop titles and null defaults: noise in an editor."""
    if isinstance(node, list):
        for below in node:
            _simplify(below)
    if not isinstance(node, dict):
        return
    for name, below in node.items():
        if name in ("properties", "$defs"):
            for one in below.values():
                _simplify(one)
        elif name not in ("enum", "const", "default", "required", "mapping", "examples"):
            _simplify(below)
    if isinstance(node.get("title"), str):
        del node["title"]
    if "default" in node and node["default"] is None:
        del node["default"]
    options = [option for option in node.get("anyOf", ()) if option != {"type": "null"}]
    if len(options) == 1 and "anyOf" in node:
        del node["anyOf"]
        node.update({**options[0], **node})
    elif "anyOf" in node:
        node["anyOf"] = options
    if node.get("type") in ("integer", "number", "boolean"):
        about = {key: node.pop(key) for key in ("description", "default") if key in node}
        typed = dict(node)
        node.clear()
        node.update({"anyOf": [typed, _VARIABLE], **about})


def _overlay_name(name: str) -> str:
    return f"{name}.overlay"


def _overlay(definition: dict[str, Any]) -> dict[str, Any]:
    """`definition` with nothing required, null allowed for every key, and references to other overlays."""
    changed = copy.deepcopy(definition)
    _loosen(changed)
    return changed


def _loosen(node: dict[str, Any]) -> None:
    if node.get("additionalProperties") is not True:  # what takes any key is told by its `kind` alone
        node.pop("required", None)
    node.pop("discriminator", None)
    if "oneOf" in node:
        node["anyOf"] = node.pop("oneOf")
    for option in node.get("anyOf", ()):
        _loosen(option)
    for name, below in node.get("properties", {}).items():
        _loosen(below)
        node["properties"][name] = below if "const" in below or "enum" in below else _nullable(below)
    values = node.get("additionalProperties")
    if isinstance(values, dict):
        _loosen(values)
        node["additionalProperties"] = _nullable(values)
    if isinstance(node.get("$ref"), str):
        node["$ref"] += ".overlay"


def _nullable(node: dict[str, Any]) -> dict[str, Any]:
    description = {"description": node.pop("description")} if "description" in node else {}
    return {"anyOf": [node, {"type": "null"}], **description} if node else description
