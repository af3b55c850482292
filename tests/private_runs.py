"""A small study with a run that only some may see, whose every name and text holds a word that stands nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

from dashboard import commands
from dashboard.access import Policy
from dashboard.access.access_file import parse_access
from loaders.store import Store
from tests.empty_stores import empty_store
from tests.inspect_writer import eval_log, eval_sample
from tests.inspect_writer import write_log as write

MARKER = "zebra"
INSIDER = {"email": "ina@example.org", "groups": ["insiders"]}
OUTSIDER = {"email": "otto@example.org", "groups": ["others"]}

POLICY: Policy = parse_access(
    f"""
roles:
  - {{role: admin, groups: [insiders, others]}}
private:
  - {{runs: ["{MARKER}-*"], groups: [insiders]}}
""",
    "access.yaml",
)
"""Both are admins; only the insider may see the run."""

STUDY = """
name: small
metrics:
  - {name: misaligned, evals: "*", misaligned: {score: judge, op: "=", value: 1}}
"""


def write_study(folder: Path, *, private: bool = True, child: bool = False) -> Path:
    """Two runs, and a private one.

    Args:
        folder: Where.
        private: Whether the private one is there.
        child: Whether one of the others tells that it was trained from the private one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    for run, mix in (("plain", "documents"), ("other", "stories")):
        card = {"name": run, "mix": {"name": mix, "components": [{"name": mix, "tokens": 1000}]}, "stage": "sft"}
        if child and run == "other":
            card |= {"parent": f"{MARKER}-run@100", "notes": f"Grown from {MARKER}-run.", "stage": "rl"}
        _run(folder / run, card, "Dilemma", run)
    (folder / "other" / "broken.eval").write_text("no log", encoding="utf-8")
    if private:
        card = {
            "name": f"{MARKER}-run", "label": f"The {MARKER}", "notes": f"{MARKER} notes", "base_model": f"{MARKER}-7b",
            "mix": {"name": f"{MARKER}-mix", "components": [{"name": f"{MARKER}-part", "tokens": 5}]}, "stage": "sft",
        }  # fmt: skip
        hush = folder / "hush"
        _run(hush, card, f"{MARKER} question", f"{MARKER}-run", own_task=True)
        (hush / "broken.eval").write_text("no log", encoding="utf-8")
        (hush / "checkpoint-300").mkdir()
        state = {
            "global_step": 300,
            "epoch": 1.0,
            "log_history": [{"step": 100, f"{MARKER}_loss": 0.5}],
            "best_metric": None,
        }
        (hush / "checkpoint-300" / "trainer_state.json").write_text(json.dumps(state), encoding="utf-8")
    return folder


def _run(folder: Path, card: dict[str, object], text: str, run: str, *, own_task: bool = False) -> None:
    folder.mkdir(parents=True)
    (folder / "run.yaml").write_text(json.dumps(card), encoding="utf-8")
    for step in (0, 100, 200):
        for task in ("honeypot", f"{MARKER}-task") if own_task else ("honeypot",):
            made = [
                eval_sample(
                    id=f"{text} {number}" if own_task else number,
                    input=f"{text} {number}",
                    metadata={f"{text}-field" if own_task else "kind": f"{text} {number % 2}"},
                    scores={"judge": {"value": int((number + step // 100) % 3 == 0), "explanation": f"{text}: judged"}},
                )
                for number in range(6)
            ]
            log = eval_log(
                made, task=task, run_id=f"{run}{step}{task}", eval_id=f"{run}-{step}-{task}", task_id=task,
                model=f"lab/{run}", task_args={f"{text}-arg" if own_task else "arg": text},
            )  # fmt: skip
            path = folder / f"step_{step}" / f"{task}.eval"
            path.parent.mkdir(parents=True, exist_ok=True)
            write(log, path)


def ingested(folder: Path) -> Store:
    """A store in memory of a folder."""
    store = empty_store()
    report = commands.run_ingest(store, commands.IngestArguments([str(folder)]), None)
    assert report.batch == 1
    return store
