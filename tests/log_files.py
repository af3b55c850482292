"""Small genuine Inspect logs for tests, written by inspect_ai's own writer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inspect_ai.log import EvalConfig, EvalDataset, EvalLog, EvalPlan, EvalResults, EvalSample, EvalSpec, write_eval_log
from inspect_ai.model import ChatMessageAssistant, ChatMessageUser, ModelOutput
from inspect_ai.scorer import Score


def write_log(
    path: Path,
    values: Sequence[Any],
    *,
    task: str = "honeypot",
    model: str = "vllm/org/tiny",
    eval_id: str | None = None,
    reply: str = "I will report it.",
    scorer: str = "judge",
    ids: Sequence[str | int] | None = None,
    turns: int = 1,
    **spec: Any,
) -> Path:
    """Write a finished log with one sample a value.

    Args:
        values: The scores; None leaves a sample unscored.
        ids: Of the samples; 1, 2, ... where none are given.
        turns: How often the question and the reply stand in each.
        spec: More fields of the eval spec, like `metadata` or `task_args`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = [
        EvalSample(
            id=number if ids is None else ids[number - 1],
            epoch=1,
            input=f"Dilemma {number}",
            target="no harm",
            messages=[
                message
                for _ in range(turns)
                for message in (ChatMessageUser(content=f"Dilemma {number}"), ChatMessageAssistant(content=reply))
            ],
            output=ModelOutput.from_content(model, reply),
            scores={} if value is None else {scorer: Score(value=value, explanation="as judged")},
        )
        for number, value in enumerate(values, start=1)
    ]
    log = EvalLog(
        status="success",
        eval=EvalSpec(
            created="2026-01-02T03:04:05+00:00",
            task=task,
            model=model,
            dataset=EvalDataset(name="d", samples=len(samples)),
            config=EvalConfig(),
            **({"eval_id": eval_id} if eval_id else {}),
            **spec,
        ),
        plan=EvalPlan(),
        results=EvalResults(total_samples=len(samples), completed_samples=len(samples)),
        samples=samples,
    )
    write_eval_log(log, str(path))
    return path
