"""Frames of the Data page: what the queries give, made ready to be read. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard import numerals
from dashboard.queries.rows import checkpoint_name, is_missing, origin, step_of, step_order
from dashboard.queries.unplaced import flat
from loaders.checkpoint import named
from loaders.proposals.tables import KINDS
from loaders.study.evidence import Placement

NEVER = "(no results)"

SECTIONS = {
    "coverage": "Coverage", "runs": "Runs", "files": "Files", "standing": "Pooled or replaced logs",
    "tables": "Unmapped tables", "unplaced": "Logs without a run or step",
    "metric": "Define a metric",
    "unread": "Not read", "conflicts": "Conflicting run or step", "totals": "Log totals mismatch", "imports": "Imports",
}  # fmt: skip
"""The page's sections, with their titles."""

HEADS = {
    "run": "Run", "label": "Label", "from": "Parent", "stage": "Stage", "mix": "Mix", "mix tokens": "Mix tokens",
    "made of": "Composition", "steps": "Steps", "checkpoints": "Checkpoints", "logs": "Logs", "samples": "Samples",
    "base model": "Base model", "seed": "Seed", "placed": "Assigned", "card": "Card", "links": "Links",
    "notes": "Notes", "waiting": "Without results", "path": "Path", "status": "Status", "reason": "Reason",
    "format": "Format", "evals": "Evals", "complete": "Complete", "batch": "Import", "size": "Size (bytes)",
    "root": "Folder", "content_hash": "SHA-256", "field": "Field", "message": "Conflict", "candidates": "Sources",
    "eval": "Eval", "kind": "Kind", "checkpoint": "Checkpoint", "metric": "Metric", "log reports": "Log reports",
    "samples give": "Samples give", "log": "Log", "finished_at": "Imported", "files": "Files",
    "rejected": "Rejected", "superseded": "Replaced", "roots": "Folders", "step": "Step", "step_label": "Step label",
    "variant": "Variant", "role": "Role", "why": "Reason", "graded": "Graded", "planned": "Planned",
}  # fmt: skip
"""What stands over the columns; files have their keys, which the tooltips name."""


LONGEST_CELL = 200


def unmapped_table(tables: pd.DataFrame) -> pd.DataFrame:
    """Tables that no study file maps: what they seem to be, and their columns.

    Args:
        tables: Path, size, kind, found (what was seen of it).
    """
    frame = pd.DataFrame(
        {
            "Table": tables["path"],
            "Looks like": [KINDS[kind] if kind else "" for kind in tables["kind"]],
            "Columns": [", ".join(found.columns) for found in tables["found"]],
            "Size (bytes)": tables["size"],
            "Folder": tables["root"],
        }
    )
    return frame if frame["Folder"].nunique() > 1 else frame.drop(columns="Folder")


def unplaced_table(logs: pd.DataFrame) -> pd.DataFrame:
    """Logs without a run or step, with all that they say of themselves.

    Args:
        logs: `UNPLACED_COLUMNS`.
    """
    said = ["; ".join(f"{name} = {value}" for name, value in flat(each)) for each in logs["said"]]
    frame = pd.DataFrame(
        {
            "Log": logs["path"],
            "Eval": logs["eval"],
            "Model": logs["model"],
            "Created": logs["created"],
            "Samples": logs["samples"],
            "Status": logs["status"],
            "Metadata": [cell_text(text) for text in said],
            "Folder": logs["root"],
        }
    )
    empty = [name for name in ("Metadata", "Model") if (frame[name].fillna("") == "").all()]
    empty += ["Status"] if (frame["Status"].fillna("success") == "success").all() else []
    return frame.drop(columns=[*empty, *(["Folder"] if frame["Folder"].nunique() == 1 else [])])


def placement_table(found: Sequence[tuple[str, Placement]]) -> pd.DataFrame:
    """Where logs belong, with the rules that say so."""
    return pd.DataFrame(
        [
            {
                "Log": path,
                "Run": placement.run if placement.placed else "",
                "Step": placement.step_label if placement.step is None else numerals.step(placement.step),
                "Stage": placement.stage,
                "Mix": placement.mix,
                "Eval": placement.eval,
                "From": origin(placement.run_rule or placement.step_rule),
            }
            for path, placement in found
        ]
    ).dropna(axis="columns", how="all")


def cell_text(value: object) -> str:
    """A cell of a table as one line."""
    text = "" if value is None else " ".join(str(value).split())
    return text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]}..."


def preview_table(rates: Sequence[Mapping[str, str]]) -> pd.DataFrame:
    """The rates of a preview: a row for each eval of a checkpoint, a column for each metric."""
    rows: dict[tuple[str, str, str], dict[str, str]] = {}
    for row in rates:
        at = row["run"], row["step"], row["eval"]
        cells = rows.setdefault(at, {"Run": at[0], "Step": at[1], "Eval": at[2]})
        counted = f"({row['n']})" if " of " in row["n"] else f"(n = {row['n']})" if row["n"] else ""
        cells[row["metric"]] = " ".join(filter(None, (row["value"], row["interval"], counted)))
    return pd.DataFrame(list(rows.values())).fillna("")


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
        cell[name] = f"{numerals.count(row['samples'])}{logs}" + (f" ({unfinished} incomplete)" if unfinished else "")
    names = list(dict.fromkeys(name for cell in cells.values() for name in cell))
    rows = [
        {"step": str(step), "evals": NEVER if not cell else "", **cell}
        for step, cell in sorted(cells.items(), key=lambda item: step_order(item[0]))
    ]
    frame = pd.DataFrame(rows, columns=["step", "evals", *names])
    return frame if (frame["evals"] != "").any() else frame.drop(columns="evals")


def gaps_of(coverage: pd.DataFrame, run: str) -> list[str]:
    """The evals of which some checkpoint of a run has no complete log; none for logs without a run.

    Args:
        coverage: `COVERAGE_COLUMNS`.
        run: Which run.
    """
    mine = coverage[(coverage["run"] == run) & coverage["placed"].fillna(True).astype(bool)]
    every = {step_of(row) for row in mine.to_dict("records")}
    whole = mine[mine["complete_logs"] > 0]
    done: dict[str, set[int | str | None]] = {}
    for row in whole.to_dict("records"):
        done.setdefault(row["eval"], set()).add(step_of(row))
    return [name for name in coverage["eval"].dropna().drop_duplicates() if every - done.get(name, set())]


def _component(part: dict[str, Any]) -> str:
    """A part of a mix, with its size where a training configuration told it."""
    name, examples = str(part.get("name", "?")), part.get("examples")
    return f"{name} ({numerals.count(examples)} examples)" if isinstance(examples, int) else name


def run_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs with what they were made of and made from."""
    rows = []
    for row in runs.to_dict("records"):
        step = None if is_missing(row["parent_step"]) else row["parent_step"]
        parent = None if is_missing(row["parent_run"]) else named(row["parent_run"], step)
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
            "log reports": some["reported"].tolist(),
            "samples give": some["rate"].tolist(),
            "n": some["n"].tolist(),
            "log": some["path"].tolist(),
        }
    )


def batch_table(batches: pd.DataFrame) -> pd.DataFrame:
    """Batches, the newest first."""
    frame = batches.assign(roots=batches["roots"].map(lambda roots: ", ".join(map(str, roots or []))))
    return frame[["batch", "finished_at", "files", "rejected", "superseded", "evals", "samples", "roots", "driftline"]]
