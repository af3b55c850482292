"""What a mapping means for a table's columns: summaries, wide exports, bare names, joined columns; whole studies."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from loaders import tabular
from loaders.errors import RejectedFile
from loaders.ingest import ingest
from loaders.records import LoadedFile
from loaders.report import IngestReport
from loaders.store import Store
from tests.empty_stores import empty_store
from tests.loaders.tabular.test_tabular import mapping, write_csv, write_jsonl


def loaded(path: Path, text: str, **fields: Any) -> LoadedFile:
    return tabular.load(path, path.name, mapping(text, **fields))


def ingested(folder: Path) -> tuple[Store, IngestReport]:
    store = empty_store()
    return store, ingest([folder], store)


def reported(file: LoadedFile) -> list[tuple[str | None, float | None, int | None, int | None]]:
    return [(e.stated_step, m.value, m.k, m.n) for e in file.evals for m in e.reported]


SHARES = "{eval: e, step: {column: step}, reported: {acc: {value: {column: acc}, n: {column: n}, k: {column: k}}}}"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("0.634,500,317", (0.634, 317, 500)),
        ("0.63,500,317", (0.634, 317, 500)),
        (",500,317", (0.634, 317, 500)),
        ("63.4%,500,317", (0.634, 317, 500)),
        ("0.634,500,", (0.634, 317, 500)),
        ('0.25,"1,000",', (0.25, 250, 1000)),
        ("0.6345,10,", (0.6345, None, 10)),  # no whole number of ten is that
        ("0,500,", (0.0, 0, 500)),
        ("0.5,,", (0.5, None, None)),
        ("nan,500,", (None, None, 500)),
        ("inf,500,", (None, None, 500)),
        ("63.4,500,", (63.4, None, 500)),  # not a share as it stands
    ],
)
def test_k_and_n_come_from_columns_or_from_the_rate(tmp_path: Path, row: str, expected: tuple[Any, ...]) -> None:
    path = write_csv(tmp_path / "t.csv", "step,acc,n,k", f"1k,{row}")
    ((step, value, k, n),) = reported(loaded(path, SHARES))
    assert (step, value, k, n) == ("1000", pytest.approx(expected[0], abs=1e-12), *expected[1:])


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("63.4,500,317,2", (0.634, 317, 500, 0.02)),
        ("63.4,500,,", (0.634, 317, 500, None)),
        ("25.0,20,,", (0.25, 5, 20, None)),
        ("0.5,1000,,", (0.005, 5, 1000, None)),  # half a percent
        ("63.4%,500,,", (0.634, 317, 500, None)),
    ],
)
def test_percentages_without_their_sign_are_shares(tmp_path: Path, row: str, expected: tuple[Any, ...]) -> None:
    path = write_csv(tmp_path / "t.csv", "step,acc,n,k,se", f"1,{row}")
    parts = "value: {column: acc}, n: {column: n}, k: {column: k}, stderr: {column: se}, percent: true"
    (record,) = loaded(path, f"{{eval: e, step: {{column: step}}, reported: {{acc: {{{parts}}}}}}}").evals
    (metric,) = record.reported
    assert (metric.k, metric.n) == expected[1:3]
    assert (metric.value, metric.stderr) == (pytest.approx(expected[0]), pytest.approx(expected[3]))


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        ("0.9,500,317", "line 2: acc: k is 317 and n 500, and that is not the value 0.9"),
        (",500,501", "k is 501 and n 500"),
        ("0.5,x,3", "n is 'x', and a whole number"),
        ("0.5,10.5,", "n is '10.5'"),
    ],
)
def test_counts_that_contradict_each_other_are_refused_with_the_line(tmp_path: Path, row: str, wanted: str) -> None:
    path = write_csv(tmp_path / "t.csv", "step,acc,n,k", f"1,{row}")
    with pytest.raises(RejectedFile, match=wanted):
        loaded(path, SHARES)


def test_a_constant_n_gives_k(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "t.csv", "step,acc", "1,0.38")
    text = "{eval: e, step: {column: step}, reported: {acc: {value: {column: acc}, n: 50}}}"
    assert reported(loaded(path, text)) == [("1", 0.38, 19, 50)]


def test_two_rows_that_report_the_same_are_refused(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "t.csv", "step,acc,n,k", "1,0.5,2,1", "1,0.0,2,0")
    with pytest.raises(RejectedFile, match="line 2 and line 3 both report acc of one eval"):
        loaded(path, SHARES)


@pytest.mark.parametrize(
    ("header", "rows", "summary"),
    [
        ("step,n,correct,accuracy", ["1,500,317,0.634", "2,500,336,0.672"], [(317, 500), (336, 500)]),
        ("step,total,passes,accuracy", ["1,10,3,0.3", "2,20,5,0.25"], [(3, 10), (5, 20)]),
        ("step,num_samples,accuracy", ["1,50,0.38", "2,50,0.4"], [(19, 50), (20, 50)]),
        ("step,n,accuracy", ["1,50,0.381", "2,50,0.4"], None),  # no whole number of 50
        ("step,n,accuracy", ["1,1,1", "2,1,0"], None),  # samples of one
        ("step,seed,accuracy", ["1,50,0.38", "2,50,0.4"], None),  # nothing says that a seed is a total
        ("step,n,accuracy", ["1,50,80", "2,50,3"], None),
    ],
)
def test_rows_are_summaries_where_their_own_columns_say_so(
    tmp_path: Path, header: str, rows: list[str], summary: list[tuple[int, int]] | None
) -> None:
    path = write_csv(tmp_path / "t.csv", header, *rows)
    file = loaded(path, "{eval: e, step: {column: step}, scores: {acc: {column: accuracy}}}")
    if summary is None:
        assert [len(e.samples) for e in file.evals] == [1] * len(rows)
        assert reported(file) == []
        return
    assert [(k, n) for _, _, k, n in reported(file)] == summary
    assert "rows are read as summaries" in file.notes[0]


def test_the_summary_table_of_the_cases(cases: Path) -> None:
    store, report = ingested(cases / "summary-table-n-and-k")
    with store.cursor() as cursor:
        rows = cursor.execute("SELECT value, k, n FROM reported ORDER BY value").fetchall()
    assert rows == [(0.634, 317, 500), (0.672, 336, 500), (0.72, 360, 500)]
    assert any("read as summaries" in note for note in report.notes)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_wide_export_is_a_run_for_each_column(cases: Path, tmp_path: Path, form: str) -> None:
    (export,) = (cases / "wandb-export-wide").glob("*.csv")
    path = export
    if form == "jsonl":
        names = ["Step", *(f"{run} - eval/harm_rate{end}" for run in ("sft-a", "sft-b") for end in ("", "__MIN"))]
        cells = [[0, 0.42, 0.42, None, None], [100, 0.0, 0.0, 0.31, 0.31], [200, float("nan"), 1, 0.12, 0.12]]
        path = write_jsonl(tmp_path / "w.jsonl", [dict(zip(names, row, strict=True)) for row in cells])
    text = "{eval: harm, run: {header: '^(.*) - eval/harm_rate'}, step: {column: Step}}"
    file = loaded(path, text, reported={"harm": {"value": {"column": "value"}}})
    found = {(e.stated_run, e.stated_step): e.reported[0].value for e in file.evals}
    assert found == {
        ("sft-a", "0"): 0.42, ("sft-a", "100"): 0.0, ("sft-a", "200"): None,
        ("sft-b", "100"): 0.31, ("sft-b", "200"): 0.12,
    }  # fmt: skip


def test_a_header_that_matches_no_column_is_refused(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "t.csv", "Step,a - x", "1,2")
    with pytest.raises(RejectedFile, match=r'name matches .*"Step", "a - x"'):
        loaded(path, "{eval: e, run: {header: '(.*) - y'}, reported: {y: {value: {column: value}}}}")


@pytest.mark.parametrize(
    ("run", "cell", "expected"),
    [
        ("{columns: [model, seed]}", "m,3", "m-3"),
        ("{columns: [model, seed], join: /}", "m,3", "m/3"),
        ("{columns: [model, seed]}", "m,", "m"),
        ("{columns: [model, seed]}", ",", None),
        ("{columns: [model, seed], map: {m-3: x}}", "m,3", "x"),
        ("{path: 'logs/([^/]+?)(?:_s(\\d+))?/'}", ",", "sft-1"),
        ("{path: 'logs/(\\w+?)(_v\\d+)?_'}", ",", "sft"),
        ("{path: 'nowhere/(.*)', optional: true}", ",", None),
        ("{value: model}", "m,3", "model"),
    ],
)
def test_a_run_of_several_columns_or_an_optional_group(
    tmp_path: Path, run: str, cell: str, expected: str | None
) -> None:
    path = write_csv(tmp_path / "t.csv", "id,model,seed", f"1,{cell}")
    file = tabular.load(path, "logs/sft_s1/t.csv", mapping(f"{{eval: e, id: {{column: id}}, run: {run}}}"))
    assert file.evals[0].stated_run == expected


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_bare_name_is_the_column_of_that_name(tmp_path: Path, form: str) -> None:
    row = {"id": "a", "step": 7, "aligned": 10, "question": "Q1", "model": "m", "math": 3}
    path = tmp_path / f"t.{form}"
    if form == "csv":
        write_csv(path, ",".join(row), ",".join(map(str, row.values())))
    else:
        path.write_text(json.dumps(row))
    text = "{eval: math, run: model, step: step, id: id, prompt: question, scores: {aligned: aligned}}"
    file = loaded(path, text)
    (record,) = file.evals
    # A column of numbers is no name: the eval is called math.
    assert (record.task, record.stated_run, record.stated_step) == ("math", "m", "7")
    (sample,) = record.samples
    assert (sample.sample_key, sample.input, sample.scores[0].value_num) == ("a", "Q1", 10)
    assert 'prompt: "question" is read as the column of that name; a constant is {value: question}' in file.notes


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ("prompt: questoin", 'prompt is "questoin", and no column is called so; the columns there are: "id", "q"'),
        ("scores: {s: aligned}", 'scores.s is "aligned"'),
        ("step: forty", 'step is "forty"'),
        ("id: key", 'id is "key"'),
    ],
)
def test_a_bare_name_that_is_no_column_is_refused_where_a_constant_makes_no_sense(
    tmp_path: Path, fields: str, wanted: str
) -> None:
    path = write_csv(tmp_path / "t.csv", "id,q", "1,2")
    with pytest.raises(RejectedFile, match=wanted):
        loaded(path, fields, eval="e")


def test_constants_stay_constants(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "t.csv", "id,q", "1,2")
    file = loaded(path, "{eval: e, run: r, step: final, id: {column: id}, prompt: {value: q}}")
    (record,) = file.evals
    assert (record.task, record.stated_run, record.stated_step, record.samples[0].input) == ("e", "r", "final", "q")
    assert file.notes == []


def test_entries_that_match_nothing_are_named_with_their_lines(cases: Path) -> None:
    _, report = ingested(cases / "entries-that-match-nothing")
    assert report.conflicts == [
        'study.yaml: line 10: metrics[1]: "m2": no score of its evals is called "no_such_score"',
        'study.yaml: line 12: groups.g: no log is of its eval "nope"',
        'study.yaml: line 3: tables[1]: match "nothing-*.csv" matches no table',
        'study.yaml: line 5: runs[0]: match "nowhere/**" matches no file',
        'study.yaml: line 7: logs[0]: match "no-such*.eval" matches no file',
        'study.yaml: line 9: metrics[0]: "m": no log is of its evals (no-such-eval)',
    ]


STUDY = """
tables:
  - {match: "*.csv", eval: e, id: {column: id}, scores: {s: {column: s}, t: {column: s}}}
