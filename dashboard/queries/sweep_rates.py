"""Rates of one prompt over checkpoints: a saved sweep as a tidy frame. Pure; no model is asked by it."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from dashboard.queries.frame import COUNT, NUMBER, TEXT, frame_of
from dashboard.queries.probe_rates import probe_rates, verdict_of
from dashboard.queries.probes import SavedProbe, SavedReply

SWEEP_COLUMNS: dict[str, str] = {
    "position": COUNT, "framing": TEXT, "run": TEXT, "run_label": TEXT, "step": COUNT, "step_label": TEXT,
    "model": TEXT, "endpoint": TEXT, "k": COUNT, "n": COUNT, "rate": NUMBER, "low": NUMBER, "high": NUMBER,
    "interval": TEXT, "n_missing": COUNT, "under_way": COUNT, "failed": COUNT, "unjudged": COUNT,
}  # fmt: skip
"""Columns of `sweep_rates`, a row for each column of the probe and framing. `run` is the model's name where no run is
known. `rate`, `low` and `high` are missing, never 0, where nothing has a verdict. `interval` names what `low` and
`high` are: Wilson's, or where verdicts are missing one that is valid at any time. `n_missing` counts the conversations
without one: those still asked (`under_way`), those that `failed` or were stopped, and complete ones that are
`unjudged`: nobody has judged them yet, the judge failed, or people disagree."""

WILSON, ANYTIME = "Wilson", "anytime-valid"
"""What `low` and `high` are."""

UNDER_WAY = frozenset({"waiting", "asking", "streaming"})


def sweep_rates(probe: SavedProbe, by: str, labels: Mapping[str, str] | None = None) -> pd.DataFrame:
    """The rate of every checkpoint of a probe: `SWEEP_COLUMNS`, by framing, then in the order of its columns.

    Args:
        probe: With the replies that have come so far.
        by: A judge's id, or `dashboard.queries.probe_rates.PEOPLE`.
        labels: Run to its label.
    """
    rates = {(rate.framing, rate.position): rate for rate in probe_rates(probe.replies, by)}
    missing: dict[tuple[str, int], list[str]] = {}
    for reply in last_replies(probe):
        if verdict_of(reply, by) is None:
            missing.setdefault((reply.framing, reply.position), []).append(_why_missing(reply))
    rows = []
    for framing in dict.fromkeys(reply.framing for reply in probe.replies):
        for column in probe.columns:
            at = (framing, column["position"])
            run, rate, why = str(column["run"] or column["model"]), rates.get(at), missing.get(at, [])
            counted = {} if rate is None else {n: getattr(rate, n) for n in ("k", "n", "rate", "low", "high")}
            if rate is not None and rate.n:
                counted["interval"] = ANYTIME if rate.anytime else WILSON
            rows.append(
                {
                    **{name: column[name] for name in ("position", "step", "step_label", "model", "endpoint")},
                    **counted,
                    "framing": framing,
                    "run": run,
                    "run_label": (labels or {}).get(run) or run,
                    "n_missing": len(why),
                    **{name: why.count(name) for name in ("under_way", "failed", "unjudged")},
                }
            )
    return frame_of(rows, SWEEP_COLUMNS)


def last_replies(probe: SavedProbe) -> list[SavedReply]:
    """The last reply of every conversation: what a rate counts."""
    last: dict[tuple[str, int, int], SavedReply] = {}
    for reply in sorted(probe.replies, key=lambda reply: reply.turn):
        last[reply.framing, reply.position, reply.sample] = reply
    return list(last.values())


def _why_missing(reply: SavedReply) -> str:
    if reply.status in UNDER_WAY:
        return "under_way"
    return "unjudged" if reply.status == "complete" else "failed"
