"""Turns what pydantic found wrong into problems that teach, without any value that may be a secret."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from greylag.core.nearest import did_you_mean

if TYPE_CHECKING:
    from greylag.config.findings import Findings
    from greylag.config.tree import Step

_WORDING = {
    "string_type": "should be text",
    "int_type": "should be a whole number",
    "int_parsing": "should be a whole number",
    "int_from_float": "should be a whole number",
    "float_type": "should be a number",
    "float_parsing": "should be a number",
    "bool_type": "should be true or false",
    "bool_parsing": "should be true or false",
    "dict_type": "should be a mapping of `key: value`",
    "model_type": "should be a mapping of `key: value`",
    "tuple_type": "should be a list",
    "list_type": "should be a list",
    "string_too_short": "may not be empty",
}


def validate(
    model: type[BaseModel],
    value: Any,
    findings: Findings,
    path: tuple[Step, ...] = (),
    *,
    only_keys: bool = False,
) -> tuple[BaseModel | None, list[tuple[Step, ...]]]:
    """The model for `value`, or None with the paths that stood in the way, each of them a finding.

    `path` leads to `value` in the findings' tree. `only_keys` reports unknown keys and nothing else.
    """
    try:
        return model.model_validate(value), []
    except ValidationError as error:
        details = error.errors(include_input=False, include_url=False)
    wrong = []
    for detail in details:
        kind, within = detail["type"], detail["loc"]
        whole = (*path, *within)
        wrong.append(whole)
        if only_keys and kind != "extra_forbidden":
            continue
        if kind != "extra_forbidden" and any(below.unset for below in findings.tree.at(*whole).walk()):
            continue  # the variable that is not set is a finding already
        findings.add(whole, _message(kind, detail["msg"], whole, _keys(model, within[:-1])))
    return None, wrong


def place(path: tuple[Step, ...]) -> str:
    """The part of the file that `path` is in, in the user's words."""
    match path:
        case ("environments", environment, *rest):
            return f"{place(tuple(rest))} (environment {environment})"
        case ("services", _, "flows", flow, *rest):
            within, name = rest, f"flow {flow}"
        case ("services" | "tables" | "connections" as group, name, *rest):
            within, name = rest, f"{group.removesuffix('s')} {name}"
        case ():
            return "the project"
        case _:
            within, name = list(path), "the project"
    dotted = ".".join(str(step) for step in within if step != "[key]")
    return f"`{dotted}` of {name}" if dotted else name


def _message(kind: str, text: str, path: tuple[Step, ...], keys: tuple[str, ...]) -> str:
    key = str(path[-1]) if path else ""
    if kind == "extra_forbidden":
        return f"unknown key {key!r} in {place(path[:-1])}{did_you_mean(key, keys)}"
    if kind == "missing":
        return f"{place(path[:-1])} needs `{key}`"
    if key == "[key]" or kind == "value_error":
        return f"{place(path[:-1] if key == '[key]' else path)}: {text.removeprefix('Value error, ')}"
    if kind in _WORDING:
        return f"{place(path)} {_WORDING[kind]}"
    if kind in {"too_short", "too_long"} and (key == "key" or "indexes" in path):
        return f"{place(path)} has one or two attributes"
    return f"{place(path)} {text.replace('Input should be', 'should be')}"


def _keys(model: Any, path: tuple[Step, ...]) -> tuple[str, ...]:
    """The keys that may stand at `path` of `model`."""
    at = _model(model)
    for step in path:
        if isinstance(at, type) and issubclass(at, BaseModel):
            found = [field for name, field in at.model_fields.items() if step in (name, field.alias)]
            at = _model(found[0].annotation) if found else at
        else:
            values = get_args(at)
            at = _model(values[1] if get_origin(at) is dict else values[0]) if values else at
    if isinstance(at, type) and issubclass(at, BaseModel):
        return tuple(field.alias or name for name, field in at.model_fields.items())
    return ()


def _model(annotation: Any) -> Any:
    """`annotation` without Annotated and None."""
    if get_origin(annotation) is Annotated:
        return _model(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return next((_model(part) for part in get_args(annotation) if part is not type(None)), annotation)
    return annotation
