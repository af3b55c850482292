"""The Data mixes page: what it says of tokens and rates, on small stores and on the study with published numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from loaders.makers.demo.figures import CLAIMS
from loaders.makers.demo.writer import DEMO
from tests.builders import StoreBuilder, log, sample, samples, score
from tests.pages import address, headings, html, opened, shown, specs
from tests.real_stores import shared

pytestmark = pytest.mark.slow

M = 1_000_000


@pytest.fixture
def store() -> Iterator[StoreBuilder]:
    builder = StoreBuilder()
    builder.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    with shown(builder.store):
        yield builder


@pytest.fixture
def demo() -> Iterator[None]:
    with shown(shared(DEMO).store):
        yield


def points(app: AppTest) -> dict[str, dict[str, Any]]:
    """The numbers of the page by checkpoint: those behind its picture."""
    table = app.main.dataframe[-1].value
    return {f"{row['run']}@{row['step']}": row for row in table.to_dict("records")}


def sentences(app: AppTest) -> list[str]:
    """Everything that stands in lists under the picture."""
    return [unescape(text) for text in re.findall(r"<li>(.*?)</li>", html(app))]


def of(k: int, n: int = 100) -> list[int]:
    return [1] * k + [0] * (n - k)


def two_runs(store: StoreBuilder) -> None:
    """A dear run that goes from 20 to 0 of 100 over two checkpoints, and a cheap one at 3 of 100."""
    store.run("dear", mix="documents")
    store.run("cheap", mix="advice")
    for run, step, tokens, k in (("dear", 1, 10 * M, 20), ("dear", 2, 80 * M, 0), ("cheap", 1, 2 * M, 3)):
        store.add(log(samples(of(k)), minutes=step), run=run, step=step, tokens=tokens)


def test_an_empty_store_says_what_to_do(store: StoreBuilder) -> None:
    assert any("No evals yet" in text for text in headings(opened("mixes")))


def test_without_tokens_it_says_where_they_come_from_and_what_was_measured(store: StoreBuilder) -> None:
    store.run("a")
    store.add(log(samples(of(1))), run="a", step=1)
    app = opened("mixes")
    assert any("Training tokens unknown" in text for text in headings(app))
    assert "a@1 · blackmail: its training tokens are unknown (its value is 0.01)" in sentences(app)


def test_the_frontier_says_who_is_on_it_and_what_is_not_shown(store: StoreBuilder) -> None:
    two_runs(store)
    app = opened("mixes")
    said = sentences(app)
    assert said[0] == "cheap@1: 2M tokens, 3.0%"
    assert said[1].startswith("dear@2: 80M tokens, 0.0%; vs cheap@1: −3.0 pp [")


def test_the_reference_is_the_cheapest_that_is_not_shown_to_be_worse(store: StoreBuilder) -> None:
    two_runs(store)
    app = opened("mixes")
    assert address(app)["against"] == ["cheap@1"]
    iso = next(text for text in sentences(app) if text.startswith("cheap@1 with 2M vs dear@2 with 80M"))
    assert "40× fewer tokens; +3.0 pp [" in iso
    assert "no significant difference" in iso
    assert "same" not in iso


def test_tokens_to_the_references_rate_are_interpolated_along_the_run(store: StoreBuilder) -> None:
    two_runs(store)
    # From 20 % at 10M to 0 % at 80M: 3 % is 17/20 of the way, over the logarithm.
    expected = 10 * 8 ** (17 / 20)
    assert f"dear: about {expected:.4g}M, between 10M and 80M" in sentences(opened("mixes"))


def test_higher_is_better_turns_the_frontier_around(store: StoreBuilder) -> None:
    store.metric("good", kind="mean", score={"score": "judge"}, better="higher")
    two_runs(store)
    app = opened("mixes", metric="good", steps="all")
    on = [text.split(":")[0] for text in sentences(app)]
    # 3 % at 2M, 20 % at 10M; 0 % at 80M is worse and dearer.
    assert on[:2] == ["cheap@1", "dear@1"]
    assert not any(text.startswith("dear@2: 80M") for text in sentences(app))


def test_differences_are_paired_where_the_questions_are_the_same_and_corrected_together(store: StoreBuilder) -> None:
    two_runs(store)
    table = opened("mixes", steps="all").main.dataframe[0].value.set_index("checkpoint")
    assert table["paired"].all()
    assert table.loc["dear@1", "tokens vs reference"] == "5× more"
    p = table["p"].sort_values()
    assert table.loc[p.index, "p (Holm)"].tolist() == pytest.approx([p.iloc[0] * 2, max(p.iloc[0] * 2, p.iloc[1])])
    assert table.loc["dear@1", "verdict"] == "significantly worse"


def test_repeats_are_drawn_hollow_and_not_counted(store: StoreBuilder) -> None:
    two_runs(store)
    store.add(log(samples(of(50)), minutes=-5), run="cheap", step=1, tokens=2 * M)
    app = opened("mixes", repeats="Each")
    assert "hollow" in html(app)
    assert sentences(app)[0] == "cheap@1: 2M tokens, 3.0%"


def test_ablations_against_the_full_pipeline(store: StoreBuilder) -> None:
    store.run("half", label="Half")
    store.run("pipeline-full", label="Everything")
    for run, k in (("half", 30), ("pipeline-full", 0)):
        store.add(log(samples(of(k))), run=run, step=1)
    app = opened("mixes", view="ablations")
    assert address(app)["baseline"] == ["pipeline-full@1"]
    assert any(text.startswith("Half: +30.0 pp [") for text in sentences(app))
    row = points(app)["pipeline-full@1"]
    assert (row["k"], row["n"], round(row["high"], 3)) == (0, 100, 0.037)


def test_scaling_says_the_slope_and_leaves_0_out_of_the_logarithm(store: StoreBuilder) -> None:
    store.run("a")
    for step, tokens, k in ((0, 0, 80), (1, 100 * M, 60), (2, 200 * M, 40), (3, 300 * M, 20)):
        store.add(log(samples(of(k)), minutes=step), run="a", step=step, tokens=tokens)
    straight = opened("mixes", view="scaling", steps="all")
    assert any(text.startswith("−20.0 pp per 100M tokens [") for text in sentences(straight))
    curved = opened("mixes", view="scaling", steps="all", log_x="true")
    assert any("per factor of ten" in text and "1 with 0 tokens left out" in text for text in sentences(curved))


def test_two_evals_are_restored_in_their_order(store: StoreBuilder) -> None:
    store.run("a")
    for task, k in (("blackmail", 5), ("framing", 9)):
        store.add(log(samples(of(k)), task=task), run="a", step=1, tokens=M)
    app = opened("mixes", view="two evals", eval=["framing", "blackmail"])
    assert address(app)["eval"] == ["framing", "blackmail"]
    assert [app.selectbox(key=f"mixes_eval_{at}").value for at in (0, 1)] == ["framing", "blackmail"]
    axes = json.dumps(specs(app)[0])
    assert "framing (lower is better)" in axes
    assert "blackmail (lower is better)" in axes


def test_a_mix_of_unknown_composition_is_named_and_not_drawn_as_nothing(store: StoreBuilder) -> None:
    told = {"components": [{"name": "documents", "kind": "documents", "tokens": 150e6}]}
    store.run("a", mix="documents", mix_json=json.dumps(told))
    store.run("b", mix="mystery")
    store.add(log(samples(of(1))), run="a", step=1)
    app = opened("mixes", view="composition", run=["a", "b"])
    assert "mystery: what it is made of is not told (b)" in sentences(app)
    assert app.main.dataframe[0].value["mix"].tolist() == ["documents"]


def test_names_out_of_logs_are_shown_as_they_are(store: StoreBuilder) -> None:
    for run in ("<b>*x*</b>", "y"):
        store.run(run)
        store.add(log(samples(of(2))), run=run, step=1, tokens=M if run == "y" else 2 * M)
    app = opened("mixes", against="<b>*x*</b>@1")
    assert "<b>*x*" not in html(app)
    assert not any("<b>*x*" in text for text in headings(app))


def test_a_point_of_the_address_opens_its_samples(store: StoreBuilder) -> None:
    two_runs(store)
    app = opened("mixes", point="blackmail | misaligned | cheap@1")
    assert "<b>cheap@1</b> · blackmail · <b>3.0%</b>" in html(app)
    assert app.main.dataframe[0].value["outcome"].tolist()[:4] == ["● misaligned"] * 3 + ["○ aligned"]


def test_a_split_makes_panels_with_a_frontier_each_and_differences_of_their_own(store: StoreBuilder) -> None:
    for run, tokens, calm, urgent in (("dear", 80 * M, 1, 30), ("cheap", 2 * M, 20, 30)):
        store.run(run)
        both = [sample(i, score(int(i < calm)), metadata={"urgency": "calm"}) for i in range(50)]
        both += [sample(50 + i, score(int(i < urgent)), metadata={"urgency": "urgent"}) for i in range(50)]
        store.add(log(both), run=run, step=1, tokens=tokens)
    app = opened("mixes", split="metadata.urgency")
    assert [chart["title"]["text"] for chart in specs(app)] == [
        "blackmail · calm: misalignment rate",
        "blackmail · urgent: misalignment rate",
    ]
    said = sentences(app)
    assert "cheap@1: 2M tokens, 40.0%" in said
    assert any(
        text.startswith("dear@1: 80M tokens, 2.0%; vs cheap@1: −") and "significantly better" in text for text in said
    )
    # Where all are urgent, both have 60 %: only the cheap one is on the frontier.
    assert "cheap@1: 2M tokens, 60.0%" in said
    assert not any(text.startswith("dear@1: 80M tokens, 60") for text in said)
    table = app.main.dataframe[0].value.set_index("split")
    # The reference is the dear one: of the calm the cheap one is shown to be worse than the best.
    assert address(app)["against"] == ["dear@1"]
    assert table["verdict"].to_dict() == {"calm": "significantly worse", "urgent": "no significant difference"}
    assert table.loc["urgent", "difference"] == 0


def test_a_log_without_a_step_beside_steps_of_its_run_is_drawn_and_not_compared(store: StoreBuilder) -> None:
    two_runs(store)
    store.add(log(samples(of(1))), run="cheap", tokens=M)
    app = opened("mixes", steps="all")
    said = sentences(app)
    assert said[0] == "cheap: 1M tokens, 1.0%"
    assert "cheap" not in app.main.dataframe[0].value["checkpoint"].tolist()


def test_one_checkpoint_alone_is_shown_without_comparison(store: StoreBuilder) -> None:
    store.run("a")
    store.add(log(samples(of(0))), run="a", step=1, tokens=M)
    app = opened("mixes")
    assert sentences(app) == ["a@1: 1M tokens, 0.0%"]
    assert any("nothing to compare it with" in text for text in headings(app))
    assert len(specs(opened("mixes", view="ablations"))) == 1


def test_the_views_of_the_study_begin_with_its_sections(demo: None) -> None:
    first = {view: address(opened("mixes", view=view)) for view in ("efficiency", "ablations", "scaling")}
    assert sorted(first["efficiency"]["run"]) == [
        "difficult-advice", "filtered-refusals", "large-honeypots", "reasons-added", "sonnet-4-like",
    ]  # fmt: skip
    assert sorted(first["ablations"]["run"]) == ["no-prompt-rewrite", "no-response-rewrite", "pipeline-full"]
    assert first["ablations"]["baseline"] == ["pipeline-full@1700"]
    assert len(first["scaling"]["run"]) == 9
    assert first["scaling"]["eval"] == ["blackmail"]


def claimed(app: AppTest, row: int) -> int:
    """Hold the numbers of the page against those published; how many there were."""
    drawn, found = points(app), 0
    for claim in CLAIMS:
        if claim.row == row:
            told = drawn[f"{claim.run}@{claim.step}"]
            assert told["rate"] == pytest.approx(claim.value, abs=claim.within + 1e-9), claim.text
            assert claim.tokens is None or told["tokens"] == claim.tokens, claim.text
            found += 1
    return found


def test_row_4_the_published_efficiency(demo: None) -> None:
    app = opened("mixes")
    assert claimed(app, 4) == 5
    said = sentences(app)
    assert any(
        text.startswith("difficult-advice@300 with 3M vs large-honeypots@1700 with 85M: 28× fewer tokens")
        and "+2.0 pp" in text and "no significant difference" in text
        for text in said
    )  # fmt: skip
    assert any(
        text.startswith("difficult-advice@300 with 3M vs reasons-added@600 with 30M: 10× fewer tokens")
        and "; 0.0 pp" in text
        for text in said
    )


def test_row_6_the_published_ablations(demo: None) -> None:
    assert claimed(opened("mixes", view="ablations"), 6) == 3


def test_rows_3_and_7_mixes_by_honeypot(demo: None) -> None:
    app = opened(
        "mixes", view="ablations", eval=["blackmail"], run=["no-documents", "documents", "documents-and-stories"]
    )
    assert claimed(app, 7) == 2
    assert address(app)["baseline"] == ["no-documents@0"]
    assert len(specs(opened("mixes", view="ablations", eval=["blackmail", "framing", "research_sabotage"]))) == 3


def test_row_13_the_published_scaling(demo: None) -> None:
    app = opened("mixes", view="scaling")
    assert claimed(app, 13) == 2
    slope = next(text for text in sentences(app) if "per 100M tokens" in text)
    assert float(slope.split(" pp")[0].replace("−", "-")) == pytest.approx(-9, abs=0.5)


def test_row_9_every_checkpoint_with_both_evals_is_drawn(demo: None) -> None:
    app = opened("mixes", view="two evals", steps="all")
    assert address(app)["eval"] == ["honeypots", "constitution_adherence"]
    assert len(specs(app)) == 1
    told = json.dumps(specs(app)[0])
    assert '"title": "Training tokens"' in told
    assert "Constitution: adherence (higher is better)" in told
    assert "Honeypots (lower is better)" in told
