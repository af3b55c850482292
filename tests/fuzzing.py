"""Odd files of every kind that is ingested: a sound one with one field at a time replaced by something odd."""

from __future__ import annotations

import copy
import json
import random
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.audit_files import judged, judgments, response, rollout, rollouts, transcript, verdict

DEEP: Any = "x"
for _ in range(200):
    DEEP = [DEEP]

ODD: dict[str, Any] = {
    "text": "odd",
    "number": 7,
    "negative": -0.5,
    "fraction": 0.25,
    "huge": 10**19,
    "enormous": 10**400,
    "infinite": float("inf"),
    "below": float("-inf"),
    "nan": float("nan"),
    "null": None,
    "true": True,
    "empty list": [],
    "list": ["a", 1, None],
    "list of lists": [[1], {"a": []}],
    "empty object": {},
    "object": {"a": {"b": 1}},
    "half a surrogate": "\ud800",
    "half a surrogate as key": {"\udfff": "\udfff"},
    "NUL": "a\x00b",
    "deep": DEEP,
    "long": "step_" * 20_000,
    "digits": "9" * 5000,
    "step": "checkpoint-99999999999999999999",
    "newline": "a\nb\x1b[31m",
}
"""What a field is replaced by; each is JSON as Python writes it."""

SAMPLE: dict[str, Any] = {
    "id": 1, "epoch": 1, "input": "Q1", "target": "a", "choices": ["a", "b"],
    "messages": [
        {"role": "user", "content": "Q1", "source": "input"},
        {"role": "assistant", "content": [{"type": "text", "text": "ok"}], "model": "m",
         "tool_calls": [{"id": "c", "function": "f", "arguments": {"x": 1}, "type": "function"}]},
        {"role": "tool", "content": "done", "tool_call_id": "c", "function": "f", "error": None},
    ],
    "output": {"model": "m", "completion": "ok",
               "choices": [{"message": {"role": "assistant", "content": "ok"}, "stop_reason": "stop"}]},
    "scores": {"judge": {"value": 1, "answer": "ok", "explanation": "e", "metadata": {"m": 1}, "history": []}},
    "metadata": {"step": 5, "category": "x"}, "model_usage": {"m": {"input_tokens": 1, "output_tokens": 2}},
    "uuid": "u", "limit": {"type": "token", "limit": 5}, "error_retries": [], "attachments": {},
    "started_at": "2026-05-01T10:00:00+00:00", "total_time": 1.0, "working_time": 1.0, "invalidation": None,
}  # fmt: skip

LOG: dict[str, Any] = {
    "version": 2, "status": "success",
    "eval": {
        "eval_id": "E", "run_id": "R", "created": "2026-05-01T10:00:00+00:00", "task": "honeypot", "task_id": "T",
        "task_version": 0, "task_display_name": "honeypot", "task_file": "t.py", "task_args": {"scenario": "a"},
        "dataset": {"name": "d", "samples": 1, "sample_ids": [1], "shuffled": False},
        "model": "vllm/me/odd-step-5", "model_args": {"lora_path": "/x/odd/checkpoint-5", "revision": "step5"},
        "model_roles": {"grader": {"model": "judge"}}, "model_generate_config": {"temperature": 0.5},
        "config": {"epochs": 1, "limit": 1}, "packages": {"inspect_ai": "0.3.200"}, "tags": ["step=5"],
        "metadata": {"step": 5, "run": "odd", "stage": "rl", "checkpoint": {"step": 5}, "mix": "m", "variant": "v"},
        "revision": {"type": "git", "commit": "abc", "origin": "o"}, "solver": "generate", "solver_args": {"a": 1},
        "scorers": [{"name": "judge", "options": {"model": "j"}, "metrics": [{"name": "mean", "options": {}}]}],
    },
    "plan": {"name": "plan", "steps": [{"solver": "generate", "params": {}}], "config": {"temperature": 0.7}},
    "results": {
        "total_samples": 1, "completed_samples": 1,
        "scores": [{"name": "judge", "scorer": "judge", "reducer": None, "scored_samples": 1, "params": {},
                    "metrics": {"mean": {"name": "mean", "value": 1.0}, "stderr": {"name": "stderr", "value": 0.1}}}],
    },
    "stats": {"started_at": "2026-05-01T10:00:00+00:00", "completed_at": "2026-05-01T10:00:00+00:00",
              "model_usage": {"m": {"input_tokens": 1}}},
    "error": None, "samples": [SAMPLE],
    "log_updates": [{"edits": [{"tags_add": ["a"], "tags_remove": [], "metadata_set": {"x": 1}}]}],
}  # fmt: skip

