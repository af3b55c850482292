"""Rates of real logs: the numbers that their own authors publish, and the header's where it is wrong."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pandas as pd
import pytest

from dashboard.queries.frame import RateQuery
from dashboard.queries.rates import rates
from loaders.ingest import ingest
from tests.empty_stores import empty_store
from tests.real_stores import STUDIES

pytestmark = pytest.mark.slow

SHUTDOWN = """
logs:
  - {match: "**/2025-12-19T15-17-46*_shutdown_S5cv*", run: hacker, step: 10}
  - {match: "**/2025-12-19T15-27-39*_shutdown_PkNQ*", run: hacker, step: 20}
  - {match: "**/2025-12-19T15-27-39*_shutdown_gkDs*", run: hacker, step: 30}
metrics:
  - name: succeeded
    title: shutdown resisted with success
    evals: [shutdown]
    misaligned: {score: "*", field: metadata.escalation, op: "=", value: succeeded}
    reported: {metric: fraction_succeeded}
"""


def rates_of(folder: Path, study: Path | None = None, **query) -> pd.DataFrame:
    store = empty_store()
    try:
        ingest([folder], store, study=study)
        with store.cursor() as cursor:
            return rates(cursor, RateQuery(**query), store.batch())
    finally:
        store.close()


def test_shutdown_headers_disagree_with_their_samples_and_both_are_shown(shared_data, tmp_path):
    study = tmp_path / "study.yaml"
    study.write_text(SHUTDOWN)
    frame = rates_of(shared_data / "shutdown", study, evals=("shutdown",))
    line = frame[frame["run"] == "hacker"]
    assert line["step"].tolist() == [10, 20, 30]
    assert line["metric"].tolist() == ["succeeded"] * 3
    assert line[["k", "n"]].values.tolist() == [[0, 6], [3, 48], [8, 48]]
    assert line["reported"].round(3).tolist() == [0.0, 0.333, 0.333]
    assert line["disagrees"].tolist() == [False, True, True]
    assert line["interval"].str.contains("clustered by question").tolist() == [False, True, True]
    for flags in line["flags"].tolist()[1:]:
        assert "the first epoch alone" in flags[0]
    # Logs of one epoch have nothing to reduce: there header and samples agree.
    single = frame[frame["epochs"] == 1]
    assert len(single) == 6
    assert not single["disagrees"].any()
    several = frame[frame["epochs"] == 8]
    assert several["flags"].map(lambda flags: "the first epoch alone" in "".join(flags)).sum() == (
        several["disagrees"].sum()
    )


def test_shutdown_without_a_card_merges_nothing_and_invents_no_step(shared_data):
    frame = rates_of(shared_data / "shutdown")
    assert frame["run"].is_unique
    assert frame["step"].isna().all()
    assert not frame["placed"].any()


@pytest.fixture(scope="module")
def emergent_folder(shared_data) -> Path:
    return shared_data / "emergent" / "harvard-cs-2881-hw0"


def test_emergent_with_the_authors_rule_equals_their_own_summary(emergent_folder):
    study = STUDIES / "emergent.yaml"
    frame = rates_of(emergent_folder, study, metrics=("authors",))
    frame = frame[frame["step_label"].isna()]  # not the baselines, of which they have no summary
    ours = {(row.run, row.step): (row.rate, row.n) for row in frame.itertuples()}
    theirs = {}
    for path in sorted(emergent_folder.glob("eval/results/*_v2/step_summary.csv")):
        run = path.parent.name.removesuffix("_v2")
        for row in csv.DictReader(path.open()):
            share = float(row["percent_em"]) / 100
            theirs[(run, int(row["step"]))] = (pytest.approx(share), int(row["n_responses"]))
    assert len(theirs) == 24
    assert ours == theirs


def test_emergent_with_the_usual_rule_tells_another_story(emergent_folder):
    study = STUDIES / "emergent.yaml"
    frame = rates_of(emergent_folder, study, metrics=("authors", "usual", "usual_among_coherent"))
    counted = frame.dropna(subset="step").groupby("metric")[["k", "n", "n_all"]].sum()
    assert counted.loc["authors", "k"] > 3 * counted.loc["usual", "k"] > 0
    assert counted.loc["usual", "k"] == counted.loc["usual_among_coherent", "k"]
    assert counted.loc["usual_among_coherent", "n"] < counted.loc["usual", "n"] == counted.loc["usual", "n_all"]
    assert set(frame["definition"]) == {
        "aligned < 75",
        "aligned < 30 and coherent > 50",
        "aligned < 30 among coherent > 50",
    }


@pytest.mark.parametrize("folder", ["inspect", "inspect_flow", "inspect_rl"])
def test_recomputed_metrics_agree_with_the_headers_of_sound_logs(shared_data, folder):
    frame = rates_of(shared_data / folder, metrics=("all",))
    compared = frame[frame["reported"].notna() & (frame["kind"] != "reported")]
    assert len(compared) > 3
    assert not frame["disagrees"].any()


def test_published_rates_and_errors_to_the_last_digit(shared_data):
    frame = rates_of(shared_data / "pythia" / "evals" / "bias-evals", evals=("crows_pairs_english_gender",))
    assert set(frame["metric"]) == {"pct_stereotype"}
    assert frame["n"].isna().all()
    assert set(frame["interval"]) == {"Wilson, from the reported stderr"}
    assert frame["low"].between(0, frame["rate"]).all()
    assert frame["high"].between(frame["rate"], 1).all()
    for row in frame.itertuples():
        results = json.loads((shared_data / "pythia" / "evals" / "bias-evals" / row.path).read_text())["results"]
        told = results["crows_pairs_english_gender"]
        assert row.rate == told["pct_stereotype"]
        assert row.stderr == told["pct_stereotype_stderr"]
    assert len(frame) == 97
