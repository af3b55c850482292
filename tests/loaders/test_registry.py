"""Formats of other packages: what they read comes in, and whatever they do wrong rejects their file and no more."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from loaders import formats, registry
from loaders.errors import DriftlineError, RejectedFile
from loaders.ingest import ingest
from loaders.listing import Item
from loaders.registry import ORDER, registered
from loaders.report import IngestReport
from loaders.store import Store
from tests.empty_stores import empty_store
from tests.installed import installed
from tests.log_files import write_log

PLAIN = '''"""Odd files."""
from loaders.records import *
from loaders.errors import RejectedFile
def matches(path, head):
    return b"odd" in head
def made(**fields):
    return LoadedFile("odd", evals=[EvalRecord("odd_task", model="org/odd-step_1", **fields)])
def sample(key="1", epoch=1, **fields):
    return SampleRecord(key, epoch, scores=[ScoreRecord("s", value_num=1.0, value_type="number")], **fields)
def read(path):
    return made(samples=[sample()])
'''
GOOD = "SELECT run, step, n_samples FROM live_evals($n) WHERE task = 'good_task'"
ODD = "SELECT run, step, n_samples FROM live_evals($n) WHERE task = 'odd_task'"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_log(tmp_path / "study/good/checkpoint-10/log.eval", [1, 1, 1, 0], task="good_task", eval_id="GOOD")
    (tmp_path / "study/odd.json").write_text('{"odd": 1}')
    return tmp_path / "study"


def plugged(root: Path, more: str = "", **entries: str) -> AbstractContextManager[None]:
    modules = {"odd_format.py": PLAIN + more}
    return installed(root.parent / "site", modules, entries or {"odd": "odd_format"})


def rows(store: Store, sql: str) -> list[tuple[Any, ...]]:
    with store.cursor() as cursor:
        return cursor.execute(sql, {"n": store.batch()}).fetchall()


def outcome(root: Path, store: Store) -> tuple[IngestReport, dict[str, str]]:
    """The report and why files are rejected; the good log is there, and the same files again change nothing."""
    report = ingest([root], store)
    assert rows(store, GOOD) == [("good", 10, 4)]
    assert ingest([root], store).batch == report.batch
    return report, {line.path: line.reason or "" for line in report.lines if line.outcome == "rejected"}


def test_driftlines_own_formats_come_first_and_in_order(root: Path) -> None:
    with plugged(root, aaa="odd_format"):
        assert [known.name for known in registered().formats] == [*ORDER, "aaa"]


def test_what_a_package_registers_is_read(root: Path) -> None:
    store = empty_store()
    with plugged(root):
        report, rejected = outcome(root, store)
    assert rejected == {}
    assert ("odd.json", "odd", 1) in [(line.path, line.format, line.samples) for line in report.lines]
    assert rows(store, ODD) == [("odd", 1, 1)]


READ = "def read(path):\n    "
SCORED = 'return made(samples=[SampleRecord("1", 1, scores=[ScoreRecord("s", {})])])'


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("def matches(path, head):\n    1 / 0", "raised ZeroDivisionError in `matches` (division by zero)"),
        ("def matches(path, head):\n    return head", "returned a bytes from `matches`"),
        (READ + "1 / 0", "raised ZeroDivisionError in `read` (division by zero)"),
        (READ + "raise SystemExit(3)", "raised SystemExit in `read` (3)"),
        (READ + "raise RejectedFile(path, 'line 3 is odd')", r"line 3 is odd (format odd of odd-formats 1.0)"),
        (READ + "raise RejectedFile(path, None)", "rejects the file without a reason"),
        (READ + "return read(path)", "raised RecursionError in `read`"),
        (READ + "return {'evals': []}", "returned a dict from `read`"),
        (READ + "return LoadedFile('odd')", "returned neither evals nor checkpoints"),
        (READ + "return LoadedFile('inspect', evals=[EvalRecord('t')])", "returned a file of format 'inspect'"),
        (READ + "return made(samples=[sample(key=1)])", "Expected `str`, got `int` - at `$.evals[0].samples[0].sample"),
        (READ + "return made(samples=[object()])", "can't be kept"),
        (READ + "return made(samples=[sample(), sample()])", "sample '1' in epoch 1 a second time"),
        (READ + "return made(samples=[sample(epoch=0)])", "epoch is 0"),
        (READ + "return made(samples=[sample(input='\\ud800')])", "holds NUL or half a surrogate"),
        (READ + "return made(samples=[sample(metadata_json='{NaN')])", "metadata_json is no JSON"),
        (READ + "return made(samples=[sample(total_time=float('nan'))])", "total_time is nan: None where"),
        (READ + "return made(status='fine')", "status is 'fine' (allowed: success"),
        (READ + "return made(n_planned=2**64)", "n_planned"),
        (READ + "return made(reported=[ReportedMetric('m', 1.0, stderr=-1.0)])", "stderr is -1"),
        (READ + "return made(reported=[ReportedMetric('m', 1.0, n=2, k=3)])", "k is 3, of n = 2"),
        (READ + "return made(samples=[sample(messages=[MessageRecord('robot', 'x')])])", "role is 'robot'"),
        (READ + SCORED.format("value_num=1.0"), "has value_type 'missing' and another value"),
        (READ + SCORED.format("value_type='number'"), "has value_type 'number' and another value"),
        (READ + SCORED.format("value_num=0.5, value_type='bool'"), "has value_type 'bool' and another value"),
        (READ + SCORED.format("value_num=0.5, value_type='share'"), "has value_type 'share' and another value"),
        ("def companions(path):\n    1 / 0", "raised ZeroDivisionError in `companions`"),
        ("def companions(path):\n    return 'b.json'", "something else from `companions` than a list of paths"),
        ("matches = lambda path, head: False\ndef is_document(d):\n    1 / 0", "raised ZeroDivisionError in `is_docum"),
    ],
)
def test_what_a_format_does_wrong_rejects_its_file_with_its_name(root: Path, wrong: str, told: str) -> None:
    item = Item("odd.json", (root / "odd.json",), 10, 0)
    with plugged(root, wrong), pytest.raises(RejectedFile) as error:
        formats.read(item, None)
    assert told in error.value.reason
    assert "format odd of odd-formats 1.0" in error.value.reason


@pytest.mark.parametrize("wrong", ["def matches(path, head):\n    1 / 0", READ + "raise SystemExit(3)"])
def test_an_ingest_goes_on_whatever_a_format_does(root: Path, wrong: str) -> None:
    with plugged(root, wrong):
        _, rejected = outcome(root, empty_store())
    assert list(rejected) == ["odd.json"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("import no_such_module", "raised ModuleNotFoundError in being imported (No module named 'no_such_module')"),
        ("raise SystemExit", "raised SystemExit in being imported"),
        ("del read", "odd_format has no function `read`"),
        ("IDENTITY = 'size'", "its IDENTITY is 'size' (allowed: content, name, path)"),
        ("ENDINGS = 'log'", "has ENDINGS 'log'"),
    ],
)
def test_a_format_that_cannot_be_loaded_is_named_where_its_file_may_be(root: Path, wrong: str, told: str) -> None:
    said = "format odd of odd-formats 1.0 could not be loaded: "
    with plugged(root, wrong):
        (missing,) = registered().unloadable
        with pytest.raises(RejectedFile, match=re.escape(f"It may be of a format that is missing: {missing}")):
            formats.read(Item("odd.json", (root / "odd.json",), 10, 0), None)
    assert told in str(missing)
    assert said in str(missing)


def test_an_import_notes_a_format_that_cannot_be_loaded(root: Path) -> None:
    with plugged(root, "import no_such_module"):
        (missing,) = registered().unloadable
        report, rejected = outcome(root, empty_store())
    assert str(missing) in report.notes
    assert str(missing) in rejected["odd.json"]


def test_a_name_that_is_taken_is_no_format(root: Path) -> None:
    with plugged(root, inspect="odd_format", table="odd_format"):
        assert [known.name for known in registered().formats] == [*ORDER]
        assert all("its name is taken" in known.reason for known in registered().unloadable)


def test_where_one_format_fails_another_may_read(root: Path) -> None:
    modules = {"a_format.py": PLAIN + "def matches(path, head):\n    1 / 0", "odd_format.py": PLAIN}
    with installed(root.parent / "site", modules, {"a": "a_format", "odd": "odd_format"}):
        report, rejected = outcome(root, empty_store())
    assert rejected == {}
    assert [note for note in report.notes if "format a of odd-formats 1.0 raised ZeroDivisionError" in note]


@pytest.mark.slow
def test_endings_and_companions_are_a_formats_own(root: Path) -> None:
    (root / "odd.json").unlink()
    (root / "a.odd").write_text("odd")
    (root / "a.txt").write_text("not listed")
    (root / "a.jsonl").write_text('{"row": 1}\n')
    write_log(root / "beside.eval", [1], task="beside", eval_id="BESIDE")
    more = (
        "ENDINGS = ('.odd',)\n"
        "def companions(path):\n    return [path.with_suffix('.jsonl'), path.with_name('beside.eval'), path]\n"
        "def read(path):\n    return made(samples=[sample(input=path.with_suffix('.jsonl').read_text())])"
    )
    store = empty_store()
    with plugged(root, more):
        report, rejected = outcome(root, store)
        assert (report.left, rejected) == (0, {})
        assert rows(store, "SELECT input FROM live_samples($n) WHERE input LIKE '%row%'") == [('{"row": 1}\n',)]
        assert rows(store, "SELECT count(*) FROM live_evals($n) WHERE task = 'beside'") == [(1,)], "a log is nobody's"
        (root / "a.jsonl").write_text('{"row": 2}\n')
        assert [line.path for line in ingest([root], store).lines] == ["a.odd"], "read again with its companion"


@pytest.mark.slow
def test_files_are_read_again_when_a_format_comes_changes_and_goes(root: Path) -> None:
    store = empty_store()
    assert "unknown format" in outcome(root, store)[1]["odd.json"]
    with plugged(root):
        report, rejected = outcome(root, store)
        assert (report.ingested, rejected) == (1, {}), "and the good log is not read again"
        assert rows(store, ODD) == [("odd", 1, 1)]
    with plugged(root, READ + "return made(samples=[sample(), sample('2')])"):
        assert outcome(root, store)[0].ingested == 1
        assert rows(store, ODD) == [("odd", 1, 2)]
    report, rejected = outcome(root, store)
    assert "unknown format" in rejected["odd.json"]
    assert rows(store, ODD) == [("odd", 1, 2)], "what it held when it could last be read stays"


def test_an_installation_without_driftlines_own_formats_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda group: [])
    registered.cache_clear()
    with pytest.raises(DriftlineError, match=re.escape(f"{', '.join(registry.ORDER)} of its formats are not")):
        registered()
    monkeypatch.undo()
    registered.cache_clear()
    assert registered().own


def test_of_files_that_claim_each_other_the_first_stands_for_all(root: Path) -> None:
    (root / "odd2.json").write_text('{"odd": 2}')
    (root / "odd3.json").write_text('{"odd": 3}')
    claims = """
def companions(path):
    return [one for one in path.parent.iterdir() if one != path and one.name.startswith("odd")]
"""
    with plugged(root, claims):
        items = formats.listed(root).items
    assert {path: len(item.parts) for path, item in items.items() if "odd" in path} == {"odd.json": 3}
