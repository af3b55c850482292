"""What is declared: models files with line-numbered errors, flags, and no key in either."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.probe.endpoints import Allowance, Declared, Endpoint, Limits, Match
from dashboard.probe.models_file import parse_endpoint, parse_models, read_models_file, together
from loaders.errors import DriftlineError, StudyError

SECRET = "sk-ant-api03-Zq8vX2mW9rT4kL7p"


def parsed(text: str) -> Declared:
    return parse_models(text.encode(), "models.yaml")


def problems(text: str) -> list[str]:
    with pytest.raises(StudyError) as caught:
        parsed(text)
    assert SECRET not in str(caught.value)
    return caught.value.problems


def test_everything_that_a_file_can_say() -> None:
    declared = parsed("""
endpoints:
  - name: local
    url: http://localhost:8000/v1/
    key: VLLM_API_KEY
    models: ["rl-*", 7]
    in_flight: 16
    first_token_s: 60
    silence_s: 7.5
  - {name: claude, protocol: anthropic, url: "https://api.anthropic.com/v1", key: ANTHROPIC_API_KEY}
matches:
  - {model: rl-final, checkpoint: rl@final}
  - {model: x, checkpoint: sdf@400, endpoint: local}
limits:
  per_probe: {requests: 10}
  per_day: {requests: 1e3, tokens: 2_000_000}
""")
    assert declared == Declared(
        (
            Endpoint("local", "openai", "http://localhost:8000/v1", "VLLM_API_KEY", ("rl-*", "7"), 16, 60.0, 7.5),
            Endpoint("claude", "anthropic", "https://api.anthropic.com", "ANTHROPIC_API_KEY"),
        ),
        (Match("rl-final", "rl@final"), Match("x", "sdf@400", "local")),
        Limits(Allowance(10, 1_000_000), Allowance(1000, 2_000_000)),
    )


@pytest.mark.parametrize("text", ["", "endpoints: []", "limits: {}", "matches:\n"])
def test_nothing_declared(text: str) -> None:
    assert parsed(text) == Declared()


@pytest.mark.parametrize(
    ("protocol", "url", "usual"),
    [
        ("openai", "http://h:8000", "http://h:8000/v1"),
        ("openai", "http://h:8000/", "http://h:8000/v1"),
        ("openai", "https://h/proxy/openai", "https://h/proxy/openai"),
        ("openai", "http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("anthropic", "http://h:8000/v1", "http://h:8000"),
        ("anthropic", "https://h/anthropic/", "https://h/anthropic"),
    ],
)
def test_addresses_in_their_usual_form(protocol: str, url: str, usual: str) -> None:
    declared = parsed(f"endpoints: [{{name: a, protocol: {protocol}, url: '{url}'}}]")
    assert declared.endpoints[0].url == usual


def test_every_problem_with_its_line() -> None:
    assert problems("""endpoints:
  - name: a
    url: http://a/v1
    in_flight: 0
    colour: red
  - name: a
    protocol: grpc
    url: ftp://b
  - {url: "http://c"}
matches:
  - {model: x, checkpoint: rl@5, endpoint: b}
