"""Which samples hold a text: by a full-text index beside the store, and by reading everything where there is none.

Text is found literally, upper and lower case alike, anywhere in a word, in prompt, reply, messages, reasoning, tool
calls or a judge's explanation. Any white space stands for any other; a space at either end of what is looked for stands
for white space or an end of the text, so that " cat " finds the word alone.

The index (tantivy) has a document for each sample: its texts in lower case, split at white space, with positions. What
is looked for is then a phrase whose first word may begin, and whose last word may end, inside a longer one: its answer
is exact, and needs no look at the texts. It is a folder beside the store and holds nothing of its own: whatever becomes
of it, `bring_up_to_date` makes it anew, and until then, and for samples that came in later, texts are read.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import msgspec
import numpy as np
import tantivy

from loaders.phrase import SPACE as WHITE_SPACE
from loaders.store.lending import backend_of

VERSION = 1
"""Of what the index holds; one of another version is made anew."""

WORTHWHILE = 2_000
"""So many samples that are not yet in the index are worth a commit; fewer are read faster than they are added."""

AT_ONCE = 10_000
"""Samples whose texts are in memory together."""

LONGEST = 65_530
"""Bytes of a word that tantivy takes; samples with longer ones are always read."""

MEMORY = 128_000_000
"""Bytes that tantivy gathers before it writes."""

SPACE = re.compile(WHITE_SPACE)

META = re.compile(r"[.+*?()|\[\]{}^$\\]")

HOLDS = "contains(lower({text}), $word)"
HOLDS_PHRASE = "(contains(lower({text}), $word) AND regexp_matches(lower({text}), $pattern))"
FIRST, FIRST_PHRASE = "$word", "regexp_extract(lower({text}), $pattern)"

TEXTS = {
    "samples": ("input", "reply"),
    "messages": ("text", "reasoning", "tool_calls_json"),
    "scores": ("explanation",),
}
"""Where text is looked for: columns of tables that have a `sample_id`."""

STATE = """
SELECT (SELECT coalesce(max(sample_id), 0) FROM main.samples),
       (SELECT coalesce(max(source_id), 0) FROM main.samples)
