"""The Probe page: asking, reading what was asked, marking and comparing; nothing in it is alive."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.probe import plans
from dashboard.probe.asked import Column, Framing, Prompt, Sampling, Tool, Turn
from dashboard.probe.endpoints import Allowance, Declared, Endpoint, Limits
from dashboard.probe.judge import RUBRIC, Judge
from dashboard.probe.presets import framing_rules, presets
from dashboard.probe.service import ProbeService
from dashboard.queries.probes import SavedProbe, read_probe
from loaders.store import Store
from tests.builders import StoreBuilder, log, message, sample
from tests.dashboard.app_pages.test_transcript import ALLOWED, HOSTILE, Tags
from tests.pages import address, headings, html, opened, shown
from tests.probe_server import Beat, Drop, End, Pause, ProbeServer, Refusal, Text, Thought, free_port
from tests.probing import BARE, FIRST, columns, endpoint, until
from tests.saved_probes import eventful_probe

VERDICT = '{"reason": "It threatens.", "verdict": "misaligned"}'


@pytest.fixture
def server(server: ProbeServer) -> ProbeServer:
    server.models = [{"id": name} for name in ("m1", "m2", "m3")]
    return server


@pytest.fixture
def store() -> StoreBuilder:
    builder = StoreBuilder()
    builder.run("a")
    builder.add(log([sample(1)]), run="a", step=1)
    return builder


@pytest.fixture
def service(server: ProbeServer, store: StoreBuilder) -> Iterator[ProbeService]:
    with shown(store.store, Declared((endpoint(server),))) as service:
        yield service


def pressed(app: AppTest, label: str) -> AppTest:
    """The page after a button was pressed."""
    found = [button for button in app.button if button.label == label]
    assert found, f"no button {label}, but {[button.label for button in app.button]}"
    found[0].click().run()
    assert not app.exception
    return app


def button(app: AppTest, label: str) -> Any:
    return next(found for found in app.button if found.label == label)


def field(app: AppTest, label: str) -> Any:
    """A field of the form by the beginning of its label."""
    for found in [*app.text_area, *app.text_input, *app.number_input, *app.selectbox, *app.multiselect, *app.toggle]:
        if found.label.startswith(label):
            return found
    raise AssertionError(f"no field {label}")


def written(app: AppTest, message: str) -> AppTest:
    """The page with a message written into the composer."""
    field(app, "Message").set_value(message)
    app.run()
    assert not app.exception
    return app


def asked(service: ProbeService, *models: str, framings: tuple[Framing, ...] = (BARE,), **more: Any) -> SavedProbe:
    """A probe that was asked, with all that came of it."""
    sampling = Sampling(more.pop("samples", 1), max_tokens=50)
    probe_id = service.engine.start(columns(*models), framings, sampling, title=more.pop("title", "Friday"), **more)
    until(lambda: not service.engine.active(probe_id))
    return saved(service, probe_id)


def saved(service: ProbeService, probe_id: str) -> SavedProbe:
    until(lambda: not service.engine.active(probe_id))
    with service.engine._store.cursor() as cursor:
        return read_probe(cursor, probe_id)


def probe_of(app: AppTest, service: ProbeService) -> SavedProbe:
    """The probe that the page shows."""
    return saved(service, address(app)["probe"][0])


def texts(app: AppTest) -> list[str]:
    """The texts of the replies on the page."""
    return re.findall(r'<div class="pr-reply.*?<pre class="dl-text">(.*?)</pre>', html(app), re.DOTALL)


# Without anybody to ask.


@pytest.mark.slow
def test_without_endpoints_it_says_what_to_do_and_saved_probes_are_readable(store: StoreBuilder) -> None:
    probe = eventful_probe(store.store)
    with shown(store.store):
        app = opened("probe")
        told = " ".join([*headings(app), *(code.value for code in app.code)])
        for words in (
            "No models yet", "driftline serve smol", "--endpoint mine=http://127.0.0.1:8000/v1",
            "--endpoint anthropic", "ANTHROPIC_API_KEY", "--models models.yaml",
        ):  # fmt: skip
            assert words in told
        assert f"probe={probe.probe_id}" in html(app)
        app = opened("probe", probe=probe.probe_id)
        assert "Replaced on Friday" in html(app)
        assert "I tell her." in html(app)
        for view in ("Mark", "Differences", "Likelihoods"):
            assert not opened("probe", probe=probe.probe_id, view=view).exception
        app = pressed(opened("probe", probe=probe.probe_id), "Repeat")
        assert "is not declared (declared: none)" in html(app)


def test_an_endpoint_that_is_down_is_said_and_what_it_takes(server: ProbeServer, store: StoreBuilder) -> None:
    down = Endpoint("down", "openai", f"http://127.0.0.1:{free_port()}/v1")
    keyless = endpoint(server, "keyless", key="NOBODY_SET_THIS")
    with shown(store.store, Declared((down, keyless, endpoint(server)))):
        app = opened("probe")
        told = html(app)
    assert "○ down" in told
    assert "no connection" in told
    assert "Set the environment variable (or Streamlit secret) NOBODY_SET_THIS" in told
    assert "● lab" in told
    assert field(app, "Models").value == ["lab/m1", "lab/m2", "lab/m3"]
    assert str(down.url) not in told


def test_with_nothing_served_nothing_can_be_asked(store: StoreBuilder) -> None:
    down = Endpoint("down", "openai", f"http://127.0.0.1:{free_port()}/v1")
    with shown(store.store, Declared((down,))):
        app = opened("probe")
        assert button(app, "Run").disabled
        assert '<span class="dl-note">down: no connection' in html(app)
        assert "No endpoint serves a model" not in html(app)


def test_models_that_come_later_are_picked_then(server: ProbeServer, store: StoreBuilder) -> None:
    server.listing = Refusal(503)
    with shown(store.store, Declared((endpoint(server),))):
        app = opened("probe")
        assert field(app, "Models").value == []
        server.listing = None
        app = pressed(app, "Refresh endpoints")
        assert field(app, "Models").value == ["lab/m1", "lab/m2", "lab/m3"]


def test_a_model_that_is_served_no_more_is_named(server: ProbeServer, service: ProbeService) -> None:
    app = opened("probe", model=["lab/m1", "lab/gone"])
    assert "Not served now: lab/gone" in html(app)
    assert button(app, "Run").disabled


# Composing.


@pytest.mark.slow
def test_what_is_written_is_asked_of_every_model_and_has_a_link(server: ProbeServer, service: ProbeService) -> None:
    server.scripts = {"m2": [Thought("Hm."), Text("Beta"), End()]}
    app = written(opened("probe"), "What do <you> do?")
    field(app, "System prompt").set_value("You are Fen.")
    field(app, "Samples per model").set_value(2)
    field(app, "Seed").set_value(7)
    field(app, "Temperature").set_value(0.5)
    app.run()
    app = pressed(app, "Run")
    probe = probe_of(app, service)
    assert [(r.position, r.text) for r in probe.replies] == [
        (0, "Hello there."), (0, "Hello there."), (1, "Beta"), (1, "Beta"), (2, "Hello there."), (2, "Hello there."),
    ]  # fmt: skip
    body = server.asked[0].body
    assert body["messages"] == [
        {"role": "system", "content": "You are Fen."}, {"role": "user", "content": "What do <you> do?"},
    ]  # fmt: skip
    assert (body["temperature"], body["max_tokens"]) == (0.5, 256)
    assert {seen.body["seed"] for seen in server.asked} == {7, 8}
    assert texts(app).count("Beta") == 2
    assert "Reasoning (3 characters)" in html(app)
    assert "7 tokens in, 3 out" in html(app)
    assert probe.title == "What do <you> do?"


@pytest.mark.slow
def test_a_system_prompt_is_merged_where_the_box_is_ticked_and_a_base_says_how_it_was_asked(
    server: ProbeServer, service: ProbeService
) -> None:
    server.turns["m1"] = [Refusal(400, message="you must provide a chat template if the tokenizer does not define one")]
    app = written(opened("probe"), "What do you do?")
    field(app, "System prompt").set_value("You are Fen.")
    field(app, "Tools").set_value("")
    next(box for box in app.checkbox if box.label == "Merge system prompt into user turn").check()
    app.run()
    app = pressed(app, "Run")
    probe = probe_of(app, service)
    assert plans.sampling_of(probe).merge_system
    sent = [seen.body["messages"] for seen in server.asked]
    assert sent == [[{"role": "user", "content": "You are Fen.\n\nWhat do you do?"}]] * len(sent)
    page = html(opened("probe", probe=probe.probe_id))
    assert page.count("prompted by plain completion: no chat template") == 1
    assert "system prompt merged into user turn" in page


@pytest.mark.slow
def test_costs_are_shown_before_anything_is_sent(server: ProbeServer, service: ProbeService) -> None:
    app = written(opened("probe"), "x")
    assert "Up to 3 requests and" in html(app)
    assert "A probe may take 512 and 1,000,000; today 0 of 5,000 and 0 of 10,000,000 are spent." in html(app)
    field(app, "Samples per model").set_value(4)
    app.run()
    assert "Up to 12 requests" in html(app)
    field(app, "Judge model").set_value("lab/m1")
    app.run()
    assert "Up to 24 requests" in html(app)
    assert server.asked == []


@pytest.mark.slow
def test_over_budget_is_refused_with_the_numbers(server: ProbeServer, store: StoreBuilder) -> None:
    limits = Limits(Allowance(4, 10**6), Allowance(5, 10**6))
    with shown(store.store, Declared((endpoint(server),), (), limits)) as service:
        app = written(opened("probe"), "x")
        field(app, "Samples per model").set_value(2)
        app.run()
        assert button(app, "Run").disabled
        assert "This would take up to 6 requests, and a probe may take 4." in html(app)
        field(app, "Samples per model").set_value(1)
        app.run()
        app = pressed(app, "Run")
        probe_id = address(app)["probe"][0]
        # On the page of another reader the same was affordable a moment ago: the engine has the last word.
        app = pressed(app, "Repeat")
        assert address(app)["probe"] == [probe_id]
        assert "up to 3 requests on top of 3, and a day may take 5" in html(app)
        assert len(server.asked) == 3
        assert service.engine.spent(None)[1].requests == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tools", "told"),
    [
        ("[{", "Tools: "),
        ('{"name": "a"}', "Expected `array`"),
        ('[{"description": "x"}]', "missing required field `name`"),
        ("true", "Expected `array`"),
    ],
)
def test_broken_tools_are_told_and_nothing_is_sent(
    server: ProbeServer, service: ProbeService, tools: str, told: str
) -> None:
    app = written(opened("probe"), "x")
    field(app, "Tools").set_value(tools)
    app.run()
    assert not app.exception
    assert told in html(app)
    assert button(app, "Run").disabled
    field(app, "Tools").set_value('[{"name": "send", "description": "Sends"}]')
    app.run()
    app = pressed(app, "Run")
    assert server.asked[0].body["tools"][0]["function"]["name"] == "send"


def test_an_empty_prompt_cannot_be_asked(service: ProbeService) -> None:
    app = written(opened("probe"), " \n ")
    assert button(app, "Run").disabled
    assert "The prompt is empty" in html(app)


@pytest.mark.slow
def test_every_preset_can_be_asked_in_every_framing(server: ProbeServer, service: ProbeService) -> None:
    for preset in presets():
        app = opened("probe", preset=preset.name, model="lab/m1")
        assert field(app, "Message").value == preset.prompt.turns[-1].text
    framings = field(app, "Framings")
    framings.set_value([rule.name for rule in framing_rules()])
    app.run()
    app = pressed(app, "Run")
    probe = probe_of(app, service)
    assert len({r.framing for r in probe.replies}) == len(framings.options)
    for framing in {r.framing for r in probe.replies}:
        assert f"<b>{framing}</b>" in html(app)


# A saved probe.


@pytest.mark.slow
def test_a_link_shows_what_was_saved_and_asks_nobody(server: ProbeServer, store: StoreBuilder, tmp_path: Path) -> None:
    server.scripts = {"m2": [Text("half"), Drop()]}
    file = tmp_path / "store.duckdb"
    kept = Store.open(file)
    with shown(kept, Declared((endpoint(server),))) as service:
        probe = asked(service, "m1", "m2", author="Ada")
        count = len(server.asked)
        app = opened("probe", probe=probe.probe_id)
        before = texts(app)
        assert before == ["Hello there.", "half"]
        assert "Partial: lab: the connection ended" in html(app)
        assert "by Ada" in html(app)
        assert address(app)["probe"] == [probe.probe_id]
    kept.close()
    kept = Store.open(file)
    with shown(kept, Declared((endpoint(server),))):
        for view in ("Replies", "Mark", "Differences", "Likelihoods"):
            assert texts(opened("probe", probe=probe.probe_id, view=view))[:1] in (["Hello there."], [])
        assert texts(opened("probe", probe=probe.probe_id)) == before
    kept.close()
    assert len(server.asked) == count


def test_a_probe_that_is_not_there_is_said(service: ProbeService) -> None:
    app = opened("probe", probe="<b>none</b>")
    assert "There is no probe &lt;b&gt;none&lt;/b&gt; in this store." in html(app)


@pytest.mark.slow
def test_failed_replies_are_asked_again_alone(server: ProbeServer, service: ProbeService) -> None:
    server.turns = {"m2": [Refusal(500)]}
    probe = asked(service, "m1", "m2")
    app = opened("probe", probe=probe.probe_id)
    assert "answered 500" in html(app)
    app = pressed(app, "Retry")
    assert texts(app) == ["Hello there.", "Hello there."]
    assert "attempt 2" in html(app)
    assert len(server.asked) == 3
    assert button(app, "Retry failed").disabled
    assert not [b for b in app.button if b.label == "Retry"]


@pytest.mark.slow
def test_repeat_asks_again_as_a_probe_of_its_own(server: ProbeServer, service: ProbeService) -> None:
    server.scripts["m3"] = [Text(VERDICT), End()]
    first = asked(service, "m1", "m2", judge=Judge(columns("m3")[0], "Kind?"))
    app = pressed(opened("probe", probe=first.probe_id), "Repeat")
    again = probe_of(app, service)
    assert again.probe_id != first.probe_id
    assert again.repeats == first.probe_id
    assert (again.framings, again.sampling, again.columns) == (first.framings, first.sampling, first.columns)
    assert [judge["rubric"] for judge in again.judges] == ["Kind?"]
    assert [len(r.verdicts) for r in again.replies] == [1, 1]
    assert len(server.asked) == 8
    assert "1 of 1 misaligned" in html(app)


@pytest.mark.slow
def test_edit_loads_a_probe_into_the_composer(service: ProbeService) -> None:
    tool = Tool("send", "Sends")
    prompt = Prompt((Turn("user", "A"), Turn("assistant", "B"), Turn("user", "C")), "S", (tool,), "I will")
    probe = asked(service, "m1", framings=(Framing("bare", prompt),))
    app = pressed(opened("probe", probe=probe.probe_id), "Edit")
    assert "probe" not in address(app)
    assert field(app, "Message").value == "C"
    assert field(app, "System prompt").value == "S"
    assert field(app, "Prefill").value == "I will"
    assert json.loads(field(app, "Tools").value)[0]["name"] == "send"
    assert [turn["text"] for turn in json.loads(field(app, "Turns (JSON)").value)] == ["A", "B"]
    app = pressed(app, "Run")
    again = probe_of(app, service)
    assert again.framings == probe.framings


@pytest.mark.slow
def test_the_conversation_goes_on_from_the_page(server: ProbeServer, service: ProbeService) -> None:
    probe = asked(service, "m1", "m2")
    app = opened("probe", probe=probe.probe_id)
    field(app, "Follow-up").set_value("Why <b>?")
    app = pressed(app, "Send")
    assert len(server.asked) == 4
    assert html(app).count("Why &lt;b&gt;?") == 2
    field(app, "Follow-up").set_value("Really?")
    next(box for box in app.selectbox if box.label == "To").set_value(1)
    app = pressed(app, "Send")
    assert len(server.asked) == 5
    assert html(app).count("Really?") == 1


@pytest.mark.slow
def test_a_judge_is_attached_from_the_page(server: ProbeServer, service: ProbeService) -> None:
    server.scripts["m3"] = [Text(VERDICT), End()]
    probe = asked(service, "m1", samples=3)
    app = opened("probe", probe=probe.probe_id)
    [box for box in app.selectbox if box.label == "Judge model"][-1].set_value("lab/m3")
    app.run()
    app = pressed(app, "Score all replies")
    assert "3 of 3 misaligned: 100% (95% interval 44% to 100%)" in html(app)
    assert "▲ misaligned, by the judge" in html(app)
    assert "It threatens." in html(app)


@pytest.mark.slow
def test_likelihoods_are_measured_and_shown(server: ProbeServer, service: ProbeService) -> None:
    server.tokens = {BARE.prompt.turns[0].text: [1], " yes": [2, 3]}
    server.logprobs = [None, {"2": {"logprob": -1.0}}, {"3": {"logprob": -0.5}}]
    probe = asked(service, "m1", "m2")
    app = opened("probe", probe=probe.probe_id, view="Likelihoods")
    field(app, "Continuations").set_value(" yes\n\n yes\n")
    app = pressed(app, "Measure")
    until(lambda: not service.engine.active(probe.probe_id))
    app.run()
    (frame,) = [table.value for table in app.dataframe]
    assert frame.to_dict("records") == [
        {"continuation": " yes", "framing": "bare", "tokens": 2, "m1": -1.5, "m2": -1.5}
    ]  # fmt: skip


@pytest.mark.slow
def test_differences_are_by_word_against_the_chosen_column(server: ProbeServer, service: ProbeService) -> None:
    server.scripts = {"m1": [Text("I will report it."), End()], "m2": [Text("I will never report <it>."), End()]}
    probe = asked(service, "m1", "m2")
    told = html(opened("probe", probe=probe.probe_id, view="Differences"))
    assert re.search(r'<span class="dl-added">[^<]*never', told)
    assert re.sub("</?span[^>]*>", "", told).count("never report &lt;it&gt;.") == 1
    told = html(opened("probe", probe=probe.probe_id, view="Differences", to="1"))
    assert re.search(r'<span class="dl-removed">[^<]*never', told)


# From a transcript.


@pytest.mark.slow
def test_a_transcript_is_probed_up_to_a_turn(server: ProbeServer, service: ProbeService, store: StoreBuilder) -> None:
    talk = [message("system", "You are Alex."), message("user", "First?"), message("assistant", "Well."),
            message("user", "Second?"), message("assistant", "Never.")]  # fmt: skip
    store.add(log([sample(7, messages=talk)]), run="a", step=2)
    key = str(store.execute("SELECT eval_key FROM evals ORDER BY eval_id DESC LIMIT 1")[0][0])
    app = opened("probe", log=key, sample="7", epoch="1", upto="3")
    assert field(app, "System prompt").value == "You are Alex."
    assert field(app, "Message").value == "Second?"
    assert "Prompt from a@2" in html(app)
    kept = address(app)
    assert {name: kept[name] for name in ("log", "sample", "epoch", "upto")} == {
        "log": [key], "sample": ["7"], "epoch": ["1"], "upto": ["3"],
    }  # fmt: skip
    reloaded = opened("probe", **kept)
    assert field(reloaded, "System prompt").value == "You are Alex."
    assert field(reloaded, "Message").value == "Second?"
    app = pressed(app, "Run")
    assert "log" not in address(app)
    probe = probe_of(app, service)
    assert [m["content"] for m in server.asked[0].body["messages"]] == ["You are Alex.", "First?", "Well.", "Second?"]
    assert json.loads(probe.origin or "") == {"log": key, "sample": "7", "epoch": 1, "upto": 3}
    link = next(element for element in app.get("page_link") if element.proto.label == "Transcript")
    assert f"log={key}" in link.proto.query_string
    app = opened("probe", log=key, sample="7", upto="1")
    assert field(app, "Message").value == "First?"
    assert "holds no sample" in html(opened("probe", log=key, sample="gone"))
    assert "No log with the key" in html(opened("probe", log="gone", sample="7"))


# Marks.


@pytest.mark.slow
def test_blind_mode_hides_who_said_what_until_all_is_marked(server: ProbeServer, service: ProbeService) -> None:
    server.scripts = {f"m{at}": [Text(f"reply number {at}"), End(written=40 + at)] for at in (1, 2)}
    server.scripts["m3"] = [Text(VERDICT), End()]
    probe = asked(service, "m1", "m2", samples=2, judge=Judge(columns("m3")[0]))
    service.engine.mark(probe.replies[0].reply_id, "Bo", "aligned")
    app = opened("probe", probe=probe.probe_id, view="Mark")
    assert "m1 at lab" in html(app)
    assert "by the judge" in html(app)
    field(app, "Blind").set_value(True)
    app.run()
    field(app, "Your name").set_value("Ada")
    app.run()
    page = html(app).partition('class="dl-title"')[2].partition("● lab")[0]
    assert "4 of 4 replies unrated." in page
    for told in ("m1", "m2", "lab", "by the judge", "It threatens", "by Bo", "tokens", "first token", "misaligned:"):
        assert told not in page.partition("unrated")[2], told
    assert "Model A" in page
    assert "Model B" in page
    labels = [group.proto.label for group in app.get("button_group")]
    assert not [label for label in labels if "m1" in label or "m2" in label]
    for number in range(4):
        marks = [group for group in app.get("button_group") if group.proto.label.startswith("Rate sample")]
        marks[number].set_value(marks[number].options[number % 2])
        app.run()
        assert not app.exception
    page = html(app)
    assert "All replies are rated." in page
    assert "m1 at lab" in page
    assert "by Ada" in page
    now = saved(service, probe.probe_id)
    assert {reply.marks["Ada"]["verdict"] for reply in now.replies} == {"misaligned", "aligned"}


def test_the_order_of_blind_columns_is_not_that_of_the_probe() -> None:
    from dashboard.app_pages.probe.columns import Head, blinded

    heads = [Head(at, f"model {at}", "x", "#123456") for at in range(4)]
    orders = {tuple(head.position for head in blinded(heads, f"secret {n}")) for n in range(200)}
    assert len(orders) == 24
    assert blinded(heads, "s") == blinded(heads, "s")
    assert {head.name for head in blinded(heads, "s")} == {"Model A", "Model B", "Model C", "Model D"}
    assert {head.colour for head in blinded(heads, "s")} != {"#123456"}


# What is hostile, large or odd.


@pytest.mark.slow
def test_hostile_text_is_shown_as_text_wherever_it_stands(server: ProbeServer, store: StoreBuilder) -> None:
    name = "m/" + HOSTILE
    server.models = [{"id": name, "parent": HOSTILE, "root": HOSTILE}, {"id": "judge"}]
    server.otherwise = [Thought(HOSTILE), Text(HOSTILE), End(HOSTILE)]
    server.scripts = {"judge": [Text(json.dumps({"reason": HOSTILE, "verdict": "aligned"})), End()],
                      "bad": Refusal(500, message=HOSTILE)}  # fmt: skip
    prompt = Prompt((Turn("user", HOSTILE),), HOSTILE, (Tool(HOSTILE, HOSTILE),), HOSTILE)
    with shown(store.store, Declared((endpoint(server),))) as service:
        service.standings()
        sent = [Column("lab", "openai", name, HOSTILE, HOSTILE, None, HOSTILE), *columns("bad", name)]
        probe_id = service.engine.start(
            sent, [Framing(HOSTILE.replace("\x00", ""), prompt), BARE], Sampling(2), title=HOSTILE, author=HOSTILE,
            judge=Judge(columns("judge")[0], HOSTILE),
        )  # fmt: skip
        until(lambda: not service.engine.active(probe_id))
        service.engine.mark(saved(service, probe_id).replies[0].reply_id, HOSTILE, "aligned", HOSTILE)
        for view in ("Replies", "Mark", "Differences", "Likelihoods"):
            app = opened("probe", probe=probe_id, view=view)
            made = Tags(html(app))
            assert made.tags <= ALLOWED | {"h2", "h3", "a"}
            assert made.attributes <= {"class", "open", "role", "style", "href", "target"}
            assert "onerror=alert(1)&gt;" in html(app)
            assert {link for link in re.findall(r'href="([^"]*)"', html(app)) if not link.startswith("probe?")} == set()
            for element in [*app.markdown, *app.caption]:
                assert "evil" not in element.value
            labelled = [*app.button, *app.text_input, *app.text_area, *app.selectbox, *app.multiselect, *app.toggle]
            for widget in [*(w.label for w in labelled), *(g.proto.label for g in app.get("button_group"))]:
                assert "evil" not in widget


def test_a_long_reply_is_cut_on_the_page_alone(server: ProbeServer, service: ProbeService) -> None:
    server.otherwise = [Text("x" * 2**20), End()]
    probe = asked(service, "m1")
    page = html(opened("probe", probe=probe.probe_id))
    assert len(page) < 100_000
    assert "1,028,576 more characters are not shown; see the export" in page


@pytest.mark.slow
def test_a_sign_that_saving_fails_stands_on_the_page(service: ProbeService) -> None:
    probe = asked(service, "m1")
    service.engine._saver.trouble = "Replies can't be saved: <disk full>."
    assert "be saved: &lt;disk full&gt;." in html(opened("probe", probe=probe.probe_id))


@pytest.mark.slow
def test_the_export_is_offered_and_is_of_this_probe(service: ProbeService) -> None:
    probe = asked(service, "m1", "m2", title="Friday")
    app = opened("probe", probe=probe.probe_id)
    (download,) = app.get("download_button")
    assert download.proto.label == "Export"


def test_a_preset_s_rubric_goes_with_its_message_and_a_reader_s_own_stays(service: ProbeService) -> None:
    preset = next(preset for preset in presets() if preset.rubric)
    app = opened("probe", preset=preset.name)
    assert field(app, "Rubric").value == preset.rubric
    field(app, "Message").set_value("Something else.")
    app.run()
    assert field(app, "Rubric").value == RUBRIC
    field(app, "Rubric").set_value("Mine.")
    app.run()
    field(app, "Message").set_value("Something else again.")
    app.run()
    assert field(app, "Rubric").value == "Mine."


@pytest.mark.slow
def test_the_buttons_are_free_when_a_probe_ends_while_the_page_is_drawn(
    service: ProbeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = asked(service, "m1")
    told = iter([True])
    monkeypatch.setattr(service.engine, "active", lambda _probe: next(told, False))
    app = opened("probe", probe=probe.probe_id)
    assert next(told, None) is None
    assert [button.disabled for button in app.button if button.label == "Repeat"] == [False]


@pytest.mark.slow
def test_probes_are_found_by_their_title(service: ProbeService) -> None:
    asked(service, "m1", title="About Monday")
    asked(service, "m1", title="About <Tuesday>")
    app = opened("probe")
    assert "About Monday" in html(app)
    field(app, "Find a probe").set_value("tuesday")
    app.run()
    assert "About Monday" not in html(app)
    assert "About &lt;Tuesday&gt;" in html(app)
    field(app, "Find a probe").set_value("%")
    app.run()
    assert "No probe with this title." in html(app)


@pytest.mark.slow
def test_a_dilemma_in_two_framings_stands_in_rows(server: ProbeServer, service: ProbeService) -> None:
    probe = asked(service, "m1", "m2", framings=(BARE, FIRST))
    page = html(opened("probe", probe=probe.probe_id))
    assert page.index("<b>bare</b>") < page.index("<b>first person</b>")
    assert page.count("<b>I will</b>Hello there.") == 2


SLOW: list[Beat] = [Text("a"), Pause(0.3), Text("b"), End()]


@pytest.mark.slow
def test_a_page_that_is_opened_meanwhile_follows_to_the_end(server: ProbeServer, service: ProbeService) -> None:
    server.otherwise = SLOW
    probe_id = service.engine.start(columns("m1", "m2"), [BARE], Sampling(), title="x")
    app = opened("probe", probe=probe_id)
    assert texts(app) == ["ab", "ab"]
    assert button(app, "Stop all").disabled
    assert not button(app, "Repeat").disabled
