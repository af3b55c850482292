"""Logs without a run or step on the Data page: real ones, placed by what is typed or by a pattern, and written."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from loaders.ingest import ingest
from loaders.store import Store
from tests.pages import html, ingested, opened

PLACED = "2025-12-19T15-27-39+00-00_shutdown_kvdNMdn9kkXhCcg63F87DV.eval"
STUDY = f'logs:\n  - {{match: "{PLACED}", run: hacker, step: 20, mix: rl-mix}}  # the first\n'
LOGS = ("2025-12-19T15-27-39+00-00_shutdown_PkNQ4yL7Y7QFJaPXw2g432.eval",
        "2025-12-19T15-27-39+00-00_shutdown_gkDsNvqBfZPcZdfDHPrne6.eval")  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, shared_data: Path) -> Path:
    for name in (PLACED, *LOGS):
        shutil.copy(shared_data / "shutdown" / name, tmp_path)
    (tmp_path / "study.yaml").write_text(STUDY)
    return tmp_path


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    with ingested(folder) as store:
        yield store


def test_they_are_listed_with_what_is_known_of_them(store: Store) -> None:
    frame = opened("data", show="unplaced").dataframe[0].value
    assert frame["Log"].tolist() == list(LOGS)
    assert set(frame["Eval"]) == {"shutdown"}
    assert frame["Metadata"].str.contains("task_args.epochs").all()


@pytest.mark.slow
def test_what_is_typed_is_tried_written_and_read(store: Store, folder: Path) -> None:
    app = opened("data", show="unplaced")
    app.toggle(key="unplaced_all").set_value(True).run()
    app.selectbox(key="unplaced_run The same for all").set_value("hacker").run()
    app.text_input(key="unplaced_step").set_value("40").run()
    preview = app.dataframe[-1].value
    assert preview[["Run", "Step", "From"]].to_numpy().tolist() == [
        ["hacker", "40", f"study.yaml, logs[{at}]"] for at in (1, 2)
    ]
    app.button(key="write_study").click().run()
    assert not app.exception
    report = ingest([folder], store)
    assert (report.rejected, report.conflicts) == (0, [])
    with store.cursor() as cursor:
        found = cursor.execute("SELECT run, step FROM live_evals(2) ORDER BY step").fetchall()
    assert found == [("hacker", 20), ("hacker", 40), ("hacker", 40)]
    assert (folder / "study.yaml").read_text().startswith(STUDY)
    assert opened("data", show="unplaced").caption[-1].value.startswith("None:")


@pytest.mark.slow
def test_a_pattern_says_how_many_it_matches(store: Store) -> None:
    app = opened("data", show="unplaced")
    next(each for each in app.get("button_group") if each.proto.label == "Place").set_value("Pattern in the path").run()
    app.text_input(key="unplaced_pattern").set_value(r"T15-27-(?P<step>\d+).*Pk(?P<run>.{3})").run()
    assert any("Matches 1 of 2." in each.value for each in app.caption)
    assert app.dataframe[-1].value[["Log", "Run", "Step"]].to_numpy().tolist() == [[LOGS[0], "NQ4", "39"]]


@pytest.mark.slow
def test_a_label_that_looks_like_a_slip_is_said(store: Store) -> None:
    app = opened("data", show="unplaced")
    app.toggle(key="unplaced_all").set_value(True).run()
    app.selectbox(key="unplaced_run The same for all").set_value("hacker").run()
    app.text_input(key="unplaced_step").set_value("forty").run()
    assert "forty: read as a label" in html(app)
    app.text_input(key="unplaced_step").set_value("1.5").run()
    assert "is no step" in html(app)
