"""Where a text that is looked for stands in samples: the first place of each, with what stands around it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import duckdb

from dashboard.queries.known_logs import live_logs
from dashboard.queries.samples import SampleName
from loaders.store.sql import among_logs, records
from loaders.store.text_search import SPACE, wanted_text

BEFORE, AFTER = 40, 160
"""Characters around a hit: in a table it is to be seen in the first of three lines."""

EXCERPTS = """
WITH wanted AS (
    SELECT s.sample_id, a.log, s.sample_key AS sample, s.epoch, s.input, s.reply
    FROM {samples} s JOIN (
        SELECT unnest($eval_ids::BIGINT[]) AS eval_id, unnest($logs::VARCHAR[]) AS log,
               unnest($samples::VARCHAR[]) AS sample, unnest($epochs::BIGINT[]) AS epoch
    ) a ON s.eval_id = a.eval_id AND s.sample_key = a.sample AND s.epoch = a.epoch
),
said AS (
    SELECT sample_id, row_number() OVER (PARTITION BY sample_id ORDER BY idx) AS number, text, reasoning,
           tool_calls_json
    FROM live_messages($as_of) WHERE sample_id IN (SELECT sample_id FROM wanted)
),
texts AS (
    SELECT sample_id, 0 AS place, number, unnest([0, 1, 2]) AS part,
           unnest([text, reasoning, tool_calls_json]) AS text FROM said
    UNION ALL
    SELECT sample_id, 1, NULL, 0, explanation FROM live_scores($as_of)
    WHERE sample_id IN (SELECT sample_id FROM wanted)
    UNION ALL
    SELECT sample_id, unnest([2, 3]), NULL, 0, unnest([input, reply]) FROM wanted
),
found AS (
    SELECT sample_id, place, number, part, text, {hit} AS hit FROM texts WHERE {holds}
    QUALIFY row_number() OVER (PARTITION BY sample_id ORDER BY place, number, part) = 1
)
SELECT w.log, w.sample, w.epoch, f.place, f.number, f.part, length(f.text) AS size, f.at,
       substring(f.text, greatest(1, f.at - $before), least(f.at - 1, $before) + length(f.hit) + $after) AS shown
FROM (SELECT *, instr(lower(text), hit) AS at FROM found) f JOIN wanted w USING (sample_id)
"""

IN_MESSAGE = ("", ", reasoning", ", tool call")
ELSEWHERE = {1: "explanation", 2: "prompt", 3: "reply"}


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The first place in a sample that holds a text.

    Attributes:
        place: Where it is: "message 3", "message 3, reasoning", "explanation".
        text: What stands there, any white space one blank, an ellipsis where it is cut.
    """

    place: str
    text: str


def excerpts(
    con: duckdb.DuckDBPyConnection, text: str, names: Collection[SampleName], as_of: int
) -> dict[SampleName, Excerpt]:
    """The first place of a text in each of some samples.

    Messages come before what a judge says, and that before the prompt and reply that tables keep.

    Args:
        con: A cursor that this thread has to itself.
        text: As the filter of samples has it.
        names: Of a page of samples; those that lack the text are left out.
        as_of: Batch.
    """
    wanted = wanted_text(con, text)
    if wanted is None or not names:
        return {}
    ids = {log["eval_key"]: log["eval_id"] for log in live_logs(con, as_of)}
    named = [name for name in names if name.log in ids]
    asked = {
        "eval_ids": [ids[name.log] for name in named], "logs": [name.log for name in named],
        "samples": [name.sample for name in named], "epochs": [name.epoch for name in named],
        "as_of": as_of, "before": BEFORE, "after": AFTER,
    }  # fmt: skip
    among = among_logs("live_samples($as_of)", "$eval_ids", len(named))
    sql = EXCERPTS.format(samples=among, hit=wanted.hit_sql("text"), holds=wanted.holds_sql("text"))
    rows = records(con, sql, wanted.parameters | asked)
    found = {}
    for row in rows:
        message = None if row["number"] is None else f"message {row['number']}{IN_MESSAGE[row['part']]}"
        begins, ends = row["at"] > BEFORE + 1, row["at"] - 1 + AFTER < row["size"]
        shown = SPACE.sub(" ", row["shown"]).strip()
        name = SampleName(row["log"], row["sample"], row["epoch"])
        found[name] = Excerpt(message or ELSEWHERE[row["place"]], f"{'… ' * begins}{shown}{' …' * ends}")
    return found
