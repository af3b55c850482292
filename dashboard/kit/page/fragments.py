"""Parts of a page that are drawn anew without it, by a timer or a click; and leaving a page that has such parts.

A browser asks for a part under the page that it shows, and clears what it shows where the answer is another page's.
When the server goes to another page, the browser learns of it later, on a busy machine much later, and its timers run
until then. Such a request would be answered after the new page was drawn, and leave it empty for good. So none may be
taken: a part is its page's own, under an id that no other page has, and is forgotten before its page is left. Streamlit
drops a request for a part that it doesn't know as it comes in.

A browser's timer may also tell of a click before the click itself does: its run calls what the click calls for, and the
click's own request ends that run in the middle of it, and finds nothing new. So what must not be lost is done again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Any, NoReturn, ParamSpec

import streamlit as st
from streamlit.runtime.scriptrunner import StopException, get_script_run_ctx

PAGE = "_fragments_page"
WHOLE = "_fragments_whole_page"
UNDONE = "_fragments_undone"
"""What was called for on the page that is shown, and was ended before it was done."""

P = ParamSpec("P")


def begin() -> None:
    """Begin to draw a page: the parts of the page before it are forgotten, however it was left.

    What was called for on this page and was not done is done first.
    """
    context = get_script_run_ctx()
    page = context.page_script_hash if context else ""
    st.session_state.pop(WHOLE, None)
    undone: list[Callable[[], None]] = st.session_state.pop(UNDONE, [])
    if st.session_state.get(PAGE) != page:
        st.session_state[PAGE] = page
        _forget()
        return
    for again in tuple(undone):
        again()


def sure(callback: Callable[P, None]) -> Callable[P, None]:
    """A callback of a widget that is done also where its run is ended meanwhile; done twice, it must do the same."""
    undone: list[Callable[[], None]] = st.session_state.setdefault(UNDONE, [])

    @wraps(callback)
    def own(*args: P.args, **kwargs: P.kwargs) -> None:
        # Noted before it begins: the run that takes over may have begun before this one notices that it is ended.
        again: Callable[[], None] = partial(callback, *args, **kwargs)
        undone.append(again)
        try:
            callback(*args, **kwargs)
        except StopException:
            raise
        except BaseException:
            undone.remove(again)
            raise
        undone.remove(again)

    return own


def fragment(part: Callable[P, None], every: float | None = None) -> Callable[P, None]:
    """A part of the page that is drawn; call it where it is to stand.

    Args:
        part: Draws it.
        every: Seconds after which it is drawn anew; None for only when something in it is clicked.
    """

    @wraps(part)
    def own(*args: P.args, **kwargs: P.kwargs) -> None:
        if st.session_state.pop(WHOLE, False):
            st.rerun(scope="app")
        part(*args, **kwargs)

    # Streamlit makes a part's id of its function's name and its place, which are alike on many pages.
    own.__qualname__ = f"{part.__qualname__} of {st.session_state[PAGE]}"
    made: Callable[P, None] = st.fragment(run_every=every)(own)
    return made


def ask_for_page() -> None:
    """Have the whole page drawn after a click, also where that was in a part of it. For callbacks."""
    st.session_state[WHOLE] = True


def switch_page(page: str | Any, query_params: Mapping[str, Any] | None = None) -> NoReturn:
    """Go to another page.

    Args:
        page: Its file, or what `st.Page` made.
        query_params: Its address.
    """
    _forget()
    st.switch_page(page, query_params=query_params)


def _forget() -> None:
    context = get_script_run_ctx()
    if context is not None:
        context.fragment_storage.clear()
