"""Page scripts hold nothing that Streamlit would show by itself, and no SQL."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import dashboard
from dashboard.pages import PAGES

FOLDER = Path(dashboard.__file__).parent
SCRIPTS = [FOLDER / page.file for page in PAGES]


def test_every_folder_of_pages_is_registered() -> None:
    assert sorted((FOLDER / "app_pages").glob("*/page.py")) == sorted(SCRIPTS)


@pytest.mark.slow
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.parent.name)
def test_no_expression_stands_alone(path: Path) -> None:
    """Streamlit's "magic" shows them, a docstring of a constant among them."""
    body = ast.parse(path.read_text(encoding="utf-8")).body[1:]
    alone = [node.value for node in body if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Call)]
    assert [ast.unparse(value) for value in alone] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.parent.name)
def test_pages_ask_queries_and_write_no_sql(path: Path) -> None:
    assert not re.search(r"\bSELECT\b|\.execute\(|import duckdb", path.read_text(encoding="utf-8"))
