"""The Transcript page: everything readable, nothing alive, and long conversations in parts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest

from dashboard.kit.text.transcript import MESSAGES_A_PART, edits_of, find, judgements_of
from dashboard.texts.finding import Sought, sought
from dashboard.texts.messages import messages_of
from dashboard.texts.rendering import LONG, draw, judgement_html, messages_html
from tests.builders import StoreBuilder, log, message, sample, score
from tests.pages import address, headings, html, opened, shown

HOSTILE = (
    "<img src=https://evil.example/i.png onerror=alert(1)> <script>alert(2)</script> <a href='https://evil.example'>x</a>"
    " ![x](https://evil.example/m.png) [l](javascript:alert(3)) </pre></div><iframe src='https://evil.example'></iframe>"
    " <style>@import url(https://evil.example/c.css)</style> \x00 \ud800"
).encode("utf-8", "replace").decode()  # fmt: skip
ALLOWED = {"div", "pre", "details", "summary", "mark", "span", "b", "style", "table", "tr", "td", "ul", "li", "i", "p"}


@pytest.fixture
def store() -> Iterator[StoreBuilder]:
    builder = StoreBuilder()
    builder.run("a")
    with shown(builder.store):
        yield builder


def key_of(store: StoreBuilder) -> str:
    return str(store.execute("SELECT eval_key FROM evals ORDER BY eval_id DESC LIMIT 1")[0][0])


class Tags(HTMLParser):
    """Collects what a browser would make of some HTML."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_hostile_text_is_shown_as_text_wherever_it_stands(store: StoreBuilder) -> None:
    told = {"answer": HOSTILE, "explanation": HOSTILE, "reason": HOSTILE, "metadata": {"x": HOSTILE}}
    call = {"function": HOSTILE, "arguments": {HOSTILE: HOSTILE}, "parse_error": HOSTILE}
    names = {"reasoning": HOSTILE, "model": HOSTILE, "source": HOSTILE, "function": HOSTILE}
    parts = {
        "content_json": json.dumps([{"type": HOSTILE, "image": "https://evil.example/c.png"}]),
        "tool_calls_json": json.dumps([call]),
        "error_json": json.dumps({"type": HOSTILE, "message": HOSTILE}),
    }
    roles = ("system", "user", "assistant", "tool", HOSTILE)
    texts = dict.fromkeys(("input", "target", "reply", "error", "error_traceback"), HOSTILE)
    everywhere = sample(
        HOSTILE,
        score(HOSTILE, HOSTILE, key=HOSTILE, **told),
        metadata={HOSTILE: HOSTILE},
        messages=[message(role, HOSTILE, **names, **parts) for role in roles],
        **texts,
    )
    store.add(
        log([everywhere], task=HOSTILE, judge=HOSTILE, model=HOSTILE), run="a", step=1, path=HOSTILE, eval=HOSTILE
    )
    app = opened("transcript", log=key_of(store), sample=HOSTILE, epoch="1", find="evil")
    made = Tags(html(app))
    assert made.tags <= ALLOWED
    assert made.attributes <= {"class", "open", "role", "style", "tabindex", "data-message"}
    assert "onerror=alert(1)&gt;" in html(app)
    for element in [*app.markdown, *app.caption]:
        assert "evil" not in element.value
    for widget in [*app.button, *app.text_input]:
        assert "evil" not in widget.label


@pytest.mark.slow
def test_messages_calls_results_and_folded_reasoning_are_there(store: StoreBuilder) -> None:
    call = [{"id": "1", "function": "send_mail", "arguments": {"to": "kyle", "body": "line one\nline two", "n": 2}}]
    talk = [
        message("system", "You are Alex."),
        message("assistant", "", reasoning="They must not know.", tool_calls_json=json.dumps(call)),
        message(
            "tool", "sent", function="send_mail", error_json=json.dumps({"type": "timeout", "message": "too slow"})
        ),
    ]
    store.add(log([sample(1, score(1, explanation="It threatens."), messages=talk)]), run="a", step=1)
    page = html(opened("transcript", log=key_of(store), sample="1"))
    assert '<details class="dl-fold"><summary>Reasoning (19 characters)' in page
    assert "→ calls send_mail" in page
    assert "line one\nline two" in page
    assert "Error: too slow" in page
    assert "It threatens." in page


