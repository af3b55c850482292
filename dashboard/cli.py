"""The console command `driftline`."""

from __future__ import annotations

import argparse
import atexit
import gc
import sys
from collections.abc import Callable, Sequence
from typing import TypeAlias

from dashboard.probe.protocols import forms
from loaders.errors import DriftlineError
from loaders.version import version

STORE_HELP = (
    "the store: a DuckDB file, or ducklake:postgres:dbname=NAME host=HOST for one that several processes share;"
    " default: a file that belongs to PATH, in the user's data folder, or $DRIFTLINE_STORE"
)
DATA_HELP = "where the files of a store in PostgreSQL go that is new: a folder, or s3://BUCKET/FOLDER"


MOST_PORT = 65535


Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


class Version(argparse.Action):
    """Prints the version, which is looked up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print it, and end."""
        print(f"driftline {version()}")
        parser.exit()


def parser(command: str | None = None) -> argparse.ArgumentParser:
    """All commands and options; or those of one command alone, which are declared in a fraction of the time."""
    top = argparse.ArgumentParser(
        prog="driftline",
        description="Compare aligned checkpoints: which training data made a model less misaligned, from which step on,"
        " and did it last?",
        epilog="CLI commands bypass run-level access control: they show private runs, too.",
    )
    top.add_argument("--version", action=Version, nargs=0, help="show program's version number and exit")
    verbs = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, declare in COMMANDS.items():
        if command in (None, name):
            declare(verbs)
    return top


def _declare_view(verbs: Verbs) -> None:
    command = verbs.add_parser(
        "view",
        help="ingest what is new in a folder and open the dashboard on it",
        description="Ingest what is new in PATH, then serve the dashboard on 127.0.0.1. New and changed files come in"
        ' by themselves while it runs. To serve others, write an access file: see "A team\'s server" of'
        " `driftline docs`.",
    )
    command.add_argument(
        "path",
        nargs="?",
        metavar="PATH",
        help="a folder of logs, or one log (default: the studies that come with Driftline: demo and smol)",
    )
    _store(command)
    command.add_argument("--study", metavar="FILE", help="a study file, used as if it were at the root of PATH")
    command.add_argument("--port", type=port_number, metavar="N", help="port (default: the first free from 8501)")
    command.add_argument(
        "--host",
        metavar="ADDRESS",
        default="127.0.0.1",
        help="the IP address to listen at (default: 127.0.0.1, which only this computer reaches); any other wants an"
        " access file",
    )
    command.add_argument(
        "--access",
        metavar="FILE",
        help="a YAML file of roles and private runs (default: access.yaml in the"
        " user's configuration folder, if there is one)",
    )
    command.add_argument(
        "--without-sign-in",
        action="store_true",
        help="let everybody who reaches the address see and do everything, without access file",
    )
    command.add_argument(
        "--base-path",
        metavar="PATH",
        default="",
        help="the path of the pages behind a proxy: /driftline",
    )
    command.add_argument("--no-browser", action="store_true", help="print the address and open no browser")
    command.add_argument(
        "--models",
        metavar="FILE",
        help="a YAML file of endpoints for the Probe page, with limits (default: models.yaml in the user's"
        " configuration folder, if there is one)",
    )
    command.add_argument(
        "--endpoint",
        action="append",
        default=[],
        metavar="ENDPOINT",
        help=f"one more endpoint: {forms()}; with ,key=VARIABLE for the environment variable or Streamlit secret with"
        " its key. May be given several times",
    )


def _declare_ingest(verbs: Verbs) -> None:
    command = verbs.add_parser(
        "ingest",
        help="bring a store up to date with folders of logs",
        description="Ingest what is new or changed below each PATH, and report on every file. Exits with 1 if a file"
        " was rejected.",
    )
    command.add_argument("paths", nargs="+", metavar="PATH", help="a folder of logs, or one log")
    _store(command)
    command.add_argument("--study", metavar="FILE", help="a study file, used as if it were at the root of each PATH")
    command.add_argument(
        "--dry-run",
        action="store_true",
        help="change nothing; print each file's format, run, step, evals and sample count, with the rules behind run"
        " and step",
    )


