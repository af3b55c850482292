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

-- What a worker who ingests finds in the present, under the number that it writes under (`loaders.store.entering`): all
-- that is finished, and its own, without what it will end. Of other workers' own it finds nothing.
CREATE OR REPLACE MACRO open_to(n, since, until) AS until IS NULL AND (since < 4611686018427387904 OR since = n);
CREATE OR REPLACE MACRO all_open_locations(n) AS TABLE
    SELECT l.* FROM main.locations l
    ANTI JOIN (FROM main.endings WHERE batch = n) e
        ON e.root = l.root AND e.path = l.path AND e.source_id = l.source_id AND l.batch_from <> n
    WHERE open_to(n, l.batch_from, l.batch_to);
CREATE OR REPLACE MACRO all_open_cards(n) AS TABLE
    SELECT x.* FROM main.cards x SEMI JOIN all_open_locations(n) l USING (source_id);

-- Files.
CREATE OR REPLACE MACRO all_sources(n) AS TABLE SELECT * FROM main.sources WHERE live(n, batch_from, batch_to);
CREATE OR REPLACE MACRO seen_sources() AS TABLE
    SELECT * FROM main.sources WHERE NOT is_hidden_source(source_id);
CREATE OR REPLACE MACRO live_sources(n) AS TABLE SELECT * FROM seen_sources() WHERE live(n, batch_from, batch_to);
CREATE OR REPLACE MACRO seen_locations() AS TABLE
    SELECT * FROM main.locations WHERE NOT is_hidden_source(source_id);
CREATE OR REPLACE MACRO live_locations(n) AS TABLE SELECT * FROM seen_locations() WHERE live(n, batch_from, batch_to);
CREATE OR REPLACE MACRO live_cards(n) AS TABLE
    SELECT x.* FROM main.cards x SEMI JOIN live_sources(n) s USING (source_id);
CREATE OR REPLACE MACRO seen_batches() AS TABLE SELECT * EXCLUDE (roots, report) FROM main.batches;
-- Of what a batch was made, and what it came to, which tells of all runs. Apart, since to find out which roots may be
-- seen takes longer than most queries.
CREATE OR REPLACE MACRO seen_batch_reports() AS TABLE
    SELECT batch, seen_roots(roots) AS roots, CASE WHEN sees_all() THEN report END AS report FROM main.batches;

-- Runs and checkpoints.
-- Where a run stands among others. Apart from the texts about it, since to look through those for names takes longer.
CREATE OR REPLACE MACRO live_run_places(n) AS TABLE
    SELECT run, label, colour, position, mix, stage,
           CASE WHEN NOT is_after_hidden(run, n) THEN lineage_offset END AS lineage_offset
    FROM main.runs WHERE live(n, batch_from, batch_to) AND NOT is_hidden(run);
-- A run without what it tells of hidden ones: a parent, and all that is reckoned from it or names it.
CREATE OR REPLACE MACRO live_runs(n) AS TABLE
    SELECT * EXCLUDE (told) REPLACE (
        CASE WHEN NOT is_hidden(parent_run) THEN parent_run END AS parent_run,
        CASE WHEN NOT is_hidden(parent_run) THEN parent_step END AS parent_step,
        CASE WHEN NOT is_after_hidden(run, n) THEN lineage_offset END AS lineage_offset,
        CASE WHEN NOT told[1] THEN base_model END AS base_model,
        CASE WHEN NOT told[2] THEN weights END AS weights,
        CASE WHEN NOT told[3] THEN notes END AS notes,
        CASE WHEN NOT told[4] THEN links_json END AS links_json,
        CASE WHEN NOT told[5] THEN section END AS section
    ) FROM (
        SELECT *, [names_hidden(text) FOR text IN [base_model, weights, notes, links_json, section]] AS told
        FROM main.runs WHERE live(n, batch_from, batch_to) AND NOT is_hidden(run)
    );
CREATE OR REPLACE MACRO live_checkpoints(n) AS TABLE
    SELECT * FROM main.checkpoints WHERE live(n, batch_from, batch_to) AND NOT is_hidden(run);
CREATE OR REPLACE MACRO live_trained(n) AS TABLE
    SELECT x.* FROM main.trained x SEMI JOIN live_sources(n) s USING (source_id);
-- What trainers logged: one row a file and metric.
CREATE OR REPLACE MACRO live_logged(n) AS TABLE
    SELECT x.*, s.format FROM main.training x JOIN live_sources(n) s USING (source_id);
