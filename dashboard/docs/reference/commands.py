"""The commands with all their options, from the parser itself."""

from __future__ import annotations

import argparse

from dashboard.docs.markdown import code, escaped, table


def commands_text(top: argparse.ArgumentParser) -> str:
    """A section for each command."""
    parts = []
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            parts += [_command(parser) for parser in action.choices.values()]
    return "\n".join(parts)


def _command(parser: argparse.ArgumentParser) -> str:
    usage = " ".join(parser.format_usage().removeprefix("usage: ").split())
    rows = [
        (code(_written(action)), escaped(_help(parser, action)))
        for action in parser._actions
        if not isinstance(action, argparse._HelpAction)
    ]
    return "\n\n".join(
        [
            f"## {parser.prog}",
            escaped(parser.description or ""),
            f"```text\n{_folded(usage)}\n```",
            table(("Argument", "Meaning"), rows),
        ]
    )


def _written(action: argparse.Action) -> str:
    """How an argument is given: `--port N`."""
    metavar = action.metavar or ("|".join(map(str, action.choices)) if action.choices else action.dest.upper())
    value = " ".join(metavar) if isinstance(metavar, tuple) else metavar
    if not action.option_strings:
        return value
    return ", ".join(action.option_strings) + ("" if action.nargs == 0 else f" {value}")


def _help(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    return (action.help or "") % {**vars(action), "prog": parser.prog}


def _folded(usage: str, width: int = 88) -> str:
    """A usage line over several, broken between arguments."""
    lines: list[str] = []
    for word in usage.replace(" [", "\n[").split("\n"):
        if lines and len(lines[-1]) + len(word) < width:
            lines[-1] += f" {word}"
        else:
            lines.append(f"    {word}" if lines else word)
    return "\n".join(lines)
