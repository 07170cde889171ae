"""Compiles carry.c, by `cc` or by the zig that PyPI has (`pip install ziglang`).

What builds a wheel of Greylag runs this file alone, before there is a package around it;
`python -m greylag.connectors.dynamodb.native.compile` does the same for one that is installed.
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

SOURCE = Path(__file__).with_name("carry.c")
LIBRARY = Path(__file__).with_name("_carry.so")
_FLAGS = ("-std=c11", "-O2", "-ffp-contract=off", "-fvisibility=hidden", "-shared", "-fPIC")
"""Contracted, a product and a sum would be rounded once where C says twice."""
_SECONDS = 300


def source_digest() -> str:
    """What a library tells of itself."""
    return sha256(SOURCE.read_bytes()).hexdigest()


def compiler() -> list[str] | None:
    """The command of a C compiler, or None."""
    if found := shutil.which("cc"):
        return [found]
    if importlib.util.find_spec("ziglang") is not None:
        return [sys.executable, "-m", "ziglang", "cc"]
    return None


def compile_core(library: Path = LIBRARY, *flags: str) -> str | None:
    """Compile to `library`, all of it or nothing. None, or why it could not be done."""
    command = compiler()
    if command is None:
        return "there is no C compiler: no `cc`, and no ziglang"
    try:
        with tempfile.TemporaryDirectory(dir=library.parent, prefix=".carry-") as folder:
            made = Path(folder) / library.name
            subprocess.run(
                [
                    *command,
                    *_FLAGS,
                    *flags,
                    f'-DGREYLAG_SOURCE="{source_digest()}"',
                    "-o",
                    made,
                    SOURCE,
                    "-lm",
                ],
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


if __name__ == "__main__":
    sys.exit(compile_core())
