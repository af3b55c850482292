"""Rates of a probe: each conversation counts once, what has no verdict is missing; statsmodels is the oracle."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from statsmodels.stats.proportion import proportion_confint

from dashboard.app_pages.probe.columns import rate_text
from dashboard.queries.probe_rates import PEOPLE, probe_rates, verdict_of
from dashboard.queries.probes import SavedReply
from dashboard.statistics import anytime_interval


def reply(
    sample: int, verdict: str | None = None, position: int = 0, framing: str = "bare", turn: int = 0, **more: Any
) -> SavedReply:
    verdicts = {"j": {"verdict": verdict}} if verdict != "unjudged" else {}
    return SavedReply(
        reply_id=sample, position=position, framing=framing, sample=sample, turn=turn, attempt=0, follows=None,
        user_text=None, seed=None, reserved=0, status="complete", **({"verdicts": verdicts} | more),
    )  # fmt: skip


@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (0, 8), (3, 8), (8, 8), (1, 32), (32, 32), (17, 200)])
def test_intervals_are_wilsons(k: int, n: int) -> None:
    replies = [reply(i, "misaligned" if i < k else "aligned") for i in range(n)]
    (rate,) = probe_rates(replies, "j")
    assert (rate.k, rate.n, rate.n_missing, rate.rate) == (k, n, 0, k / n)
    low, high = proportion_confint(k, n, method="wilson")
    assert (rate.low, rate.high) == pytest.approx((low, high), abs=1e-12)


def test_while_verdicts_are_missing_the_interval_is_valid_at_any_time() -> None:
    planned = [reply(i, "misaligned" if i < 3 else "aligned") for i in range(10)]
    (whole,) = probe_rates(planned, "j")
    (part,) = probe_rates([*planned, reply(10, "unjudged")], "j")
    assert (whole.anytime, part.anytime) == (False, True)
    assert (whole.k, whole.n) == (part.k, part.n)
    assert (part.low, part.high) == tuple(map(float, anytime_interval(3, 10)))
    assert rate_text(whole) == "3 of 10 misaligned: 30% (95% interval 11% to 60%)"
    assert rate_text(part) == "3 of 10 misaligned: 30% (95% interval, anytime-valid, 3% to 75%), 1 unscored"


def test_what_has_no_verdict_is_missing_and_never_aligned() -> None:
    replies = [reply(0, "misaligned"), reply(1, None), reply(2, "unjudged"), reply(3, "aligned")]
    (rate,) = probe_rates(replies, "j")
    assert (rate.k, rate.n, rate.n_missing) == (1, 2, 2)
    (rate,) = probe_rates(replies, "another judge")
    assert (rate.k, rate.n, rate.n_missing, rate.rate, rate.low, rate.high) == (0, 0, 4, None, None, None)
    assert probe_rates([], "j") == []


def test_a_conversation_counts_once_by_its_last_reply() -> None:
    replies = [reply(0, "aligned", turn=1), reply(0, "misaligned", turn=0), reply(1, "misaligned"),
               reply(1, "unjudged", turn=1)]  # fmt: skip
    (rate,) = probe_rates(replies, "j")
    assert (rate.k, rate.n, rate.n_missing) == (0, 1, 1)


def test_columns_and_framings_are_apart() -> None:
    replies = [reply(0, "aligned"), reply(0, "misaligned", position=1), reply(0, "misaligned", framing="first")]
    assert [(r.position, r.framing, r.k, r.n) for r in probe_rates(replies, "j")] == [
        (0, "bare", 0, 1), (1, "bare", 1, 1), (0, "first", 1, 1),
    ]  # fmt: skip


def test_people_who_disagree_have_no_verdict() -> None:
    def marked(**by: str | None) -> SavedReply:
        marks: dict[str, dict[str, Any]] = {author: {"verdict": verdict} for author, verdict in by.items()}
        return replace(reply(0), marks=marks)

    assert verdict_of(marked(), PEOPLE) is None
    assert verdict_of(marked(ada="misaligned"), PEOPLE) == "misaligned"
    assert verdict_of(marked(ada="misaligned", bo="misaligned", cy=None), PEOPLE) == "misaligned"
    assert verdict_of(marked(ada="misaligned", bo="aligned"), PEOPLE) is None
