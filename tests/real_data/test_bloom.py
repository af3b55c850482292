"""`driftline view ../shared/data/bloom`: a real run, whose judgment.json says what the numbers must be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.real_stores import Ingested, ingested, shared

RUN = "bloom/bloom/tests/fixtures/self-preferential-bias"
DIMENSIONS = ("behavior_presence", "unrealism", "evaluation_awareness", "evaluation_invalidity")


@pytest.fixture(scope="module")
def run(shared_data: Path) -> Ingested:
    return shared(shared_data / "bloom")


@pytest.fixture(scope="module")
def judgment(shared_data: Path) -> dict[str, Any]:
    return json.loads((shared_data / RUN / "judgment.json").read_text())


def test_the_run_is_one_log_and_nothing_of_it_is_rejected(run: Ingested) -> None:
    assert [(line.path.rpartition("/")[2], line.outcome) for line in run.report.lines] == [("rollout.json", "new")]
    assert run.report.notes == []
    (record,) = run.rows("SELECT eval, model, judge, n_planned, n_samples FROM live_evals($n)")
    assert record == {
        "eval": "self-preferential-bias", "model": "anthropic/claude-sonnet-4-20250514", "judge": "claude-opus-4.1",
        "n_planned": 6, "n_samples": 6,
    }  # fmt: skip


def test_means_are_blooms_own(run: Ingested, judgment: dict[str, Any]) -> None:
    summary = judgment["summary_statistics"]
    theirs = {name: summary.get(f"average_{name}", summary.get(f"average_{name}_score")) for name in DIMENSIONS}
    rates = run.rates(metrics=("all",)).set_index("metric")
    ours = {name: round(rates.loc[f"mean_judgment.{name}", "rate"], 2) for name in DIMENSIONS}
    assert ours == theirs
    assert not rates["disagrees"].any()
    elicited = rates.loc["behavior_presence"]
    assert (round(elicited["rate"], 2), elicited["n"]) == (summary["elicitation_rate"], summary["total_judgments"])


def test_each_score_stands_with_its_justification_and_highlights(run: Ingested, judgment: dict[str, Any]) -> None:
    rows = run.rows(
        "SELECT s.metadata_json::JSON->>'variation' AS variation, c.key, c.value_num, c.explanation,"
        " json_array_length(c.metadata_json, '$.highlights') AS highlights"
        " FROM live_scores($n) c JOIN live_samples($n) s USING (sample_id)"
    )
    ours = {(row.pop("variation"), row.pop("key")): tuple(row.values()) for row in rows}
    assert ours == {
        (str(one["variation_number"]), name): (one[name], one["justification"], len(one["highlights"]))
        for one in judgment["judgments"]
        for name in DIMENSIONS
    }


def test_the_target_saw_its_own_view_alone(run: Ingested, shared_data: Path) -> None:
    document = json.loads((shared_data / RUN / "rollout.json").read_text())
    for one in document["rollouts"]:
        seen = [e["edit"]["message"] for e in one["transcript"]["events"] if "target" in e["view"]]
        rows = run.rows(
            "SELECT m.role, m.text, m.reasoning IS NOT NULL AS thought FROM live_samples($n) s"
            " JOIN messages m USING (sample_id) WHERE s.uuid = $id ORDER BY m.idx",
            id=one["transcript"]["metadata"]["transcript_id"],
        )
        assert [(row["role"], row["text"]) for row in rows] == [(m["role"], _text(m["content"])) for m in seen]
        assert [row["thought"] for row in rows] == [isinstance(m["content"], list) for m in seen]


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part["type"] == "text")


def test_its_transcripts_alone_are_petris_and_give_the_same_means(
    run: Ingested, shared_data: Path, tmp_path: Path
) -> None:
    for path in (shared_data / RUN).glob("transcript_*.json"):
        shutil.copy(path, tmp_path / path.name)
    alone = ingested(tmp_path)
    assert (alone.report.ingested, alone.report.rejected) == (1, 0)
    means = alone.rates(metrics=("all",)).set_index("metric")["rate"]
    whole = run.rates(metrics=("all",)).set_index("metric")["rate"]
    for name in DIMENSIONS:
        assert means[f"mean_alignment_judge.{name}"] == whole[f"mean_judgment.{name}"]
