"""What a browser's tab is called."""

from __future__ import annotations

from dashboard import links
from dashboard.kit.page.titles import LONGEST, tab_title
from dashboard.pages import NAMED

EVALS = {"honeypots": "Honeypots", "framing": "Framing for crimes"}
METRICS = {"misaligned": "Misaligned"}


def _title(page: str, **state: list[str]) -> str:
    return tab_title(NAMED[page], state, EVALS, METRICS)


def test_a_page_of_charts_names_its_evals_and_its_metric() -> None:
    assert (
        _title(links.CURVES, eval=["honeypots"], metric=["misaligned"]) == "Curves · Honeypots, Misaligned · Driftline"
    )


def test_many_are_counted_and_none_is_left_out() -> None:
    assert _title(links.CURVES, eval=["honeypots", "framing", "other"]) == "Curves · 3 evals · Driftline"
    assert _title(links.CURVES, eval=[""]) == "Curves · Driftline"


def test_a_transcript_names_its_sample_and_its_epoch() -> None:
    assert _title(links.TRANSCRIPT, log=["k"], sample=["q7"], epoch=["1"]) == "Transcript · q7 · Driftline"
    assert _title(links.TRANSCRIPT, log=["k"], sample=["q7"], epoch=["3"]) == "Transcript · q7, epoch 3 · Driftline"
    assert _title(links.TRANSCRIPT) == "Transcript · Driftline"


def test_a_question_at_several_checkpoints_is_named() -> None:
    assert _title(links.BESIDE, eval=["framing"], sample=["q7"]) == "Side by side · q7 · Framing for crimes · Driftline"


def test_a_long_name_is_cut() -> None:
    told = _title(links.CURVES, eval=["x" * 500])
    assert len(told) < LONGEST + 30
    assert told.endswith("… · Driftline")