def _declare_rates(verbs: Verbs) -> None:
    command = verbs.add_parser(
        "rates",
        help="print rates with their intervals",
        description="Print rates with their intervals: the table behind the Curves page. Each option can be given"
        " several times; without one, everything is printed, each eval by its default metric.",
    )
    _source(command)
    _filters(command)
    _measures(command)
    _formats(command)


def _declare_compare(verbs: Verbs) -> None:
    command = verbs.add_parser(
        "compare",
        help="compare checkpoints with a baseline",
        description="Print the difference of each checkpoint from the baseline, by eval, with interval and p"
        " value (Holm or BH); settings that differ between logs go to standard error. Checkpoints that answered the"
        " same questions are paired on them.",
    )
    command.add_argument(
        "checkpoints",
        nargs="+",
        metavar="RUN@STEP",
        help="a run at a step or label; RUN alone is its latest checkpoint",
    )
    command.add_argument("--baseline", metavar="RUN@STEP", help="the checkpoint to subtract (default: the first one)")
    command.add_argument(
        "--correction",
        choices=("holm", "bh", "none"),
        default="holm",
        help="multiple-testing correction over all printed differences: Holm (default), Benjamini-Hochberg, or none",
    )
    _source(command)
    _filters(command, ("eval", "metric"))
    _measures(command)
    command.add_argument(
        "--target",
        type=float,
        metavar="D",
        help="also print the number of questions needed to detect a difference of D: 0.05 is 5 pp of a rate, 2 is 2"
        " points of a score",
    )
    command.add_argument(
        "--margin",
        type=float,
        metavar="D",
        help="equivalence margin, in the same units: also test whether differences lie within ±D (two one-sided tests)",
    )
    _formats(command)


def _declare_serve(verbs: Verbs) -> None:
    command = verbs.add_parser(
        "serve",
        help="serve checkpoints on this computer for the Probe page",
        description="Start vLLM (or llama.cpp's server) on 127.0.0.1 with checkpoints whose weights a run.yaml or a"
        " trainer's folder names; Ctrl+C ends it. Dashboards of the same user find it. Arguments"
        " after -- are passed to vLLM.",
        usage="driftline serve [OPTION]... CHECKPOINT... [-- WORD...]",
    )
    command.add_argument(
        "checkpoints",
        nargs="+",
        metavar="CHECKPOINT",
        help="RUN@STEP, RUN@LABEL, RUN for its latest, RUN@all for all of them; smol, or smol/RUN@STEP, of the small"
        " study that comes with Driftline",
    )
    _source(command)
    command.add_argument(
        "--print",
        action="store_true",
        dest="printed",
        help="print the command for another machine (key in $VLLM_API_KEY) and start nothing",
    )
    command.add_argument("--port", type=port_number, metavar="N", help="port on 127.0.0.1 (default: any that is free)")
    command.add_argument(
        "--engine", choices=("vllm", "llama.cpp"), help="default: vLLM where it is installed, else llama.cpp"
    )
    command.add_argument("--max-model-len", type=int, metavar="N", help="context length: tokens of prompt and reply")
    command.add_argument("--dtype", metavar="NAME", help="data type of the weights: bfloat16, float16, ...")


def _declare_export(verbs: Verbs) -> None:
    command = verbs.add_parser(
        "export",
        help="write rates, samples or records of Every Eval Ever to a file",
        description="Write rates or samples to FILE; the extension, .parquet or .csv, sets the format. "
        + CSV_HELP
        + " With --what every-eval-ever, FILE.zip holds a record of each checkpoint and eval (schema 0.3), with its"
        " samples, at the paths of their data store.",
    )
    command.add_argument("file", metavar="FILE", help="FILE.parquet or FILE.csv; FILE.zip for records")
    _source(command)
    command.add_argument(
        "--what", choices=("samples", "rates", "every-eval-ever"), default="samples", help="default: samples"
    )
    command.add_argument(
        "--organization",
        default="unknown",
        metavar="NAME",
        help="of records: who trained the models (default: unknown)",
    )
    _filters(command)


