"""Picking a message by its header, and bringing the one that is marked into sight."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

KEY = "message_picker"

SCRIPT = """
const KINDS = ["click", "keydown"];
let shown = "", pick = null;

const stop = () => KINDS.forEach((kind) => document.removeEventListener(kind, pick));

export default function ({ data, setTriggerValue }) {
  // Called anew with every change of `data`: the last one listens.
  stop();
  pick = (event) => {
    const head = event.target.closest?.(".dl-message[data-message] > .dl-role");
    if (!head || (event.type === "keydown" && event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    setTriggerValue("picked", Number(head.parentElement.dataset.message));
  };
  KINDS.forEach((kind) => document.addEventListener(kind, pick));
  document.documentElement.dataset.messagesListen = "";

  let tries = 0;
  const show = () => {
    const marked = document.querySelector(".dl-message.chosen");
    if (marked) marked.scrollIntoView({ block: "nearest" });
    else if (tries++ < 30) setTimeout(show, 100);
  };
  if (data.shown && data.shown !== shown) show();
  shown = data.shown;
  return stop;
}
"""
"""Our own, and nothing of a transcript goes into it. Messages carry their number in `data-message`."""

_component = st.components.v2.component("driftline_message_picker", js=SCRIPT)


def message_picker(shown: str, pick: Callable[[int], None]) -> None:
    """Let headers of messages be clicked.

    Args:
        shown: Names the message that is marked and its sample: as often as it changes, that message is scrolled to;
            "" for none.
        pick: Is told the number of the message whose header was clicked.
    """

    def picked() -> None:
        number = st.session_state[KEY].picked
        if isinstance(number, (int, float)):
            pick(int(number))

    _component(key=KEY, data={"shown": shown}, on_picked_change=picked, height=1, width=1)
