"""Carry out method=auto: try candidates, each a recipe in a folder of its own, and choose one without labels."""

from __future__ import annotations

import functools
import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from omegaconf import DictConfig

from deepcluster_pl.config.candidates import candidate_config, with_net_of
from deepcluster_pl.config.fingerprints import pretraining_fingerprint
from deepcluster_pl.data.kinds import recognize
from deepcluster_pl.errors import InterruptedRun, UserError, first_line
from deepcluster_pl.evaluation.candidate_choice import CandidateRanking, rank_by_neighbors
from deepcluster_pl.evaluation.label_free import Neighborhood
from deepcluster_pl.evaluation.metrics import label_scores, size_scores
from deepcluster_pl.evaluation.predictions import Partition, partition_from
from deepcluster_pl.evaluation.row_criteria import judged_neighborhood
from deepcluster_pl.functional import adjusted_rand_indices
from deepcluster_pl.runs.candidate_pool import Candidate, plan_for
from deepcluster_pl.runs.candidate_record import read_record, write_record
from deepcluster_pl.runs.pretraining_stage import pretrain
from deepcluster_pl.runs.recipe import Recipe
from deepcluster_pl.runs.stages import Ready, choose_n_clusters, prepare
from deepcluster_pl.runs.trained import Choice, Trained
from deepcluster_pl.runs.trainer import StageTrainer
from deepcluster_pl.utils.atomic_files import atomic_copy
from deepcluster_pl.utils.distributed import broadcast_from_rank_zero, is_rank_zero
from deepcluster_pl.utils.progress import doing
from deepcluster_pl.utils.run_folder import RunFolder

CRITERIA = ("share", "error", "information", "agreement", "consensus", "score", "collapsed")
"""Criteria of each candidate that are recorded; see `CandidateCriteria`."""
_LIKE_ITS_TEACHER = 0.9
"""Adjusted Rand index that a student needs with its teacher; one below found other groups than it was taught."""
_MANY = 5000
"""From this many samples on, a candidate's memory is freed at once."""
_LOOKS = {"photos": ("method=photos/graph",), "images": ("method=gradients",)}
"""By the kind of the samples: recipe whose net shows the groups that are counted; others are counted in the input."""
Train = Callable[[Recipe, StageTrainer], Trained]


@dataclass
class Tried:
    """One candidate that was carried out, or that failed.

    Attributes:
        candidate: as planned.
        cfg: its config; None where its settings do not go with those of the run.
        partition: cluster (N,) of every sample, by part; None where it failed.
        seconds: time it took, also where an earlier process took it.
        problem: why it is out of the choice; an empty string where it is not.
    """

    candidate: Candidate
    cfg: DictConfig | None = None
    partition: Partition | None = None
    seconds: float = 0.0
    problem: str = ""


