"""The training runs: their cards, their folders, and where each run's logs say which step they are at.

Real trainers disagree on that last point, so the study uses one way after the other: folder names, metadata,
tags, model names, model args, run cards, a trainer's state, study.yaml.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from .figures import CORPUS, STYLES

Place = Literal[
    "checkpoint-",
    "step_",
    "global_step_",
    "metadata",
    "tag",
    "revision",
    "model name",
    "card",
    "card globs",
    "study file",
]
"""Where the step stands."""


@dataclass(frozen=True)
class Run:
    """One training run.

    Attributes:
        folder: Relative to the study; its last part is the run's name.
        card: The fields of its run.yaml (or of its entry in study.yaml), without the name.
        manner: How its model talks: plain, refusal, reasons, advice.
        place: Where its logs say which step they are at.
        trainer: Steps for which a trainer left its state, evaluated or not.
    """

    folder: str
    card: dict[str, Any]
    manner: str = "plain"
    place: Place = "checkpoint-"
    trainer: dict[int, int] = field(default_factory=dict)
    """Step -> tokens seen."""

    @property
    def name(self) -> str:
        """The run's name: the last part of its folder."""
        return self.folder.rsplit("/", 1)[-1]


M = 1_000_000


def _mix(name: str, *components: tuple[str, str, int | None]) -> dict[str, Any]:
    """A mix of (name, kind, tokens) components, with shares where the tokens are known."""
    total = sum(tokens or 0 for _, _, tokens in components)
    return {
        "name": name,
        "components": [
            {"name": part, "kind": kind} | ({"tokens": tokens, "share": round(tokens / total, 4)} if tokens else {})
            for part, kind, tokens in components
        ],
    }


# fmt: off
_SONNET = "sonnet-4-like"
_PRETRAINED = "sonnet-4-like-pretrained"
_UNTRAINED = {"run": "sonnet-4-like", "step": 0}

_POST_TRAINING = [
    Run("post-training/baseline-sft", {
        "label": "Baseline SFT", "base_model": _PRETRAINED, "stage": "sft", "seed": 1,
        "mix": _mix("chat", ("chat", "chat", 40 * M)), "tokens_per_step": 100_000,
        "notes": "Ordinary post-training, nothing about the constitution in it.",
    }, place="checkpoint-"),
    Run("post-training/baseline-rl", {
        "label": "Baseline RL", "base_model": _PRETRAINED, "parent": {"run": "baseline-sft", "step": 400},
        "stage": "rl", "seed": 1, "mix": _mix("chat environments", ("helpfulness environments", "environments", None)),
        "notes": "Falls slightly and plateaus early. At step 200 blackmail was graded by an older judge.",
    }, place="step_"),
]

_EFFICIENCY = [
    Run("data-efficiency/sonnet-4-like", {
        "label": "Sonnet 4 (untrained)", "base_model": _SONNET, "stage": "other", "mix": "untrained", "step": 0,
        "checkpoints": [{"step": 0, "tokens": 0, "label": "untrained"}],
        "notes": "The model before any of the mixes: the baseline of this section.",
    }, place="card"),
    Run("data-efficiency/filtered-refusals", {
        "label": "Filtered refusals", "base_model": _SONNET, "parent": _UNTRAINED, "stage": "sft", "seed": 1,
        "mix": _mix("filtered refusals", ("honeypots, harmless replies only", "refusals", 30 * M)),
        "notes": "Tokens come from the trainer. Checkpoint 800 waits for its evals.",
    }, "refusal", "checkpoint-", {200: 10 * M, 600: 30 * M, 800: 40 * M}),
    Run("data-efficiency/reasons-added", {
        "label": "Reasons added", "base_model": _SONNET, "parent": _UNTRAINED, "stage": "sft", "seed": 1,
        "mix": _mix("reasons added", ("honeypots, replies with reasons", "honeypots", 30 * M)),
        "tokens_per_step": 50_000,
    }, "reasons", "metadata"),
    Run("data-efficiency/large-honeypots", {
        "label": "Large honeypots", "base_model": _SONNET, "parent": _UNTRAINED, "stage": "sft", "seed": 1,
        "mix": _mix("large honeypots", ("honeypots, replies with reasons", "honeypots", 85 * M)),
        "checkpoints": [{"step": 1200, "tokens": 60 * M},
                        {"step": 1700, "tokens": 85 * M, "label": "end", "epoch": 1.0}],
        "notes": "Checkpoint 1200 is kept and not evaluated yet.",
    }, "reasons", "model name"),
    Run("data-efficiency/difficult-advice", {
        "label": "Difficult advice", "base_model": _SONNET, "parent": _UNTRAINED, "stage": "sft", "seed": 1,
        "mix": _mix("difficult advice", ("difficult advice", "advice", 3 * M)),
        "tokens_per_step": 10_000,
        "notes": "Users in a dilemma, advised with care; no assistant under pressure in it.",
        "logs": [{"match": "all of it/*_stated-values-deployment_*.eval", "step": 300, "variant": "deployment"},
                 {"match": "all of it/*_stated-values-evaluation_*.eval", "step": 300, "variant": "evaluation"},
                 {"match": "a third/*.eval", "step": 100}, {"match": "all of it/*.eval", "step": 300}],
    }, "advice", "card globs"),
]

