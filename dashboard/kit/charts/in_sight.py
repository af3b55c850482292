"""Bringing what a click on a point opened into sight: on a small screen it begins below the fold."""

from __future__ import annotations

import streamlit as st

PLACE = "dl-behind-point"
"""Class of the headline over what is behind a point."""

SCRIPT = """
let shown = null;

export default function ({ data }) {
  if (data.point === shown) return;
  shown = data.point;
  // Charts above it may still be drawn, and push it down; whoever scrolls meanwhile has taken over.
  let tries = 0, taken = false;
  const take = () => { taken = true; };
  ["wheel", "touchmove", "keydown", "pointerdown"].forEach((kind) => addEventListener(kind, take, { once: true }));
  const show = () => {
    const here = document.querySelector("." + data.place);
    if (taken || tries++ > 12) return;
    if (here) here.scrollIntoView({ block: "nearest" });
    setTimeout(show, 150);
  };
  show();
}
"""

STYLE = f"<style>.{PLACE} {{ scroll-margin: 4.5rem 0 21rem; }}</style>"
"""Enough below the headline that rows of samples are seen, and the chart above it still is."""

_component = st.components.v2.component("driftline_in_sight", js=SCRIPT)


def bring_into_sight(point: str) -> None:
    """Scroll to what is behind a point, once for each point that is chosen, and when its page is come back to.

    Args:
        point: Its name.
    """
    _component(key="in_sight", data={"point": point, "place": PLACE}, height=1, width=1)
