"""A link to a transcript that isn't there (any more): what became of it, and the nearest that there is."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import links
from dashboard.kit import caches
from dashboard.kit.page.absent import cut
from dashboard.kit.text.plain import escaped
from dashboard.queries.nearest import Gone
from dashboard.queries.rows import checkpoint_name
from dashboard.queries.samples import SampleName


def gone_transcript(error: str, here: SampleName, as_of: int) -> None:
    """Say what a link to a transcript lacks, and link to the same question elsewhere and to the log's other samples.

    Args:
        error: What was not found.
        here: What the link names.
        as_of: Batch.
    """
    found = caches.gone(here.log, here.sample, as_of)
    lines = [*_when(found, here, as_of)]
    lines += [f"The same question: {_link(row['log'], row, as_of)}" for row in found.same]
    lines += [f"In the same log: {_link(here.log, row, as_of)}" for row in found.others]
    items = "".join(f"<li>{line}</li>" for line in lines)
    body = f'<div class="dl-note">Nearest to it:</div><ul class="dl-list">{items}</ul>' if items else ""
    st.html(f'<div class="dl-notice" role="alert">{escaped(error)}{body}</div>')


def _when(found: Gone, here: SampleName, as_of: int) -> list[str]:
    """Where the log was in another batch than the one that is shown."""
    was = found.was
    if was is None or (was["batch_from"] <= as_of and (was["batch_to"] is None or was["batch_to"] > as_of)):
        return []
    batch = was["batch_to"] - 1 if was["batch_to"] is not None and was["batch_to"] <= as_of else was["batch_from"]
    address = links.transcript(*here) | {links.AS_OF: [str(batch)]}
    place = f"{cut(checkpoint_name(was))} · {cut(was['eval'])}" if was["run"] is not None else cut(was["eval"])
    return [f"{_anchor(address, f'this link at import {batch}')}, when the log was there ({place})"]


def _link(log: str, row: dict[str, Any], as_of: int) -> str:
    """A link to a sample, with what tells it apart from the others."""
    address = links.transcript(log, row["sample"], row["epoch"])
    if links.AS_OF in st.query_params:
        address |= {links.AS_OF: [str(as_of)]}
    told = [cut(checkpoint_name(row)), cut(row["eval"])] if "run" in row else []
    return _anchor(address, " · ".join([*told, f"sample {cut(row['sample'])}"]))


def _anchor(address: links.Parameters, html: str) -> str:
    return f'<a href="{links.TRANSCRIPT}?{escaped(links.query(address))}" target="_self">{html}</a>'
