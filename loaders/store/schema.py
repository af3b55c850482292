"""The tables of a store, as numbered migrations, and the views "as of batch N" over them.

Append-only: a row of facts is never changed. Every row of facts carries `source_id`; a source is one content of
one file, live from `batch_from` until just before `batch_to`. What is decided from the facts (runs, placements,
conflicts, definitions) carries its own batch range. The macros of `loaders.store.macros` answer any question as of a
batch: `FROM live_samples(7)`; every query of the dashboard goes through them. All times are UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import duckdb

from loaders.store.macros import MACROS

TABLES_1 = """
CREATE TABLE batches (
    batch BIGINT, started_at TIMESTAMP, finished_at TIMESTAMP, driftline VARCHAR,
    roots JSON, report JSON
);
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
    stated_rule VARCHAR
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
    stderr DOUBLE, n BIGINT
);
CREATE TABLE trained (
    source_id BIGINT, folder VARCHAR, step BIGINT, epoch DOUBLE, tokens BIGINT, base_model VARCHAR,
    lora_rank BIGINT, lora_alpha DOUBLE, trainer_json VARCHAR
);
-- What is decided from the facts and the cards.
CREATE TABLE runs (
    run VARCHAR, label VARCHAR, base_model VARCHAR, parent_run VARCHAR, parent_step BIGINT, stage VARCHAR,
    mix VARCHAR, mix_json VARCHAR, mix_tokens DOUBLE, seed BIGINT, colour VARCHAR, links_json VARCHAR,
    notes VARCHAR, card VARCHAR, lineage_offset BIGINT, position BIGINT,
    batch_from BIGINT, batch_to BIGINT
);
CREATE TABLE placements (
    eval_id BIGINT, eval VARCHAR, variant VARCHAR, run VARCHAR, step BIGINT, step_label VARCHAR, tokens DOUBLE,
    mix VARCHAR, stage VARCHAR, placed BOOLEAN, run_rule VARCHAR, step_rule VARCHAR,
    batch_from BIGINT, batch_to BIGINT
);
CREATE TABLE checkpoints (
    run VARCHAR, step BIGINT, step_label VARCHAR, tokens DOUBLE, epoch DOUBLE, base_model VARCHAR,
    path VARCHAR, details_json VARCHAR, batch_from BIGINT, batch_to BIGINT
);
CREATE TABLE conflicts (
    eval_id BIGINT, path VARCHAR, kind VARCHAR, field VARCHAR, message VARCHAR, candidates_json VARCHAR,
    batch_from BIGINT, batch_to BIGINT
);
-- The study in force: evals, metric definitions, groups, notices; one JSON document per kind and name.
CREATE TABLE study (
    kind VARCHAR, name VARCHAR, position BIGINT, body JSON, origin VARCHAR, batch_from BIGINT, batch_to BIGINT
);
"""


def migration_1(connection: duckdb.DuckDBPyConnection) -> None:
    """The first schema."""
    connection.execute(TABLES_1)


TABLES_2 = """
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
    error_kind VARCHAR, error VARCHAR, measured_at TIMESTAMP
);
"""


def migration_2(connection: duckdb.DuckDBPyConnection) -> None:
    """Probes: what was asked of served models, and what they replied."""
    connection.execute(TABLES_2)


TABLES_3 = """
-- Where weights lie: an absolute path, package:MODULE/FILE, or hub:ORG/NAME. Of a run: those that training began with.
ALTER TABLE runs ADD COLUMN weights VARCHAR;
-- Of a checkpoint: its whole weights, or the folder of its LoRA adapter; and the folder in which a trainer left it.
ALTER TABLE checkpoints ADD COLUMN weights VARCHAR;
ALTER TABLE checkpoints ADD COLUMN adapter VARCHAR;
ALTER TABLE checkpoints ADD COLUMN folder VARCHAR;
"""


def migration_3(connection: duckdb.DuckDBPyConnection) -> None:
    """Where weights lie."""
    connection.execute(TABLES_3)


def migration_4(connection: duckdb.DuckDBPyConnection) -> None:
    """Likelihoods count against budgets: the tokens that measuring one may take at the most."""
    connection.execute("ALTER TABLE probe_likelihoods ADD COLUMN reserved BIGINT")


TABLES_5 = """
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
-- without a verdict takes it back. transcript_hash: of what was read.
CREATE TABLE sample_verdicts (
    eval_key VARCHAR, sample_key VARCHAR, epoch BIGINT, metric VARCHAR, run VARCHAR, author VARCHAR, verdict VARCHAR,
    note VARCHAR, transcript_hash VARCHAR, marked_at TIMESTAMP
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
    details_json VARCHAR
);
"""


def migration_5(connection: duckdb.DuckDBPyConnection) -> None:
    """Team review: saved views, threads, people's verdicts, transcripts judged again, and who did what."""
    connection.execute(TABLES_5)


TABLES_6 = """
-- How many samples a log was to hold, in all epochs: those of its whole dataset, whatever a limit left of them.
ALTER TABLE evals ADD COLUMN n_planned BIGINT;
-- Of a share that a log reports: how many of the n it counts.
ALTER TABLE reported ADD COLUMN k BIGINT;
"""


def migration_6(connection: duckdb.DuckDBPyConnection) -> None:
    """What tells a part of an evaluation from the whole, and shares with their counts."""
    connection.execute(TABLES_6)


TABLES_7 = """
-- Which logs speak for their checkpoint (`loaders.study.standing`): role is speaks, joined, superseded or left out.
CREATE TABLE standings (
    eval_id BIGINT, lead_id BIGINT, role VARCHAR, reason VARCHAR, partial BOOLEAN, graded BIGINT, planned BIGINT,
    settings VARCHAR, batch_from BIGINT, batch_to BIGINT
);
-- Samples that don't count, since another attempt's sample of the same question and epoch does.
CREATE TABLE passed_over (sample_id BIGINT, eval_id BIGINT, batch_from BIGINT, batch_to BIGINT);
"""


def migration_7(connection: duckdb.DuckDBPyConnection) -> None:
    """Which logs, and which of their samples, speak for a checkpoint."""
    connection.execute(TABLES_7)


TABLES_8 = """
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
"""


def migration_8(connection: duckdb.DuckDBPyConnection) -> None:
    """Outcomes, settled at ingest."""
    connection.execute(TABLES_8)


MIGRATIONS: list[Callable[[duckdb.DuckDBPyConnection], None]] = [
    migration_1,
    migration_2,
    migration_3,
    migration_4,
    migration_5,
    migration_6,
    migration_7,
    migration_8,
]
"""In order; a store records how many it has had, in the same transaction as each."""


def migrate(connection: duckdb.DuckDBPyConnection) -> None:
    """Bring a store to the newest schema, and its macros to those of this Driftline.

    Raises:
        ValueError: The store was written by a newer Driftline.
    """
    connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT, migrated_at TIMESTAMP)")
    row = connection.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchone()
    version = row[0] if row else 0
    if version > len(MIGRATIONS):
        raise ValueError(f"schema {version}, and this Driftline knows schemas up to {len(MIGRATIONS)}")
    for number, step in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.execute("BEGIN")
        step(connection)
        now = datetime.now(UTC).replace(tzinfo=None)
        connection.execute("INSERT INTO schema_version VALUES (?, ?)", [number, now])
        connection.execute("COMMIT")
    # Macros hold no data, and among them are the rules of private runs: whatever a store was left with, those of this
    # Driftline hold from its opening on. None is missing at any moment.
    connection.execute("BEGIN")
    connection.execute(MACROS)
    connection.execute("COMMIT")
