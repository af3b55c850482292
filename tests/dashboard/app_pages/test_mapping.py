"""Unmapped tables on the Data page: from an unmapped table to its rates, written by who may, copied by others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.access.access_file import parse_access
from loaders.ingest import ingest
from loaders.store import Store
from tests.pages import html, ingested, opened, opened_by, previewed

pytestmark = pytest.mark.slow

JUDGED = "step,id,question,response,aligned_score,coherent_score\n"
ROWS = "10,s10_q1,why?,so,20,90\n10,s10_q2,how?,so,80,90\n20,s20_q1,why?,so,10,90\n20,s20_q2,how?,so,20,90\n"
STUDY = "title: Mine  # said by me\n"
ACCESS = """
roles:
  - {role: admin, emails: [ada@example.org]}
  - {role: editor, emails: [ed@example.org, eve@example.org]}
  - {role: viewer, emails: [vi@example.org]}
private:
  - {runs: ["secret*"], emails: [ada@example.org, ed@example.org, vi@example.org]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for run in ("one", "two"):
        (tmp_path / "results" / run).mkdir(parents=True)
        (tmp_path / "results" / run / "judged.csv").write_text(JUDGED + ROWS.replace("why", f"why {run}"))
    (tmp_path / "results/one/raw.csv").write_text("id,question,response\na,why?,so\n")
    (tmp_path / "study.yaml").write_text(STUDY)
    return tmp_path


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    with ingested(folder) as store:
        yield store


def test_tables_that_hold_scores_come_first_and_one_is_tried(store: Store) -> None:
    app = opened("data", show="tables")
    assert app.dataframe[0].value[["Table", "Looks like"]].to_numpy().tolist() == [
        ["results/one/judged.csv", "Judged answers (aligned, coherent)"],
        ["results/two/judged.csv", "Judged answers (aligned, coherent)"],
        ["results/one/raw.csv", "No scores found"],
    ]
    frame = app.dataframe[-1].value
    assert frame[["Run", "Step", "misaligned"]].to_numpy().tolist() == [
        ["one", "10", "50.0% [9.5%, 90.5%] (1 of 2)"],
        ["one", "20", "100.0% [34.2%, 100.0%] (2 of 2)"],
        ["two", "10", "50.0% [9.5%, 90.5%] (1 of 2)"],
        ["two", "20", "100.0% [34.2%, 100.0%] (2 of 2)"],
    ]
    assert any("Matches 2 of 3" in each.value for each in app.caption)


def test_what_is_written_is_read_and_all_else_stays(store: Store, folder: Path) -> None:
    app = opened("data", show="tables")
    before = previewed(app)
    app.button(key="write_study").click().run()
    assert not app.exception
    text = (folder / "study.yaml").read_text()
    assert text.startswith(STUDY)
    assert 'match: "results/*/judged.csv"' in text
    report = ingest([folder], store)
    assert (report.rejected, report.left, report.conflicts) == (0, 1, [])
    with store.cursor() as cursor:
        found = cursor.execute("SELECT DISTINCT run, step FROM live_evals(2) ORDER BY ALL").fetchall()
        assert cursor.execute("SELECT who, action FROM audit").fetchall() == [("anonymous", "study")]
    assert [[run, str(step)] for run, step in found] == [row[:2] for row in before]


def test_what_was_written_is_shown_once_it_is_read_with_the_way_to_its_curves(store: Store, folder: Path) -> None:
    app = opened("data", show="tables")
    app.button(key="write_study").click().run()
    assert [each.value for each in app.success] == ["Written to study.yaml. Reading the files ..."]
    # What is proposed is of before: it would be written twice.
    assert "write_study" not in [button.key for button in app.button]
    ingest([folder], store)
    app.run()
    assert [each.value for each in app.success] == ["Written to study.yaml, and the files are read."]
    assert not [button for button in app.button if button.key == "update"]
    assert {"Curves", "Overview"} <= {link.label for link in app.get("page_link")}
    assert [*app.dataframe[0].value["Table"]] == ["results/one/raw.csv"]


def test_of_a_judge_that_says_words_somebody_says_which_is_misaligned(tmp_path: Path) -> None:
    rows = "".join(f"a,step-{n},why {n}?,so,{'yes' if n < 2 else 'no'}\n" for n in range(3))
    (tmp_path / "t.csv").write_text(f"run_name,ckpt,question,answer,judge_says\n{rows}")
    with ingested(tmp_path) as store:
        app = opened("data", show="tables")
        next(box for box in app.selectbox if box.label == "Misaligned: judge_says is").set_value("yes").run()
        assert [row[-1].split(" ")[0] for row in previewed(app)] == ["100.0%", "100.0%", "0.0%"]
        app.button(key="write_study").click().run()
        assert ingest([tmp_path], store).left == 0
    assert "Misaligned (judge_says = yes)" in (tmp_path / "study.yaml").read_text()


def test_another_column_gives_other_rates_at_once(store: Store) -> None:
    app = opened("data", show="tables")
    run = next(box for box in app.selectbox if box.label == "Run")
    run.set_value(("constant", "")).run()
    next(field for field in app.text_input if field.label == "Run (constant)").set_value("mine").run()
    # Both files are of one run now, and their ids meet.
    assert {row[0] for row in previewed(app)} == {"mine"}
    assert "run: mine" in app.code[-1].value


def test_what_cannot_be_read_says_why_and_is_not_written(store: Store, folder: Path) -> None:
    app = opened("data", show="tables")
    match = next(field for field in app.text_input if field.label == "Files")
    match.set_value("results/**").run()
    assert "wants column" in html(app)
    assert app.button(key="write_study").disabled
    assert (folder / "study.yaml").read_text() == STUDY


def test_a_table_without_scores_can_be_left_out(store: Store, folder: Path) -> None:
    app = opened("data", show="tables", table="results/one/raw.csv")
    assert "No score is picked" in html(app)
    next(each for each in app.toggle if each.label == "Leave out").set_value(True).run()
    app.button(key="write_study").click().run()
    assert ingest([folder], store).ignored == 1


def test_a_file_that_changed_meanwhile_is_not_overwritten(store: Store, folder: Path) -> None:
    app = opened("data", show="tables")
    (folder / "study.yaml").write_text("title: Another\n")
    app.button(key="write_study").click().run()
    assert "changed meanwhile" in html(app)
    assert (folder / "study.yaml").read_text() == "title: Another\n"


def test_only_admins_write_and_who_may_not_see_all_runs_sees_no_rows(folder: Path) -> None:
    with ingested(folder, parse_access(ACCESS, "access.yaml")):
        admin = opened_by({"email": "ada@example.org"}, "data", show="tables")
        assert admin.button(key="write_study")
        editor = opened_by({"email": "ed@example.org"}, "data", show="tables")
        assert "write_study" not in [button.key for button in editor.button]
        assert "tables:" in editor.code[0].value
        viewer = opened_by({"email": "vi@example.org"}, "data", show="tables")
        assert [box.label for box in viewer.selectbox] == ["Table"]
        assert viewer.code[0].value == editor.code[0].value
        other = opened_by({"email": "eve@example.org"}, "data", show="tables")
        assert not other.code
        assert list(other.dataframe[0].value.columns) == ["path", "size"]
