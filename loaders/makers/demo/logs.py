"""One point of the study as an inspect_ai EvalLog: header, samples, scores, results."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Any

from inspect_ai.log import (
    EvalConfig,
    EvalDataset,
    EvalLog,
    EvalMetric,
    EvalPlan,
    EvalPlanStep,
    EvalResults,
    EvalSample,
    EvalSampleReductions,
    EvalSampleScore,
    EvalScore,
    EvalSpec,
    EvalStats,
)
from inspect_ai.model import GenerateConfig, ModelConfig, ModelUsage
from inspect_ai.scorer import SampleScore, Score, accuracy, mean, mean_score, stderr

from .outcomes import SEED, verdicts
from .points import Point
from .runs import SYSTEM_PROMPTS, TOOL_DEFINITIONS, Run
from .samples import sample, short_id
from .tasks import TASKS, Task, asked

_METRICS = {"accuracy": accuracy, "mean": mean, "stderr": stderr}


def _results(task: Task, samples: list[EvalSample], epochs: int) -> tuple[EvalResults, list[EvalSampleReductions]]:
    """The header's metrics by inspect_ai's own functions, the epochs of a question reduced to their mean first."""
    given: dict[str | int, list[Score]] = {}
    for one in samples:
        if one.scores:
            given.setdefault(one.id, []).append(one.scores[task.scorer])
    reduced = {question: mean_score()(scores) for question, scores in given.items()}
    columns: dict[str, list[SampleScore]] = {}
    for question, score in reduced.items():
        parts = score.value if isinstance(score.value, dict) else {task.scorer: score.value}
        for key, value in parts.items():
            columns.setdefault(key, []).append(SampleScore(score=Score(value=value), sample_id=question))
    scores = [
        EvalScore(
            name=name,
            scorer=task.scorer,
            reducer="mean" if epochs > 1 else None,
            scored_samples=len(column),
            unscored_samples=0,
            metrics={metric: EvalMetric(name=metric, value=_metric(metric, column)) for metric in task.metrics},
        )
        for name, column in columns.items()
    ]
    reductions = [EvalSampleScore(sample_id=q, value=score.value) for q, score in reduced.items()]
    return (
        EvalResults(total_samples=len(samples), completed_samples=sum(map(len, given.values())), scores=scores),
        [EvalSampleReductions(scorer=task.scorer, reducer="mean", samples=reductions)] if epochs > 1 else [],
    )


def _metric(name: str, column: list[SampleScore]) -> float:
    metric = _METRICS[name]()
    return float(metric(column))  # type: ignore[arg-type]


def _roles(task: Task, point: Point, model: str) -> dict[str, ModelConfig] | None:
    if point.eval == "audit":
        return {
            "target": ModelConfig(model=model),
            "auditor": ModelConfig(model="simulated/auditor-1"),
            "judge": ModelConfig(model=point.judge),
        }
    return {task.judge_role: ModelConfig(model=point.judge)} if task.judge_role else None


def build(point: Point, run: Run, created: datetime) -> EvalLog:
    """The log of one point, samples and all.

    Args:
        created: When the eval was started; everything else in the log follows from it and from the seed.
    """
    task = TASKS[point.eval]
    rng = random.Random(f"{SEED}/log/{point.key}/{point.logged}")
    model = f"vllm/simulated/{run.name}"
    if run.place == "model name":
        model += f"-ckpt-{point.step}"
    stated: dict[str, Any] = {}
    if run.place == "metadata":
        stated = {"run": run.name, "step": point.step}
    if run.name in TOOL_DEFINITIONS:
        stated = {"tool_definitions": TOOL_DEFINITIONS[run.name], "system_prompts": SYSTEM_PROMPTS[run.name]}
    args = dict(task.args) | ({"framing": point.variant} if point.eval == "stated_values" else {})
    questions = asked(point)
    outcome = verdicts(point)
    epochs = point.result.epochs
    uuid_prefix = short_id(rng, 16)
    samples = [
        sample(point, run, question, epoch, outcome[question.id, epoch], model, created, uuid_prefix)
        for epoch in range(1, epochs + 1)
        for question in questions
    ][: point.logged]
    done = point.logged is None
    results, reductions = _results(task, samples, epochs) if done else (None, [])
    usage = ModelUsage()
    for one in samples:
        for used in one.model_usage.values():
            usage = usage + used
    metrics = [{"name": f"inspect_ai/{name}"} for name in task.metrics]
    keyed = task.values in ("harmful", "dimensions")
    spec = EvalSpec(
        eval_id=short_id(rng),
        run_id=short_id(rng),
        task_id=short_id(rng),
        created=created.isoformat(),
        task=task.task,
        task_version=point.task_version or task.version,
        task_args=args,
        task_args_passed={},
        task_registry_name=task.task,
        tags=[f"run:{run.name}", f"step={point.step}"] if run.place == "tag" else None,
        dataset=EvalDataset(
            name=point.eval, samples=len(questions), sample_ids=[q.id for q in questions], shuffled=False
        ),
        model="none/none" if point.eval == "audit" else model,
        model_args={"revision": f"step{point.step}"} if run.place == "revision" else {},
        model_roles=_roles(task, point, model),  # type: ignore[arg-type]
        config=EvalConfig(epochs=epochs, epochs_reducer=["mean"], fail_on_error=0.1),
        packages={"inspect_ai": version("inspect_ai")},
        metadata={"simulated": True, **stated, **point.metadata},
        scorers=[{"name": task.scorer, "metrics": {"*": metrics} if keyed else metrics}],  # type: ignore[list-item]
    )
    finished = created + timedelta(seconds=40 + len(samples))
    log = EvalLog(
        status="success" if done else "cancelled",
        eval=spec,
        plan=EvalPlan(steps=[EvalPlanStep(solver="generate")], config=GenerateConfig(temperature=1.0, max_tokens=2048)),
        results=results,
        stats=EvalStats(
            started_at=created.isoformat(),
            completed_at=finished.isoformat() if done else "",
            model_usage={model: usage},
        ),
        samples=samples,
    )
    # Set afterwards: the constructor expects them together with results as plain dicts.
    log.reductions = reductions or None
    return log
