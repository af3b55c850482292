"""Unmapped tables: a row each, and for the picked one a form of its columns with the rates that it gives."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import streamlit as st

from dashboard import numerals
from dashboard.app_pages.data import writing
from dashboard.app_pages.data.source_fields import source_field
from dashboard.app_pages.data.tables import cell_text, preview_table, unmapped_table
from dashboard.kit import caches
from dashboard.kit.data_table import data_table
from dashboard.kit.page.reader import reader
from dashboard.kit.pickers import controls
from dashboard.kit.text.plain import escaped
from dashboard.placing.preview import Preview, preview
from dashboard.placing.target import Target, target_for
from loaders.proposals.tables import KINDS, Proposal, entries_of, evals_of, propose, verdict_metric
from loaders.study.editing import Entries
from loaders.study.globs import glob_matches
from loaders.table_mapping import Lookup, Share, TableMapping
from loaders.tabular.glance import Glance, glance

MOST = 200
"""Tables that are looked into; of more, the columns are not shown."""
FIRST, SHOWN, TALL = 5, 8, 300
ANSWERS, RATES = "One answer", "One finished rate"
FIXED = {"eval": "Eval", "run": "Run", "step": "Step", "mix": "Mix", "stage": "Stage", "model": "Model"}
OF_ROWS = {"id": "ID", "question": "Question", "prompt": "Prompt", "reply": "Reply", "epoch": "Epoch", "error": "Error"}
INFERRED = "Inferred from names"
HELP = {
    "eval": "Name of the eval.",
    "run": "The training run. A part of the path can tell it: results/([^/]+)/ is the folder in results.",
    "step": "The training step, or a label such as base or final.",
    "question": "Rows of one eval that share it are resamples of one question. Default: each ID is a question.",
    "epoch": "Number of the resample, not of training.",
    "error": "A row with an error has no outcome.",
}


def unmapped(files: pd.DataFrame, as_of: int) -> None:
    """Draw the section.

    Args:
        files: `FILE_COLUMNS`.
        as_of: Batch.
    """
    if writing.outcome():
        return
    left = files[files["status"] == "left"]
    if left.empty:
        st.caption("None: every table has an entry of `tables:` in a study.yaml.")
        return
    if reader().hidden:
        # A table tells in its rows which runs it is of: who may not see all runs is shown none of them.
        st.caption("Tables can hold rows of private runs. Ask someone who may see all runs to map these.")
        data_table(left[["path", "size"]])
        return
    tables = _tables(left)
    names = [str(path) for path in tables["path"]]
    st.caption("Tables are read once study.yaml says which column is what. Pick one: a mapping is proposed.")

    def pick() -> None:
        rows = st.session_state["unmapped"].selection.rows
        if rows:
            controls.put("table", names[rows[0]])

    data_table(
        unmapped_table(tables),
        key="unmapped", on_select=pick, selection_mode="single-row",
        height="content" if len(tables) <= SHOWN else TALL, alt="Unmapped tables; pick a row to map it",
    )  # fmt: skip
    path = controls.pick_one("Table", "table", names, default=names[0])
    row = tables[tables["path"] == path].iloc[0]
    target = target_for(str(row["root"]), path, caches.card_places(as_of))
    same_root = tables[tables["root"] == row["root"]]
    within = {str(p): inside for p in same_root["path"] if (inside := target.within(str(p))) is not None}
    columns = {within[p]: found.columns for p, found in zip(same_root["path"], same_root["found"], strict=True)
               if p in within}  # fmt: skip
    found: Glance = row["found"]
    if found.problem or not found.columns:
        st.html(f'<div class="dl-notice">{escaped(path)}: {escaped(found.problem or "has no columns")}</div>')
        return
    _form(target, path, found, propose(within[path], found, columns, target.folders), within)


def _tables(left: pd.DataFrame) -> pd.DataFrame:
    """The tables with their columns and what they seem to be, those first that surely hold scores."""
    files = zip(left["root"], left["path"], strict=True)
    looks = [_look(Path(root), path) if at < MOST else (Glance(), "") for at, (root, path) in enumerate(files)]
    found, kinds = [glanced for glanced, _ in looks], [kind for _, kind in looks]
    order = [*KINDS, ""]
    frame = left.assign(
        found=pd.Series(found, index=left.index, dtype="object"),
        kind=pd.Series(kinds, index=left.index, dtype="object"),
        rank=[order.index(kind) for kind in kinds],
    )
    return frame.sort_values(["rank", "path"]).reset_index(drop=True)


def _look(root: Path, path: str) -> tuple[Glance, str]:
    """The beginning of a table, and which of `KINDS` it seems to be; "" where it can't be read."""
    try:
        stat = (root / path).stat()
    except OSError as error:
        return Glance(problem=f"can't be read: {error.strerror or error}"), ""
    return _look_kept(str(root), path, stat.st_mtime_ns, stat.st_size)


