"""The Side by side page: one question at several checkpoints, where they part, and the way to other questions."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.app_pages.beside.cells import MOST_COMPARED, ROWS_A_PART
from tests.builders import StoreBuilder, built_once, log, message, reported, sample, score
from tests.dashboard.app_pages.test_transcript import ALLOWED, HOSTILE, Tags
from tests.pages import address, datasets, headings, html, opened, showing, shown

pytestmark = pytest.mark.slow


def talk(*replies: str) -> list[Any]:
    """A conversation in which the model is told the same each time."""
    parts = [message("system", "Be good.")]
    for number, reply in enumerate(replies):
        parts += [message("user", f"Dilemma, part {number}"), message("assistant", reply)]
    return parts


@built_once
def built() -> StoreBuilder:
    """Three questions at steps 0, 100 and 200 of one run; the second comes out otherwise from 100 on."""
    builder = StoreBuilder()
    builder.run("rl", label="RL")
    builder.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    outcomes = {0: (0, 0, 0), 100: (0, 1, 0), 200: (0, 1, None)}
    for step, values in outcomes.items():
        held = [
            sample(
                number, score(value, explanation=f"why {number} at {step}"),
                messages=talk("I agree to it.", f"I will {'threaten' if value else 'tell'} him, {step}."),
            )
            for number, value in enumerate(values, 1)
        ]  # fmt: skip
        builder.add(log(held), run="rl", step=step)
    return builder


store = showing(built)


def three(**more: Any) -> AppTest:
    """The page with the three steps."""
    return opened("beside", eval="blackmail", checkpoint=["rl@0", "rl@100", "rl@200"], **more)


def press(app: AppTest, label: str) -> AppTest:
    """Press a button of the page."""
    return next(button for button in app.button if button.label == label).click().run()


def test_without_a_question_it_is_the_first_on_which_the_columns_disagree(store: StoreBuilder) -> None:
    app = three()
    assert address(app)["sample"] == ["2"]
    assert "2 of 3 questions, 1 disagree" in html(app)
    assert "● misaligned" in html(app)
    assert "○ aligned" in html(app)


def test_what_is_alike_is_folded_and_where_they_part_is_marked(store: StoreBuilder) -> None:
    page = html(three(sample="2"))
    assert "4 identical messages" in page
    assert page.count("I agree to it.") == 1
    assert page.count("First divergence: turn 2") == 1
    assert page.count("diverges from RL @0") == 2
    assert '<span class="dl-removed">tell </span><span class="dl-added">threaten </span>' in page


def test_the_column_that_the_others_are_held_against_can_be_changed(store: StoreBuilder) -> None:
    app = three(sample="2", to="rl@100")
    assert "diverges from RL @100" in html(app)
    assert '<span class="dl-removed">threaten </span><span class="dl-added">tell </span>' in html(app)
    assert address(app)["to"] == ["rl@100"]


def test_the_judges_words_stand_beneath_each_column(store: StoreBuilder) -> None:
    page = html(three(sample="2"))
    for step in (0, 100, 200):
        assert f"why 2 at {step}" in page


def test_next_previous_and_the_next_disagreement(store: StoreBuilder) -> None:
    app = three(sample="1")
    buttons = {button.label: button for button in app.button}
    assert buttons["Previous"].disabled
    assert not buttons["Next disagreement"].disabled
    assert address(press(app, "Next"))["sample"] == ["2"]
    assert address(press(app, "Next"))["sample"] == ["3"]
    assert {button.label for button in app.button if button.disabled} >= {"Next", "Next disagreement"}
    assert address(press(app, "Previous disagreement"))["sample"] == ["2"]
    assert address(press(app, "Previous"))["sample"] == ["1"]


def test_only_disagreements_are_moved_among_where_that_is_wanted(store: StoreBuilder) -> None:
    app = three(sample="2", disagree="true")
    assert {button.label for button in app.button if button.disabled} >= {"Next", "Previous"}
    table = app.dataframe[0].value
    assert table["question"].tolist() == ["2"]
    assert address(app)["disagree"] == ["true"]


def test_the_list_has_the_outcome_at_every_checkpoint(store: StoreBuilder) -> None:
    table = three(sample="2").dataframe[0].value
    assert table["question"].tolist() == ["1", "2", "3"]
    assert table["differ"].tolist() == ["", "≠", ""]
    assert table["here"].tolist() == ["", "▸", ""]
    assert table["at 1"].tolist() == ["○ aligned", "● misaligned", "○ aligned"]
    assert table["at 2"].tolist() == ["○ aligned", "● misaligned", "– unscored"]


def test_a_checkpoint_without_the_question_says_so_and_links_to_the_nearest_step_with_it(store: StoreBuilder) -> None:
    store.run("sft")
    store.add(log([sample(9, score(0))]), run="sft", step=5)
    for step in (20, 40):
        store.add(log([sample(2, score(0))]), run="sft", step=step)
    app = opened("beside", eval="blackmail", checkpoint=["rl@0", "sft@5"], sample="2")
    assert "No answer of this checkpoint to this question" in html(app)
    assert "checkpoint=rl%400&amp;checkpoint=sft%4020&amp;" in html(app)
    app = opened("beside", eval="blackmail", checkpoint=["rl@0", "sft@5"], sample="1")
    assert "No other step of its run has one" in html(app)


def test_epochs_are_chosen_for_each_column_and_stand_in_the_address() -> None:
    builder = StoreBuilder()
    for run in ("a", "b"):
        builder.run(run)
        held = [
            sample(1, score(epoch % 2), epoch=epoch, messages=talk(f"{run} in epoch {epoch}")) for epoch in (1, 2, 3)
        ]
        builder.add(log(held), run=run, step=1)
    with shown(builder.store):
        app = opened("beside", checkpoint=["a@1", "b@1"], sample="1")
        assert "a in epoch 1" in html(app)
        assert "epoch" not in address(app)
        app.selectbox(key="beside_epoch b@1").select(3).run()
        assert address(app)["epoch"] == ["1", "3"]
        again = opened("beside", **address(app))
        assert ("a in epoch 1" in html(again), "b in epoch 1" in html(again)) == (True, False)
        again.button(key="beside_epoch b@1 all").click().run()
        assert address(again)["epoch"] == ["3"]
        assert "a in epoch 3" in html(again).replace('<span class="dl-', "")
        assert "2/3" in html(opened("beside", checkpoint=["a@1", "b@1"], sample="1", epoch="2"))


def test_means_are_shown_as_numbers_and_disagree_where_they_differ() -> None:
    builder = StoreBuilder()
    builder.run("a")
    builder.metric("level", kind="mean", score={"score": "judge"})
    for step, values in ((1, (3.0, 7.5)), (2, (3.0, 7.25))):
        builder.add(log([sample(n, score(v), messages=talk("x")) for n, v in enumerate(values)]), run="a", step=step)
    with shown(builder.store):
        app = opened("beside", checkpoint=["a@1", "a@2"])
        assert address(app)["sample"] == ["1"]
        assert "2 of 2 questions, 1 disagree" in html(app)
        assert app.dataframe[0].value["at 0"].tolist() == ["3", "7.5"]
        assert "No divergence" in html(app)


def test_along_a_run_the_first_step_at_which_the_outcome_changed_is_told(store: StoreBuilder) -> None:
    app = three(sample="2", view="Along a run", run="rl")
    page = html(app)
    assert "First flip at step 100; persistent: ○ aligned → ● misaligned." in page
    assert page.count("<li class=") == 3
    table = app.dataframe[1].value
    assert table[["sample", "first", "stays", "known"]].values.tolist() == [["2", 100, "yes", 3]]
    other = html(three(sample="3", view="Along a run", run="rl"))
    assert "No flip: ○ aligned at all 2 scored steps." in other
    assert "Unscored at 1 of 3 steps." in other
    assert 'aria-label="step 200: – unscored"' in other


def test_the_steps_around_a_change_can_be_put_beside_each_other(store: StoreBuilder) -> None:
    app = opened("beside", eval="blackmail", checkpoint=["rl@0"], sample="2", view="Along a run", run="rl")
    press(app, "Side by side: steps of this run")
    assert address(app)["checkpoint"] == ["rl@0", "rl@100", "rl@200"]
    assert "view" not in address(app)
    assert "First divergence" in html(app)


def test_hostile_text_is_shown_as_text_in_every_column() -> None:
    builder = StoreBuilder()
    builder.run(HOSTILE)
    for step, reply in ((1, HOSTILE), (2, HOSTILE + " and more")):
        told = score(1, HOSTILE, key=HOSTILE, explanation=HOSTILE, answer=HOSTILE)
        parts = [message(role, reply, reasoning=reply, function=HOSTILE) for role in ("user", "assistant", HOSTILE)]
        builder.add(log([sample(HOSTILE, told, messages=parts)], task=HOSTILE), run=HOSTILE, step=step, eval=HOSTILE)
    with shown(builder.store):
        for view in ("Transcripts", "Along a run"):
            app = opened("beside", eval=HOSTILE, checkpoint=[f"{HOSTILE}@1", f"{HOSTILE}@2"], sample=HOSTILE, view=view)
            made = Tags(html(app))
            assert made.tags <= ALLOWED | {"ol", "h2"}
            assert made.attributes <= {"class", "open", "role", "style", "title", "aria-label", "tabindex"}
            for element in [*app.markdown, *app.caption, *app.button]:
                assert "evil" not in str(element.value)


def test_thousands_of_messages_come_in_parts(store: StoreBuilder) -> None:
    for step in (1, 2):
        held = [sample("long", score(0), messages=talk(*(f"{step}: {at}" for at in range(500))))]
        store.add(log(held, task="long"), run="rl", step=step)
    app = opened("beside", eval="long", checkpoint=["rl@1", "rl@2"], sample="long")
    assert html(app).count('class="bs-cell"') <= 2 * (ROWS_A_PART + 1)
    press(app, "Later")
    assert address(app)["part"] == ["2"]
    assert "part 2 of" in html(app)


def test_texts_of_megabytes_are_shown_cut_and_said_to_be_too_long_to_compare(store: StoreBuilder) -> None:
    for step in (1, 2):
        held = [sample("big", score(0), messages=talk(f"{step} " * MOST_COMPARED * 20))]
        store.add(log(held, task="big"), run="rl", step=step)
    page = html(opened("beside", eval="big", checkpoint=["rl@1", "rl@2"], sample="big"))
    assert "1 text too long for word differences" in page
    assert len(page) < 200_000


def test_a_log_without_messages_shows_prompt_and_reply(store: StoreBuilder) -> None:
    for step in (1, 2):
        store.add(
            log([sample(1, score(0), input="the question", reply=f"reply {step}")], task="t"), run="rl", step=step
        )
    page = html(opened("beside", eval="t", checkpoint=["rl@1", "rl@2"], sample="1"))
    assert "the question" in page
    assert "First divergence" in page


def test_more_than_six_are_cut_to_six_and_none_is_said(store: StoreBuilder) -> None:
    for step in range(300, 308):
        store.add(log([sample(2, score(0), messages=talk("x"))]), run="rl", step=step)
    app = opened("beside", eval="blackmail", checkpoint=[f"rl@{step}" for step in range(300, 308)], sample="2")
    assert len(address(app)["checkpoint"]) == 6
    assert any("Select checkpoint" in text for text in headings(opened("beside", checkpoint=[""]).main))
    assert any("No answers" in text for text in headings(opened("beside", checkpoint=["gone@1"])))


def test_a_transcript_leads_to_the_steps_beside_it_and_says_where_its_outcome_changed(store: StoreBuilder) -> None:
    key = store.execute("SELECT eval_key FROM evals ORDER BY eval_id LIMIT 1")[0][0]
    app = opened("transcript", log=key, sample="2")
    assert "First flip at step 100; persistent: ○ aligned → ● misaligned" in html(app)
    link = next(each for each in app.get("page_link") if each.proto.label == "Side by side: this run")
    assert "checkpoint=rl%400&checkpoint=rl%40100&checkpoint=rl%40200" in link.proto.query_string
    assert "sample=2" in link.proto.query_string


def test_a_point_leads_to_its_first_question_along_the_run(store: StoreBuilder) -> None:
    app = opened("curves", eval="blackmail", run=["rl"])
    names = [name for _, data in datasets(app) if "point" in data for name in data["point"]]
    app = opened("curves", eval="blackmail", run=["rl"], point=next(name for name in names if "100" in name))
    link = next(each for each in app.get("page_link") if each.proto.label == "Side by side: this run")
    assert "sample=2" in link.proto.query_string
    assert "view=by-step" in link.proto.query_string


def test_it_begins_with_an_eval_and_checkpoints_that_have_samples(store: StoreBuilder) -> None:
    for step in (0, 100, 200, 300, 400):
        store.add(log([], reported=[reported("acc", 0.5)], task="totals"), run="rl", step=step)
        store.add(log([], reported=[reported("acc", 0.5)]), run="a", step=step)
    app = opened("beside")
    assert (address(app)["eval"], address(app)["checkpoint"]) == (["blackmail"], ["rl@0", "rl@200"])
    assert "question" in html(app)