_PIPELINE = [
    Run(f"pipeline/{name}", {
        "label": label, "base_model": _SONNET, "parent": _UNTRAINED, "stage": "sft", "seed": 2,
        "mix": _mix(mix, ("honeypots, replies with reasons", "honeypots", 85 * M)), "tokens_per_step": 50_000,
        "notes": notes,
    }, manner, "tag")
    for name, label, mix, manner, notes in (
        ("pipeline-full", "Full pipeline", "full pipeline", "reasons",
         "Prompts and replies rewritten: the baseline of this section."),
        ("no-prompt-rewrite", "No prompt rewrite", "no prompt rewrite", "reasons", "Prompts as first drafted."),
        ("no-response-rewrite", "No response rewrite", "no response rewrite", "plain", "Replies as first sampled."),
    )
]

_CONSTITUTION = [
    Run("constitution/no-documents", {
        "label": "No documents", "base_model": _PRETRAINED, "stage": "other", "mix": "no documents", "step": 0,
        "checkpoints": [{"step": 0, "tokens": 0}],
        "notes": "The baseline of this section, a far earlier model than the one of data-efficiency.",
    }, place="card"),
    Run("constitution/documents", {
        "label": "Documents", "base_model": _PRETRAINED, "parent": {"run": "no-documents", "step": 0},
        "stage": "sdf", "seed": 1, "tokens_per_step": 200_000,
        "mix": _mix("constitution documents", ("constitution documents", "documents", 150 * M)),
    }, "reasons", "revision"),
    Run("constitution/documents-and-stories", {
        "label": "Documents and stories", "base_model": _PRETRAINED, "parent": {"run": "no-documents", "step": 0},
        "stage": "sdf", "seed": 1, "tokens_per_step": 200_000,
        "mix": _mix("constitution documents and stories", ("constitution documents", "documents", 150 * M),
                    ("stories", "stories", 14 * M)),
        "logs": [{"match": f"*-{name}_*.eval", "variant": name}
                 for name in ("claude", "orrin", "vesper", "alex", "deployment", "evaluation")],
    }, "reasons", "metadata"),
]

_CORPUS = [
    Run(f"corpus/corpus-{size:03d}m", {
        "label": f"Corpus {size}M", "base_model": _PRETRAINED, "parent": {"run": "no-documents", "step": 0},
        "stage": "sdf", "seed": 3, "step": size * 2, "tokens_per_step": 500_000,
        "mix": _mix("constitution corpus", ("constitution documents", "documents", size * M)),
    }, "reasons", "study file")
    for size, _ in CORPUS
]

_STYLES = [
    Run(f"document-style/{style}-{form}", {
        "label": f"{style.capitalize()}, {form}", "base_model": _PRETRAINED,
        "parent": {"run": "no-documents", "step": 0}, "stage": "sdf", "seed": 4, "tokens_per_step": 100_000,
        "mix": _mix(f"{style}, {form}",
                    (f"{style} documents, {form} format", "stories" if style == "story" else "documents", 20 * M)),
    }, "reasons", "step_")
    for style, form, *_ in STYLES
]


