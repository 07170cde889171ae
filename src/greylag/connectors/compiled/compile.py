"""Compiles the cores, by `cc` or by the zig that PyPI has (`pip install ziglang`).

What builds a wheel of Greylag runs this file alone, before there is a package around it;
`python -m greylag.connectors.compiled.compile` does the same for one that is installed.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

_CONNECTORS = Path(__file__).parents[1]
CARRY = _CONNECTORS / "dynamodb" / "native" / "carry.c"
PROOF = _CONNECTORS / "json" / "proof.c"
CORES = (CARRY, PROOF)
_FLAGS = ("-std=c11", "-O2", "-ffp-contract=off", "-fvisibility=hidden", "-shared", "-fPIC")
"""Contracted, a product and a sum would be rounded once where C says twice."""
_SECONDS = 300


def library_of(core: Path) -> Path:
    """Where a core is compiled to."""
    return core.with_name(f"_{core.stem}.so")


def source_digest(core: Path) -> str:
    """What a library tells of itself."""
    return sha256(core.read_bytes()).hexdigest()


def compiler() -> list[str] | None:
    """The command of a C compiler, or None."""
    if found := shutil.which("cc"):
        return [found]
    if importlib.util.find_spec("ziglang") is not None:
        return [sys.executable, "-m", "ziglang", "cc"]
    return None


def compile_core(core: Path, library: Path | None = None, *flags: str) -> str | None:
    """Compile to `library`, all of it or nothing. None, or why it could not be done."""
    library = library or library_of(core)
    command = compiler()
    if command is None:
        return "there is no C compiler: no `cc`, and no ziglang"
    try:
        with tempfile.TemporaryDirectory(dir=library.parent, prefix=".core-") as folder:
            made = Path(folder) / library.name
            digest = f'-DGREYLAG_SOURCE="{source_digest(core)}"'
            subprocess.run(
                [*command, *_FLAGS, *flags, digest, "-o", made, core, "-lm"],
                check=True,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
            )
            os.replace(made, library)  # noqa: PTH105 - processes that use the other one keep it
    except subprocess.CalledProcessError as error:
        return f"`{' '.join(command)}` failed: {error.stderr.strip()[-2000:]}"
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None


def compile_all() -> str | None:
    """All cores beside their sources. None, or why one could not be."""
    for core in CORES:
        if (why := compile_core(core)) is not None:
            return why
    return None


if __name__ == "__main__":
    sys.exit(compile_all())
