"""The panel of runs: searched by a regular expression, shown and hidden, the same on every page, with own colors."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import links
from dashboard.kit.run_colors import parsed, written
from dashboard.pages import page_file
from dashboard.short_addresses import whole
from tests.builders import StoreBuilder, built_once, log, samples
from tests.pages import address, chosen, headings, html, offered, opened, showing, shown

pytestmark = pytest.mark.slow

RUNS = ["a1", "a2", "a3", "b1", "b2"]


@built_once
def built() -> StoreBuilder:
    builder = StoreBuilder()
    builder.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    for run in RUNS:
        builder.run(run, section=run[0], mix=f"mix-{run[0]}")
        for step in (0, 10):
            builder.add(log(samples([1, 0, 0, 0])), run=run, step=step)
    return builder


store = showing(built)


def went_to(app: AppTest, page: str) -> dict[str, list[str]]:
    app.query_params.clear()
    app.switch_page(page_file(page)).run()
    assert not app.exception
    return address(app)


def test_the_panel_lists_all_runs_a_section_together_and_checks_those_that_are_shown(store: StoreBuilder) -> None:
    app = opened("curves", section="b")
    assert offered(app, "curves_run") == ["b1", "b2", "a1", "a2", "a3"]
    assert chosen(app, "curves_run") == ["b1", "b2"]
    assert app.session_state["curves_run_rows"]["selection"]["rows"] == [0, 1]
    assert "2 of 5 shown" in html(app)
    # One place for one choice.
    assert not [picker for picker in app.multiselect if picker.label in ("Runs", "Mixes", "Checkpoints")]


def test_all_that_match_are_shown_or_hidden_and_the_others_stay(store: StoreBuilder) -> None:
    app = opened("curves", section="b")
    app.text_input(key="run_search").set_value("A[12]").run()
    assert offered(app, "curves_run") == ["a1", "a2"]
    app.button(key="run_Show").click().run()
    assert address(app)["run"] == ["b1", "b2", "a1", "a2"]
    app.text_input(key="run_search").set_value("^b$").run()
    assert offered(app, "curves_run") == ["b1", "b2"]
    app.button(key="run_Hide").click().run()
    assert address(app)["run"] == ["a1", "a2"]
    app.text_input(key="run_search").set_value("(a").run()
    assert "Not a regular expression" in html(app)
    assert len(offered(app, "curves_run")) == len(RUNS)


def test_the_choice_holds_on_the_other_pages_until_a_section_is_picked(store: StoreBuilder) -> None:
    app = opened("curves", section="a")
    app.text_input(key="run_search").set_value("a2").run()
    app.button(key="run_Hide").click().run()
    assert address(app)["run"] == ["a1", "a3"]
    assert went_to(app, links.MIXES)["run"] == ["a1", "a3"]
    assert went_to(app, links.ASSESSMENT)["checkpoint"] == ["a1@10", "a3@10"]
    assert went_to(app, links.COMPARE)["checkpoint"] == ["a1@10", "a3@10"]
    assert went_to(app, links.OVERVIEW)["run"] == ["a1", "a3"]
    went_to(app, links.COMPARE)
    app.text_input(key="checkpoint_search").set_value("a2@10").run()
    app.button(key="checkpoint_Show").click().run()
    assert went_to(app, links.CURVES)["run"] == ["a1", "a2", "a3"]
    app.selectbox(key="curves_section").set_value("b").run()
    assert address(app)["run"] == ["b1", "b2"]
    assert went_to(app, links.MIXES)["run"] == ["b1", "b2"]


def test_mixes_stand_for_their_runs(store: StoreBuilder) -> None:
    app = opened("curves", series="mix", section="a")
    assert (offered(app, "curves_mix"), chosen(app, "curves_mix")) == (["mix-a", "mix-b"], ["mix-a"])
    app.button(key="mix_Show").click().run()
    assert address(app)["mix"] == ["mix-a", "mix-b"]
    assert went_to(app, links.MIXES)["run"] == RUNS


def test_a_color_of_ones_own_stands_in_the_address_and_holds_on_the_other_pages(store: StoreBuilder) -> None:
    app = opened("curves", section="a", color=["a1=0A0b0C", "b1=nothing", "a2"])
    assert address(app)["color"] == ["a1=0A0B0C"]
    assert went_to(app, links.MIXES)["color"] == ["a1=0A0B0C"]
    app.button(key="run_color_reset").click().run()
    assert "color" not in address(app)


def test_colors_are_read_as_they_are_written() -> None:
    colors = {"a=b": "#00FF11", "b": "#000000"}
    assert parsed(written(["a=b", "c"], colors) or []) == {"a=b": "#00FF11"}
    assert written(["c"], colors) is None


def test_a_baseline_holds_on_the_other_pages() -> None:
    builder = StoreBuilder()
    builder.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    builder.run("base")
    builder.add(log(samples([1, 1, 0, 0])), run="base", step=0)
    for run in ("a", "b"):
        builder.run(run, parent_run="base", parent_step=0)
        for step in (5, 10):
            builder.add(log(samples([1, 0, 0, 0])), run=run, step=step)
    with shown(builder.store):
        app = opened("compare", checkpoint=["a@10", "b@10"])
        app.selectbox(key="compare_baseline").set_value("b@10").run()
        assert address(app)["baseline"] == ["b@10"]
        assert went_to(app, links.PERSISTENCE)["baseline"] == ["b"]


def test_300_long_names_fit_in_an_address_and_a_choice_that_does_not_is_told() -> None:
    names = [
        f"{number * 7919 % 10**6:06}-of-a-sweep-with-long-names-{number * 104729 % 10**9:09}" for number in range(300)
    ]
    builder = StoreBuilder()
    builder.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    for name in names:
        builder.add(log(samples([1, 0])), run=name, step=0)
    with shown(builder.store):
        app = opened("curves", run=names[:2])
        app.button(key="run_Show").click().run()
        told = address(app)
        assert len(links.query(told)) < 2000
        assert whole(told)["run"] == ["*"]
        assert set(chosen(opened("curves", **told), "curves_run")) == set(names)
        app.text_input(key="run_search").set_value("^0").run()
        app.button(key="run_Hide").click().run()
        assert any("too long for some programs" in text for text in headings(app))
