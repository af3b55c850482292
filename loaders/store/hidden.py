"""What a cursor may not see: macros over its variable `hidden_runs`, patterns of names of runs.

Each macro stands in two schemas. In the main one nothing is hidden, and it costs nothing; in `PRIVATE` are the rules. A
cursor that may not see all looks there first (`Store.cursor`), and so do the views that it asks: names inside macros
mean what they mean to the one who asks.

Evals and samples are hidden by where they were ever placed. All else is hidden by what it tells: files without evals by
the folder that they lie in, texts by the names in them, probes by the models that were asked. Where it is uncertain
whether something tells of a hidden run, it is hidden.
"""

from __future__ import annotations

PRIVATE = "private"
"""The schema of the rules."""

WORD = r"(^|[^\w])' || regexp_escape(name) || '([^\w]|$)"
"""A name with no letter or digit right beside it."""

NOTHING_HIDDEN = """
CREATE OR REPLACE MACRO is_hidden(run) AS false;
CREATE OR REPLACE MACRO any_hidden(runs) AS false;
CREATE OR REPLACE MACRO names_hidden(told) AS false;
CREATE OR REPLACE MACRO hidden_evals() AS TABLE SELECT NULL::BIGINT AS eval_id WHERE false;
CREATE OR REPLACE MACRO hidden_sources() AS TABLE SELECT NULL::BIGINT AS source_id WHERE false;
CREATE OR REPLACE MACRO hidden_names() AS TABLE SELECT NULL::VARCHAR AS name WHERE false;
CREATE OR REPLACE MACRO hidden_probes() AS TABLE SELECT NULL::VARCHAR AS probe_id WHERE false;
"""
"""What others ask of."""

HIDDEN = f"""
{NOTHING_HIDDEN}
CREATE SCHEMA IF NOT EXISTS {PRIVATE};
SET search_path = '{PRIVATE},main';
-- Whether this cursor may not see a run. GLOB has no way out of its special characters, and needs none: names hold few.
CREATE OR REPLACE MACRO {PRIVATE}.is_hidden(run) AS
    coalesce(list_bool_or([run GLOB pattern FOR pattern IN getvariable('hidden_runs')]), false);
-- Whether this cursor may not see one of several runs.
CREATE OR REPLACE MACRO {PRIVATE}.any_hidden(runs) AS coalesce(list_bool_or([is_hidden(run) FOR run IN runs]), false);
CREATE OR REPLACE MACRO {PRIVATE}.hidden_evals() AS TABLE
    SELECT DISTINCT eval_id FROM placements WHERE is_hidden(run);
-- What hidden runs are called.
CREATE OR REPLACE MACRO {PRIVATE}.hidden_names() AS TABLE
    SELECT DISTINCT name FROM (
        SELECT unnest([run, label]) AS name FROM runs WHERE is_hidden(run)
        UNION ALL SELECT run FROM placements WHERE is_hidden(run)
        UNION ALL SELECT run FROM checkpoints WHERE is_hidden(run)
        UNION ALL SELECT parent_run FROM runs WHERE is_hidden(parent_run)
    ) WHERE name <> '';
-- Whether a text names a hidden run, as a word or in a path.
CREATE OR REPLACE MACRO {PRIVATE}.names_hidden(told) AS
    getvariable('hidden_runs') IS NOT NULL AND told IS NOT NULL AND (
        any_hidden(regexp_split_to_array(told, '[\\s/,;:"''`()@=&?]+'))
        OR any_hidden([regexp_replace(part, '\\..*$', '') FOR part IN string_split(told, '/')])
        OR EXISTS (FROM hidden_names() WHERE regexp_matches(told, '{WORD}'))
    );
-- Every folder that evals lie in, at any depth: whether all of them are hidden. The ingest root is the folder ''.
CREATE OR REPLACE MACRO {PRIVATE}.eval_folders() AS TABLE
    SELECT root, folder, bool_and(hidden) AS hidden FROM (
        SELECT l.root, e.eval_id IN (FROM hidden_evals()) AS hidden,
               unnest([array_to_string(string_split(l.path, '/')[:depth], '/')
                       FOR depth IN range(len(string_split(l.path, '/')))]) AS folder
        FROM locations l JOIN evals e USING (source_id)
    ) GROUP BY ALL;
-- Files that hold no evals (cards, trainers' states, what can't be read) and lie among those of hidden runs: the
-- nearest folder around them that holds evals holds none but hidden ones. Or their path names a hidden run.
CREATE OR REPLACE MACRO {PRIVATE}.hidden_beside() AS TABLE
    SELECT source_id FROM (
        SELECT o.source_id, o.path, arg_max(f.hidden, len(f.folder)) AS hidden
        FROM (FROM locations ANTI JOIN evals USING (source_id)) o
        LEFT JOIN eval_folders() f
            ON f.root = o.root AND (f.folder = '' OR starts_with(o.path, f.folder || '/'))
        WHERE getvariable('hidden_runs') IS NOT NULL
        GROUP BY o.source_id, o.root, o.path
    ) WHERE hidden OR names_hidden(path);
CREATE OR REPLACE MACRO {PRIVATE}.hidden_sources() AS TABLE
    -- Files of which nothing but hidden evals came in.
    SELECT source_id FROM evals GROUP BY source_id HAVING bool_and(eval_id IN (FROM hidden_evals()))
    UNION FROM hidden_beside()
    -- Cards of hidden runs, wherever they lie.
    UNION SELECT c.source_id FROM cards c JOIN runs r ON r.card = c.path
    WHERE c.kind = 'run card' AND is_hidden(r.run);
-- Probes that asked a model of a hidden run, or any model by its name; or whose prompt is out of its transcripts.
CREATE OR REPLACE MACRO {PRIVATE}.hidden_probes() AS TABLE
    SELECT probe_id FROM probe_columns WHERE is_hidden(run) OR names_hidden(model) OR names_hidden(parent)
    UNION SELECT probe_id FROM probe_judges WHERE names_hidden(model)
    UNION SELECT probe_id FROM probes WHERE names_hidden(title)
        OR json_extract_string(origin_json, '$.log')
            IN (SELECT eval_key FROM evals WHERE eval_id IN (FROM hidden_evals()));
RESET search_path;
"""  # noqa: S608 - WORD is a constant above
