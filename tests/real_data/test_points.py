"""From a point to the samples behind it and to their transcripts, on every real folder: the counts are the same."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from dashboard.queries.samples import SampleFilter, all_samples, outcome_counts
from dashboard.queries.transcript import transcript
from tests.real_stores import STUDIES, Ingested, shared

pytestmark = pytest.mark.slow

FOLDERS = {"inspect": None, "inspect_flow": None, "inspect_rl": None, "shutdown": "shutdown", "emergent": "emergent"}


@pytest.fixture(params=FOLDERS)
def store(request: pytest.FixtureRequest, shared_data: Path) -> Ingested:
    study = FOLDERS[request.param]
    return shared(shared_data / request.param, study=STUDIES / f"{study}.yaml" if study else None)


def test_the_samples_behind_every_point_are_those_that_it_counts(store: Ingested) -> None:
    frame = store.rates(metrics=("all",))
    frame = frame[frame["kind"] != "reported"]
    assert len(frame) > 3
    frame = frame[frame["n_all"].notna()]
    with store.store.cursor() as cursor:
        for (name, metric), points in frame.groupby(["eval", "metric"]):
            wanted = SampleFilter(evals=(name,), metric=metric)
            behind = all_samples(cursor, wanted, store.store.batch())
            found = behind.groupby("log")["outcome"].value_counts()
            for row in points.itertuples():
                if pd.isna(row.n_all) or pd.isna(row.n):  # a number that the log reports of itself
                    continue
                expected = {"missing": row.n_missing, "outside": row.n_all - row.n - row.n_missing}
                if row.kind == "mean":
                    expected |= {"scored": row.n}
                elif row.n:
                    expected |= {"misaligned": row.k, "aligned": row.n - row.k}
                told = found[row.eval_key].to_dict() if row.n_all else {}
                assert told == {outcome: n for outcome, n in expected.items() if n}, row.path
            assert outcome_counts(cursor, wanted, store.store.batch()) == behind["outcome"].value_counts().to_dict()


def test_every_sample_has_its_transcript_and_says_what_its_row_says(store: Ingested) -> None:
    with store.store.cursor() as cursor:
        batch = store.store.batch()
        samples = all_samples(cursor, SampleFilter(), batch)
        # Those of superseded copies and attempts are told by the log that speaks.
        total = store.rows(
            "SELECT count(*) AS n FROM live_samples($n) JOIN live_evals($n) USING (eval_id)"
            " WHERE role IN ('speaks', 'joined') AND sample_id NOT IN (SELECT sample_id FROM live_passed_over($n))"
        )[0]["n"]
        assert len(samples) == total
        assert not samples.duplicated(["log", "sample", "epoch"]).any()  # a link names one sample
        for row in samples.groupby("log").head(2).itertuples():
            told = transcript(cursor, row.log, row.sample, int(row.epoch), batch)
            assert (told.log["path"], told.log["run"]) == (row.path, row.run)
            assert (told.sample["sample_key"], told.sample["epoch"]) == (row.sample, row.epoch)
            assert len(told.messages) == row.messages
            assert [message["idx"] for message in told.messages] == list(range(row.messages))
            assert (told.sample["reply"] or "") == (row.reply if isinstance(row.reply, str) else "")