"""

FINGERPRINT = """
SELECT md5(concat(
    (SELECT min(migrated_at) FROM main.schema_version),
    string_agg(concat_ws(' ', source_id, content_hash, reader), ',' ORDER BY source_id)
))
FROM main.sources WHERE source_id <= $1 AND complete
"""
"""Of the store and the files whose samples are in the index: sample ids mean the same only in a store that took in the
same files. States of unfinished logs may be forgotten (`loaders.store.forget`); their ids are never given again."""


@dataclass(frozen=True)
class Wanted:
    """A text that is looked for.

    Attributes:
        phrase: In lower case, each white space one blank.
        word: Its longest word.
    """

    phrase: str
    word: str

    @property
    def parameters(self) -> dict[str, Any]:
        """What `holds_sql`, `hit_sql` and `scan_sql` have unbound."""
        return {"word": self.word} | ({"pattern": self._pattern} if " " in self.phrase else {})

    def holds_sql(self, text: str) -> str:
        """SQL of whether a column of texts holds it."""
        return (HOLDS_PHRASE if " " in self.phrase else HOLDS).format(text=text)

    def hit_sql(self, text: str) -> str:
        """SQL of it as it first stands in a column of texts that hold it, in lower case."""
        return (FIRST_PHRASE if " " in self.phrase else FIRST).format(text=text)

    @property
    def _pattern(self) -> str:
        """The phrase as a regular expression; to match it costs a quarter of making all white space alike."""
        words = [META.sub(r"\\\g<0>", word) for word in self.phrase.split(" ")]
        space = SPACE.pattern
        begin, end = ("" if words[0] else f"(^|{space})"), ("" if words[-1] else f"({space}|$)")
        return begin + space.join(word for word in words if word) + end


class Meta(msgspec.Struct, frozen=True):
    """What an index says of itself, in a file that is written last."""

    version: int
    folder: str
    samples: int
    """All samples up to this id are in it."""
    sources: int
    fingerprint: str
    unindexed: tuple[int, ...] = ()
    """Samples with words that are too long for it."""


@dataclass(frozen=True)
class Hits:
    """What an index found: of the samples up to `covered`, a bit each, from 0."""

    covered: int
    bits: bytes = field(repr=False)


def wanted_text(con: duckdb.DuckDBPyConnection, text: str) -> Wanted | None:
    """A text as it is looked for; None where it is blank, and everything holds it."""
    row = con.execute("SELECT lower($1)", [SPACE.sub(" ", text)]).fetchone()
    phrase = row[0] if row else ""
    words = phrase.split(" ")
    return Wanted(phrase, max(words, key=len)) if any(words) else None


def scan_sql(wanted: Wanted, only: str) -> str:
    """SQL of the ids of samples that hold a text, found by reading; `wanted.parameters` are yet to bind.

    Args:
        wanted: From `wanted_text`.
        only: Condition on `sample_id`.
    """
    any_column = {table: " OR ".join(map(wanted.holds_sql, TEXTS[table])) for table in TEXTS}
    return " UNION ALL ".join(
        f"SELECT sample_id FROM seen_{table}() WHERE {only} AND ({any_column[table]})"  # noqa: S608 - constants
        for table in TEXTS
    )


def find_text(con: duckdb.DuckDBPyConnection, wanted: Wanted) -> Hits | None:
    """Ask the index beside the store; None where there is none that fits, or it can't tell.

    What a cursor may not see is among the hits: they are for a join with what it may.
    """
    newest, _, path = _state(con)
    meta = None if path is None else _read_meta(path)
    if meta is None or path is None or not _fits(con, meta, newest):
        return None
    try:
        bits = _search(str(_beside(path) / meta.folder), meta.samples, wanted.phrase)
    except ValueError:  # it is damaged, or so many words end like this that it gives up
        return None
    if meta.unindexed:
        read = scan_sql(wanted, "sample_id IN (SELECT unnest($unindexed::BIGINT[]))")
        for (sample,) in con.execute(read, wanted.parameters | {"unindexed": list(meta.unindexed)}).fetchall():
            bits[sample] = True
    return Hits(meta.samples, np.packbits(bits).tobytes())


def newest_sample(con: duckdb.DuckDBPyConnection) -> int:
    """The highest id of a sample."""
    return _state(con)[0]


def bring_up_to_date(con: duckdb.DuckDBPyConnection, least: int = WORTHWHILE) -> int:
    """Add to the index what came into the store since; make it anew where it is missing, damaged or of another store.

    Args:
        con: A cursor of the store's owner, who holds the lock of batches.
        least: Fewer new samples are left for the next time.

    Returns:
        How many samples were added.
    """
    newest, sources, path = _state(con)
    if path is None:
        return 0
    beside = _beside(path)
    meta = _read_meta(path)
    index = None
    if meta is not None and _fits(con, meta, newest):
        with suppress(ValueError):
            index = _open(str(beside / meta.folder))
    if meta is None or index is None:
        meta = Meta(VERSION, uuid4().hex, 0, 0, "")
    if newest - meta.samples < max(1, least):
        return 0
    if index is None:
        # It holds what the store holds: for nobody but its owner.
        beside.mkdir(mode=0o700, exist_ok=True)
        (beside / meta.folder).mkdir()
        index = _open(str(beside / meta.folder), new=True)
    unindexed = _add(con, index, meta.samples, newest)
    row = con.execute(FINGERPRINT, [sources]).fetchone()
    grown = Meta(VERSION, meta.folder, newest, sources, row[0] if row else "", meta.unindexed + unindexed)
    _write_meta(beside, grown)
    return newest - meta.samples


def _add(con: duckdb.DuckDBPyConnection, index: tantivy.Index, after: int, newest: int) -> tuple[int, ...]:
    """Add the samples after one; those with too long words."""
    unindexed: list[int] = []
    # One thread: the other core makes the documents.
    writer = index.writer(heap_size=MEMORY, num_threads=1)
    try:
        # What an addition that was cut short had committed already.
        writer.delete_documents_by_query(
            tantivy.Query.range_query(SCHEMA, "sample", tantivy.FieldType.Unsigned, after + 1, None)
        )
        for sample, texts in _texts(con, after, newest):
            document = tantivy.Document()
            document.add_unsigned("sample", sample)
            for text in texts:
                document.add_text("text", text)
                if len(text) > LONGEST // 4 and any(len(word.encode()) > LONGEST for word in SPACE.split(text)):
                    unindexed.append(sample)
            writer.add_document(document)
        writer.commit()
    finally:
        # Lets go of the lock on the folder, too.
        writer.wait_merging_threads()
    return tuple(dict.fromkeys(unindexed))


def _texts(con: duckdb.DuckDBPyConnection, after: int, newest: int) -> Iterator[tuple[int, list[str]]]:
    """Samples in order, each with its different texts in lower case."""
    columns = " UNION ALL ".join(
        f"SELECT sample_id, {name} AS text FROM {table}"  # noqa: S608 - constants
        f" WHERE {name} <> '' AND sample_id > $after AND sample_id <= $upto"
        for table, names in TEXTS.items()
        for name in names
    )
    different = f"SELECT sample_id, list(DISTINCT lower(text)) FROM ({columns}) GROUP BY sample_id ORDER BY sample_id"  # noqa: S608
    for start in range(after, newest, AT_ONCE):
        rows = con.execute(different, {"after": start, "upto": min(start + AT_ONCE, newest)})
        while some := rows.fetchmany(AT_ONCE // 10):
            yield from some


@lru_cache(maxsize=8)
def _search(folder: str, samples: int, phrase: str) -> Any:
    """Whether a sample holds a phrase, by its id."""
    index = _open(folder)
    searcher = index.searcher()
    bits = np.zeros(samples + 1, dtype=np.bool_)
    query = tantivy.Query.const_score_query(_query(phrase), 1.0)
    hits = searcher.search(query, limit=max(1, searcher.num_docs), count=False).hits
    found = searcher.fast_field_values("sample", [address for _, address in hits])
    ids = np.array(found, dtype=np.int64)
    bits[ids[ids <= samples]] = True
    return bits


def _query(phrase: str) -> tantivy.Query:
    words = [META.sub(r"\\\g<0>", word) for word in phrase.strip(" ").split(" ")]
    if not phrase.startswith(" "):
        words[0] = ".*" + words[0]
    if not phrase.endswith(" "):
        words[-1] += ".*"
    if len(words) == 1:
        return tantivy.Query.regex_query(SCHEMA, "text", words[0])
    return tantivy.Query.regex_phrase_query(SCHEMA, "text", list(words))


def _open(folder: str, new: bool = False) -> tantivy.Index:
    """The index in a folder.

    Raises:
        ValueError: There is none that can be read.
    """
    if not new and not tantivy.Index.exists(folder):
        raise ValueError(f"{folder} holds no index")
    index = tantivy.Index(SCHEMA, path=folder)
    index.register_tokenizer(TOKENS, tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build())
    return index


TOKENS = "words"


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("sample", indexed=True, fast=True)
    builder.add_text_field("text", tokenizer_name=TOKENS, index_option="position")
    return builder.build()


SCHEMA = _schema()


def _state(con: duckdb.DuckDBPyConnection) -> tuple[int, int, Path | None]:
    """The newest sample, the newest source with samples, and beside what the index lies; None where there is none."""
    row = con.execute(STATE).fetchone()
    assert row is not None  # noqa: S101  for the type checker: aggregates have one row
    return row[0], row[1], backend_of(con).file


def _fits(con: duckdb.DuckDBPyConnection, meta: Meta, newest: int) -> bool:
    row = con.execute(FINGERPRINT, [meta.sources]).fetchone()
    return meta.samples <= newest and row is not None and row[0] == meta.fingerprint


def _beside(store: Path) -> Path:
    return store.with_name(store.name + ".search")


def _read_meta(store: Path) -> Meta | None:
    try:
        meta = msgspec.json.decode((_beside(store) / "index.json").read_bytes(), type=Meta)
    except (OSError, msgspec.MsgspecError):
        return None
    return meta if meta.version == VERSION and Path(meta.folder).name == meta.folder else None


def _write_meta(beside: Path, meta: Meta) -> None:
    """Say what the index holds now; what came before it is of no more use."""
    new = beside / "index.json.new"
    new.write_bytes(msgspec.json.encode(meta))
    new.replace(beside / "index.json")
    for other in beside.iterdir():
        if other.is_dir() and other.name != meta.folder:
            shutil.rmtree(other, ignore_errors=True)
