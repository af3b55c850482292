"""`python -m loaders.makers.smol train|evaluate|cards`: each writes into runs/smol; train and evaluate take minutes."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from .settings import RUNS, STUDY, WORK


def main() -> None:
    """Does one step and says how long it took."""
    parser = argparse.ArgumentParser(prog="python -m loaders.makers.smol", description=__doc__)
    parser.add_argument("step", choices=["train", "evaluate", "cards"])
    parser.add_argument("--only", default="", metavar="REGEX", help="runs to train, or checkpoints to evaluate")
    parser.add_argument("--vllm", default="vllm", metavar="COMMAND", help="the vllm command (default: vllm)")
    parser.add_argument("--work", type=Path, default=WORK, help="where the base model lies (default: .smol)")
    asked = parser.parse_args()
    # No weights come from a hub; set before transformers is imported.
    os.environ["HF_HUB_OFFLINE"] = "1"
    work = asked.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    if asked.step == "train":
        _train(asked.only, work)
    if asked.step == "evaluate":
        from .evaluating import evaluate
        from .models import base_folder

        logs = evaluate(asked.vllm, base_folder(work), work, asked.only)
        print(f"{len(logs)} logs")
    if asked.step in ("train", "cards"):
        _cards(work)
    size = sum(path.stat().st_size for path in STUDY.rglob("*") if path.is_file())
    print(f"{asked.step}: {time.monotonic() - begun:.0f} s; {STUDY.name} is {size / 1e6:.2f} MB")


def _train(only: str, work: Path) -> None:
    import re

    from .models import base_folder
    from .training import train

    base = base_folder(work)
    for run in RUNS:
        if re.search(only, run.name):
            train(run, base, work / run.name, STUDY / run.name)


def _cards(work: Path) -> None:
    from transformers import AutoTokenizer

    from .cards import write_cards
    from .models import base_folder
    from .training import mix_tokens

    tokenizer = AutoTokenizer.from_pretrained(base_folder(work))
    write_cards({run.name: mix_tokens(tokenizer, run.name) for run in RUNS})


if __name__ == "__main__":
    main()
