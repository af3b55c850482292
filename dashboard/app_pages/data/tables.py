"""Frames of the Data page: what the queries give, made ready to be read. Pure."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dashboard import numerals
from dashboard.queries.rows import checkpoint_name, is_missing, step_of, step_order

NEVER = "(no eval yet)"


def overview_grid(coverage: pd.DataFrame) -> pd.DataFrame:
    """Runs down, evals across: at how many checkpoints each was measured, of how many the run has.

    Args:
        coverage: `COVERAGE_COLUMNS`.

    Returns:
        Columns run, checkpoints, waiting (checkpoints without any eval), then one of each eval, as counts; 0 is
        missing, so that gaps are empty cells.
    """
    steps = pd.Series([step_of(row) for row in coverage.to_dict("records")], index=coverage.index, dtype="object")
    frame = coverage.assign(at=steps.map(lambda step: "" if step is None else str(step)))
    order = frame["run"].drop_duplicates().tolist()
    rows = []
    for run in order:
        mine = frame[frame["run"] == run]
        row: dict[str, object] = {"run": run, "checkpoints": mine["at"].nunique()}
        row["waiting"] = int(mine["eval"].isna().sum()) or None
        row |= mine.dropna(subset=["eval"]).groupby("eval")["at"].nunique().to_dict()
        rows.append(row)
    evals = frame["eval"].dropna().drop_duplicates().tolist()
    return pd.DataFrame(rows, columns=["run", "checkpoints", "waiting", *evals])


def checkpoint_grid(coverage: pd.DataFrame, run: str) -> pd.DataFrame:
    """One run's checkpoints down, its evals across: samples that each log holds; a mark where a log isn't whole.

    Args:
        coverage: `COVERAGE_COLUMNS`.
        run: Which run.
    """
    mine = coverage[coverage["run"] == run]
    cells: dict[int | str, dict[str, str]] = {}
    for row in mine.to_dict("records"):
        step = step_of(row)
        cell = cells.setdefault("no step" if step is None else step, {})
        if is_missing(row["eval"]):
            continue
        logs = f" in {row['logs']} logs" if row["logs"] > 1 else ""
        unfinished = row["logs"] - row["complete_logs"]
        name = row["eval"] if is_missing(row["variant"]) else f"{row['eval']} · {row['variant']}"
        cell[name] = f"{numerals.count(row['samples'])}{logs}" + (f" ({unfinished} not whole)" if unfinished else "")
    names = list(dict.fromkeys(name for cell in cells.values() for name in cell))
    rows = [
        {"step": str(step), "evals": NEVER if not cell else "", **cell}
        for step, cell in sorted(cells.items(), key=lambda item: step_order(item[0]))
    ]
    frame = pd.DataFrame(rows, columns=["step", "evals", *names])
    return frame if (frame["evals"] != "").any() else frame.drop(columns="evals")


def _component(part: dict[str, Any]) -> str:
    """A part of a mix, with its size where a training configuration told it."""
    name, examples = str(part.get("name", "?")), part.get("examples")
    return f"{name} ({numerals.count(examples)} examples)" if isinstance(examples, int) else name


def run_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs with what they were made of and made from."""
    rows = []
    for row in runs.to_dict("records"):
        parent = None if is_missing(row["parent_run"]) else str(row["parent_run"])
        if parent and not is_missing(row["parent_step"]):
            parent += f"@{row['parent_step']}"
        steps = "" if is_missing(row["first_step"]) else str(row["first_step"])
        if steps and row["last_step"] != row["first_step"]:
            steps += f" to {row['last_step']}"
        components = row["mix_components"] or []
        rows.append(
            {
                "run": row["run"],
                "label": row["run_label"],
                "from": parent,
                "stage": row["stage"],
                "mix": row["mix"],
                "mix tokens": row["mix_tokens"],
                "made of": ", ".join(_component(part) for part in components if isinstance(part, dict)),
                "steps": steps,
                "checkpoints": row["checkpoints"],
                "logs": row["logs"],
                "samples": row["samples"],
                "base model": row["base_model"],
                "seed": row["seed"],
                "placed": row["placed"],
                "card": row["card"],
                "links": ", ".join(f"{name}: {address}" for name, address in (row["links"] or {}).items()),
                "notes": row["notes"],
            }
        )
    frame = pd.DataFrame(rows)
    return frame.drop(columns=[c for c in frame if frame[c].isna().all() or (frame[c] == "").all()])


def file_table(files: pd.DataFrame) -> pd.DataFrame:
    """Files with what came of them, the troublesome first."""
    rank = files["status"].map({"rejected": 0, "left": 1}).fillna(2)
    frame = files.assign(rank=rank, notes=files["notes"].map("; ".join)).sort_values(["rank", "root", "path"])
    shown = ["path", "status", "reason", "notes", "format", "evals", "samples", "complete", "batch", "size", "root"]
    frame = frame[[*shown, "content_hash"]]
    return frame.drop(columns=[c for c in ("reason", "notes") if (frame[c].fillna("") == "").all()])


def conflict_table(conflicts: pd.DataFrame) -> pd.DataFrame:
    """Conflicts with what each rule says."""
    told = [
        "; ".join(": ".join(str(part) for part in candidate) for candidate in candidates or [])
        for candidates in conflicts["candidates"]
    ]
    frame = conflicts.assign(candidates=told)
    return frame[["field", "message", "candidates", "path", "run", "eval", "kind", "batch"]]


def disagreement_table(rates: pd.DataFrame) -> pd.DataFrame:
    """Logs whose header says another number than their own samples give."""
    some = rates[rates["disagrees"]]
    return pd.DataFrame(
        {
            "checkpoint": [checkpoint_name(row) for row in some.to_dict("records")],
            "eval": some["eval"].tolist(),
            "metric": some["metric"].tolist(),
            "header says": some["reported"].tolist(),
            "samples give": some["rate"].tolist(),
            "n": some["n"].tolist(),
            "log": some["path"].tolist(),
        }
    )


def batch_table(batches: pd.DataFrame) -> pd.DataFrame:
    """Batches, the newest first."""
    frame = batches.assign(roots=batches["roots"].map(lambda roots: ", ".join(map(str, roots or []))))
    return frame[["batch", "finished_at", "files", "rejected", "superseded", "evals", "samples", "roots", "driftline"]]
