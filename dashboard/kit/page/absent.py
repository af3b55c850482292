"""Names in an address that nothing bears: said over the page, with links to what is nearest."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import streamlit as st

from dashboard import links, short_addresses
from dashboard.kit.text.plain import escaped
from dashboard.queries.checkpoints import checkpoint_at
from dashboard.queries.nearest import near_checkpoints, nearest_steps, similar
from dashboard.queries.rows import parse_step
from loaders.checkpoint import Checkpoint

PLACE = "_absent_place"

WORDS = {
    "run": "run", "eval": "eval", "metric": "metric", "checkpoint": "checkpoint", "baseline": "checkpoint",
    "against": "checkpoint", "step": "step", "mix": "mix", "stage": "stage", "outcome": "outcome", "sort": "order",
    "variant": "variant", "sample": "question", "to": "checkpoint", "point": "point",
}  # fmt: skip
"""What a parameter names, in the singular; of others nothing is said."""

CHECKPOINTS = frozenset({"checkpoint", "baseline", "against", "to"})

MOST_SHOWN = 120
"""Characters of a name that are shown: an address may hold any text."""


def begin() -> None:
    """Make room over the page, before it is drawn; pickers fill it."""
    st.session_state[PLACE] = st.container()


def tell(name: str, gone: Sequence[str], options: Sequence[str]) -> None:
    """Say that names in the address are none that there are, and link to the same page with the nearest instead.

    Args:
        name: Of the query parameter.
        gone: What nothing bears.
        options: What there is.
    """
    if not gone or name not in WORDS:
        return
    lines = []
    for value in gone:
        near = nearest(name, value, options)
        links_to = [f'<a href="{escaped(instead(name, value, each))}" target="_self">{cut(each)}</a>' for each in near]
        offered = f" Nearest: {', '.join(links_to)}." if near else ""
        lines.append(f"<li>No {WORDS[name]} “{cut(value)}” here.{offered}</li>")
    body = f'<ul class="dl-list">{"".join(lines)}</ul>'
    with st.session_state[PLACE]:
        st.html(f'<div class="dl-notice" role="alert">{body}</div>')


def nearest(name: str, value: str, options: Sequence[str]) -> list[str]:
    """Of what there is, what is nearest to a name that nothing bears.

    Args:
        name: Of the query parameter.
        value: The name.
        options: What there is.
    """
    if name == "step":
        steps = {parse_step(each): each for each in options}
        return [steps[step] for step in nearest_steps(parse_step(value), steps)]
    if name in CHECKPOINTS:
        return near_checkpoints(value, [msgspec.structs.asdict(_place(each)) for each in options])
    return similar(value, options)


def instead(name: str, gone: str, value: str) -> str:
    """The address of the page as it is, with another value for one that is gone; relative, so that any prefix stays."""
    address = short_addresses.whole({each: st.query_params.get_all(each) for each in st.query_params})
    values = [value if each == gone else each for each in address.get(name, [gone])]
    return "?" + links.query({**address, name: list(dict.fromkeys(values))})


def cut(text: str) -> str:
    """A name as HTML, cut where it is long."""
    return escaped(text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + " …")


def _place(name: str) -> Checkpoint:
    run, at, step_text = name.rpartition("@")
    return checkpoint_at(run, parse_step(step_text)) if at else Checkpoint(name)