@dataclass
class Pool:
    """The candidates of one run.

    Attributes:
        recipe: of the run, with its number of clusters.
        stages: of the run.
        ready: the run, its data loaded; every candidate works on the same.
        train: carries out one recipe.
        n_planned: number of candidates, for the lines that are printed.
        tried: those carried out so far.
        pretrained: checkpoint of each finished pretraining, by the hash of its settings.
    """

    recipe: Recipe
    stages: StageTrainer
    ready: Ready
    train: Train
    n_planned: int
    tried: list[Tried] = field(default_factory=list)
    pretrained: dict[str, str] = field(default_factory=dict)

    def folder(self, name: str) -> RunFolder:
        """Return the folder of a candidate."""
        return RunFolder(self.stages.folder.candidates / name)

    def carry_out(self, candidate: Candidate) -> Tried:
        """Carry out a candidate, or take over what an earlier process of this run finished of it.

        Args:
            candidate: as planned.

        Returns:
            The candidate with its partition, or with the reason why it has none.
        """
        tried, began = self._recorded(candidate), time.monotonic()
        self.tried.append(tried)
        if tried.problem:  # it failed before, and would again
            self._report(tried)
            return tried
        is_begun = broadcast_from_rank_zero(lambda: any(self.folder(candidate.name).path.rglob("*.ckpt")))
        try:
            tried.cfg = candidate_config(self.recipe.cfg, candidate.overrides, self.recipe.cfg.pretrained)
            tried.partition = partition_from(self.trained(tried).predictions)
            if size_scores(tried.partition["fit"], tried.cfg.n_clusters)["collapsed"]:
                tried.problem = "collapsed: at least half of its clusters are empty"
        except UserError as error:
            # A file of an earlier process is damaged: without this candidate the choice would differ
            if is_begun or str(self.folder(candidate.name).path) in str(error):
                raise
            tried.problem = first_line(error)
        if len(self.ready.data.part("fit")) >= _MANY:
            gc.collect()  # a Trainer and its module refer to each other, and hold the embeddings
        tried.seconds = tried.seconds or time.monotonic() - began
        self._record(tried)
        self._report(tried)
        return tried

    def trained(self, tried: Tried) -> Trained:
        """Train a candidate in its folder; a second call reads what the first one left there.

        Args:
            tried: has a config.

        Returns:
            The trained candidate.
        """
        assert tried.cfg is not None
        folder, cfg = self.folder(tried.candidate.name), tried.cfg
        if tried.candidate.teacher is not None:
            self._copy_teacher(self.folder(tried.candidate.teacher), folder)
        # Candidates with the same pretraining share it
        key = pretraining_fingerprint(cfg) if cfg.pretrain.module is not None else ""
        if key in self.pretrained and self.pretrained[key] != str(folder.pretrained):
            cfg.pretrained = self.pretrained[key]
        recipe = Recipe.from_config(cfg, loaded=self.recipe.data)
        trained = self.train(recipe, replace(self.stages, folder=folder))
        if key:
            self.pretrained.setdefault(key, str(folder.pretrained))
        return trained

    def rank(self) -> tuple[list[Tried], CandidateRanking]:
        """Judge the candidates that have a partition, without labels; students take part through their teachers.

        Returns:
            The candidates without a teacher, and the ranking of their partitions in the same order.
        """
        cfg = self.recipe.cfg
        judged = [tried for tried in self.tried if tried.partition is not None and tried.candidate.teacher is None]
        partitions = [tried.partition["fit"] for tried in judged if tried.partition is not None]
        n_clusters = [cfg.n_clusters] * len(partitions)
        with doing("comparing the candidates"):
            ranking = broadcast_from_rank_zero(lambda: rank_by_neighbors(self.neighborhood, partitions, n_clusters))
        return judged, ranking

    @functools.cached_property
    def neighborhood(self) -> Neighborhood:
        """Neighbors of the fitted samples, by which candidates and the rows of the run's table are judged."""
        return judged_neighborhood(self.recipe.data, self.recipe.cfg.seed)

    def best(self, n: int) -> list[Tried]:
        """Return the n best candidates so far, the chosen one first, each of another family of nearly equal ones."""
        if n == 0:
            return []
        judged, ranking = self.rank()
        order = sorted(range(len(judged)), key=lambda i: (i != ranking.chosen, -ranking.criteria[i].score))
        first: dict[int, Tried] = {}
        for i in order:
            if not judged[i].problem:
                first.setdefault(ranking.criteria[i].family, judged[i])
        return list(first.values())[:n]

    def choose(self) -> tuple[Tried, CandidateRanking]:
        """Return the best candidate, and the ranking; raise `UserError` if no candidate has a partition."""
        if not any(tried.partition is not None for tried in self.tried):
            raise UserError(self.tried[0].problem)
        judged, ranking = self.rank()
        best = judged[ranking.chosen]
        return next((tried for tried in self.tried if self._replaces(tried, best)), best), ranking

    def _replaces(self, student: Tried, teacher: Tried) -> bool:
        """Return whether a student takes its teacher's place: where it still has nearly its teacher's clusters.

        The criteria do not compare the two: neighbors in the input are what the teacher has its clusters from.
        """
        if student.candidate.teacher != teacher.candidate.name or student.problem or student.partition is None:
            return False
        assert teacher.partition is not None
        both = np.stack([student.partition["fit"], teacher.partition["fit"]])
        return bool(adjusted_rand_indices(both)[0, 1] > _LIKE_ITS_TEACHER)

    def record(self, chosen: Tried, ranking: CandidateRanking) -> Choice:
        """Return all candidates as rows of a table, and how sure the choice is.

        Args:
            chosen: the best one.
            ranking: of those that have a partition.
        """
        criteria = iter(ranking.criteria)  # students have none
        labels = self.recipe.data.part("fit").labels
        rows: list[dict[str, Any]] = []
        for tried in self.tried:
            own = next(criteria) if tried.partition is not None and tried.candidate.teacher is None else None
            scores = label_scores(labels, tried.partition["fit"]) if tried.partition else {}
            rows.append({
                "name": tried.candidate.name,
                "type": " ".join(tried.candidate.overrides),
                "seconds": round(tried.seconds, 3),
                "chosen": tried is chosen,
                "problem": tried.problem or None,
                "teacher": tried.candidate.teacher,
                **{name: getattr(own, name, None) for name in CRITERIA},
                **{name: scores.get(name) for name in ("acc", "nmi", "ari")},
            })  # fmt: skip
        return Choice(
            name=chosen.candidate.name, candidates=rows, sureness=ranking.sureness,
            folder=self.folder(chosen.candidate.name),
            partitions={tried.candidate.name: tried.partition for tried in self.tried if tried.partition is not None},
            neighborhood=self.neighborhood,
        )  # fmt: skip

    def _copy_teacher(self, teacher: RunFolder, folder: RunFolder) -> None:
        """Give a candidate the finished stages of the one that it learns from; rank 0 does, which alone reads them."""
        if not is_rank_zero():
            return
        for source, target in (
            (teacher.initialization, folder.initialization),
            (teacher.pretrained, folder.pretrained),
            (teacher.final, folder.final),
        ):
            if source.is_file() and not target.is_file():
                atomic_copy(source, target)

    def _recorded(self, candidate: Candidate) -> Tried:
        """Return a candidate with the seconds that an earlier process recorded, and the problem if it failed then."""
        file = self.folder(candidate.name).candidate
        seconds, problem = broadcast_from_rank_zero(lambda: read_record(file))
        return Tried(candidate, seconds=seconds, problem=problem)

    def _record(self, tried: Tried) -> None:
        """Store the seconds of a candidate that has ended, and the problem of one that failed; rank 0 does."""
        if not is_rank_zero():
            return
        file = self.folder(tried.candidate.name).candidate
        with self.ready.warnings.attempt(f"{tried.candidate.name}/{file.name}"):
            write_record(file, tried.seconds, "" if tried.partition is not None else tried.problem)

    def _report(self, tried: Tried) -> None:
        """Print one line about a candidate that has ended."""
        number = f"{len(self.tried)}/{self.n_planned}".rjust(2 * len(str(self.n_planned)) + 1)
        out = f"  left out: {tried.problem}" if tried.problem else ""
        text = f"candidate {number}  {tried.candidate.name:<14} {tried.seconds:5.1f} s{out}"
        self.stages.console.print(text, highlight=False, soft_wrap=True, markup=False)


