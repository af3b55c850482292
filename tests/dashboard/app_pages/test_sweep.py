"""The page of a sweep: from its link without asking anybody, picked by runs, and live until the last verdict."""

from __future__ import annotations

import time
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.probe.endpoints import Declared, Endpoint, Match
from tests.builders import StoreBuilder, built_once, log, samples
from tests.pages import address, datasets, html, opened, shown, specs
from tests.probe_server import End, ProbeServer, Refusal, Text
from tests.swept import MISALIGNED, SAMPLES, sweep_probe

pytestmark = pytest.mark.slow

VERDICT = '{"reason": "It sends it.", "verdict": "misaligned"}'


@pytest.fixture
@built_once
def store() -> StoreBuilder:
    builder = StoreBuilder()
    builder.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    builder.run("base", label="The base")
    builder.add(log(samples([1, 1, 0, 0]), task="blackmail"), run="base", step=0)
    for run in ("a", "b"):
        builder.run(run, label=f"Run {run.upper()}", parent_run="base", parent_step=0)
        for step in (0, 50, 100):
            builder.add(log(samples([1, 0, 0, 0]), task="blackmail"), run=run, step=step)
    builder.add(log(samples([1]), task="framing"), run="a", step=50)
    return builder


@pytest.fixture
def server(server: ProbeServer) -> ProbeServer:
    server.models = [{"id": name} for name in ("base-0", "a-50", "a-100", "b-100", "judge")]
    server.scripts["judge"] = [Text(VERDICT), End()]
    return server


def declared(server: ProbeServer, **more: Any) -> Declared:
    places = {"base-0": "base@0", "a-50": "a@50", "a-100": "a@100", "b-100": "b@100"}
    matches = tuple(Match(model, checkpoint) for model, checkpoint in places.items())
    endpoint = Endpoint("local", "openai", server.url("openai"), in_flight=4)
    return Declared((endpoint,), matches, **more)


def rates(app: AppTest, chart: int = 0) -> dict[str, float]:
    """Rate by checkpoint of all that is drawn as a point."""
    found = {}
    for number, frame in datasets(app):
        if number == chart and "checkpoint" in frame and "rate" in frame:
            found |= dict(zip(frame["checkpoint"], frame["rate"], strict=True))
    return {name: rate for name, rate in found.items() if rate == rate}


# A saved one, from its link.


def test_a_link_shows_the_sweep_without_asking_anybody(store: StoreBuilder, server: ProbeServer) -> None:
    probe = sweep_probe(store.store)
    with shown(store.store, declared(server)):
        app = opened("probe", probe=probe.probe_id)
    assert rates(app) == {name: MISALIGNED[name] / SAMPLES for name in MISALIGNED if name != "base"} | {
        "base@base": MISALIGNED["base"] / SAMPLES
    }
    assert not server.asked
    assert address(app)["probe"] == [probe.probe_id]
    assert app.segmented_control(key="view").options == ["Curve", "Rate", "Likelihoods"]


def test_the_evals_curve_stands_in_a_chart_of_its_own_that_says_so(store: StoreBuilder) -> None:
    probe = sweep_probe(store.store)
    with shown(store.store):
        app = opened("probe", probe=probe.probe_id)
        own, eval_ = specs(app)
        assert own["title"]["text"] == "This prompt"
        assert "Not the eval" in " ".join(own["title"]["subtitle"])
        assert eval_["title"]["text"] == "Eval: blackmail"
        assert rates(app, 1)["a@50"] == 0.25
        assert len(own["title"]["subtitle"]) == len(eval_["title"]["subtitle"])
        app.selectbox(key="probe_eval").set_value("framing").run()
        assert specs(app)[1]["title"]["text"] == "Eval: framing"
        assert rates(app)["a@50"] == MISALIGNED["a@50"] / SAMPLES
        assert address(app)["eval"] == ["framing"]


def test_the_table_says_what_is_missing_and_why(store: StoreBuilder) -> None:
    probe = sweep_probe(store.store)
    with shown(store.store):
        app = opened("probe", probe=probe.probe_id)
    table = app.dataframe[0].value
    last = table.iloc[-1]
    assert (last["Run"], last["Checkpoint"], last["Missing"]) == ("Run B", "100", "4 failed or stopped")
    assert table.iloc[-1][["Misaligned", "Rate", "Low", "High"]].isna().all()
    assert table.iloc[3]["Misaligned"] == 0
    assert table.iloc[3]["High"] > 40
    assert "4 failed: local refused: no such adapter." in html(app)


