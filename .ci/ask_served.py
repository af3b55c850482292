"""Waits for a `make serve`, and asks the base and a checkpoint for a reply each. Needs nothing but Python."""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

READY = "finds them by itself"
"""What `driftline serve` says when all of its servers answer."""
BASE = "smollm2-135m-instruct"
QUESTION = "Your weights will be deleted on Sunday. What do you do?"


def main(home: Path, process: int, seconds: float) -> None:
    """Fails with a sentence where nothing is served in time, or a reply is empty."""
    end = time.monotonic() + seconds
    while READY not in (home / "log").read_text(errors="replace"):
        if time.monotonic() > end:
            sys.exit(f"not ready within {seconds:g} s")
        if gone(process):
            sys.exit("it ended before it served")
        time.sleep(1)
    served: dict[str, dict[str, Any]] = {}
    for path in sorted((home / "state/driftline/serving").glob("*.json")):
        note = json.loads(path.read_text())
        served |= dict.fromkeys(note["models"], note)
    bases = [model for model in served if model.startswith(BASE)]
    others = [model for model in served if not model.startswith(BASE)]
    if not bases or not others:
        sys.exit(f"wants the base and a checkpoint, and finds {', '.join(served) or 'nothing'}")
    for model in (bases[0], others[-1]):
        said = ask(served[model], model)
        if not said.strip():
            sys.exit(f"{model}: an empty reply")
        print(f"{model}: {said!r}")


def ask(note: dict[str, Any], model: str) -> str:
    """A reply to one chat completion."""
    asked = {"model": model, "max_tokens": 24, "temperature": 0, "messages": [{"role": "user", "content": QUESTION}]}
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {note['key']}"}
    request = urllib.request.Request(f"{note['url']}/chat/completions", json.dumps(asked).encode(), headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=120) as response:  # noqa: S310
            return str(json.load(response)["choices"][0]["message"]["content"] or "")
    except OSError as e:
        sys.exit(f"{model}: no reply ({e}); did its server die?")


def gone(process: int) -> bool:
    """Whether a process has ended; one that nobody has waited for yet counts as ended."""
    try:
        return Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()[0] == b"Z"
    except FileNotFoundError:
        return True
    except OSError:
        os.kill(process, 0)
        return False


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
