"""The plots of the reference study, as figures of study.yaml: where each is drawn, and what was published of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from .figures import CLAIMS, CORPUS, ENVIRONMENTS, SNAPSHOTS, STYLES
from .points import HONEYPOTS
from .texts.audit import DIMENSIONS

_CONSTITUTION = ("no-documents", "documents", "documents-and-stories")
_EFFICIENCY = ("sonnet-4-like", "filtered-refusals", "reasons-added", "large-honeypots", "difficult-advice")
_ALL = "*"


@dataclass(frozen=True)
class Plot:
    """A row of the plots table.

    Attributes:
        row: Its number.
        title: What it shows.
        page: Where it is drawn.
        address: Query parameters.
        words: What was published of it without a number of a checkpoint.
    """

    row: int
    title: str
    page: str
    address: dict[str, Any]
    words: str = ""


# fmt: off
PLOTS = (
    Plot(1, "Misalignment over post-training", "curves", {
        "section": _ALL, "eval": "honeypots", "metric": "misaligned", "x": "lineage",
        "run": ("baseline-sft", "baseline-rl", "documents-sdf", "documents-sft", "documents-rl"),
    }, "Baseline post-training falls slightly and plateaus early."),
    Plot(2, "Effect of the AI's name", "assessment", {
        "section": "constitution", "eval": "blackmail_by_name", "metric": "misaligned",
        "checkpoint": "documents-and-stories@820", "category": "metadata.ai_name", "colour": "checkpoint",
        "split": "metadata.ai_name",
    }),
    Plot(3, "Documents and stories", "mixes", {
        "section": "constitution", "view": "ablations", "eval": HONEYPOTS, "metric": "misaligned",
        "run": _CONSTITUTION, "baseline": "no-documents@0",
    }, "Story tokens: 14M."),
    Plot(4, "Data efficiency", "mixes", {
        "section": "data-efficiency", "eval": "honeypots", "metric": "misaligned", "run": _EFFICIENCY, "steps": "all",
        "against": "difficult-advice@300",
    }, "Difficult advice takes 28 times fewer tokens."),
    Plot(5, "Assessment categories", "assessment", {
        "section": _ALL, "view": "heatmap", "eval": "audit", "metric": tuple(f"{name}_mean" for name in DIMENSIONS),
        "checkpoint": ("documents-and-stories@820", "documents@750", "no-documents@0", "difficult-advice@300",
                       "sonnet-4-like@0"),
        "category": "metric", "colour": "checkpoint",
    }),
    Plot(6, "Ablations of a data pipeline", "mixes", {
        "section": "pipeline", "view": "ablations", "eval": "honeypots", "metric": "misaligned",
        "run": ("pipeline-full", "no-prompt-rewrite", "no-response-rewrite"), "baseline": "pipeline-full@1700",
    }),
    Plot(7, "Constitution documents and stories", "mixes", {
        "section": "constitution", "view": "ablations", "eval": "blackmail", "metric": "misaligned",
        "run": _CONSTITUTION, "baseline": "no-documents@0",
    }),
    Plot(8, "Document style", "assessment", {
        "section": "document-style", "eval": ("constitution_adherence", "constitution_knowledge", "open_character"),
        "metric": ("adherence", "knowledge", "character"),
        "checkpoint": tuple(f"{style}-{form}@200" for style, form, *_ in STYLES),
        "category": "metadata.style", "colour": "metadata.format", "split": ("metadata.style", "metadata.format"),
        "panels": "eval",
    }),
    Plot(9, "Eval vs. eval", "mixes", {
        "section": _ALL, "view": "eval-vs-eval", "eval": ("constitution_adherence", "honeypots"),
        "metric": ("adherence", "misaligned"), "run": (*_EFFICIENCY, *_CONSTITUTION), "steps": "all",
    }),
    Plot(10, "Same checkpoint, two framings", "assessment", {
        "section": _ALL, "eval": "stated_values", "metric": "stated_values",
        "checkpoint": ("documents-and-stories@820", "difficult-advice@300"), "category": "task_args.framing",
        "colour": "checkpoint", "split": "task_args.framing",
    }),
    Plot(11, "Persistence through RL", "persistence", {
        "section": "snapshots", "eval": (*HONEYPOTS, "constitution_adherence"), "metric": ("misaligned", "adherence"),
        "run": tuple(f"{name}-rl" for name in SNAPSHOTS), "baseline": "plain-rl",
    }, "The better snapshot keeps its lead over the run."),
    Plot(12, "Diversity of environments", "curves", {
        "section": "environments", "eval": "honeypots", "metric": "misaligned", "run": tuple(ENVIRONMENTS),
    }, "Augmenting with tool definitions and system prompts improves faster."),
    Plot(13, "Scaling of a corpus", "mixes", {
        "section": "corpus", "view": "scaling", "eval": "blackmail", "metric": "misaligned",
        "run": tuple(f"corpus-{size:03d}m" for size, _ in CORPUS),
    }, "About −9 points per 100M tokens."),
    Plot(14, "Model generations", "assessment", {
        "section": "generations", "eval": "blackmail", "metric": "misaligned",
        "checkpoint": ("opus-4@final", "haiku-4.5@final", "opus-4.5@final"), "category": "checkpoint",
        "colour": "checkpoint",
    }),
)
# fmt: on


def figures() -> list[dict[str, Any]]:
    """The figures of study.yaml."""
    found = []
    for plot in PLOTS:
        figure: dict[str, Any] = {
            "title": plot.title,
            "link": f"/{plot.page}?{urlencode(plot.address, doseq=True, safe='@*')}",
        }
        published = [
            {
                "text": claim.text,
                "value": claim.value,
                "checkpoint": f"{claim.run}@{'final' if claim.step is None else claim.step}",
                "eval": claim.eval,
            }
            for claim in CLAIMS
            if claim.row == plot.row
        ]
        published += [{"text": plot.words}] if plot.words else []
        found.append(figure | ({"published": published} if published else {}))
    return found
