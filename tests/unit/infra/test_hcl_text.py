"""HCL comes out as `terraform fmt` writes it, and no text of a user becomes a template."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import hcl2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from greylag.infra.render.hcl import Block, Inline, Raw, Set, document, quoted

if TYPE_CHECKING:
    from pathlib import Path


def test_what_cannot_be_printed_is_escaped_by_its_number() -> None:
    """Four digits after a small u, eight after a capital one."""
    assert quoted("\u200b\U000e0001") == '"\\u200b\\U000e0001"'


EVERYTHING = document(
    "A comment of the file.",
    Block(
        "module",
        ("network",),
        (
            Set("source", "../network"),
            Set("a_longer_name", Raw("local.name")),
            None,
            Set("tags", {"a": "x", "b/c": 1, "longer": {"x": True, "yy": None}}),
            Set("zones", ["a" * 60, "b" * 60]),
            Set("count", 2.5, "Why it is so."),
            Set("short", Inline({"a": 1, "b": None})),
            Set("rows", [{"a": 1}, {"b": 2}]),
            Set("none", {}),
            Set("nothing", []),
            Block("validation", (), (Set("condition", True),)),
        ),
        "What it is for.",
    ),
    Block("resource", ("aws_x", "y")),
)


def test_neighbours_are_aligned_and_what_spans_lines_is_not() -> None:
    lines = EVERYTHING.splitlines()
    assert '  source        = "../network"' in lines
    assert "  a_longer_name = local.name" in lines
    assert "  tags = {" in lines
    assert '    "b/c" = 1' in lines
    assert "  count = 2.5" in lines or "  count   = 2.5" in lines
    assert lines[-1] == 'resource "aws_x" "y" {}'


def test_terraform_would_write_it_so(tmp_path: Path) -> None:
    program = shutil.which("terraform") or shutil.which("tofu")
    if program is None:
        pytest.skip("neither terraform nor tofu is here")
    (tmp_path / "main.tf").write_text(EVERYTHING)
    done = subprocess.run(
        [program, "fmt", "-diff", "-check"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_no_text_is_a_template() -> None:
    assert quoted('${file(x)} %{if} $${x} "a" \\ \n\t') == ('"$${file(x)} %%{if} $$${x} \\"a\\" \\\\ \\n\\t"')


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=30))
def test_a_string_is_one_string(text: str) -> None:
    parsed = hcl2.loads(f"a = {quoted(text)}\nb = 1\n")
    assert parsed["b"] == 1
    assert set(parsed) <= {"a", "b", "__comments__", "__inline_comments__"}