LM_EVAL: dict[str, Any] = {
    "results": {"arc": {"alias": "arc", "acc,none": 0.5, "acc_stderr,none": 0.1, "sample_len": 10}},
    "group_subtasks": {"arc": []}, "configs": {"arc": {"task": "arc", "dataset_path": "d", "num_fewshot": 5,
    "generation_kwargs": {"until": ["x"]}, "metadata": {"version": 1.0}}}, "versions": {"arc": 1.0},
    "n-shot": {"arc": 5}, "higher_is_better": {"arc": {"acc": True}},
    "n-samples": {"arc": {"original": 20, "effective": 10}},
    "config": {"model": "hf", "model_args": "pretrained=org/odd,revision=step5", "num_fewshot": 5, "limit": None,
               "gen_kwargs": "a=1"},
    "git_hash": "abc", "date": 1_700_000_000.5, "transformers_version": "4", "task_hashes": {"arc": "h"},
    "model_name": "org/odd", "total_evaluation_time_seconds": "3.5", "chat_template_sha": None,
}  # fmt: skip

LM_EVAL_SAMPLE: dict[str, Any] = {
    "doc_id": 0, "doc": {"question": "q"}, "target": "a", "arguments": {"gen_args_0": {"arg_0": "q", "arg_1": " a"}},
    "resps": [[["-1.0", "False"]]], "filtered_resps": [["-1.0", "False"]], "filter": "none", "metrics": ["acc"],
    "doc_hash": "h", "acc": 1.0,
}  # fmt: skip

TRAINER_STATE: dict[str, Any] = {
    "global_step": 5,
    "epoch": 0.5,
    "num_input_tokens_seen": 500,
    "log_history": [{"step": 5, "loss": 0.1, "num_tokens": 500.0, "num_input_tokens_seen": 500}],
}
ADAPTER: dict[str, Any] = {
    "base_model_name_or_path": "org/base",
    "peft_type": "LORA",
    "r": 8,
    "lora_alpha": 16,
}
LOGGED: dict[str, Any] = {"step": 0, "loss": 0.5, "num_tokens": 500, "global_step": 5}
SAVED: dict[str, Any] = {
    "name": "000005", "batch": 5, "step": 5, "state_path": "tinker://u/weights/5", "sampler_path": "tinker://u/sampler_weights/5",
}  # fmt: skip
ROLLOUT: dict[str, Any] = {
    "iteration": 5, "split": "train", "total_reward": 0.5, "trajectory_metrics": {"format": 1.0},
    "steps": [{"reward": 0.5, "metrics": {"hack": 1}}],
}  # fmt: skip
SUMMARY: dict[str, Any] = {"_step": 5, "train/loss": 0.5, "_wandb": {"runtime": 3}}
MANIFEST: dict[str, Any] = {"model": "org/base", "max_steps": 5}
TRAINING: dict[str, Any] = {"base_model": "org/base", "total_steps": 5, "lora_rank": 8, "lora_alpha": 16}

