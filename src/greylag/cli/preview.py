"""`greylag preview`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from greylag.cli.invocation import Invocation, answer
from greylag.core import extended_json
from greylag.core.extended_json import to_extended
from greylag.operations.preview import Preview
from greylag.operations.preview import preview as preview_of

if TYPE_CHECKING:
    from greylag.core.values import Value


@click.command()
@click.argument("flow")
@click.option("--key", metavar="ID", help="The record with this id (extended JSON, or plain text).")
@click.option(
    "-n", "count", type=click.IntRange(min=1), default=5, show_default=True, help="How many records."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def preview(invocation: Invocation, *, flow: str, key: str | None, count: int, as_json: bool) -> None:
    """Show records of FLOW beside the items they become. Writes nothing."""
    found = preview_of(invocation.project(), flow, key=_key(key), count=count)
    if as_json:
        answer([each.as_json() for each in found])
        return
    for each in found:
        click.echo(_text(each))


def _key(text: str | None) -> Value:
    if text is None:
        return None
    try:
        return extended_json.loads(text)
    except ValueError:
        return text


def _text(preview: Preview) -> str:
    parts = [
        f"record {json.dumps(to_extended(preview.record.id), ensure_ascii=False)}",
        _block(preview.record.fields),
    ]
    if preview.refused is not None:
        parts += [f"  would be quarantined: {preview.refused}", f"  {preview.fix}"]
    elif not preview.bodies:
        parts.append("  left out by `where`")
    for body, size in zip(preview.bodies, preview.sizes_bytes, strict=True):
        parts += [f"becomes an item of {size:,} bytes", _indented(json.loads(body))]
    return "\n".join(parts) + "\n"


def _block(value: Value) -> str:
    return _indented(to_extended(value))


def _indented(data: object) -> str:
    text = json.dumps(data, indent=2, ensure_ascii=False)
    return "\n".join("  " + line for line in text.splitlines())
