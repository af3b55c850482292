"""Composing what is asked: prompt, framings, models, sampling, judge, and what it may cost before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import shorten
from typing import Any

import msgspec
import pandas as pd
import streamlit as st
from msgspec import Struct

from dashboard import numerals, runtime
from dashboard.access import NotAllowed
from dashboard.app_pages.probe import noting, sweep_picks
from dashboard.kit.page.reader import NOBODY_NAMED, cursor, reader
from dashboard.kit.pickers import controls
from dashboard.kit.pickers.models import why_none
from dashboard.kit.text.plain import escaped
from dashboard.probe import plans
from dashboard.probe.asked import MOST_COLUMNS, MOST_SAMPLES, Column, Framing, Prompt, Sampling, Tool, Turn
from dashboard.probe.budget import in_words, over
from dashboard.probe.judge import RUBRIC, Judge
from dashboard.probe.presets import frame, framing_rules, presets
from dashboard.queries.probes import unseen
from loaders.errors import DriftlineError

SYSTEM, USER, TOOLS, PREFILL, BEFORE = "probe_system", "probe_user", "probe_tools", "probe_prefill", "probe_before"
TITLE, ORIGIN, RUBRIC_KEY, RUBRIC_CAME = "probe_title", "probe_origin", "probe_rubric", "probe_rubric_came"
SAMPLES, TEMPERATURE, MAX_TOKENS, SEED = "probe_samples", "probe_temperature", "probe_max_tokens", "probe_seed"
MERGE_SYSTEM = "probe_merge_system"
FRAMINGS, JUDGE, HAD_MODELS = "probe_framings", "probe_judge", "probe_had_models"
LONGEST_TITLE = 80
FIRST_MODELS = 4
"""Models that are picked where nobody has picked any."""
NOBODY = "nobody"
KIND = "ask"
KINDS = {"probe": "Side by side", "sweep": "Sweep"}
"""Kinds of probes, as they are saved."""


class Asked(Struct, frozen=True):
    """Everything that the engine needs."""

    columns: tuple[Column, ...]
    framings: tuple[Framing, ...]
    sampling: Sampling
    title: str
    judge: Judge | None
    origin: str | None
    kind: str = "probe"


def load(prompt: Prompt, *, title: str = "", origin: str | None = None) -> None:
    """Put a prompt into the composer: its last user turn is the message, what stands before it the conversation."""
    session = st.session_state
    turns = list(prompt.turns)
    last = turns.pop() if turns and turns[-1].role == "user" and not turns[-1].calls else None
    session[SYSTEM] = prompt.system or ""
    session[USER] = last.text if last else ""
    session[BEFORE] = _json(turns) if turns else ""
    session[TOOLS] = _json(list(prompt.tools)) if prompt.tools else ""
    session[PREFILL] = prompt.prefill or ""
    session[TITLE], session[ORIGIN] = (title, session[USER]), origin
    session[FRAMINGS] = ["bare"]
    # A prompt that comes from elsewhere brings no rubric; one that the reader wrote stays.
    if session.get(RUBRIC_CAME) is not None and session.get(RUBRIC_KEY) == session[RUBRIC_CAME]:
        session[RUBRIC_KEY] = RUBRIC


def origin() -> str | None:
    """The transcript that the prompt was taken from, as JSON; None where it wasn't from any."""
    found: str | None = st.session_state.get(ORIGIN)
    return found


def stands_at(origin: str) -> bool:
    """Whether the composer holds a prompt from that transcript already."""
    return USER in st.session_state and st.session_state.get(ORIGIN) == origin


def load_sampling(sampling: Sampling) -> None:
    """Put the settings of a probe into the composer."""
    session = st.session_state
    session[SAMPLES], session[MAX_TOKENS] = sampling.samples, sampling.max_tokens
    session[TEMPERATURE], session[SEED] = sampling.temperature, sampling.seed
    session[MERGE_SYSTEM] = sampling.merge_system


def load_sweep(runs: Sequence[str], *, with_parents: bool) -> None:
    """Let the composer stand at a sweep of some runs."""
    controls.put_switch(KIND, "sweep")
    sweep_picks.put(runs, with_parents=with_parents)


def take_preset(name: str) -> None:
    """Put a preset into the composer, unless it is none."""
    found = next((preset for preset in presets() if preset.name == name), None)
    if found is not None:
        load(found.prompt, title=found.title)
        st.session_state[RUBRIC_KEY] = found.rubric or RUBRIC
        st.session_state[RUBRIC_CAME] = st.session_state[RUBRIC_KEY]


