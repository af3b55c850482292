-- What the tables of a store mean. Queries name these, and no table: what is hidden can't be forgotten.
--
-- live_*(n): as of batch n. `FROM live_samples(7)` is what the samples were when batch 7 had come in.
-- seen_*(): whenever it came in; and what people asked and wrote, which belongs to no batch.
-- all_*: that of hidden runs too, for what has to count everything, or to join what is seen with it.
--
-- A cursor whose variable `hidden_runs` holds patterns of names of runs (`Store.cursor(hidden=...)`) finds nothing of
-- those runs in any live or seen view: neither logs and samples nor the names of the runs. What that is, `hidden.sql`
-- says. An eval that was ever placed in a hidden run is hidden, whatever it is placed in now. Names within a view mean
-- what they mean to the one who asks; tables stand as main.TABLE, which means the table to everybody.

-- Whether what came in with one batch, and left with another, is there as of batch n.
CREATE OR REPLACE MACRO live(n, since, until) AS since <= n AND (until IS NULL OR until > n);

-- Files.
CREATE OR REPLACE MACRO all_sources(n) AS TABLE SELECT * FROM main.sources WHERE live(n, batch_from, batch_to);
CREATE OR REPLACE MACRO seen_sources() AS TABLE
    SELECT * FROM main.sources WHERE source_id NOT IN (FROM hidden_sources());
CREATE OR REPLACE MACRO live_sources(n) AS TABLE SELECT * FROM seen_sources() WHERE live(n, batch_from, batch_to);
CREATE OR REPLACE MACRO seen_locations() AS TABLE
    SELECT * FROM main.locations WHERE source_id NOT IN (FROM hidden_sources());
CREATE OR REPLACE MACRO live_locations(n) AS TABLE SELECT * FROM seen_locations() WHERE live(n, batch_from, batch_to);
CREATE OR REPLACE MACRO live_cards(n) AS TABLE
    SELECT x.* FROM main.cards x SEMI JOIN live_sources(n) s USING (source_id);
CREATE OR REPLACE MACRO seen_batches() AS TABLE SELECT * EXCLUDE (roots, report) FROM main.batches;
-- Of what a batch was made, and what it came to, which tells of all runs. Apart, since to find out which roots may be
-- seen takes longer than most queries.
CREATE OR REPLACE MACRO seen_batch_reports() AS TABLE
    SELECT batch, seen_roots(roots) AS roots, CASE WHEN sees_all() THEN report END AS report FROM main.batches;

-- Runs and checkpoints.
-- Runs that were trained, in however many steps, from a hidden one.
CREATE OR REPLACE MACRO after_hidden(n) AS TABLE
    WITH RECURSIVE after AS (
        SELECT run FROM main.runs WHERE live(n, batch_from, batch_to) AND is_hidden(parent_run)
        UNION SELECT r.run FROM main.runs r JOIN after ON r.parent_run = after.run
        WHERE live(n, r.batch_from, r.batch_to)
    ) FROM after;
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
    ) FROM main.runs WHERE live(n, batch_from, batch_to) AND NOT is_hidden(run);
CREATE OR REPLACE MACRO live_checkpoints(n) AS TABLE
    SELECT * FROM main.checkpoints WHERE live(n, batch_from, batch_to) AND NOT is_hidden(run);
CREATE OR REPLACE MACRO live_trained(n) AS TABLE
    SELECT x.* FROM main.trained x SEMI JOIN live_sources(n) s USING (source_id);
-- The name of every run that the store ever held, or that a probe asked.
CREATE OR REPLACE MACRO seen_run_names() AS TABLE
    SELECT run FROM (
        SELECT run FROM main.placements UNION SELECT run FROM main.runs UNION SELECT run FROM main.checkpoints
        UNION SELECT run FROM main.probe_columns
    ) WHERE run IS NOT NULL AND NOT is_hidden(run);

-- Evals and samples.
CREATE OR REPLACE MACRO seen_evals() AS TABLE SELECT * FROM main.evals WHERE eval_id NOT IN (FROM hidden_evals());
CREATE OR REPLACE MACRO seen_placements() AS TABLE
    SELECT * FROM main.placements WHERE eval_id NOT IN (FROM hidden_evals());
CREATE OR REPLACE MACRO live_placements(n) AS TABLE SELECT * FROM seen_placements() WHERE live(n, batch_from, batch_to);
CREATE OR REPLACE MACRO live_standings(n) AS TABLE
    SELECT * FROM main.standings WHERE live(n, batch_from, batch_to) AND eval_id NOT IN (FROM hidden_evals());
CREATE OR REPLACE MACRO live_passed_over(n) AS TABLE
    SELECT * FROM main.passed_over WHERE live(n, batch_from, batch_to) AND eval_id NOT IN (FROM hidden_evals());