def _declare_samples(verbs: Verbs) -> None:
    command = verbs.add_parser(
        "samples",
        help="print samples by a filter",
        description="Print samples with their outcome: the table of the Samples page. Each filter can be given several"
        " times.",
    )
    _source(command)
    _filters(command, ("run", "mix", "stage", "eval"))
    command.add_argument("--step", action="append", default=[], metavar="STEP", help="only a step, or a label of one")
    command.add_argument("--log", action="append", default=[], metavar="KEY", help="only a log, by its key")
    command.add_argument("--metric", metavar="NAME", help="whose outcomes are meant (default: each eval's default)")
    command.add_argument(
        "--outcome",
        action="append",
        default=[],
        choices=("misaligned", "aligned", "missing", "outside", "scored"),
        help="only samples with this outcome",
    )
    command.add_argument("--text", metavar="TEXT", help="only samples that hold a text anywhere")
    command.add_argument("--sort", metavar="COLUMN", help="run, step, eval, sample, outcome, value, time, ...")
    command.add_argument("--descending", action="store_true", help="from the highest")
    _limit(command, 100)
    command.add_argument("--offset", type=int, default=0, metavar="N", help="leave out the first N")
    command.add_argument("--full", action="store_true", help="long texts whole (default: their first 400 characters)")
    _files(command)


def _declare_search(verbs: Verbs) -> None:
    command = verbs.add_parser(
        "search",
        help="find a text in prompts, replies, messages and judges' words",
        description="Print the samples that hold TEXT, each with the first place of it. Upper and lower case are alike;"
        " a blank at either end stands for the end of a word.",
    )
    command.add_argument("text", metavar="TEXT", help="what to look for, literally")
    _source(command)
    _filters(command, ("run", "eval"))
    _limit(command, 100)
    _files(command)


def _declare_transcript(verbs: Verbs) -> None:
    command = verbs.add_parser(
        "transcript",
        help="print one sample: messages, scores and errors",
        description="Print one sample. `driftline samples` and `search` print what names it. CSV and Parquet have one"
        " row per message, JSON has everything.",
    )
    command.add_argument("log", metavar="LOG", help="the log's key")
    command.add_argument("sample", metavar="SAMPLE", help="the sample's id")
    command.add_argument("--epoch", type=int, default=1, metavar="N", help="its epoch (default: 1)")
    command.add_argument(
        "--view",
        default="target",
        metavar="VIEW",
        help="of an audit by Petri, Bloom or Dish: target, auditor, combined, or branch-1 and so on (default: target)",
    )
    _source(command)
    _filters(command, ())
    _files(command)


def _declare_query(verbs: Verbs) -> None:
    command = verbs.add_parser(
        "query",
        help="ask with SQL: one SELECT over the views",
        description="Run one SELECT (DuckDB's SQL) over runs, checkpoints, evals, samples, scores, messages and the"
        " other views; without SQL, list them with their columns. Nothing can be written, and no file be read.",
    )
    command.add_argument("sql", nargs="?", metavar="SQL", help="one SELECT; without it, the views are listed")
    _source(command)
    _filters(command, ())
    _limit(command, 1000)
    command.add_argument(
        "--seconds", type=float, default=10.0, metavar="S", help="end it after so long (default: 10, at most 120)"
    )
    _files(command)


def _declare_plan(verbs: Verbs) -> None:
    command = verbs.add_parser(
        "plan",
        help="print the commands that evaluate a run's missing checkpoints",
        description="Print a shell script of `inspect eval` commands: one for each checkpoint of RUN without results of"
        " an eval, with the settings of that eval's newest Inspect log. Their logs name run and step by themselves.",
    )
    command.add_argument("run", metavar="RUN", help="a run")
    command.add_argument(
        "--eval", required=True, metavar="TASK", help="an eval of the store, or a task that was never run"
    )
    _source(command)
    _filters(command, ())
    command.add_argument("--task", metavar="TASK", help="what `inspect eval` is given (default: what the log names)")
    command.add_argument(
        "--model",
        metavar="NAME",
        default="openai-api/driftline/{name}",
        help="Inspect's name of the model, with {name} (RUN@STEP), {run}, {step} or {weights} (default:"
        " openai-api/driftline/{name}, as `driftline serve` serves them)",
    )
    command.add_argument(
        "--base-url",
        metavar="URL",
        default="http://127.0.0.1:8000/v1",
        help="the server of models (default: http://127.0.0.1:8000/v1)",
    )
    command.add_argument(
        "--log-dir", metavar="FOLDER", help="for the logs (default: planned/RUN in the ingested folder)"
    )
    command.add_argument("--format", choices=("script", "json"), default="script", help="default: script")


