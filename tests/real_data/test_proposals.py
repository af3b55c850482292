"""Emergent misalignment without a study file: what is proposed gives the numbers of a mapping by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.queries.frame import ALL_METRICS, RateQuery
from dashboard.queries.rates import rates
from loaders.proposals.tables import Proposal, entries_of, propose
from loaders.study.editing import with_entries
from loaders.tabular.glance import glance
from loaders.trial import Trial, trial
from tests.real_stores import STUDIES, shared

RESULTS = "harvard-cs-2881-hw0/eval/results"


@pytest.fixture(scope="module")
def root(shared_data: Path) -> Path:
    return shared_data / "emergent"


def proposed(root: Path, path: str) -> Proposal:
    tables = {str(file.relative_to(root)): glance(file) for file in root.rglob("*.csv")}
    return propose(path, tables[path], {path: found.columns for path, found in tables.items()})


def tried(root: Path, proposal: Proposal) -> Trial:
    paths = sorted(str(file.relative_to(root)) for file in root.rglob("*.csv"))
    return trial(root, paths, with_entries(b"", entries_of(proposal.mapping, proposal.metrics)), {})


def counted(found: Trial, metric: str) -> dict[tuple[str, str], tuple[int, int]]:
    with found.store.cursor() as cursor:
        frame = rates(cursor, RateQuery(metrics=(ALL_METRICS,)), found.store.batch())
    some = frame[frame["metric"] == metric]
    steps = some["step_label"].fillna(some["step"].astype(str))
    return {
        (run.removesuffix("_v2"), step): (k, n)
        for run, step, k, n in zip(some["run"], steps, some["k"], some["n"], strict=True)
    }


@pytest.mark.slow
@pytest.mark.parametrize("file", ["1b_medical_v2/fg_judged.csv", "baseline/1b_risky/base_judged.csv"])
def test_judged_answers_give_the_same_rates(root: Path, file: str) -> None:
    found = tried(root, proposed(root, f"{RESULTS}/{file}"))
    by_hand = shared(root, study=STUDIES / "emergent.yaml").rates(metrics=("usual",))
    base = by_hand["step_label"].notna()
    by_hand = by_hand[base if "base" in file else ~base]
    steps = by_hand["step_label"].fillna(by_hand["step"].astype(str))
    theirs = zip(by_hand["run"], steps, by_hand["k"], by_hand["n"], strict=True)
    assert counted(found, "misaligned") == {(run, step): (k, n) for run, step, k, n in theirs}
    assert (found.report.rejected, found.report.conflicts) == (0, [])
    found.store.close()


def test_their_summary_gives_what_the_authors_count(root: Path) -> None:
    found = tried(root, proposed(root, f"{RESULTS}/3b_risky_v2/step_summary.csv"))
    by_hand = shared(root, study=STUDIES / "emergent.yaml").rates(metrics=("authors",))
    by_hand = by_hand[by_hand["step_label"].isna()]
    theirs = zip(by_hand["run"], by_hand["step"].astype(str), by_hand["k"], by_hand["n"], strict=True)
    with found.store.cursor() as cursor:
        frame = rates(cursor, RateQuery(metrics=("percent_em",)), found.store.batch())
    ours = zip(frame["run"].str.removesuffix("_v2"), frame["step"].astype(str), frame["rate"], frame["n"], strict=True)
    expected = {(run, step): (pytest.approx(k / n), n) for run, step, k, n in theirs}
    assert {(run, step): (rate, n) for run, step, rate, n in ours} == expected
    found.store.close()


def test_nothing_is_left_of_a_trial(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = sorted(root.rglob("*"))
    tried(root, proposed(root, f"{RESULTS}/3b_risky_v2/step_summary.csv")).store.close()
    assert list(tmp_path.iterdir()) == []
    assert sorted(root.rglob("*")) == before
