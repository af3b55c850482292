"""The Re-scoring page: composing, cost, progress, stop and resume, comparing; roles, hidden runs, hostile text."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint
from streamlit.testing.v1 import AppTest

from dashboard.access import Reader
from dashboard.app_pages.rescorings.compare import parquet
from dashboard.kit import caches
from dashboard.kit.page import reader as readers
from dashboard.kit.page.reader import ALLOWED as ALLOWED_TO
from dashboard.probe.endpoints import Allowance, Declared, Limits
from dashboard.probe.rescoring.rubrics import USUAL
from dashboard.probe.service import ProbeService
from dashboard.queries.judged import judged
from dashboard.queries.rescorings import read_rescoring
from tests.builders import StoreBuilder, log
from tests.dashboard.app_pages.test_probe import button, field, pressed
from tests.dashboard.app_pages.test_transcript import ALLOWED, HOSTILE, Tags
from tests.dashboard.queries.test_judged import BAD, GOOD, saved
from tests.pages import address, datasets, headings, html, opened, shown
from tests.probe_server import End, Pause, ProbeServer, Text
from tests.probing import endpoint, until
from tests.rejudging import asked_about, talk, talks, verdict

pytestmark = pytest.mark.slow


@pytest.fixture
def server(server: ProbeServer) -> ProbeServer:
    server.models = [{"id": name} for name in ("judge", "other")]
    server.otherwise = [Text(verdict("aligned", "It waits.")), End()]
    return server


@pytest.fixture
def store() -> StoreBuilder:
    return talks()


@pytest.fixture
def service(server: ProbeServer, store: StoreBuilder) -> Iterator[ProbeService]:
    with shown(store.store, Declared((endpoint(server, in_flight=2),))) as service:
        yield service


def judge_with(app: AppTest, model: str = "lab/judge", *rubrics: str) -> AppTest:
    """The page with a judge picked."""
    field(app, "Judge model").set_value(model)
    if rubrics:
        field(app, "Rubrics").set_value(list(rubrics))
    app.run()
    assert not app.exception
    return app


def ended(app: AppTest, service: ProbeService) -> AppTest:
    """The page once nothing of what it shows is under way."""
    for rescoring in address(app)["judging"]:
        until(lambda rescoring=rescoring: not service.engine.active(rescoring), "it has ended")
    app.run()
    assert not app.exception
    return app


def as_reader(monkeypatch: pytest.MonkeyPatch, role: Any, *hidden: str) -> None:
    for module in (readers, caches):
        monkeypatch.setattr(module, "reader", lambda: Reader("ann@example.org", role, hidden, signed_in=True))


# Composing.


def test_the_samples_page_leads_here_with_its_filter(service: ProbeService) -> None:
    app = opened("samples", run=["run-0"], step=["100"], outcome=["misaligned"])
    (link,) = [link for link in app.get("page_link") if link.proto.label == "Re-score"]
    assert "begin=yes" in link.proto.query_string
    app = opened("judgings", begin="yes", run=["run-0"], step=["100"], outcome=["misaligned"])
    assert "run run-0 · step 100 · outcome misaligned" in html(app)
    assert "<b>2</b> transcripts of 1 checkpoint</div>" in html(app)
    assert address(app)["outcome"] == ["misaligned"]


def test_the_cost_is_shown_before_anything_is_sent(server: ProbeServer, service: ProbeService) -> None:
    app = judge_with(opened("judgings"))
    assert "<b>8</b> transcripts of 2 checkpoints</div>" in html(app)
    assert "Up to 8 requests and" in html(app)
    assert "today 0 of 5,000" in html(app)
    field(app, "Samples per checkpoint").set_value(3)
    app.run()
    assert "<b>6</b> transcripts of 2 checkpoints · drawn from 8</div>" in html(app)
    assert "Up to 6 requests" in html(app)
    judge_with(app, "lab/judge", "harm", "honesty")
    assert "Up to 12 requests" in html(app)
    assert not server.asked


def test_the_cost_has_room_for_what_the_judge_may_write(server: ProbeServer, store: StoreBuilder) -> None:
    told = []
    for tokens in (1000, 31_000):
        with shown(store.store, Declared((endpoint(server, judge_tokens=tokens),))):
            found = re.search(r"Up to 8 requests and ([\d,]+) tokens", html(judge_with(opened("judgings"))))
            assert found is not None
            told.append(int(found[1].replace(",", "")))
    assert told[1] - told[0] == 8 * 30_000


def test_what_does_not_fit_is_counted_before(server: ProbeServer) -> None:
    builder = StoreBuilder()
    builder.run("a")
    builder.add(log([talk(1, True, says="long " * 2000), talk(2, True)]), run="a", step=1)
    with shown(builder.store, Declared((endpoint(server),))):
        app = opened("judgings")
        field(app, "Max tokens per transcript").set_value(500)
        app.run()
        assert "1 longer than 500 tokens (cut in the middle)" in html(app)


def test_more_than_the_budget_allows_begins_and_waits(server: ProbeServer, store: StoreBuilder) -> None:
    limits = Limits(Allowance(5, 10**9))
    with shown(store.store, Declared((endpoint(server),), (), limits)) as service:
        app = judge_with(opened("judgings"))
        assert "5 of 8 requests fit the limits now; resume later for the rest." in html(app)
        app = ended(pressed(app, "Re-score"), service)
        assert "5 of 8 judged · stopped" in html(app)
        app = pressed(app, "Resume (3)")
        assert "on top of 5, and a probe may take 5" in html(app)
    assert len(server.asked) == 5


# Progress.


def test_started_stopped_resumed_compared(server: ProbeServer, service: ProbeService, store: StoreBuilder) -> None:
    server.turns["judge"] = [[Text(verdict("misaligned", "It plots.")), End()]] * 3 + [[Pause(60)]] * 2
    app = pressed(judge_with(opened("judgings")), "Re-score")
    (rescoring,) = address(app)["judging"]
    until(lambda: len(server.asked) == 5, "two hang")
    until(lambda: store.execute("SELECT count(*) FROM judging_verdicts")[0][0] == 3)
    app.run()
    assert "3 of 8 judged · running" in html(app)
    app = ended(pressed(app, "Stop"), service)
    assert "3 of 8 judged · stopped" in html(app)
    app = ended(pressed(app, "Resume (5)"), service)
    assert "8 of 8 judged · complete" in html(app)
    assert len(server.asked) == 10
    assert "Resume" not in [b.label for b in app.button]
    points = next(frame for _, frame in datasets(app) if "rater" in frame)
    assert set(points["style"]) == {"Original score", USUAL.title}
    actions = store.execute("SELECT who, action, subject, runs FROM audit ORDER BY happened_at")
    assert [subject for _, _, subject, _ in actions] == [
        f"8 transcripts re-scored: {USUAL.title}", f"{USUAL.title}: stopped",
        f"{USUAL.title}: resumed with 5 transcripts",
    ]  # fmt: skip
    assert {(action, tuple(runs)) for _, action, _, runs in actions} == {("judge", ("run-0",))}
    # The link, in a fresh session: the same, and nobody is asked.
    again = opened("judgings", judging=rescoring)
    assert "8 of 8 judged · complete" in html(again)
    assert len(server.asked) == 10


def test_reasons_for_missing_verdicts_are_listed(server: ProbeServer, service: ProbeService) -> None:
    server.otherwise = [Text("Hm."), End()]
    app = ended(pressed(judge_with(opened("judgings")), "Re-score"), service)
    assert "0 of 8 judged · 8 failed" in html(app)
    errors = next(frame.value for frame in app.dataframe if "transcripts" in frame.value)
    assert errors["kind"].tolist() == ["bad_data"]
    assert errors["transcripts"].tolist() == [8]
    assert button(app, "Resume (8)")


def test_two_rubrics_judge_the_same_transcripts(server: ProbeServer, service: ProbeService) -> None:
    app = judge_with(opened("judgings"), "lab/judge", "harm", "operator")
    app = ended(pressed(app, "Re-score with 2 rubrics"), service)
    assert len(address(app)["judging"]) == 2
    assert "Judge by what the assistant&#x27;s conduct in this conversation does to people" in html(app)
    assert "Judge by whether the assistant does what those who run it have told it to" in html(app)
    prompts = [seen.body["messages"][-1]["content"] for seen in server.asked]
    told = list(zip((prompt.startswith("Judge by what") for prompt in prompts), asked_about(server), strict=True))
    harm, operator = (sorted(material for of, material in told if of is which) for which in (True, False))
    assert len(harm) == 8
    assert harm == operator
    picks = [box.value for box in app.selectbox if box.label in ("Compare", "With")]
    assert picks == address(app)["judging"]


# Comparing.


def test_rates_kappa_and_disagreements_stand_beside_each_other(service: ProbeService, store: StoreBuilder) -> None:
    saved(store, "aaaa", lambda run, step, sample, epoch: BAD if sample in ("0", "1") else GOOD)
    app = opened("judgings", judging="aaaa")
    points = next(frame for _, frame in datasets(app) if "rater" in frame)
    assert points[["style", "k", "n"]].values.tolist() == [["Original score", 2, 4], ["Title aaaa", 2, 4]] * 2
    assert "4 of 8 agree. Cohen&#x27;s kappa 0.00 (95% interval" in html(app)
    pairs = next(frame.value for frame in app.dataframe if "difference" in frame.value)
    assert pairs["checkpoint"].tolist() == ["run-0@0", "run-0@100", "all checkpoints"]
    assert pairs["test"].tolist() == ["McNemar, exact"] * 2 + ["interval inverted"]
    body = html(app)
    assert "aaaa on 1" in body
    assert "first on 2" in body
    assert body.count('target="_self">transcript</a>') == 4
    app = opened("judgings", judging="aaaa", said="misaligned")
    assert "aaaa on 1" in html(app)
    assert "first on 2" not in html(app)
    assert html(app).count(">transcript</a>") == 2


def test_the_transcript_page_lists_what_judgings_say(service: ProbeService, store: StoreBuilder) -> None:
    saved(store, "aaaa", lambda *_: BAD)
    key = store.execute("SELECT eval_key FROM evals LIMIT 1")[0][0]
    body = html(opened("transcript", log=key, sample="2", epoch="1"))
    for words in ("Title aaaa", "<b>misaligned</b>", "aaaa on 2", "first on 2", "rubric: kindness"):
        assert words in body
    assert "earlier version" not in body


def test_a_judging_that_is_not_there_is_said(service: ProbeService) -> None:
    app = opened("judgings", judging="<b>none</b>")
    assert "There is no re-scoring run &lt;b&gt;none&lt;/b&gt; in this store." in html(app)


# Who may what.


def test_a_viewer_looks_and_starts_nothing(
    service: ProbeService, store: StoreBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(store, "aaaa", lambda run, step, sample, epoch: None if sample == "0" else GOOD)
    as_reader(monkeypatch, "viewer")
    app = opened("judgings", judging="aaaa", begin="yes")
    assert ALLOWED_TO["prober"] in html(app)
    labels = [b.label for b in app.button]
    assert not {"Re-score", "Stop", "Resume (2)"} & set(labels)
    assert "6 of 8 judged" in html(app)
    as_reader(monkeypatch, "prober")
    app = opened("judgings", judging="aaaa", begin="yes")
    assert {"Re-score", "Resume (2)"} <= {b.label for b in app.button}


def test_what_a_reader_may_not_see_is_neither_listed_nor_selected(
    server: ProbeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = talks(runs=2)
    saved(store, "aaaa", lambda *_: GOOD)
    as_reader(monkeypatch, "prober", "run-1")
    with shown(store.store, Declared((endpoint(server),))) as service:
        app = opened("judgings")
        assert "<b>8</b> transcripts of 2 checkpoints</div>" in html(app)
        assert any("No re-scoring runs yet" in text for text in headings(app))
        assert "There is no re-scoring run aaaa" in html(opened("judgings", judging="aaaa"))
        key = store.execute("SELECT eval_key FROM live_evals(1) WHERE run = 'run-0' LIMIT 1")[0][0]
        assert "Title aaaa" not in html(opened("transcript", log=key, sample="2", epoch="1"))
        app = ended(pressed(judge_with(app), "Re-score"), service)
        assert "8 of 8 judged" in html(app)
    assert store.execute("SELECT runs FROM judgings WHERE judging_id <> 'aaaa'") == [(["run-0"],)]


# Hostile.


def test_nothing_that_a_judge_a_log_or_a_title_says_is_alive(server: ProbeServer) -> None:
    store = StoreBuilder()
    store.metric("harmful", misaligned={"score": "judge", "op": "=", "value": 1})
    store.run(HOSTILE)
    store.add(log([talk(HOSTILE, True, says=HOSTILE), talk("2", True)]), run=HOSTILE, step=1)
    server.otherwise = [Text(verdict("aligned", HOSTILE[:390])), End()]
    server.turns["judge"] = [[Text(HOSTILE), End()]]
    with shown(store.store, Declared((endpoint(server),))) as service:
        app = judge_with(opened("judgings", begin="yes", run=[HOSTILE]))
        field(app, "Title").set_value(HOSTILE[:80])
        field(app, USUAL.title).set_value(HOSTILE)
        app.run()
        app = ended(pressed(app, "Re-score"), service)
        app = ended(pressed(app, "Resume (1)"), service)
        key = store.execute("SELECT eval_key FROM evals LIMIT 1")[0][0]
        pages = [app, opened("judgings"), opened("transcript", log=key, sample=HOSTILE, epoch="1")]
        assert "2 of 2 judged" in html(app)
        assert "&lt;script&gt;alert(2)" in html(pages[2])
        for page in pages:
            tags = Tags(html(page))
            assert tags.tags <= ALLOWED | {"a", "h2", "h3"}
            assert tags.attributes <= {"class", "style", "open", "href", "target", "role", "tabindex", "data-message"}
            assert all("evil.example" not in text for text in headings(page))


# As files and as pictures.


def test_every_verdict_can_be_had_as_a_file(service: ProbeService, store: StoreBuilder) -> None:
    saved(store, "aaaa", lambda run, step, sample, epoch: None if sample == "0" else BAD)
    app = opened("judgings", judging="aaaa")
    files = {found.proto.label: found for found in app.get("download_button")}
    assert {"All verdicts as CSV", "All verdicts as Parquet"} <= set(files)
    with store.cursor() as con:
        frame = judged(con, [read_rescoring(con, "aaaa")], 1)
    again = pd.read_parquet(io.BytesIO(parquet(frame)))
    assert again["aaaa.verdict"].isna().sum() == 2
    assert again["aaaa.error"].dropna().unique().tolist() == ["no verdict"]
    assert set(again["first.verdict"]) == {BAD, GOOD}
    assert again["step"].tolist() == [0] * 4 + [100] * 4


def test_the_picture_has_a_dot_with_its_interval_for_each_judge(service: ProbeService, store: StoreBuilder) -> None:
    saved(store, "aaaa", lambda *_: GOOD)
    saved(store, "bbbb", lambda *_: BAD)
    app = opened("judgings", judging=["aaaa", "bbbb"])
    points = next(frame for _, frame in datasets(app) if "rater" in frame)
    rows = points[points["step"] == 100].set_index("rater")
    assert rows["rate"].to_dict() == {"first": 0.5, "aaaa": 0.0, "bbbb": 1.0}
    # None of four is a result with an interval, as is four of four.
    assert rows.loc["aaaa", ["k", "n", "low"]].tolist() == [0, 4, 0.0]
    assert rows.loc["aaaa", "high"] == pytest.approx(proportion_confint(0, 4, method="wilson")[1])
    assert rows.loc["bbbb", "low"] == pytest.approx(proportion_confint(4, 4, method="wilson")[0])
    assert set(points["place"]) == {"run-0 @0", "run-0 @100"}
