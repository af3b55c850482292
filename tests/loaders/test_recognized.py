"""Files that are known and not read say what they are and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loaders.recognized import recognized
from tests.real_stores import ingested


@pytest.mark.parametrize(
    ("name", "document", "said"),
    [
        ("stats.json", [{"name": {}}], "HELM run without its run_spec.json"),
        ("stats.json", {"users": 3}, None),
        ("ideation.json", {"behavior_name": "b", "variations": []}, "Bloom run without its rollout.json"),
        ("metadata.json", {"condition_id": "murder_none-none_none"}, "condition of agentic-misalignment"),
        ("x.json", [{"doc_id": 1, "resps": []}], "without their results file"),
        ("results_a.json", {"results": [{"task": "t"}]}, "is a list"),
        ("results_a.json", {"results": "none"}, "is a str"),
        ("x.json", {"a": 1}, None),
        ("x.json", [], None),
        ("stats.json", [1], None),
        ("x.json", "text", None),
    ],
)
def test_each_is_named(name: str, document: Any, said: str | None) -> None:
    told = recognized(name, document)
    assert told is None if said is None else told is not None and said in told


def test_a_list_of_results_is_told_without_contradiction(cases: Path) -> None:
    (reason,) = ingested(cases / "results-is-a-list").rejected.values()
    assert "is a list" in reason
    assert "without an" not in reason


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", "", "is empty: copy it again from where it was written, or delete it"),
        ("a.json", '{"x":', "is not valid JSON (Expecting value: line 1 column 6 (char 5)): copy it again"),
        ("a.json", '{"x": 1}', "unknown format: a JSON object with 'x', and without an 'eval' or 'results': put its"),
        ("a.json", "[1]", "unknown format: a JSON list, where a log is an object: put its numbers into a table"),
        ("metadata.json", '{"env_id": "e", "num_examples": 2}', "metadata of rollouts that verifiers saved"),
    ],
)
def test_a_refusal_says_what_the_file_is_and_what_to_do(tmp_path: Path, name: str, content: str, said: str) -> None:
    (tmp_path / name).write_text(content)
    (reason,) = ingested(tmp_path).rejected.values()
    assert reason.startswith(said)
    assert len(reason) < 220


def test_a_list_of_rows_that_nothing_maps_is_a_table_without_mapping(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text('[{"id": 1, "s": 1}]')
    found = ingested(tmp_path)
    assert (found.report.left, found.report.rejected) == (1, 0)
