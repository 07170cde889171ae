#!/usr/bin/env python3
"""package.py FOLDER ZIP: the folder as a zip for Lambda, the same files to the same bytes.

Names are sorted, times fixed, permissions 644 or 755, so that a package changes only when its files do, and a plan
shows a change only then.
"""

import stat
import sys
import zipfile
from pathlib import Path


def package(folder: Path, target: Path) -> None:
    """Write `folder` as `target`."""
    files = sorted(
        (each.relative_to(folder).as_posix(), each)
        for each in folder.rglob("*")
        if each.is_file() and "__pycache__" not in each.parts
    )
    if not files:
        sys.exit(f"{folder} has no files; build it first")
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, file in files:
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, whatever this runs on: the permissions below are Unix's
            executable = file.stat().st_mode & stat.S_IXUSR
            entry.external_attr = (stat.S_IFREG | (0o755 if executable else 0o644)) << 16
            archive.writestr(entry, file.read_bytes())


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    package(Path(sys.argv[1]), Path(sys.argv[2]))
