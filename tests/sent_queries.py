"""What is asked of a store, as DuckDB itself logs it, and which tables a query names."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from loaders.store import Store
from loaders.store.schema import COLUMNS

TREE = Path(__file__).parents[1]

NAMED = re.compile(rf'\b(?:FROM|JOIN|INTO|UPDATE)\s+(?:main\.)?"?({"|".join(COLUMNS)})"?(?![\w(.])')


@cache
def strings_of(path: Path) -> tuple[tuple[int, str], ...]:
    """Every string in a module, with its line; what is put into one when it is made stands as {}."""
    return tuple(_strings_of(path))


def _strings_of(path: Path) -> Iterator[tuple[int, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    within = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
            yield node.lineno, "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in within:
            yield node.lineno, node.value


@cache
def tables_in(text: str) -> frozenset[str]:
    """The tables that SQL names, whole or a part of it."""
    return frozenset({match[1] for match in NAMED.finditer(text)} | tables_of(text))


@cache
def parser() -> duckdb.DuckDBPyConnection:
    """DuckDB without a store."""
    return duckdb.connect(":memory:")


def tables_of(sql: str) -> set[str]:
    """The tables that a query reads, as DuckDB parses it; none of what is no query."""
    if not re.search(r"\bfrom\b", sql, re.IGNORECASE):
        return set()
    row = parser().execute("SELECT json_serialize_sql($1)", [sql]).fetchone()
    read: set[str] = set()
    defined: set[str] = set()

    def look(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("type") == "BASE_TABLE":
                read.add(node["table_name"])
            if "cte_map" in node:
                defined.update(entry["key"] for entry in node["cte_map"]["map"])
            for part in node.values():
                look(part)
        elif isinstance(node, list):
            for part in node:
                look(part)

    look(json.loads(row[0] if row else "{}"))
    return (read - defined) & COLUMNS.keys()


@contextmanager
def naming_no_table(store: Store) -> Iterator[None]:
    """All that is asked within names no table, but for what the store's own modules ask.

    Raises:
        AssertionError: A query did.
    """
    with store.cursor() as cursor:
        cursor.execute("CALL enable_logging('QueryLog')")
    yield
    with store.cursor() as cursor:
        cursor.execute("CALL disable_logging()")
        sent = {row[0] for row in cursor.execute("SELECT DISTINCT message FROM duckdb_logs").fetchall()}
    own = {text.strip() for path in (TREE / "loaders/store").glob("*.py") for _, text in strings_of(path)}
    named = {sql: tables_of(sql) for sql in sent if sql.strip() not in own and tables_of(sql)}
    if named or not sent:
        raise AssertionError(f"Of {len(sent)} queries these name tables: {named}")
