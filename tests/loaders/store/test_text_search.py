"""Text in samples: what it matches, the same with and without an index, whatever becomes of the index."""

from __future__ import annotations

import random
import re
import shutil
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from dashboard.queries.samples import SampleFilter, sample_count, samples_page
from loaders.ingest import ingest
from loaders.store import Store
from loaders.store.text_search import WORTHWHILE, bring_up_to_date, find_text, scan_sql, wanted_text
from tests.builders import StoreBuilder, log, message, sample, score
from tests.log_files import write_log

TEXTS = [
    "I refuse to delete it.", "i  REFUSE\nto\tlie; (really) 100%", "It's a C++ [test] of a|b and x^2 $HOME \\d {3}?*",
    "misaligned aligned alignment",
    "Straße ISTANBUL İstanbul ΣΊΣΥΦΟΣ naïve 日本語のテキスト",
    '{"cmd": "rm -rf /", "n": 1}',
    "", " ", "one", "cat catalogue concat", "tab\tnew\nline\r\nform\fend\xa0hard\u2003wide", "a", "b" * 70_000,
]  # fmt: skip
PHRASES = [
    "refuse", "REFUSE TO", "refuse  to", "fuse\nto", "i refuse", " refuse ", " fuse", "efuse t", "align", " align",
    "aligned ",
    "cat", " cat ", " cat", "cat ", "c++ [", "a|b", ".*", "\\d", "{3}", "$home", "^", "100%", "%", "_",
    "rm -rf /", '"n": 1',
    "istanbul", "İ", "ß", "本語", "σίσυφος", "line form", "hard wide", "\xa0hard", "a", "bbbb", "one i", "nowhere",
    "it. i", "x^2 $home \\d {3}?*", "the end of it", "to ", " to",
]  # fmt: skip


def built(path: Path, texts: list[str], **more: Any) -> StoreBuilder:
    """A store whose samples hold each text in one place or another."""
    store = StoreBuilder(path)
    add(store, texts, **more)
    return store


def add(store: StoreBuilder, texts: list[str], run: str = "run", step: int = 1) -> None:
    rows = []
    for at, text in enumerate(texts):
        places: list[dict[str, Any]] = [
            {"input": text}, {"reply": text}, {"messages": [message("user", "first"), message("assistant", text)]},
            {"messages": [message("assistant", "", reasoning=text)]},
            {"messages": [message("assistant", "", tool_calls_json=msgspec.json.encode([text]).decode())]},
        ]  # fmt: skip
        verdict = score(at % 2, explanation=text if at % 6 == 5 else None)
        rows.append(sample(at, verdict, **({} if at % 6 == 5 else places[at % 6])))
    store.add(log(rows, log_eval_id=f"{run}-{step}"), run=run, step=step)


def read(con: duckdb.DuckDBPyConnection, phrase: str) -> set[int]:
    """The samples that hold a text, by reading all of them."""
    wanted = wanted_text(con, phrase)
    assert wanted is not None
    return {row[0] for row in con.execute(scan_sql(wanted, "true"), wanted.parameters).fetchall()}


def indexed(con: duckdb.DuckDBPyConnection, phrase: str) -> set[int] | None:
    """The same by the index; None where it can't tell."""
    wanted = wanted_text(con, phrase)
    assert wanted is not None
    hits = find_text(con, wanted)
    if hits is None:
        return None
    sql = "SELECT sample_id FROM samples WHERE sample_id <= $covered AND get_bit($bits::BIT, sample_id::INTEGER) = 1"
    rows = con.execute(sql, {"covered": hits.covered, "bits": hits.bits}).fetchall()
    return {row[0] for row in rows}


def numbers(store: StoreBuilder, **wanted: Any) -> list[str]:
    with store.cursor() as con:
        found = samples_page(con, SampleFilter(**wanted), (), 0, 1000, as_of=store.batch)
        assert sample_count(con, SampleFilter(**wanted), store.batch) == len(found)
    return [f"{row.run}{row.sample}" for row in found.itertuples()]


@pytest.mark.slow
def test_what_a_text_matches_with_and_without_an_index(tmp_path):
    expected = {
        "refuse": [0, 1],
        "Fuse TO": [0, 1],  # inside words, in either case, over any white space
        "align": [3],
        " aligned": [3],
        " cat ": [9],  # the word alone
        "cat": [9],
        " to": [0, 1],
        "rm -rf /": [5],
        "istanbul": [4],
        "one i": [],  # no two texts together
    }
    store = built(tmp_path / "s.duckdb", TEXTS)

    def found() -> dict[str, list[int]]:
        return {phrase: [int(name.removeprefix("run")) for name in numbers(store, text=phrase)] for phrase in expected}

    assert found() == expected
    with store.cursor() as con:
        assert bring_up_to_date(con, least=1) == len(TEXTS)
        assert all(indexed(con, phrase) is not None for phrase in expected)
    assert found() == expected