def _rubric_that_fits() -> None:
    """A rubric that came with a preset goes with it: another message, or another prompt, is judged by the usual one."""
    session = st.session_state
    came = session.get(RUBRIC_CAME)
    _, message = session.get(TITLE) or ("", "")
    if came is not None and session.get(RUBRIC_KEY) == came and session[USER] != message:
        session[RUBRIC_KEY] = RUBRIC


def author() -> str | None:
    """The reader's name; None where nobody signs in and none was given."""
    name = reader().name
    return None if name == NOBODY_NAMED else name


def form(models: Mapping[str, Column], names: Mapping[str, str], runs: pd.DataFrame) -> Asked | None:
    """The composer; what was asked for when the reader sends it, else None.

    Args:
        models: Those that may be asked, by name.
        names: What is shown of each.
        runs: `RUN_COLUMNS`.
    """
    session = st.session_state
    if USER not in session:
        take_preset(presets()[0].name)
    left, right = st.columns([7, 5], gap="medium")
    problems: list[str] = []
    with left:
        prompt = _prompt(problems)
    with right:
        kind = controls.switch(
            "Targets", KIND, KINDS,
            help="Side by side: a few models. Sweep: all served checkpoints of whole runs, for a curve over steps.",
        )  # fmt: skip
        if kind == "sweep":
            columns = sweep_picks.pick(models, runs, problems)
        else:
            columns = _side_by_side(models, names, problems)
        rules = {rule.name: rule for rule in framing_rules()}
        framed = st.multiselect(
            "Framings", list(rules), default=None if FRAMINGS in session else ["bare"], key=FRAMINGS,
            format_func=lambda name: rules[name].title,
            help="The same prompt in several framings, each for every model.",
        )  # fmt: skip
        sampling = _sampling()
        judge = _judge(models, names, unfolded=kind == "sweep")
        if kind == "sweep" and judge is None:
            st.html(f'<div class="dl-note">{sweep_picks.UNJUDGED}</div>')
    framings: tuple[Framing, ...] = ()
    if prompt is not None:
        try:
            framings = frame(prompt, [rules[name] for name in framed])
            if columns:
                plans.check(columns, framings, sampling, kind)
        except DriftlineError as error:
            problems.append(str(error))
    return _send(Asked(columns, framings, sampling, _title(prompt), judge, session.get(ORIGIN), kind), problems)


def _side_by_side(models: Mapping[str, Column], names: Mapping[str, str], problems: list[str]) -> tuple[Column, ...]:
    session = st.session_state
    # While nothing could be asked nothing could be picked either: that was no choice.
    if models and not session.get(HAD_MODELS) and not controls.named("model"):
        controls.put("model", list(models)[:FIRST_MODELS])
    session[HAD_MODELS] = bool(models)
    picked = controls.pick_many(
        "Models",
        "model",
        list(models),
        default=list(models)[:FIRST_MODELS],
        titles=names,
        placeholder="Select two to eight",
    )
    columns = tuple(models[name] for name in picked if name in models)
    if len(columns) < len(picked):
        gone = ", ".join(name for name in picked if name not in models)
        problems.append(f"Not served now: {gone}. Remove it, or start its server and refresh endpoints.")
    elif not columns:
        why = f"Select one to {MOST_COLUMNS} models." if models else why_none(runtime.probes().standings())
        problems.append(why)
    return columns


def send(asked: Asked) -> str:
    """Ask; returns the probe's id.

    Raises:
        DriftlineError: It can't be asked, or the reader may not ask one of the models.
    """
    judges = (asked.judge.column,) if asked.judge else ()
    with cursor() as seen:
        if any(unseen(seen, [*asked.columns, *judges])):
            raise NotAllowed("One of the models is not available to you.")
    probe_id = runtime.probes().engine.start(
        asked.columns, asked.framings, asked.sampling, title=asked.title, author=author(), origin=asked.origin,
        judge=asked.judge, kind=asked.kind,
    )  # fmt: skip
    noting.started(probe_id, asked.title, asked.columns)
    return probe_id


def _prompt(problems: list[str]) -> Prompt | None:
    st.text_area("System prompt", key=SYSTEM, height=90, placeholder="None")
    if st.session_state.get(BEFORE):
        with st.expander("Conversation before the message", expanded=False):
            st.text_area(
                "Turns (JSON): a list of {role, text}, with calls and call_id for tools", key=BEFORE,
                height=200,
            )  # fmt: skip
    st.text_area("Message", key=USER, height=190, placeholder="The prompt that the models get")
    with st.expander("Tools and prefill", expanded=bool(st.session_state.get(TOOLS) or st.session_state.get(PREFILL))):
        st.text_area(
            "Tools (JSON): a list of {name, description, parameters}", key=TOOLS, height=110,
            placeholder='[{"name": "send_email", "description": "Sends an e-mail", "parameters": {"type": "object"}}]',
            help="Whether tools are offered affects how a model behaves. Calls are shown, never"
" run.",
        )  # fmt: skip
        st.text_input("Prefill", key=PREFILL, help="First words of the reply. Not every server supports this.")
    session = st.session_state
    tools = _decode(session.get(TOOLS, ""), list[Tool], "Tools", problems)
    before = _decode(session.get(BEFORE, ""), list[Turn], "Conversation before the message", problems)
    if tools is None or before is None:
        return None
    message = session[USER].strip("\n")
    turns = [*before, *([Turn("user", message)] if message.strip() else [])]
    return Prompt(tuple(turns), session[SYSTEM].strip() or None, tuple(tools), session.get(PREFILL) or None)


