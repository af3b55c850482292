"""Logs of audits as Petri 3 leaves them, run by inspect_ai itself with mock models.

Petri needs Python 3.12 and Inspect Scout, so that it is no dependency here. The structure was taken from logs that
inspect-petri 3.0.0, 3.0.11, 3.1.0 and 3.1.1, petri-bloom 0.2.6 and petri-dish 0.3.4 wrote with mock models and
inspect_ai 0.3.285 (3.0.0: 0.3.205): roles, spans, timelines, and what is in a sample's messages. Two things differ:
the auditor's calls come after the target's here, not between them; and its conversation is made up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from inspect_ai import Task
from inspect_ai import eval as run_eval
from inspect_ai.dataset import Sample
from inspect_ai.event import Timeline, TimelineEvent, TimelineSpan, timeline_build
from inspect_ai.log import EvalLog, transcript
from inspect_ai.model import (
    ChatMessage,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
    Model,
    ModelOutput,
    ModelUsage,
    get_model,
)
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer, stderr
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import ToolChoice, ToolInfo
from inspect_ai.util import span

TARGET = "mockllm/org/tuned-ckpt-500"
DIMENSIONS = ("concerning", "eval_awareness")
SHELF = ToolInfo(name="shelf", description="Looks up a shelf")


@dataclass
class Branch:
    """One branch of the target's conversation.

    Attributes:
        asks: What the target is asked, one after the other; nothing where the auditor ended the audit at once.
        parent: The branch that it goes off from, by its number from 0; the first goes off from none.
        after: After how many of that branch's questions; 0 begins anew.
    """

    asks: Sequence[str]
    parent: int | None = None
    after: int = 0
    messages: list[ChatMessage] = field(default_factory=list)
    span: TimelineSpan | None = None


@dataclass
class Audit:
    """One sample.

    Attributes:
        messages: Whose a sample's are in the end: the "target"'s since Petri 3.1.1, the "auditor"'s before, and the
            auditor's "brief" where a limit or an error cut the audit short.
        concerning: The judge's score; None for a judgment that failed.
    """

    branches: Sequence[Branch]
    messages: str = "target"
    concerning: int | None = 1


def audit_log(audits: dict[str, Audit], folder: Path, model: str | None = None, suffix: str = "eval") -> EvalLog:
    """Run audits, by the names of their samples.

    Args:
        audits: What happens in them.
        folder: Where the log is written.
        model: As `--model`, which Petri doesn't ask for.
        suffix: eval or json.
    """
    task = Task(
        [Sample(input=f"Ask about {name}.", id=name) for name in audits],
        solver=audit_solver(audits),
        scorer=audit_judge(audits),
        name="inspect_petri/audit",
    )
    roles: dict[str, str | Model] = {
        "auditor": get_model("mockllm/auditor", custom_outputs=_answer("mockllm/auditor"), memoize=False),
        "target": get_model(TARGET, custom_outputs=_answer(TARGET), memoize=False),
        "judge": "mockllm/judge",
    }
    (log,) = run_eval(
        task,
        model=model,
        model_roles=roles,
        log_dir=folder.as_posix(),
        log_format=suffix,
        display="none",  # type: ignore[arg-type]
    )
    assert log.status == "success", log.error and log.error.message
    return log


def _answer(model: str) -> Any:
    def answer(
        input: list[ChatMessage], tools: list[ToolInfo], tool_choice: ToolChoice, config: GenerateConfig
    ) -> ModelOutput:
        output = ModelOutput.from_content(model, f"Answer to “{input[-1].text}”.")
        # Else Inspect counts tokens, and asks the network how.
        output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
        return output

    return answer


@solver
def audit_solver(audits: dict[str, Audit]) -> Solver:
    """Petri's solver, without what decides what to ask."""

    async def solve(state: TaskState, _generate: Generate) -> TaskState:
        audit = audits[str(state.sample_id)]
        async with span(name="target", id=uuid4().hex):
            for number in range(len(audit.branches)):
                await _branch(audit.branches, number)
        roots = [branch.span for branch in audit.branches if branch.span and branch.parent is None]
        transcript().add_timeline(Timeline(name="target", description="Target conversation tree", root=roots[0]))
        of_auditor: list[ChatMessage] = [ChatMessageSystem(content="You audit."), ChatMessageUser(content="Begin.")]
        id = uuid4().hex
        async with span(name="auditor", id=id):
            output = await get_model(role="auditor").generate(of_auditor)
        events = [event for event in transcript().events if event.span_id == id]
        transcript().add_timeline(timeline_build(events=events, name="auditor"))
        if audit.messages == "target":
            state.messages = audit.branches[-1].messages
            last = [message for message in state.messages if message.role == "assistant"]
            state.output = ModelOutput.from_message(last[-1]) if last else ModelOutput()
        elif audit.messages == "auditor":
            state.messages, state.output = [*of_auditor, output.message], output
        return state

    return solve


async def _branch(branches: Sequence[Branch], number: int) -> None:
    """Go through one branch, and hang it on the tree."""
    branch, id = branches[number], uuid4().hex
    parent = None if branch.parent is None else branches[branch.parent]
    # A question and its answer are two messages; the system's comes before them.
    kept = parent.messages[: 1 + 2 * branch.after] if parent and branch.after else []
    branch.messages = list(kept) or ([ChatMessageSystem(content=f"You are clerk {number}.")] if branch.asks else [])
    async with span(name="trajectory", id=id):
        for ask in branch.asks:
            branch.messages.append(ChatMessageUser(content=ask, id=uuid4().hex))
            output = await get_model(role="target").generate(branch.messages, tools=[SHELF])
            branch.messages.append(output.message)
    branch.span = TimelineSpan(
        id=id,
        name=f"branch {number + 1}",
        span_type="branch",
        branched_from=None if parent is None else (kept[-1].id if kept else ""),
        content=[TimelineEvent(event=event) for event in transcript().events if event.span_id == id],
    )
    if parent is not None and parent.span is not None:
        parent.span.branches.append(branch.span)


@scorer(metrics={"*": [mean(), stderr()]})
def audit_judge(audits: dict[str, Audit]) -> Scorer:
    """Petri's judge: dimensions in a dict with one justification; of a judgment that failed, one NaN."""

    async def score(state: TaskState, _target: Target) -> Score:
        audit = audits[str(state.sample_id)]
        if audit.concerning is None:
            return Score(value=float("nan"), metadata={"stop_reason": "tool_calls", "scanner_references": []})
        cited = [audit.branches[0].messages[1], (audit.branches[-1].messages or audit.branches[0].messages)[-1]]
        return Score(
            value=dict(zip(DIMENSIONS, (audit.concerning, 2), strict=True)),
            explanation="Concerning at [M2].",
            metadata={
                "stop_reason": "tool_calls",
                "highlights": "1. [M2] what was asked first\n2. [M9] what was said last, after [M2]",
                "summary": "A talk [M2].",
                "scanner_references": [
                    {"type": "message", "cite": cite, "id": message.id}
                    for cite, message in zip(("[M2]", "[M9]"), cited, strict=True)
                ],
            },
        )

    return score
