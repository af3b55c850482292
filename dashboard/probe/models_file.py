"""Reads what is declared: `models.yaml`, and the flags `--endpoint`. Keys are never in either, only their names.

```yaml
endpoints:
  - name: local                       # shown, and saved with every reply
    url: http://localhost:8000/v1     # protocol: openai (vLLM and others) unless anthropic is said
    key: VLLM_API_KEY                 # an environment variable or Streamlit secret; none for an open server
    models: ["rl-*", "base"]          # which of its models may be asked; all where none are named
    in_flight: 8
matches:
  - {model: rl-v3-final, checkpoint: rl@final}
limits:
  per_probe: {requests: 512, tokens: 1000000}
  per_day: {requests: 5000, tokens: 10000000}
```
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path as FilePath
from typing import Any

import msgspec

from dashboard.probe import models_schema
from dashboard.probe.addresses import key_problem, url_problem, usual
from dashboard.probe.endpoints import Allowance, Declared, Endpoint, Limits, Match
from dashboard.probe.protocols import BY_NAME, USUAL, forms, named_in
from loaders.errors import DriftlineError, StudyError
from loaders.study.checks import Problem, normalise, schema_problems
from loaders.study.conditions import Path
from loaders.study.yaml_files import file_bytes, told
from loaders.study.yaml_lines import YamlProblem, parse

SECRET_FIELDS = re.compile(r"(?i)^(?:\w*api[-_ ]?key|\w*token|auth\w*|bearer|secret|password|headers?)$")

LONGEST_SHOWN = 24
"""Characters of a wrong value that an error shows; longer ones may be keys."""

NO_KEYS_HERE = (
    "is no field, and keys never stand in this file: set an environment variable or Streamlit secret to the key, "
    "and name that as `key` of the endpoint"
)

FORMS = f"{forms()}; then ,key=VARIABLE where a key is wanted"


def read_models_file(path: FilePath | str) -> Declared:
    """What a models file declares.

    Raises:
        StudyError: It can't be read, is not YAML, breaks the schema or holds a key; names every problem with its
            line, and repeats nothing that may be a key.
    """
    return parse_models(file_bytes(path), path)


def parse_models(data: bytes, path: FilePath | str) -> Declared:
    """What the text of a models file declares; the path is only named in errors.

    Raises:
        StudyError: As `read_models_file`.
    """
    try:
        document = parse(data)
    except YamlProblem as e:
        # What PyYAML says may repeat the text.
        said = re.sub(r"(['\"`]).*?\1", "...", e.text)
        raise StudyError(path, [f"line {e.line}: {said}" if e.line else said]) from None
    value = normalise(document.value, models_schema.MODELS_FILE, document)
    found = [_discreet(each) for each in schema_problems(value, models_schema.MODELS_FILE) if not _of_secret(each[0])]
    found += [(where, NO_KEYS_HERE) for where in _secret_fields(value)] + _more_problems(value)
    if lines := told(document, found):
        raise StudyError(path, lines)
    return _declared(value)


def parse_endpoint(text: str) -> Endpoint:
    """The endpoint that a flag declares: see `FORMS`.

    Raises:
        DriftlineError: It is none of these, or holds a key.
    """
    said, comma, rest = text.partition(",key=")
    name, equals, address = said.partition("=")
    if comma and (problem := key_problem(rest)) is not None:
        raise DriftlineError(f"--endpoint {_shown(name)}: the key {problem}.")
    maker = BY_NAME[said].maker if said in BY_NAME else None
    if maker is not None:
        return Endpoint(said, said, maker.url, rest or maker.key)
    protocol, url = named_in(address)
    if not equals or not re.fullmatch(str(models_schema.ENDPOINT_NAME["pattern"]), name):
        raise DriftlineError(f"--endpoint {_shown(name)}: wants {FORMS}.")
    if "," in url:
        raise DriftlineError(f"--endpoint {name}: after the comma, only key=VARIABLE is known. It wants {FORMS}.")
    if (problem := url_problem(url)) is not None:
        raise DriftlineError(f"--endpoint {name}: the address {problem}.")
    return Endpoint(name, protocol.name, usual(url, protocol.name), rest or None)


def together(declared: Declared, endpoints: Iterable[Endpoint]) -> Declared:
    """A models file with the endpoints of flags added; one of the same name replaces the file's."""
    by_name = {endpoint.name: endpoint for endpoint in (*declared.endpoints, *endpoints)}
    return msgspec.structs.replace(declared, endpoints=tuple(by_name.values()))


def _shown(name: str) -> str:
    """What stands before the `=` of a flag, if it is short enough for a name."""
    return name if re.fullmatch(r"[\w. -]{1,20}", name) else "..."


def _discreet(problem: Problem) -> Problem:
    """A problem of the schema without the value that is wrong, where that may be a key."""
    where, said = problem
    wants, is_not, given = said.rpartition(", not ")
    return (where, wants) if is_not and ({"key", "url"} & {*where} or len(given) > LONGEST_SHOWN) else problem


def _of_secret(where: Path) -> bool:
    return any(isinstance(part, str) and SECRET_FIELDS.match(part) for part in where)


def _secret_fields(value: Any, path: Path = ()) -> Iterator[Path]:
    """Where people put keys who think that they belong here."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        if isinstance(name, str) and SECRET_FIELDS.match(name):
            yield (*path, name)
        else:
            yield from _secret_fields(item, (*path, name))


def _more_problems(value: Any) -> list[Problem]:
    """What no schema says: keys and addresses, names that come twice, matches for endpoints that are not there."""
    found: list[Problem] = []
    names: dict[str, int] = {}
    for i, endpoint in enumerate(_items(value, "endpoints")):
        here: Path = ("endpoints", i)
        url, key, name = endpoint.get("url"), endpoint.get("key"), endpoint.get("name")
        if isinstance(url, str) and url and (problem := url_problem(url)) is not None:
            found.append(((*here, "url"), problem))
        if isinstance(key, str) and (problem := key_problem(key)) is not None:
            found.append(((*here, "key"), problem))
        if isinstance(name, str) and names.setdefault(name, i) != i:
            found.append(((*here, "name"), f"endpoints[{names[name]}] has the same name"))
    for i, match in enumerate(_items(value, "matches")):
        of = match.get("endpoint")
        if isinstance(of, str) and of not in names:
            known = ", ".join(names) or "none"
            found.append((("matches", i, "endpoint"), f"no endpoint {of!r} is declared here (allowed: {known})"))
    return found


def _items(value: Any, field: str) -> list[dict[str, Any]]:
    items = value.get(field) if isinstance(value, dict) else None
    return [item if isinstance(item, dict) else {} for item in items] if isinstance(items, list) else []


def _declared(value: dict[str, Any]) -> Declared:
    endpoints = []
    for item in value.get("endpoints", ()):
        protocol = item.get("protocol", USUAL.name)
        endpoints.append(msgspec.convert({**item, "protocol": protocol, "url": usual(item["url"], protocol)}, Endpoint))
    limits = {
        name: msgspec.convert(msgspec.to_builtins(getattr(Limits(), name)) | given, Allowance)
        for name, given in value.get("limits", {}).items()
    }
    return Declared(tuple(endpoints), msgspec.convert(value.get("matches", ()), tuple[Match, ...]), Limits(**limits))
