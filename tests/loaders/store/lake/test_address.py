"""Addresses of lakes: a password is in nothing that anybody is told; and no SQL reaches a file."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from loaders.errors import DriftlineError
from loaders.store import Store
from loaders.store.lake.address import Address
from tests import lakes
from tests.driftline import driftline

pytestmark = pytest.mark.lake

SECRET = "gehe1m-Wort"


def test_an_address_is_what_libpq_takes() -> None:
    told = Address.parse(f"ducklake:postgres:dbname=lab host=db user='an a' password={SECRET}", "files")
    assert told.name == "ducklake:postgres:dbname=lab host=db user='an a'"
    assert (told.password, told.data) == (SECRET, f"{Path.cwd()}/files/")
    uri = Address.parse(f"ducklake:postgresql://ana:{SECRET}@db:5433/lab?sslmode=require", "s3://bucket/lab")
    assert uri.name == "ducklake:postgres:dbname=lab host=db port=5433 sslmode=require user=ana"
    assert uri.data == "s3://bucket/lab/"
    assert SECRET not in repr(told) + repr(uri)


@pytest.mark.parametrize("wrong", [f"ducklake:sqlite:{SECRET}", f"ducklake:postgres:host db {SECRET}", "ducklake:"])
def test_what_is_none_is_refused_without_being_told(wrong: str) -> None:
    with pytest.raises(DriftlineError, match=r"ducklake:postgres:dbname=driftline host=") as told:
        Address.parse(wrong)
    assert SECRET not in str(told.value)


def test_a_password_is_in_nothing_that_sql_or_messages_tell(tmp_path: Path) -> None:
    address = f"{lakes.server().address()} password={SECRET}"
    store = Store.of_lake(address)
    telling = ("duckdb_databases()", "duckdb_settings()", "duckdb_secrets()", "duckdb_views()", "duckdb_tables()")
    with store.cursor() as cursor:
        for function in telling:
            assert SECRET not in str(cursor.execute(f"SELECT * FROM {function}").fetchall()), function
    with pytest.raises(DriftlineError, match="pg_dump") as told:
        store.backup(tmp_path / "copy")
    store.close()
    assert SECRET not in str(told.value) + store.path
    gone = driftline("rates", "--store", f"ducklake:postgres:host=/nowhere dbname=lab password={SECRET}", data=tmp_path)
    assert gone.returncode == 1
    assert "can't be reached" in gone.stderr
    assert SECRET not in gone.stdout + gone.stderr


def test_an_empty_database_wants_to_know_where_the_files_go(tmp_path: Path) -> None:
    server = lakes.server()
    server.run("CREATE DATABASE empty_one")
    address = f"ducklake:postgres:{server.conninfo('empty_one')}"
    with pytest.raises(DriftlineError, match="say with --data where its files go"):
        Store.of_lake(address)
    Store.of_lake(address, str(tmp_path / "files")).close()
    Store.of_lake(address).close()
    with pytest.raises(DriftlineError, match=r"--data: the files of .* are in .*/files/"):
        Store.of_lake(address, str(tmp_path / "elsewhere"))


def test_sql_opens_no_file_elsewhere(store: Store) -> None:
    for use in (None, (), ("secret",)):
        with store.cursor(use) as cursor:
            for asked in ("SELECT * FROM read_text('/etc/hostname')", "ATTACH '/tmp/driftline-elsewhere.db'"):
                with pytest.raises(duckdb.Error, match=r"disabled by configuration|Permission"):
                    cursor.execute(asked)


def test_a_store_of_a_newer_driftline_is_refused(address: str) -> None:
    store = Store.of_lake(address)
    with store.cursor() as cursor:
        cursor.execute("INSERT INTO schema_version SELECT max(version) + 1, NULL FROM schema_version")
    store.close()
    with pytest.raises(DriftlineError, match="another version of Driftline"):
        Store.of_lake(address)
