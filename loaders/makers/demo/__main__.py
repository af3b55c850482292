"""`python -m loaders.makers.demo [--out FOLDER]` writes the demo study and says how large it came out."""

from __future__ import annotations

import argparse
from pathlib import Path

from .figures import POINTS
from .writer import DEMO, write_study


def main() -> None:
    """Writes the study and prints logs, samples and size."""
    parser = argparse.ArgumentParser(prog="python -m loaders.makers.demo", description=__doc__)
    parser.add_argument("--out", type=Path, default=DEMO, help="folder of the study (default: runs/demo)")
    out = parser.parse_args().out
    logs = write_study(out)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    samples = sum(point.logged or point.result.asked for point in POINTS)
    print(f"{out}: {len(logs)} logs, {samples} samples, {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
