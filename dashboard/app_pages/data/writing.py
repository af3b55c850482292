"""What is added to a study file: as text to copy, and for who may, a button that writes it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import streamlit as st

from dashboard import links, runtime
from dashboard.kit.page import shell
from dashboard.kit.page.reader import attempt, notice, reader
from dashboard.kit.text.plain import escaped
from dashboard.pages import NAMED
from dashboard.placing.target import Target
from dashboard.review import audit
from loaders.errors import DriftlineError
from loaders.study.editing import Edit, Entries, added_text, edit, write

TOLD, DONE = "_data_write_told", "_data_written"


@dataclass(frozen=True)
class Done:
    """A file that was written, and what was shown then."""

    file: str
    batch: int

    def __str__(self) -> str:
        """For people."""
        return f"Written to {self.file}"


def outcome() -> bool:
    """Say what came of writing; whether the files are still read anew, so that what is on the page is of before."""
    notice(TOLD)
    done = st.session_state.get(DONE)
    if not done:
        return False
    if shell.awaits_newest():
        st.success(f"{done}. Reading the files ...")
        return True
    del st.session_state[DONE]
    if done.batch == shell.as_of():
        st.success(f"{done}. The dashboard reads it within seconds, and offers the update above.")
    else:
        st.success(f"{done}, and the files are read.")
        with st.container(horizontal=True):
            for name in (links.CURVES, links.OVERVIEW):
                page = NAMED[name]
                st.page_link(page.file, label=page.title, icon=f":material/{page.icon}:")
    return False


def panel(target: Target, entries: Entries, *, ready: bool = True) -> None:
    """Show what is added, and where; offer to write it.

    Args:
        target: The study file.
        entries: What is added to it.
        ready: Whether a preview found nothing wrong.
    """
    change, problem = _edit(target, entries)
    where = "is added to" if change is None or change.before is not None else "is the content of a new"
    st.html(f'<div class="dl-note">This {where} <b>study.yaml</b> in {escaped(_folder(target))}:</div>')
    st.code(added_text(entries), language="yaml")
    if problem:
        st.html(f'<div class="dl-notice" role="alert">{escaped(problem)}</div>')
    if not reader().may("admin"):
        st.caption("Admins can write it from here. Copy the text, and ask one to.")
        return
    st.button(
        "Write study.yaml",
        type="primary",
        icon=":material/save:",
        disabled=change is None or not ready,
        help=None if ready else "The preview found a problem.",
        key="write_study",
        on_click=partial(_written, change),
    )


def _edit(target: Target, entries: Entries) -> tuple[Edit | None, str]:
    try:
        return edit(target.file, entries), ""
    except DriftlineError as error:
        return None, str(error)


def _folder(target: Target) -> str:
    return str(target.file.parent)


def _written(change: Edit | None) -> None:
    def act() -> None:
        if change is not None:
            write(change)
            audit.record(
                runtime.store(), reader().name, "study", f"added to {change.path}", details={"added": change.added}
            )
            st.session_state[DONE] = Done(change.path.name, shell.as_of())
            shell.await_newest()

    attempt(act, role="admin", where=TOLD)
