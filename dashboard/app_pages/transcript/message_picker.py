"""Picking a message by its header, and bringing it, or the first place that was found, into sight."""

from __future__ import annotations

import hashlib
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

  // The messages may come later than this, and until then those of another sample may stand there.
  let tries = 0;
  const show = () => {
    const here = document.querySelector("." + data.place);
    const marked = here?.querySelector(".dl-message.chosen") ?? here?.querySelector("mark.dl-hit");
    if (marked) marked.scrollIntoView({ block: marked.tagName === "MARK" ? "center" : "nearest" });
    else if (tries++ < 30) setTimeout(show, 100);
  };
  if (data.seen && data.place !== shown) show();
  shown = data.place;
  return stop;
}
"""
"""Our own, and nothing of a transcript goes into it. Messages carry their number in `data-message`."""

_component = st.components.v2.component("driftline_message_picker", js=SCRIPT)


def place_of(shown: str) -> str:
    """The class of what is shown, by which the script knows it.

    Args:
        shown: Names the sample, the message that is marked in it and the text that is looked for.
    """
    return f"dl-place-{hashlib.sha256(shown.encode('utf-8', 'replace')).hexdigest()[:16]}"


def message_picker(place: str, *, to_be_seen: bool, pick: Callable[[int], None]) -> None:
    """Let headers of messages be clicked, and scroll to the message or text that is marked.

    Args:
        place: The class of the messages: as often as it changes, what is marked in them is scrolled to.
        to_be_seen: Whether anything is marked.
        pick: Is told the number of the message whose header was clicked.
    """

    def picked() -> None:
        number = st.session_state[KEY].picked
        if isinstance(number, (int, float)):
            pick(int(number))

    _component(key=KEY, data={"place": place, "seen": to_be_seen}, on_picked_change=picked, height=1, width=1)
