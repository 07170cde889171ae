"""Rendered files are Greylag's until a person changes them; then nothing of theirs is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greylag.errors import ConfigurationError, StateError
from greylag.infra import files
from greylag.infra.files import MANIFEST, place

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FIRST = {"a.tf": "one\n", "modules/x/b.tf": "two\n"}


def outcomes(
    folder: Path, wanted: Mapping[str, str], once: Mapping[str, str] | None = None, **options: tuple[str, ...]
) -> dict[str, str]:
    found = place(folder, wanted, once or {}, write=True, **options)
    return {each.path: each.outcome for each in found}


def test_a_second_rendering_changes_nothing(tmp_path: Path) -> None:
    assert outcomes(tmp_path, FIRST) == {"a.tf": "new", "modules/x/b.tf": "new"}
    before = {
        file: (file.read_bytes(), file.stat().st_mtime_ns) for file in tmp_path.rglob("*") if file.is_file()
    }
    assert outcomes(tmp_path, FIRST) == {"a.tf": "unchanged", "modules/x/b.tf": "unchanged"}
    assert {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in before} == before


def test_only_what_the_project_changed_is_written(tmp_path: Path) -> None:
    outcomes(tmp_path, FIRST)
    assert outcomes(tmp_path, {**FIRST, "a.tf": "new\n"}) == {
        "a.tf": "changed",
        "modules/x/b.tf": "unchanged",
    }
    assert (tmp_path / "a.tf").read_text() == "new\n"


def test_a_persons_edit_is_never_overwritten(tmp_path: Path) -> None:
    outcomes(tmp_path, FIRST)
    (tmp_path / "a.tf").write_text("mine\n")
    assert outcomes(tmp_path, FIRST)["a.tf"] == "edited"
    found = {each.path: each for each in place(tmp_path, {**FIRST, "a.tf": "other\n"}, {}, write=True)}
    assert found["a.tf"].outcome == "conflict"
    assert "-mine\n+other\n" in found["a.tf"].difference
    assert (tmp_path / "a.tf").read_text() == "mine\n"
    assert outcomes(tmp_path, {**FIRST, "a.tf": "other\n"})["a.tf"] == "conflict"  # until a person decides


def test_keep_answers_and_force_overwrites(tmp_path: Path) -> None:
    outcomes(tmp_path, FIRST)
    (tmp_path / "a.tf").write_text("mine\n")
    changed = {**FIRST, "a.tf": "other\n"}
    assert outcomes(tmp_path, changed, keep=("a.tf",))["a.tf"] == "edited"
    assert outcomes(tmp_path, changed)["a.tf"] == "edited"
    assert outcomes(tmp_path, {**FIRST, "a.tf": "third\n"})["a.tf"] == "conflict"
    assert outcomes(tmp_path, changed, force=("a.tf",))["a.tf"] == "changed"
    assert (tmp_path / "a.tf").read_text() == "other\n"


def test_a_file_that_was_there_before_is_a_persons(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text("mine\n")
    assert outcomes(tmp_path, FIRST)["a.tf"] == "conflict"
    assert (tmp_path / "a.tf").read_text() == "mine\n"


def test_a_file_a_person_removed_stays_removed(tmp_path: Path) -> None:
    outcomes(tmp_path, FIRST)
    (tmp_path / "a.tf").unlink()
    assert outcomes(tmp_path, FIRST)["a.tf"] == "edited"
    assert not (tmp_path / "a.tf").exists()
    assert outcomes(tmp_path, FIRST, force=("a.tf",))["a.tf"] == "new"


def test_what_is_no_longer_needed_goes_unless_it_was_edited(tmp_path: Path) -> None:
    outcomes(tmp_path, {**FIRST, "c.tf": "three\n"})
    (tmp_path / "c.tf").write_text("mine\n")
    assert outcomes(tmp_path, {}) == {"a.tf": "removed", "modules/x/b.tf": "removed", "c.tf": "kept"}
    assert sorted(each.name for each in tmp_path.iterdir()) == [MANIFEST, "c.tf"]
    assert outcomes(tmp_path, {}) == {"c.tf": "kept"}


def test_a_persons_own_file_is_written_once(tmp_path: Path) -> None:
    assert outcomes(tmp_path, {}, {"values": "1\n"}) == {"values": "new"}
    (tmp_path / "values").write_text("2\n")
    assert outcomes(tmp_path, {}, {"values": "3\n"}) == {}
    assert (tmp_path / "values").read_text() == "2\n"


def test_looking_touches_nothing(tmp_path: Path) -> None:
    place(tmp_path, FIRST, {"values": "1\n"}, write=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text", ["", "[]", '{"version": 2, "files": {}}', '{"version": 1, "files": {"a": 1}}']
)
def test_a_record_that_cannot_be_read_stops_it(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(StateError, match="not the record of an earlier rendering"):
        place(tmp_path, FIRST, {}, write=True)
    assert [each.name for each in tmp_path.iterdir()] == [MANIFEST]


def test_a_rendering_goes_on_after_it_was_killed_and_the_project_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it wrote and what it had not come to are both still Greylag's."""
    outcomes(tmp_path, FIRST)
    real = files._write

    def killed(file: Path, text: str) -> None:
        if file.name == "b.tf":
            raise KeyboardInterrupt
        real(file, text)

    monkeypatch.setattr(files, "_write", killed)
    with pytest.raises(KeyboardInterrupt):
        outcomes(tmp_path, {"a.tf": "1.1\n", "modules/x/b.tf": "2.1\n"})
    monkeypatch.undo()
    third = {"a.tf": "1.2\n", "modules/x/b.tf": "2.2\n"}
    assert outcomes(tmp_path, third) == {"a.tf": "changed", "modules/x/b.tf": "changed"}
    assert outcomes(tmp_path, third) == {"a.tf": "unchanged", "modules/x/b.tf": "unchanged"}
    assert "begun" not in (tmp_path / MANIFEST).read_text()


def test_line_ends_of_a_checkout_are_no_edit(tmp_path: Path) -> None:
    outcomes(tmp_path, FIRST)
    (tmp_path / "a.tf").write_bytes(b"one\r\n")
    assert outcomes(tmp_path, FIRST)["a.tf"] == "unchanged"
    assert outcomes(tmp_path, {**FIRST, "a.tf": "1.1\n"})["a.tf"] == "changed"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "modules").write_text("a file where a folder belongs")
    with pytest.raises(ConfigurationError, match="modules"):
        outcomes(tmp_path, FIRST)
