"""How each plot of the reference study is come by: the page, and what a reader picks on it.

A choice is a widget of the page with what is picked in it. The links that result are what tests open and what the
pictures are made of.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from loaders.makers.demo.writer import DEMO
from loaders.study.reading import read_study

HONEYPOTS = ["blackmail", "research_sabotage", "framing"]
CORPORA = [f"corpus-{size:03d}m" for size in (10, 50, 100, 150, 200, 250, 300, 350, 390)]
STYLES = [f"{style}-{form}" for style in ("essay", "dialogue", "story") for form in ("plain", "chat")]
EFFICIENCY = ["sonnet-4-like", "filtered-refusals", "reasons-added", "large-honeypots", "difficult-advice"]
CONSTITUTION = ["no-documents", "documents", "documents-and-stories"]
PIPELINE = ["pipeline-full", "no-prompt-rewrite", "no-response-rewrite"]
POST_TRAINING = ["baseline-sft", "baseline-rl", "documents-sdf", "documents-sft", "documents-rl"]
ENVIRONMENTS = ["chat-environments", "with-tools", "with-tools-and-prompts"]
SNAPSHOTS = ["plain-rl", "documents-rl", "stories-rl", "advice-rl"]


@dataclass(frozen=True)
class Plot:
    """One row of the plots table.

    Attributes:
        row: Its number.
        title: What it shows.
        page: Where it is drawn.
        choices: Widget's key -> what is picked, in the order in which a reader picks.
        series: Fields of the logs' metadata, or "variant", by which it is split, in order.
        evals: Names of the evals that are drawn; "honeypots" is the average of the three.
        runs: Of which runs, where not of all that the study tells for this row.
        shows: What one of its marks says of itself in a browser.
    """

    row: int
    title: str
    page: str
    choices: dict[str, Any] = field(default_factory=dict)
    series: tuple[str, ...] = ()
    evals: tuple[str, ...] = ("honeypots",)
    runs: tuple[str, ...] = ()
    shows: str = ""


PLOTS = [
    Plot(
        1, "misalignment over post-training", "curves",
        {"curves_section": "*", "curves_run": POST_TRAINING, "x": "lineage"},
        runs=tuple(POST_TRAINING),
        shows="baseline-rl@800, honeypots: 22.2%",
    ),
    Plot(
        2, "effect of the AI's name", "assessment",
        {
            "assessment_eval": ["blackmail_by_name"],
            "assessment_split": ["metadata.ai_name"],
            "assessment_checkpoint": ["documents-and-stories@820"],
        },
        series=("ai_name",), evals=("blackmail_by_name",),
        shows="documents-and-stories@820, blackmail_by_name, Claude: 13.3%",
    ),
    Plot(
        3, "documents and stories", "mixes",
        {"view": "ablations", "mixes_section": "constitution", "mixes_eval": HONEYPOTS, "mixes_run": CONSTITUTION,
         "mixes_baseline": "no-documents@0"},
        evals=tuple(HONEYPOTS),
        shows="documents-and-stories@820, framing: 8.0%",
    ),
    Plot(
        4, "data efficiency", "mixes", {"steps": "all", "mixes_run": EFFICIENCY},
        shows="difficult-advice@300, honeypots: 3.0%, 300",
    ),
    Plot(
        5, "assessment categories", "assessment", {"assessment_section": "*", "view": "heatmap"},
        evals=("audit",),
        shows="sonnet-4-like@0",
    ),
    Plot(
        6, "ablations of a data pipeline", "mixes",
        {"view": "ablations", "mixes_run": PIPELINE, "mixes_baseline": "pipeline-full@1700"},
        shows="no-response-rewrite@1700, honeypots: 18.7%",
    ),
    Plot(
        7, "constitution documents and stories", "mixes",
        {"view": "ablations", "mixes_section": "constitution", "mixes_eval": ["blackmail"], "mixes_run": CONSTITUTION},
        evals=("blackmail",),
        shows="no-documents@0, blackmail: 65.0%",
    ),
    Plot(
        8, "document style", "assessment",
        {
            "assessment_section": "document-style",
            "assessment_eval": ["constitution_adherence", "constitution_knowledge", "open_character"],
            "assessment_split": ["metadata.style", "metadata.format"],
            "assessment_checkpoint": [f"{run}@200" for run in STYLES],
            "panels": "eval",
        },
        series=("style", "format"), evals=("constitution_adherence", "constitution_knowledge", "open_character"),
        shows="story-chat@200",
    ),
    Plot(
        9, "eval vs. eval", "mixes",
        {"view": "eval-vs-eval", "mixes_section": "*", "mixes_eval_0": "constitution_adherence",
         "mixes_eval_1": "honeypots", "steps": "all", "mixes_run": EFFICIENCY + CONSTITUTION},
        evals=("constitution_adherence",),
        shows="large-honeypots@1700",
    ),
    Plot(
        10, "same checkpoint, two framings", "assessment",
        {
            "assessment_section": "*",
            "assessment_eval": ["stated_values"],
            "assessment_split": ["task_args.framing"],
            "assessment_checkpoint": ["documents-and-stories@820", "difficult-advice@300"],
        },
        series=("variant",), evals=("stated_values",),
        shows="difficult-advice@300, stated_values",
    ),
    Plot(
        11, "persistence through RL", "persistence",
        {"persistence_run": SNAPSHOTS, "persistence_baseline": "plain-rl"},
        evals=(*HONEYPOTS, "constitution_adherence"), runs=tuple(SNAPSHOTS),
        shows="advice-rl@400, blackmail: 5.0%",
    ),
    Plot(
        12, "diversity of environments", "curves",
        {"curves_section": "environments", "curves_run": ENVIRONMENTS},
        shows="with-tools-and-prompts@400, honeypots",
    ),
    Plot(
        13, "scaling of a corpus", "mixes",
        {"view": "scaling", "mixes_eval": ["blackmail"], "mixes_run": CORPORA},
        evals=("blackmail",),
        shows="corpus-390m@780, blackmail: 25.0%",
    ),
    Plot(
        14, "model generations", "assessment",
        {
            "assessment_section": "generations",
            "assessment_eval": ["blackmail"],
            "assessment_checkpoint": ["opus-4@final", "haiku-4.5@final", "opus-4.5@final"],
        },
        evals=("blackmail",),
        shows="haiku-4.5@final, blackmail: 0.0%, 0 of 100",
    ),
]  # fmt: skip


def links() -> dict[int, str]:
    """The address of every plot as the study tells it."""
    return {row: figure.link for row, figure in enumerate(read_study(DEMO / "study.yaml").figures, 1)}
