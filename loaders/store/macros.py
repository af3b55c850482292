"""The views of a store as of a batch, without what a cursor may not see.

`FROM live_samples(7)` is what the samples were when batch 7 had come in. A cursor whose variable `hidden_runs` holds
patterns of run names (`Store.cursor(hidden=...)`) finds nothing of those runs in any of these views: neither logs and
samples nor the names of the runs. An eval that was ever placed in a hidden run is hidden, whatever it is placed in now.
"""

from __future__ import annotations

from loaders.store.hidden import HIDDEN

LIVE = "batch_from <= n AND (batch_to IS NULL OR batch_to > n)"

MACROS = f"""
{HIDDEN}
-- Runs that were trained, in however many steps, from a hidden one.
CREATE OR REPLACE MACRO after_hidden(n) AS TABLE
    WITH RECURSIVE after AS (
        SELECT run FROM runs WHERE {LIVE} AND is_hidden(parent_run)
        UNION SELECT r.run FROM runs r JOIN after ON r.parent_run = after.run
        WHERE r.batch_from <= n AND (r.batch_to IS NULL OR r.batch_to > n)
    ) FROM after;
-- The sources as of a batch, those of hidden runs too. Of what belongs to an eval, `hidden_evals` tells what is hidden.
CREATE OR REPLACE MACRO all_sources(n) AS TABLE SELECT * FROM sources WHERE {LIVE};
CREATE OR REPLACE MACRO live_sources(n) AS TABLE
    SELECT * FROM sources WHERE {LIVE} AND source_id NOT IN (FROM hidden_sources());
CREATE OR REPLACE MACRO live_cards(n) AS TABLE SELECT x.* FROM cards x SEMI JOIN live_sources(n) s USING (source_id);
CREATE OR REPLACE MACRO live_locations(n) AS TABLE
    SELECT * FROM locations WHERE {LIVE} AND source_id NOT IN (FROM hidden_sources());
-- A run without what it tells of hidden ones: a parent, and all that is reckoned from it or names it.
CREATE OR REPLACE MACRO live_runs(n) AS TABLE
    SELECT * REPLACE (
        CASE WHEN NOT is_hidden(parent_run) THEN parent_run END AS parent_run,
        CASE WHEN NOT is_hidden(parent_run) THEN parent_step END AS parent_step,
        CASE WHEN run NOT IN (FROM after_hidden(n)) THEN lineage_offset END AS lineage_offset,
        CASE WHEN NOT names_hidden(base_model) THEN base_model END AS base_model,
        CASE WHEN NOT names_hidden(weights) THEN weights END AS weights,
        CASE WHEN NOT names_hidden(notes) THEN notes END AS notes,
        CASE WHEN NOT names_hidden(links_json) THEN links_json END AS links_json
    ) FROM runs WHERE {LIVE} AND NOT is_hidden(run);
CREATE OR REPLACE MACRO live_placements(n) AS TABLE
    SELECT * FROM placements WHERE {LIVE} AND eval_id NOT IN (FROM hidden_evals());
CREATE OR REPLACE MACRO live_standings(n) AS TABLE SELECT * FROM standings WHERE {LIVE};
CREATE OR REPLACE MACRO live_passed_over(n) AS TABLE SELECT * FROM passed_over WHERE {LIVE};
CREATE OR REPLACE MACRO live_checkpoints(n) AS TABLE
    SELECT * FROM checkpoints WHERE {LIVE} AND NOT is_hidden(run);
CREATE OR REPLACE MACRO live_conflicts(n) AS TABLE
    SELECT * FROM conflicts WHERE {LIVE} AND (eval_id IS NULL OR eval_id NOT IN (FROM hidden_evals()))
        AND NOT names_hidden(message) AND NOT names_hidden(path) AND NOT names_hidden(candidates_json);
CREATE OR REPLACE MACRO live_study(n) AS TABLE SELECT * FROM study WHERE {LIVE};
-- An eval with its place: run, step, mix, stage and eval name as decided, its file, hash and batch.
CREATE OR REPLACE MACRO live_evals(n) AS TABLE
    SELECT e.*, p.eval, p.variant, p.run, p.step, p.step_label, p.tokens,
           coalesce(p.mix, r.mix) AS mix, coalesce(p.stage, r.stage) AS stage,
           p.placed, p.run_rule, p.step_rule,
           r.label AS run_label, r.colour, r.position AS run_position, r.lineage_offset,
           coalesce(d.lead_id, e.eval_id) AS lead_id, coalesce(d.role, 'speaks') AS role, d.reason AS standing,
           coalesce(d.partial, false) AS partial, d.graded, d.planned, coalesce(d.settings, '{{}}') AS settings,
           s.content_hash, s.format, s.batch_from AS batch, l.path, l.root
    FROM evals e
    JOIN all_sources(n) s USING (source_id)
    JOIN live_placements(n) p USING (eval_id)
    LEFT JOIN live_runs(n) r USING (run)
    LEFT JOIN live_standings(n) d USING (eval_id)
    LEFT JOIN (SELECT source_id, min_by(path, path) AS path, min_by(root, path) AS root
               FROM locations WHERE {LIVE} GROUP BY source_id) l USING (source_id);
CREATE OR REPLACE MACRO live_samples(n) AS TABLE
    SELECT x.* FROM samples x SEMI JOIN all_sources(n) s USING (source_id)
    WHERE x.eval_id NOT IN (FROM hidden_evals());
CREATE OR REPLACE MACRO live_scores(n) AS TABLE
    SELECT x.* FROM scores x SEMI JOIN all_sources(n) s USING (source_id)
    WHERE x.eval_id NOT IN (FROM hidden_evals());
-- Outcomes and sums of logs: only of those that are seen, and outcomes only of samples that count.
CREATE OR REPLACE MACRO live_outcomes(n) AS TABLE
    SELECT * FROM outcomes
    WHERE eval_id NOT IN (FROM hidden_evals()) AND sample_id NOT IN (SELECT sample_id FROM live_passed_over(n));
CREATE OR REPLACE MACRO live_sums(n) AS TABLE
    SELECT * FROM sums WHERE n IS NOT NULL AND eval_id NOT IN (FROM hidden_evals());
CREATE OR REPLACE MACRO live_score_facts(n) AS TABLE
    SELECT * FROM score_facts WHERE n IS NOT NULL AND eval_id NOT IN (FROM hidden_evals());
CREATE OR REPLACE MACRO live_messages(n) AS TABLE
    SELECT x.* FROM messages x SEMI JOIN all_sources(n) s USING (source_id)
    WHERE x.sample_id NOT IN (SELECT sample_id FROM samples WHERE eval_id IN (FROM hidden_evals()));
CREATE OR REPLACE MACRO live_reported(n) AS TABLE
    SELECT x.* FROM reported x SEMI JOIN all_sources(n) s USING (source_id)
    WHERE x.eval_id NOT IN (FROM hidden_evals());
CREATE OR REPLACE MACRO live_trained(n) AS TABLE
    SELECT x.* FROM trained x SEMI JOIN live_sources(n) s USING (source_id);
"""  # noqa: S608 - LIVE is a constant above