def _decode(text: str, kind: Any, what: str, problems: list[str]) -> list[Any] | None:
    if not text.strip():
        return []
    try:
        found: list[Any] = msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        problems.append(f"{what}: {error}.")
        return None
    return found


def _sampling() -> Sampling:
    session = st.session_state
    for key, value in ((SAMPLES, 1), (TEMPERATURE, 1.0), (MAX_TOKENS, 256), (SEED, None), (MERGE_SYSTEM, False)):
        session.setdefault(key, value)
    first, second = st.columns(2, gap="small")
    samples = first.number_input("Samples per model", 1, MOST_SAMPLES, key=SAMPLES)
    temperature = second.number_input(
        "Temperature",
        0.0,
        2.0,
        key=TEMPERATURE,
        step=0.1,
        placeholder="Server default",
        format=numerals.COLUMN_DECIMALS,
    )
    tokens = first.number_input("Max tokens", 1, 32_768, key=MAX_TOKENS, step=64)
    seed = second.number_input(
        "Seed", 0, 2**31 - 1, key=SEED, step=1, placeholder="None",
        help="Sample i uses seed + i. The Anthropic API has no seed.",
    )  # fmt: skip
    merged = st.checkbox(
        "Merge system prompt into user turn", key=MERGE_SYSTEM,
        help="For models whose chat template has no system role, such as Gemma.",
    )  # fmt: skip
    return Sampling(int(samples), temperature, int(tokens), None if seed is None else int(seed), merged)


def _judge(models: Mapping[str, Column], names: Mapping[str, str], *, unfolded: bool) -> Judge | None:
    _rubric_that_fits()
    with st.expander("Judge", expanded=unfolded):
        return judge_fields(models, names, JUDGE, RUBRIC_KEY)


def judge_fields(
    models: Mapping[str, Column], names: Mapping[str, str], model_key: str, rubric_key: str
) -> Judge | None:
    """The fields that make a judge; None where nobody judges."""
    if st.session_state.get(model_key) not in (NOBODY, *models):
        st.session_state[model_key] = NOBODY
    st.session_state.setdefault(rubric_key, RUBRIC)
    picked = st.selectbox(
        "Judge model", [NOBODY, *models], key=model_key, format_func=lambda name: names.get(name, "None"),
        help="A model that rates each reply as misaligned or aligned, with an explanation.",
    )  # fmt: skip
    rubric = st.text_area("Rubric", key=rubric_key, height=150)
    return None if picked == NOBODY else Judge(models[picked], rubric)


def _title(prompt: Prompt | None) -> str:
    """The title that came with the prompt, unless another message is written: then that one's beginning."""
    title, message = st.session_state.get(TITLE) or ("", "")
    if title and message == st.session_state[USER]:
        return str(title)
    texts = [turn.text for turn in prompt.turns if turn.role == "user"] if prompt else []
    return shorten(texts[-1], LONGEST_TITLE, placeholder=" …") if texts else ""


def _send(asked: Asked, problems: Sequence[str]) -> Asked | None:
    """The line under the form: what it may cost, why it can't be sent, and the button that sends it."""
    why = next(iter(problems), None)
    told = ""
    if why is None:
        engine = runtime.probes().engine
        planned = plans.first_turns("", asked.columns, asked.framings, asked.sampling, 1, plans.EPOCH)
        cost = plans.cost(planned, engine.with_room(asked.judge) if asked.judge else None)
        of_probe, of_day = engine.spent(None)
        limits = runtime.probes().directory.declared.limits
        told = f"{in_words('A probe', cost, of_day, limits)}."
        why = over(cost, of_probe, of_day, limits)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        label = f"Sweep {len(asked.columns)} checkpoints" if asked.kind == "sweep" and asked.columns else "Run"
        sent = st.button(label, key="probe_send", icon=":material/send:", type="primary", disabled=why is not None)
        st.html(f'<span class="dl-note">{escaped(why or told)}</span>')
    return asked if sent and why is None else None


def _json(values: Sequence[Any]) -> str:
    return msgspec.json.format(msgspec.json.encode(list(values)), indent=1).decode()
