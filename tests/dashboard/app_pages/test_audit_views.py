"""An audit as its target, its auditor, and people who read both see it: on the page, and for scripts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dashboard import answers
from loaders.errors import DriftlineError
from loaders.store import Store
from tests.audit_files import TALK, transcript, write
from tests.pages import html, opened, shown
from tests.real_stores import Ingested, ingested

HIGHLIGHTS = [{"parts": [{"message_id": "Hi."}, {"message_id": "I begin."}]}]


@pytest.fixture
def audit(tmp_path: Path) -> Ingested:
    document = transcript(events=TALK)
    document["metadata"]["judge_output"]["highlights"] = HIGHLIGHTS
    write(tmp_path / "checkpoint-10/transcript_1.json", document)
    return ingested(tmp_path)


def place(found: Ingested) -> dict[str, str]:
    (row,) = found.rows("SELECT eval_key, sample_key FROM live_evals($n) JOIN live_samples($n) USING (eval_id)")
    return {"log": row["eval_key"], "sample": row["sample_key"], "epoch": "1"}


def test_the_views_are_switched_and_highlights_lead_into_the_one_that_holds_them(audit: Ingested) -> None:
    with shown(audit.store):
        app = opened("transcript", **place(audit))
        assert app.button_group(key="view").options == ["Target", "Auditor", "Combined"]
        assert ("Probe for blackmail." in html(app), "Hello." in html(app)) == (False, True)
        auditors = html(opened("transcript", view="auditor", **place(audit)))
        assert ("Probe for blackmail." in auditors, "Hello." in auditors) == (True, False)
        (there,) = [one for one in app.button if one.label == "Message 2, combined view"]
        there.click().run()
        assert app.button_group(key="view").value == "combined"
        assert 'class="dl-message assistant chosen" data-message="2"' in html(app)
        app.button_group(key="view").set_value("target").run()
        assert 'chosen" data-message' not in html(app)


def test_a_sample_that_is_no_audit_has_no_views(tmp_path: Path) -> None:
    document = transcript()
    document |= {"messages": [{"role": "user", "content": "Hello."}]}
    del document["events"]
    write(tmp_path / "checkpoint-10/transcript_1.json", document)
    found = ingested(tmp_path)
    with shown(found.store):
        app = opened("transcript", view="auditor", **place(found))
        assert ("Hello." in html(app), [one.key for one in app.button_group if one.key == "view"]) == (True, [])


def test_scripts_ask_for_a_view(audit: Ingested) -> None:
    asked = place(audit)
    told = json.loads(ask(audit.store, asked).data)
    assert [one["text"] for one in told["messages"]] == ["Hello.", "Hi."]
    assert {view: len(seen) for view, seen in told["views"].items()} == {"auditor": 3, "combined": 3}
    combined = json.loads(ask(audit.store, asked, "combined").data)["messages"]
    assert [one["text"] for one in combined] == ["You audit.", "I begin.", "Hi."]
    with pytest.raises(DriftlineError, match=r"no view judge \(it has: target, auditor, combined\)"):
        ask(audit.store, asked, "judge")
    hidden = audit.rows("SELECT DISTINCT run FROM live_evals($n)")[0]["run"]
    with audit.store.cursor(hidden=[hidden]) as cursor:
        assert cursor.execute("FROM live_view_messages(1)").fetchall() == []


def ask(store: Store, at: dict[str, str], view: str = "target") -> answers.Answer:
    question = answers.Transcript(log=at["log"], sample=at["sample"], view=view)
    return answers.answer(store, question)