evals:
  named: {task: e}
  other: {task: mmlu}
metrics:
  - {name: m, evals: ["na*"], misaligned: {any: [{score: s, op: "=", value: 1}, {score: u, op: "=", value: 1}]}}
  - {name: r, evals: [named], kind: reported, reported: {metric: nope}}
runs:
  - {match: "t.csv", name: x}
  - {match: "later/**", name: y, checkpoints: [{step: 3}]}
ignore: ["raw/**", "*.jsonl"]
"""


def test_what_matches_is_not_named_and_ignored_files_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY)
    write_csv(tmp_path / "t.csv", "id,s", "1,1")
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/broken.json").write_text("{")
    (tmp_path / "x.jsonl").write_text("{")
    _, report = ingested(tmp_path)
    assert report.conflicts == [
        'study.yaml: line 6: evals.other: no log is of this eval (task "mmlu")',
        'study.yaml: line 9: metrics[1]: "r": no log of its evals reports "nope"',
    ]
    assert (report.ignored, report.rejected, report.left) == (2, 0, 0)
    assert sorted(line.path for line in report.lines if line.outcome == "ignored") == ["raw/broken.json", "x.jsonl"]
    assert "2 ignored by study.yaml" in report.summary()


def test_a_file_that_is_ignored_from_now_on_is_forgotten(tmp_path: Path) -> None:
    study = "tables: [{match: '*.csv', eval: e, id: {column: id}}]\n"
    (tmp_path / "study.yaml").write_text(study)
    write_csv(tmp_path / "t.csv", "id,s", "1,1")
    write_csv(tmp_path / "u.csv", "id,s", "1,1")
    store, _ = ingested(tmp_path)
    (tmp_path / "study.yaml").write_text(study + "ignore: [u.csv]\n")
    report = ingest([tmp_path], store)
    assert (report.ignored, report.gone) == (1, 1)
    with store.cursor() as cursor:
        assert cursor.execute("SELECT path FROM live_locations(?) ORDER BY path", [report.batch]).fetchall() == [
            ("study.yaml",), ("t.csv",),
        ]  # fmt: skip


def test_rollouts_of_verifiers_with_their_metadata(cases: Path) -> None:
    store, report = ingested(cases / "verifiers-results")
    assert (report.ingested, report.rejected, report.conflicts) == (2, 0, [])
    with store.cursor() as cursor:
        (row,) = cursor.execute("SELECT model, n_planned FROM evals").fetchall()
        errors = cursor.execute("SELECT count(*) FROM samples WHERE error IS NOT NULL").fetchone()
        roles = cursor.execute("SELECT DISTINCT role FROM messages ORDER BY role").fetchall()
    assert row == ("me/rl-step-100", 4)
    assert errors == (1,)
    assert roles == [("assistant",), ("system",), ("tool",), ("user",)]


@pytest.mark.slow
@pytest.mark.parametrize("form", [".csv.gz", ".jsonl.gz", ".json", ".CSV"])
def test_packed_tables_and_json_lists_are_read_by_an_ingest(tmp_path: Path, form: str) -> None:
    (tmp_path / "study.yaml").write_text("tables: [{match: 'a/*', eval: e, run: r, id: {column: id}}]")
    (tmp_path / "a").mkdir()
    text = "id,s\n1,2\n" if "csv" in form.lower() else '{"id": 1}\n'
    text = f"[{text}]" if form == ".json" else text
    data = gzip.compress(text.encode()) if form.endswith("gz") else text.encode()
    (tmp_path / f"a/t{form}").write_bytes(data)
    # A log beside it that the glob matches too is still a log, and a broken one is told as one.
    (tmp_path / "a/log.json").write_text('{"x": 1}')
    _, report = ingested(tmp_path)
    (line,) = [line for line in report.lines if line.eval]
    assert (line.path, line.format, line.run, line.samples) == (f"a/t{form}", "table", "r", 1)
    assert [line.path for line in report.lines if line.outcome == "rejected"] == ["a/log.json"]


def test_rollouts_of_one_example_are_resamples(tmp_path: Path) -> None:
    rows = [
        {"example_id": example, "prompt": "q", "completion": "a", "reward": reward, "ms": ms}
        for ms, (example, reward) in enumerate([(0, 1.0), (0, 0.0), (1, 1.0), (1, 1.0)])
    ]
    path = write_jsonl(tmp_path / "results.jsonl", rows)
    file = loaded(path, "{eval: e, id: {column: example_id}, scores: {reward: {column: reward}}}")
    (one,) = file.evals
    assert [(s.sample_key, s.epoch) for s in one.samples] == [("0", 1), ("0", 2), ("1", 1), ("1", 2)]
    assert one.epochs == 2


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig"])
def test_json_lines_in_other_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes('{"id": 1, "s": 1}\n{"id": 2, "s": 0}\n'.encode(encoding))
    (one,) = loaded(path, "{eval: e, id: {column: id}, scores: {s: {column: s}}}").evals
    assert [sample.scores[0].value_num for sample in one.samples] == [1.0, 0.0]


def test_a_list_of_rows_in_a_file_called_jsonl(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('[{"id": 1, "s": 1},\n{"id": 2, "s": 0}]')
    (one,) = loaded(path, "{eval: e, id: {column: id}, scores: {s: {column: s}}}").evals
    assert [sample.scores[0].value_num for sample in one.samples] == [1.0, 0.0]


def test_a_tsv_is_delimited_by_tabs_whatever_its_header_says(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("id\ta, b, or c\n1\t0.5\n")
    (one,) = loaded(path, "{eval: e, id: {column: id}, scores: {s: {column: 'a, b, or c'}}}").evals
    assert one.samples[0].scores[0].value_num == 0.5


def test_idle_entries_of_run_cards_and_ignore_are_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    write_csv(tmp_path / "a/t.csv", "id,s", "1,1")
    (tmp_path / "a/run.yaml").write_text('name: r\nlogs:\n  - {match: "x*", step: 3}\n  - {match: "t*", step: 7}\n')
    (tmp_path / "study.yaml").write_text(
        'ignore: ["nope/**",\n  "b/**"]\ntables: [{match: "a/*.csv", eval: e, id: {column: id}}]'
    )
    (tmp_path / "b").mkdir()
    write_csv(tmp_path / "b/t.csv", "id,s", "1,1")
    store, report = ingested(tmp_path)
    assert 'study.yaml: line 1: ignore[0]: "nope/**" matches no file' in report.notes
    assert not any("b/**" in note for note in report.notes)
    assert report.conflicts == ['a/run.yaml: line 3: logs[0]: match "x*" matches no file']
    assert 'study.yaml: line 1: ignore[0]: "nope/**" matches no file' in ingest([tmp_path], store).notes


def test_a_mapping_of_one_run_of_an_export_stands_for_all(cases: Path) -> None:
    store, report = ingested(cases / "wandb-export-wide")
    with store.cursor() as cursor:
        rows = cursor.execute(
            "SELECT run, step, metric, value, n_samples FROM live_evals(1) JOIN reported USING (eval_id) ORDER BY ALL"
        ).fetchall()
    assert [(run, step, value) for run, step, _, value, _ in rows if value is not None] == [
        ("sft-a", 0, 0.42), ("sft-a", 100, 0.0), ("sft-b", 100, 0.31), ("sft-b", 200, 0.12),
    ]  # fmt: skip
    assert {(metric, n) for _, _, metric, _, n in rows} == {("rate", 0)}
    assert any("each of these columns is a run" in note for note in report.notes)


def test_only_a_chart_of_runs_is_taken_for_one(tmp_path: Path) -> None:
    text = "{eval: e, run: a, step: {column: Step}, scores: {x: {column: 'a - x'}}}"
    path = write_csv(tmp_path / "w.csv", "Step,a - x,b - x", "1,0.5,0.25")
    (one,) = loaded(path, text).evals
    assert (one.stated_run, len(one.samples), one.reported) == ("a", 1, [])
    path = write_csv(
        tmp_path / "w.csv", "Step,a - x,a - x__MIN,a - x__MAX,b - y,b - y__MIN,b - y__MAX", "1,2,2,2,3,3,3"
    )
    (one,) = loaded(path, text).evals
    assert (one.stated_run, one.samples, one.reported[0].value) == ("a", [], 2.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("{score: s, op: '=', value: 1}", None),
        ("{all: [{score: s, op: '=', value: 1}, {score: sss, op: '=', value: 1}]}", '"sss"'),
        ("{any: [{score: s, op: '=', value: 1}, {score: sss, op: '=', value: 1}]}", None),
        ("{any: [{score: ss, op: '=', value: 1}, {score: sss, op: '=', value: 1}]}", '"ss", "sss"'),
        ("{not: {score: sss, op: '=', value: 1}}", '"sss"'),
        ("{score: 's*', op: '=', value: 1}", None),
        ("{score: s, key: harm, op: '=', value: 1}", '"s" with a key "harm"'),
        ("{score: k, key: x, op: '=', value: 1}", None),
        ("{score: k, op: '=', value: 1}", '"k" without a key (`key:` takes one of x, y)'),
        ("{score: k, field: answer, op: '=', value: 1}", None),
        ("{score: s, op: '=', value: 1}\n    among: {score: coherrent, op: '>', value: 50}", '"coherrent"'),
    ],
)
def test_a_metric_is_named_for_every_score_that_it_needs_and_that_there_is_none_of(
    tmp_path: Path, said: str, told: str | None
) -> None:
    write_jsonl(tmp_path / "t.jsonl", [{"id": "a", "s": 1, "k": {"x": 1, "y": 0}}])
    table = "{match: t.jsonl, eval: e, run: r, step: 1, id: {column: id}, scores: {s: {column: s}, k: {column: k}}}"
    (tmp_path / "study.yaml").write_text(
        f"tables: [{table}]\nmetrics:\n  - name: m\n    evals: [e]\n    misaligned: {said}\n"
    )
    expected = [] if told is None else [f'study.yaml: line 3: metrics[0]: "m": no score of its evals is called {told}']
    assert ingested(tmp_path)[1].conflicts == expected


def test_a_metric_names_each_of_its_evals_that_no_log_is_of(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", "id,s", "a,1")
    (tmp_path / "study.yaml").write_text(
        "tables: [{match: t.csv, eval: e, run: r, step: 1, id: {column: id}, scores: {s: {column: s}}}]\n"
        "metrics: [{name: m, evals: [e, f, 'g*'], misaligned: {score: s, op: '=', value: 1}}]\n"
    )
    assert ingested(tmp_path)[1].conflicts == ['study.yaml: line 2: metrics[0]: "m": no log is of its evals f, g*']


def test_a_step_that_is_no_number_is_named_where_it_is_no_usual_label(tmp_path: Path) -> None:
    for name in ("a", "b", "c", "d"):
        write_jsonl(tmp_path / f"{name}.jsonl", [{"id": name, "s": 1}])
    (tmp_path / "study.yaml").write_text(
        "tables: [{match: '*.jsonl', eval: e, id: {column: id}, scores: {s: {column: s}}}]\n"
        "logs:\n"
        "  - {match: a.jsonl, run: r, step: forty}\n"
        "  - {match: b.jsonl, run: r, step: base}\n"
        "  - {match: c.jsonl, run: r, step: epoch 3}\n"
        "runs:\n"
        "  - {match: d.jsonl, name: r, checkpoints: [{step: 1}, {step: ten}]}\n"
    )
    odd = "is read as a label, with no place among steps: write a number, or a label such as base or final"
    assert ingested(tmp_path)[1].conflicts == [
        f'study.yaml: line 3: logs[0]: step "forty" {odd}',
        f'study.yaml: line 7: runs[0]: checkpoints[1]: step "ten" {odd}',
    ]