-- The same with the run that it is of.
CREATE OR REPLACE MACRO live_training_series(n) AS TABLE
    SELECT p.run, x.* FROM live_logged(n) x
    JOIN (FROM main.training_places WHERE live(n, batch_from, batch_to) AND NOT is_hidden(run)) p USING (source_id);
-- The same as one value a run, metric and step: NULL where it was not finite. Of several files that tell one, TensorBoard's counts last: it keeps
-- single precision.
CREATE OR REPLACE MACRO live_training(n) AS TABLE
    SELECT run, metric, step, value FROM (
        SELECT run, metric, format, rank, source_id, unnest(steps) AS step, unnest(readings) AS value
        FROM live_training_series(n)
    )
    QUALIFY row_number() OVER (
        PARTITION BY run, metric, step ORDER BY format = 'tensorboard', rank DESC, source_id DESC
    ) = 1;
-- The same with the tokens that training had seen at the step, where the trainer counted them there.
CREATE OR REPLACE MACRO live_training_curves(n) AS TABLE
    SELECT run, step, max(value) FILTER (metric = 'tokens') OVER (PARTITION BY run, step) AS tokens, metric, value
    FROM live_training(n);
-- The name of every run that the store ever held, or that a probe asked.
CREATE OR REPLACE MACRO seen_run_names() AS TABLE
    SELECT run FROM (
        SELECT run FROM main.placements UNION SELECT run FROM main.runs UNION SELECT run FROM main.checkpoints
        UNION SELECT run FROM main.probe_columns
    ) WHERE run IS NOT NULL AND NOT is_hidden(run);

-- Evals and samples.
CREATE OR REPLACE MACRO seen_evals() AS TABLE SELECT * FROM main.evals WHERE NOT is_hidden_eval(eval_id);
CREATE OR REPLACE MACRO seen_placements() AS TABLE
    SELECT * FROM main.placements WHERE NOT is_hidden_eval(eval_id);
CREATE OR REPLACE MACRO live_placements(n) AS TABLE SELECT * FROM seen_placements() WHERE live(n, batch_from, batch_to);
CREATE OR REPLACE MACRO live_standings(n) AS TABLE
    SELECT * FROM main.standings WHERE live(n, batch_from, batch_to) AND NOT is_hidden_eval(eval_id);
CREATE OR REPLACE MACRO live_passed_over(n) AS TABLE
    SELECT * FROM main.passed_over WHERE live(n, batch_from, batch_to) AND NOT is_hidden_eval(eval_id);
CREATE OR REPLACE MACRO live_conflicts(n) AS TABLE
    SELECT * FROM main.conflicts
    WHERE live(n, batch_from, batch_to) AND (eval_id IS NULL OR NOT is_hidden_eval(eval_id))
        AND NOT any_names_hidden([message, path, candidates_json]);
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
    LEFT JOIN live_run_places(n) r USING (run)
    LEFT JOIN (FROM main.standings WHERE live(n, batch_from, batch_to)) d USING (eval_id)
    LEFT JOIN (SELECT source_id, min_by(path, path) AS path, min_by(root, path) AS root
               FROM main.locations WHERE live(n, batch_from, batch_to) GROUP BY source_id) l USING (source_id);
CREATE OR REPLACE MACRO seen_samples() AS TABLE SELECT * FROM main.samples WHERE NOT is_hidden_eval(eval_id);
CREATE OR REPLACE MACRO live_samples(n) AS TABLE
    SELECT x.* FROM seen_samples() x SEMI JOIN all_sources(n) s USING (source_id);
CREATE OR REPLACE MACRO seen_scores() AS TABLE SELECT * FROM main.scores WHERE NOT is_hidden_eval(eval_id);
CREATE OR REPLACE MACRO live_scores(n) AS TABLE
    SELECT x.* FROM seen_scores() x SEMI JOIN all_sources(n) s USING (source_id);
-- What scans say of samples, in the form of scores: of several scans of one scanner the newest that didn't fail.
CREATE OR REPLACE MACRO live_scans(n) AS TABLE
    SELECT s.sample_id, s.eval_id, x.source_id, x.scorer, x.key, x.value_num, x.value_text, x.value_type, x.answer,
           x.explanation, x.reason, x.metadata_json, NULL::VARCHAR AS history_json
    FROM (SELECT y.* FROM main.scans y SEMI JOIN all_sources(n) z USING (source_id)
          QUALIFY rank() OVER (PARTITION BY sample_uuid, scorer
                               ORDER BY (reason IS NOT NULL), scanned_at DESC NULLS LAST, source_id DESC) = 1) x
    JOIN live_samples(n) s ON s.uuid = x.sample_uuid;
