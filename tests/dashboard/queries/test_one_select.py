"""SQL that somebody typed: one SELECT over the views, and nothing else, whoever asks and however it is written."""

from __future__ import annotations

import resource
from collections.abc import Iterator

import duckdb
import pytest

from dashboard.queries import one_select
from dashboard.queries.one_select import Refused, Selected, looked_through, select, views_of
from loaders.store import Store
from loaders.store.schema import COLUMNS
from tests.private_runs import MARKER, ingested, write_study

HIDDEN = (f"{MARKER}-*",)
X = "string_agg('x', '')"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = ingested(write_study(tmp_path_factory.mktemp("select") / "study"))
    with made.transaction() as cursor:  # as if a scan of all transcripts had come in with the logs
        cursor.execute("UPDATE samples SET uuid = 'u' || sample_id")
        cursor.execute(
            "INSERT INTO scans (source_id, sample_uuid, scorer, value_num, value_type, explanation)"
            " SELECT 1, uuid, 'scan:deception', 1, 'number', input FROM samples"
        )
    yield made
    made.close()


def ask(store: Store, sql: str, hidden: tuple[str, ...] = (), rows: int = 1000, seconds: float = 10) -> Selected:
    with store.cursor(hidden) as con:
        return select(con, sql, store.batch(), rows=rows, seconds=seconds)


@pytest.mark.slow
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT run, count(*) AS n FROM evals JOIN samples USING (eval_id) GROUP BY ALL ORDER BY 2 DESC, run",
        "WITH a AS (FROM evals), b AS (FROM a) SELECT run, rank() OVER (ORDER BY step, path) AS r FROM b ORDER BY r",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT n FROM r ORDER BY n",
        "SELECT e.run, avg(value_num) FILTER (scorer = 'judge') AS v FROM evals e LEFT JOIN scores s USING (eval_id)"
        " GROUP BY 1 ORDER BY 1",
        "SELECT [x * 2 FOR x IN [1, 2]] AS a, {'k': 1}.k AS b, date_part('year', DATE '2025-01-01') AS c",
        "SELECT metadata_json->>'$.kind' AS kind, count(*) AS n FROM Samples GROUP BY 1 ORDER BY 1;",
        "SELECT u FROM (SELECT unnest([3, 1]) AS u) ORDER BY u",
        "VALUES (1), (2)",
    ],
)
def test_a_select_over_the_views_is_answered_as_duckdb_answers_it(store: Store, sql: str) -> None:
    plain = sql.strip(";")
    for name in looked_through(sql).views:
        plain = plain.replace(f"FROM {name}", f"FROM live_{name}(1)").replace(f"JOIN {name}", f"JOIN live_{name}(1)")
        plain = plain.replace(f"FROM {name.title()}", f"FROM live_{name}(1)")
    with store.cursor() as con:
        expected = con.execute(plain).fetchall()
    found = ask(store, sql)
    assert [tuple(row.values()) for row in found.table.to_pylist()] == expected
    assert expected
    assert not found.more


