"""List what method=auto tries, by kind and size of the samples and the budget; seconds are estimated, never used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from deepcluster_pl.data.kinds import SampleKind
from deepcluster_pl.errors import UserError

Budget = Literal["quick", "normal", "thorough"]
_SMALL = 600
"""Fewer samples than this get no net: it learns nothing from them that a graph does not show."""
_LARGE = 5000
"""Fewer samples than this get no autoencoder."""
_MANY = 20_000
"""Rows that simple methods are computed on, at most."""
_STUDENTS: dict[Budget, int] = {"quick": 0, "normal": 1, "thorough": 1}
"""Best candidates that get a student behind them; a student has its teacher's place in the choice."""


@dataclass(frozen=True)
class Candidate:
    """One recipe that method=auto tries.

    Attributes:
        name: of its folder, and of its row in every table.
        overrides: its recipe and fixed settings, as they would be typed.
        teacher: name of the candidate whose partition it learns from; None where it stands alone.
        seconds: estimate for two processor cores.
    """

    name: str
    overrides: tuple[str, ...]
    seconds: float
    teacher: str | None = None


@dataclass(frozen=True)
class Plan:
    """Everything that is tried.

    Attributes:
        candidates: at rising cost.
        n_students: number of best candidates that get a student behind them.
        student: settings of the student.
        student_seconds: estimate for each student.
    """

    candidates: list[Candidate]
    n_students: int
    student: tuple[str, ...]
    student_seconds: float

    @property
    def n_candidates(self) -> int:
        """Return the number of candidates, students included."""
        return len(self.candidates) + self.n_students

    def student_of(self, teacher: Candidate) -> Candidate:
        """Return the candidate that learns from another one's partition."""
        overrides = (*teacher.overrides, *self.student)
        return Candidate(f"{teacher.name}_student", overrides, self.student_seconds, teacher.name)

    @property
    def seconds(self) -> float:
        """Return the estimate for everything."""
        return sum(candidate.seconds for candidate in self.candidates) + self.n_students * self.student_seconds

    def describe(self, kind: SampleKind) -> str:
        """Return one line: the samples, how much is tried, and about how long it takes.

        Args:
            kind: of the samples.
        """
        n = self.n_candidates
        return f"{kind.describe()}; trying {n} candidate{'s' * (n != 1)}, {duration(self.seconds)}"


def duration(seconds: float) -> str:
    """Return an estimate in round words.

    >>> duration(0.8), duration(47.0), duration(400.0)
    ('a few seconds', 'about 50 s', 'about 7 minutes')
    """
    if seconds < 8:
        return "a few seconds"
    if seconds < 95:
        return f"about {-(-seconds // 10) * 10:.0f} s"
    return f"about {-(-seconds // 60):.0f} minutes"


def plan_for(kind: SampleKind, budget: Budget, only: Sequence[str] | None, has_copies: bool = False) -> Plan:
    """Return what is tried on samples of a kind.

    Args:
        kind: of the samples.
        budget: how much work.
        only: names of the candidates to try, such as `graph`, or `graph_student` for the student behind it; None for
            all that the budget allows.
        has_copies: whether the source has distorted copies of the samples.

    Returns:
        The plan, which depends on nothing else.

    Raises:
        UserError: a name is that of no candidate.
    """
    plan = Plan(_candidates(kind, budget, has_copies), 0, *_student(kind, budget))
    if only is None:
        n_students = _STUDENTS[budget] if kind.kind == "images" and kind.n >= _SMALL else 0
        return replace(plan, n_students=min(n_students, len(plan.candidates)))
    # Named candidates, each before its student
    students = [plan.student_of(candidate) for candidate in plan.candidates]
    known = {candidate.name: candidate for candidate in (*plan.candidates, *students)}
    unknown = [name for name in only if name not in known]
    if unknown or not only:
        found = unknown[0] if unknown else "an empty list"
        raise UserError(f"auto.candidates: found {found}, expected some of {', '.join(known)}")
    for student in students:
        if student.name in only and student.teacher not in only:
            raise UserError(
                f"auto.candidates: {student.name} learns from {student.teacher}, which has to be in the list too"
            )
    return replace(plan, candidates=[candidate for name, candidate in known.items() if name in only])


def _student(kind: SampleKind, budget: Budget) -> tuple[tuple[str, ...], float]:
    """Return the settings of a student for samples of a kind, and an estimate of its seconds."""
    pixels = min(kind.n_features, 784)
    if kind.kind == "images" and budget == "thorough" and kind.n >= _LARGE:
        return ("student=wide",), 150 + min(kind.n, 60_000) * pixels * 1.1e-5
    if kind.kind == "images":
        return ("student=conv",), 12 + min(kind.n, 30_000) * pixels * 1e-5
    return ("student=mlp",), 5.0


def _candidates(kind: SampleKind, budget: Budget, has_copies: bool) -> list[Candidate]:
    """Return the candidates for samples of a kind, at rising cost."""
    n, d = kind.n, kind.n_features
    # Seconds of a graph, and of a mixture on 30 components
    graph, mixture = 0.5 + min(n, 20_000) * 4e-4, 0.5 + min(n, _MANY) * min(d, 30) ** 2 * 1e-6
    if kind.kind == "photos":
        found = [
            Candidate("photos_kmeans", ("method=photos/kmeans",), 1.0),
            Candidate("photos_gmm", ("method=photos/gmm",), mixture),
            Candidate("photos_graph", ("method=photos/graph",), graph),
        ]
        if has_copies and budget != "quick":
            found.append(Candidate("photos_scan", ("method=photos/scan",), 30.0))
        return found
    # Above 20,000 samples, simple methods see a sample, and fewer restarts
    sample = (f"start_sample_size={_MANY}", "start.n_init=3") if n > _MANY else ()
    reduced = () if kind.n_components is None else (f"net.n_components={kind.n_components}",)
    found = [
        Candidate("kmeans", ("method=kmeans", *sample), 0.3 + min(n, _MANY) * d * 1e-6),
        Candidate("pca_gmm", ("method=pca_gmm", *sample, *reduced), mixture),
        Candidate("graph", ("method=graph", *reduced), graph),
        Candidate("communities", ("method=communities", *reduced), 2 * graph),
    ]
    if kind.kind in ("embeddings", "counts"):
        # Neighbors are samples in the same direction, however long the rows are
        found.append(Candidate("graph_direction", ("method=graph", "net.unit_length=true"), graph))
    else:
        found.append(Candidate("graph_20", ("method=graph", "start.n_neighbors=20", *reduced), 1.4 * graph))
    if kind.kind == "images":
        edges = n * d * 4e-7
        found.append(Candidate("gradients", ("method=gradients",), 2.5 * graph + edges))
        restarts = sample or ("start.n_init=10",)
        found.append(Candidate("gradients_gmm", ("method=gradients_gmm", *restarts), mixture + edges))
    if n >= _LARGE and budget == "thorough" and kind.kind == "images":
        found.append(Candidate("ae_gmm", ("method=ae_gmm", "pretrain.max_epochs=150", *sample), 2 + 150 * n * 2e-4))
    if budget == "thorough" and n >= _SMALL:
        found.append(Candidate("dec", ("method=dec",), 20 + n * 1e-2))
    return found