def test_a_sample_without_messages_shows_its_prompt_and_reply(store: StoreBuilder) -> None:
    store.add(log([sample(1, score(1), input="the question", reply="the answer")]), run="a", step=1)
    page = html(opened("transcript", log=key_of(store), sample="1"))
    assert "the question" in page
    assert "the answer" in page


def test_found_places_are_marked_and_counted_upper_and_lower_case_alike(store: StoreBuilder) -> None:
    talk = [message("user", "Kyle, kyle & KYLE"), message("assistant", "no one"), message("user", "kyle")]
    store.add(log([sample(1, messages=talk)]), run="a", step=1)
    app = opened("transcript", log=key_of(store), sample="1", find="kyle")
    assert "found 4 times in 2 of 3 messages" in html(app)
    assert html(app).count('<mark class="dl-hit">') == 4
    assert address(app)["find"] == ["kyle"]


@pytest.mark.slow
def test_what_a_search_found_is_marked_in_its_hits_until_something_else_is_to_be(store: StoreBuilder) -> None:
    told = score(1, explanation="A SHUT   down is feared.")
    talk = [message("user", "Shut\ndown at noon."), message("assistant", "No shutdown.")]
    store.add(log([sample(i, told, messages=talk) for i in (1, 2)]), run="a", step=1)
    app = opened("transcript", log=key_of(store), sample="1", text="shut down")
    assert "found 1 time in 1 of 2 messages, and 1 time in scores and explanations" in html(app)
    assert html(app).count('<mark class="dl-hit">') == 2
    next(button for button in app.button if button.label == "Next").click().run()
    assert address(app)["sample"] == ["2"]
    assert html(app).count('<mark class="dl-hit">') == 2
    next(field for field in app.text_input if field.label == "Find").set_value("").run()
    assert '<mark class="dl-hit">' not in html(app)
    assert address(app)["find"] == [""]
    assert address(app)["text"] == ["shut down"]
    again = opened("transcript", log=key_of(store), sample="1", text="shut down", find="")
    assert '<mark class="dl-hit">' not in html(again)


@pytest.mark.slow
def test_previous_and_next_stay_within_the_filter(store: StoreBuilder) -> None:
    store.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    store.add(
        log([sample(i, score(int(i % 2 == 0)), messages=[message("user", f"q{i}")]) for i in range(6)]), run="a", step=1
    )
    app = opened("transcript", log=key_of(store), sample="2", metric="misaligned", outcome=["misaligned"])
    assert "2 of 3" in html(app)
    next(button for button in app.button if button.label == "Next").click().run()
    assert address(app)["sample"] == ["4"]
    assert address(app)["outcome"] == ["misaligned"]
    assert next(button for button in app.button if button.label == "Next").disabled


def test_a_sample_that_is_not_there_is_told_with_the_log_and_what_it_holds(store: StoreBuilder) -> None:
    store.add(log([sample(1)]), run="a", step=1)
    assert "holds no sample" in html(opened("transcript", log=key_of(store), sample="<gone>"))
    assert "No log with the key" in html(opened("transcript", log="gone", sample="1"))


@pytest.mark.slow
def test_opened_from_the_menu_it_shows_some_sample_and_leads_to_others(store: StoreBuilder) -> None:
    store.add(log([sample(i, input=f"question {i}") for i in range(40)]), run="a", step=1)
    app = opened("transcript")
    seen = {address(app)["sample"][0]}
    for _ in range(4):
        next(button for button in app.button if button.label == "Random").click().run()
        seen |= set(address(app)["sample"])
        assert f"question {address(app)['sample'][0]}" in html(app)
    assert len(seen) > 1


def test_a_store_without_samples_says_so(store: StoreBuilder) -> None:
    store.add(log([]), run="a", step=1)
    assert any("No samples" in text for text in headings(opened("transcript")))


