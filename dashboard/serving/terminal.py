"""`driftline serve` in a terminal: plan, prepare, start, tell, and end in order."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import platformdirs
from msgspec import Struct
from rich.console import Console
from rich.text import Text

from dashboard import numerals
from dashboard.queries.servable import Servable
from dashboard.serving import notes
from dashboard.serving.engines import Engine, find, find_llama, find_vllm
from dashboard.serving.look import look
from dashboard.serving.plan import EngineName, Server, plan, with_adapters_alone
from dashboard.serving.process import Running, free_port, launch, wait_ready
from dashboard.serving.start import Options, Prepared, for_shell, start
from dashboard.serving.weights import adapter_of_nothing, find_weights, lora_file, model_folder
from loaders.errors import DriftlineError

TITLES: dict[EngineName, str] = {"vllm": "vLLM", "llama.cpp": "llama.cpp"}
FIRST_PORT = 8000
"""In printed commands, where nothing says which ports are free."""
IN_FLIGHT = {"gpu": 32, "cpu": 8, "llama.cpp": 1}
"""Requests that a server answers at the same time, and no slower than one after the other."""


class Asked(Struct, frozen=True, kw_only=True):
    """What the command was asked to do.

    Attributes:
        name: What a server of several models is called in the dashboard, where these belong to something with a name.
        printed: Print the commands, and start nothing.
    """

    checkpoints: Sequence[Servable]
    engine: EngineName | None = None
    port: int | None = None
    options: Options = Options()
    name: str | None = None
    printed: bool = False


def serve(asked: Asked, out: Console, err: Console) -> int:
    """Serve until interrupted, or print how.

    Raises:
        DriftlineError: Something is missing, doesn't go together, or a server died.
    """
    engine = _elsewhere(asked.engine) if asked.printed else find(asked.engine)
    servers = plan([look(one) for one in asked.checkpoints], engine.name, asked.options.max_rank)
    with _telling(err) as tell:
        prepared = [_prepare(server, engine, tell) for server in servers]
    if asked.printed:
        for at, one in enumerate(prepared):
            # Not through rich: what is printed is to be run, and must not be wrapped or coloured.
            print(for_shell(engine, one, (asked.port or FIRST_PORT) + at, asked.options), file=out.file)
        return 0
    try:
        with _interrupted_by_signals(), ExitStack() as ending:
            try:
                running = [_bring_up(one, at, engine, asked, ending, out, err) for at, one in enumerate(prepared)]
                out.print("A dashboard of yours finds them by itself (driftline view). Ctrl+C ends them.", markup=False)
                _watch(running)
            except KeyboardInterrupt:
                err.print("Ending what was started ...")
                raise
    except KeyboardInterrupt:
        err.print("Ended.")
    return 0


def _elsewhere(engine: EngineName | None) -> Engine:
    """The server as it is called on a machine that has it."""
    return Engine("llama.cpp", ("llama-server",)) if engine == "llama.cpp" else Engine("vllm", ("vllm",))


def _prepare(server: Server, engine: Engine, tell: Callable[[str], None]) -> Prepared:
    found = _installed(engine)
    weights = find_weights(server.weights, found)
    lora = None
    if engine.name == "vllm" and weights.lower().endswith(".gguf"):
        weights = str(model_folder(Path(weights), found, tell))
    if engine.on_cpu and server.adapted:
        server = with_adapters_alone(server, adapter_of_nothing(server.adapted[0][1]))
    if engine.name == "llama.cpp" and server.adapted:
        lora = str(lora_file(server.adapted[0][1], Path(weights), found, tell))
    return Prepared(server, weights, lora)


def _installed(engine: Engine) -> list[str | None]:
    """The Pythons of all servers here: what one lacks to convert weights, another may have."""
    others = (find_vllm(), find_llama())
    return [engine.python, *(other.python for other in others if other)]


def _bring_up(
    prepared: Prepared, at: int, engine: Engine, asked: Asked, ending: ExitStack, out: Console, err: Console
) -> Running:
    """Start one server, wait until it is ready, and let the dashboards know."""
    server = prepared.server
    port = free_port(asked.port + at if asked.port is not None else None)
    logs = platformdirs.user_state_path("driftline", appauthor=False) / "logs"
    running = launch(start(engine, prepared, port, asked.options), port, engine.name, logs)
    ending.callback(running.stop)
    title = f"{TITLES[engine.name]} with {_models(server)}"
    with _telling(err) as tell:
        seconds = wait_ready(
            running,
            [model.model for model in server.models],
            lambda doing, elapsed: tell(f"{title}: {doing}", elapsed),
            None if engine.name == "llama.cpp" and not engine.native else "/health",
        )
    kind = engine.name if engine.name == "llama.cpp" else "cpu" if engine.on_cpu else "gpu"
    note = notes.note(
        f"{_called(server, asked.name)} ({TITLES[engine.name]})",
        running.url,
        running.key,
        engine.name,
        {model.model: model.checkpoint for model in server.offered},
        IN_FLIGHT[kind],
    )
    left = notes.leave(note)
    ending.callback(notes.remove, note)
    out.print(f"{title} answers at {running.url} (ready after {numerals.seconds(seconds)})", markup=False)
    out.print(f"  its key: {left}\n  its log: {running.log}", markup=False)
    return running


def _models(server: Server) -> str:
    names = [model.model for model in server.offered]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _called(server: Server, name: str | None) -> str:
    """What a server is called where people choose whom to ask."""
    checkpoints = [model.checkpoint for model in server.offered if model.checkpoint]
    runs = {checkpoint.rpartition("@")[0] or checkpoint for checkpoint in checkpoints}
    if len(server.offered) == 1:
        return server.offered[0].model
    return name or (runs.pop() if len(runs) == 1 else server.offered[0].model)


def _watch(running: Sequence[Running]) -> None:
    while True:
        for one in running:
            if ended := one.ended():
                raise DriftlineError(f"The server at {one.url} is gone. {ended}")
        time.sleep(0.5)


@contextmanager
def _telling(err: Console) -> Iterator[Callable[..., None]]:
    """Tells what is going on: in place where there is a terminal, else a line each time it changes."""
    if err.is_terminal:
        with err.status("") as status:

            def update(doing: str, seconds: float | None = None) -> None:
                status.update(Text(doing + (f" · {numerals.seconds(seconds)}" if seconds is not None else "")))

            yield update
        return
    last: list[str] = []

    def line(doing: str, seconds: float | None = None) -> None:
        if last[-1:] != [doing]:
            last.append(doing)
            err.print(doing + (f" ({numerals.seconds(seconds)})" if seconds is not None else ""), markup=False)

    yield line


@contextmanager
def _interrupted_by_signals() -> Iterator[None]:
    """The end of the terminal, and a request to end, are as Ctrl+C: what was started is ended, notes are taken away."""

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    wanted = [number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None]
    before = {}
    if threading.current_thread() is threading.main_thread():
        # nohup leaves SIGHUP ignored: that stays.
        before = {n: signal.signal(n, stop) for n in wanted if signal.getsignal(n) is not signal.SIG_IGN}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
