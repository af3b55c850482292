"""What a page shows when there is nothing to show, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import streamlit as st

from dashboard import links
from dashboard.kit import caches
from dashboard.kit.pickers import controls
from dashboard.kit.text.plain import listed
from dashboard.pages import NAMED

PLACE = "_nothing_place"


def begin() -> None:
    """Make room in the page's main part, before it is drawn: a picker that is left empty stands in the sidebar."""
    st.session_state[PLACE] = st.container()


def _say(title: str, text: str, icon: str, command: str | None = None, ways: Sequence[str] = ()) -> NoReturn:
    with st.session_state[PLACE], st.container(border=True, width=720):
        st.markdown(f"#### {icon} {title}")
        st.markdown(text)
        if command:
            st.code(command, language="shell")
        for page in (NAMED[name] for name in ways):
            st.page_link(page.file, label=page.title, icon=f":material/{page.icon}:")
    controls.stop()


def nothing_ingested(as_of: int) -> NoReturn:
    """The store holds no eval at all: it is empty, or its tables lie there unread."""
    files = caches.files(as_of)
    left = files[files["status"] == "left"]
    if len(left):
        _unread([str(path) for path in left["path"]])
    _say(
        "No evals yet",
        "Ingest a folder of logs: Inspect `.eval` or `.json`, lm-evaluation-harness results, or tables with"
        " a `tables:` mapping. A running dashboard takes the new data over, and this page offers the update."
        " The **Data** page lists files that could not be read, with the reason.",
        ":material/inbox:",
        "driftline ingest PATH",
    )


def _unread(paths: Sequence[str]) -> NoReturn:
    """Tables without a mapping; their names come from disk, and are no Markdown."""
    many = len(paths) > 1
    st.space("small")
    with st.container(border=True, width=720):
        st.markdown(f"#### :material/table: {len(paths)} {'tables are' if many else 'table is'} not read yet")
        st.html(listed([*paths[:3], *([f"and {len(paths) - 3} more"] if len(paths) > 3 else [])]))
        st.markdown(
            f"No `tables:` entry in study.yaml matches {'these files' if many else 'this file'}."
            " The Data page proposes one, with the rates that it gives."
        )
        data = NAMED[links.DATA]
        st.page_link(data.file, label="Map tables", icon=f":material/{data.icon}:", query_params={"show": "tables"})
    controls.stop()


def nothing_picked(what: str, least: str = "one") -> NoReturn:
    """The reader has cleared a picker that the page can't do without."""
    _say(
        f"Select {what}",
        f"Select at least {least} {what}{'' if least == 'one' else 's'} in the sidebar.",
        ":material/checklist:",
    )


def no_rates() -> NoReturn:
    """What was picked has no rates."""
    _say(
        "No results",
        "None of the selected runs has results on the selected evals for this metric. See the **Data** page for"
        " the evals and steps of each run.",
        ":material/search_off:",
    )


def no_differences() -> NoReturn:
    """What was picked can't be subtracted."""
    _say(
        "No differences",
        "A difference needs results of the baseline and of another checkpoint on the same eval, variant and"
        " metric. Select another baseline or eval; see the **Data** page for the evals and steps of each run.",
        ":material/search_off:",
    )


def no_parents() -> NoReturn:
    """The Persistence page of a store in which nobody says what a run was trained from."""
    _say(
        "No run has a parent yet",
        "This page follows runs through further training and needs the checkpoint that each was trained"
        " from. Add it to a `run.yaml` in the folder of the run's logs, and ingest again. The run itself needs results"
        " at a step; its parent need not have any.",
        ":material/account_tree:",
        "parent: {run: sft, step: 300}\nstage: rl",
    )


def no_tokens() -> NoReturn:
    """Checkpoints whose training tokens nobody tells."""
    _say(
        "Training tokens unknown",
        "None of these checkpoints has a number of training tokens. Driftline reads them from trainer states"
        " (`trainer_state.json` beside the checkpoint: `num_input_tokens_seen`) and from run cards (`run.yaml`:"
        " `tokens_per_step`, or `tokens` of each of its `checkpoints`). A model before training has `tokens: 0`.",
        ":material/scatter_plot:",
    )


def no_endpoints() -> None:
    """The Probe page of a dashboard for which nobody has declared where models are served."""
    st.space("small")
    with st.container(border=True, width=820):
        st.markdown("#### :material/science: No models yet")
        st.markdown(
            "Probes only go to endpoints declared when this dashboard was started. The"
            " smallest one, without a GPU, a key or a hub, serves the small study that comes with Driftline; this"
            " dashboard finds it. In a clone of Driftline run `make serve`; otherwise, in an environment"
            " with `driftline[local]` or `driftline[vllm]`:"
        )
        st.code("driftline serve smol", language="shell")
        st.markdown("A server of your own, or the Anthropic API (the key stays in the variable `ANTHROPIC_API_KEY`):")
        st.code(
            "driftline view PATH --endpoint mine=http://127.0.0.1:8000/v1\ndriftline view PATH --endpoint anthropic",
            language="shell",
        )
        st.markdown(
            "Declare several endpoints, keys and limits in a file: `--models models.yaml`. Everything else works"
            " without endpoints, and saved probes can be read."
        )


def no_samples(to_blame: Sequence[str]) -> NoReturn:
    """A filter that no sample passes.

    Args:
        to_blame: The parts of it that no sample passes even alone.
    """
    if to_blame:
        told = f"Even alone, these match none: **{'**, **'.join(to_blame)}**. Change them in the sidebar."
    else:
        told = "Each filter matches some samples, but none matches all. Clear some of them."
    _say("No samples", f"No sample matches the filters. {told}", ":material/filter_alt_off:")


def no_samples_at_all() -> NoReturn:
    """Logs that hold their totals only."""
    _say(
        "No samples",
        "No log has samples, only totals: see **Curves**.",
        ":material/view_list:",
    )


def no_answers() -> NoReturn:
    """Checkpoints of which none has a sample of the eval."""
    _say(
        "No answers",
        "None of the selected checkpoints has samples of this eval. See the **Data** page for the evals and"
        " steps of each run.",
        ":material/view_column_2:",
    )


def no_views(may_save: bool) -> NoReturn:
    """The Saved views page before anything was saved."""
    how = "Use **Save view** at the top of any page." if may_save else "Editors can save them."
    _say(
        "No saved views yet",
        f"A saved view is a page with its filters, a title and a note. {how}",
        ":material/bookmarks:",
        ways=(links.CURVES, links.COMPARE),
    )


def no_notes(may_write: bool) -> NoReturn:
    """The Notes page before anything was noted."""
    how = "" if may_write else " Editors can write them."
    _say(
        "No notes yet",
        "Add notes to points (click one in any chart), to samples and their messages (**Transcript** page), and"
        f" to replies of probes.{how}",
        ":material/comment:",
        ways=(links.CURVES, links.TRANSCRIPT),
    )


def no_verdicts() -> NoReturn:
    """The Agreement page before anybody gave a verdict."""
    _say(
        "No human labels yet",
        "**Label samples** shows them one by one, without the judge's verdict; single ones are labeled on the"
        " **Transcript** page. Labels never replace the judge's outcome; this page compares the two.",
        ":material/handshake:",
        ways=(links.TRANSCRIPT, links.SAMPLES),
    )