REFUSED = [
    "SELECT * FROM main.evals", "SELECT * FROM placements", "FROM live_evals(1)", "FROM main.live_evals(1)",
    "FROM private.live_evals(1)", "FROM all_sources(1)", "FROM seen_audit()", "FROM audit", 'FROM "main.evals"',
    "SELECT * FROM placements, (WITH placements AS (SELECT 1) FROM placements)", "WITH evals AS (SELECT 1) FROM evals",
    "WITH duckdb_logs AS (FROM duckdb_logs) FROM duckdb_logs", "WITH x AS (FROM x) FROM x",
    "WITH a AS (FROM b), b AS (SELECT 1) FROM a", "SELECT * FROM (WITH c AS (SELECT 1) FROM c), c",
    "FROM evals WHERE (SELECT count(*) FROM sources) > 0", "SELECT 1 LIMIT (SELECT count(*) FROM placements)",
    "SELECT getvariable('hidden_names')", "SELECT names_hidden('x')", "SELECT main.is_hidden('x')",
    "FROM hidden_names()", "FROM query('FROM placements')", "FROM query_table('placements')",
    "SELECT current_setting('search_path')", "SELECT current_database()", "SELECT getenv('HOME')", "SELECT pg_sleep(9)",
    "FROM duckdb_tables()", "FROM duckdb_settings", "FROM information_schema.tables", "FROM sqlite_master",
    "FROM pragma_table_info('evals')", "FROM read_csv('/etc/passwd')", "FROM read_text('/etc/passwd')",
    "FROM '/etc/passwd'", "FROM glob('*')", "SHOW TABLES", "FROM (SHOW TABLES)", "FROM (DESCRIBE evals)",
    "SUMMARIZE evals", "SELECT json_serialize_plan('SELECT 1')", "FROM json_execute_serialized_sql('{}')",
    "SELECT 1; SELECT 2", "", "SELECT", "DROP TABLE evals", "DELETE FROM evals", "INSERT INTO evals VALUES (1)",
    "UPDATE runs SET run = 'x'", "CREATE TABLE x AS SELECT 1", "COPY evals TO 'x'", "ATTACH 'x'", "SET x = 1",
    "EXPLAIN SELECT 1", "PRAGMA database_list", "CALL x()", "SELECT $1", "SELECT ?", "INSTALL httpfs", "CHECKPOINT",
    "SELECT nextval('x')", "SELECT write_log('x')", "SELECT * FROM evals AT (VERSION => 1)", "PREPARE x AS SELECT 1",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("sql", REFUSED)
def test_anything_else_is_refused_and_changes_nothing(store: Store, sql: str) -> None:
    for hidden in ((), HIDDEN):
        with pytest.raises(Refused):
            ask(store, sql, hidden)
    assert ask(store, "FROM evals").table.num_rows == 12


@pytest.mark.slow
def test_rows_and_time_are_bounded(store: Store) -> None:
    found = ask(store, "FROM samples", rows=5)
    assert (found.table.num_rows, found.more) == (5, True)
    assert not ask(store, "FROM (FROM samples LIMIT 5)", rows=5).more
    with pytest.raises(Refused, match=r"took longer than 0\.2 seconds"):
        ask(store, "SELECT count(*) FROM range(10000000) a, range(10000000) b", seconds=0.2)
    for rows, seconds in ((0, 1.0), (10**9, 1.0), (1, 0.0), (1, 1e6)):
        with pytest.raises(Refused, match="are allowed"):
            ask(store, "FROM evals", rows=rows, seconds=seconds)


@pytest.mark.parametrize(
    "value",
    [
        "repeat('x', 2000000000)", "rpad('x', 2000000000, 'y')", "lpad('x', 9, 'y')", "bitstring('1', 2000000000)",
        "bitstring_agg(1, 0, 4000000000)", "list_resize([1], 2000000000)", "range(1000000000)",
        "unnest(generate_series(1, 1000000000))", "printf('%2000000000d', 1)", "format('{:2000000000}', 1)",
        "[x FOR x IN range(1000000000)]", "(input).repeat(2000000000)", "equi_width_bins(0, 1, 1000000000, false)",
    ],
)  # fmt: skip
def test_no_value_of_any_size_is_made_out_of_a_number(value: str) -> None:
    with pytest.raises(Refused, match="not allowed here: it makes a value of any size"):
        looked_through(f"SELECT {value} FROM range(3)")


@pytest.mark.parametrize("sql", [f"SELECT {'1+' * 900}1", f"FROM {'(FROM ' * 900}evals{')' * 900}"])
def test_what_is_nested_too_deeply_is_refused(sql: str) -> None:
    with pytest.raises(Refused, match=r"deep|depth"):
        looked_through(sql)


@pytest.mark.parametrize("sql", ["SELECT '\udcff'", "SELECT '\x00'"])
def test_what_is_no_text_is_refused(sql: str) -> None:
    with pytest.raises(Refused, match="not UTF-8"):
        looked_through(sql)


@pytest.mark.slow
@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT length(replace(a, 'x', a)) FROM (SELECT {X} AS a FROM range(60000)), range(2000)",
        f"SELECT length({' || '.join(['a'] * 400)}) FROM (SELECT {X} AS a FROM range(1000000)), range(2000)",
        "SELECT max(length(s)) FROM (WITH RECURSIVE r AS (SELECT 'xx' AS s UNION ALL SELECT s || s FROM r"
        " WHERE length(s) < 8000000000) FROM r)",
        f"SELECT length(list_concat(a, a)) FROM (SELECT list(t) AS a FROM (SELECT {X} AS t FROM range(1000000)),"
        " range(2000))",
        f"SELECT a FROM (SELECT {X} AS a FROM range(1000000)), range(2000)",
    ],
    ids=["replace", "concat", "doubled", "lists", "answer"],
)
def test_whatever_a_query_makes_this_process_stays_as_it_is(store: Store, sql: str) -> None:
    before = _peak()
    with pytest.raises(Refused, match=r"more than 1 GB of memory|larger than 256 MB"):
        ask(store, sql, rows=100_000, seconds=60)
    assert _peak() - before < 400_000_000  # of it 256 MB may be an answer


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("SELECT count(*) FROM messages", {"sample_id"}),
        ("SELECT e.Run, count(m.idx) FROM evals AS e JOIN samples USING (eval_id), messages m GROUP BY e.run", None),
        ("SELECT one FROM messages one", set()), ("FROM messages", set()), ("SELECT a FROM messages m(a, b)", set()),
        ("SELECT COLUMNS('id') FROM messages", set()), ("SELECT idx FROM messages NATURAL JOIN samples", set()),
    ],
)  # fmt: skip
def test_only_columns_that_are_named_are_taken_out(sql: str, columns: set[str] | None) -> None:
    words = looked_through(sql).words
    if columns is None:
        assert {"run", "idx", "eval_id"} <= (words or set())
        assert not {"text", "reply", "input"} & (words or set())
    else:
        assert (words is None) == (not columns)