def test_outcome_scores_and_human_labels_stand_over_the_conversation(store: StoreBuilder) -> None:
    store.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    store.add(log([sample(1, score(1, explanation="## Why\n\n**Threat**"))]), run="a", step=1)
    app = opened("transcript", log=key_of(store), sample="1")
    head = next(element.proto.body for element in app.get("html") if "● misaligned" in element.proto.body)
    assert "judge = <b>1</b>" in head
    assert html(app).index(head) < html(app).index("Threat")
    assert "<h2>Why</h2>" in html(app)
    assert "<strong>Threat</strong>" in html(app)


@pytest.mark.slow
def test_thousands_of_messages_come_in_parts_and_find_goes_through_all(store: StoreBuilder) -> None:
    talk = [message("user", f"number {i}" + (" needle" if i == 1999 else "")) for i in range(2000)]
    store.add(log([sample(1, messages=talk)]), run="a", step=1)
    app = opened("transcript", log=key_of(store), sample="1")
    assert html(app).count('class="dl-message') == MESSAGES_A_PART
    next(button for button in app.button if button.label == "Later").click().run()
    assert "number 50" in html(app)
    assert address(app)["part"] == ["2"]
    app = opened("transcript", log=key_of(store), sample="1", find="needle")
    assert html(app).count('class="dl-message') == 1
    assert "2000 · user" in html(app)


def test_a_message_of_megabytes_is_cut_and_what_is_found_beyond_the_cut_is_shown(store: StoreBuilder) -> None:
    text = "x" * 3_000_000 + " needle " + "y" * 1000
    store.add(log([sample(1, messages=[message("user", text)])]), run="a", step=1)
    page = html(opened("transcript", log=key_of(store), sample="1", find="needle"))
    assert len(page) < 10 * LONG.most
    assert '<mark class="dl-hit">needle</mark>' in page
    assert "more characters are not shown" in page


def test_errors_and_limits_stand_over_the_conversation(store: StoreBuilder) -> None:
    store.add(log([sample(1, error="boom <b>"), sample(2, limit_type="message", limit_value=30.0)]), run="a", step=1)
    assert "Error: boom &lt;b&gt;" in html(opened("transcript", log=key_of(store), sample="1"))
    assert "Stopped by a limit: message (30)" in html(opened("transcript", log=key_of(store), sample="2"))


def test_media_are_named_and_never_loaded() -> None:
    content = [{"type": "text", "text": "see"}, {"type": "image", "image": "https://evil.example/x.png"}]
    made = messages_html(draw(messages_of([{"role": "user", "text": "see", "content": content}])))
    assert "[image, not shown]" in made
    assert "evil.example" not in made


def test_scores_of_one_scorer_share_their_explanation() -> None:
    one = {"scorer": "judge", "value_num": 1.0, "value_text": None, "value_type": "number", "answer": None,
           "explanation": "because", "reason": None, "metadata": None, "history": None}  # fmt: skip
    scores = [
        one | {"key": "harmful"}, one | {"key": "verdict", "value_num": 0.0}, one | {"scorer": "other", "key": None}
    ]  # fmt: skip
    made = [judgement_html(each) for each in judgements_of(scores)]
    assert len(made) == 2
    assert made[0].count("because") == 1
    assert "harmful = <b>1</b>" in made[0]
    assert "verdict = <b>0</b>" in made[0]


def test_a_missing_score_says_what_it_is() -> None:
    parts = ("key", "value_num", "value_text", "answer", "explanation", "reason", "metadata", "history")
    nothing = {"scorer": "judge", "value_type": "nan", **dict.fromkeys(parts)}
    assert "<b>nan</b>" in judgement_html(judgements_of([nothing])[0])


def test_what_an_auditor_left_is_counted_in_words() -> None:
    assert edits_of({"edits": {"rollback": 2, "reset": 1}}) == "2 rollbacks, 1 reset"
    assert edits_of({"edits": {"rollback": "often"}}) is edits_of({"edits": 3}) is edits_of(None) is None


def test_find_counts_in_reasoning_and_arguments_too() -> None:
    talk = messages_of(
        [{"text": "a", "reasoning": "Plan a", "tool_calls": [{"arguments": {"q": "a plan"}}]}, {"text": "b"}]
    )
    found = find(talk, [], wanted("plan"))
    assert found == find(talk, [], wanted("PLAN"))
    assert (found.hits, found.messages) == (2, (0,))


def wanted(text: str) -> Sought:
    found = sought(text)
    assert found
    return found
