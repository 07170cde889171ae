"""`python -m greylag.lab.watch ROOT PID`: takes the lab under ROOT down when the process PID has ended."""

from __future__ import annotations

import sys
from pathlib import Path

from greylag.lab.lab import Lab
from greylag.lab.pidfd import open_process


def main(root: str, pid: str) -> None:
    """Waits as long as the process runs, without polling where the system allows."""
    with open_process(int(pid)) as process:
        if process is not None:
            process.wait()
    Lab(Path(root)).down()


if __name__ == "__main__":
    main(*sys.argv[1:])