def _declare_mcp(verbs: Verbs) -> None:
    command = verbs.add_parser(
        "mcp",
        help="serve rates, samples and transcripts to agents (MCP)",
        description="Serve the store read-only to an agent, by the Model Context Protocol on standard input and output."
        " Private runs of the access file are hidden, unless whoever --email or --group names may see them.",
    )
    _source(command)
    command.add_argument(
        "--access",
        metavar="FILE",
        help="a YAML file of roles and private runs (default: access.yaml in the user's configuration folder, if there"
        " is one)",
    )
    command.add_argument("--email", metavar="ADDRESS", help="whose role it reads with (default: nobody's)")
    command.add_argument("--group", action="append", default=[], metavar="NAME", help="a group that it reads with")


def _declare_compact(verbs: Verbs) -> None:
    command = verbs.add_parser(
        "compact",
        help="shrink the store's file",
        description="Rewrite the store without unused space. Nothing is lost. An ingest that leaves more free than used"
        " space does it automatically.",
    )
    _source(command)


def _declare_backup(verbs: Verbs) -> None:
    command = verbs.add_parser(
        "backup",
        help="copy the store into a file, also while a dashboard runs",
        description="Copy the whole store into FILE, also while a dashboard uses it, and verify the copy: every table"
        " is read again. It holds everything, private runs too; only you can read it. Roles and private runs are said"
        " in the access file, which is kept apart.",
    )
    command.add_argument("file", metavar="FILE", help="the copy, a DuckDB file")
    _source(command)
    command.add_argument("--replace", action="store_true", help="replace FILE if it is there")


def _declare_restore(verbs: Verbs) -> None:
    command = verbs.add_parser(
        "restore",
        help="put a backup where the store is",
        description="Verify the backup FILE and put a copy of it where the store is. No dashboard may use the store"
        " meanwhile. Roles and private runs stay as the access file says.",
    )
    command.add_argument("file", metavar="FILE", help="what `driftline backup` wrote")
    _source(command)
    command.add_argument("--replace", action="store_true", help="set a store that is there aside, under another name")


def _declare_migrate(verbs: Verbs) -> None:
    command = verbs.add_parser(
        "migrate",
        help="copy a store from a file into PostgreSQL, or back",
        description="Copy everything in the store FROM into the empty store TO, and verify the copy: every row of every"
        " table, and the rates of the latest import. FROM stays as it is. Batches, and with them links that are pinned"
        " to one, are the same in both.",
    )
    command.add_argument("source", metavar="FROM", help="a DuckDB file, or ducklake:postgres:...")
    command.add_argument(
        "target", metavar="TO", help="a new DuckDB file, or ducklake:postgres:... of an empty database"
    )
    command.add_argument("--data", metavar="FOLDER", help=DATA_HELP)


def _declare_map(verbs: Verbs) -> None:
    command = verbs.add_parser(
        "map",
        help="propose a mapping for a table, with the rates that it gives",
        description="Propose an entry of `tables:` for FILE from its columns and values; print it with the first rows"
        " and the rates that it gives. Several files with the same columns get one entry. Exits with 1 if it gives"
        " none.",
    )
    command.add_argument(
        "files", nargs="+", metavar="FILE", help="a CSV, TSV, JSON lines, Parquet or JSON file of rows"
    )
    for name, what in (("run", "run"), ("step", "step"), ("eval", "eval"), ("mix", "data mix"), ("stage", "stage")):
        command.add_argument(f"--{name}", metavar="NAME", help=f"the {what} of all rows, in place of what is proposed")
    command.add_argument(
        "--study",
        metavar="FILE",
        help="the study file (default: the nearest study.yaml above the files, else a new one beside them)",
    )
    command.add_argument("--write", action="store_true", help="write it into the study file; all else in it stays")


