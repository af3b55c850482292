"""Rows of a table and a mapping become evals with samples and scores."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from loaders.chat import chat_messages, joined_text
from loaders.errors import RejectedFile
from loaders.json_text import clean, json_text
from loaders.records import EvalRecord, LoadedFile, MessageRecord, SampleRecord
from loaders.regex import compiled
from loaders.table_mapping import Lookup, Source, TableMapping, scalar_text
from loaders.tabular import cells, shape, verifiers
from loaders.tabular.exports import as_export
from loaders.tabular.kinds import ScoreKinds
from loaders.tabular.rows import Row, Table, open_table

FORMAT = "table"
GROUP_FIELDS = ("eval", "run", "mix", "step", "stage", "variant", "model", "judge")
"""Rows that agree in all of these are one eval."""

SAMPLE_FIELDS = ("id", "question", "epoch", "prompt", "reply", "error")
ROLLOUT = frozenset({"prompt", "completion", "reward", "error"})
"""Columns of a rollout as the library verifiers saves it, an error among them where there was one."""

EXAMPLE = "example_id"
"""Their column that tells examples apart."""

NO_ERROR = frozenset({"none", "false", "no", "ok", "success"})
NAMED = 5
"""Rows that a note names."""

Read = Callable[[Row], Any]
Meaning = Callable[[Any], str | None]
NO_ROW = Row("", {})


def load(path: Path, relpath: str, mapping: TableMapping, beside: Sequence[Path] = ()) -> LoadedFile:
    """Read a table.

    Rows are samples; those with the same eval, run, mix, step, stage, variant, model and judge are one eval. A
    sample's key is its `id`; without one its `question`; without either its row. Rows of one eval that share a
    `question` are resamples: they get the key of the first of them and epochs in the order of rows (or those that
    `epoch` gives), and keep an id of their own in their metadata.

    Args:
        path: The file.
        relpath: Its path as `mapping` sees it, with forward slashes: relative to the study file's folder.
        mapping: The entry of `tables:` that matches it.
        beside: Files that belong to it: the metadata.json of rollouts that verifiers saved.

    Raises:
        RejectedFile: The table is broken, a column or a part of the path that the mapping wants is not there, or
            the mapping does not tell two rows apart. The reason names the entry, and the line.
    """
    table = open_table(path, shape.mentioned(mapping))
    first = next(table.rows, None)
    if first is not None:
        table.rows = chain([first], table.rows)
    columns = table.columns if table.columns is not None else list(first.cells) if first else []
    mapping, notes = _resolved(path, mapping, columns, first)
    table.notes += notes
    mapping, notes = as_export(mapping, columns)
    table.notes += notes
    if shape.may_be_summary(mapping):
        rows = list(table.rows)
        table.rows = iter(rows)
        mapping, notes = shape.as_summary(mapping, [row.cells for row in rows])
        table.notes += notes
    reader = _Reader(path, relpath, mapping)
    groups: dict[tuple[str | None, ...], _Group] = {}
    number = 0
    for number, row in enumerate(reader.rows(table), start=1):
        reader.note_copy(row)
        named = reader.names(row)
        group = groups.get(named)
        if group is None:
            group = groups[named] = _Group(reader, reader.record(named))
        group.add(row, number)
    if not number and table.problems:
        raise RejectedFile(path, f"no row of it can be read: {_first(table.problems)}")
    notes = table.notes + _left_out(table.problems, number) + reader.notes()
    loaded = LoadedFile(FORMAT, evals=[group.finish() for group in groups.values()], notes=notes)
    if not number:
        loaded.notes.append("has no rows")
    for file in beside:
        verifiers.complete(loaded, file)
    return loaded


def _resolved(
    path: Path, mapping: TableMapping, columns: list[str], first: Row | None
) -> tuple[TableMapping, list[str]]:
    try:
        return shape.resolved(mapping, columns, first.cells if first else {})
    except ValueError as error:
        raise RejectedFile(path, f'study file, tables entry "{mapping.match}": {error}') from error


class _Reader:
    """Finds a mapping's fields in rows, and says what is wrong in the mapping's words."""

    def __init__(self, path: Path, relpath: str, mapping: TableMapping) -> None:
        self.path = path
        self.relpath = relpath
        self.mapping = mapping
        self.origin = f'study file, tables entry "{mapping.match}"'
        self.sources: dict[str, Source | None] = {
            name: getattr(mapping, name) for name in (*GROUP_FIELDS, *SAMPLE_FIELDS)
        }
        self.scores = {f"scores.{name}": source for name, source in mapping.scores.items()}
        self.reported = {
            f"reported.{name}.{part}": source
            for name, share in mapping.reported.items()
            for part in ("value", "n", "k", "stderr")
            if (source := getattr(share, part)) is not None
        }
        self.every = {**self.sources, **self.scores, **self.reported}
        self.header = next((s.header for s in self.every.values() if isinstance(s, Lookup) and s.header), None)
        self.reads = {name: self._read(name, source) for name, source in self.every.items()}
        self.constant, self.varying = self._group_fields()
        self.wanted = self._wanted_columns()
        self.seen: dict[str, None] = {}
        self.without_id = 0
        self.places: dict[bytes, str] = {}
        self.copies: list[str] = []
        self.kinds: dict[str, ScoreKinds] = {}
        self.no_numbers: list[str] = []
        self.is_copy = False
        self.dropped = 0

    def _group_fields(self) -> tuple[list[str | None], list[tuple[int, str, Meaning]]]:
        """The group's fields that all rows share, and how to get those that a column gives."""
        constant: list[str | None] = []
        varying: list[tuple[int, str, Meaning]] = []
        for index, name in enumerate(GROUP_FIELDS):
            source = self.sources[name]
            meaning = cells.step if name == "step" else cells.label
            if isinstance(source, Lookup) and source.path is None and source.value is None:
                constant.append(None)
                varying.append((index, name, meaning))
            else:
                constant.append(meaning(self.reads[name](NO_ROW)))
        return constant, varying

    def reject(self, what: str) -> RejectedFile:
        """The error for something that the mapping asks for in vain."""
        return RejectedFile(self.path, f"{self.origin}: {what}")

    def rows(self, table: Table) -> Iterator[Row]:
        """The table's rows; raises where no row has a column that the mapping reads."""
        if table.columns is not None:
            self.seen = dict.fromkeys(table.columns)
            if self.header is not None:
                self.seen |= dict.fromkeys((shape.VALUE, shape.HEADER))
            self.check_columns()
            yield from self._spread(table.rows)
            return
        for row in self._spread(table.rows):
            self.seen.update(dict.fromkeys(row.cells))
            self.seen.update({c: None for c in self.wanted if c not in self.seen and _has(row, c)})
            yield row
        if self.seen:
            self.check_columns()

    def _spread(self, rows: Iterator[Row]) -> Iterator[Row]:
        """The rows; a row for each column that `header` matches, where it is given."""
        if self.header is None:
            yield from rows
            return
        matched = False
        for row in rows:
            for column, cells_ in shape.spread(self.header, row.cells):
                matched = True
                if cells_ is not None:
                    yield Row(f'{row.place}, column "{column}"', cells_)
        if not matched and self.seen:
            there = ", ".join(f'"{c}"' for c in self.seen if c not in (shape.VALUE, shape.HEADER))
            raise self.reject(f"no column's name matches {self.header!r}; the columns there are: {there}")

    def check_columns(self) -> None:
        """Raise where no row has a column that the mapping reads."""
        for column, name in self.wanted.items():
            if column not in self.seen:
                there = ", ".join(f'"{c}"' for c in self.seen) or "none"
                raise self.reject(f'{name} wants column "{column}", and the columns there are: {there}')

    def _wanted_columns(self) -> dict[str, str]:
        wanted: dict[str, str] = {}
        for name, source in self.every.items():
            for column in shape.columns_of(source):
                wanted.setdefault(column, name)
        for column in self.mapping.metadata or []:
            wanted.setdefault(column, "metadata")
        return wanted

    def _read(self, name: str, source: Source | None) -> Read:
        """How to get a field of a row; what stands in the path is looked up once."""
        if not isinstance(source, Lookup):
            return lambda _row: source
        if source.value is not None:
            value = cells.renamed(source.value, source)
            return lambda _row: value
        if source.path is None:
            columns = shape.columns_of(source)
            if len(columns) == 1:
                column = columns[0]
                return lambda row: cells.renamed(_cell(row, column), source)
            return lambda row: cells.renamed(_joined([_cell(row, column) for column in columns], source.join), source)
        found = compiled(source.path).search(self.relpath)
        if not found and not source.optional:
            raise self.reject(f'{name} wants a path that matches {source.path!r}, and this one is "{self.relpath}"')
        part = cells.renamed(_joined(list(found.groups()), source.join) if found else None, source)
        return lambda _row: part

    def names(self, row: Row) -> tuple[str | None, ...]:
        """The group that a row belongs to."""
        named = list(self.constant)
        for index, name, meaning in self.varying:
            named[index] = meaning(self.reads[name](row))
        if named[0] is None:
            self.check_columns()
            raise self.reject(f"{row.place} has nothing where `eval` is read")
        return tuple(named)

    def record(self, named: tuple[str | None, ...]) -> EvalRecord:
        """The eval of a group, without samples."""
        value = dict(zip(GROUP_FIELDS, named, strict=True))
        return EvalRecord(
            value["eval"] or "",
            model=value["model"],
            judge=value["judge"],
            stated_run=value["run"],
            stated_step=value["step"],
            stated_mix=value["mix"],
            stated_stage=value["stage"],
            stated_variant=value["variant"],
            stated_rule=self.rule(value),
        )

    def rule(self, value: dict[str, str | None]) -> str:
        """Where the stated fields come from, for people: `study file, tables entry "a/*": step from column step`."""
        stated = [
            f"{name} {_told(self.sources[name])}"
            for name in ("run", "step", "mix", "stage", "variant")
            if value[name] is not None
        ]
        return f"{self.origin}: {', '.join(stated)}" if stated else self.origin

    def error(self, row: Row) -> str | None:
        """Why a row has no outcome, where it says so: what `error` reads, else a rollout's own `error`."""
        if self.sources["error"] is not None:
            cell = self.reads["error"](row)
        elif "error" not in self.wanted and row.cells.keys() >= ROLLOUT:
            cell = row.cells.get("error")
        else:
            return None
        value = cells.typed(cell)
        if not value or (isinstance(value, str) and value.strip().lower() in NO_ERROR):
            return None
        return cells.as_text(value)

    def is_rollout(self, row: Row) -> bool:
        """Whether rows of one id are rollouts of one example: verifiers writes so many of each as it was told to."""
        return row.cells.keys() >= ROLLOUT - {"error"} and EXAMPLE in shape.columns_of(self.sources["id"])

    def metadata(self, row: Row) -> dict[str, Any]:
        """The columns that are kept: those listed, else all that no field reads."""
        listed = self.mapping.metadata
        columns = [c for c in row.cells if c not in self.wanted] if listed is None else listed
        found = {column: cells.typed(_cell(row, column)) for column in columns}
        return {column: value for column, value in found.items() if value is not None}

    def note_copy(self, row: Row) -> None:
        """Keep in mind whether a row is another one over again, cell by cell."""
        digest = hashlib.sha256(json_text(row.cells).encode()).digest()
        before = self.places.setdefault(digest, row.place)
        self.is_copy = before != row.place
        if self.is_copy:
            self.copies.append(f"{row.place} repeats {before}")

    def notes(self) -> list[str]:
        """Remarks on the whole file."""
        notes = []
        if self.without_id:
            notes.append(f"{self.without_id} rows have no id; their keys are their rows' numbers")
        if self.copies:
            count = len(self.copies)
            what = "row is a copy" if count == 1 else "rows are copies"
            counted = count - self.dropped
            told = f"{counted} counted, as resamples or rows of their own" if counted else ""
            left = f"{self.dropped} left out, having the same id" if self.dropped else ""
            outcome = "; ".join(filter(None, (told, left)))
            notes.append(f"{count} {what} of another, cell by cell ({outcome}): {_first(self.copies)}")
        if self.no_numbers:
            count = len(self.no_numbers)
            values = "value is no number" if count == 1 else "values are no numbers"
            notes.append(f"{count} {values} that can be drawn, and left out: {_first(self.no_numbers)}")
        return notes + [said for name, kinds in self.kinds.items() for said in kinds.notes(name)]


