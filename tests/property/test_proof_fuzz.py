"""proof.c reads what anyone may have written: mutated texts, with sanitizers and memory of exactly their size."""

from __future__ import annotations

import json
import struct
import subprocess
from pathlib import Path

import pytest

from greylag.connectors.compiled.compile import PROOF, compiler

HARNESS = Path(__file__).with_name("proof_fuzz.c")
RECORDS = [
    {},
    {"id": 1, "a": [], "b": {}, "c": [[{"d": None}], True], "e": -0.5},
    {"at": "2024-01-31T10:00:00Z", "url": "https://example.org/é?a=[1]", "quoted": '"\\\n', "long": "x" * 70},
    {f"key {number}": number for number in range(60)},
    {"key" * 20: {"key" * 21: -1}, "key": 1e300},
]
NESTED = ['{"a":' * depth + "1" + "}" * depth for depth in (199, 200, 201, 1023, 1024, 1025)]
WIDE = ["{" + ",".join(f'"{key}":0' for key in range(count)) + "}" for count in (4096, 4097)]


def write_cases(file: Path) -> None:
    plain = [json.dumps(each) for each in RECORDS]
    spaced = [json.dumps(each, indent=1, ensure_ascii=False) for each in RECORDS]
    with file.open("wb") as out:
        for text in (
            *("\n".join(some) for some in (plain, plain[:2], NESTED[:2])),
            *(f"[{','.join(some)}]" for some in (plain, spaced, plain[1:2], NESTED[:2])),
            *(f"[{each}]" for each in (*NESTED, *WIDE)),
            *NESTED,
        ):
            raw = text.encode()
            out.write(struct.pack("=I", len(raw)) + raw)


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Path:
    command = compiler()
    assert command is not None, "there is no C compiler: `make .venv/.cores` brings one along"
    # The zig of PyPI has no address sanitizer.
    sanitizers = "undefined" if "ziglang" in command else "address,undefined"
    made = tmp_path_factory.mktemp("fuzz") / "proof_fuzz"
    subprocess.run(
        [
            *command,
            *("-std=c11", "-O1", "-g", f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all"),
            *("-I", str(PROOF.parent), "-o", made, HARNESS),
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
    proven, tried = map(int, done.stdout.split(" of "))
    assert tried == rounds
    assert proven > rounds // 20, "hardly any is proven: it tries nothing"


def test_mutated_texts(harness: Path) -> None:
    run(harness, 50_000, 1)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_many_mutated_texts(harness: Path, seed: int) -> None:
    run(harness, 1_000_000, seed)
