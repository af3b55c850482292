"""What the Report page is made of: transcripts by their addresses, charts to collect, the files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from urllib.parse import parse_qs, urlsplit

import streamlit as st

from dashboard import links, numerals, runtime
from dashboard.app_pages.report.assemble import Plan, SampleName, assemble, runs_told
from dashboard.app_pages.report.collect import WITHOUT_CHARTS, collected, start
from dashboard.exports.facts import slug
from dashboard.exports.review import Review
from dashboard.exports.review_html import review_html
from dashboard.exports.review_markdown import review_zip
from dashboard.kit import caches
from dashboard.kit.page import shell
from dashboard.kit.page.reader import reader
from dashboard.kit.pickers import controls
from dashboard.kit.text.plain import escaped
from dashboard.queries.saved_views import SavedView
from dashboard.review.audit import record
from loaders.errors import DriftlineError
from loaders.store import Store

MOST_TRANSCRIPTS = 50
TRANSCRIPTS, INTRODUCTION, WITH_NOTES = "report_transcripts", "report_introduction", "report_notes"
BETWEEN = "report_before_"


def kept(key: str, first: str | bool) -> str:
    """The key of a widget, with what it held before: other pages are visited from here, and widgets are not kept there.

    Args:
        key: Of the widget, not drawn yet; hand what it gives to `keep`.
        first: What it holds at first.
    """
    st.session_state.setdefault(key, st.session_state.get(f"_kept_{key}", first))
    return key


def keep(key: str) -> None:
    """Keep what a widget holds, for when the reader comes back."""
    st.session_state[f"_kept_{key}"] = st.session_state[key]


def pick_transcripts(as_of: int) -> tuple[SampleName, ...]:
    """Let transcripts be named by their addresses, one in each line; says which of them lead to none.

    Args:
        as_of: Batch as of which they are looked up.
    """
    text = st.text_area(
        "More transcripts (one link per line)", key=kept(TRANSCRIPTS, ""), height=90,
        placeholder="paste links of Transcript pages",
    )  # fmt: skip
    keep(TRANSCRIPTS)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found: list[SampleName] = []
    for line in lines[:MOST_TRANSCRIPTS]:
        name = sample_in(line)
        try:
            if name is None:
                raise DriftlineError("not a link to a transcript (no log and sample)")
            caches.transcript(*name, as_of=as_of)
            found.append(name)
        except DriftlineError as error:
            st.html(f'<div class="dl-note">{escaped(line[:200])}: {escaped(error)}</div>')
    if len(lines) > MOST_TRANSCRIPTS:
        st.html(f'<div class="dl-note">Only the first {MOST_TRANSCRIPTS} transcripts are included.</div>')
    if found:
        st.html(f'<div class="dl-note">{_counted(len(set(found)), "transcript")} found.</div>')
    return tuple(dict.fromkeys(found))


def write_between(views: Sequence[SavedView]) -> dict[str, str]:
    """Let something be said before each view; what is said, by the views' ids."""
    said = {}
    with st.expander("Text between views", icon=":material/notes:"):
        for number, view in enumerate(views, start=1):
            # Titles are untrusted, and labels are Markdown; a placeholder shows any text as it is.
            key = kept(f"{BETWEEN}{view.view_id}", "")
            said[view.view_id] = st.text_area(
                f"Before view {number} (Markdown)", key=key, height=80, placeholder=view.title, max_chars=20_000
            )
            keep(key)
    return {view_id: text for view_id, text in said.items() if text.strip()}


def sample_in(address: str) -> SampleName | None:
    """Log, sample and epoch that an address names, whatever host or path is before them; None where it names none."""
    try:
        return links.sample_of(parse_qs(urlsplit(address).query, keep_blank_values=True))
    except ValueError:
        return None


def to_collect(views: Sequence[SavedView]) -> bool:
    """Offer to collect the charts of views that were not visited yet; whether there are any."""
    missing = [view for view in views if view.page not in WITHOUT_CHARTS and collected(view) is None]
    if missing:
        st.button(
            f"Render charts ({numerals.plural(len(missing), 'view')})", type="primary",
            icon=":material/photo_library:", key="collect", on_click=_collect, args=(missing,),
        )  # fmt: skip
        st.caption("Opens each page once and takes over its charts.")
    return bool(missing)


def _collect(views: list[SavedView]) -> None:
    """Begin to visit pages; what was written last is kept even where its own run of the page was cut short."""
    between = [str(key) for key in st.session_state if str(key).startswith(BETWEEN)]
    for key in (TRANSCRIPTS, INTRODUCTION, WITH_NOTES, *between):
        keep(key)
    start(views)


def downloads(
    title: str,
    introduction: str,
    views: Sequence[SavedView],
    samples: tuple[SampleName, ...],
    *,
    with_notes: bool,
    as_of: int,
    before: Mapping[str, str],
) -> None:
    """Offer the review as files; each is made when it is asked for.

    Args:
        title: Of the review.
        introduction: What its author says first.
        views: In order; all of them collected.
        samples: Transcripts besides.
        with_notes: Whether notes are taken along.
        as_of: Batch of what no view pins.
        before: What is said before some views, by their ids.
    """
    shown = tuple((view, collected(view)) for view in views)
    charts = sum(len(found.charts) for _, found in shown if found)
    st.html(
        f'<div class="dl-head">{_counted(len(shown), "view")} with {_counted(charts, "chart")},'
        f" {_counted(len(samples), 'more transcript')}</div>"
    )
    plan = Plan(
        title, introduction, reader().name, shown, samples, with_notes, as_of, shell.notice_lines(as_of), before,
        str(st.context.url or ""),
    )  # fmt: skip
    store, who, hidden = runtime.store(), reader().name, reader().hidden
    address = f"{links.REPORT}?{links.query(controls.state())}"
    with st.container(horizontal=True):
        for label, ending, kind, write in (
            ("Download HTML", "html", "text/html", review_html),
            ("Download Markdown (with pictures)", "zip", "application/zip", review_zip),
        ):
            st.download_button(
                label, partial(_made, store, who, hidden, plan, write, ending, address),
                f"driftline-{slug(title) or 'review'}.{ending}", kind, icon=":material/download:", on_click="ignore",
            )  # fmt: skip


def _counted(count: int, what: str) -> str:
    return f"<b>{numerals.count(count)}</b> {what}{'' if count == 1 else 's'}"


def _made(
    store: Store,
    who: str,
    hidden: Sequence[str],
    plan: Plan,
    write: Callable[[Review], bytes],
    ending: str,
    address: str,
) -> bytes:
    """Make the file, and write down who took it. Runs when the button is clicked, outside the page's script."""
    review = assemble(store, hidden, plan)
    content = write(review)
    record(
        store, who, "export", f'the review "{plan.title}" as {ending}', address=address,
        runs=runs_told(review, plan),
        details={"bytes": len(content), "views": len(plan.views), "as_of": plan.as_of},
    )  # fmt: skip
    return content