@dataclass
class _Group:
    """The samples of one eval, as its rows come."""

    reader: _Reader
    record: EvalRecord
    places: dict[tuple[str, int], str] = field(default_factory=dict)
    """Where each key and epoch stands."""
    keys: dict[str, str] = field(default_factory=dict)
    """The key of each question: that of its first row."""
    counts: dict[str, int] = field(default_factory=dict)
    """How many rows each key has."""

    def add(self, row: Row, number: int) -> None:
        """Take in one row; `number` counts the rows of the file from 1."""
        reads = self.reader.reads
        if self.reader.mapping.reported:
            self._report(row)
            return
        own = cells.label(reads["id"](row))
        question = cells.as_text(reads["question"](row))
        key = self._key(row, own, question, number)
        resampled = question is not None or self.reader.is_rollout(row)
        if self.reader.is_copy and own is not None and self._same_sample(row, key, resampled=resampled):
            self.reader.dropped += 1
            return
        epoch = self._epoch(row, key, resampled=resampled)
        sample = SampleRecord(key, epoch, id_is_number=own == key and key.isdigit())
        _converse(sample, reads["prompt"](row), reads["reply"](row))
        sample.error = self.reader.error(row)
        for name in self.reader.scores:
            cell = reads[name](row)
            found = cells.scores(name.removeprefix("scores."), cell)
            self.reader.kinds.setdefault(name, ScoreKinds()).add(cell, found)
            sample.scores += found
        metadata = self.reader.metadata(row)
        if question is not None:
            metadata.setdefault("question", question)
        if own not in (None, key):
            metadata.setdefault("id", own)
        sample.metadata_json = json_text(metadata) if metadata else None
        self.record.samples.append(sample)

    def _report(self, row: Row) -> None:
        """Take in a row that reports numbers of the whole eval."""
        if self.reader.is_copy:
            self.reader.dropped += 1
            return
        for name, share in self.reader.mapping.reported.items():
            told = {
                part: read(row) if (read := self.reader.reads.get(f"reported.{name}.{part}")) else None
                for part in ("value", "n", "k", "stderr")
            }
            if share.percent:
                told |= {part: cells.percentage(told[part]) for part in ("value", "stderr")}
            try:
                metric = shape.share(name, **told)
            except ValueError as error:
                raise self.reader.reject(f"{row.place}: {name}: {error}") from error
            if metric.value is None and told["value"] is not None and cells.typed(told["value"]) is not None:
                self.reader.no_numbers.append(f'{name} is "{cells.as_text(told["value"])}" in {row.place}')
            place = self.places.setdefault((name, 0), row.place)
            if place != row.place:
                raise self.reader.reject(
                    f"{place} and {row.place} both report {name} of one eval. Read what tells them apart"
                    f" ({', '.join(GROUP_FIELDS)})"
                )
            self.record.reported.append(metric)

    def finish(self) -> EvalRecord:
        """The eval with its samples."""
        epochs = max(self.counts.values(), default=1)
        self.record.epochs = epochs if epochs > 1 else None
        return self.record

    def _key(self, row: Row, own: str | None, question: str | None, number: int) -> str:
        if question is not None and question in self.keys:
            return self.keys[question]
        key = own or (question or "").strip()
        if not key:
            key = f"row {number}"
            self.reader.without_id += self.reader.sources["id"] is not None
        if question is not None:
            if key in self.counts:
                raise self.reader.reject(
                    f'{row.place}: id "{key}" stands for two questions. Read `id` from a column that tells questions'
                    f" apart, or leave it out: the question is the id then"
                )
            self.keys[question] = key
        return key

    def _same_sample(self, row: Row, key: str, resampled: bool) -> bool:
        """Whether a row that is a copy has the id, and the epoch where one is read, of its original in this eval."""
        if self.reader.sources["epoch"] is None:
            return not resampled and (key, 1) in self.places
        epoch = cells.whole_number(self.reader.reads["epoch"](row))
        return epoch is not None and (key, epoch) in self.places

    def _epoch(self, row: Row, key: str, resampled: bool) -> int:
        self.counts[key] = self.counts.get(key, 0) + 1
        if self.reader.sources["epoch"] is not None:
            cell = self.reader.reads["epoch"](row)
            epoch = cells.whole_number(cell)
            if epoch is None:
                raise self.reader.reject(f"{row.place}: epoch is {cell!r}, and a whole number is wanted")
        else:
            epoch = self.counts[key]
            if epoch > 1 and not resampled:
                raise self.reader.reject(
                    f'{self.places[key, 1]} and {row.place} have the id "{key}" in one eval. Read what tells them'
                    f" apart ({', '.join(GROUP_FIELDS[1:])} or epoch), or say with `question` that they are resamples"
                )
        if (key, epoch) in self.places:
            raise self.reader.reject(f'{self.places[key, epoch]} and {row.place} are both epoch {epoch} of "{key}"')
        self.places[key, epoch] = row.place
        return epoch


