"""Nothing is blamed that is right: every construct of the language that a check could take for wrong."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.infra.folders import found

VALID = Path(__file__).with_name("valid")


def test_nothing_is_blamed() -> None:
    assert found(VALID) == []


@pytest.mark.skipif(
    shutil.which("terraform") is None, reason="terraform would say whether the corpus is its language"
)
def test_terraform_can_read_the_corpus() -> None:
    done = subprocess.run(
        ["terraform", "fmt", "-check", "-recursive", str(VALID)], capture_output=True, text=True, check=False
    )
    assert "Error" not in done.stderr, done.stderr
