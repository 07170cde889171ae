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


def test_a_byte_order_mark_and_crlf_are_no_matter(tmp_path: Path) -> None:
    """Editors on Windows write both, and Terraform reads both."""
    (tmp_path / "main.tf").write_bytes(
        b'\xef\xbb\xbfresource "aws_sqs_queue" "jobs" {\r\n  name = "jobs"\r\n}\r\n'
    )
    assert found(tmp_path) == []


@pytest.mark.skipif(
    shutil.which("terraform") is None, reason="terraform would say whether the corpus is its language"
)
def test_terraform_can_read_the_corpus() -> None:
    done = subprocess.run(
        ["terraform", "fmt", "-check", "-recursive", str(VALID)], capture_output=True, text=True, check=False
    )
    assert "Error" not in done.stderr, done.stderr
