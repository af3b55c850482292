"""The views of a store as of a batch, without what a cursor may not see.

`FROM live_samples(7)` is what the samples were when batch 7 had come in. A cursor whose variable `hidden_runs` holds
patterns of run names (`Store.cursor(hidden=...)`) finds nothing of those runs in any of these views: neither logs and
samples nor the names of the runs. An eval that was ever placed in a hidden run is hidden, whatever it is placed in now.
"""

from __future__ import annotations

LIVE = "batch_from <= n AND (batch_to IS NULL OR batch_to > n)"

HIDDEN = """
-- Whether this cursor may not see a run. GLOB has no way out of its special characters, and needs none: names hold few.
CREATE OR REPLACE MACRO is_hidden(run) AS
    coalesce(list_bool_or([run GLOB pattern FOR pattern IN getvariable('hidden_runs')]), false);
-- Whether this cursor may not see one of several runs.
CREATE OR REPLACE MACRO any_hidden(runs) AS coalesce(list_bool_or([is_hidden(run) FOR run IN runs]), false);
CREATE OR REPLACE MACRO hidden_evals() AS TABLE
    SELECT DISTINCT eval_id FROM placements WHERE is_hidden(run);
-- Files of which nothing but hidden evals came in.
CREATE OR REPLACE MACRO hidden_sources() AS TABLE
    SELECT source_id FROM evals GROUP BY source_id
    HAVING bool_and(eval_id IN (FROM hidden_evals()));
"""

MACROS = f"""
{HIDDEN}
CREATE OR REPLACE MACRO live_sources(n) AS TABLE
    SELECT * FROM sources WHERE {LIVE} AND source_id NOT IN (FROM hidden_sources());
CREATE OR REPLACE MACRO live_cards(n) AS TABLE SELECT x.* FROM cards x SEMI JOIN live_sources(n) s USING (source_id);
CREATE OR REPLACE MACRO live_locations(n) AS TABLE
    SELECT * FROM locations WHERE {LIVE} AND source_id NOT IN (FROM hidden_sources());
CREATE OR REPLACE MACRO live_runs(n) AS TABLE SELECT * FROM runs WHERE {LIVE} AND NOT is_hidden(run);
CREATE OR REPLACE MACRO live_placements(n) AS TABLE
    SELECT * FROM placements WHERE {LIVE} AND eval_id NOT IN (FROM hidden_evals());
CREATE OR REPLACE MACRO live_checkpoints(n) AS TABLE
    SELECT * FROM checkpoints WHERE {LIVE} AND NOT is_hidden(run);
CREATE OR REPLACE MACRO live_conflicts(n) AS TABLE
    SELECT * FROM conflicts WHERE {LIVE} AND (eval_id IS NULL OR eval_id NOT IN (FROM hidden_evals()));
CREATE OR REPLACE MACRO live_study(n) AS TABLE SELECT * FROM study WHERE {LIVE};
-- An eval with its place: run, step, mix, stage and eval name as decided, its file, hash and batch.
CREATE OR REPLACE MACRO live_evals(n) AS TABLE
    SELECT e.*, p.eval, p.variant, p.run, p.step, p.step_label, p.tokens,
           coalesce(p.mix, r.mix) AS mix, coalesce(p.stage, r.stage) AS stage,
           p.placed, p.run_rule, p.step_rule,
           r.label AS run_label, r.colour, r.position AS run_position, r.lineage_offset,
           s.content_hash, s.format, s.batch_from AS batch, l.path, l.root
    FROM evals e
    JOIN live_sources(n) s USING (source_id)
    JOIN live_placements(n) p USING (eval_id)
    LEFT JOIN live_runs(n) r USING (run)
    LEFT JOIN (SELECT source_id, min_by(path, path) AS path, min_by(root, path) AS root
               FROM live_locations(n) GROUP BY source_id) l USING (source_id);
CREATE OR REPLACE MACRO live_samples(n) AS TABLE
    SELECT x.* FROM samples x SEMI JOIN live_sources(n) s USING (source_id)
    WHERE x.eval_id NOT IN (FROM hidden_evals());
CREATE OR REPLACE MACRO live_scores(n) AS TABLE
    SELECT x.* FROM scores x SEMI JOIN live_sources(n) s USING (source_id)
    WHERE x.eval_id NOT IN (FROM hidden_evals());
CREATE OR REPLACE MACRO live_messages(n) AS TABLE
    SELECT x.* FROM messages x SEMI JOIN live_sources(n) s USING (source_id)
    WHERE x.sample_id NOT IN (SELECT sample_id FROM samples WHERE eval_id IN (FROM hidden_evals()));
CREATE OR REPLACE MACRO live_reported(n) AS TABLE
    SELECT x.* FROM reported x SEMI JOIN live_sources(n) s USING (source_id)
    WHERE x.eval_id NOT IN (FROM hidden_evals());
CREATE OR REPLACE MACRO live_trained(n) AS TABLE
    SELECT x.* FROM trained x SEMI JOIN live_sources(n) s USING (source_id);
"""  # noqa: S608 - LIVE is a constant above
