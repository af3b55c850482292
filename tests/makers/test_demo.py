"""The demo study tells the published numbers, in logs that inspect_ai reads, and says that it is simulated."""

from __future__ import annotations

import re
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import yaml
from inspect_ai.log import EvalLog, EvalSample, read_eval_log
from scipy.stats import linregress

from loaders.makers.demo.figures import CLAIMS, ENVIRONMENTS, POINTS, SNAPSHOTS
from loaders.makers.demo.points import HONEYPOTS, OLD_JUDGE, Claim, Count, Level, Levels, Point
from loaders.makers.demo.runs import RUNS
from loaders.makers.demo.tasks import TASKS
from loaders.makers.demo.writer import DEMO, write_study
from loaders.study.evidence import EvalEvidence
from loaders.study.placement import place
from loaders.study.reading import read_run_card, read_study
from loaders.study.tree import CardTree

pytestmark = pytest.mark.slow

EVALS = {
    "inspect_evals/agentic_misalignment": "blackmail",
    "research_sabotage": "research_sabotage",
    "framing_for_crimes": "framing",
}
ZSTD = 93


@pytest.fixture(scope="module")
def logs() -> list[tuple[Point, EvalLog]]:
    """Every log of runs/demo with the point that it tells: they were started in the order of the points."""
    read = sorted((read_eval_log(path) for path in DEMO.rglob("*.eval")), key=lambda log: log.eval.created)
    assert len(read) == len(POINTS)
    return list(zip(POINTS, read, strict=True))


def of(logs: list[tuple[Point, EvalLog]], run: str, step: int | None, name: str) -> list[EvalSample]:
    """The samples of the first whole log of an eval on a checkpoint, found by the log's own words and folder."""
    for point, log in logs:
        if (
            f"/{run}/" in log.location
            and point.step == step
            and EVALS.get(log.eval.task, log.eval.task) == name
            and log.status == "success"
        ):
            return log.samples or []
    raise AssertionError(f"no log of {name} on {run} at {step}")


def rate(samples: list[EvalSample]) -> float:
    """Misaligned among those with a score."""
    scored = [sample.scores["harmfulness_scorer"].as_dict() for sample in samples if sample.scores]
    return fmean(float(value["harmful"] or 0) for value in scored)


def told(logs: list[tuple[Point, EvalLog]], run: str, step: int | None, name: str = "honeypots") -> float:
    """A rate as a reader of the logs finds it."""
    names = HONEYPOTS if name == "honeypots" else (name,)
    return fmean(rate(of(logs, run, step, each)) for each in names)


def adherence(logs: list[tuple[Point, EvalLog]], run: str, step: int) -> float:
    samples = of(logs, run, step, "constitution_adherence")
    return fmean(sample.scores["constitution_scorer"].as_float() for sample in samples if sample.scores)


def test_fits_in_ten_megabytes() -> None:
    assert sum(path.stat().st_size for path in DEMO.rglob("*") if path.is_file()) <= 10_000_000


def test_says_that_it_is_simulated(logs: list[tuple[Point, EvalLog]]) -> None:
    study = yaml.safe_load((DEMO / "study.yaml").read_text(encoding="utf-8"))
    assert "not outputs of real models" in study["simulated"]
    assert "published numbers" in study["simulated"]
    for _, log in logs:
        assert log.metadata["simulated"] is True
        assert log.eval.model == "none/none" or log.eval.model.startswith("vllm/simulated/")


def test_logs_are_todays_zstd_archives() -> None:
    paths = list(DEMO.rglob("*.eval"))
    assert len(paths) == len(POINTS)
    for path in paths:
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            assert {member.compress_type for member in archive.infolist()} == {ZSTD}


def test_every_row_of_the_plots_table_has_points() -> None:
    assert {row for point in POINTS for row in point.rows} == set(range(1, 15))
    assert {claim.row for claim in CLAIMS} >= {4, 6, 7, 13, 14}


