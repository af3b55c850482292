"""What stands before the pages where people sign in, and what each role may do behind it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.access.access_file import parse_access
from dashboard.pages import PAGES
from dashboard.probe.endpoints import Declared
from dashboard.probe.service import ProbeService
from loaders.store import Store
from tests.builders import StoreBuilder, log, sample, samples
from tests.dashboard.app_pages.test_probe import pressed, saved, written
from tests.pages import everything, html, offered, opened_by, shown
from tests.probe_server import ProbeServer
from tests.probing import BARE, columns, endpoint, until

POLICY = parse_access(
    """
roles:
  - {role: viewer, groups: [guests]}
  - {role: prober, groups: [probers]}
  - {role: editor, groups: [editors]}
  - {role: admin, emails: [ada@example.org]}
private:
  - {runs: ["hush-*"], emails: [ada@example.org]}
""",
    "access.yaml",
)
ADA = {"email": "ada@example.org"}


def of(group: str) -> dict[str, Any]:
    return {"email": f"{group}@example.org", "groups": [group]}


@pytest.fixture(scope="module")
def store() -> Store:
    builder = StoreBuilder()
    for run in ("plain", "hush-run"):
        builder.run(run)
        for step in (0, 100):
            builder.add(log(samples([1, 0, 1])), run=run, step=step)
    builder.add(log([sample(1)]), run="plain", step=200)
    return builder.store


@pytest.fixture
def server(server: ProbeServer) -> ProbeServer:
    server.models = [{"id": name} for name in ("plain@0", "plain@100", "hush-run@100", "hush-other", "judge")]
    return server


@pytest.fixture
def service(server: ProbeServer, store: Store) -> Iterator[ProbeService]:
    with shown(store, Declared((endpoint(server),)), access=POLICY) as service:
        yield service


PAGE_NAMES = [page.name for page in PAGES]


def titles(app: AppTest) -> list[str]:
    return [heading.value for heading in app.subheader]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("claims", "title"),
    [
        (None, "Sign in"),
        ({"email": "ned@example.org"}, "No access"),
        ({"email": "ned@example.org", "groups": []}, "No access"),
        ({"email": "ned@example.org", "groups": "guests"}, "No access"),
        ({"email": "ned@example.org", "groups": {"guests": True}}, "No access"),
        ({"email": "ned@example.org", "groups": ["guests", 1]}, "No access"),
        (ADA | {"email_verified": False}, "No access"),
        (ADA | {"iat": 1000}, "Sign in again"),
        (ADA | {"iat": None}, "Sign in again"),
        (ADA | {"is_logged_in": False}, "Sign in"),
        (ADA | {"is_logged_in": "true"}, "Sign in"),
    ],
)
def test_who_is_nobody_sees_nothing_of_the_study(
    claims: dict[str, Any] | None, title: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shown(store, access=POLICY):
        # Nothing is asked of the store either.
        monkeypatch.setattr(Store, "cursor", None)
        for page in ("overview", "audit") if claims else PAGE_NAMES:
            app = opened_by(claims, page)
            assert titles(app) == [title]
            assert b"plain" not in everything(app)
            assert not app.dataframe
            assert not app.get("vega_lite_chart")


@pytest.mark.slow
def test_the_role_is_told_and_private_runs_are_hidden_from_every_role_that_is_not_named(store: Store) -> None:
    with shown(store, access=POLICY):
        for claims, role in ((of("guests"), "viewer"), (of("editors"), "editor"), (ADA, "admin")):
            app = opened_by(claims, "curves")
            assert f"{claims['email']} · {role}" in html(app)
            assert ("hush-run" in offered(app, "curves_run")) == (role == "admin")
            assert [button.label for button in app.button if button.label == "Sign out"]


@pytest.mark.slow
def test_signing_out_ends_the_sign_in_in_every_session(store: Store) -> None:
    claims = ADA | {"iat": time.time()}
    with shown(store, access=POLICY):
        app = opened_by(claims, "overview")
        pressed(app, "Sign out")
        assert titles(app)[0] in ("Sign in", "Sign in again")
        assert titles(opened_by(claims, "overview")) == ["Sign in again"]
        assert titles(opened_by(ADA, "overview")) == ["Overview"]


# Asking models.


def asked(service: ProbeService, *models: str, title: str = "Friday") -> str:
    from dashboard.probe.asked import Sampling

    probe_id = service.engine.start(columns(*models), [BARE], Sampling(1, max_tokens=20), title=title)
    until(lambda: not service.engine.active(probe_id))
    return probe_id


WRITES = ["Run", "Stop all", "Retry failed", "Repeat", "Score all replies", "Send", "Measure", "Refresh endpoints"]


@pytest.mark.slow
@pytest.mark.parametrize("view", ["Replies", "Likelihoods", "Mark"])
def test_viewers_read_probes_and_are_offered_nothing_that_asks(service: ProbeService, view: str) -> None:
    probe_id = asked(service, "plain@0")
    app = opened_by(of("guests"), "probe", probe=probe_id, view=view)
    assert "Friday" in html(app)
    assert "Prompting models and re-scoring takes the role prober" in html(app)
    assert not [button.label for button in app.button if button.label in WRITES]
    assert not app.text_area
    assert not [group for group in app.get("button_group") if group.proto.label.startswith("Rate sample")]


@pytest.mark.slow
def test_probers_ask_and_do_not_mark_and_editors_do_both(service: ProbeService) -> None:
    app = written(opened_by(of("probers"), "probe"), "What now?")
    pressed(app, "Run")
    probe_id = app.query_params["probe"]
    probe = saved(service, probe_id if isinstance(probe_id, str) else probe_id[0])
    assert probe.author == "probers@example.org"
    app = opened_by(of("probers"), "probe", probe=probe.probe_id, view="Mark")
    assert "takes the role editor" in html(app)
    assert not [group for group in app.get("button_group") if group.proto.label.startswith("Rate sample")]
    app = opened_by(of("editors"), "probe", probe=probe.probe_id, view="Mark")
    marks = [group for group in app.get("button_group") if group.proto.label.startswith("Rate sample")]
    marks[0].set_value(marks[0].options[0])
    app.run()
    assert [who for reply in saved(service, probe.probe_id).replies for who in reply.marks] == ["editors@example.org"]
    with service.engine._store.cursor() as cursor:
        told = cursor.execute("SELECT who, action FROM audit WHERE action <> 'sign_in' ORDER BY happened_at").fetchall()
    assert told == [("probers@example.org", "probe"), ("editors@example.org", "verdict")]


def test_a_control_that_was_drawn_before_does_nothing_for_who_may_not(
    service: ProbeService, server: ProbeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A button that is still on somebody's screen is refused where its work is done."""
    app = written(opened_by(of("probers"), "probe"), "What now?")
    before = len(server.asked)
    app.user = {**app.user, **of("guests")}
    pressed(app, "Run")
    assert len(server.asked) == before
    with service.engine._store.cursor() as cursor:
        assert cursor.execute("SELECT count(*) FROM probes WHERE author = 'guests@example.org'").fetchone() == (0,)


