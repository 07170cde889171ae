"""Compiled cores are found; one of other source is none; without a compiler there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greylag.connectors.compiled.compile import CORES, PROOF, compile_core, source_digest
from greylag.connectors.compiled.library import load

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("core", CORES, ids=lambda core: core.stem)
def test_there_is_one_here(core: Path) -> None:
    assert load(core) is not None, "`make .venv/.cores` compiles it"


def test_a_library_of_other_source_is_none(tmp_path: Path) -> None:
    made = tmp_path / "_proof.so"
    assert load(PROOF, made) is None, "there is no such file"
    assert compile_core(PROOF, made) is None
    assert load(PROOF, made) is not None
    stale = tmp_path / "stale.so"
    digest = source_digest(PROOF).encode()
    assert digest in made.read_bytes()
    stale.write_bytes(made.read_bytes().replace(digest, b"0" * len(digest)))
    assert load(PROOF, stale) is None
    (tmp_path / "junk.so").write_bytes(b"junk")
    assert load(PROOF, tmp_path / "junk.so") is None


def test_without_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    why = compile_core(PROOF, tmp_path / "_proof.so")
    assert why is not None
    assert "no C compiler" in why
    assert not list(tmp_path.iterdir())
