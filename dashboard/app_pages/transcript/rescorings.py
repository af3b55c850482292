"""What re-scorings say of one sample, beside the scores of its log."""

from __future__ import annotations

from dashboard import links
from dashboard.kit.page.reader import cursor
from dashboard.queries.rescorings import verdicts_of_sample
from dashboard.queries.samples import SampleName
from dashboard.queries.transcript_hash import transcript_hashes
from dashboard.texts.rendering import Judgement

EARLIER = "on an earlier version of this transcript"


def verdicts_of(name: SampleName, sample_id: int) -> list[Judgement]:
    """An entry for each re-scoring that has something to say of a sample.

    Args:
        name: Of the sample.
        sample_id: Of the version of it that is shown.
    """
    with cursor() as con:
        said = verdicts_of_sample(con, *name)
        other = any(one["sample_id"] != sample_id for one in said)
        now = transcript_hashes(con, [sample_id])[sample_id] if other else ""
    return [
        Judgement(
            by=one["title"],
            link=f"{links.RESCORINGS}?{links.query(links.rescorings(one['judging_id']))}",
            values=[("", one["verdict"] or "unscored")],
            warning="" if one["sample_id"] == sample_id or one["transcript_hash"] == now else EARLIER,
            note=f"re-scored by {one['model']} at {one['endpoint']}, rubric: {one['rubric_title']}",
            texts=[("", one["reason"] or one["error"] or "")],
        )
        for one in said
    ]
