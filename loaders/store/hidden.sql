-- What a cursor may not see, by its variable `hidden_runs`, patterns of names of runs.
--
-- Evals and samples are hidden by where they were ever placed. All else is hidden by what it tells: files without evals
-- by the folder that they lie in, texts by the names in them, probes by the models that were asked. Where it is
-- uncertain whether something tells of a hidden run, it is hidden.
--
-- found_*: rules over what came in with batches. `loaders.store.hidden` asks them, once for each state of the store, and
-- gives a cursor what they found as further variables, which all other rules read: of evals, samples and sources a bit
-- each, by id. An id beyond the last bit is hidden, and without the variables no view has a row.
CREATE OR REPLACE MACRO sees_all() AS false;
-- Whether this cursor may not see a run. GLOB has no way out of its special characters, and needs none: names hold few.
CREATE OR REPLACE MACRO is_hidden(run) AS
    coalesce(list_bool_or([run GLOB pattern FOR pattern IN getvariable('hidden_runs')]),
             getvariable('hidden_runs') IS NULL);
-- Whether this cursor may not see one of several runs.
CREATE OR REPLACE MACRO any_hidden(runs) AS coalesce(list_bool_or([is_hidden(run) FOR run IN runs]), false);
-- All that tells two states of what came in apart: a batch only ever adds rows, ends their being live, which is nothing
-- to these rules, or is undone whole; and what forgets rows (`loaders.store.forget`) leaves the newest batch.
CREATE OR REPLACE MACRO found_state() AS TABLE
    SELECT [count(*), max(batch), epoch_us(max(started_at)), count(finished_at)] AS state FROM main.batches
    UNION ALL SELECT [count(*)] FROM main.placements
    UNION ALL SELECT [count(*)] FROM main.runs
    UNION ALL SELECT [count(*)] FROM main.checkpoints
    UNION ALL SELECT [count(*)] FROM main.training_places
    UNION ALL SELECT [count(*)] FROM main.evals
    UNION ALL SELECT [count(*)] FROM main.samples
    UNION ALL SELECT [count(*)] FROM main.locations
    UNION ALL SELECT [count(*)] FROM main.sources
    UNION ALL SELECT [count(*)] FROM main.cards;
CREATE OR REPLACE MACRO found_evals() AS TABLE
    SELECT DISTINCT eval_id FROM main.placements WHERE is_hidden(run);
CREATE OR REPLACE MACRO found_samples() AS TABLE
    SELECT sample_id FROM main.samples WHERE is_hidden_eval(eval_id);
-- What hidden runs are called.
CREATE OR REPLACE MACRO found_names() AS TABLE
    SELECT DISTINCT name FROM (
        SELECT unnest([run, label]) AS name FROM main.runs WHERE is_hidden(run)
        UNION ALL SELECT run FROM main.placements WHERE is_hidden(run)
        UNION ALL SELECT run FROM main.checkpoints WHERE is_hidden(run)
        UNION ALL SELECT parent_run FROM main.runs WHERE is_hidden(parent_run)
    ) WHERE name <> '';
-- A regular expression of all of them; one that matches nothing where there is none.
CREATE OR REPLACE MACRO found_naming() AS TABLE
    SELECT coalesce('(^|[^\w])(' || string_agg(regexp_escape(name), '|') || ')([^\w]|$)', '[^\s\S]') AS naming
    FROM found_names();
-- Runs that were trained, in however many steps, from a hidden one, and as of which batches.
CREATE OR REPLACE MACRO found_after() AS TABLE
    WITH RECURSIVE after AS (
        SELECT run, batch_from, batch_to FROM main.runs WHERE is_hidden(parent_run)
        UNION SELECT r.run, greatest(r.batch_from, after.batch_from),
                     CASE WHEN r.batch_to < after.batch_to OR after.batch_to IS NULL THEN r.batch_to
                     ELSE after.batch_to END
        FROM main.runs r JOIN after ON r.parent_run = after.run
        WHERE (r.batch_to IS NULL OR r.batch_to > after.batch_from)
            AND (after.batch_to IS NULL OR after.batch_to > r.batch_from)
    ) FROM after;
CREATE OR REPLACE MACRO is_after_hidden(one, n) AS
    coalesce(list_bool_or([a.run = one AND a.batch_from <= n AND (a.batch_to IS NULL OR a.batch_to > n)
                           FOR a IN getvariable('hidden_after')]), false);
CREATE OR REPLACE MACRO has_bit(bits, id) AS
    CASE WHEN id < bit_length(bits) THEN get_bit(bits, id::INTEGER) = 1 WHEN id >= bit_length(bits) THEN true END;