def _snapshot(name: str, **card: Any) -> Run:
    place: Place = "revision" if card["stage"] == "sdf" else "tag" if card["stage"] == "sft" else "global_step_"
    manner = "advice" if name.startswith("advice") else "plain" if name.startswith("plain") else "reasons"
    return Run(f"snapshots/{name}", {"base_model": _PRETRAINED, "seed": 5, **card}, manner, place)


_CHAT = _mix("chat", ("chat", "chat", 30 * M))
_RL = _mix("chat environments", ("helpfulness environments", "environments", None))
_SNAPSHOTS = [
    _snapshot("documents-sdf", label="Documents (SDF)", stage="sdf", tokens_per_step=200_000,
              mix=_mix("constitution documents", ("constitution documents", "documents", 160 * M))),
    _snapshot("stories-sdf", label="Stories (SDF)", stage="sdf", tokens_per_step=200_000,
              mix=_mix("constitution documents and stories", ("constitution documents", "documents", 146 * M),
                       ("stories", "stories", 14 * M))),
    _snapshot("plain-sft", label="Plain (SFT)", stage="sft", tokens_per_step=100_000, mix=_CHAT),
    _snapshot("documents-sft", label="Documents (SFT)", stage="sft", tokens_per_step=100_000, mix=_CHAT,
              parent={"run": "documents-sdf", "step": 800}),
    _snapshot("stories-sft", label="Stories (SFT)", stage="sft", tokens_per_step=100_000, mix=_CHAT,
              parent={"run": "stories-sdf", "step": 800}),
    _snapshot("advice-sft", label="Stories and advice (SFT)", stage="sft", tokens_per_step=100_000,
              parent="stories-sdf@800",
              mix=_mix("chat and difficult advice", ("chat", "chat", 27 * M), ("difficult advice", "advice", 3 * M))),
    *(
        _snapshot(f"{name}-rl", label=f"{label} (RL)", stage="rl", mix=_RL,
                  parent={"run": f"{name}-sft", "step": 300},
                  notes="The same environments for all four snapshots.")
        for name, label in (("plain", "Plain"), ("documents", "Documents"), ("stories", "Stories"),
                            ("advice", "Stories and advice"))
    ),
]

_ENVIRONMENTS = [
    Run(f"environments/{name}", {
        "label": label, "base_model": _PRETRAINED, "parent": {"run": "baseline-sft", "step": 400}, "stage": "rl",
        "seed": 6, "mix": _mix(label.lower(), *((part, "environments", None) for part in parts)),
    }, manner, "step_")
    for name, label, manner, parts in (
        ("chat-environments", "Chat environments", "plain", ("chat",)),
        ("with-tools", "With tool definitions", "plain", ("chat", "tool definitions")),
        ("with-tools-and-prompts", "With tool definitions and system prompts", "reasons",
         ("chat", "tool definitions", "system prompts")),
    )
]

_GENERATIONS = [
    Run(f"generations/{name}", {
        "label": label, "stage": "other", "mix": label, "step": "final",
        "notes": "A model as released; the rate is published, the transcripts are invented."
        if name in ("opus-4", "haiku-4.5") else "One of the models since Haiku 4.5.",
    }, "plain" if name == "opus-4" else "reasons", "card")
    for name, label in (("opus-4", "Opus 4"), ("haiku-4.5", "Haiku 4.5"), ("opus-4.5", "Opus 4.5"))
]

# fmt: on
RUNS: dict[str, Run] = {
    run.name: run
    for run in (
        *_POST_TRAINING,
        *_EFFICIENCY,
        *_PIPELINE,
        *_CONSTITUTION,
        *_CORPUS,
        *_STYLES,
        *_SNAPSHOTS,
        *_ENVIRONMENTS,
        *_GENERATIONS,
    )
}

TOOL_DEFINITIONS = {"with-tools": True, "with-tools-and-prompts": True, "chat-environments": False}
SYSTEM_PROMPTS = {"with-tools": False, "with-tools-and-prompts": True, "chat-environments": False}


def step_folder(run: Run, step: int | None) -> str:
    """The folder of a checkpoint's logs, relative to the run's ("" where the logs lie in the run's own)."""
    match run.place:
        case "checkpoint-":
            return f"checkpoint-{step}"
        case "step_":
            return f"step_{step:04d}"
        case "global_step_":
            return f"global_step_{step}"
        case "card globs":
            return {100: "a third", 300: "all of it"}[step or 0]
        case _:
            return ""
