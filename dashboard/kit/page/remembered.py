"""The name that somebody gave, kept by their browser: nobody signs in by it, and nobody has to type it twice."""

from __future__ import annotations

from urllib.parse import unquote

import streamlit as st

COOKIE = "driftline_name"

SCRIPT = """
export default function ({ data }) {
  const told = encodeURIComponent(data.name);
  document.cookie = data.cookie + "=" + told + "; path=/; max-age=31536000; SameSite=Strict";
}
"""

_component = st.components.v2.component("driftline_remembered_name", js=SCRIPT)


def remembered_name() -> str:
    """The name that this browser was last told; "" where it was told none."""
    told = st.context.cookies.get(COOKIE)
    # A session that no browser began has no cookies to speak of.
    return unquote(told).strip() if isinstance(told, str) else ""


def remember_name(name: str, place: str) -> None:
    """Let this browser remember a name.

    Args:
        name: As it was given; "" forgets the one before.
        place: Tells the fields of one page apart.
    """
    _component(key=f"remembered_name_{place}", data={"name": name, "cookie": COOKIE}, height=1, width=1)
