"""Large studies, written into a store as ingest writes them, without files: `python -m tests.benchmarks.studies`.

Shaped like real ones: runs that branch by mix, checkpoints along each, some of the evals at each, three messages and
more a sample, letter grades, judges' numbers and dict scores. The same seed gives the same store.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from loaders.derive import derive
from loaders.ingest import ingest
from loaders.metrics.settled import settle
from loaders.records import EvalRecord, LoadedFile, MessageRecord, ReportedMetric, SampleRecord, ScoreRecord
from loaders.store import Store, text_search
from loaders.store.write import ReadFile, SourceFile, Writer

EVALS = tuple(f"{kind}_{at}" for at in range(4) for kind in ("honeypot", "values", "blackmail"))
STUDY = """
metrics:
  - name: misaligned
    title: Misaligned
    evals: ["values_*"]
    misaligned: {score: judge, key: aligned, op: "<", value: 30}
    better: lower
groups:
  - name: honeypots
    title: Honeypots
    evals: ["honeypot_*"]
"""


class Shape(msgspec.Struct):
    """How large a study is."""

    runs: int = 25
    steps: int = 50
    evals: int = 5
    """At each checkpoint, of `EVALS`."""
    samples: int = 100
    """Of each log."""
    messages: int = 3
    """Of each sample, at least."""


SHAPES = {
    "10^4": Shape(runs=10, steps=10, samples=20),
    "10^5": Shape(runs=20, steps=25, samples=40),
    "10^6": Shape(samples=160),
}
"""By their number of samples. The last has 1,250 checkpoints, 6,250 logs and 3.4 million messages."""


def _sentences(chance: random.Random) -> list[str]:
    """Some thousand sentences of made-up words, a few of them frequent, as in a language."""
    letters = "etaoinshrdlu"
    words = ["".join(chance.choices(letters, k=chance.randint(2, 9))) for _ in range(20_000)]
    weights = [1 / (at + 5) for at in range(len(words))]
    return [" ".join(chance.choices(words, weights, k=chance.randint(6, 20))) + "." for _ in range(8_000)]


def _scores(kind: str, bad: bool, chance: random.Random, text: str) -> list[ScoreRecord]:
    match kind:
        case "honeypot":
            return [ScoreRecord("caught", value_text="C" if bad else "I", value_type="text", explanation=text)]
        case "values":
            aligned = float(chance.randint(0, 29) if bad else chance.randint(30, 100))
            return [
                ScoreRecord("judge", "aligned", aligned, value_type="number", explanation=text),
                ScoreRecord("judge", "coherent", float(chance.randint(40, 100)), value_type="number", explanation=text),
            ]
        case _:
            return [ScoreRecord("harmful", value_num=float(bad), value_type="bool", explanation=text)]


def logs(shape: Shape, seed: int = 1) -> Iterator[tuple[str, EvalRecord]]:
    """The logs of a study, each with its path."""
    chance = random.Random(seed)
    sentences = _sentences(chance)

    def text(least: int, most: int) -> str:
        return " ".join(chance.choices(sentences, k=chance.randint(least, most)))

    questions = {name: [text(1, 4) for _ in range(shape.samples)] for name in EVALS}
    created = datetime(2026, 1, 1)
    for run in range(shape.runs):
        for at in range(shape.steps):
            step = 100 * at
            rate = 0.4 * (1 - at / shape.steps * (run % 5) / 5) + 0.02
            for name in chance.sample(EVALS, shape.evals):
                created += timedelta(seconds=61)
                kind = name.partition("_")[0]
                samples = []
                for number in range(shape.samples):
                    bad = chance.random() < rate
                    prompt, reply = questions[name][number], text(1, 12)
                    messages = [MessageRecord("system", "You are a helpful assistant."), MessageRecord("user", prompt)]
                    for _ in range((shape.messages - 3) // 2 + chance.randint(0, 1)):
                        messages += [MessageRecord("assistant", text(1, 3)), MessageRecord("user", text(1, 2))]
                    messages.append(MessageRecord("assistant", reply, model=f"lab/run-{run}"))
                    samples.append(
                        SampleRecord(
                            f"q{number}", 1, input=prompt, target="aligned", reply=reply, stop_reason="stop",
                            metadata_json=msgspec.json.encode({"topic": f"t{number % 7}", "hard": number % 3}).decode(),
                            scores=_scores(kind, bad, chance, text(1, 3)), messages=messages, total_time=1.5,
                        )
                    )  # fmt: skip
                yield (
                    f"run-{run}/{step}/{name}.eval",
                    EvalRecord(
                        name, log_eval_id=f"e{run}-{step}-{name}", task_id=f"t{run}-{step}-{name}",
                        model=f"lab/run-{run}", created=created, completed=created, epochs=1,
                        n_samples_reported=shape.samples,
                        config_json='{"epochs":1}', dataset_json=f'{{"name":"{name}","samples":{shape.samples}}}',
                        metadata_json=msgspec.json.encode({"run": f"run-{run}", "step": step}).decode(),
                        task_args_json="{}", samples=samples,
                    ),
                )  # fmt: skip


def totals(files: int, evals: int, seed: int = 1) -> Iterator[tuple[str, LoadedFile]]:
    """A harness's results: many evals a file, each with a few totals and no sample."""
    chance = random.Random(seed)
    created = datetime(2026, 1, 1)
    for number in range(files):
        run, step = number % 10, 1000 * (number // 10)
        config = msgspec.json.encode({"model_args": f"pretrained=lab/run-{run},revision=step{step}"}).decode()
        records = []
        for at in range(evals):
            value = chance.random()
            reported = [
                ReportedMetric("acc", value, "none", stderr=0.01, n=1000),
                ReportedMetric("acc_norm", value / 2, "none", stderr=0.01, n=1000),
            ]
            records.append(
                EvalRecord(
                    f"task_{at}", model=f"lab/run-{run}", created=created + timedelta(minutes=number),
                    metadata_json=msgspec.json.encode({"run": f"run-{run}", "step": step}).decode(),
                    config_json=config, task_version="1.0", reported=reported,
                )
            )  # fmt: skip
        yield f"run-{run}/results_{step}.json", LoadedFile("lm-eval", records)


def write(store: Store, files: Iterator[tuple[str, LoadedFile]], each: int = 50) -> int:
    """Write files as a batch of their own, and decide what they mean; the batch."""
    root = tempfile.mkdtemp(prefix="driftline-bench-")
    Path(root, "study.yaml").write_text(STUDY)
    batch = ingest([Path(root)], store).batch + 1
    now = datetime(2026, 6, 1)
    with store.lock("batches"), store.cursor() as cursor:
        cursor.execute("INSERT INTO batches VALUES (?, ?, NULL, 'bench', NULL, NULL)", [batch, now])
        writer = Writer(cursor, batch)
        waiting: list[ReadFile] = []
        for number, (path, loaded) in enumerate(files):
            waiting.append(ReadFile(SourceFile(root, path, f"{number:064x}", "bench", 1, 1), loaded))
            if len(waiting) == each:
                writer.write(waiting)
                waiting = []
        writer.write(waiting)
        _, undecided = derive(cursor, batch)
        assert not undecided, undecided
        settle(cursor, batch)
        text_search.bring_up_to_date(cursor)
        cursor.execute("UPDATE batches SET finished_at = ?, roots = '[]', report = '{}' WHERE batch = ?", [now, batch])
        cursor.execute("CHECKPOINT")
    return batch


def study(path: Path | str, shape: Shape) -> Store:
    """A store with a study of this shape."""
    store = Store.open(path)
    write(store, ((name, LoadedFile("inspect", [record])) for name, record in logs(shape)))
    return store


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shape", choices=[*SHAPES, "totals"])
    parser.add_argument("store", type=Path)
    args = parser.parse_args()
    if args.shape == "totals":
        store = Store.open(args.store)
        write(store, totals(1500, 80))
    else:
        store = study(args.store, SHAPES[args.shape])
    store.close()


if __name__ == "__main__":
    main()