-- Whether there was ever a scan: to look for what it says of samples takes longer than to look for nothing.
CREATE OR REPLACE MACRO seen_any_scan() AS TABLE SELECT 1 AS one FROM main.scans LIMIT 1;
CREATE OR REPLACE MACRO live_scores_and_scans(n) AS TABLE
    SELECT * FROM live_scores(n) UNION ALL BY NAME SELECT * FROM live_scans(n);
CREATE OR REPLACE MACRO seen_messages() AS TABLE
    SELECT * FROM main.messages WHERE NOT is_hidden_sample(sample_id);
CREATE OR REPLACE MACRO live_messages(n) AS TABLE
    SELECT x.* FROM seen_messages() x SEMI JOIN all_sources(n) s USING (source_id);
-- What others than the target of an audit saw.
CREATE OR REPLACE MACRO seen_view_messages() AS TABLE
    SELECT * FROM main.view_messages WHERE NOT is_hidden_sample(sample_id);
CREATE OR REPLACE MACRO live_view_messages(n) AS TABLE
    SELECT x.* FROM seen_view_messages() x SEMI JOIN all_sources(n) s USING (source_id);
CREATE OR REPLACE MACRO live_reported(n) AS TABLE
    SELECT x.* FROM main.reported x SEMI JOIN all_sources(n) s USING (source_id)
    WHERE NOT is_hidden_eval(x.eval_id);

-- What was settled at ingest (`loaders.metrics.settled`): of logs that are seen, and of samples that count.
CREATE OR REPLACE MACRO seen_measures() AS TABLE SELECT * FROM main.measures;
CREATE OR REPLACE MACRO seen_measured() AS TABLE
    SELECT * FROM main.measured WHERE NOT is_hidden_eval(eval_id);
CREATE OR REPLACE MACRO live_outcomes(n) AS TABLE
    SELECT * FROM main.outcomes
    WHERE NOT is_hidden_eval(eval_id)
        AND sample_id NOT IN (SELECT sample_id FROM main.passed_over WHERE live(n, batch_from, batch_to));
CREATE OR REPLACE MACRO live_sums(n) AS TABLE
    SELECT * FROM main.sums WHERE n IS NOT NULL AND NOT is_hidden_eval(eval_id);
CREATE OR REPLACE MACRO live_score_facts(n) AS TABLE
    SELECT * FROM main.score_facts WHERE n IS NOT NULL AND NOT is_hidden_eval(eval_id);

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
    WHERE judging_id NOT IN (FROM hidden_judgings()) AND NOT is_hidden_sample(sample_id);
CREATE OR REPLACE MACRO seen_judging_verdicts() AS TABLE
    SELECT * FROM main.judging_verdicts
    WHERE judging_id NOT IN (FROM hidden_judgings()) AND (judging_id, position) NOT IN (
        SELECT (judging_id, position) FROM main.judging_items WHERE is_hidden_sample(sample_id) IS DISTINCT FROM false);
-- Who did what.
CREATE OR REPLACE MACRO seen_audit() AS TABLE
    SELECT * FROM main.audit
    WHERE NOT any_hidden(runs)
        AND NOT any_names_hidden([subject, details_json, url_decode(replace(address, '+', ' '))])
        AND coalesce(json_extract_string(details_json, '$.probe') NOT IN (FROM hidden_probes()), true)
        AND coalesce(regexp_extract(address, '[?&]probe=([^&#]*)', 1) NOT IN (FROM hidden_probes()), true)
        AND coalesce(regexp_extract(url_decode(address), '[?&](?:in_)?log=([^&#]*)', 1) NOT IN (FROM hidden_logs()),
                     true);
-- A number that grows with every comment, mark and verdict of anybody: it tells that one came, and no more.
CREATE OR REPLACE MACRO all_changes() AS TABLE
    SELECT (SELECT count(*) FROM main.comments) + (SELECT count(*) FROM main.thread_marks)
         + (SELECT count(*) FROM main.sample_verdicts) AS changes;
