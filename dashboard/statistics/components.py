"""How much of a rate's or mean's noise is that of questions, of answers and of the judge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Components:
    """Variances of one answer's value, in squared units, and how many there are.

    Attributes:
        questions: Between questions' true means.
        answers: Between answers to a question, as a judge without noise would value them; NaN where no question has
            two. It holds the judge's part where that is not known.
        judge: Between judges of one transcript; NaN where none was judged twice.
        count: Questions.
        epochs: Answers to a question: the harmonic mean.
    """

    questions: float
    answers: float
    judge: float
    count: int
    epochs: float

    def variance(self, questions: float = 1.0, epochs: float = 1.0, judges: float = 1.0) -> float:
        """Of the mean, with so many times the questions, epochs and judges: s_q / Q + (s_a + s_j / J) / (Q K)."""
        judge = 0.0 if np.isnan(self.judge) else self.judge
        within = self.answers + judge / judges
        return (self.questions + within / (self.epochs * epochs)) / (self.count * questions)


def components(
    n: npt.ArrayLike, totals: npt.ArrayLike, squares: npt.ArrayLike, judge: float = float("nan")
) -> Components:
    """Variance components of answers within questions (one-way random effects, unbalanced).

    Args:
        n: Shape (questions,), answers to each, at least 1.
        totals: Same shape, sum of their values.
        squares: Same shape, sum of their squared values.
        judge: From `judge_variance`; taken out of what answers vary by, at most all of it.

    Returns:
        An estimate below 0 is 0. Where no question has two answers, `answers` is NaN and `questions` holds both.

    Raises:
        ValueError: There are fewer than two questions.

    Source: Searle, Casella & McCulloch (1992), Variance Components, 3.6 (Henderson's method I).
    """
    count, total, square = (np.asarray(x, dtype=np.float64) for x in (n, totals, squares))
    if len(count) < 2:
        raise ValueError("variance components need at least two questions")
    size, questions = count.sum(), len(count)
    epochs = questions / float(np.sum(1.0 / count))
    between = float(np.sum(total**2 / count) - total.sum() ** 2 / size) / (questions - 1)
    if size == questions:
        return Components(between, float("nan"), judge, questions, epochs)
    within = max(float(np.sum(square - total**2 / count)), 0.0) / (size - questions)
    scale = (size - float(np.sum(count**2)) / size) / (questions - 1)
    of_judge = float(np.minimum(judge, within))
    answers = within if np.isnan(of_judge) else within - of_judge
    return Components(max((between - within) / scale, 0.0), answers, of_judge, questions, epochs)


def judge_variance(judges: npt.ArrayLike, positive: npt.ArrayLike) -> float:
    """Variance between judges of one transcript: the mean of m / (m - 1) q (1 - q) over transcripts.

    It holds what a judge says otherwise the next time, and in what judges differ for good.

    Args:
        judges: Shape (transcripts,), verdicts on each; those with fewer than two are left out.
        positive: Same shape, positive ones of them.

    Returns:
        NaN where no transcript has two verdicts.
    """
    m, k = np.asarray(judges, dtype=np.float64), np.asarray(positive, dtype=np.float64)
    m, k = m[m > 1], k[m > 1]
    return float(np.mean(k * (m - k) / (m * (m - 1.0)))) if len(m) else float("nan")
