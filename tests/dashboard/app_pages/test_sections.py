"""The picker of a section: what pages open on, that it is one for all of them, and that links stay as they were."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.kit.pickers.openings import against_baseline, common_evals, spread
from dashboard.queries.catalogue import coverage, evals, runs
from dashboard.queries.sections import within
from loaders.makers.demo.writer import DEMO
from tests.pages import address, begin_at, choose, opened, shown
from tests.real_stores import shared

pytestmark = pytest.mark.slow

OPENS_ON = {
    "curves": "snapshots", "mixes": "data-efficiency", "persistence": "snapshots", "assessment": "constitution",
    "compare": "data-efficiency",
}  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def _demo() -> Iterator[None]:
    with shown(shared(DEMO).store):
        yield


def went_to(app: AppTest, page: str, **query: Any) -> dict[str, list[str]]:
    """The address of another page, in the same session, as a click in the menu leads there."""
    for name in list(app.query_params):
        del app.query_params[name]
    begin_at(app, page)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return address(app)


@pytest.mark.parametrize("page", OPENS_ON)
def test_a_page_opens_on_the_section_that_its_data_suggest(page: str) -> None:
    assert address(opened(page))["section"] == [OPENS_ON[page]]


def test_curves_opens_on_lines_of_one_stage() -> None:
    assert address(opened("curves"))["run"] == ["advice-rl", "documents-rl", "plain-rl", "stories-rl"]
    both = address(opened("curves", section="post-training"))["run"]
    assert both == ["baseline-rl", "baseline-sft"]


def test_another_section_brings_its_runs_and_evals_on_every_page() -> None:
    app = opened("curves")
    app.selectbox(key="curves_section").set_value("corpus").run()
    state = address(app)
    assert (state["section"], state["eval"]) == (["corpus"], ["blackmail"])
    assert all(run.startswith("corpus-") for run in state["run"])
    on_mixes = went_to(app, "mixes")
    assert on_mixes["section"] == ["corpus"]
    assert all(run.startswith("corpus-") for run in on_mixes["run"])
    app.selectbox(key="mixes_section").set_value("environments").run()
    again = went_to(app, "curves")
    assert again["section"] == ["environments"]
    assert again["run"] == ["chat-environments", "with-tools-and-prompts", "with-tools"]


def test_runs_that_were_picked_by_hand_stay_while_the_section_does() -> None:
    app = opened("curves", section="environments")
    choose(app, "curves_run", ["with-tools", "opus-4"])
    assert address(app)["run"] == ["with-tools", "opus-4"]
    went_to(app, "mixes")
    assert went_to(app, "curves")["run"] == ["with-tools", "opus-4"]


def test_a_link_that_names_runs_shows_them_and_leaves_the_other_pages_alone() -> None:
    app = opened("curves", run=["with-tools", "chat-environments"])
    state = address(app)
    assert (state["run"], state["section"]) == (["with-tools", "chat-environments"], ["environments"])
    assert went_to(app, "mixes")["section"] == [OPENS_ON["mixes"]]
    assert address(opened("curves", run=["with-tools", "opus-4"]))["section"] == ["*"]


def test_a_link_that_names_evals_shows_the_section_that_has_them() -> None:
    app = opened("curves", section="corpus")
    evals_named = ["constitution_adherence", "open_character"]
    assert went_to(app, "assessment", eval=evals_named)["section"] == ["document-style"]
    app.multiselect(key="assessment_eval").set_value(["blackmail"]).run()
    assert address(app)["section"] == ["document-style"]
    assert went_to(app, "mixes")["section"] == ["corpus"]


def test_a_view_of_data_mixes_brings_its_section_until_one_is_picked() -> None:
    app = opened("mixes")
    app.segmented_control(key="view").set_value("scaling").run()
    state = address(app)
    assert (state["section"], state["eval"], len(state["run"])) == (["corpus"], ["blackmail"], 9)


def test_persistence_offers_only_sections_with_runs_that_it_can_follow() -> None:
    app = opened("persistence", section="generations")
    assert address(app)["section"] == ["snapshots"]
    assert "generations" not in app.selectbox(key="persistence_section").options


@pytest.mark.parametrize(("study", "page"), [("shutdown", "curves"), ("emergent", "curves"), ("shutdown", "compare")])
def test_a_study_of_one_folder_is_asked_for_no_section(study: str, page: str, shared_data: Path) -> None:
    with shown(shared(shared_data / study).store):
        app = opened(page)
        assert "section" not in address(app)
        assert not [picker for picker in app.selectbox if picker.label == "Section"]
        # Logs without a run are no comparison.
        assert page != "compare" or address(app)["checkpoint"] == [""]


def compared(section: str, names: list[str]) -> list[str]:
    store = shared(DEMO)
    with store.store.cursor() as cursor:
        every, here = runs(cursor, store.store.batch()), coverage(cursor, store.store.batch())
    return against_baseline(within(every, section), here[here["eval"].isin(names)])


def test_what_is_compared_with_what() -> None:
    assert compared("environments", ["blackmail"])[1:] == [
        "chat-environments@400", "with-tools-and-prompts@400", "with-tools@400",
    ]  # fmt: skip
    assert compared("generations", ["blackmail"]) == ["haiku-4.5@final", "opus-4.5@final", "opus-4@final"]
    assert compared("snapshots", ["framing"]) == [
        f"{name}-rl@400" for name in ("advice", "documents", "plain", "stories")
    ]
    corpora = compared("corpus", ["blackmail"])
    assert (corpora[0], corpora[1], corpora[-1], len(corpora)) == (
        "no-documents@0", "corpus-010m@20", "corpus-390m@780", 8,
    )  # fmt: skip
    assert compared("document-style", ["stated_values"]) == []


def test_as_many_as_there_is_room_for_from_the_first_to_the_last() -> None:
    assert spread(list("abcde"), 3) == ["a", "c", "e"]
    assert spread(list("ab"), 3) == ["a", "b"]


def test_evals_in_common_are_those_of_all_runs_whole_averages_among_them() -> None:
    store = shared(DEMO)
    with store.store.cursor() as cursor:
        batch = store.store.batch()
        every, here, all_evals = runs(cursor, batch), coverage(cursor, batch), evals(cursor, batch)

    def common(section: str) -> set[str]:
        return set(common_evals(all_evals, here, within(every, section)["run"].tolist())["eval"])

    assert common("corpus") == {"blackmail"}
    assert common("pipeline") == {"honeypots", "blackmail", "research_sabotage", "framing"}
    assert common("document-style") == {"constitution_adherence", "constitution_knowledge", "open_character"}
