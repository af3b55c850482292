"""The statistics, from the docstrings of `dashboard.statistics`: what each computes, of what, and from which source."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pkgutil import iter_modules
from types import FunctionType
from typing import Any

from dashboard import statistics
from dashboard.docs.markdown import escaped

SECTION = re.compile(r"^(Args|Returns|Raises|Attributes):$")


def statistics_text() -> str:
    """A section for each module, and in it one for each function and class that others may use."""
    parts = []
    for found in iter_modules(statistics.__path__):
        module = import_module(f"{statistics.__name__}.{found.name}")
        public = [
            value
            for name, value in vars(module).items()
            if name in statistics.__all__ and getattr(value, "__module__", "") == module.__name__
        ]
        if public:
            parts += [f"## {found.name.replace('_', ' ').capitalize()}", docstring_text(module)]
            parts += [_entry(value) for value in public if callable(value)]
    return "\n\n".join(parts)


def _entry(value: Any) -> str:
    signature = _signature(value)
    shown = f"```python\n{value.__name__}{signature}\n```\n\n" if signature else ""
    return f"### {value.__name__}\n\n{shown}{docstring_text(value)}"


def _signature(value: Any) -> str:
    """Names and defaults of a function's parameters; types stand in the text."""
    if not isinstance(value, FunctionType):
        return ""
    parameters = [
        name if parameter.default is parameter.empty else f"{name}={parameter.default!r}"
        for name, parameter in inspect.signature(value).parameters.items()
    ]
    return f"({', '.join(parameters)})"


def docstring_text(value: Any) -> str:
    """A docstring as Markdown: its paragraphs, and its sections as lists."""
    lines: list[str] = []
    within = ""
    for line in (inspect.getdoc(value) or "").splitlines():
        if found := SECTION.match(line):
            within = found[1]
            lines += ["", f"**{within}**", ""]
        elif within and line.startswith(" "):
            lines.append(_item(line, within))
        else:
            within = "" if line.strip() else within
            lines.append(escaped(line))
    return "\n".join(lines)


def _item(line: str, section: str) -> str:
    """A line of a section: `name: text` begins an item, what is indented further continues it."""
    name, colon, text = line.strip().partition(": ")
    if line.startswith("     ") or section == "Returns" or not colon:
        return escaped(line.strip())
    return f"- `{name}`: {escaped(text)}"