CREATE OR REPLACE MACRO live_conflicts(n) AS TABLE
    SELECT * FROM main.conflicts
    WHERE live(n, batch_from, batch_to) AND (eval_id IS NULL OR eval_id NOT IN (FROM hidden_evals()))
        AND NOT names_hidden(message) AND NOT names_hidden(path) AND NOT names_hidden(candidates_json);
CREATE OR REPLACE MACRO live_study(n) AS TABLE SELECT * FROM main.study WHERE live(n, batch_from, batch_to);
-- An eval with its place: run, step, mix, stage and eval name as decided, its file, hash and batch.
CREATE OR REPLACE MACRO live_evals(n) AS TABLE
    SELECT e.*, p.eval, p.variant, p.run, p.step, p.step_label, p.tokens,
           coalesce(p.mix, r.mix) AS mix, coalesce(p.stage, r.stage) AS stage,
           p.placed, p.run_rule, p.step_rule,
           r.label AS run_label, r.colour, r.position AS run_position, r.lineage_offset,
           coalesce(d.lead_id, e.eval_id) AS lead_id, coalesce(d.role, 'speaks') AS role, d.reason AS standing,
           coalesce(d.partial, false) AS partial, d.graded, d.planned, coalesce(d.settings, '{}') AS settings,
           s.content_hash, s.format, s.batch_from AS batch, l.path, l.root
    FROM main.evals e
    JOIN all_sources(n) s USING (source_id)
    JOIN live_placements(n) p USING (eval_id)
    LEFT JOIN live_runs(n) r USING (run)
    LEFT JOIN (FROM main.standings WHERE live(n, batch_from, batch_to)) d USING (eval_id)
    LEFT JOIN (SELECT source_id, min_by(path, path) AS path, min_by(root, path) AS root
               FROM main.locations WHERE live(n, batch_from, batch_to) GROUP BY source_id) l USING (source_id);
CREATE OR REPLACE MACRO seen_samples() AS TABLE SELECT * FROM main.samples WHERE eval_id NOT IN (FROM hidden_evals());
CREATE OR REPLACE MACRO live_samples(n) AS TABLE
    SELECT x.* FROM seen_samples() x SEMI JOIN all_sources(n) s USING (source_id);
CREATE OR REPLACE MACRO seen_scores() AS TABLE SELECT * FROM main.scores WHERE eval_id NOT IN (FROM hidden_evals());
CREATE OR REPLACE MACRO live_scores(n) AS TABLE
    SELECT x.* FROM seen_scores() x SEMI JOIN all_sources(n) s USING (source_id);
CREATE OR REPLACE MACRO seen_messages() AS TABLE
    SELECT * FROM main.messages WHERE sample_id NOT IN (FROM hidden_samples());
CREATE OR REPLACE MACRO live_messages(n) AS TABLE
    SELECT x.* FROM seen_messages() x SEMI JOIN all_sources(n) s USING (source_id);
CREATE OR REPLACE MACRO live_reported(n) AS TABLE
    SELECT x.* FROM main.reported x SEMI JOIN all_sources(n) s USING (source_id)
    WHERE x.eval_id NOT IN (FROM hidden_evals());

-- What was settled at ingest (`loaders.metrics.settled`): of logs that are seen, and of samples that count.
CREATE OR REPLACE MACRO seen_measures() AS TABLE SELECT * FROM main.measures;
CREATE OR REPLACE MACRO seen_measured() AS TABLE
    SELECT * FROM main.measured WHERE eval_id NOT IN (FROM hidden_evals());
CREATE OR REPLACE MACRO live_outcomes(n) AS TABLE
    SELECT * FROM main.outcomes
    WHERE eval_id NOT IN (FROM hidden_evals())
        AND sample_id NOT IN (SELECT sample_id FROM main.passed_over WHERE live(n, batch_from, batch_to));
CREATE OR REPLACE MACRO live_sums(n) AS TABLE
    SELECT * FROM main.sums WHERE n IS NOT NULL AND eval_id NOT IN (FROM hidden_evals());
CREATE OR REPLACE MACRO live_score_facts(n) AS TABLE
    SELECT * FROM main.score_facts WHERE n IS NOT NULL AND eval_id NOT IN (FROM hidden_evals());

-- Probes.
CREATE OR REPLACE MACRO seen_probes() AS TABLE SELECT * FROM main.probes WHERE probe_id NOT IN (FROM hidden_probes());
CREATE OR REPLACE MACRO seen_probe_columns() AS TABLE
    SELECT * FROM main.probe_columns WHERE probe_id NOT IN (FROM hidden_probes());
CREATE OR REPLACE MACRO seen_probe_replies() AS TABLE
    SELECT * FROM main.probe_replies WHERE probe_id NOT IN (FROM hidden_probes());
