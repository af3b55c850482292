"""One question asked once: the conversation, the score and what else a log keeps about it."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from inspect_ai.log import EvalError, EvalSample
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageTool,
    ChatMessageUser,
    Content,
    ContentReasoning,
    ContentText,
    ModelOutput,
    ModelUsage,
)
from inspect_ai.scorer import Score
from inspect_ai.tool import ToolCall

from .outcomes import SEED
from .points import Point
from .runs import Run
from .tasks import TASKS, Task
from .texts.turns import Answer, Question, Verdict

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def short_id(rng: random.Random, length: int = 22) -> str:
    """An id in the alphabet and the length of the ids that Inspect gives."""
    return "".join(rng.choices(_ALPHABET, k=length))


def _score(task: Task, verdict: Verdict, answer: Answer) -> Score:
    match task.values:
        case "harmful":
            harmful = 1.0 if verdict else 0.0
            value: Any = {"harmful": harmful, "classifier_verdict": harmful}
        case "letter":
            value = "C" if verdict else "I"
        case _:
            value = verdict
    return Score(value=value, answer=answer.letter, explanation=answer.explanation)


def _messages(question: Question, answer: Answer, model: str, prefix: str) -> list[ChatMessage]:
    """The conversation, from two messages (question and answer) to five (system, tool call and result besides)."""
    turns: list[ChatMessage] = []

    def label() -> str:
        return f"{prefix}{len(turns) + 1}"

    if question.system:
        turns.append(ChatMessageSystem(id=label(), content=question.system))
    turns.append(ChatMessageUser(id=label(), content=question.user, source="input"))
    thought: list[Content] = [ContentReasoning(reasoning=answer.reasoning)] if answer.reasoning else []
    if answer.tool:
        call = ToolCall(id="call_1", function=answer.tool.function, arguments=answer.tool.arguments)
        turns.append(
            ChatMessageAssistant(
                id=label(),
                content=[*thought, ContentText(text=answer.tool.say)] if thought else answer.tool.say,
                tool_calls=[call],
                model=model,
                source="generate",
            )
        )
        turns.append(
            ChatMessageTool(
                id=label(),
                content=answer.tool.result,
                tool_call_id="call_1",
                function=answer.tool.function,
            )
        )
        thought = []
    content: str | list[Content] = [*thought, ContentText(text=answer.reply)] if thought else answer.reply
    turns.append(ChatMessageAssistant(id=label(), content=content, model=model, source="generate"))
    return turns


def sample(
    point: Point,
    run: Run,
    question: Question,
    epoch: int,
    verdict: Verdict | None,
    model: str,
    started: datetime,
    prefix: str,
) -> EvalSample:
    """One question in one epoch of it. The uuid shares its head with the log's other samples."""
    task = TASKS[point.eval]
    rng = random.Random(f"{SEED}/answer/{point.key}/{question.id}/{epoch}")
    uuid = prefix + short_id(rng, 6)
    seconds = float(rng.randint(4, 30))
    common: dict[str, Any] = {
        "id": int(question.id) if question.id.isdigit() else question.id,
        "epoch": epoch,
        "input": question.user,
        "target": question.target,
        "metadata": question.metadata,
        "uuid": uuid,
        "started_at": started.isoformat(),
        "completed_at": (started + timedelta(seconds=seconds)).isoformat(),
        "total_time": seconds,
    }
    if verdict is None:
        messages = _messages(question, Answer("", ""), model, uuid[-6:])[:-1]
        error = EvalError(
            message="RuntimeError('the model server closed the connection')",
            traceback="Traceback (most recent call last):\n  …\nRuntimeError: the model server closed the connection\n",
            traceback_ansi="RuntimeError: the model server closed the connection",
        )
        return EvalSample(**common, messages=messages, output=ModelOutput(model=model), error=error)
    answer = task.respond(question, verdict, run.manner, rng)
    messages = _messages(question, answer, model, uuid[-6:])
    last = messages[-1]
    assert isinstance(last, ChatMessageAssistant)
    given = sum(len(m.text) for m in messages[:-1]) // 4
    said = (len(answer.reply) + len(answer.reasoning or "")) // 4 + 1
    usage = ModelUsage(input_tokens=given, output_tokens=said, total_tokens=given + said)
    output = ModelOutput(model=model, choices=[ChatCompletionChoice(message=last, stop_reason="stop")], usage=usage)
    return EvalSample(
        **common,
        messages=messages,
        output=output,
        scores={task.scorer: _score(task, verdict, answer)},
        model_usage={model: usage},
    )