def _converse(sample: SampleRecord, prompt: Any, reply: Any) -> None:
    """Set input, reply and messages; a prompt and a reply may be lists of chat turns, tool calls among them."""
    turns = chat_messages(cells.listed(prompt))
    text = joined_text(turns) if turns else cells.as_text(prompt)
    sample.input = text
    sample.messages = turns or ([MessageRecord("user", text)] if text is not None else [])
    replied = chat_messages(cells.listed(reply))
    if replied:
        sample.messages += replied
        said = [turn.text for turn in replied if turn.role == "assistant" and turn.text]
        sample.reply = said[-1] if said else None
        return
    sample.reply = cells.as_text(reply)
    if sample.reply is not None:
        sample.messages.append(MessageRecord("assistant", sample.reply))


def _first(sentences: list[str]) -> str:
    """The first of some sentences, and how many more there are."""
    more = len(sentences) - NAMED
    return "; ".join(sentences[:NAMED]) + (f"; and {more} more" if more > 0 else "")


def _left_out(problems: list[str], read: int) -> list[str]:
    if not problems:
        return []
    return [f"{len(problems)} of {read + len(problems)} rows left out: {_first(problems)}"]


def _joined(parts: list[Any], between: str) -> str | None:
    """What columns or groups hold, joined; what is missing is left out, and None where everything is."""
    told = [text for text in map(cells.label, parts) if text]
    return between.join(told) if told else None


def _cell(row: Row, column: str) -> Any:
    """A cell by its column's name; `a.b` reaches into an object where no column has that very name."""
    if column in row.cells or "." not in column:
        return row.cells.get(column)
    holder, name = _holder(row, column)
    return holder.get(name)


def _has(row: Row, column: str) -> bool:
    holder, name = _holder(row, column)
    return name in holder


def _holder(row: Row, column: str) -> tuple[dict[str, Any], str]:
    """The object within a row that would hold the last part of a dotted name; an empty one where there is none."""
    *outer, last = column.split(".")
    value: Any = row.cells
    for part in outer:
        value = value.get(part) if isinstance(value, dict) else None
    return (value if isinstance(value, dict) else {}), last


def _told(source: Source | None) -> str:
    if isinstance(source, Lookup) and source.value is not None:
        source = source.value
    if not isinstance(source, Lookup):
        return f"given as {clean(scalar_text(source))}" if source is not None else "not given"
    if source.header is not None:
        return "from the columns' names"
    if source.columns:
        return f"from columns {', '.join(source.columns)}"
    return f"from column {source.column}" if source.column is not None else "from the path"
