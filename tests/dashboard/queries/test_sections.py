"""Which runs belong together: by their cards, else by their folders."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from dashboard.queries.catalogue import runs
from dashboard.queries.sections import (
    ALL,
    first_in_order,
    most_in,
    name_sections,
    section_of,
    sections,
    within,
)
from loaders.makers.demo.writer import DEMO
from tests.real_stores import shared

STUDY = {("/logs", "")}


def named(runs: dict[str, str | list[str]], cards: dict[str, str] | None = None, studies=STUDY, **told: str):
    """Sections by run; of each run its folders below /logs, or whole paths."""
    rows = [
        {
            "run": run,
            "section": told.get(run),
            "card": (cards or {}).get(run),
            "folders": [
                ["/logs", each] if not each.startswith("/") else [str(Path(each).parent), ""]
                for each in ([folders] if isinstance(folders, str) else folders)
            ],
        }
        for run, folders in runs.items()
    ]
    return name_sections(rows, studies)


def test_runs_that_share_a_folder_are_a_section() -> None:
    assert named({"a": "x/a/step_1", "b": ["x/b/step_1", "x/b/step_2"], "c": "y/c", "d": "y/d"}) == {
        "a": "x", "b": "x", "c": "y", "d": "y",
    }  # fmt: skip


def test_a_runs_own_folder_is_no_section() -> None:
    assert set(named({"a": "a/checkpoint-1", "b": "b/checkpoint-1", "c": "c"}).values()) == {None}


def test_a_card_tells_which_folder_is_the_runs_own() -> None:
    found = named({"a": "x/a/step_1", "b": "y/b", "c": "y/c"}, cards={"a": "x/a/run.yaml"})
    assert found == {"a": "x", "b": "y", "c": "y"}


def test_what_a_card_says_counts_more_than_folders() -> None:
    found = named({"a": "x/a", "b": "x/b", "c": "x/c"}, b="other", c="other")
    assert found == {"a": "logs", "b": "other", "c": "other"}


def test_folders_above_all_runs_tell_nothing() -> None:
    assert set(named({"a": "eval/results/a", "b": "eval/results/b"}).values()) == {None}
    found = named({"a": "e/x/a", "b": "e/x/b", "c": "e/y/c", "d": "e/y/d"})
    assert list(found.values()) == ["x", "x", "y", "y"]


def test_studies_are_apart_and_folders_of_one_name_are_told_apart() -> None:
    studies = {("/logs", "one"), ("/logs", "two")}
    found = named({"a": "one/x/a", "b": "one/x/b", "c": "one/y/c", "d": "one/y/d", "e": "two/e"}, studies=studies)
    assert found == {"a": "x", "b": "x", "c": "y", "d": "y", "e": "two"}
    runs = {f"{study}{name}{n}": f"{study}/{name}/{n}" for study in ("one", "two") for name in "xy" for n in (1, 2)}
    assert set(named(runs, studies=studies).values()) == {"one/x", "one/y", "two/x", "two/y"}


def test_roots_of_one_name_are_told_apart() -> None:
    assert named({"a": "/p/one/logs/a", "b": "/p/two/logs/b"}, studies=set()) == {"a": "one/logs", "b": "two/logs"}


@pytest.fixture(scope="module")
def demo() -> pd.DataFrame:
    return of(DEMO)


def of(*folders: Path) -> pd.DataFrame:
    store = shared(*folders)
    with store.store.cursor() as cursor:
        return runs(cursor, store.store.batch())


@pytest.mark.slow
def test_the_demo_has_a_section_for_each_folder(demo: pd.DataFrame) -> None:
    assert sorted(sections(demo)) == sorted(path.name for path in DEMO.iterdir() if path.is_dir())
    assert within(demo, "environments")["run"].tolist() == ["chat-environments", "with-tools-and-prompts", "with-tools"]
    assert len(within(demo, "corpus")) == 9
    assert len(within(demo, ALL)) == len(demo)


def test_one_folder_is_no_choice(shared_data: Path) -> None:
    for name in ("shutdown", "emergent"):
        found = of(shared_data / name)
        assert len(found)
        assert sections(found) == []


@pytest.mark.slow
def test_pythia_has_two(shared_data: Path) -> None:
    found = of(shared_data / "pythia")
    assert sections(found) == ["bias-evals", "pythia-v1"]
    assert len(within(found, "pythia-v1")) == 2


def test_what_runs_have_in_common(demo: pd.DataFrame) -> None:
    assert section_of(["with-tools", "chat-environments", "gone"], demo) == "environments"
    assert section_of(["with-tools", "opus-4"], demo) == ALL
    assert most_in(["with-tools", "opus-4", "haiku-4.5"], demo) == "generations"
    assert most_in([], demo) == ALL
    assert first_in_order(["opus-4", "with-tools", "haiku-4.5"], demo, "environments")[0] == "with-tools"
