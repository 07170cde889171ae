"""terraform or tofu over all Terraform of this repository: what `make infra-validate` runs.

    python scripts/infra_validate.py

Formats, initialises without a backend and validates every module, every example of one, and what
`greylag infra render` writes for each project in examples/. Works on a copy. Without a program, or where the program
cannot get the provider, it says so, does what it can, and ends with 0; with 1 where something is wrong.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
MODULES = ROOT / "src" / "greylag" / "infra" / "modules"
GREYLAG = [sys.executable, "-c", "from greylag.cli import main; main()"]
NO_PROVIDER = ("Failed to query available provider packages", "Failed to install provider")


def main() -> int:
    """The exit code."""
    program = shutil.which("tofu") or shutil.which("terraform")
    if program is None:
        print(
            "Neither tofu nor terraform is on PATH: nothing was validated. `greylag infra check` needs neither."
        )
        return 0
    with tempfile.TemporaryDirectory(prefix="greylag-terraform-") as name:
        copy = Path(name)
        shutil.copytree(MODULES, copy / "modules")
        _render(copy)
        formatted = _run(program, copy, "fmt", "-check", "-recursive", "-diff")
        print(formatted.stdout, end="")
        print(f"fmt: {'clean' if formatted.returncode == 0 else 'see above; make it so with fmt -recursive'}")
        return max(min(formatted.returncode, 1), _validate(program, copy))


def _render(copy: Path) -> None:
    """What every example project has rendered, beside the modules."""
    for file in sorted((ROOT / "examples").glob("*/greylag.yaml")):
        folder = copy / file.parent.name
        shutil.copytree(file.parent, folder, ignore=shutil.ignore_patterns(".greylag", "__pycache__"))
        done = subprocess.run(
            [*GREYLAG, "infra", "render"],
            cwd=folder,
            env={"MONGODB_URI": "mongodb://127.0.0.1:1", **os.environ},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            print(f"{file.parent.name}: not rendered: {done.stderr.strip()}")


def _validate(program: str, copy: Path) -> int:
    """init and validate in every folder of Terraform; 1 where one is not valid."""
    folders = sorted({file.parent for file in copy.rglob("*.tf")})
    failed = 0
    for place, folder in enumerate(folders):
        shown = folder.relative_to(copy)
        ready = _run(program, folder, "init", "-backend=false", "-input=false", "-no-color")
        if ready.returncode and any(each in ready.stderr for each in NO_PROVIDER):
            print(
                f"init: {program} cannot get the provider, so {len(folders) - place} folders were not validated:"
            )
            print("\n".join(f"    {line}" for line in ready.stderr.strip().splitlines()))
            return failed
        done = ready if ready.returncode else _run(program, folder, "validate", "-no-color")
        print(f"{shown}: {'valid' if done.returncode == 0 else 'NOT VALID'}")
        if done.returncode:
            print(done.stderr or done.stdout)
            failed = 1
    return failed


def _run(program: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    plugins = (
        Path.home() / ".cache" / "greylag" / "terraform-plugins"
    )  # one copy of the provider for all folders
    plugins.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [program, *arguments],
        cwd=folder,
        env={"TF_PLUGIN_CACHE_DIR": str(plugins), **os.environ},
        capture_output=True,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main())
