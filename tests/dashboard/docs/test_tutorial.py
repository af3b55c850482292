"""The tutorial is followed to the letter, on real logs: each command prints what it shows."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import shutil
import urllib.request
from pathlib import Path

import pytest

from tests.docs_blocks import Command, blocks, commands
from tests.driftline import ROOT, driftline, viewing

pytestmark = pytest.mark.slow

ANYTHING = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
"""`...` stands for anything, and one space for any number of them."""


def followed(command: Command, folder: Path) -> str | None:
    """Do what a command of the tutorial does; what it prints, where that is shown."""
    words = shlex.split(command.typed)
    name, given = words[0], [word for word in words[1:] if not word.startswith("-")]
    match name:
        case "mkdir":
            (folder / given[0]).mkdir()
        case "cp":
            for each in given[:-1]:
                shutil.copytree(ROOT / each, folder / given[-1] / Path(each).name)
        case "rm":
            for path in folder.glob(given[0]):
                path.unlink()
        case "driftline":
            at = [str(folder / word) if word == "my-study" else word for word in words[1:]]
            if words[1] == "view":
                return viewed(at[1], folder)
            done = driftline(*at, data=folder)
            assert done.returncode == 0, done.stderr
            return done.stderr + done.stdout  # a terminal shows both
        case _:
            raise AssertionError(f"the test can't do {command.typed}")
    return None


def viewed(study: str, folder: Path) -> str:
    """What the dashboard prints, once it has answered."""
    said: list[str] = []
    with viewing(study, data=folder, said=said) as (address, _):
        assert urllib.request.urlopen(address, timeout=20).status == 200
        return "\n" + "".join(said)


def test_the_tutorial_can_be_followed(tmp_path: Path) -> None:
    ran = 0
    for block in blocks("tutorial"):
        if block.language == "yaml":
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
            continue
        for command in commands(block.text):
            printed = followed(command, tmp_path)
            if printed is not None:
                ran += 1
                checker = doctest.OutputChecker()
                assert checker.check_output(command.shown, printed, ANYTHING), f"{command.typed}\n{printed}"
    assert ran >= 6


def test_what_the_tutorial_says_of_the_numbers_is_so() -> None:
    text = (ROOT / "dashboard/docs/pages/tutorial.md").read_text(encoding="utf-8")
    found = re.search(r"smol_honeypots mean_wrong_command (\d+) (\d+) (\S+) (\S+) (\S+) .*\) (\d+)\n", text)
    assert found
    n, k, rate, low, high, missing = found.groups()
    sentence = " ".join(text.partition("mean_wrong_command: mean of wrong_command")[2].split())
    assert f"{k} of {n} samples" in sentence
    for number in (rate, low, high):
        assert f"{float(number):.1%}" in sentence
    assert int(missing) == 8
    assert "Eight samples have no outcome" in sentence


@pytest.mark.skipif(os.name == "nt", reason="paths")
def test_every_option_of_a_command_that_is_shown_is_known() -> None:
    """Commands anywhere in the documentation are right, whether or not a test runs them."""
    from dashboard.cli import parser
    from dashboard.docs.contents import NAMES

    top, checked = parser(), 0
    for name in NAMES:
        for block in blocks(name):
            for command in commands(block.text) if block.language == "console" else []:
                words = shlex.split(command.typed)
                if words[0] == "driftline":
                    given = words[1 : words.index(">")] if ">" in words else words[1:]
                    top.parse_args(given)
                    checked += 1
    assert checked >= 15
