"""The reader's name, where nobody signs in: several fields of one page ask for it."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def _two_fields() -> None:
    import streamlit as st

    from dashboard.kit.page.reader import name_field, reader

    name_field("notes")
    name_field("verdict")
    st.text(reader().name)


def _names(app: AppTest) -> list[str]:
    return [*(field.value or "" for field in app.text_input), app.text[0].value]


def test_all_fields_show_the_name_that_is_written_into_one() -> None:
    app = AppTest.from_function(_two_fields).run()
    assert _names(app) == ["", "", "anonymous"]
    app.text_input[0].set_value("Ben").run()
    assert _names(app) == ["Ben", "Ben", "Ben"]
    app.text_input[1].set_value(" Ann ").run()
    assert _names(app) == ["Ann", " Ann ", "Ann"]
    app.text_input[0].set_value("").run()
    assert _names(app) == ["", "", "anonymous"]


def test_a_browser_that_has_not_heard_of_a_name_does_not_take_it_back() -> None:
    """It sends every field with each click and timer, the others as it still shows them."""
    app = AppTest.from_function(_two_fields).run()
    app.text_input[0].set_value("Ben")
    stale = app._tree.get_widget_states()
    app.run()
    for _ in range(2):
        app._run(stale)
        assert _names(app) == ["Ben", "Ben", "Ben"]
    app.text_input[1].set_value("Ann")
    stale = app._tree.get_widget_states()
    app.run()
    app._run(stale)
    assert _names(app) == ["Ann", "Ann", "Ann"]


def _a_field_after_it() -> None:
    import streamlit as st

    from dashboard.kit.page.reader import name_field, notice

    notice()
    name_field("notes")
    st.text_area("Your note")


def test_neither_a_name_nor_a_notice_moves_the_field_where_somebody_writes() -> None:
    """The browser builds anew what has moved: the cursor is lost, and what is typed next begins at the front."""
    app = AppTest.from_function(_a_field_after_it).run()

    def place() -> int:
        return next(at for at, child in app.main.children.items() if child.type == "text_area")

    before = place()
    app.text_input[0].set_value("Ben").run()
    assert place() == before
    app.session_state["probe_notice"] = "It could not be done."
    app.run()
    assert [child.proto.body for child in app.main.children[0].children.values()] != []
    assert place() == before
