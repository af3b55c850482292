"""A transcript as HTML in which nothing is alive: every text escaped, long ones cut, reasoning folded. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.kit.text.plain import escaped, marked
from dashboard.queries.rows import step_of

MESSAGES_A_PART = 50
LONG = 12_000
"""Characters of one text that are shown at once; the rest is counted, and is in the download."""

FOLDED = 1_500
"""Tool results and arguments longer than this are folded."""

PREVIEW = 90
"""Characters of a folded text that are shown beside its title."""

AROUND = 400
"""Characters shown around a place where a searched text was found beyond the cut."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Where a text was found."""

    hits: int
    messages: tuple[int, ...]
    """Indices of the messages that hold it."""


def texts_of(message: Mapping[str, Any]) -> list[str]:
    """Every text of a message that is shown, and so can be found."""
    arguments = [value for call in message.get("tool_calls") or [] for _, value in arguments_of(call)]
    error = message.get("error") or {}
    texts = [message.get("text"), message.get("reasoning"), *arguments, error.get("message")]
    return [str(text) for text in texts if text]


def find(messages: Sequence[Mapping[str, Any]], text: str) -> Finding:
    """Find a text in messages, upper and lower case alike."""
    wanted = text.lower()
    counts = [sum(shown.lower().count(wanted) for shown in texts_of(message)) for message in messages]
    return Finding(sum(counts), tuple(index for index, count in enumerate(counts) if count))