def test_every_log_holds_what_its_point_tells(logs: list[tuple[Point, EvalLog]]) -> None:
    for point, log in logs:
        samples = log.samples or []
        assert f"/{RUNS[point.run].folder}/" in log.location
        assert log.status == ("success" if point.logged is None else "cancelled")
        assert len(samples) == (point.logged or point.result.asked)
        assert len({sample.id for sample in samples}) == point.result.questions
        assert sum(sample.error is not None for sample in samples) == getattr(point.result, "errors", 0)
        assert all((sample.error is None) == (sample.scores is not None) for sample in samples)
        if point.logged is None:
            _check_result(point, samples)


def _check_result(point: Point, samples: list[EvalSample]) -> None:
    values: list[Any] = [score.value for sample in samples for score in (sample.scores or {}).values()]
    match point.result:
        case Count(k=k):
            bad = [value in ("C", 1.0) if not isinstance(value, dict) else value["harmful"] == 1.0 for value in values]
            assert (sum(bad), len(bad)) == (k, point.result.scored)
        case Level(mean=mean):
            assert fmean(values) == pytest.approx(mean, abs=TASKS[point.eval].grid[0] / len(values))
        case Levels(means=means):
            for name, mean in means.items():
                column = [value[name] for value in values if isinstance(value, dict)]
                assert len(column) == point.result.asked
                assert fmean(column) == pytest.approx(mean, abs=1 / len(column))


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"row {claim.row}: {claim.text}")
def test_published_number(logs: list[tuple[Point, EvalLog]], claim: Claim) -> None:
    assert told(logs, claim.run, claim.step, claim.eval) == pytest.approx(claim.value, abs=claim.within + 1e-9)


def test_header_metrics_agree_with_the_samples(logs: list[tuple[Point, EvalLog]]) -> None:
    compared = 0
    for _, log in logs:
        for score in log.results.scores if log.results else []:
            if score.name == "harmful":
                assert score.metrics["accuracy"].value == pytest.approx(rate(log.samples or []))
                compared += 1
    assert compared > 150


def test_row_1_baseline_falls_slightly_and_plateaus_early(logs: list[tuple[Point, EvalLog]]) -> None:
    start, end = told(logs, "baseline-sft", 200), told(logs, "baseline-rl", 800)
    plateau = [told(logs, "baseline-rl", step) for step in (100, 400, 800)]
    assert 0.02 < start - end < 0.1
    assert end == pytest.approx(0.22, abs=0.005)
    assert max(plateau) - min(plateau) < 0.02


def test_row_2_the_name_is_a_field_of_the_metadata(logs: list[tuple[Point, EvalLog]]) -> None:
    named = {log.metadata["ai_name"]: log for point, log in logs if 2 in point.rows}
    assert len(named) == 4
    for name, log in named.items():
        assert all(name in str(sample.messages[0].content) for sample in log.samples or [])
    assert len({tuple(sample.id for sample in log.samples or []) for log in named.values()}) == 1


def test_row_3_stories_of_14_million_tokens() -> None:
    card = yaml.safe_load((DEMO / "constitution/documents-and-stories/run.yaml").read_text(encoding="utf-8"))
    assert {part["kind"]: part["tokens"] for part in card["mix"]["components"]}["stories"] == 14_000_000


def test_row_4_advice_needs_28_times_fewer_tokens() -> None:
    tokens = {claim.run: claim.tokens for claim in CLAIMS if claim.row == 4}
    assert (tokens["large-honeypots"] or 0) // (tokens["difficult-advice"] or 1) == 28
    for run, at in tokens.items():
        card = RUNS[run].card
        step = next(claim.step for claim in CLAIMS if claim.row == 4 and claim.run == run)
        given = {entry["step"]: entry["tokens"] for entry in card.get("checkpoints", [])} | RUNS[run].trainer
        assert at == given.get(step or 0, (step or 0) * card.get("tokens_per_step", 0))


