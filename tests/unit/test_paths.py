from __future__ import annotations

import pytest

from greylag.core.paths import EACH, Path, format_path, parse_path


@pytest.mark.parametrize(
    "path", [(".",), ("a.", "b"), ("a.",), ("a", EACH, "."), ("a.", EACH), ("\\",), ("[]",)]
)
def test_names_with_dots_and_brackets_are_read_back(path: Path) -> None:
    assert parse_path(format_path(path)) == path


@pytest.mark.parametrize("text", ["", ".", "a.", "a[].", "a..b", ".a", "\\", "a[0]"])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a path"):
        parse_path(text)