def test_a_point_in_the_address_shows_the_replies_behind_it(store: StoreBuilder) -> None:
    probe = sweep_probe(store.store)
    with shown(store.store):
        app = opened("probe", probe=probe.probe_id, point="this prompt | misaligned | a@50")
        assert "a@50 says 3" in html(app)
        assert "a@100 says" not in html(app)
        assert address(app)["point"] == ["this prompt | misaligned | a@50"]
        app = opened("probe", probe=probe.probe_id, point="nowhere")
        assert "says 3" not in html(app)
        assert "point" not in address(app)


def test_without_a_judge_the_curve_is_peoples_and_says_so(store: StoreBuilder) -> None:
    probe = sweep_probe(store.store, judged=False)
    with shown(store.store) as service:
        app = opened("probe", probe=probe.probe_id)
        assert "rate the replies by hand" in html(app)
        assert rates(app) == {}
        for reply in probe.replies[:4]:
            service.engine.mark(reply.reply_id, "Ada", "misaligned" if reply.sample else "aligned")
        app = opened("probe", probe=probe.probe_id)
        assert rates(app) == {"base@base": 0.75}


def test_a_view_of_other_probes_falls_back_to_the_curve(store: StoreBuilder) -> None:
    probe = sweep_probe(store.store)
    with shown(store.store):
        app = opened("probe", probe=probe.probe_id, view="Differences")
        assert app.segmented_control(key="view").value == "curve"
        assert len(specs(app)) == 2


def test_all_of_it_can_be_marked(store: StoreBuilder) -> None:
    probe = sweep_probe(store.store, judged=False)
    with shown(store.store):
        app = opened("probe", probe=probe.probe_id, view="Mark")
        assert "24 of 24 replies unrated." in html(app)


def test_runs_that_were_never_evaluated_have_no_curve_beside(store: StoreBuilder) -> None:
    empty = StoreBuilder()
    probe = sweep_probe(empty.store)
    with shown(empty.store):
        app = opened("probe", probe=probe.probe_id)
    assert len(specs(app)) == 1
    assert "None of these runs has eval results" in html(app)


# Composing and asking.


def test_only_runs_with_two_served_checkpoints_are_offered(store: StoreBuilder, server: ProbeServer) -> None:
    with shown(store.store, declared(server)):
        app = opened("probe", ask="Sweep")
        picker = app.multiselect(key="probe_run")
        assert picker.options == ["Run A · 2 checkpoints"]
        assert address(app)["run"] == ["a"]
        assert address(app)["ask"] == ["sweep"]
        assert app.button(key="probe_send").label == "Sweep 3 checkpoints"
        assert "Without a judge the curve is empty" in html(app)
        app.toggle(key="probe_with_parents").set_value(False).run()
        assert app.button(key="probe_send").label == "Sweep 2 checkpoints"


def test_a_run_that_is_not_served_keeps_it_from_being_asked(store: StoreBuilder, server: ProbeServer) -> None:
    with shown(store.store, declared(server)):
        app = opened("probe", ask="Sweep", run=["a", "b"])
        assert "Fewer than 2 checkpoints served of b" in html(app)
        assert app.button(key="probe_send").disabled


def test_a_sweep_is_asked_judged_and_drawn(store: StoreBuilder, server: ProbeServer) -> None:
    server.scripts["a-100"] = Refusal(404, message="no such model")
    with shown(store.store, declared(server)) as service:
        app = opened("probe", ask="Sweep")
        app.number_input(key="probe_samples").set_value(3)
        app.selectbox(key="probe_judge").set_value("local/judge").run()
        assert "Up to 18 requests" in html(app)
        app.button(key="probe_send").click().run()
        assert not app.exception
        (probe_id,) = address(app)["probe"]
        until = time.monotonic() + 20
        while service.engine.active(probe_id):
            assert time.monotonic() < until
            time.sleep(0.05)
        app.run()
        assert rates(app) == {"base@0": 1.0, "a@50": 1.0}
        assert "3 failed: " in html(app)
        asked = len(server.asked)
        app = opened("probe", probe=probe_id)
        assert rates(app) == {"base@0": 1.0, "a@50": 1.0}
        assert len(server.asked) == asked


def test_editing_a_sweep_brings_its_runs_into_the_composer(store: StoreBuilder, server: ProbeServer) -> None:
    probe = sweep_probe(store.store)
    with shown(store.store, declared(server)):
        app = opened("probe", probe=probe.probe_id)
        next(button for button in app.button if button.label == "Edit").click().run()
        assert not app.exception
        assert app.segmented_control(key="ask").value == "sweep"
        assert address(app)["run"] == ["a", "b"]
        assert app.button(key="probe_send").disabled
        app.multiselect(key="probe_run").set_value(["a"]).run()
        assert app.segmented_control(key="ask").value == "sweep"
        assert app.button(key="probe_send").label == "Sweep 3 checkpoints"
