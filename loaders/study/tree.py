"""Which run cards and study files speak of a path, and what they say: the nearest and most specific wins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from msgspec import Struct

from loaders.study.cards import CardCheckpoint, LogEntry, RunCard
from loaders.study.definitions import EvalDefinition, StudyFile
from loaders.study.evidence import Field
from loaders.study.globs import fixed_depth, glob_matches
from loaders.study.naming import run_of_folders
from loaders.study.reading import builtin_study
from loaders.study.weights import with_located_weights
from loaders.table_mapping import TableMapping


class Shelved(Struct, frozen=True, kw_only=True):
    """A run card where it lies, or as a study file holds it."""

    card: RunCard
    path: str
    """Of the file, relative to the root: `sdf/run.yaml`, `../run.yaml`."""
    source: str
    """For people: "run card sdf/run.yaml", "run card study.yaml, runs[0]"."""
    depth: int
    """Folders between the root and what the card is for; negative above the root."""
    folder_name: str | None
    """The name of its folder, as the run's where nothing else names it."""


class Said(Struct, frozen=True, kw_only=True):
    """What a card says of one field of a log."""

    source: str
    value: Any
    depth: int
    by_glob: bool
    """It was claimed by a pattern on its path, not by lying in the card's folder."""


class CardTree:
    """The run cards and study files of one ingest root.

    Args:
        cards: Path of each `run.yaml` relative to the root with forward slashes (`../run.yaml` above it), and content.
        studies: The same of study files.
        root: The root itself, as an absolute path, for the names of the folders above: globs of cards that lie above
            the root are relative to those. Without it those names are unknown, and only wildcards match them.
    """

    def __init__(
        self, cards: Sequence[tuple[str, RunCard]], studies: Sequence[tuple[str, StudyFile]], root: str = ""
    ) -> None:
        self.root = root
        self.root_parts = tuple(part for part in root.replace("\\", "/").split("/") if part)
        self.cards = [self._shelved(path, card) for path, card in cards]
        self.studies = sorted(studies, key=lambda each: -_folder(each[0])[1])
        self.study_cards = [
            self._shelved(path, card, f"{path}, runs[{i}]")
            for path, study in studies
            for i, card in enumerate(study.runs)
        ]

    def _shelved(self, path: str, card: RunCard, name: str | None = None) -> Shelved:
        folder, depth = _folder(path)
        above = -depth if depth < 0 else 0
        outer = self.root_parts[: len(self.root_parts) - above] if above else self.root_parts
        depth += fixed_depth(card.match) if card.match else 0
        return Shelved(
            card=with_located_weights(card, path, self.root),
            path=path,
            source=f"run card {name or path}",
            depth=depth,
            folder_name=None if card.match else run_of_folders([*outer, *folder]),
        )

    def with_study(self, path: str, study: StudyFile) -> CardTree:
        """The same with another study file at a path, in place of the one that lies there."""
        cards = [(each.path, each.card) for each in self.cards]
        return CardTree(cards, [*((at, held) for at, held in self.studies if at != path), (path, study)], self.root)

    def chain(self, path: str) -> list[Shelved]:
        """The cards that speak of a path: from the nearest out to the first that names its run."""
        holding = [each for each in self.cards if self._within(each.path, path) is not None]
        holding += [each for each in self.study_cards if self._matches(each.path, each.card.match or "", path)]
        # Of two at the same depth, one that was written for this very path comes before the folder's own.
        holding.sort(key=lambda each: (-each.depth, each.card.match is None))
        chain = []
        for each in holding:
            chain.append(each)
            if each.card.name is not None:
                break
        rivals = [each for each in holding if each not in chain and each.depth == chain[-1].depth]
        return chain + [each for each in rivals if each.card.name is not None]

    def said(self, path: str) -> dict[Field, list[Said]]:
        """What cards and `logs:` entries say of a log, by field; the nearest and most specific first."""
        found: dict[Field, list[Said]] = {"run": [], "step": [], "mix": [], "stage": [], "variant": []}

        def add(field: Field, value: Any, source: str, depth: int, by_glob: bool) -> None:
            if value is not None:
                found[field].append(Said(source=source, value=value, depth=depth, by_glob=by_glob))

        for shelved in self.chain(path):
            card, by_glob = shelved.card, shelved.card.match is not None
            for field, value in (
                ("run", card.name),
                ("step", card.step),
                ("mix", card.mix.name if card.mix else None),
                ("stage", card.stage),
            ):
                add(field, value, shelved.source, shelved.depth, by_glob)  # type: ignore[arg-type]
            self._add_logs(card.logs, shelved.path, shelved.source, path, add)
        for study_path, study in self.studies:
            self._add_logs(study.logs, study_path, f"run card {study_path}", path, add)
        for values in found.values():
            values.sort(key=lambda each: (-each.depth, not each.by_glob))
        return found

    def _add_logs(self, logs: Sequence[LogEntry], card_path: str, source: str, path: str, add: Any) -> None:
        for i, entry in enumerate(logs):
            if self._matches(card_path, entry.match, path):
                depth = _folder(card_path)[1] + fixed_depth(entry.match)
                for field in ("run", "step", "mix", "stage", "variant"):
                    add(field, getattr(entry, field), f"{source}, logs[{i}]", depth, True)

    def evals(self, path: str) -> Iterator[EvalDefinition]:
        """Names of evals in force for a path: the nearest study's first, the built-in last."""
        for study_path, study in self.studies:
            if self._within(study_path, path) is not None:
                yield from study.evals
        yield from builtin_study().evals

    def table_for(self, path: str) -> tuple[TableMapping, str] | None:
        """The mapping of a table, and its path relative to the study file's folder; None where none maps it."""
        for study_path, study in self.studies:
            within = self._within(study_path, path)
            for table in study.tables:
                if within is not None and glob_matches(table.match, within):
                    return table, within
        return None

    def ignored(self, path: str) -> bool:
        """Whether a study file says that a file is not to be read."""
        return any(self._matches(study_path, glob, path) for study_path, study in self.studies for glob in study.ignore)

    def matches(self, card_path: str, pattern: str, path: str) -> bool:
        """Whether a glob of a card or study file matches a path."""
        return self._matches(card_path, pattern, path)

    def matches_any(self, card_path: str, paths: Iterable[str], pattern: str) -> bool:
        """Whether a glob of a card or study file matches at least one of some paths."""
        return any(self._matches(card_path, pattern, path) for path in paths)

    def run_of(self, each: Shelved) -> str | None:
        """The run that a card is about: its name, else the named card around it, else its folder's name."""
        if each.card.name is not None or each.card.match is not None:
            return each.card.name
        names = (around.card.name for around in self.chain(each.path))
        return next((name for name in names if name is not None), each.folder_name)

    def told_checkpoints(self) -> Iterator[tuple[str, str, CardCheckpoint]]:
        """The checkpoints that cards tell of: path of the card, run, checkpoint."""
        for each in (*self.study_cards, *self.cards):
            run = self.run_of(each)
            if run is not None:
                for checkpoint in each.card.checkpoints:
                    yield each.path, run, checkpoint

    def _matches(self, card_path: str, pattern: str, path: str) -> bool:
        within = self._within(card_path, path)
        return within is not None and glob_matches(pattern, within)

    def _within(self, card_path: str, path: str) -> str | None:
        """A path relative to the folder of a card; None where it lies elsewhere."""
        folder, depth = _folder(card_path)
        parts = path.split("/")
        if depth < 0 and folder:
            return None
        if depth < 0:
            outer = self.root_parts[depth:] if len(self.root_parts) >= -depth else ("\0",) * -depth
            return "/".join((*outer, *parts))
        if tuple(parts[: len(folder)]) != folder or len(parts) <= len(folder):
            return None
        return "/".join(parts[len(folder) :])


@lru_cache(maxsize=4096)
def _folder(card_path: str) -> tuple[tuple[str, ...], int]:
    """The folder of a card below the root, and its depth: negative above the root."""
    parts = tuple(part for part in card_path.split("/")[:-1] if part not in ("", "."))
    above = parts.count("..")
    return parts[above:], len(parts) - above if not above else -above
