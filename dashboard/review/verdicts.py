"""People's verdicts on samples: given, changed and taken back, each time as a further row."""

from __future__ import annotations

from dashboard import links
from dashboard.access import Reader
from dashboard.queries.catalogue import metrics_for
from dashboard.queries.transcript import transcript
from dashboard.queries.transcript_hash import transcript_hash
from dashboard.queries.verdicts import VERDICTS, Verdict
from dashboard.review import audit
from dashboard.review.writing import after, checked, require, transaction
from loaders.errors import DriftlineError
from loaders.store import Store
from loaders.store.columns import add

LONGEST_NOTE = 5_000

WRITE = "give verdicts"

LAST = """
SELECT max(marked_at) FROM seen_sample_verdicts()
WHERE eval_key = ? AND sample_key = ? AND epoch = ? AND author = ?
"""


def give_verdict(
    store: Store,
    reader: Reader,
    *,
    log: str,
    sample: str,
    epoch: int,
    metric: str,
    verdict: Verdict | None,
    note: str = "",
    as_of: int,
    drawn: bool = False,
) -> None:
    """Say what a sample is under a metric, or take back what was said.

    Args:
        store: Where.
        reader: Who.
        log: Key of the log.
        sample: The sample's id as text.
        epoch: From 1.
        metric: Name of the metric; one that has an outcome of yes or no.
        verdict: misaligned, aligned, or None to take it back.
        note: Why.
        as_of: The batch that the reader saw: what was read is remembered by its hash.
        drawn: Whether chance chose the sample, and not the reader: only such labels say how often the judge errs.

    Raises:
        NotAllowed: The reader may not.
        NoSuchSample: There is no such sample that the reader may see, as of that batch.
        BadText: A note that is too long.
        DriftlineError: No such verdict, or no such metric of yes or no for this eval.
    """
    require(reader, "editor", WRITE)
    if verdict not in (*VERDICTS, None):
        raise DriftlineError(f'"{verdict}" is no verdict (allowed: {", ".join(VERDICTS)}, or none to take it back).')
    why = checked("The note of a verdict", note, LONGEST_NOTE)
    with store.cursor(hidden=reader.hidden) as cursor:
        read = transcript(cursor, log, sample, epoch, as_of)
        read_hash = transcript_hash(cursor, read.sample["sample_id"])
        metrics = metrics_for(cursor, [read.log["eval"] or read.log["task"]], as_of)
    allowed = metrics[metrics["kind"] == "rate"]["metric"].tolist()
    if metric not in allowed:
        raise DriftlineError(
            f'"{metric}" is no yes-or-no metric of {read.log["eval"]} (allowed: {", ".join(allowed) or "none"}).'
        )
    row = {
        "eval_key": log,
        "sample_key": sample,
        "epoch": epoch,
        "metric": metric,
        "run": read.log["run"],
        "author": reader.name,
        "verdict": verdict,
        "note": why or None,
        "transcript_hash": read_hash,
        "drawn": drawn,
    }
    did = "took back a verdict" if verdict is None else f"gave the verdict {verdict}"
    address = f"{links.TRANSCRIPT}?{links.query(links.transcript(log, sample, epoch))}"
    runs = [read.log["run"]] if read.log["run"] else []
    with transaction(store) as cursor:
        row["marked_at"] = after(cursor, LAST, [log, sample, epoch, reader.name])
        add(cursor, "sample_verdicts", row)
        audit.add_row(cursor, reader.name, "verdict", f"{did} under {metric}", address=address, runs=runs)