limits: {per_probe: {requests: -1}, per_week: {}}
""") == [
        "line 4: endpoints[0].in_flight: wants a whole number, 1 or more, not 0",
        "line 5: endpoints[0].colour: unknown field `colour` (allowed: "
        "name, protocol, url, key, models, in_flight, first_token_s, silence_s, judge_tokens)",
        "line 6: endpoints[1].name: endpoints[0] has the same name",
        "line 7: endpoints[1].protocol: wants one of openai, anthropic, not 'grpc'",
        "line 8: endpoints[1].url: is no address of a server (wants http:// or https://, and a host)",
        "line 9: endpoints[2]: `name` is missing (wants a short name of letters, digits, spaces, dots, dashes and "
        "underscores)",
        "line 11: matches[0].endpoint: no endpoint 'b' is declared here (allowed: a)",
        "line 12: limits.per_probe.requests: wants a whole number, 0 or more, not -1",
        "line 12: limits.per_week: unknown field `per_week` (allowed: per_probe, per_day)",
    ]


@pytest.mark.parametrize(
    ("field", "words"),
    [
        (f"key: {SECRET}", "NAME of an environment variable"),
        ("key: hf_AbCdEfGhIjKlMnOp", "NAME of an environment variable"),
        ("key: 0123456789abcdef0123456789abcdef", "NAME of an environment variable"),
        ("key: AKIAIOSFODNN7EXAMPLE", "NAME of an environment variable"),
        (f"key: [{SECRET}]", "environment variable"),
        (f"api_key: {SECRET}", "keys never stand in this file"),
        (f"token: {SECRET}", "keys never stand in this file"),
        (f"headers: {{authorization: Bearer {SECRET}}}", "keys never stand in this file"),
        (f"protocol: {SECRET}", "one of openai, anthropic"),
        (f"in_flight: {SECRET}", "whole number"),
    ],
)
def test_a_key_in_the_file_is_refused_and_never_repeated(field: str, words: str) -> None:
    (problem,) = problems(f"endpoints:\n  - name: a\n    url: http://a\n    {field}\n")
    assert problem.startswith("line 4: ")
    assert words in problem
    assert "AbCd" not in problem
    assert "0123" not in problem
    assert "AKIA" not in problem


@pytest.mark.parametrize(
    "url",
    [
        f"http://user:{SECRET}@host/v1",
        f"http://{SECRET}@host/v1",
        f"https://host/v1?api_key={SECRET}",
        f"https://host/v1#{SECRET}",
        SECRET,
        f"file:///etc/{SECRET}",
        "http://",
        "http://host:99999999/v1",
        "http://[::1/v1",
        "http://host name/v1",
        "http://a\\\\@b/v1",
    ],
)
def test_addresses_that_are_refused(url: str) -> None:
    (problem,) = problems(f'endpoints:\n  - name: a\n    url: "{url}"\n')
    assert problem.startswith("line 3: endpoints[0].url: ")
    with pytest.raises(DriftlineError) as caught:
        parse_endpoint(f"a={url}")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        f"endpoints: {SECRET}",
        f"endpoints: [{SECRET}]",
        f"api_key: {SECRET}",
        f"endpoints:\n  - name: a\n   url: '{SECRET}'",
        f"- {SECRET}",
        f"endpoints: *{SECRET}",
        f"key: !{SECRET} x",
    ],
)
def test_a_key_anywhere_is_never_repeated(text: str) -> None:
    assert problems(text)


def test_a_key_given_twice_and_a_file_that_is_not_there(tmp_path: Path) -> None:
    (problem,) = problems("endpoints: []\nlimits: {}\nendpoints: []")
    assert problem == "line 3: endpoints: duplicate key, first on line 1"
    with pytest.raises(StudyError, match="can't be read"):
        read_models_file(tmp_path / "none.yaml")
    (tmp_path / "models.yaml").write_text("endpoints: [{name: a, url: 'http://a'}]")
    assert read_models_file(tmp_path / "models.yaml").endpoints[0].url == "http://a/v1"


@pytest.mark.parametrize(
    ("flag", "endpoint"),
    [
        ("local=http://localhost:8000/v1", Endpoint("local", "openai", "http://localhost:8000/v1")),
        ("a=http://h,key=A_KEY", Endpoint("a", "openai", "http://h/v1", "A_KEY")),
        ("a=anthropic:http://h:1/v1,key=K", Endpoint("a", "anthropic", "http://h:1", "K")),
        ("anthropic", Endpoint("anthropic", "anthropic", "https://api.anthropic.com", "ANTHROPIC_API_KEY")),
        ("anthropic,key=MY_KEY", Endpoint("anthropic", "anthropic", "https://api.anthropic.com", "MY_KEY")),
    ],
)
def test_flags(flag: str, endpoint: Endpoint) -> None:
    assert parse_endpoint(flag) == endpoint


@pytest.mark.parametrize(
    "flag",
    [
        *("", "openai", "=http://h", "a=", "a=h:8000", "a=http://h,foo=1", "a=http://h,key="),
        *(f"a=http://h,key={SECRET}", SECRET, f"a={SECRET}", f"{SECRET}=http://h,key=x"),
    ],
)
def test_flags_that_are_refused(flag: str) -> None:
    with pytest.raises(DriftlineError) as caught:
        parse_endpoint(flag)
    assert str(caught.value).startswith("--endpoint ")
    assert SECRET not in str(caught.value)


def test_flags_add_to_the_file_and_replace_by_name() -> None:
    file = parsed("endpoints: [{name: a, url: 'http://a'}, {name: b, url: 'http://b'}]\nlimits: {per_day: {tokens: 5}}")
    both = together(file, [parse_endpoint("b=http://c"), parse_endpoint("anthropic")])
    assert [(endpoint.name, endpoint.url) for endpoint in both.endpoints] == [
        ("a", "http://a/v1"),
        ("b", "http://c/v1"),
        ("anthropic", "https://api.anthropic.com"),
    ]
    assert both.limits.per_day.tokens == 5