def arguments_of(call: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and values of a tool call's arguments; texts as they are, all else as JSON."""
    given = call.get("arguments")
    if not isinstance(given, dict):
        return [] if given in (None, "") else [("", _as_text(given))]
    return [(str(name), _as_text(value)) for name, value in given.items()]


def message_html(
    number: int, message: Mapping[str, Any], wanted: str = "", *, notes: int = 0, chosen: bool = False
) -> str:
    """One message.

    Args:
        number: Its place in the conversation, from 1.
        message: Columns of `messages`, JSON parsed.
        wanted: A text to be marked.
        notes: Threads on it.
        chosen: Whether it is the one that the address names.
    """
    role = str(message.get("role") or "message")
    css = role if role in ("system", "user", "assistant", "tool") else ""
    name = message.get("function") if role == "tool" else message.get("model")
    head = (
        f"{number} · {role}"
        + (f" · {name}" if name else "")
        + (f" · {message['source']}" if message.get("source") else "")
    )
    noted = f' <span class="dl-noted">{notes} {"note" if notes == 1 else "notes"}</span>' if notes else ""
    parts = [f'<div class="dl-role" role="button" tabindex="0">{escaped(head)}{noted}</div>']
    if message.get("reasoning"):
        parts.append(_folded("Reasoning", str(message["reasoning"]), wanted, "dl-text"))
    text = message.get("text") or ""
    if text and role == "tool" and len(text) > FOLDED:
        parts.append(_folded("Result", text, wanted, "dl-code"))
    elif text:
        parts.append(_block(text, wanted, "dl-code" if role == "tool" else "dl-text"))
    parts += [f'<div class="dl-note">{escaped(media)}</div>' for media in media_of(message.get("content"))]
    parts += [_call(call, wanted) for call in message.get("tool_calls") or [] if isinstance(call, dict)]
    error = message.get("error")
    if error:
        told = error.get("message") if isinstance(error, dict) else error
        parts.append(f'<div class="dl-error">{_block("Error: " + str(told), wanted, "dl-code")}</div>')
    if len(parts) == 1:
        parts.append('<div class="dl-note">(empty)</div>')
    return f'<div class="dl-message {css}{" chosen" if chosen else ""}" data-message="{number}">{"".join(parts)}</div>'


def without_messages(sample: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Prompt and reply as a conversation, for samples whose log keeps no messages (tables, lm-eval)."""
    pairs = (("user", sample["input"]), ("assistant", sample["reply"]))
    return [{"role": role, "text": text} for role, text in pairs if text]


def scores_html(scores: Sequence[Mapping[str, Any]], wanted: str = "") -> list[str]:
    """Scores, an entry for each scorer: its values, answer, the judge's explanation, metadata and edits.

    A score of several keys has one explanation for all of them; it is shown once.
    """
    entries: dict[str, list[Mapping[str, Any]]] = {}
    for score in scores:
        told = [score[part] for part in ("scorer", "answer", "explanation", "reason", "metadata", "history")]
        entries.setdefault(json.dumps(told, default=str), []).append(score)
    return [_scorer(same, wanted) for same in entries.values()]


def _scorer(scores: Sequence[Mapping[str, Any]], wanted: str) -> str:
    values = []
    for score in scores:
        value = score["value_text"] if score["value_num"] is None else f"{score['value_num']:g}"
        shown = escaped(score["value_type"] if value is None else value)
        key = f"{escaped(score['key'])} = " if score["key"] is not None else ""
        values.append(f'<span class="dl-tag">{key}<b>{shown}</b></span>')
    first = scores[0]
    parts = [f'<div class="dl-head"><b>{escaped(first["scorer"])}</b></div><div>{"".join(values)}</div>']
    told = {name: str(first[name]) for name in ("answer", "explanation", "reason") if first[name]}
    if told.get("answer") == told.get("explanation"):
        told.pop("answer", None)
    for name, text in told.items():
        parts.append(f'<div class="dl-note">{name}</div>{_block(text, wanted, "dl-text")}')
    return "".join(parts) + _unfold([("Metadata", first["metadata"]), ("Edits", first["history"])])


def provenance(log: Mapping[str, Any], sample: Mapping[str, Any]) -> list[tuple[str, object]]:
    """Where a sample comes from and how it was made, as names and values.

    Args:
        log: `Transcript.log`.
        sample: `Transcript.sample`.
    """

    def by(value: object, rule: object) -> object:
        return f"{value} ({rule})" if value is not None and rule else value

    usage = sample["model_usage"] or {}
    tokens = [f"{model}: {used.get('total_tokens', '?')}" for model, used in usage.items() if isinstance(used, dict)]
    seconds = sample["total_time"]
    return [
        ("Log", log["path"]),
        ("Folder", log["root"]),
        ("SHA-256", log["content_hash"]),
        ("Batch", log["batch"]),
        ("Run", by(log["run"], log["run_rule"])),
        ("Step", by(step_of(log), log["step_rule"])),
        ("Mix", log["mix"]),
        ("Stage", log["stage"]),
        ("Variant", log["variant"]),
        ("Task", log["task"]),
        ("Task version", log["task_version"]),
        ("Model", log["target_model"] or log["model"]),
        ("Judge", log["judge"]),
        ("Log status", log["status"]),
        ("Created", log["created"] and f"{log['created']:%Y-%m-%d %H:%M:%S} UTC"),
        ("Target", str(sample["target"] or "")[:FOLDED]),
        ("Stop reason", sample["stop_reason"]),
        ("Time", None if seconds is None else f"{seconds:.1f} s"),
        ("Tokens", "; ".join(tokens)),
    ]


def extras_html(log: Mapping[str, Any], sample: Mapping[str, Any]) -> str:
    """What is looked up now and then, folded."""
    return _unfold(
        [
            ("Sample metadata", sample["metadata"]),
            ("Choices", sample["choices"]),
            ("Traceback", sample["error_traceback"]),
            ("Task arguments", log["task_args"]),
            ("Generation settings", log["generate_config"]),
            ("Model roles", log["model_roles"]),
        ]
    )


def _unfold(titled: Sequence[tuple[str, Any]]) -> str:
    return "".join(
        f'<details class="dl-fold"><summary>{title}</summary>{_block(_as_text(value), "", "dl-code")}</details>'
        for title, value in titled
        if value
    )


def _call(call: Mapping[str, Any], wanted: str) -> str:
    name = escaped(call.get("function") or call.get("type") or "tool")
    parts = [f'<div class="dl-role">→ calls {name}</div>']
    for argument, value in arguments_of(call):
        label = f'<div class="dl-note">{escaped(argument)}</div>' if argument else ""
        parts.append(
            label
            + (
                _folded("Argument", value, wanted, "dl-code")
                if len(value) > FOLDED
                else _block(value, wanted, "dl-code")
            )
        )
    if call.get("parse_error"):
        parts.append(f'<div class="dl-error">{_block(str(call["parse_error"]), wanted, "dl-code")}</div>')
    return "".join(parts)


def _folded(title: str, text: str, wanted: str, css: str) -> str:
    is_open = " open" if wanted and wanted.lower() in text.lower() else ""
    begins = escaped(" ".join(text[:PREVIEW].split()))
    summary = f"<summary>{title} ({len(text):,} characters) <i>{begins} …</i></summary>"
    return f'<details class="dl-fold"{is_open}>{summary}{_block(text, wanted, css)}</details>'


def _block(text: str, wanted: str, css: str) -> str:
    """A text, cut where it is long; what is searched beyond the cut is shown with what stands around it."""
    shown, _ = marked(text[:LONG], wanted)
    html = f'<pre class="{css}">{shown}</pre>'
    if len(text) <= LONG:
        return html
    beyond = text.lower().find(wanted.lower(), LONG) if wanted else -1
    if beyond >= 0:
        around, _ = marked(text[max(LONG, beyond - AROUND) : beyond + len(wanted) + AROUND], wanted)
        html += f'<div class="dl-note">… at character {beyond:,}:</div><pre class="{css}">… {around} …</pre>'
    return (
        html + f'<div class="dl-note">{len(text) - LONG:,} more characters are not shown; the download has them.</div>'
    )


def media_of(content: Any) -> list[str]:
    """Name what can't be shown as text. It is never loaded: an image in a log may be an address."""
    if not isinstance(content, list):
        return []
    kinds = [part.get("type", "unknown") for part in content if isinstance(part, dict)]
    return [f"[{kind}, not shown]" for kind in kinds if kind not in ("text", "reasoning")]


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False, default=str)
