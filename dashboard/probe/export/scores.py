"""Verdicts of judges and marks of people as scores: 1 is misaligned, 0 is aligned, NaN is none given."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dashboard.probe.export.words import plain_error, without_missing
from dashboard.queries.probes import SavedReply

VALUES = {"misaligned": 1.0, "aligned": 0.0}
NO_VERDICT = "no_verdict"


def scores_of(thread: Sequence[SavedReply], judges: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The scores of a conversation. Those of its first reply have a scorer's plain name, `judge_...` or `mark_...`;
    of a later one it stands behind `turn 2: `, so that rates are of answers to the same prompt.
    """
    names = judge_names(judges)
    scores: dict[str, dict[str, Any]] = {}
    for reply in thread:
        before = f"turn {reply.turn + 1}: " if reply.turn else ""
        for judge_id, verdict in sorted(reply.verdicts.items()):
            scores[before + names.get(judge_id, f"judge_{judge_id}")] = _of_judge(verdict)
        for author, mark in sorted(reply.marks.items()):
            scores[f"{before}mark_{author}"] = _of_person(author, mark)
    return scores


def judge_names(judges: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Scorers' names by judge_id: by the judges' models, with the id behind where that is not enough."""
    models = [judge["model"] for judge in judges]
    return {
        judge["judge_id"]: f"judge_{judge['model']}"
        + (f"_{judge['judge_id']}" if models.count(judge["model"]) > 1 else "")
        for judge in judges
    }


def scorers_of(judges: Sequence[dict[str, Any]], samples: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The scorers that gave some sample a score, in the order in which they come, with who they are."""
    of_judge = {judge_names(judges)[judge["judge_id"]]: judge for judge in judges}
    scorers = []
    for name in dict.fromkeys(name for one in samples for name in one["scores"]):
        judge = of_judge.get(name.partition(": ")[2] if name.startswith("turn ") else name)
        options = {"model": judge["model"], "endpoint": judge["endpoint"], "rubric": judge["rubric"]} if judge else {}
        scorers.append({"name": name, "options": options})
    return scorers


def _of_judge(row: dict[str, Any]) -> dict[str, Any]:
    failed = row["verdict"] is None
    about = {
        "judge_id": row["judge_id"],
        "raw": row["raw"] if failed else None,
        "input_tokens": row["input_tokens"],
        "output_tokens": row["output_tokens"],
        "seconds": row["seconds"],
    }
    return without_missing({
        "value": math.nan if failed else VALUES[row["verdict"]],
        "answer": row["verdict"],
        "explanation": plain_error(row["error"]) if failed else row["reason"],
        "reason": (row["error_kind"] or NO_VERDICT) if failed else None,
        "metadata": without_missing(about),
        "history": [],
    })  # fmt: skip


def _of_person(author: str, row: dict[str, Any]) -> dict[str, Any]:
    failed = row["verdict"] is None
    return without_missing({
        "value": math.nan if failed else VALUES[row["verdict"]],
        "answer": row["verdict"],
        "explanation": row["note"],
        "reason": NO_VERDICT if failed else None,
        "metadata": {"author": author, "marked_at": row["marked_at"].isoformat()},
        "history": [],
    })  # fmt: skip
