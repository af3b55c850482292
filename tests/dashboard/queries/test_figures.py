"""The figures of a study file, and the study's own numbers beside the published ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.queries.figures import Ours, figures, our_number
from dashboard.queries.frame import RateQuery
from dashboard.queries.rates import rates
from loaders.study.definitions import PublishedNumber
from tests.builders import StoreBuilder, log, samples
from tests.real_stores import ingested


@pytest.fixture
def store() -> StoreBuilder:
    builder = StoreBuilder()
    builder.metric("misaligned", misaligned={"score": "judge", "op": "=", "value": 1})
    for step, k in ((0, 22), (100, 0)):
        builder.add(log(samples([1] * k + [0] * (100 - k))), run="a", step=step)
    builder.add(log(samples([1, 0]), task_args={"mode": "x"}), run="varied", step=1)
    return builder


def found(store: StoreBuilder, value: float | None, checkpoint: str, eval_name: str = "blackmail") -> Ours:
    published = PublishedNumber(text="said", value=value, checkpoint=checkpoint, eval=eval_name)
    with store.cursor() as cursor:
        return our_number(published, rates(cursor, RateQuery(evals=(eval_name,)), store.batch))


def test_a_published_number_is_inside_the_interval_or_outside(store: StoreBuilder) -> None:
    ours = found(store, 0.2, "a@0")
    assert ours.row is not None
    assert (ours.row["k"], ours.row["n"], ours.inside) == (22, 100, True)
    assert found(store, 0.35, "a@0").inside is False
    # 0 of 100 has an upper bound: 3% is inside, 5% is not.
    assert (found(store, 0.03, "a@100").inside, found(store, 0.05, "a@100").inside) == (True, False)


def test_a_run_alone_is_its_latest_checkpoint(store: StoreBuilder) -> None:
    ours = found(store, 0.0, "a")
    assert ours.row is not None
    assert ours.row["step"] == 100


def test_what_is_not_there_is_said(store: StoreBuilder) -> None:
    assert found(store, 0.2, "a@7").why_not == "no result at a@7"
    assert found(store, 0.2, "a@0", "gone").why_not == "no results on gone"
    assert found(store, None, "a@0") == Ours()


def test_a_study_files_figures_come_in_their_order_and_none_that_names_a_hidden_run(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(
        "figures:\n"
        "- {title: Second, link: '/curves?run=secret'}\n"
        "- {title: First, link: '/mixes?run=open', published: [{text: '22%', value: 0.22, checkpoint: o, eval: x}]}\n",
        encoding="utf-8",
    )
    study = ingested(tmp_path)
    with study.store.cursor() as cursor:
        assert [figure.title for figure in figures(cursor, study.store.batch())] == ["Second", "First"]
    assert any("figures[1]" in line and 'no log is of its eval "x"' in line for line in study.report.conflicts)
    with study.store.transaction() as cursor:
        cursor.execute("INSERT INTO runs (run, batch_from) VALUES ('secret', 1)")
    with study.store.cursor(hidden=["secret*"]) as cursor:
        seen = figures(cursor, study.store.batch())
    assert [figure.title for figure in seen] == ["First"]
    assert seen[0].published[0].value == 0.22