# Models of hidden runs.


def test_models_of_a_hidden_run_are_neither_offered_nor_counted(service: ProbeService) -> None:
    app = opened_by(of("probers"), "probe")
    assert app.multiselect(key="probe_model").options == ["plain @0 · lab", "plain @100 · lab", "judge · lab"]
    assert "3 models" in html(app)
    assert b"hush" not in everything(app)
    app = opened_by(ADA, "probe")
    assert len(app.multiselect(key="probe_model").options) == 5
    assert "5 models" in html(app)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hush-run@100", "hush-other"])
def test_a_link_that_names_a_hidden_model_asks_nothing(service: ProbeService, server: ProbeServer, name: str) -> None:
    app = opened_by(of("probers"), "probe", model=[f"lab/{name}"])
    written(app, "What now?")
    send = next(button for button in app.button if button.label == "Run")
    assert send.disabled
    assert f"Not served now: lab/{name}" in html(app)
    assert not server.asked


@pytest.mark.slow
@pytest.mark.parametrize("models", [("hush-run@100",), ("plain@0", "hush-run@100"), ("hush-other",)])
def test_a_probe_of_a_hidden_model_does_not_exist(service: ProbeService, models: tuple[str, ...]) -> None:
    probe_id = asked(service, *models, title="Monday")
    app = opened_by(of("editors"), "probe", probe=probe_id)
    assert f"There is no probe {probe_id}" in html(app)
    assert "Monday" not in html(app)
    assert "Monday" in html(opened_by(ADA, "probe", probe=probe_id))
