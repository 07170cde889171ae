"""carry.c reads what anyone may have written: mutated documents, with sanitizers and memory of exactly their size."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

from greylag.connectors.compiled.compile import CARRY, compiler
from greylag.connectors.dynamodb.native import Compiled
from greylag.connectors.mongodb import wire
from greylag.core.values import Binary, Decimal128, Int64
from tests.property.test_native import FLOWS, Both
from tests.unit.dynamodb.test_native import ID, PLAIN

HARNESS = Path(__file__).with_name("carry_fuzz.c")
DOCUMENTS: list[dict[str, Any]] = [
    PLAIN,
    {"_id": ID, "g": 'é 日本 😀 "\\\n', "a": [1, 2.5, Int64(7)], "b": {"c": {"d": [[], [ID, ID], [None]]}}},
    {"_id": "text", "a": [ID] * 12, "b": [{"x/y": ID, "~": ID}] * 3, "c": Binary(b"abcde", 4), "d": b"x"},
    {"_id": 1, "g": 0.1 + 0.2, "a": 1e300, "b": Decimal128("1.10"), "c": "2024-01-31T10:00:00.000Z"},
    {"_id": 1.5, "a": {"a": {"a": {"a": {"a": {"a": 1}}}}}, "b": "x" * 300},
]


def write_cases(file: Path) -> None:
    with file.open("wb") as out:
        out.write(struct.pack("<I", len(FLOWS)))
        for options in FLOWS:
            natively = Both(**options).natively
            assert isinstance(natively, Compiled)
            out.write(struct.pack("<I", len(natively.program)) + natively.program)
            out.write(struct.pack("<I", len(DOCUMENTS)))
            for document in DOCUMENTS:
                raw = wire.encode_document(document)
                out.write(struct.pack("<I", len(raw)) + raw)


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Path:
    command = compiler()
    assert command is not None, "there is no C compiler: `make .venv/.cores` brings one along"
    # The zig of PyPI has no address sanitizer.
    sanitizers = "undefined" if "ziglang" in command else "address,undefined"
    made = tmp_path_factory.mktemp("fuzz") / "carry_fuzz"
    subprocess.run(
        [
            *command,
            *("-std=c11", "-O1", "-g", f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all"),
            *("-I", str(CARRY.parent), "-o", made, HARNESS, "-lm"),
        ],
        check=True,
    )
    write_cases(made.with_name("cases"))
    return made


def run(harness: Path, rounds: int, seed: int) -> None:
    done = subprocess.run(
        [harness, harness.with_name("cases"), str(rounds), str(seed)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    carried, tried = map(int, done.stdout.split(" of "))
    assert tried == rounds * len(FLOWS)
    assert carried > tried // 20, "hardly any is carried: it tries nothing"


def test_mutated_documents(harness: Path) -> None:
    run(harness, 2_000, 1)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_many_mutated_documents(harness: Path, seed: int) -> None:
    run(harness, 400_000, seed)
