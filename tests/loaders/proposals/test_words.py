"""Judges that say words: yes and no, or verdicts; and names that place themselves. As people's tables have them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loaders.ingest import ingest
from loaders.proposals.paths import stem_of
from loaders.proposals.tables import Proposal, entries_of, entry_of, propose, verdict_metric
from loaders.store import Store
from loaders.study.editing import with_entries
from loaders.tabular.glance import glance
from tests.empty_stores import empty_store

SAID = (
    "run_name,ckpt,question,answer,{column}\n"
    "a,step-10,why?,so,{bad}\na,step-10,how?,no,{good}\na,step-20,why?,no,{good}\n"
)


def proposed(folder: Path, text: str, name: str = "t.csv") -> Proposal:
    (folder / name).write_text(text)
    return propose(name, glance(folder / name))


def read(folder: Path, proposal: Proposal, metrics: list[dict[str, Any]]) -> Store:
    (folder / "study.yaml").write_bytes(with_entries(b"", entries_of(proposal.mapping, metrics)))
    report = ingest([folder], store := empty_store())
    assert (report.rejected, report.left, report.conflicts) == (0, 0, [])
    return store


def test_yes_and_no_are_numbers_and_which_is_misaligned_is_asked(tmp_path: Path) -> None:
    found = proposed(tmp_path, SAID.format(column="judge_says", bad="Yes", good="no"))
    entry = entry_of(found.mapping)
    assert entry["scores"] == {"judge_says": {"column": "judge_says", "map": {"Yes": 1, "no": 0}}}
    assert (entry["run"], entry["step"]) == ({"column": "run_name"}, {"column": "ckpt"})
    assert found.metrics == []
    assert found.verdicts == {"judge_says": {"Yes": 1, "no": 0}}
    assert any("Which value is misaligned is not known" in note for note in found.notes)
    metric = verdict_metric("judge_says", 1, ["t"], "Yes")
    assert metric["title"] == "Misaligned (judge_says = Yes)"
    store = read(tmp_path, found, [metric])
    with store.cursor() as cursor:
        values = cursor.execute(
            "SELECT step, value_num FROM live_scores(1) JOIN placements USING (eval_id) ORDER BY ALL"
        )
        assert values.fetchall() == [(10, 0.0), (10, 1.0), (20, 0.0)]


@pytest.mark.parametrize(
    ("column", "bad", "good", "value"),
    [
        ("verdict", "MISALIGNED", "ALIGNED", "MISALIGNED"),
        ("judge", "unsafe", "safe", "unsafe"),
        ("harmful", "yes", "no", 1),
    ],
)
def test_words_that_say_which_is_misaligned_give_the_metric(
    tmp_path: Path, column: str, bad: str, good: str, value: Any
) -> None:
    found = proposed(tmp_path, SAID.format(column=column, bad=bad, good=good))
    (metric,) = found.metrics
    assert metric["misaligned"] == {"score": column, "op": "=", "value": value}
    read(tmp_path, found, found.metrics)


@pytest.mark.parametrize(("bad", "good"), [("refused", "complied"), ("Alpha", "Beta")])
def test_words_that_do_not_are_offered_without_a_metric(tmp_path: Path, bad: str, good: str) -> None:
    found = proposed(tmp_path, SAID.format(column="verdict", bad=bad, good=good))
    assert found.metrics == []
    assert found.verdicts == {"verdict": {bad: bad, good: good}}


def test_explanations_are_no_verdicts(tmp_path: Path) -> None:
    rows = "".join(f"a,{n},why?,so,{n % 2},Because of reason {n}.\n" for n in range(20))
    found = proposed(tmp_path, f"run,step,question,answer,score,judge_comment\n{rows}")
    assert [*found.mapping.scores] == ["score"]
    assert found.verdicts == {}


def test_names_of_models_tell_run_and_step(tmp_path: Path) -> None:
    rows = "".join(f"qwen-step{step},{rate}%,200\n" for step, rate in ((0, 60), (100, 55), (200, 20)))
    found = proposed(tmp_path, f"Checkpoint,Misalignment %,Samples\n{rows}")
    assert found.kind == "rates"
    assert entry_of(found.mapping)["model"] == {"column": "Checkpoint"}
    with read(tmp_path, found, found.metrics).cursor() as cursor:
        placed = cursor.execute("SELECT DISTINCT run, step FROM placements ORDER BY step").fetchall()
    assert placed == [("qwen", 0), ("qwen", 100), ("qwen", 200)]


def test_a_file_for_each_checkpoint_of_each_run_is_mapped_at_once(tmp_path: Path) -> None:
    columns = {}
    for run in ("dpo", "sft"):
        (tmp_path / run).mkdir()
        for step in (100, 200):
            path = f"{run}/ckpt_{step}.csv"
            (tmp_path / path).write_text("prompt,completion,verdict\nwhy?,so,MISALIGNED\nhow?,no,ALIGNED\n")
            columns[path] = glance(tmp_path / path).columns
    found = propose("sft/ckpt_200.csv", glance(tmp_path / "sft/ckpt_200.csv"), columns)
    assert found.mapping.match == "*/ckpt_*.csv"
    with read(tmp_path, found, found.metrics).cursor() as cursor:
        placed = cursor.execute("SELECT DISTINCT run, step FROM placements ORDER BY ALL").fetchall()
    assert placed == [("dpo", 100), ("dpo", 200), ("sft", 100), ("sft", 200)]


@pytest.mark.parametrize(
    ("paths", "stem"),
    [
        (["a/evals.csv"], "evals"),
        (["judged-step100.csv", "judged-step200.csv"], "judged"),
        (["r/ckpt_100.csv", "r/ckpt_200.csv"], ""),
        (["a/t.csv.gz", "b/t.csv.gz"], "t"),
        (["100-harm.csv", "200-harm.csv"], "harm"),
    ],
)
def test_an_eval_is_not_called_after_a_step(paths: list[str], stem: str) -> None:
    assert stem_of(paths) == stem