@st.cache_data(max_entries=2 * MOST, show_spinner=False)
def _look_kept(root: str, path: str, mtime: int, size: int) -> tuple[Glance, str]:  # noqa: ARG001 - parts of the key
    found = glance(Path(root, path))
    return found, propose(path, found).kind if found.columns else ""


def _form(target: Target, path: str, found: Glance, proposal: Proposal, within: Mapping[str, str]) -> None:
    key = "map_" + hashlib.sha256(str(target.root / path).encode()).hexdigest()[:12]
    columns = list(found.columns)
    st.markdown(f"##### {KINDS[proposal.kind]}")
    for note in proposal.notes:
        st.html(f'<div class="dl-note">{escaped(note)}</div>')
    data_table(
        pd.DataFrame([{name: cell_text(row.get(name)) for name in columns} for row in found.rows[:FIRST]]),
        height="content", alt="First rows of the table",
    )  # fmt: skip
    # Patterns are searched on the server: who only looks gets the proposal as it is.
    may_edit = reader().may("editor")
    try:
        mapping, metrics = _mapping(key, columns, proposal) if may_edit else (proposal.mapping, proposal.metrics)
    except (ValueError, msgspec.ValidationError) as error:
        st.html(f'<div class="dl-notice" role="alert">{escaped(error)}</div>')
        return
    matched = [p for p, inside in within.items() if glob_matches(mapping.match, inside)]
    told = f"Matches {numerals.part(len(matched), len(within))} unmapped tables."
    st.caption(told if path in matched else f"{told} **This table is not among them.**")
    if not mapping.scores and not mapping.reported:
        st.html(
            '<div class="dl-notice">No score is picked, so there is nothing to count. Pick the columns with scores, or'
            " leave the files out with <b>Leave out</b>.</div>"
        )
        if st.toggle("Leave out", key=f"{key}_ignore", help="Adds the pattern to `ignore:`: the files are not read."):
            writing.panel(target, {"ignore": [mapping.match]})
        return
    entries = entries_of(mapping, metrics)
    # What is shown in the form is tried first, and then those like it.
    tried = _tried(target, [path, *(p for p in matched if p != path)] if path in matched else matched, entries)
    _show(tried)
    writing.panel(target, entries, ready=bool(tried.rates) and not tried.problems)


def _mapping(key: str, columns: Sequence[str], proposal: Proposal) -> tuple[TableMapping, list[dict[str, Any]]]:
    """The mapping that the widgets say, and the metrics with it."""
    begun = proposal.mapping
    head = st.columns([3, 2])
    match = head[0].text_input("Files", begun.match, key=f"{key}_match", help="A pattern: * stands for any name.")
    with head[1]:
        is_rates = (
            st.segmented_control(
                "A row is", [ANSWERS, RATES], default=RATES if begun.reported else ANSWERS, required=True,
                key=f"{key}_shape",
            )
            == RATES
        )  # fmt: skip
    fields: dict[str, Any] = {}
    roles = FIXED if is_rates else FIXED | OF_ROWS
    places: Sequence[Any] = []
    for at, (name, label) in enumerate(roles.items()):
        # A row of columns for each three: where columns stack, the fields keep their order.
        places = st.columns(3) if at % 3 == 0 else places
        with places[at % 3]:
            fields[name] = source_field(
                label, f"{key}_{name}", getattr(begun, name), columns,
                required=name == "eval", fixed=name in FIXED, help=HELP.get(name),
                none=INFERRED if name in ("run", "step") else "–",
            )  # fmt: skip
    kept = {name: getattr(begun, name) for name in ("variant", "judge")}
    shares = _shares(key, columns, begun) if is_rates else {}
    scores = {} if is_rates else _scores(key, columns, begun)
    mapping = TableMapping(match=match.strip() or "**", **fields, **kept, scores=scores, reported=shares)
    return mapping, _metrics(key, proposal, mapping)


def _scores(key: str, columns: Sequence[str], begun: TableMapping) -> dict[str, Any]:
    """The scores by name; a column keeps the name that was proposed for it."""
    named = {source.column: (name, source) for name, source in begun.scores.items() if isinstance(source, Lookup)}
    picked = st.multiselect(
        "Scores", columns, [name for name in columns if name in named], key=f"{key}_scores", format_func=str
    )
    return dict(named.get(column, (column, Lookup(column=column))) for column in picked)


