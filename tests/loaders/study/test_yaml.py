"""YAML with line numbers: values as they were meant, and hostile or broken files refused with a line."""

from __future__ import annotations

import pytest

from loaders.study.yaml_lines import MAX_BYTES, Document, YamlProblem, parse


def value(text: str) -> object:
    return parse(text.encode()).value


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("Off", "Off"),
        ("N", "N"),
        ("true", True),
        ("False", False),
        ("2024-01-01", "2024-01-01"),
        ("2001-12-14t21:59:43.10-05:00", "2001-12-14t21:59:43.10-05:00"),
        ("12:30:45", "12:30:45"),
        ("0400", 400),
        ("3_000_000", 3_000_000),
        ("30e6", 30e6),
        ("1.5", 1.5),
        (".5", 0.5),
        ("-7", -7),
        ("0x1f", "0x1f"),
        ("0o17", "0o17"),
        ("1.3b", "1.3b"),
        ("1e999", "1e999"),
        (".nan", ".nan"),
        (".inf", ".inf"),
        ("9" * 5000, "9" * 5000),
        ("~", None),
        ("null", None),
        ("", None),
        ("'400'", "400"),
        ('"true"', "true"),
        ("!!str 400", "400"),
        ("=", "="),
    ],
)
def test_scalars_mean_what_people_mean(written: str, meant: object) -> None:
    found = value(f"x: {written}\n")
    assert found == {"x": meant}
    assert isinstance(found, dict)
    assert type(found["x"]) is type(meant)


def test_lines_of_keys_and_items() -> None:
    document = parse(
        b"# a comment\n\nname: x\nmix:\n  components:\n    - name: a\n\n    - {name: b,\n       share: 1}\n"
    )
    assert document.line(("name",)) == 3
    assert document.line(("mix", "components")) == 5
    assert document.line(("mix", "components", 1)) == 8
    assert document.line(("mix", "components", 1, "share")) == 9
    assert document.line(("mix", "components", 0, "nothing", "here")) == 6
    assert document.line(("nothing",)) == 3


def test_numbers_keep_how_they_were_written() -> None:
    document = parse(b"a: 007\nb: 1_000\nc: ~\nd: text\n")
    assert [document.text((key,)) for key in "abcd"] == ["007", "1_000", "~", None]


def test_aliases_are_what_they_stand_for_and_know_their_line() -> None:
    document = parse(b"one: &x\n  deep: 007\ntwo: *x\nthree: [*x]\n")
    assert document.value == {"one": {"deep": 7}, "two": {"deep": 7}, "three": [{"deep": 7}]}
    assert document.line(("two", "deep")) == 2
    assert document.line(("three", 0, "deep")) == 2
    assert document.text(("three", 0, "deep")) == "007"


def test_duplicate_keys_are_told_with_both_lines() -> None:
    document = parse(b"a: 1\nb: {c: 1, d: 2,\n c: 3}\na: 2\n")
    assert document.duplicates == [(("b", "c"), 2, 3), (("a",), 1, 4)]
    assert document.value == {"a": 1, "b": {"c": 1, "d": 2}}


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n", "\ufeff", "---\n...\n"])
def test_empty_is_an_empty_mapping(text: str) -> None:
    assert value(text) == {}


def billion_laughs() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    return "\n".join(lines)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (billion_laughs(), 5, "more than 50,000 values"),
        ("a: &a [1, *a]\n", 1, "inside of what it stands for"),
        ("x: 1\na: *nothing\n", 2, "alias `*nothing`"),
        ("x: 1\na: !!python/object/apply:os.system [ls]\n", 2, "no tags"),
        ("a: !custom x\n", 1, "no tags"),
        ("a: !!binary aGk=\n", 1, "no tags"),
        ("a: " + "[" * 5000, 1, "nested deeper than 30"),
        ("a:\n" + "".join(" " * i + "- \n" for i in range(1, 60)), 32, "nested deeper than 30"),
        ("- 1\n" * 60_000, 50_000, "more than 50,000 values"),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("a: 1\n b: 2\n", 2, "not YAML"),
        ("a: [1, 2\nb: 3\n", 2, "not YAML"),
        ("a: 'open\n", 2, "not YAML"),
        ("a:\n\tb: 1\n", 2, "not YAML"),
        ("x: 1\n? [a, b]\n: 2\n", 2, "key that is not a plain text"),
        ("x: 1\n*a : 2\n", 2, "key that is not a plain text"),
        ("x: 1\ny: a\x00b\n", 2, "U+0000"),
        ("x: 1\ny: a\x1bb\n", 2, "U+001B"),
    ],
)
def test_hostile_and_broken_files_are_refused_with_a_line(text: str, line: int, words: str) -> None:
    with pytest.raises(YamlProblem) as problem:
        parse(text.encode())
    assert words in problem.value.text
    assert problem.value.line == line


def test_too_large_and_not_text() -> None:
    with pytest.raises(YamlProblem, match="1,000,001 bytes"):
        parse(b"#" * (MAX_BYTES + 1))
    with pytest.raises(YamlProblem, match="not UTF-8") as problem:
        parse("a: 1\nname: Müller\n".encode("latin-1"))
    assert problem.value.line == 2


def test_merge_keys_are_plain_keys() -> None:
    assert parse(b"<<: {a: 1}\n") == Document(
        value={"<<": {"a": 1}}, lines={(): 1, ("<<",): 1, ("<<", "a"): 1}, texts={("<<", "a"): "1"}
    )