def train_candidates(recipe: Recipe, stages: StageTrainer, train: Train) -> Trained:
    """Carry out method=auto: look at the samples, try candidates at rising cost, and choose one without labels.

    Args:
        recipe: of the run.
        stages: of the run; each candidate gets a folder below its folder.
        train: carries out one recipe.

    Returns:
        The chosen candidate as it was trained, with a record of the choice.

    Raises:
        UserError: the samples are unusable, or no candidate could be carried out.
        InterruptedRun: a signal arrived; the run can be resumed.
    """
    # Say what is there and what comes, before anything slow
    ready, settings = prepare(recipe, stages), recipe.cfg.auto
    kind = recognize(ready.data, recipe.cfg.seed)
    plan = plan_for(kind, settings.budget, settings.candidates, bool(recipe.cfg.data.get("copies")))
    stages.console.print(plan.describe(kind), highlight=False, soft_wrap=True, markup=False)
    # One number of clusters for all; a resumed run keeps the one that it found
    if broadcast_from_rank_zero(stages.folder.n_clusters.is_file):
        ready = replace(ready, resume=replace(ready.resume, start=stages.folder.initialization))
    # Groups are counted in the embeddings in which a graph finds the best neighbors
    looks = replace(recipe, cfg=with_net_of(recipe.cfg, _LOOKS[kind.kind])) if kind.kind in _LOOKS else recipe
    recipe, estimate = choose_n_clusters(recipe, stages, ready, pretrain(looks, stages, ready))
    pool = Pool(recipe, stages, ready, train, plan.n_candidates)
    try:
        for candidate in plan.candidates:
            pool.carry_out(candidate)
        # Students learn from the best ones so far
        for teacher in pool.best(plan.n_students):
            pool.carry_out(plan.student_of(teacher.candidate))
        chosen, ranking = pool.choose()
        # It is read from its folder, as a resumed run would
        trained = pool.trained(chosen)
    except InterruptedRun as end:
        raise InterruptedRun(end.number, stages.folder.path) from end
    ready.warnings.texts += [text for text in trained.warnings.texts if text not in ready.warnings.texts]
    return replace(trained, estimate=estimate, warnings=ready.warnings, choice=pool.record(chosen, ranking))
