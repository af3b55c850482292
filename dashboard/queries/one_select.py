"""SQL that somebody typed: one SELECT over the views of a store, bounded in rows, bytes, memory and time.

It is parsed by DuckDB before anything runs it, and what runs is what the parser understood. Tables, files, settings and
functions that tell of the store itself are out of its reach, whoever asks. It never runs where the store is: the
columns that it names go to a process of its own (`dashboard.queries.select_alone`), as far as whoever asks may see.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from dashboard import numerals
from dashboard.queries.frame import TEXT, frame_of
from loaders.errors import DriftlineError
from loaders.json_text import clean
from loaders.store.schema import COLUMNS
from loaders.store.sql import records

VIEWS: dict[str, tuple[str, str]] = {
    "runs": ("live_runs", "one row per training run: mix, stage, parent, base model"),
    "checkpoints": ("live_checkpoints", "one row per checkpoint: run, step, tokens, where its weights lie"),
    "evals": ("live_evals", "one row per log, with its run, step and eval; join the others by eval_id"),
    "samples": ("live_samples", "one row per question in each epoch: prompt, reply, error; sample_id, eval_id"),
    "scores": ("live_scores", "one row per score of a sample; join by sample_id"),
    "messages": ("live_messages", "one row per message of a sample, idx in order; join by sample_id"),
    "view_messages": (
        "live_view_messages",
        "messages of audits as the auditor saw them, both combined, and branches left (view); not the target's last",
    ),
    "reported": ("live_reported", "numbers that logs report of themselves; join by eval_id"),
    "trained": ("live_trained", "what trainers left beside checkpoints: step, epoch, tokens, base model"),
    "training": (
        "live_training_curves",
        "what trainers logged: one row per run, step and metric, with the tokens seen",
    ),
    "scans": ("live_scans", "what scanners of Inspect Scout found, as scores are: scan:NAME; join by sample_id"),
    "conflicts": ("live_conflicts", "where sources of a run or step disagree"),
    "human_labels": ("seen_sample_verdicts", "labels by people"),
}
"""What a query may name: the view behind it, and what it holds."""
OF_NO_BATCH = "seen_"
"""So begin the views of what belongs to no import."""

TABLE_FUNCTIONS = frozenset({"unnest", "range", "generate_series", "json_each", "json_tree"})
NO_TABLES = {
    "SHOW_REF": "SHOW, DESCRIBE or SUMMARIZE", "COLUMN_DATA": "data of a client", "DELIM_GET": "a plan's own table",
    "BOUND_TABLE_REF": "a plan's own table", "PARAMETER": "a parameter", "VALUE_PARAMETER": "a parameter",
}  # fmt: skip
"""Of what the parser knows, what nobody may ask."""

WINDOW = frozenset({
    "row_number", "rank", "dense_rank", "rank_dense", "percent_rank", "cume_dist", "ntile", "lag", "lead",
    "first_value", "last_value", "nth_value", "fill",
})  # fmt: skip
ALSO = frozenset({
    "unnest", "random", "now", "today", "current_date", "current_timestamp", "get_current_timestamp", "row",
    "count_star", "union_value",
})  # fmt: skip
"""Functions that DuckDB calls by another name than it lists, or whose answers change without telling of anything."""
TELLING = (
    "pg_",
    "has_",
    "inet_",
    "json_serialize",
    "json_deserialize",
    "current_",
    "txid_",
    "getvariable",
    "in_search",
)
"""So begin the names of functions that tell of the store, of settings, or of who asks."""

GROWING = frozenset({
    "repeat", "lpad", "rpad", "bitstring", "bitstring_agg", "list_resize", "array_resize", "equi_width_bins", "range",
    "generate_series", "format", "printf",
})  # fmt: skip
"""Functions that make a value of any size out of a number: said at once, rather than when memory is out."""
INSTEAD = {
    **dict.fromkeys(("range", "generate_series"), " It may stand in FROM."),
    **dict.fromkeys(("format", "printf"), " Take round and ||."),
}

FUNCTIONS = """
SELECT DISTINCT lower(function_name) FROM duckdb_functions()
WHERE function_type IN ('scalar', 'aggregate', 'macro') AND coalesce(stability, 'CONSISTENT') = 'CONSISTENT'
"""
TOO_DEEP = "The query is nested too deeply: sum a long chain by an aggregate, or ask in parts."
MOST_ROWS = 100_000
MOST_SECONDS = 120.0
MOST_MEMORY = 1_000_000_000
"""Bytes that the process of a query may hold, besides what it was handed."""
MOST_HANDED = 8_000_000_000
"""Bytes of columns that are handed to it, in files."""
MOST_ANSWERED = 256_000_000
START_SECONDS = 120.0
"""So long the process may take besides, to start and to write its answer."""
ALONE = Path(__file__).with_name("select_alone.py")
REFUSED = 3
"""Its exit code where it says what is wrong with the query."""


class Refused(DriftlineError):
    """A query that is not one SELECT over the views, or that took too long."""


@dataclass(frozen=True)
class Select:
    """A query that was looked through: its SQL as DuckDB writes it, and the views that it names.

    `words` are all words in it; a view's column that is none of them is not asked for. None where all columns are.
    """

    sql: str
    views: tuple[str, ...]
    words: frozenset[str] | None


@dataclass(frozen=True)
class Selected:
    """An answer: an Arrow table, and whether there are more rows than that."""

    table: Any
    more: bool


def looked_through(sql: str) -> Select:
    """A query, if it is one SELECT that names nothing but views.

    Raises:
        Refused: It is something else; says what.
    """
    with _parser().cursor() as parser:
        row = parser.execute("SELECT json_serialize_sql($1)", [_unicode(sql)]).fetchone()
        document = _parsed(row[0] if row else "{}")
        if document.get("error"):
            # DuckDB speaks of how it was asked here, where it is no SELECT.
            told = str(document.get("error_message"))
            said = "" if told.startswith("Only SELECT") else f"{told}: "
            raise Refused(f"{said}one SELECT is allowed.")
        if len(document["statements"]) != 1:
            raise Refused(f"{len(document['statements'])} statements, and one SELECT is allowed.")
        named: set[str] = set()
        try:
            _check(document["statements"][0]["node"], frozenset(), named)
        except RecursionError as error:
            raise Refused(TOO_DEEP) from error
        try:
            row = parser.execute("SELECT json_deserialize_sql($1)", [json.dumps(document)]).fetchone()
        except duckdb.Error as error:
            raise Refused(f"{str(error).splitlines()[0]}.") from error
    words = _words(document["statements"])
    return Select(str(row[0] if row else "").rstrip("; \n"), tuple(sorted(named)), words)


def _words(statements: Any) -> frozenset[str] | None:
    """All words of a query, in lower case; None where it means all columns of what it names, or the row as one."""
    words: set[str] = set()
    tables: set[str] = set()
    alone: set[str] = set()
    waiting = [statements]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            words.add(node.lower())
        elif isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            kind = node.get("type")
            if kind in ("STAR", "PIVOT") or node.get("ref_type") == "NATURAL" or node.get("column_name_alias"):
                return None
            if kind == "BASE_TABLE":
                tables |= {node["alias"].lower(), node["table_name"].lower()}
            if kind == "COLUMN_REF" and len(node["column_names"]) == 1:
                alone.add(node["column_names"][0].lower())
            waiting += node.values()
    return None if alone & tables else frozenset(words)


def _unicode(sql: str) -> str:
    """The query, which DuckDB takes as UTF-8.

    Raises:
        Refused: It holds half a surrogate: bytes of a command line that are no UTF-8.
    """
    if clean(sql) != sql:
        raise Refused("The query is not UTF-8, or holds NUL: type it again.")
    return sql


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError as error:
        raise Refused(TOO_DEEP) from error


def select(con: duckdb.DuckDBPyConnection, sql: str, as_of: int, *, rows: int, seconds: float) -> Selected:
    """Ask a store.

    Args:
        con: A cursor that this thread has to itself; what is hidden from it is in no answer and in no error.
        sql: As somebody typed it.
        as_of: Batch.
        rows: So many at most, up to `MOST_ROWS`.
        seconds: So long at most, up to `MOST_SECONDS`, and as long again for taking out what it names.

    Raises:
        Refused: It is no such query, it is wrong, or it takes too long or too much.
    """
    if not 0 < rows <= MOST_ROWS or not 0 < seconds <= MOST_SECONDS:
        raise Refused(f"Rows from 1 to {numerals.count(MOST_ROWS)} and seconds up to {MOST_SECONDS:g} are allowed.")
    asked = looked_through(sql)
    with tempfile.TemporaryDirectory(prefix="driftline-query-") as folder:
        with _ended_after(con, seconds):
            views = {name: _handed(con, name, asked.words, as_of, Path(folder)) for name in asked.views}
        job = {
            "sql": f"SELECT * FROM ({asked.sql}) LIMIT {rows + 1}",  # noqa: S608 - checked
            "views": views, "seconds": seconds, "memory": MOST_MEMORY, "bytes": MOST_ANSWERED,
        }  # fmt: skip
        table = _answered(job, folder)
    return Selected(table.slice(0, rows), table.num_rows > rows)


@contextmanager
def _ended_after(con: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, con.interrupt)
    timer.start()
    try:
        yield
    except duckdb.InterruptException as error:
        raise Refused(_late(seconds)) from error
    finally:
        timer.cancel()


def _late(seconds: float) -> str:
    return f"The query took longer than {seconds:g} seconds, and was ended."


def _handed(con: duckdb.DuckDBPyConnection, name: str, words: frozenset[str] | None, as_of: int, folder: Path) -> str:
    """Write what a query names of a view to a file, some rows at a time; its path.

    Raises:
        Refused: It is too much.
    """
    import pyarrow as pa
    import pyarrow.ipc

    view = _view(name, as_of)
    there = [column for column, *_ in con.execute(f"{view} LIMIT 0").description]
    columns = [column for column in there if words is None or column.lower() in words] or there[:1]
    quoted = ", ".join(f'"{column}"' for column in columns)
    path = folder / f"{name}.arrow"
    reader = con.execute(f"SELECT {quoted} {view}").to_arrow_reader(10_000)
    with pa.ipc.new_file(str(path), reader.schema) as out:
        for batch in reader:
            out.write_batch(batch)
            if path.stat().st_size > MOST_HANDED:
                raise Refused(f"The query reads more than {MOST_HANDED // 10**9} GB of {name}: name fewer columns.")
    return str(path)


def _answered(job: dict[str, Any], folder: str) -> Any:
    """The answer of the process that runs the query, as an Arrow table.

    Raises:
        Refused: There is none; says why.
    """
    import pyarrow as pa
    import pyarrow.ipc

    try:
        done = subprocess.run(  # noqa: S603 - our own file, by the Python that runs this
            [sys.executable, "-I", str(ALONE)], input=json.dumps(job).encode(), capture_output=True, cwd=folder,
            timeout=job["seconds"] + START_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Refused(_late(job["seconds"])) from error
    said = done.stderr.decode("utf-8", "replace")
    if done.returncode == REFUSED and said == "timeout":
        raise Refused(_late(job["seconds"]))
    if done.returncode == REFUSED and said != "memory":
        raise Refused(said)
    if done.returncode != 0:  # where not even an error can be told, memory is out, too
        raise Refused(f"The query took more than {MOST_MEMORY // 10**9} GB of memory, and was ended.")
    return pa.ipc.open_stream(done.stdout).read_all()


def views_of(con: duckdb.DuckDBPyConnection, as_of: int) -> Any:
    """The views with their columns, as a frame: view, column, type, holds."""
    rows = [
        {"view": name, "column": row["column_name"], "type": row["column_type"], "holds": holds}
        for name, (_, holds) in VIEWS.items()
        for row in records(con, f"DESCRIBE {_view(name, as_of)}")
    ]
    return frame_of(rows, dict.fromkeys(("view", "column", "type", "holds"), TEXT))


def _view(name: str, as_of: int) -> str:
    """SQL of a view as of a batch."""
    view = VIEWS[name][0]
    return f"FROM {view}({'' if view.startswith(OF_NO_BATCH) else int(as_of)})"


def _check(node: Any, defined: frozenset[str], named: set[str]) -> None:
    """Look through what the parser understood.

    Args:
        node: A part of it.
        defined: Names that WITH defines around it.
        named: Gets the views that it names.

    Raises:
        Refused: Something in it may not be asked.
    """
    if isinstance(node, list):
        for part in node:
            _check(part, defined, named)
    if not isinstance(node, dict):
        return
    kind = str(node.get("type", ""))
    if kind in NO_TABLES:
        raise Refused(f"{NO_TABLES[kind]} is not allowed; `driftline query` alone lists the views.")
    if kind == "BASE_TABLE":
        _check_table(node, defined, named)
    elif kind == "TABLE_FUNCTION":
        _check_function(node["function"], TABLE_FUNCTIONS)
        # As a function it is done with; what it is given isn't.
        node = node | {"function": node["function"].get("children", [])}
    elif "function_name" in node and not node.get("is_operator"):
        _check_function(node, (_functions() | TABLE_FUNCTIONS) - GROWING)
    for entry in node.get("cte_map", {}).get("map", []):
        name = entry["key"].lower()
        if name in _taken():
            raise Refused(f"WITH {entry['key']}: the name is taken, choose another.")
        # Any other that names itself, or one that comes later, means a table of that name.
        itself = {name} if entry["value"]["query"]["node"]["type"] == "RECURSIVE_CTE_NODE" else set()
        _check(entry["value"], defined | itself, named)
        defined |= {name}
    for key, part in node.items():
        if key != "cte_map":
            _check(part, defined, named)


def _check_table(table: dict[str, Any], defined: frozenset[str], named: set[str]) -> None:
    path = [table.get("catalog_name"), table.get("schema_name"), table.get("table_name")]
    name = str(path[-1]).lower()
    if table.get("at_clause"):
        raise Refused("AT is not allowed: --as-of names the import.")
    if path[:2] == ["", ""] and name in defined:
        return
    if path[:2] != ["", ""] or name not in VIEWS:
        raise Refused(f"{'.'.join(filter(None, path))} is no view (allowed: {', '.join(VIEWS)}).")
    named.add(name)


def _check_function(function: dict[str, Any], names: frozenset[str]) -> None:
    name = str(function.get("function_name", "")).lower()
    # DuckDB's parser itself says where some of its own are.
    if name in GROWING - names:
        raise Refused(f"{name} is not allowed here: it makes a value of any size.{INSTEAD.get(name, '')}")
    if function.get("schema") not in ("", "main") or function.get("catalog") not in ("", "system") or name not in names:
        raise Refused(f"The function {name} is not allowed.")


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    """DuckDB without a store."""
    return duckdb.connect(":memory:")


@cache
def _taken() -> frozenset[str]:
    """Names that mean something without a WITH."""
    with _parser().cursor() as parser:
        found = parser.execute("SELECT lower(view_name) FROM duckdb_views() UNION FROM (VALUES ('sqlite_master'))")
        return frozenset(name for (name,) in found.fetchall()) | VIEWS.keys() | COLUMNS.keys()


@cache
def _functions() -> frozenset[str]:
    """DuckDB's own functions that reckon with what they are given, and with nothing else."""
    with _parser().cursor() as parser:
        found = {name for (name,) in parser.execute(FUNCTIONS).fetchall()}
    return frozenset(name for name in found if not name.startswith(TELLING)) | WINDOW | ALSO
