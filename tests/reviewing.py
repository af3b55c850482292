"""What tests of reviews need: readers of each kind, and a store in which there is something to review."""

from __future__ import annotations

from dashboard.access import Reader
from dashboard.queries.verdicts import Verdict
from dashboard.review.verdicts import give_verdict
from tests.builders import StoreBuilder, built_once, log, message, sample, score

ANN, BEN, CAT = (Reader(name, "editor") for name in ("ann", "ben", "cat"))
VIEWER = Reader("vera", "viewer")
OUTSIDER = Reader("otto", "editor", hidden=("secret*",))
"""May write, and may see nothing of the runs whose names begin with "secret"."""


@built_once
def reviewed() -> StoreBuilder:
    """Two runs, one of them secret, each with a log of four questions in two epochs at two steps."""
    return filled(StoreBuilder())


def filled(builder: StoreBuilder) -> StoreBuilder:
    """A store with what `reviewed` has."""
    builder.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    for run in ("open", "secret"):
        builder.run(run)
        for step in (0, 100):
            answers = [
                sample(
                    question, score(float((question + epoch + step) % 3 == 0), explanation="because"), epoch=epoch,
                    messages=[message("user", f"question {question}"), message("assistant", f"answer {epoch}")],
                )
                for question in range(4)
                for epoch in (1, 2)
            ]  # fmt: skip
            builder.add(log(answers, log_eval_id=f"{run}-{step}"), run=run, step=step, path=f"{run}/{step}.eval")
    return builder


def key_of(builder: StoreBuilder, run: str, step: int) -> str:
    """The key of a run's log at a step."""
    found = builder.execute(
        "SELECT eval_key FROM evals JOIN placements USING (eval_id) WHERE run = ? AND step = ?", [run, step]
    )
    return str(found[0][0])


def say(
    builder: StoreBuilder, who: Reader, run: str, step: int, sample: str, epoch: int, verdict: Verdict | None
) -> None:
    """Give somebody's verdict on a sample."""
    give_verdict(
        builder.store, who, log=key_of(builder, run, step), sample=sample, epoch=epoch, metric="misaligned",
        verdict=verdict, note="", as_of=builder.batch,
    )  # fmt: skip
