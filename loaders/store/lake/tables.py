"""Which of a lake's tables are where, and a lake of an older Driftline brought to them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

import duckdb

from loaders.errors import DriftlineError
from loaders.store.backend import HIGHEST
from loaders.store.lake.catalogue import Catalogue
from loaders.store.schema import COLUMNS, VERSION
from loaders.store.views import OPEN, VIEWS_OF_NO_FILE

CHANGING = ("batches", "sources", "locations", "endings", "ids", "schema_version")
"""What files came in, and with which batches: rows change one by one, by several processes at once."""

WRITTEN = (
    "probes", "probe_columns", "probe_replies", "probe_pieces", "probe_ends", "probe_judges", "probe_verdicts",
    "probe_marks", "probe_likelihoods", "saved_views", "threads", "comments", "thread_marks", "sample_verdicts",
    "judgings", "judging_items", "judging_verdicts", "audit",
)  # fmt: skip
"""What people write and ask: some rows at a time, for which a Parquet file each would be too much."""

IN_POSTGRES = (*CHANGING, *WRITTEN)
IN_PARQUET = tuple(table for table in COLUMNS if table not in (*IN_POSTGRES, *VIEWS_OF_NO_FILE))

ROW_GROUP = 4096

LAKE, POSTGRES = "lake.main", "pg.main"
SCHEMA, METADATA = "main", "ducklake"
"""Of PostgreSQL: that of Driftline's tables, which is called as DuckDB's own, and that of DuckLake's."""

TYPES = {
    "VARCHAR": "text",
    "JSON": "text",
    "DOUBLE": "double precision",
    "VARCHAR[]": "text[]",
    "DOUBLE[]": "double precision[]",
}
"""PostgreSQL's names of types, where they are others."""


def make(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, name: str) -> None:
    """Give a lake the tables and columns that it lacks; one process at a time.

    Raises:
        DriftlineError: It was written by a newer Driftline.
    """
    with catalogue.turn("schema"):
        catalogue.run(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        there = catalogue.run("SELECT to_regclass('main.schema_version') IS NOT NULL")[0][0]
        version = catalogue.run("SELECT coalesce(max(version), 0) FROM main.schema_version")[0][0] if there else 0
        if version > VERSION:
            raise DriftlineError(
                f"{name} was written by another version of Driftline: schema {version}, this version reads up to"
                f" {VERSION}. Update Driftline, or use another --store."
            )
        if version == VERSION:
            return
        # Names and types are those of `schema.sql`.
        for table in IN_POSTGRES:
            columns = {column: TYPES.get(kind, kind) for column, kind in COLUMNS[table].items()}
            listed = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
            catalogue.run(f"CREATE TABLE IF NOT EXISTS {SCHEMA}.{table} ({listed})")
            for column, kind in columns.items():
                catalogue.run(f'ALTER TABLE {SCHEMA}.{table} ADD COLUMN IF NOT EXISTS "{column}" {kind}')
        # One sample or transcript is looked up among many: what is read for it is a group of rows.
        connection.execute(f"CALL lake.set_option('parquet_row_group_size', '{ROW_GROUP}')")
        held = _columns_in_parquet(connection)
        for table in IN_PARQUET:
            if table not in held:
                connection.execute(f"CREATE TABLE {LAKE}.{table} ({', '.join(map(' '.join, COLUMNS[table].items()))})")
            for column in (column for column in COLUMNS[table] if table in held and column not in held[table]):
                connection.execute(f"ALTER TABLE {LAKE}.{table} ADD COLUMN {column} {COLUMNS[table][column]}")
        catalogue.run(f"CREATE UNIQUE INDEX IF NOT EXISTS ids_name ON {SCHEMA}.ids (name)")
        catalogue.run(f"CREATE INDEX IF NOT EXISTS sources_batch ON {SCHEMA}.sources (batch_from)")
        catalogue.run(f"CREATE INDEX IF NOT EXISTS locations_batch ON {SCHEMA}.locations (batch_from)")
        catalogue.run(f"CREATE SEQUENCE IF NOT EXISTS {SCHEMA}.workers")
        for table in HIGHEST:
            catalogue.run("INSERT INTO main.ids VALUES (%s, 1) ON CONFLICT (name) DO NOTHING", [table])
        now = datetime.now(UTC).replace(tzinfo=None)
        catalogue.run("INSERT INTO main.schema_version VALUES (%s, %s)", [VERSION, now])


def _columns_in_parquet(connection: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    there: dict[str, set[str]] = {}
    for table, column in connection.execute(THERE).fetchall():
        there.setdefault(table, set()).add(column)
    return there


def name_tables(connection: duckdb.DuckDBPyConnection, mirrored: Collection[str]) -> None:
    """Let the views of a store, which are this process's own, find the tables by their names; some are yet to come."""
    for where, tables in ((LAKE, IN_PARQUET), (POSTGRES, IN_POSTGRES)):
        named = [table for table in tables if table not in mirrored]
        connection.execute("".join(f"CREATE OR REPLACE VIEW main.{table} AS FROM {where}.{table};" for table in named))
    for table in mirrored:
        connection.execute(f"CREATE TABLE main.{table} ({', '.join(map(' '.join, COLUMNS[table].items()))})")
    connection.execute(OPEN)


THERE = """
SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = 'lake' AND schema_name = 'main'
"""
