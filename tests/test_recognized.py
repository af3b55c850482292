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
        ("run_spec.json", {"adapter_spec": {}}, "HELM"),
        ("stats.json", [{"name": {}}], "HELM"),
        ("stats.json", {"users": 3}, None),
        ("x.json", {"schema_version": "0.3.0", "evaluation_id": "a"}, "Every Eval Ever"),
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


@pytest.mark.parametrize(("folder", "said", "files"), [("helm", "HELM", 15), ("every_eval_ever", "Every Eval Ever", 2)])
def test_real_files_of_other_tools(shared_data: Path, folder: str, said: str, files: int) -> None:
    reasons = ingested(shared_data / folder).rejected
    assert len(reasons) == files
    assert all(said in reason for reason in reasons.values())


def test_a_list_of_results_is_told_without_contradiction(shared_data: Path) -> None:
    (reason,) = ingested(shared_data.parent / "cases" / "results-is-a-list").rejected.values()
    assert "is a list" in reason
    assert "without an" not in reason