def _shares(key: str, columns: Sequence[str], begun: TableMapping) -> dict[str, Share]:
    """The finished rates by name: their values, or k of n."""
    if any(isinstance(share.value, Lookup) and share.value.column not in columns for share in begun.reported.values()):
        return begun.reported  # a column for each run
    values = {share.value.column: share for share in begun.reported.values() if isinstance(share.value, Lookup)}
    first = next(iter(begun.reported.values()), Share(value=0))
    picked = st.multiselect("Rates", columns, [name for name in columns if name in values], key=f"{key}_values")
    places = st.columns(4)
    with places[0]:
        n = source_field("n (samples)", f"{key}_n", first.n, columns)
    with places[1]:
        k = source_field("k (count)", f"{key}_k", first.k, columns) if len(picked) < 2 else None
    with places[2]:
        stderr = source_field("Standard error", f"{key}_se", first.stderr, columns) if len(picked) == 1 else None
    with places[3]:
        percent = st.toggle("Percentages", first.percent, key=f"{key}_percent", help="25 is read as 25%.")
    if not picked:
        if not isinstance(k, Lookup) or n is None:
            return {}
        named = next((name for name, share in begun.reported.items() if share.value is None and share.k == k), None)
        return {named or k.column or "k": Share(k=k, n=n)}
    return {
        name: Share(
            value=Lookup(column=name),
            n=n,
            k=k if len(picked) == 1 else (values[name].k if name in values else None),
            stderr=stderr if len(picked) == 1 else (values[name].stderr if name in values else None),
            percent=percent,
        )
        for name in picked
    }


def _metrics(key: str, proposal: Proposal, mapping: TableMapping) -> list[dict[str, Any]]:
    """The metrics that were proposed, and that are wanted, for the eval as it is called now."""
    evals = evals_of(mapping)
    wanted = []
    in_words = {name: held for name, held in proposal.verdicts.items() if name in mapping.scores}
    for at, metric in enumerate(proposal.metrics):
        if metric["name"] in proposal.verdicts:
            continue
        label = f"Metric: {metric.get('title') or metric['name']}"
        if st.toggle(label, True, key=f"{key}_metric_{at}"):
            wanted.append(metric | {"evals": evals})
    return [*wanted, *_verdicts(key, proposal, in_words, evals)]


def _verdicts(
    key: str, proposal: Proposal, in_words: Mapping[str, Mapping[str, Any]], evals: list[str]
) -> Iterator[dict[str, Any]]:
    """The metrics of scores in words: which of its words is misaligned."""
    begun = {metric["name"]: metric["misaligned"]["value"] for metric in proposal.metrics if metric["name"] in in_words}
    places: Sequence[Any] = []
    for at, (name, held) in enumerate(in_words.items()):
        places = st.columns(3) if at % 3 == 0 else places
        options = ["", *held]
        first = next((text for text, value in held.items() if name in begun and value == begun[name]), "")
        picked = places[at % 3].selectbox(
            f"Misaligned: {name} is", options, index=options.index(first), key=f"{key}_verdict_{name}",
            format_func=lambda text: text or "not said", help="The metric counts the samples with this value.",
        )  # fmt: skip
        if picked:
            yield verdict_metric(name, held[picked], evals, picked)


def _tried(target: Target, paths: Sequence[str], entries: Entries) -> Preview:
    stamps = []
    for path in paths:
        try:
            stat = (target.root / path).stat()
            stamps.append((path, stat.st_mtime_ns, stat.st_size))
        except OSError:
            continue
    try:
        before = target.file.read_bytes()
    except OSError:
        before = b""
    return _tried_kept(str(target.root), target.at, str(target.file), tuple(stamps), before, entries, target)


@st.cache_data(max_entries=50, show_spinner="Reading the table ...")
def _tried_kept(
    root: str,  # noqa: ARG001 - what an answer is kept under
    at: str,  # noqa: ARG001
    file: str,  # noqa: ARG001
    stamps: tuple[tuple[str, int, int], ...],
    before: bytes,  # noqa: ARG001
    entries: Entries,
    _target: Target,
) -> Preview:
    return preview(_target, [path for path, _, _ in stamps], entries)


def _show(tried: Preview) -> None:
    """The rates that a mapping gives, or why it gives none."""
    st.markdown("##### Preview")
    for problem in tried.problems[:FIRST]:
        st.html(f'<div class="dl-notice" role="alert">{escaped(problem)}</div>')
    if not tried.rates:
        if not tried.problems:
            st.caption("No rates: no row has a score that is a number. Of one in words, say which value is misaligned.")
        return
    data_table(
        preview_table(tried.rates), height="content" if len(tried.rates) < 60 else 420,
        alt="Rates that this mapping gives",
    )  # fmt: skip
    told = [f"{numerals.plural(tried.read, 'file')} read."]
    if tried.left_out:
        told.append(f"{numerals.plural(tried.left_out, 'more file')} too large for the preview.")
    if tried.unplaced:
        told.append(f"{numerals.plural(tried.unplaced, 'eval')} without a run or step.")
    st.caption(" ".join(told))
    for note in tried.notes[:FIRST]:
        st.html(f'<div class="dl-note">{escaped(note)}</div>')
