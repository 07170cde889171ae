"""`terraform output -json` becomes lines of .env; sensitive values reach only a file that nobody else reads."""

from __future__ import annotations

import io
import json
import stat
from typing import TYPE_CHECKING, Any

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from greylag.errors import ConfigurationError
from greylag.infra.outputs import choose, merge, read
from tests.command import Command

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "hunter2-hunter2"


def printed(*, sensitive: bool = False, **values: Any) -> str:
    return json.dumps({name: {"value": value, "sensitive": sensitive} for name, value in values.items()})


def test_names_in_capitals_and_values_as_text() -> None:
    found = read(printed(table_shop="shop", api_port=5432, zones=["a", "b"], nothing=None, on=True))
    assert found.values == {"TABLE_SHOP": "shop", "API_PORT": "5432", "ZONES": '["a", "b"]', "ON": "true"}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": 1}', '{"a": {"value": 1}}'])
def test_what_is_something_else_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="not what `terraform output -json` prints"):
        read(text)


def test_two_outputs_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="one name as a variable: A_B"):
        read('{"a-b": {"value": 1, "sensitive": false}, "a_b": {"value": 2, "sensitive": false}}')


def test_other_lines_stay_as_they_are() -> None:
    text = "# mine\nexport URL = old\r\nOTHER='x # y'\nURL=older\nLAST=1"
    assert (
        merge(text, {"URL": "new", "ZONE": "a b"})
        == "# mine\nexport URL=new\r\nOTHER='x # y'\nLAST=1\nZONE='a b'\n"
    )
    assert merge(merge(text, {"URL": "new"}), {"URL": "new"}) == merge(text, {"URL": "new"})


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=20))
def test_a_value_is_read_back(value: str) -> None:
    text = merge("", {"NAME": value})
    assert dotenv_values(stream=io.StringIO(text), interpolate=False) == {"NAME": value}


def test_sensitive_outputs_are_refused_unless_asked_for() -> None:
    found = read(printed(sensitive=True, password=SECRET))
    assert SECRET not in repr(found)
    for to_file in (True, False):
        with pytest.raises(ConfigurationError, match="are sensitive: PASSWORD"):
            choose(found, include_sensitive=False, to_file=to_file)
    with pytest.raises(ConfigurationError, match="never printed"):
        choose(found, include_sensitive=True, to_file=False)


def test_the_command(tmp_path: Path) -> None:
    greylag = Command(tmp_path)
    (tmp_path / "outputs.json").write_text(printed(table_shop="shop"))
    assert greylag("infra", "outputs", "outputs.json").stdout == "TABLE_SHOP=shop\n"
    (tmp_path / ".env").write_text("OTHER=1\n")
    greylag("infra", "outputs", "outputs.json", "--out", ".env")
    assert (tmp_path / ".env").read_text() == "OTHER=1\nTABLE_SHOP=shop\n"
    assert "there is no nothing.json" in greylag("infra", "outputs", "nothing.json", expect=3).stderr


def test_a_sensitive_value_reaches_one_private_file_only(tmp_path: Path) -> None:
    greylag = Command(tmp_path)
    (tmp_path / "outputs.json").write_text(printed(sensitive=True, password=SECRET))
    file = tmp_path / ".env"
    file.write_text("OTHER=1\n")
    file.chmod(0o644)
    for arguments in ((), ("--include-sensitive",), ("--out", ".env")):
        done = greylag("infra", "outputs", "outputs.json", *arguments, expect=3)
        assert SECRET not in done.stdout + done.stderr
    assert file.read_text() == "OTHER=1\n"
    done = greylag("infra", "outputs", "outputs.json", "--include-sensitive", "--out", ".env", "--json")
    assert SECRET not in done.stdout + done.stderr
    assert file.read_text() == f"OTHER=1\nPASSWORD={SECRET}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_values_over_several_lines_and_exports_stay_as_they_are() -> None:
    """A line inside another value is none of ours, whatever it looks like."""
    before = "\nexport A=old # note\n\nB='first\nA=inside\nlast'\r\n# A=comment\nA=again\n"
    assert merge(before, {"A": "new"}) == "\nexport A=new\n\nB='first\nA=inside\nlast'\r\n# A=comment\n"