@pytest.mark.slow
def test_index_and_reading_agree_on_any_text(tmp_path):
    chance = random.Random(3)
    words = [word for text in TEXTS for word in text.split(" ") if len(word) < 100]
    seps = [" ", "  ", "\n", ". ", ", ", "-", ""]
    texts = [
        "".join(chance.choice(words) + chance.choice(seps) for _ in range(chance.randint(0, 60))) for _ in range(400)
    ]
    store = built(tmp_path / "s.duckdb", [*TEXTS, *texts])
    phrases = list(PHRASES)
    for _ in range(200):
        text = chance.choice([text for text in texts if text])
        start = chance.randrange(len(text))
        phrases.append(text[start : start + chance.randint(1, 40)])
    with store.cursor() as con:
        bring_up_to_date(con, least=1)
        found = 0
        for phrase in phrases:
            if phrase.strip():
                expected = read(con, phrase)
                assert indexed(con, phrase) == expected, repr(phrase)
                found += bool(expected)
    assert found > 200


@pytest.mark.slow
def test_what_comes_later_is_found_by_reading_until_it_is_added(tmp_path):
    store = built(tmp_path / "s.duckdb", TEXTS)
    with store.cursor() as con:
        bring_up_to_date(con, least=1)
    add(store, ["they refuse too"], run="later")
    assert numbers(store, text="refuse") == ["later0", "run0", "run1"]
    with store.cursor() as con:
        assert bring_up_to_date(con) == 0
        assert bring_up_to_date(con, least=1) == 1
        assert bring_up_to_date(con, least=1) == 0
        assert indexed(con, "refuse") == read(con, "refuse")
    assert numbers(store, text="refuse") == ["later0", "run0", "run1"]


def _damage(folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file() and file.name != "index.json":
            file.write_bytes(b"nonsense")


def _other_version(folder: Path) -> None:
    said = (folder / "index.json").read_text()
    (folder / "index.json").write_text(re.sub(r'"version":\d+', '"version":0', said))


def _cut_short(folder: Path) -> None:
    """As if the process had been killed between adding and saying so."""
    said = msgspec.json.decode((folder / "index.json").read_bytes())
    (folder / "index.json").write_bytes(msgspec.json.encode(said | {"samples": 0, "sources": 0, "fingerprint": EMPTY}))


EMPTY = "d41d8cd98f00b204e9800998ecf8427e"
"""The fingerprint of a store without files."""


@pytest.mark.slow
@pytest.mark.parametrize("harm", [shutil.rmtree, _damage, _other_version, _cut_short])
def test_an_index_that_came_to_harm_is_made_anew(tmp_path, harm):
    store = built(tmp_path / "s.duckdb", TEXTS)
    with store.cursor() as con:
        bring_up_to_date(con, least=1)
        harm(tmp_path / "s.duckdb.search")
    assert numbers(store, text="refuse") == ["run0", "run1"]
    with store.cursor() as con:
        bring_up_to_date(con, least=1)
        assert indexed(con, "refuse") == read(con, "refuse") == {1, 2}
    assert len([path for path in (tmp_path / "s.duckdb.search").iterdir() if path.is_dir()]) == 1


@pytest.mark.slow
def test_the_index_of_a_store_that_was_there_before_is_not_used(tmp_path):
    store = built(tmp_path / "s.duckdb", TEXTS)
    with store.cursor() as con:
        bring_up_to_date(con, least=1)
    store.store.close()
    (tmp_path / "s.duckdb").unlink()
    other = built(tmp_path / "s.duckdb", list(reversed(TEXTS)))
    with other.cursor() as con:
        assert indexed(con, "refuse") is None
    assert numbers(other, text="refuse") == ["run11", "run12"]
    with other.cursor() as con:
        bring_up_to_date(con, least=1)
        assert indexed(con, "refuse") == {12, 13}


@pytest.mark.slow
def test_what_is_hidden_or_gone_is_not_found(tmp_path):
    store = built(tmp_path / "s.duckdb", ["I refuse", "no"], run="open")
    add(store, ["I refuse"], run="secret")
    with store.cursor() as con:
        bring_up_to_date(con, least=1)
    with store.store.cursor(["secret"]) as con:
        found = samples_page(con, SampleFilter(text="refuse"), as_of=store.batch)
        assert found["run"].tolist() == ["open"]
        assert sample_count(con, SampleFilter(text="refuse"), store.batch) == 1
    assert numbers(store, text="refuse") == ["open0", "secret0"]


def test_a_store_in_memory_has_no_index():
    store = built(":memory:", TEXTS)  # type: ignore[arg-type]
    with store.cursor() as con:
        assert bring_up_to_date(con, least=1) == 0
    assert numbers(store, text="refuse") == ["run0", "run1"]


@pytest.mark.slow
def test_an_ingest_keeps_the_index_up_to_date_and_makes_a_lost_one_anew(tmp_path):
    write_log(tmp_path / "study/large.json", [0] * WORTHWHILE, reply="I would rather not")
    store = Store.open(tmp_path / "s.duckdb")
    for _ in range(2):
        ingest([tmp_path / "study"], store)
        with store.cursor() as con:
            assert len(indexed(con, "RATHER not") or ()) == WORTHWHILE
            assert len(indexed(con, "dilemma 17") or ()) == 111  # 17, 170 to 179 and 1700 to 1799
        shutil.rmtree(tmp_path / "s.duckdb.search")
    store.close()
