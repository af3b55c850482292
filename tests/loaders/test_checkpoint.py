"""What names a checkpoint, and which checkpoints are the same."""

from __future__ import annotations

import pytest

from loaders.checkpoint import Checkpoint, named


@pytest.mark.parametrize(
    ("checkpoint", "name", "names"),
    [
        (Checkpoint("rl", 400), "rl@400", {"rl@400"}),
        (Checkpoint("rl", 400, "final"), "rl@400", {"rl@400", "rl@final"}),
        (Checkpoint("rl", 0), "rl@0", {"rl@0"}),
        (Checkpoint("rl", None, "final"), "rl@final", {"rl@final"}),
        (Checkpoint("a@b"), "a@b", {"a@b"}),
    ],
)
def test_it_is_called_by_its_step_else_its_label(checkpoint: Checkpoint, name: str, names: set[str]) -> None:
    assert (checkpoint.name, checkpoint.names) == (name, names)
    assert named(checkpoint.run, checkpoint.at) == name


def test_a_label_beside_a_step_makes_no_other_checkpoint() -> None:
    assert Checkpoint("rl", 400, "final").identity == Checkpoint("rl", 400).identity == Checkpoint("rl", 400)
    assert Checkpoint("rl", None, "final").identity == Checkpoint("rl", None, "final")
    assert len({Checkpoint("rl").identity, Checkpoint("rl", 0).identity, Checkpoint("rl", None, "0").identity}) == 3