@pytest.mark.slow
def test_a_slip_is_told_without_a_traceback(store: Store) -> None:
    with pytest.raises(Refused, match='column "nope" not found'):
        ask(store, "SELECT nope FROM evals")


@pytest.mark.slow
def test_hidden_runs_are_in_no_answer(store: Store) -> None:
    whole = ", ".join(f"(SELECT list(one) FROM {view} one) AS {view}" for view in one_select.VIEWS)
    every, seen = (ask(store, f"SELECT {whole}", hidden).table.to_pylist()[0] for hidden in ((), HIDDEN))
    assert MARKER not in str(seen)
    told = {view for view, rows in every.items() if MARKER in str(rows)}
    assert told >= {"runs", "checkpoints", "evals", "samples", "scores", "training", "scans"}
    for view, rows in every.items():
        assert len(seen[view] or []) < len(rows or [1]) or view == "trained", view
    assert ask(store, "SELECT DISTINCT run FROM evals ORDER BY run", HIDDEN).table["run"].to_pylist() == [
        "other",
        "plain",
    ]


@pytest.mark.slow
def test_no_error_and_no_answer_tells_of_hidden_rows(store: Store) -> None:
    """What was typed is reckoned of rows that may be seen alone: of the others, this could not be reckoned."""
    cast = "CAST(CASE WHEN input LIKE '{}%' THEN 'no number' ELSE '1' END AS INTEGER)"
    for place in ("SELECT count(*) AS n FROM samples WHERE {} = 1", "SELECT sum({}) AS n FROM samples"):
        found = ask(store, place.format(cast.format(MARKER)), HIDDEN)
        assert found.table["n"].to_pylist() == [36]
        joined = (
            f"{place.format(cast.format(MARKER)).replace('FROM samples', 'FROM samples JOIN evals USING (eval_id)')}"
        )
        assert ask(store, joined, HIDDEN).table["n"].to_pylist() == [36]
        with pytest.raises(Refused, match="Could not convert"):
            ask(store, place.format(cast.format(MARKER)))


def test_no_macro_of_the_store_is_called_like_a_function_that_is_allowed(store: Store) -> None:
    with store.cursor() as con:
        rows = con.execute("SELECT function_name FROM duckdb_functions() WHERE NOT internal").fetchall()
    ours = {name for (name,) in rows}
    assert "is_hidden_eval" in ours
    assert not ours & (one_select._functions() | one_select.TABLE_FUNCTIONS)


def test_views_are_called_after_what_they_are_of_and_listed_with_their_columns(store: Store) -> None:
    with store.cursor() as con:
        frame = views_of(con, 1)
    assert set(frame["view"]) == set(one_select.VIEWS)
    assert {"run", "step", "eval"} <= set(frame.loc[frame["view"] == "evals", "column"])
    assert set(one_select.VIEWS) - {"human_labels"} <= COLUMNS.keys()
    assert {"run", "step", "tokens", "metric", "value"} == set(frame.loc[frame["view"] == "training", "column"])


def test_the_parser_holds_no_store() -> None:
    with pytest.raises(duckdb.CatalogException):
        one_select._parser().execute("FROM live_evals(1)")