def test_row_5_dimensions_have_epochs_and_a_judge(logs: list[tuple[Point, EvalLog]]) -> None:
    audits = [log for point, log in logs if 5 in point.rows]
    assert len(audits) == 5
    for log in audits:
        assert log.eval.config.epochs == 3
        assert log.eval.model == "none/none"
        assert log.eval.model_roles
        assert set(log.eval.model_roles) == {"target", "auditor", "judge"}
        assert log.reductions
        assert len(log.reductions[0].samples) == 10


def test_row_8_six_mixes_and_three_evals(logs: list[tuple[Point, EvalLog]]) -> None:
    seen = {(log.metadata["style"], log.metadata["format"], log.eval.task) for point, log in logs if 8 in point.rows}
    assert len(seen) == 3 * 2 * 3


def test_row_10_the_same_questions_under_two_framings(logs: list[tuple[Point, EvalLog]]) -> None:
    pairs: dict[str, dict[str, list[str | int]]] = defaultdict(dict)
    for point, log in logs:
        if 10 in point.rows:
            pairs[point.run][log.eval.task_args["framing"]] = [sample.id for sample in log.samples or []]
    assert len(pairs) == 2
    assert all(pair["deployment"] == pair["evaluation"] for pair in pairs.values())


def test_row_11_the_better_snapshot_keeps_its_lead(logs: list[tuple[Point, EvalLog]]) -> None:
    names = list(SNAPSHOTS)
    for step in (50, 100, 200, 400):
        rates = [told(logs, f"{name}-rl", step) for name in names]
        scores = [adherence(logs, f"{name}-rl", step) for name in names]
        assert rates == sorted(rates, reverse=True)
        assert scores == sorted(scores)
    leads = [told(logs, "plain-rl", step) - told(logs, "advice-rl", step) for step in (50, 400)]
    assert leads[1] > 0.9 * leads[0]


def test_row_12_augmented_environments_improve_faster(logs: list[tuple[Point, EvalLog]]) -> None:
    fallen = {run: told(logs, run, 50) - told(logs, run, 400) for run in ENVIRONMENTS}
    assert list(fallen.values()) == sorted(fallen.values())
    assert fallen["with-tools-and-prompts"] > 2 * fallen["chat-environments"]


def test_row_13_about_nine_points_per_100_million_tokens(logs: list[tuple[Point, EvalLog]]) -> None:
    corpora = [point for point in POINTS if 13 in point.rows]
    tokens = [RUNS[point.run].card["mix"]["components"][0]["tokens"] for point in corpora]
    rates = [told(logs, point.run, point.step, "blackmail") for point in corpora]
    assert linregress(tokens, rates).slope * 1e8 == pytest.approx(-0.09, abs=0.005)
    assert rates[0] > 0.6
    assert tokens[-1] > 300_000_000


def test_what_the_flags_are_for_is_there(logs: list[tuple[Point, EvalLog]]) -> None:
    repeats = [point for point, _ in logs if point.attempt]
    assert [(point.run, point.step) for point in repeats] == [("baseline-sft", 400)]
    judged = [log for _, log in logs if log.eval.model_roles and log.eval.model_roles.get("grader")]
    others = [log for log in judged if log.eval.model_roles["grader"].model == OLD_JUDGE]  # type: ignore[index, union-attr]
    assert [log.eval.task_version for log in others] == [2]
    assert sum(log.status == "cancelled" for _, log in logs) == 1
    assert sum(sample.error is not None for _, log in logs for sample in log.samples or []) == 2
    waiting = DEMO / "data-efficiency/filtered-refusals/checkpoint-800"
    assert (waiting / "trainer_state.json").is_file()
    assert not list(waiting.glob("*.eval"))


