#!/usr/bin/env python3
"""smoke.py OUTPUTS: asks every address among `terraform output -json` that ends in _url and speaks HTTPS.

An answer below 500 shows that name, certificate, CloudFront, WAF and program are there and speak to each other; whether
the application is right is for its own tests. A new name takes minutes to be known, so failures are asked again.
"""

import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

WAIT_SECONDS = 15
TRIES = 20


def answers(address: str) -> str:
    """Empty where the address answers below 500, else why not."""
    try:
        with urllib.request.urlopen(address, timeout=30) as response:  # noqa: S310 - https only, below
            return "" if response.status < 500 else f"answered {response.status}"
    except urllib.error.HTTPError as error:
        return "" if error.code < 500 else f"answered {error.code}"
    except OSError as error:
        return str(error)


def main(file: str) -> None:
    """Ask until every address answers; ends the process with what did not."""
    outputs = json.loads(Path(file).read_text(encoding="utf-8"))
    waiting = {
        name: str(output["value"])
        for name, output in outputs.items()
        if name.endswith("_url")
        and str(output["value"]).startswith("https://")
        and "sqs." not in str(output["value"])
    }
    for attempt in range(TRIES):
        failed = {name: why for name, address in waiting.items() if (why := answers(address))}
        for name in set(waiting) - set(failed):
            print(f"{name}: {waiting.pop(name)} answers")
        if not failed:
            return
        if attempt + 1 < TRIES:
            time.sleep(WAIT_SECONDS)
    sys.exit("\n".join(f"{name}: {waiting[name]} {why}" for name, why in sorted(failed.items())))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
