"""What a page shows when there is nothing to show, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import streamlit as st

from dashboard.kit import caches
from dashboard.kit.pickers import controls
from dashboard.kit.text.plain import escaped, listed
from loaders.tabular import sketch


def _say(title: str, text: str, icon: str, command: str | None = None) -> NoReturn:
    st.space("small")
    with st.container(border=True, width=720):
        st.markdown(f"#### {icon} {title}")
        st.markdown(text)
        if command:
            st.code(command, language="shell")
    controls.stop()


def nothing_ingested(as_of: int) -> NoReturn:
    """The store holds no eval at all: it is empty, or its tables lie there unread."""
    files = caches.files(as_of)
    left = files[files["status"] == "left"]
    if len(left):
        _unread([(str(root), str(path)) for root, path in zip(left["root"], left["path"], strict=True)])
    _say(
        "No evals yet",
        "Point Driftline at a folder of logs: Inspect `.eval` or `.json`, lm-evaluation-harness results, or tables with"
        " a mapping. While this dashboard runs, the command hands its work to it, and this page offers the update."
        " Files that could not be read are listed, with the reason, on the **Data** page.",
        ":material/inbox:",
        "driftline ingest PATH",
    )


def _unread(tables: Sequence[tuple[str, str]]) -> NoReturn:
    """Tables without a mapping, by root and path; their names come from disk, and are no Markdown."""
    paths, many = [path for _, path in tables], len(tables) > 1
    found = sketch.glance(Path(*tables[0]))
    st.space("small")
    with st.container(border=True, width=720):
        st.markdown(f"#### :material/table: {len(paths)} {'tables are' if many else 'table is'} not read yet")
        st.html(listed([*paths[:3], *([f"and {len(paths) - 3} more"] if len(paths) > 3 else [])]))
        if found.columns:
            which = "Columns of the first" if many else "Its columns"
            st.html(f'<div class="dl-note">{which}: {escaped(", ".join(found.columns[:40]))}</div>')
        st.markdown(
            f"No `tables:` entry in study.yaml matches {'these files' if many else 'this file'}. Write one that says"
            " which columns hold what, name it `study.yaml` at the root of the folder, and ingest again:"
        )
        st.code(sketch.entry(paths[0], found), language="yaml")
    controls.stop()


def nothing_picked(what: str) -> NoReturn:
    """The reader has cleared a picker that the page can't do without."""
    _say(
        f"Pick {what}",
        "Until then there is nothing to draw. The picker is in the sidebar.",
        ":material/checklist:",
    )


def no_rates() -> NoReturn:
    """What was picked has no rates."""
    _say(
        "Nothing measured here",
        "None of the picked runs was evaluated on the picked evals under this definition. The **Data** page shows"
        " which run has which evals at which steps.",
        ":material/search_off:",
    )


def no_differences() -> NoReturn:
    """What was picked can't be subtracted."""
    _say(
        "No difference to show",
        "A difference takes a number of the baseline and one of another checkpoint, on the same eval, variant and"
        " definition. Pick another baseline or eval; the **Data** page shows which run has which evals at which steps.",
        ":material/search_off:",
    )


def no_parents() -> NoReturn:
    """The Persistence page of a store in which nobody says what a run was trained from."""
    _say(
        "No run has a parent yet",
        "This page follows snapshots through further training, and needs to know which checkpoint a run was trained"
        " from. Say so in a `run.yaml` in the run's folder of logs, and ingest again: the run itself must have been"
        " evaluated at a step, its parent may have been.",
        ":material/account_tree:",
        "parent: {run: sft, step: 300}\nstage: rl",
    )


def no_tokens() -> NoReturn:
    """Checkpoints whose training tokens nobody tells."""
    _say(
        "No training tokens known",
        "None of these checkpoints tells how many tokens it was trained on. Driftline reads them from trainers' states"
        " (`trainer_state.json` beside the checkpoint: `num_input_tokens_seen`) and from run cards (`run.yaml`:"
        " `tokens_per_step`, or `tokens` of each of its `checkpoints`). A model before training has `tokens: 0`.",
        ":material/scatter_plot:",
    )


def no_endpoints() -> None:
    """The Probe page of a dashboard for which nobody has declared where models are served."""
    st.space("small")
    with st.container(border=True, width=820):
        st.markdown("#### :material/science: No models to ask yet")
        st.markdown(
            "Probes go to endpoints that whoever runs this dashboard has declared, and to no other address. The"
            " smallest way, without a GPU, a key or a hub, serves the small study that comes with Driftline, and is"
            " found by this dashboard by itself. In a clone of Driftline `make serve` does it; else, in an environment"
            " with `driftline[local]` or `driftline[vllm]`:"
        )
        st.code("driftline serve smol", language="shell")
        st.markdown("A server of your own, or the Anthropic API (the key stays in the variable `ANTHROPIC_API_KEY`):")
        st.code(
            "driftline view PATH --endpoint mine=http://127.0.0.1:8000/v1\ndriftline view PATH --endpoint anthropic",
            language="shell",
        )
        st.markdown(
            "Several endpoints, keys and limits stand in a file, given by `--models models.yaml`. Everything else works"
            " without, and probes that were saved can be read."
        )


def no_samples(to_blame: Sequence[str]) -> NoReturn:
    """A filter that no sample passes.

    Args:
        to_blame: The parts of it that no sample passes even alone.
    """
    if to_blame:
        told = f"None passes these parts of it even alone: **{'**, **'.join(to_blame)}**. Change them in the sidebar."
    else:
        told = "Each part of this filter is passed by some samples, but no sample passes all. Clear parts of it."
    _say("No samples", f"No sample passes this filter. {told}", ":material/filter_alt_off:")


def no_samples_at_all() -> NoReturn:
    """Logs that hold their totals only."""
    _say(
        "No samples",
        "None of the logs holds samples: they report their totals only. **Curves** shows these.",
        ":material/view_list:",
    )


def no_answers() -> NoReturn:
    """Checkpoints of which none has a sample of the eval."""
    _say(
        "No answers here",
        "None of the picked checkpoints holds samples of this eval. The **Data** page shows which run has which evals"
        " at which steps.",
        ":material/view_column_2:",
    )


def no_transcript() -> NoReturn:
    """The Transcript page without a sample in its address."""
    _say(
        "Pick a sample",
        "Transcripts are reached from the **Samples** page by a click on a row, or from **Curves** by a click on a"
        " point.",
        ":material/forum:",
    )


def no_views(may_save: bool) -> NoReturn:
    """The Views page before anything was saved."""
    how = "**Save view** stands at the top of every page." if may_save else "Editors save them; your role is another."
    _say(
        "No saved views yet",
        f"A view is a page as it stands, with everything that is chosen on it, under a name and with a note. {how}",
        ":material/bookmarks:",
    )


def no_notes(may_write: bool) -> NoReturn:
    """The Notes page before anything was noted."""
    how = "" if may_write else " Editors write them; your role is another."
    _say(
        "No notes yet",
        "Notes stand on points (click one in any chart), on samples and their messages (the **Transcript** page), and"
        f" on replies to probes.{how}",
        ":material/comment:",
    )


def no_verdicts() -> NoReturn:
    """The Agreement page before anybody gave a verdict."""
    _say(
        "No verdicts by people yet",
        "Read a sample on the **Transcript** page and say there whether it is misaligned. What people hold stands"
        " beside the judge's outcome, never over it; this page compares the two.",
        ":material/handshake:",
    )