CREATE OR REPLACE MACRO is_hidden_eval(id) AS has_bit(getvariable('hidden_evals'), id);
CREATE OR REPLACE MACRO is_hidden_sample(id) AS has_bit(getvariable('hidden_samples'), id);
CREATE OR REPLACE MACRO is_hidden_source(id) AS has_bit(getvariable('hidden_sources'), id);
CREATE OR REPLACE MACRO hidden_logs() AS TABLE
    SELECT eval_key FROM main.evals WHERE is_hidden_eval(eval_id);
CREATE OR REPLACE MACRO hidden_names() AS TABLE SELECT unnest(getvariable('hidden_names')::VARCHAR[]) AS name;
-- Whether a text names a hidden run, as a word (no letter or digit right beside it) or in a path.
CREATE OR REPLACE MACRO names_hidden(told) AS
    told IS NOT NULL AND (
        any_hidden(list_concat(
            regexp_split_to_array(told, '[\s/,;:"''`()@=&?]+'),
            [regexp_replace(part, '\..*$', '') FOR part IN string_split(told, '/')]
        ))
        OR regexp_matches(told, getvariable('hidden_naming'))
    );
-- Whether one of several texts does.
CREATE OR REPLACE MACRO any_names_hidden(texts) AS list_bool_or([names_hidden(told) FOR told IN texts]);
-- Every folder that evals lie in, at any depth: whether all of them are hidden. The ingest root is the folder ''.
CREATE OR REPLACE MACRO eval_folders() AS TABLE
    SELECT root, folder, bool_and(hidden) AS hidden FROM (
        SELECT l.root, is_hidden_eval(e.eval_id) AS hidden,
               unnest([array_to_string(string_split(l.path, '/')[:depth], '/')
                       FOR depth IN range(len(string_split(l.path, '/')))]) AS folder
        FROM main.locations l JOIN main.evals e USING (source_id)
    ) GROUP BY ALL;
-- Files that hold no evals (cards, trainers' states, what can't be read) and lie among those of hidden runs: the
-- nearest folder around them that holds evals holds none but hidden ones. Or their path names a hidden run.
CREATE OR REPLACE MACRO hidden_beside() AS TABLE
    SELECT source_id FROM (
        SELECT o.source_id, o.path, arg_max(f.hidden, len(f.folder)) AS hidden
        FROM (FROM main.locations ANTI JOIN main.evals USING (source_id)) o
        LEFT JOIN eval_folders() f
            ON f.root = o.root AND (f.folder = '' OR starts_with(o.path, f.folder || '/'))
        GROUP BY o.source_id, o.root, o.path
    ) WHERE hidden OR names_hidden(path);
CREATE OR REPLACE MACRO found_sources() AS TABLE
    -- Files of which nothing but hidden evals came in.
    SELECT source_id FROM main.evals GROUP BY source_id HAVING bool_and(is_hidden_eval(eval_id))
    UNION FROM hidden_beside()
    -- What trainers wrote of hidden runs, wherever it lies.
    UNION SELECT source_id FROM main.training_places WHERE is_hidden(run)
    -- Cards of hidden runs, wherever they lie.
    UNION SELECT c.source_id FROM main.cards c JOIN main.runs r ON r.card = c.path
    WHERE c.kind = 'run card' AND is_hidden(r.run);
-- Of folders that were ingested (a JSON list) those that anything lies in that may be seen.
CREATE OR REPLACE MACRO seen_roots(roots) AS (
    SELECT to_json(list(root)) FROM (SELECT unnest(from_json(roots, '["VARCHAR"]')) AS root)
    WHERE root IN (SELECT root FROM main.locations WHERE NOT is_hidden_source(source_id))
);
-- Probes that asked a model of a hidden run, or any model by its name; or whose prompt is out of its transcripts.
CREATE OR REPLACE MACRO hidden_probes() AS TABLE
    SELECT probe_id FROM main.probe_columns WHERE is_hidden(run) OR any_names_hidden([model, parent])
    UNION SELECT probe_id FROM main.probe_judges WHERE names_hidden(model)
    UNION SELECT probe_id FROM main.probes WHERE names_hidden(title)
        OR json_extract_string(origin_json, '$.log') IN (FROM hidden_logs());
CREATE OR REPLACE MACRO hidden_replies() AS TABLE
    SELECT reply_id FROM main.probe_replies WHERE probe_id IN (FROM hidden_probes());
-- Threads on what is hidden, or that tell of it.
CREATE OR REPLACE MACRO hidden_threads() AS TABLE
    SELECT thread_id FROM main.threads
    WHERE any_hidden(runs) OR json_extract_string(anchor_json, '$.probe') IN (FROM hidden_probes())
        OR json_extract_string(anchor_json, '$.log') IN (FROM hidden_logs());
-- Re-scorings of transcripts of hidden runs, by their models, or that name one.
CREATE OR REPLACE MACRO hidden_judgings() AS TABLE
    SELECT judging_id FROM main.judgings
    WHERE any_hidden(runs) OR names_hidden(concat_ws(chr(10), title, model, rubric_title, rubric));
