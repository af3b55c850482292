"""Share: a link that shows what is shown now, also after new logs have come in."""

from __future__ import annotations

import streamlit as st

from dashboard import links, runtime
from dashboard.kit.page import here
from dashboard.kit.page.reader import reader
from dashboard.kit.page.until import UNTIL, pinned_until
from dashboard.kit.text.plain import escaped
from dashboard.queries.named_runs import runs_named
from dashboard.review import audit


def button(pin: str, when: str) -> None:
    """A button that shows the pinned link of this page.

    Args:
        pin: Value of `as_of`; "" where there is no batch to pin to.
        when: The batch in words.
    """
    if st.button("Share", icon=":material/link:", key="share", disabled=not pin, help="A link to exactly this"):
        _dialog(pin, when)


@st.dialog("Share this view")
def _dialog(pin: str, when: str) -> None:
    address = {name: st.query_params.get_all(name) for name in st.query_params} | {links.AS_OF: [pin]}
    if here.page() == links.AGREEMENT:
        address[UNTIL] = [pinned_until()]
    page = (st.context.url or "").partition("?")[0]
    link = f"{page}?{links.query(address)}"
    st.html(f"<div>The numbers behind this link stay as they are now: as of {escaped(when)}.</div>")
    # A block of code has a button that copies it, and shows any text as it is.
    st.code(link, language=None, wrap_lines=True)
    st.html(
        '<div class="dl-note">Whoever opens it is offered newer data, and sees what their own role allows. Without'
        f" <code>{links.AS_OF}</code> in it, a link always shows the newest.</div>"
    )
    if st.session_state.get("_shared") != link:
        st.session_state["_shared"] = link
        with runtime.store().cursor() as everything:
            runs = runs_named(everything, address)
        audit.record(runtime.store(), reader().name, "share", f"a pinned link, {when}", address=link, runs=runs)
