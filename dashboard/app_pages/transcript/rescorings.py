"""What re-scorings say of one sample, beside the scores of its log."""

from __future__ import annotations

from dashboard import links
from dashboard.kit.page.reader import cursor
from dashboard.kit.text.plain import escaped, marked
from dashboard.queries.rescorings import verdicts_of_sample
from dashboard.queries.samples import SampleName
from dashboard.queries.transcript_hash import transcript_hashes

EARLIER = "on an earlier version of this transcript"


def verdicts_html(name: SampleName, sample_id: int, find: str = "") -> list[str]:
    """An entry for each re-scoring that has something to say of a sample.

    Args:
        name: Of the sample.
        sample_id: Of the version of it that is shown.
        find: A text to be marked.
    """
    with cursor() as con:
        said = verdicts_of_sample(con, *name)
        other = any(one["sample_id"] != sample_id for one in said)
        now = transcript_hashes(con, [sample_id])[sample_id] if other else ""
    entries = []
    for one in said:
        same = one["sample_id"] == sample_id or one["transcript_hash"] == now
        link = f"{links.RESCORINGS}?{links.query(links.rescorings(one['judging_id']))}"
        verdict = one["verdict"] or "no verdict"
        note = f"judged again by {one['model']} at {one['endpoint']}, rubric: {one['rubric_title']}"
        text, _ = marked(one["reason"] or one["error"] or "", find)
        entries.append(
            f'<div class="dl-head"><a href="{escaped(link)}" target="_self">{escaped(one["title"])}</a></div>'
            f'<div><span class="dl-tag"><b>{escaped(verdict)}</b></span>'
            + ("" if same else f'<span class="dl-tag dl-bad">{EARLIER}</span>')
            + f'</div><div class="dl-note">{escaped(note)}</div><pre class="dl-text">{text}</pre>'
        )
    return entries