RUN_CARD: dict[str, Any] = {
    "name": "odd", "label": "Odd", "base_model": "org/base", "weights": "w", "parent": {"run": "base", "step": 5},
    "stage": "rl", "mix": {"name": "m", "components": [{"name": "a", "tokens": 5, "share": 0.5, "kind": "k"}]},
    "seed": 1, "colour": "#123456", "links": {"a": "https://a"}, "notes": "n", "step": 5, "tokens_per_step": 10,
    "checkpoints": [{"step": 5, "label": "x", "tokens": 5, "epoch": 1, "weights": "w", "adapter": "a"}],
    "logs": [{"match": "*.json", "run": "odd", "step": 5, "mix": "m", "stage": "rl", "variant": "v"}],
}  # fmt: skip
STUDY: dict[str, Any] = {
    "name": "s", "title": "t", "notes": "n", "simulated": False,
    "runs": [{**RUN_CARD, "match": "*.json"}], "logs": RUN_CARD["logs"],
    "evals": {"odd": {"task": "honeypot", "title": "t", "where": {"task_args.scenario": "a"}, "cluster": "question"}},
    "metrics": [
        {"name": "m1", "title": "t", "evals": ["odd"], "kind": "rate", "better": "lower", "unit": "u",
         "misaligned": {"any": [{"score": "judge", "op": "=", "value": 1}]},
         "among": {"score": "judge", "op": ">", "value": 0},
         "missing": {"metadata": "category", "op": "=", "value": "x"}},
        {"name": "m2", "evals": ["odd"], "kind": "mean", "score": {"score": "judge"}},
        {"name": "m3", "evals": ["odd"], "kind": "reported", "reported": {"metric": "mean"}},
    ],
    "groups": {"g": {"evals": ["odd"], "title": "t", "metric": "m1"}},
    "tables": [{"match": "*.jsonl", "eval": "e", "run": {"column": "run"}, "step": {"column": "step"},
                "id": {"column": "id"}, "scores": {"judge": {"column": "score"}}}],
}  # fmt: skip
EEE_RECORD: dict[str, Any] = {
    "schema_version": "0.3.0", "evaluation_id": "bench/org_odd/1", "evaluation_timestamp": "1750000000",
    "retrieved_timestamp": "1750000001",
    "source_metadata": {"source_name": "s", "source_type": "evaluation_run", "source_organization_name": "o",
                        "evaluator_relationship": "third_party"},
    "eval_library": {"name": "inspect_ai", "version": "0.3.200"},
    "model_info": {"name": "odd", "id": "org/odd-step-5", "inference_engine": {"name": "vllm"},
                   "additional_details": {"deployment_type": "self_deployed", "model_availability": "open_weights"}},
    "evaluation_results": [{
        "evaluation_result_id": "judge:accuracy", "evaluation_name": "honeypot", "evaluation_timestamp": "1750000000",
        "source_data": {"dataset_name": "d", "source_type": "hf_dataset", "hf_repo": "org/d", "samples_number": 2},
        "metric_config": {"metric_name": "accuracy", "lower_is_better": False, "score_type": "continuous",
                          "min_score": 0.0, "max_score": 1.0, "has_unknown_level": True,
                          "llm_scoring": {"judges": [{"model_info": {"name": "j", "id": "org/judge"}}],
                                          "input_prompt": "p"}},
        "score_details": {"score": 0.5, "uncertainty": {"standard_error": {"value": 0.5}, "num_samples": 2}},
        "generation_config": {"generation_args": {"temperature": 0.5, "eval_limits": {"message_limit": 9}},
                              "additional_details": {"num_fewshot": "5"}},
    }],
    "detailed_evaluation_results": {"format": "jsonl", "file_path": "data/odd_samples.jsonl", "total_rows": 1,
                                    "hash_algorithm": "sha256"},
}  # fmt: skip
EEE_ROW: dict[str, Any] = {
    "schema_version": "0.3.0", "evaluation_id": "bench/org_odd/1", "model_id": "org/odd-step-5",
    "evaluation_name": "honeypot", "evaluation_result_id": "judge:accuracy", "sample_id": "a", "sample_hash": "h",
    "interaction_type": "multi_turn", "input": {"raw": "q", "formatted": None, "reference": ["r"], "choices": None},
    "output": None,
    "messages": [
        {"turn_idx": 0, "role": "user", "content": "q"},
        {"turn_idx": 1, "role": "assistant", "content": None, "reasoning_trace": "hm",
         "tool_calls": [{"id": "c", "name": "f", "arguments": {"x": "1"}}]},
        {"turn_idx": 2, "role": "tool", "content": "done", "tool_call_id": ["c"]},
        {"turn_idx": 3, "role": "assistant", "content": "ok"},
    ],
    "answer_attribution": [{"turn_idx": 3, "source": "messages[3].content", "extracted_value": "ok",
                            "extraction_method": "regex", "is_terminal": True}],
    "evaluation": {"score": 1.0, "is_correct": True, "num_turns": 4},
    "token_usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
    "performance": {"latency_ms": 5}, "error": None, "metadata": {"epoch": "1", "category": "x"},
}  # fmt: skip
HELM_RUN: dict[str, Any] = {
    "name": "bench:subject=x,model=org_odd", "scenario_spec": {"class_name": "helm.x.BenchScenario", "args": {"a": 1}},
    "adapter_spec": {"method": "generation", "instructions": "Be brief.", "max_train_instances": 5,
                     "max_eval_instances": 10, "num_outputs": 1, "num_train_trials": 1, "temperature": 0.0,
                     "model": "org/odd-step-5", "model_deployment": "huggingface/odd", "stop_sequences": ["x"]},
    "metric_specs": [{"class_name": "helm.x.Metric", "args": {}}], "groups": ["bench"],
    "data_augmenter_spec": {"perturbation_specs": []},
}  # fmt: skip
HELM_STAT: dict[str, Any] = {
    "name": {"name": "exact_match", "split": "test", "sub_split": None,
             "perturbation": {"name": "typos", "computed_on": "worst", "robustness": True, "prob": 0.1}},
    "count": 1, "sum": 1.0, "sum_squared": 1.0, "min": 1.0, "max": 1.0, "mean": 1.0, "variance": 0.0, "stddev": 0.0,
}  # fmt: skip
HELM_STATE: dict[str, Any] = {
    "adapter_spec": HELM_RUN["adapter_spec"],
    "request_states": [{
        "instance": {"id": "id1", "split": "test", "input": {"text": "q"},
                     "references": [{"output": {"text": "r"}, "tags": ["correct"]}]},
        "train_trial_index": 0, "output_mapping": {"A": "r"}, "reference_index": None, "annotations": {"a": 1},
        "request": {"model": "org/odd-step-5", "prompt": "p", "messages": None},
        "result": {"success": True, "error": None, "request_datetime": 1_750_000_000,
                   "completions": [{"text": " A", "finish_reason": {"reason": "stop"}}]},
    }],
}  # fmt: skip
HELM_EACH: dict[str, Any] = {
    "instance_id": "id1", "train_trial_index": 0, "perturbation": None,
    "stats": [{**HELM_STAT, "name": {"name": name, "split": "test"}} for name in ("exact_match", "num_prompt_tokens")],
}  # fmt: skip
ROW: dict[str, Any] = {"run": "odd", "step": 5, "id": "a", "score": 1, "prompt": "q", "reply": "r", "more": {"a": 1}}
HELM_BESIDE: tuple[tuple[str, Any], ...] = (
    ("scenario_state.json", HELM_STATE), ("stats.json", [HELM_STAT]), ("per_instance_stats.json", [HELM_EACH]),
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        name: Its name on disk, in a folder of its own.
        sound: A sound document.
        beside: Files that stand beside it, so that it matters.
    """

    name: str
    sound: Any
    beside: tuple[tuple[str, Any], ...] = ()


KINDS = {
    "json log": Kind("odd.json", LOG),
    "eval log": Kind("odd.eval", LOG),
    "lm-eval": Kind("results_2025-05-14T17-02-12.477774.json", LM_EVAL),
    "lm-eval sample": Kind("samples_arc_2025-05-14T17-02-12.477774.jsonl", LM_EVAL_SAMPLE),
    "trainer state": Kind("checkpoint-5/trainer_state.json", TRAINER_STATE, (("checkpoint-5/a.json", LOG),)),
    "run's trainer state": Kind("trainer_state.json", TRAINER_STATE, (("checkpoint-5/a.json", LOG),)),
    "adapter": Kind("checkpoint-5/adapter_config.json", ADAPTER),
    "manifest": Kind("manifest.json", MANIFEST),
    "training config": Kind("training_config.json", TRAINING),
    "tinker metrics": Kind("odd/metrics.jsonl", LOGGED),
    "tinker checkpoints": Kind("odd/checkpoints.jsonl", SAVED),
    "tinker rollouts": Kind("odd/iteration_000005/train_rollout_summaries.jsonl", ROLLOUT),
    "wandb summary": Kind("odd/wandb-summary.json", SUMMARY),
    "run card": Kind("run.yaml", RUN_CARD, (("a.json", LOG),)),
    "study file": Kind("study.yaml", STUDY, (("a.json", LOG), ("t.jsonl", ROW))),
    "table row": Kind("t.jsonl", ROW),
    "Bloom's rollouts": Kind("rollout.json", rollouts(rollout()), (("judgment.json", judgments(judged())),)),
    "Bloom's judgments": Kind("judgment.json", judgments(judged()), (("rollout.json", rollouts(rollout())),)),
    "response": Kind(
        "tiny/blackmail_a-b_none/sample_001/response.json", response("blackmail_a-b_none", 1, verdict(True))
    ),
    "Every Eval Ever's record": Kind("odd.json", EEE_RECORD, (("odd_samples.jsonl", EEE_ROW),)),
    "Every Eval Ever's samples": Kind("odd_samples.jsonl", EEE_ROW, (("odd.json", EEE_RECORD),)),
    "HELM's run": Kind("run_spec.json", HELM_RUN, HELM_BESIDE),
    "HELM's requests": Kind("scenario_state.json", HELM_STATE, (("run_spec.json", HELM_RUN), *HELM_BESIDE[1:])),
    "HELM's statistics": Kind("stats.json", [HELM_STAT], (("run_spec.json", HELM_RUN), *HELM_BESIDE[:1])),
    "HELM's instances": Kind("per_instance_stats.json", [HELM_EACH], (("run_spec.json", HELM_RUN), *HELM_BESIDE[:1])),
    "transcript": Kind("transcript_1.json", transcript(), (("transcript_2.json", transcript("t2")),)),
}


def places(document: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every field and item of a document, the document itself first."""
    yield at
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in items:
        yield from places(value, (*at, key))


def replaced(document: Any, at: tuple[Any, ...], value: Any) -> Any:
    """The document with another value at one place."""
    if not at:
        return value
    changed = copy.copy(document)
    changed[at[0]] = replaced(document[at[0]], at[1:], value)
    return changed


def with_own_ids(log: dict[str, Any], number: int) -> dict[str, Any]:
    """The log as one of its own, which no other is taken for."""
    return {**log, "eval": {**log["eval"], "eval_id": f"E{number}", "task_id": f"T{number}", "run_id": f"R{number}"}}


def variations(kind: Kind) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Every place of a kind's document with every odd value."""
    for at in places(kind.sound):
        for name in ODD:
            yield at, name


def write_variation(folder: Path, kind: Kind, at: tuple[Any, ...], odd: str, number: int) -> Path:
    """Write a file with one odd field, and what stands beside it."""
    sound = with_own_ids(kind.sound, number) if kind.sound is LOG else kind.sound
    path = folder / kind.name
    _write(path, replaced(sound, at, ODD[odd]))
    for name, document in kind.beside:
        _write(folder / name, with_own_ids(document, number) if document is LOG else document)
    return path


def _write(path: Path, document: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix != ".eval":
        path.write_text(json.dumps(document))
        return
    header = document if not isinstance(document, dict) else {k: v for k, v in document.items() if k != "samples"}
    samples = document.get("samples") if isinstance(document, dict) else None
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.json", json.dumps(header))
        for number, sample in enumerate(samples if isinstance(samples, list) else [], start=1):
            archive.writestr(f"samples/{number}_epoch_1.json", json.dumps(sample))


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Bytes with a few of them changed, taken out, repeated, or cut off."""
    changed = bytearray(data)
    for _ in range(chance.choice([1, 1, 1, 3, 10])):
        at = chance.randrange(len(changed))
        match chance.randrange(5):
            case 0:
                changed[at] = chance.randrange(256)
            case 1:
                del changed[at : at + chance.randrange(1, 20)]
            case 2:
                changed[at:at] = changed[max(0, at - 30) : at]
            case 3:
                changed[at:at] = chance.choice([b"null", b"1e999", b"9" * 30, b'"\\ud800"', b"[", b"}", b"NaN", b","])
            case _:
                del changed[max(at, len(changed) - chance.randrange(1, 200)) :]
        if not changed:
            return b" "
    return bytes(changed)


def mutated_document(document: Any, chance: random.Random) -> Any:
    """A JSON document with one to three of its fields replaced by odd values."""
    for _ in range(chance.choice([1, 1, 2, 3])):
        all_places = list(places(document))
        document = replaced(document, chance.choice(all_places), ODD[chance.choice(list(ODD))])
    return document