CREATE OR REPLACE MACRO seen_probe_pieces() AS TABLE
    SELECT * FROM main.probe_pieces WHERE reply_id NOT IN (FROM hidden_replies());
CREATE OR REPLACE MACRO seen_probe_ends() AS TABLE
    SELECT * FROM main.probe_ends WHERE reply_id NOT IN (FROM hidden_replies());
CREATE OR REPLACE MACRO seen_probe_judges() AS TABLE
    SELECT * FROM main.probe_judges WHERE probe_id NOT IN (FROM hidden_probes());
CREATE OR REPLACE MACRO seen_probe_verdicts() AS TABLE
    SELECT * FROM main.probe_verdicts WHERE reply_id NOT IN (FROM hidden_replies());
-- A person's note that names a hidden run is not there; the verdict is.
CREATE OR REPLACE MACRO seen_probe_marks() AS TABLE
    SELECT * REPLACE (CASE WHEN NOT names_hidden(note) THEN note END AS note)
    FROM main.probe_marks WHERE reply_id NOT IN (FROM hidden_replies());
CREATE OR REPLACE MACRO seen_probe_likelihoods() AS TABLE
    SELECT * FROM main.probe_likelihoods WHERE probe_id NOT IN (FROM hidden_probes());

-- What people wrote.
-- A saved view as its last version has it, with who made the first. That version says whether it is hidden.
CREATE OR REPLACE MACRO seen_saved_views() AS TABLE
    SELECT l.* EXCLUDE (author, saved_at), f.author, f.saved_at AS created_at, l.author AS edited_by,
           l.saved_at AS edited_at
    FROM (FROM main.saved_views QUALIFY row_number() OVER (PARTITION BY view_id ORDER BY version DESC) = 1) l
    JOIN (FROM main.saved_views WHERE version = 1) f USING (view_id)
    WHERE NOT any_hidden(l.runs) AND NOT names_hidden(concat_ws(chr(10), l.title, l.note, l.address_json));
CREATE OR REPLACE MACRO seen_threads() AS TABLE
    SELECT * FROM main.threads WHERE thread_id NOT IN (FROM hidden_threads());
CREATE OR REPLACE MACRO seen_comments() AS TABLE
    SELECT * FROM main.comments WHERE thread_id NOT IN (FROM hidden_threads()) AND NOT names_hidden(text);
CREATE OR REPLACE MACRO seen_thread_marks() AS TABLE
    SELECT * FROM main.thread_marks WHERE thread_id NOT IN (FROM hidden_threads()) AND NOT names_hidden(subject);
CREATE OR REPLACE MACRO seen_sample_verdicts() AS TABLE
    SELECT * REPLACE (CASE WHEN NOT names_hidden(note) THEN note END AS note)
    FROM main.sample_verdicts WHERE NOT is_hidden(run) AND eval_key NOT IN (FROM hidden_logs());
-- Re-scorings, their transcripts, and what was said of those.
CREATE OR REPLACE MACRO seen_judgings() AS TABLE
    SELECT * FROM main.judgings WHERE judging_id NOT IN (FROM hidden_judgings());
CREATE OR REPLACE MACRO seen_judging_items() AS TABLE
    SELECT * FROM main.judging_items
    WHERE judging_id NOT IN (FROM hidden_judgings()) AND sample_id NOT IN (FROM hidden_samples());
CREATE OR REPLACE MACRO seen_judging_verdicts() AS TABLE
    SELECT * FROM main.judging_verdicts
    WHERE judging_id NOT IN (FROM hidden_judgings()) AND (judging_id, position) NOT IN (
        SELECT (judging_id, position) FROM main.judging_items WHERE sample_id IN (FROM hidden_samples()));
-- Who did what; place: later rows have higher ones.
CREATE OR REPLACE MACRO seen_audit() AS TABLE
    SELECT *, rowid AS place FROM main.audit
    WHERE NOT any_hidden(runs) AND NOT names_hidden(subject) AND NOT names_hidden(details_json)
        AND NOT names_hidden(url_decode(replace(address, '+', ' ')))
        AND coalesce(json_extract_string(details_json, '$.probe') NOT IN (FROM hidden_probes()), true)
        AND coalesce(regexp_extract(address, '[?&]probe=([^&#]*)', 1) NOT IN (FROM hidden_probes()), true)
        AND coalesce(regexp_extract(url_decode(address), '[?&](?:in_)?log=([^&#]*)', 1) NOT IN (FROM hidden_logs()),
                     true);
-- A number that grows with every comment, mark and verdict of anybody: it tells that one came, and no more.
CREATE OR REPLACE MACRO all_changes() AS TABLE
    SELECT (SELECT count(*) FROM main.comments) + (SELECT count(*) FROM main.thread_marks)
         + (SELECT count(*) FROM main.sample_verdicts) AS changes;