def _declare_formats(verbs: Verbs) -> None:
    command = verbs.add_parser(
        "formats",
        help="list the formats that are read",
        description="List the formats that files are read by, in the order in which they are tried: what each reads and"
        " which package it comes from, or why it could not be loaded. Exits with 1 if one could not.",
    )
    _formats(command)


def _declare_docs(verbs: Verbs) -> None:
    command = verbs.add_parser(
        "docs",
        help="read the documentation, without a network",
        description="Serve the documentation on 127.0.0.1 and open it in the browser. It is rendered from what is"
        " installed, and needs no network.",
    )
    command.add_argument("--port", type=port_number, metavar="N", help="port on 127.0.0.1 (default: any that is free)")
    command.add_argument("--no-browser", action="store_true", help="print the address, and open no browser")
    command.add_argument("--out", metavar="FOLDER", help="write the pages as files into FOLDER, and serve nothing")


CSV_HELP = (
    "In CSV, texts that begin like a formula (= + - @) get a leading apostrophe against formula injection; Parquet and"
    " JSON hold them as they are."
)


def _store(command: argparse.ArgumentParser) -> None:
    command.add_argument("--store", metavar="FILE", help=STORE_HELP)
    command.add_argument("--data", metavar="FOLDER", help=DATA_HELP)


def _source(command: argparse.ArgumentParser) -> None:
    _store(command)
    command.add_argument("--path", metavar="PATH", help="the folder whose store to use (default: the demo study)")


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
    command.add_argument("--as-of", type=int, metavar="BATCH", help="data of an import (default: the latest)")


def _measures(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--split",
        action="append",
        default=[],
        metavar="FIELD",
        help="group by metadata.NAME, task_args.NAME or variant; up to twice",
    )
    command.add_argument(
        "--interval",
        choices=("wilson", "clopper-pearson"),
        default="wilson",
        help="confidence interval of rates: Wilson (default), or Clopper-Pearson (exact, wider)",
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


def _limit(command: argparse.ArgumentParser, rows: int) -> None:
    command.add_argument(
        "--limit", type=int, default=rows, metavar="N", help=f"at most so many rows (default: {rows}, at most 100000)"
    )


def _files(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--format", choices=("table", "json", "csv", "parquet"), default="table", help=f"default: table. {CSV_HELP}"
    )
    command.add_argument("--out", metavar="FILE", help="write JSON, CSV or Parquet into FILE")


COMMANDS: dict[str, Callable[[Verbs], None]] = {
    "view": _declare_view,
    "ingest": _declare_ingest,
    "rates": _declare_rates,
    "compare": _declare_compare,
    "serve": _declare_serve,
    "export": _declare_export,
    "samples": _declare_samples,
    "search": _declare_search,
    "transcript": _declare_transcript,
    "query": _declare_query,
    "plan": _declare_plan,
    "mcp": _declare_mcp,
    "compact": _declare_compact,
    "backup": _declare_backup,
    "restore": _declare_restore,
    "migrate": _declare_migrate,
    "map": _declare_map,
    "formats": _declare_formats,
    "docs": _declare_docs,
}
"""What declares each command, in the order of `--help`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status: 0 done, 1 something was rejected or went wrong, 2 wrong usage."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words:
        parser().print_help(sys.stderr)
        return 2
    # What follows -- is for the server that `serve` starts: argparse would take it for further checkpoints.
    at = words.index("--") if words[:1] == ["serve"] and "--" in words else len(words)
    given = _parse(parser(words[0] if words and words[0] in COMMANDS else None), words[:at])
    given.extra = words[at + 1 :]
    given.parser = parser  # whoever documents the commands wants all of them
    if arguments is None:
        # The interpreter's end goes through all objects several times, in search of garbage that ends with it anyway.
        atexit.register(gc.freeze)
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
        print("driftline: interrupted; what was imported is kept.", file=sys.stderr)
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
