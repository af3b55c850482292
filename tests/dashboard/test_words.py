"""No label, sentence or error says a word that the glossary put out: in the code's texts, and on rendered pages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.out_words import OUT, found_in

ROOT = Path(__file__).parents[2]

NAME = re.compile(r"[a-z0-9_.:@-]+(:[A-Z])?")
LOGIC = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)
SQL = re.compile(r"\b(?:SELECT|FROM|UNION|JOIN)\b")

SPARED = {
    "loaders/makers": "texts of the studies that come with Driftline: what models say",
    "dashboard/links.py": "spellings of earlier addresses, which go on being read",
}
"""Folders and files whose texts are not labels of ours."""


def texts_of(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The string literals of a module that may reach a screen: with `{}` for what is filled in, without docstrings.

    Keys of mappings, and what is compared with or looked up, are names within the code and no labels.
    """
    names: set[int] = set()
    parts: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            names.add(id(node.value))
        elif isinstance(node, ast.Dict):
            names.update(id(key) for key in node.keys)
        elif isinstance(node, ast.Subscript):
            names.update(id(each) for each in ast.walk(node.slice))
        elif isinstance(node, ast.Compare) or (
            isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__"
        ):
            names.update(id(each) for each in ast.walk(node))
        elif isinstance(node, ast.JoinedStr):
            parts.update(id(part) for part in node.values)
    for node in ast.walk(tree):
        if id(node) in names or id(node) in parts or (isinstance(node, ast.Constant) and is_name(node.value)):
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        elif isinstance(node, ast.JoinedStr):
            pieces = [str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values]
            yield node.lineno, "".join(pieces)


def is_name(value: object) -> bool:
    """Whether a literal is a key, a field of a chart or a query, which nobody reads on a screen."""
    return isinstance(value, str) and (
        re.fullmatch(r"[a-z0-9_.:@-]+(:[A-Z])?", value) is not None or bool(SQL.search(value))
    )


def sources() -> list[Path]:
    """Modules and templates whose texts people read."""
    found = [path for folder in ("dashboard", "loaders") for path in sorted((ROOT / folder).rglob("*.py"))]
    found += sorted((ROOT / "dashboard").rglob("*.jinja"))
    return [path for path in found if not str(path.relative_to(ROOT)).startswith(tuple(SPARED))]


def test_no_text_of_the_code_says_what_is_out() -> None:
    told = []
    for path in sources():
        content = path.read_text(encoding="utf-8")
        texts = (
            texts_of(ast.parse(content)) if path.suffix == ".py" else enumerate(LOGIC.sub("", content).splitlines(), 1)
        )
        told += [f"{path.relative_to(ROOT)}:{line}: {out}" for line, text in texts for out in found_in(text)]
    assert told == []


def test_no_definition_that_comes_with_driftline_says_what_is_out() -> None:
    files = [ROOT / "loaders/study/builtin.yaml", *(ROOT / "runs").glob("*/study.yaml")]
    titles = [line for path in files for line in path.read_text(encoding="utf-8").splitlines() if "title:" in line]
    assert titles
    assert [out for line in titles for out in found_in(line.partition("title:")[2].strip(" \"'"))] == []


@pytest.mark.parametrize("old", ["What counts", "95 % interval", "Judge again", "two evals", "not shown to differ"])
def test_a_word_that_is_out_is_found(old: str) -> None:
    assert found_in(old)


def test_every_word_that_is_out_has_one_in_its_place() -> None:
    assert all(instead for _, instead in OUT)
