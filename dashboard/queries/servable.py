"""The checkpoints of a store, with where their weights lie: what `driftline serve` chooses from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import duckdb
import msgspec

from dashboard.queries.checkpoints import checkpoints_meant
from loaders.checkpoint import Checkpoint
from loaders.errors import DriftlineError
from loaders.study.cards import is_untrained

ALL = "all"
"""RUN@all is every checkpoint of a run that can be served."""


HAS = ("has no checkpoint", "it has")


class Servable(Checkpoint, frozen=True, kw_only=True):
    """A checkpoint, and what is known of its weights: absolute paths, `package:MODULE/FILE` or `hub:ORG/NAME`.

    Attributes:
        weights: Its own, whole weights, as a card names them.
        adapter: The folder of its LoRA adapter.
        folder: Where a trainer left it.
        base: The weights that its run began with, as a card names them.
        base_model: The name of that model, as a card or a trainer has it.
    """

    weights: str | None = None
    adapter: str | None = None
    folder: str | None = None
    base: str | None = None
    base_model: str | None = None

    @property
    def untrained(self) -> bool:
        """Whether it is what its run began with: step 0, or a label that says so."""
        own = self.weights or self.adapter or self.folder
        return not own and (self.step == 0 or (self.step is None and is_untrained(self.step_label)))

    @property
    def has_weights(self) -> bool:
        """Whether anything says where its weights lie."""
        return bool(self.weights or self.adapter or self.folder or (self.untrained and self.base))


def servable(cursor: duckdb.DuckDBPyConnection, batch: int) -> list[Servable]:
    """Every checkpoint that a card, a trainer or a log tells of, in the order of runs and steps."""
    cursor.execute(SERVABLE, {"batch": batch})
    names = [column[0] for column in cursor.description or []]
    return [msgspec.convert(dict(zip(names, row, strict=True)), Servable) for row in cursor.fetchall()]


def choose(texts: Sequence[str], known: Sequence[Servable]) -> list[Servable]:
    """The checkpoints that are meant.

    Args:
        texts: RUN@STEP or RUN@LABEL; RUN for the latest checkpoint whose weights are known; RUN@all for all of those.
        known: What there is.

    Raises:
        DriftlineError: There is no such run or checkpoint, or the path of its weights is unknown.
    """
    by_run: dict[str, list[Servable]] = {}
    for one in known:
        by_run.setdefault(one.run, []).append(one)
    with_weights = {run: [one for one in of if one.has_weights] for run, of in by_run.items()}
    chosen: dict[Checkpoint, Servable] = {}
    for text in texts:
        run, _, step = text.rpartition("@")
        if step == ALL and run in by_run and not any(one.step_label == ALL for one in by_run[run]):
            found = with_weights[run] or [by_run[run][0]]
        else:
            # A run alone is its latest checkpoint, as elsewhere: of those that can be served, if any can.
            among = with_weights.get(text) or known
            (wanted,) = checkpoints_meant([text], among, HAS)
            found = [one for one in known if one.identity == wanted][:1]
        for one in found:
            if not one.has_weights:
                raise DriftlineError(_nothing_known(one, with_weights[one.run]))
            chosen.setdefault(one.identity, one)
    return list(chosen.values())


def _nothing_known(one: Servable, others: Iterable[Servable]) -> str:
    there = ", ".join(other.name for other in others)
    return (
        f"{one.name}: the path of its weights is unknown. In the run.yaml of {one.run}, `checkpoints:` may name an"
        " `adapter:` (a folder) or `weights:` (a path, package:MODULE/FILE or hub:ORG/NAME) for each step, and"
        " `weights:` of the run those that it began with (step 0)." + (f" Known of this run: {there}." if there else "")
    )


SERVABLE = """
WITH known AS (
    SELECT run, step, step_label, weights, adapter, folder, base_model FROM live_checkpoints($batch)
    UNION ALL
    SELECT DISTINCT run, step, CASE WHEN step IS NULL THEN step_label END, NULL, NULL, NULL, NULL
    FROM live_placements($batch) p
    WHERE placed AND (step IS NOT NULL OR step_label IS NOT NULL)
)
SELECT k.run, k.step, any_value(k.step_label) AS step_label, any_value(k.weights) AS weights,
       any_value(k.adapter) AS adapter, any_value(k.folder) AS folder, any_value(r.weights) AS base,
       coalesce(any_value(r.base_model), any_value(k.base_model)) AS base_model
FROM known k LEFT JOIN live_runs($batch) r USING (run)
GROUP BY k.run, k.step, CASE WHEN k.step IS NULL THEN k.step_label END
ORDER BY any_value(r.position), k.run, k.step NULLS LAST, step_label
"""
