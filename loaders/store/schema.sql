-- The tables of a store: the one statement of their columns. A store of an older Driftline is given what it lacks of
-- them when it is opened (`loaders.store.schema`), so a new column stands last in its table, here too.
--
-- Append-only: a row of facts is never changed, and none goes but passing states of logs that were still being written
-- (`loaders.store.forget`). Every row of facts carries `source_id`; a source is one content of one file, live from
-- `batch_from` until just before `batch_to`. What is decided from the facts (runs, placements, conflicts, definitions)
-- carries its own batch range. What people write belongs to no batch. All times are UTC.

-- Which schemas a store has had.
CREATE TABLE schema_version (version BIGINT, migrated_at TIMESTAMP);
-- The text of the views that the store holds, as a hash (`loaders.store.views`).
CREATE TABLE views_version (fingerprint VARCHAR);
CREATE TABLE batches (
    batch BIGINT, started_at TIMESTAMP, finished_at TIMESTAMP, driftline VARCHAR,
    roots JSON, report JSON
);
-- The next id that will be given out of those of a table (`loaders.store.backend`).
CREATE TABLE ids (name VARCHAR, next BIGINT);
-- What a worker whose batch is not finished will take out of the present when it is (`loaders.store.entering`).
CREATE TABLE endings (batch BIGINT, root VARCHAR, path VARCHAR, source_id BIGINT);
-- One content of one file. status: ingested, or rejected with a reason.
CREATE TABLE sources (
    source_id BIGINT, content_hash VARCHAR, reader VARCHAR, format VARCHAR, size BIGINT,
    status VARCHAR, reason VARCHAR, notes JSON, complete BOOLEAN,
    batch_from BIGINT, batch_to BIGINT
);
-- Where a source lies, or lay. mtime_ns and size tell an unchanged file without reading it.
CREATE TABLE locations (
    root VARCHAR, path VARCHAR, source_id BIGINT, size BIGINT, mtime_ns BIGINT,
    batch_from BIGINT, batch_to BIGINT
);
-- What a run card or study file says: what is decided from it can be decided again without the file.
CREATE TABLE cards (source_id BIGINT, root VARCHAR, path VARCHAR, kind VARCHAR, body JSON);
CREATE TABLE evals (
    eval_id BIGINT, source_id BIGINT, eval_key VARCHAR, log_eval_id VARCHAR, log_run_id VARCHAR, task_id VARCHAR,
    task VARCHAR, task_display VARCHAR,
    task_version VARCHAR, task_file VARCHAR, model VARCHAR, target_model VARCHAR, judge VARCHAR,
    status VARCHAR, complete BOOLEAN, created TIMESTAMP, completed TIMESTAMP, error VARCHAR, epochs BIGINT,
    log_version BIGINT, n_samples_reported BIGINT, n_samples BIGINT,
    task_args_json VARCHAR, model_args_json VARCHAR, model_roles_json VARCHAR, config_json VARCHAR,
    generate_config_json VARCHAR, dataset_json VARCHAR, tags_json VARCHAR, metadata_json VARCHAR,
    revision_json VARCHAR, scorers_json VARCHAR, solver_json VARCHAR, stats_json VARCHAR, packages_json VARCHAR,
    stated_run VARCHAR, stated_step VARCHAR, stated_mix VARCHAR, stated_stage VARCHAR, stated_variant VARCHAR,
    stated_rule VARCHAR,
    -- How many samples a log was to hold, in all epochs: those of its whole dataset, whatever a limit left of them.
    n_planned BIGINT
);
CREATE TABLE samples (
    sample_id BIGINT, eval_id BIGINT, source_id BIGINT, sample_key VARCHAR, id_is_number BOOLEAN, epoch BIGINT,
    input VARCHAR, target VARCHAR, choices_json VARCHAR, reply VARCHAR, stop_reason VARCHAR, uuid VARCHAR,
    error VARCHAR, error_traceback VARCHAR, retries BIGINT, limit_type VARCHAR, limit_value DOUBLE,
    invalidated BOOLEAN, started_at VARCHAR, completed_at VARCHAR, total_time DOUBLE, working_time DOUBLE,
    metadata_json VARCHAR, model_usage_json VARCHAR, n_messages BIGINT
);
CREATE TABLE scores (
    sample_id BIGINT, eval_id BIGINT, source_id BIGINT, scorer VARCHAR, key VARCHAR, value_num DOUBLE,
    value_text VARCHAR, value_type VARCHAR, answer VARCHAR, explanation VARCHAR, reason VARCHAR,
    metadata_json VARCHAR, history_json VARCHAR
);
CREATE TABLE messages (
    sample_id BIGINT, source_id BIGINT, idx BIGINT, role VARCHAR, text VARCHAR, content_json VARCHAR,
    reasoning VARCHAR, tool_calls_json VARCHAR, tool_call_id VARCHAR, function VARCHAR, error_json VARCHAR,
    model VARCHAR, source VARCHAR, message_id VARCHAR, metadata_json VARCHAR
);
-- Numbers that a log reports over its own samples.
CREATE TABLE reported (
    eval_id BIGINT, source_id BIGINT, metric VARCHAR, value DOUBLE, scorer VARCHAR, key VARCHAR, reducer VARCHAR,
    stderr DOUBLE, n BIGINT,
    -- Of a share: how many of the n it counts.
    k BIGINT
);
CREATE TABLE trained (
    source_id BIGINT, folder VARCHAR, step BIGINT, epoch DOUBLE, tokens BIGINT, base_model VARCHAR,
    lora_rank BIGINT, lora_alpha DOUBLE, trainer_json VARCHAR,
    -- Instead of a step: `final`.
    step_label VARCHAR
);
-- A metric that a trainer logged: the values at the steps, in their order; NULL where one was not finite.
-- rank: of several files of one format that tell a run's metric at one step, the highest counts.
CREATE TABLE training (
    source_id BIGINT, metric VARCHAR, steps BIGINT[], readings DOUBLE[], rank DOUBLE
);
-- What is decided from the facts and the cards.
-- The run that a trainer's file belongs to.
CREATE TABLE training_places (source_id BIGINT, run VARCHAR, batch_from BIGINT, batch_to BIGINT);
CREATE TABLE runs (
    run VARCHAR, label VARCHAR, base_model VARCHAR, parent_run VARCHAR, parent_step BIGINT, stage VARCHAR,
    mix VARCHAR, mix_json VARCHAR, mix_tokens DOUBLE, seed BIGINT, colour VARCHAR, links_json VARCHAR,
    notes VARCHAR, card VARCHAR, lineage_offset BIGINT, position BIGINT,
    batch_from BIGINT, batch_to BIGINT,
    -- Where the weights lie that training began with: an absolute path, package:MODULE/FILE, or hub:ORG/NAME.
    weights VARCHAR,
    -- The runs that it is compared with, as its card says.
    section VARCHAR
);
CREATE TABLE placements (
    eval_id BIGINT, eval VARCHAR, variant VARCHAR, run VARCHAR, step BIGINT, step_label VARCHAR, tokens DOUBLE,
    mix VARCHAR, stage VARCHAR, placed BOOLEAN, run_rule VARCHAR, step_rule VARCHAR,
    batch_from BIGINT, batch_to BIGINT
);
CREATE TABLE checkpoints (
    run VARCHAR, step BIGINT, step_label VARCHAR, tokens DOUBLE, epoch DOUBLE, base_model VARCHAR,
    path VARCHAR, details_json VARCHAR, batch_from BIGINT, batch_to BIGINT,
    -- Its whole weights, or the folder of its LoRA adapter; and the folder in which a trainer left it.
    weights VARCHAR, adapter VARCHAR, folder VARCHAR
);
CREATE TABLE conflicts (
    eval_id BIGINT, path VARCHAR, kind VARCHAR, field VARCHAR, message VARCHAR, candidates_json VARCHAR,
    batch_from BIGINT, batch_to BIGINT
);
-- The study in force: evals, metric definitions, groups, notices; one JSON document per kind and name.
CREATE TABLE study (
    kind VARCHAR, name VARCHAR, position BIGINT, body JSON, origin VARCHAR, batch_from BIGINT, batch_to BIGINT
);
-- A prompt put to served models. framings_json: the prompts, a list of {name, prompt}; origin_json: the transcript or
-- probe that the prompt was taken from. Probes belong to no batch: they are what people asked, not what files say.
CREATE TABLE probes (
    probe_id VARCHAR, kind VARCHAR, title VARCHAR, author VARCHAR, created_at TIMESTAMP, driftline VARCHAR,
    framings_json VARCHAR, sampling_json VARCHAR, repeats VARCHAR, origin_json VARCHAR
);
-- The models that a probe asks, with the checkpoint that each was matched to when it was asked.
CREATE TABLE probe_columns (
    probe_id VARCHAR, position BIGINT, endpoint VARCHAR, protocol VARCHAR, model VARCHAR, parent VARCHAR,
    run VARCHAR, step BIGINT, step_label VARCHAR, matched_by VARCHAR
);
-- A reply that was asked for. turn 0 answers the framing's prompt; a later one follows another reply (`follows`) and
-- what the reader wrote then (user_text). A retry is a further attempt: the last one counts. `reserved`: tokens that it
-- may take at the most, as reckoned before it was asked: they count against budgets until the server has counted.
CREATE TABLE probe_replies (
    reply_id BIGINT, probe_id VARCHAR, position BIGINT, framing VARCHAR, sample BIGINT, turn BIGINT, attempt BIGINT,
    follows BIGINT, user_text VARCHAR, seed BIGINT, reserved BIGINT, asked_at TIMESTAMP
);
-- The reply as it arrived; its text is the pieces of one kind in their order.
CREATE TABLE probe_pieces (reply_id BIGINT, seq BIGINT, kind VARCHAR, text VARCHAR);
-- The end of a reply; one without is being asked for, or was interrupted.
CREATE TABLE probe_ends (
    reply_id BIGINT, status VARCHAR, stop_reason VARCHAR, error_kind VARCHAR, error VARCHAR, http_status BIGINT,
    served_model VARCHAR, input_tokens BIGINT, output_tokens BIGINT, tries BIGINT, first_token_s DOUBLE,
    seconds DOUBLE, ended_at TIMESTAMP
);
CREATE TABLE probe_judges (
    judge_id VARCHAR, probe_id VARCHAR, endpoint VARCHAR, protocol VARCHAR, model VARCHAR, rubric VARCHAR,
    author VARCHAR, created_at TIMESTAMP
);
-- A judge's verdict on a reply: misaligned or aligned, and missing where the judge failed (error says why).
CREATE TABLE probe_verdicts (
    judge_id VARCHAR, reply_id BIGINT, verdict VARCHAR, reason VARCHAR, raw VARCHAR, error_kind VARCHAR,
    error VARCHAR, input_tokens BIGINT, output_tokens BIGINT, reserved BIGINT, seconds DOUBLE, ended_at TIMESTAMP
);
-- A person's verdict; the last one of each person counts, and one without a verdict takes it back.
CREATE TABLE probe_marks (
    reply_id BIGINT, author VARCHAR, verdict VARCHAR, note VARCHAR, marked_at TIMESTAMP
);
-- How likely a given continuation of a framing's prompt is: the sum of natural log-probabilities of its tokens.
CREATE TABLE probe_likelihoods (
    probe_id VARCHAR, position BIGINT, framing VARCHAR, continuation VARCHAR, tokens BIGINT, logprob DOUBLE,
    error_kind VARCHAR, error VARCHAR, measured_at TIMESTAMP,
    -- Likelihoods count against budgets: the tokens that measuring one may take at the most.
    reserved BIGINT
);
-- What people say of what they see belongs to no batch. `author` is an e-mail address where people sign in, else what
-- somebody called himself; `runs` are all the runs that something tells of: who may not see one, sees none of it.
-- A named view: a page with its address. Rows are versions; the last one of a view counts.
CREATE TABLE saved_views (
    view_id VARCHAR, version BIGINT, title VARCHAR, note VARCHAR, page VARCHAR, address_json VARCHAR, as_of BIGINT,
    runs VARCHAR[], archived BOOLEAN, author VARCHAR, saved_at TIMESTAMP
);
-- A thread of comments on one thing. kind: point, sample, message or reply; anchor_json names the thing, and page with
-- address_json lead to it.
CREATE TABLE threads (
    thread_id VARCHAR, kind VARCHAR, anchor_json VARCHAR, page VARCHAR, address_json VARCHAR, as_of BIGINT,
    runs VARCHAR[], author VARCHAR, created_at TIMESTAMP
);
CREATE TABLE comments (comment_id VARCHAR, thread_id VARCHAR, author VARCHAR, text VARCHAR, created_at TIMESTAMP);
-- What was done with a thread: resolved or opened again, tagged or untagged (subject: the tag). The last one counts.
CREATE TABLE thread_marks (thread_id VARCHAR, mark VARCHAR, subject VARCHAR, author VARCHAR, marked_at TIMESTAMP);
-- A person's verdict on a sample under one metric, beside the judge's; the last one of each person counts, and one
-- without a verdict takes it back. transcript_hash: of what was read. drawn: the sample came by chance, from the queue
-- of the Agreement page, and was not picked.
CREATE TABLE sample_verdicts (
    eval_key VARCHAR, sample_key VARCHAR, epoch BIGINT, metric VARCHAR, run VARCHAR, author VARCHAR, verdict VARCHAR,
    note VARCHAR, transcript_hash VARCHAR, marked_at TIMESTAMP, drawn BOOLEAN
);
-- A stored set of transcripts judged again by one model with one rubric: selection_json says which, as of which batch.
CREATE TABLE judgings (
    judging_id VARCHAR, title VARCHAR, author VARCHAR, created_at TIMESTAMP, driftline VARCHAR, endpoint VARCHAR,
    protocol VARCHAR, model VARCHAR, rubric_title VARCHAR, rubric VARCHAR, selection_json VARCHAR, as_of BIGINT,
    metric VARCHAR, limits_json VARCHAR, runs VARCHAR[]
);
CREATE TABLE judging_items (
    judging_id VARCHAR, position BIGINT, sample_id BIGINT, eval_key VARCHAR, sample_key VARCHAR, epoch BIGINT,
    transcript_hash VARCHAR
);
-- The last attempt at an item counts; one without a verdict says in error why, and is asked again when resumed.
CREATE TABLE judging_verdicts (
    judging_id VARCHAR, position BIGINT, attempt BIGINT, verdict VARCHAR, reason VARCHAR, raw VARCHAR,
    error_kind VARCHAR, error VARCHAR, input_tokens BIGINT, output_tokens BIGINT, reserved BIGINT, seconds DOUBLE,
    ended_at TIMESTAMP
);
-- Who did what: shares, exports, probes, edits, sign-ins. Nothing is ever taken out of it.
CREATE TABLE audit (
    happened_at TIMESTAMP, who VARCHAR, action VARCHAR, subject VARCHAR, address VARCHAR, runs VARCHAR[],
    details_json VARCHAR,
    -- Later rows have higher ones.
    place BIGINT
);
-- Which logs speak for their checkpoint (`loaders.study.standing`): role is speaks, joined, superseded or left out.
CREATE TABLE standings (
    eval_id BIGINT, lead_id BIGINT, role VARCHAR, reason VARCHAR, partial BOOLEAN, graded BIGINT, planned BIGINT,
    settings VARCHAR, batch_from BIGINT, batch_to BIGINT
);
-- Samples that don't count, since another attempt's sample of the same question and epoch does.
CREATE TABLE passed_over (sample_id BIGINT, eval_id BIGINT, batch_from BIGINT, batch_to BIGINT);
-- What a log's samples come to under a metric never changes: it is settled once, when the log or the definition comes
-- in (`loaders.metrics.settled`), and read by every query. key: of all that the outcomes are made of.
CREATE TABLE measures (measure_id BIGINT, key VARCHAR, metric VARCHAR);
-- Which logs are settled, those without a sample too.
CREATE TABLE measured (measure_id BIGINT, eval_id BIGINT);
CREATE TABLE outcomes (
    measure_id BIGINT, eval_id BIGINT, sample_id BIGINT, sample_key VARCHAR, epoch BIGINT, cluster VARCHAR,
    value DOUBLE, header_value DOUBLE, outside BOOLEAN, infinite BIGINT, too_large BIGINT, nan BIGINT
);
-- The sums of one log's outcomes that intervals are made of (`dashboard.statistics.ClusterSums`).
CREATE TABLE sums (
    measure_id BIGINT, eval_id BIGINT, n_all BIGINT, n_outside BIGINT, n BIGINT, total DOUBLE, least DOUBLE,
    most DOUBLE, header DOUBLE, header_binary BOOLEAN, header_first DOUBLE, infinite BIGINT, too_large BIGINT,
    nan BIGINT, clusters BIGINT, sum_n2 DOUBLE, sum_e2 DOUBLE, sum_e4 DOUBLE
);
-- What kind of values each scorer and key has in a log.
CREATE TABLE score_facts (
    eval_id BIGINT, scorer VARCHAR, key VARCHAR, graded BOOLEAN, partial BOOLEAN, numbers BOOLEAN, infinite BOOLEAN,
    zero_or_one BOOLEAN, zero BOOLEAN, boolean BOOLEAN, told BOOLEAN
);
-- What scanners found in transcripts, whose logs are other sources: joined by the uuid of the sample (`live_scans`).
CREATE TABLE scans (
    source_id BIGINT, sample_uuid VARCHAR, scorer VARCHAR, key VARCHAR, value_num DOUBLE, value_text VARCHAR,
    value_type VARCHAR, answer VARCHAR, explanation VARCHAR, reason VARCHAR, metadata_json VARCHAR, scanned_at VARCHAR
);
-- What else than its target's last conversation was seen in an audit. view: auditor, combined, or branch-1 and so on.
CREATE TABLE view_messages (
    sample_id BIGINT, source_id BIGINT, view VARCHAR, idx BIGINT, role VARCHAR, text VARCHAR, content_json VARCHAR,
    reasoning VARCHAR, tool_calls_json VARCHAR, tool_call_id VARCHAR, function VARCHAR, error_json VARCHAR,
    model VARCHAR, source VARCHAR, message_id VARCHAR, metadata_json VARCHAR
);
