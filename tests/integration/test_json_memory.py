"""A JSON array larger than the memory there is."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

FILE_BYTES = 300_000_000
SPARE_BYTES = 100_000_000
"""What reading may take beyond the interpreter with the connector loaded: a third of the file."""

READ = """
import resource, sys
from pathlib import Path
from greylag.connectors.json import connector

source = connector.open("files", connector.options(kind="json", path=sys.argv[1]), Path("/")).source()
pages = int(Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
if sys.argv[4] == "whole":
    Path(sys.argv[1]).read_bytes()
rows = size = 0
for partition in source.partitions(sys.argv[2], partition_bytes=1 << 26):
    for page in source.read(partition, None, page_bytes=1 << 20):
        assert not page.rejected
        rows += len(page.records)
        size += page.bytes_read
last = page.records[-1]
assert last.id == rows - 1, last.id
print(rows, size)
"""

RECORD = b'{"id":"u-0000001","name":"Ada \\u00e9","n":12345678901234567890.5,"tags":["a","b"],"at":"10:00","o":{"x":1}}'


def read(path: Path, dataset: str, how: str) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-c", READ, str(path), dataset, str(SPARE_BYTES), how]
    return subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited and measured as Linux does it")
@pytest.mark.parametrize("dataset", ["", "#/records"], ids=["array", "array beside another"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, dataset: str) -> None:
    path = tmp_path / "big.json"
    block = b",\n".join([RECORD] * 1000)
    blocks = FILE_BYTES // (len(block) + 2)
    if dataset:
        blocks //= 2
    with path.open("wb") as file:
        if dataset:
            file.write(b'{"other":[' + block)
            file.writelines(b",\n" + block for _ in range(blocks - 1))
            file.write(b'],"records":')
        file.write(b"[" + block)
        file.writelines(b",\n" + block for _ in range(blocks - 1))
        file.write(b"]" + b"}" * bool(dataset))
    done = read(path, dataset, "streamed")
    assert done.returncode == 0, done.stderr[-2000:]
    rows, size = map(int, done.stdout.split())
    assert rows == blocks * 1000
    assert size == blocks * (len(block) + 2) - 2
    broken = read(path, dataset, "whole")
    assert broken.returncode != 0
    assert "MemoryError" in broken.stderr