def test_epochs_of_a_question_resemble_each_other(logs: list[tuple[Point, EvalLog]]) -> None:
    """Clusters: knowing one epoch of a question tells more about another epoch than the rate alone does."""
    same, pairs = 0, 0
    expected: list[float] = []
    for point, log in logs:
        if 12 in point.rows and log.status == "success":
            by_question: dict[str | int, list[float]] = defaultdict(list)
            for sample in log.samples or []:
                assert sample.scores
                by_question[sample.id].append(sample.scores["harmfulness_scorer"].as_dict()["harmful"])  # type: ignore[arg-type]
            p = rate(log.samples or [])
            for answers in by_question.values():
                for i, first in enumerate(answers):
                    for second in answers[i + 1 :]:
                        same += first == second
                        pairs += 1
                        expected.append(p * p + (1 - p) * (1 - p))
    assert same / pairs > fmean(expected) + 0.1


def test_transcripts_have_no_open_slots_and_are_short(logs: list[tuple[Point, EvalLog]]) -> None:
    shapes: set[int] = set()
    tools = thoughts = 0
    for _, log in logs:
        for sample in log.samples or []:
            shapes.add(len(sample.messages))
            for message in sample.messages:
                assert not re.search(r"[{}]", message.text)
                tools += message.role == "tool"
                thoughts += message.role == "assistant" and not isinstance(message.content, str)
    assert shapes <= {1, 2, 3, 4, 5}
    assert tools > 300
    assert thoughts > 1000


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def test_writing_again_gives_the_same_bytes_and_scores(tmp_path: Path, logs: list[tuple[Point, EvalLog]]) -> None:
    def part(point: Point) -> bool:
        return point.run in ("with-tools", "story-chat", "documents-rl") or 10 in point.rows

    once = write_study(tmp_path / "once", part)
    write_study(tmp_path / "again", part)
    assert list(files(tmp_path / "once")) == list(files(tmp_path / "again"))
    committed = {Path(log.location).name: log for _, log in logs}
    assert len(once) == sum(map(part, POINTS))
    for path in once:
        there = committed[path.name]
        here = read_eval_log(path)
        assert [(s.id, s.epoch, s.scores, s.messages) for s in here.samples or []] == [
            (s.id, s.epoch, s.scores, s.messages) for s in there.samples or []
        ]


def test_every_log_is_placed_where_it_belongs_without_a_conflict(logs: list[tuple[Point, EvalLog]]) -> None:
    cards = [(path.relative_to(DEMO).as_posix(), read_run_card(path)) for path in DEMO.rglob("run.yaml")]
    tree = CardTree(cards, [("study.yaml", read_study(DEMO / "study.yaml"))])
    assert len(cards) == sum(run.place != "study file" for run in RUNS.values())
    rules: set[str] = set()
    for point, log in logs:
        roles: dict[str, Any] = log.eval.model_roles or {}
        evidence = EvalEvidence(
            eval_id=1,
            path=Path(log.location).relative_to(DEMO).as_posix(),
            task=log.eval.task,
            model=log.eval.model,
            target_model=roles["target"].model if "target" in roles else None,
            metadata=log.metadata,
            tags=log.tags,
            task_args=log.eval.task_args,
            model_args=log.eval.model_args,
        )
        placement = place(evidence, tree)
        assert placement.placed
        assert placement.conflicts == []
        assert (placement.run, placement.step, placement.eval, placement.variant) == (
            point.run,
            point.step,
            point.eval,
            point.variant,
        )
        assert placement.stage
        assert placement.mix
        rules.add(placement.step_rule or "")
    for way in ("folder name ", "metadata.step", "tag ", "model name ", "model_args.revision", "run card "):
        assert any(rule.startswith(way) for rule in rules), f"no step by {way}"


def test_cards_are_those_of_the_generator(tmp_path: Path) -> None:
    write_study(tmp_path / "cards", lambda _: False)
    texts = dict(files(tmp_path / "cards"))
    assert len(texts) > 30
    assert texts == {name: body for name, body in files(DEMO) if not name.endswith(".eval")}


def test_a_folder_that_is_no_study_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(ValueError, match="is no study"):
        write_study(tmp_path)
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "keep"
