"""Parts of a page, and what a reader's click calls for: done once, whatever ends the run that it was called in."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def _a_page() -> None:
    import streamlit as st
    from streamlit.runtime.scriptrunner import StopException

    from dashboard.kit.page import fragments

    ended = st.session_state.setdefault("ended", ["click"])
    done = st.session_state.setdefault("done", [])

    def click() -> None:
        if ended:
            # As at a click that a timer told of before: the request of the click itself ends this run.
            ended.pop()
            raise StopException
        done.append("click")

    fragments.begin()
    st.button("Open", on_click=fragments.sure(click))


def test_what_a_click_called_for_is_done_once_though_its_run_was_ended() -> None:
    app = AppTest.from_function(_a_page).run()
    app.button[0].click().run()
    assert app.session_state["done"] == []
    app.run()
    assert app.session_state["done"] == ["click"]
    app.run()
    assert app.session_state["done"] == ["click"]
    app.button[0].click().run()
    assert app.session_state["done"] == ["click", "click"]
