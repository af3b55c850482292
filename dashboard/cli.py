"""The console command `driftline`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from dashboard.probe.protocols import forms
from loaders.errors import DriftlineError
from loaders.version import version

STORE_HELP = (
    "the store (a DuckDB file); default: one that belongs to PATH, in the user's data folder, or $DRIFTLINE_STORE"
)


MOST_PORT = 65535


class Version(argparse.Action):
    """Prints the version, which is looked up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print it, and end."""
        print(f"driftline {version()}")
        parser.exit()


def parser() -> argparse.ArgumentParser:
    """All commands and options."""
    top = argparse.ArgumentParser(
        prog="driftline",
        description="Compare aligned checkpoints: which training data made a model less misaligned, from which step on,"
        " and did it last?",
        epilog="Whoever runs these commands owns the store and sees all of it: private runs are hidden from readers of"
        " the dashboard, not here.",
    )
    top.add_argument("--version", action=Version, nargs=0, help="show program's version number and exit")
    verbs = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    view = verbs.add_parser(
        "view",
        help="ingest what is new in a folder and open the dashboard on it",
        description="Ingest what is new in PATH, then serve the dashboard on 127.0.0.1. New and changed files come in"
        ' by themselves while it runs. To serve others too, say who may see what in an access file: README, "Who may'
        ' see what".',
    )
    view.add_argument(
        "path",
        nargs="?",
        metavar="PATH",
        help="a folder of logs, or one log (default: the studies that come with Driftline: demo and smol)",
    )
    _store(view)
    view.add_argument("--study", metavar="FILE", help="a study file that counts as lying at the root of PATH")
    view.add_argument("--port", type=port_number, metavar="N", help="port (default: the first free from 8501)")
    view.add_argument(
        "--host",
        metavar="ADDRESS",
        default="127.0.0.1",
        help="the IP address to listen at (default: 127.0.0.1, which only this computer reaches); any other wants an"
        " access file",
    )
    view.add_argument(
        "--access",
        metavar="FILE",
        help="a YAML file of who may do what, by whom they sign in as, and of private runs (default: access.yaml in the"
        " user's configuration folder, if there is one)",
    )
    view.add_argument(
        "--without-sign-in",
        action="store_true",
        help="let everybody who reaches the address see and do everything, whatever the access file says",
    )
    view.add_argument(
        "--base-path",
        metavar="PATH",
        default="",
        help="the path that the pages lie under, behind a proxy: /driftline",
    )
    view.add_argument("--no-browser", action="store_true", help="print the address, and open no browser")
    view.add_argument(
        "--models",
        metavar="FILE",
        help="a YAML file of endpoints that the Probe page may ask, with limits (default: models.yaml in the user's"
        " configuration folder, if there is one)",
    )
    view.add_argument(
        "--endpoint",
        action="append",
        default=[],
        metavar="ENDPOINT",
        help=f"one more endpoint: {forms()}; with ,key=VARIABLE for the environment variable or Streamlit secret with"
        " its key. May be given several times",
    )

    ingest = verbs.add_parser(
        "ingest",
        help="bring a store up to date with folders of logs",
        description="Ingest what is new or changed below each PATH, and report on every file. Exits with 1 if a file"
        " was rejected.",
    )
    ingest.add_argument("paths", nargs="+", metavar="PATH", help="a folder of logs, or one log")
    _store(ingest)
    ingest.add_argument("--study", metavar="FILE", help="a study file that counts as lying at the root of each PATH")
    ingest.add_argument(
        "--dry-run",
        action="store_true",
        help="change nothing; print each file's format, run, step, evals and sample count, and which rule gave run and"
        " step",
    )

    rates = verbs.add_parser(
        "rates",
        help="print the table behind the curves",
        description="Print rates with their intervals: the very table behind the curves. Each option can be given"
        " several times; without one, everything is printed, each eval by its default metric.",
    )
    _source(rates)
    _filters(rates)
    _measures(rates)
    _formats(rates)

    compare = verbs.add_parser(
        "compare",
        help="compare checkpoints with a baseline",
        description="Print the difference of each checkpoint to the baseline, eval by eval, with interval and corrected"
        " p-value; what makes two logs incomparable is told on standard error. Checkpoints that answered the same"
        " questions are paired on them.",
    )
    compare.add_argument(
        "checkpoints",
        nargs="+",
        metavar="RUN@STEP",
        help="a run at a step or label; RUN alone is its latest checkpoint",
    )
    compare.add_argument("--baseline", metavar="RUN@STEP", help="what is subtracted (default: the first checkpoint)")
    compare.add_argument(
        "--correction",
        choices=("holm", "bh", "none"),
        default="holm",
        help="of the p-values, over all that is printed: Holm (default), Benjamini-Hochberg, or none",
    )
    _source(compare)
    _filters(compare, ("eval", "metric"))
    _measures(compare)
    compare.add_argument(
        "--target",
        type=float,
        metavar="D",
        help="also print how many questions it takes to find a difference of D: 0.05 is 5 points of a rate, 2 is 2 of a"
        " score",
    )
    _formats(compare)

    serve = verbs.add_parser(
        "serve",
        help="serve checkpoints on this computer, to be probed",
        description="Start vLLM (else llama.cpp's server) on 127.0.0.1 with checkpoints whose weights a run card or a"
        " trainer's folder tells, and end it with Ctrl+C. Dashboards of the same user find it by themselves. Words"
        " after -- go to vLLM as they are.",
        usage="driftline serve [OPTION]... CHECKPOINT... [-- WORD...]",
    )
    serve.add_argument(
        "checkpoints",
        nargs="+",
        metavar="CHECKPOINT",
        help="RUN@STEP, RUN@LABEL, RUN for its latest, RUN@all for all of them; smol, or smol/RUN@STEP, of the small"
        " study that comes with Driftline",
    )
    _source(serve)
    serve.add_argument(
        "--print",
        action="store_true",
        dest="printed",
        help="start nothing; print the command for another machine, which takes its key from $VLLM_API_KEY",
    )
    serve.add_argument("--port", type=port_number, metavar="N", help="port on 127.0.0.1 (default: any that is free)")
    serve.add_argument(
        "--engine", choices=("vllm", "llama.cpp"), help="default: vLLM where it is installed, else llama.cpp"
    )
    serve.add_argument("--max-model-len", type=int, metavar="N", help="tokens of a prompt and its reply together")
    serve.add_argument("--dtype", metavar="NAME", help="of the weights, as vLLM has it: bfloat16, float16, ...")

    export = verbs.add_parser(
        "export",
        help="write rates or samples to a file",
        description="Write rates or samples to FILE; its ending, .parquet or .csv, says how. " + CSV_HELP,
    )
    export.add_argument("file", metavar="FILE", help="FILE.parquet or FILE.csv")
    _source(export)
    export.add_argument("--what", choices=("samples", "rates"), default="samples", help="default: samples")
    _filters(export)

    compact = verbs.add_parser(
        "compact",
        help="make a store's file as small as what is in it",
        description="Write a store anew without the room in its file that nothing uses any more. All that is in it"
        " stays; an ingest that leaves more free than used does it by itself.",
    )
    _source(compact)
    return top


CSV_HELP = (
    "In CSV a text that begins like a formula (= + - @) has an apostrophe in front, so that no spreadsheet runs what a"
    " log says; Parquet and JSON hold it as it is."
)


def _store(command: argparse.ArgumentParser) -> None:
    command.add_argument("--store", metavar="FILE", help=STORE_HELP)


def _source(command: argparse.ArgumentParser) -> None:
    _store(command)
    command.add_argument("--path", metavar="PATH", help="the folder whose store is meant (default: the demo study)")


FILTERS = {
    "run": "a run",
    "mix": "a data mix",
    "stage": "a stage (sft, rl, ...)",
    "eval": "an eval or a group of evals",
    "metric": 'a metric; "all" for every one',
}


def _filters(command: argparse.ArgumentParser, names: Sequence[str] = tuple(FILTERS)) -> None:
    for name in names:
        command.add_argument(f"--{name}", action="append", default=[], metavar="NAME", help=f"only {FILTERS[name]}")
    command.add_argument("--as-of", type=int, metavar="BATCH", help="as of an ingest batch (default: the newest)")


def _measures(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--split",
        action="append",
        default=[],
        metavar="FIELD",
        help="a row for each value of metadata.NAME, task_args.NAME or variant; twice for each combination of two",
    )
    command.add_argument(
        "--interval",
        choices=("wilson", "clopper-pearson"),
        default="wilson",
        help="of rates: Wilson (default), or Clopper-Pearson, which is exact and wider",
    )
    command.add_argument(
        "--repeats",
        choices=("pooled", "newest", "each"),
        default="pooled",
        help="independent evals of one checkpoint with the same settings: pooled (default), the newest alone, or each",
    )


def _formats(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--format", choices=("table", "csv", "json"), default="table", help=f"default: table. {CSV_HELP}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status: 0 done, 1 something was rejected or went wrong, 2 wrong usage."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    # What follows -- is for the server that `serve` starts: argparse would take it for further checkpoints.
    at = words.index("--") if words[:1] == ["serve"] and "--" in words else len(words)
    given = _parse(parser(), words[:at])
    given.extra = words[at + 1 :]
    # Imported only now: `--help` and errors of usage need none of it.
    from dashboard import console

    try:
        return console.run(given)
    except DriftlineError as error:
        print(f"driftline: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # `driftline rates | head`
        sys.stderr.close()
        return 1
    except KeyboardInterrupt:
        print("driftline: stopped; what was ingested is kept.", file=sys.stderr)
        return 130


def _parse(top: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    """Parse; of a word that is unknown, say which known one is near."""
    given, unknown = top.parse_known_args(words)
    if unknown:
        import difflib

        verb = next(action for action in top._actions if isinstance(action, argparse._SubParsersAction))
        command = verb.choices[given.command]
        near = [
            match
            for word in unknown
            if word.startswith("-")
            for match in difflib.get_close_matches(word.partition("=")[0], command._option_string_actions, 1)
        ]
        hint = f" (did you mean {', '.join(dict.fromkeys(near))}?)" if near else ""
        command.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
    return given


def port_number(text: str) -> int:
    """A port, as an option gives it.

    Raises:
        argparse.ArgumentTypeError: It is no port.
    """
    if not (text.isascii() and text.isdecimal() and 0 <= int(text) <= MOST_PORT):
        raise argparse.ArgumentTypeError(f"{text}: a port is a number from 0 to {MOST_PORT}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
