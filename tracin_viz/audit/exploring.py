"""Groups of training examples: where they lie on the map, their clusters, and selections made by hand."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from tracin_viz.audit.columns import training_columns
from tracin_viz.audit.findings import SUSPECT_PERCENTILE, class_index
from tracin_viz.audit.relabelling import Relabelling
from tracin_viz.audit.results import Results
from tracin_viz.audit.reviewing import ClassNoise, control_sessions, noise_by_class
from tracin_viz.audit.teachers import Teachers, teachers
from tracin_viz.audit.witnesses import sign_column
from tracin_viz.config import Home
from tracin_viz.errors import InputError
from tracin_viz.explore import suspects
from tracin_viz.explore.clusters import Clustering, ClusterSummary, default_size, describe
from tracin_viz.explore.facets import Column
from tracin_viz.jobs import runner
from tracin_viz.jobs.query_client import QueryClient
from tracin_viz.jobs.records import JobBook
from tracin_viz.store import embedding_map
from tracin_viz.store.database import Database
from tracin_viz.store.registry import AuditRecord
from tracin_viz.store.selections import Selections
from tracin_viz.store.views import Views

Rows = npt.NDArray[np.int64]

INFLUENCE, EMBEDDING = "influence", "embedding"


@dataclass(frozen=True)
class Grouping:
    """The map of the training examples, or of those of one class, and its clusters.

    Attributes:
        rows: (n,) training rows, ascending.
        coordinates: (n, 2) float32 place of each on the map; NaN where an example has none.
        clusters: (n,) int64 cluster of each, 0 = the largest; -1 = none.
        summaries: The clusters, those with the largest share of suspects first; exemplars are training rows.
        smallest: The smallest cluster that was asked for, in examples.
        of: What the map shows: ``"influence"`` vectors or ``"embedding"``.
    """

    rows: Rows
    coordinates: npt.NDArray[np.float32]
    clusters: Rows
    summaries: tuple[ClusterSummary, ...]
    smallest: int
    of: str = INFLUENCE


class Exploring(Relabelling):
    """The part of an audit that shows groups of training examples."""

    home: Home
    record: AuditRecord
    database: Database
    results: Results

    @property
    def selections(self) -> Selections:
        """Sets of training examples that were picked by hand."""
        return Selections(self.database, self.record.name, self.record.splits["train"])

    @property
    def views(self) -> Views:
        """States of pages that were saved under a name."""
        return Views(self.database, self.record.name)

    @cached_property
    def _map_jobs(self) -> JobBook:
        return JobBook(self.database)

    def start_embedding_map(self) -> str:
        """Start drawing the map of embeddings in a process of its own.

        Returns:
            The job's identifier.

        Raises:
            JobError: It is being drawn already.
            NotComputedError: No finished run.
        """
        self.database.require_writable()
        self.results.gradients("train")  # refuses with the remedy where nothing is computed yet
        runner.reap_stale(self._map_jobs)
        job = self._map_jobs.create(self.record.name, embedding_map.KIND, {}, only_one=True)
        command = [sys.executable, "-m", "tracin_viz.jobs.embedding_map", "--audit", self.record.name]
        runner.start_detached(self.home, [*command, "--home", str(self.home.root), "--job", job.id], job)
        return job.id

    def embedding_map_status(self) -> dict[str, Any]:
        """Whether the map of embeddings is there, or how the newest job that draws it is doing.

        Returns:
            ``state`` ("created" before the first, then as of a run), ``ready``, ``message`` and ``log``.
        """
        runner.reap_stale(self._map_jobs)
        job = self._map_jobs.latest(self.record.name, embedding_map.KIND)
        ready = self.results.embedding_map_ready()
        if job is None:
            return {"state": "created", "ready": ready, "message": "", "log": None}
        return {"state": job.state, "ready": ready, "message": job.message, "log": job.log}

    def columns(self) -> tuple[Column, ...]:
        """By what training examples can be filtered: given, predicted and suggested class, agreement."""
        return training_columns(self.record, self.results)

    def suspect_order(self, ranking: str) -> Rows:
        """(n,) training rows, the most suspicious first; those without a score last."""
        return suspects.order(self.results.suspect_scores(ranking))

    def teachers(self, rows: Sequence[int], *, top: int = 5, session: str = "cli") -> dict[int, Teachers]:
        """The training examples that pushed the model most for and against training rows, by sketches.

        Args:
            rows: Of the training split, at most 100.
            top: Proponents, and opponents, per row; fewer where there are fewer.
            session: Whose question this is: a newer one of the same session takes its place.

        Returns:
            By row; empty for rows whose gradient is not finite.

        Raises:
            NotFoundError: There is no such row.
            InputError: Too much is asked at once.
        """
        return teachers(self.record, self.results, rows, top=top, session=session)

    def noise_by_class(self) -> list[ClassNoise]:
        """What people found in each class so far, among suspects and in random control samples."""
        labels = np.asarray(self.results.dataset().splits["train"].labels)
        control = control_sessions(self.database, self.record.name)
        return noise_by_class(self.decisions(), labels, self.record.classes, control)

    def sign_column(self) -> Column | None:
        """Which suspects look wrongly labelled, and which rare but right, as a property to filter by.

        ``None`` while neighbours are looked up in the background, and where labels are not one class each.
        """
        return sign_column(self.record, self.results)

    def clusters(
        self,
        *,
        within_class: str | None = None,
        smallest: int | None = None,
        cautious: int | None = None,
        of: str = INFLUENCE,
    ) -> dict[str, Any]:
        """TracIn clusters of the training split and the place of every example on the map (DESIGN §9).

        Args:
            within_class: Only examples with this given label, clustered among themselves.
            smallest: Smallest cluster; by default as the run found them.
            cautious: HDBSCAN's ``min_samples``; by default ``smallest``.
            of: ``"influence"``, or ``"embedding"`` for comparison.
        """
        found = self.grouping(within_class=within_class, smallest=smallest, cautious=cautious, of=of)
        return _document(self.record, found, within_class)

    def grouping(
        self,
        *,
        within_class: str | None = None,
        smallest: int | None = None,
        cautious: int | None = None,
        of: str = INFLUENCE,
        session: str = "cli",
    ) -> Grouping:
        """The same as arrays, with other settings of HDBSCAN where wanted.

        The clusters of the run are shown as they are. Those of one class, or with other settings, are found
        anew from the kept coordinates, in the query process: HDBSCAN is never loaded by a page (DESIGN §4).

        Args:
            within_class: Only examples with this given label, clustered among themselves.
            smallest: Smallest cluster; by default by the number of examples.
            cautious: HDBSCAN's ``min_samples``; larger leaves more examples outside. By default ``smallest``.
            of: Which map: that of ``"influence"`` vectors, or of ``"embedding"`` for comparison.
            session: Whose question this is: a newer one of the same session takes its place.

        Raises:
            NotFoundError: There is no such class.
            NotComputedError: The map is not built yet.
            InputError: A setting is too small, or there is no such map.
        """
        if of not in (INFLUENCE, EMBEDDING):
            raise InputError(
                f"There is no map of '{of}'.", remedy=f"Possible: {', '.join((INFLUENCE, EMBEDDING))}."
            )
        table = self.results.map() if of == INFLUENCE else self.results.embedding_map()
        given = np.asarray(self.results.dataset().splits["train"].labels)
        rows = np.arange(len(given))
        coordinates = table[["x", "y"]].to_numpy(dtype=np.float32)  # (n, 2)
        found = Clustering(table["cluster"].to_numpy(), table["membership"].to_numpy(), coordinates)
        if within_class is not None:
            rows = np.flatnonzero(given == class_index(self.record, within_class))
            coordinates = np.ascontiguousarray(coordinates[rows])
        if within_class is not None or smallest is not None or cautious is not None:
            asked = {"smallest": smallest, "cautious": cautious}
            _, (labels, membership) = QueryClient(self.home).ask(
                "cluster", asked, [coordinates], session=f"{session} clusters"
            )
            found = Clustering(labels, membership, coordinates)
        suspicion = suspects.percentiles(self.results.suspect_scores("self-influence"))[rows]
        summaries = describe(
            found,
            classes=self.record.classes,
            given=given[rows],
            suspects=suspicion >= SUSPECT_PERCENTILE,
            predicted=self.results.measured("train")["predicted"][-1][rows],
        )
        placed = int(np.isfinite(coordinates).all(axis=1).sum())
        named = tuple(_of_training_rows(one, rows) for one in summaries)
        return Grouping(rows, coordinates, found.labels, named, smallest or default_size(placed), of)


def _of_training_rows(summary: ClusterSummary, rows: Rows) -> ClusterSummary:
    """The same with exemplars as rows of the training split instead of places in ``rows``."""
    return replace(summary, exemplars=[int(rows[place]) for place in summary.exemplars])


def _document(record: AuditRecord, found: Grouping, within_class: str | None) -> dict[str, Any]:
    return {
        "audit": record.name,
        "within_class": within_class,
        "suspects_are": f"the {100 - SUSPECT_PERCENTILE:.0f} % with the highest self-influence",
        "clusters": [
            {
                "id": summary.id,
                "name": summary.name,
                "size": summary.size,
                "classes": summary.classes,
                "suspect_share": summary.suspect_share,
                "exemplars": [f"train:{row}" for row in summary.exemplars],
            }
            for summary in found.summaries
        ],
        "noise": int((found.clusters < 0).sum()),
        "examples": [
            {"id": f"train:{row}", "cluster": int(cluster), "x": _number(x), "y": _number(y)}
            for row, cluster, (x, y) in zip(
                found.rows.tolist(), found.clusters, found.coordinates, strict=True
            )
        ],
    }


def _number(value: Any) -> float | None:
    # JSON has no NaN; a missing number is null there and in the page.
    return float(value) if np.isfinite(value) else None
