"""What the pages for developers build is built: their code works as it stands there."""

from __future__ import annotations

import ast
import importlib.util
import json
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from dashboard.access.access_file import parse_access
from dashboard.docs.contents import NAMES, PAGES
from dashboard.probe.models_file import read_models_file
from dashboard.queries.one_select import VIEWS
from loaders.study.reading import parse_study, read_run_card
from tests.docs_blocks import block, blocks
from tests.driftline import driftline, environment
from tests.installed import installed
from tests.log_files import write_log
from tests.named_code import is_code

MADE_THERE = ("dashboard.statistics.ratios.relative_risk", "dashboard.links.CHECKPOINTS")
"""What the pages themselves tell to write."""


@contextmanager
def module(name: str, text: str, folder: Path) -> Iterator[ModuleType]:
    """A module of a page, importable under its name for as long as it is wanted."""
    path = folder / f"{name.rpartition('.')[2]}.py"
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    try:
        spec.loader.exec_module(made)
        yield made
    finally:
        del sys.modules[name]


@pytest.mark.slow
def test_the_new_format_is_installed_and_read(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "scores.json").write_text(block("add-a-format", "scores.json"))
    (logs / "broken.json").write_text('{"harness": "mine", "task": "honeypot"}')
    project = tomllib.loads(block("add-a-format", "pyproject.toml"))["project"]
    modules = {"driftline_mine.py": block("add-a-format", "driftline_mine.py")}
    entries = project["entry-points"]["driftline.formats"]
    with installed(tmp_path / "site", modules, entries, name=project["name"], version=project["version"]):
        listed = json.loads(driftline("formats", "--format", "json", data=tmp_path).stdout)
        told = driftline("ingest", logs, data=tmp_path)
        rates = driftline("rates", "--path", logs, "--format", "json", data=tmp_path)
    assert listed[-1] == {
        "name": "mine",
        "reads": 'What the harness "mine" writes: one JSON file an eval, with a verdict for each item.',
        "package": "driftline-mine 1.0",
        "problem": None,
    }
    assert "is no file of the harness mine: KeyError('items') (format mine of driftline-mine 1.0)" in told.stdout
    (row,) = json.loads(rates.stdout)
    assert (row["run"], row["step"], row["eval"]) == ("tiny", 100, "honeypot")
    assert (row["n"], row["k"], row["n_missing"]) == (2, 1, 1)


def test_the_new_statistic_agrees_with_its_oracle(tmp_path: Path) -> None:
    text = block("add-a-statistic", "dashboard/statistics/ratios.py")
    with (
        module("dashboard.statistics.ratios", text, tmp_path) as ratios,
        module(
            "docs_test_ratios", block("add-a-statistic", "tests/dashboard/statistics/test_ratios.py"), tmp_path
        ) as test,
    ):
        (marked,) = test.test_ratio_and_interval_agree_with_scipy.pytestmark
        for counts in marked.args[1]:
            test.test_ratio_and_interval_agree_with_scipy(counts)
        assert ratios.relative_risk(0, 5, 2, 5).estimate == 0
        with pytest.raises(ValueError, match="between 0 and n"):
            ratios.relative_risk(6, 5, 2, 5)


def test_what_the_code_for_developers_uses_is_there() -> None:
    checked = 0
    for name in NAMES:
        for each in blocks(name):
            if each.language != "python":
                continue
            tree = ast.parse(each.text)
            imported = {}
            for node in ast.walk(tree):
                if (
                    isinstance(node, ast.ImportFrom)
                    and node.module
                    and node.module.startswith(("dashboard", "loaders"))
                ):
                    for alias in node.names:
                        imported[alias.asname or alias.name] = f"{node.module}.{alias.name}"
            used = [
                f"{imported[node.value.id]}.{node.attr}"
                for node in ast.walk(tree)
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in imported
            ]
            for dotted in [*imported.values(), *used]:
                checked += 1
                assert is_code(dotted) or dotted in MADE_THERE, f"{name}.md: {dotted}"
    assert checked > 20


def test_every_yaml_that_is_shown_is_one_that_is_read(tmp_path: Path) -> None:
    checked = set()
    for name in NAMES:
        for each in blocks(name):
            if each.language != "yaml":
                continue
            kind = Path(each.file).name
            checked.add(kind)
            if kind == "run.yaml":
                (tmp_path / kind).write_text(each.text)
                read_run_card(tmp_path / kind)
            elif kind == "study.yaml":
                parse_study(each.text, each.file)
            elif kind == "models.yaml":
                (tmp_path / kind).write_text(each.text)
                assert read_models_file(tmp_path / kind).endpoints
            else:
                assert kind == "access.yaml", f"{name}.md: a block of YAML names the file that it is of"
                parse_access(each.text, kind)
    assert checked == {"run.yaml", "study.yaml", "models.yaml", "access.yaml"}


@pytest.mark.slow
def test_the_three_lines_of_the_notebook_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_log(tmp_path / "runs/my-study/tiny/checkpoint-100/log.eval", [1, 0, 0, None], task="blackmail")
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    assert driftline("ingest", tmp_path / "runs/my-study", data=tmp_path).returncode == 0
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(block("scripts", "notebook.py"), names)
    assert names["rates"][["run", "step", "n", "n_missing"]].values.tolist() == [["tiny", 100, 3, 1]]


def test_every_view_that_sql_may_name_is_documented() -> None:
    text = (PAGES / "scripts.md").read_text(encoding="utf-8")
    assert [name for name in VIEWS if f"`{name}`" not in text] == []
