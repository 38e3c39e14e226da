"""Which tokens of a training example carry its influence on a query."""

from __future__ import annotations

from typing import Any

import numpy as np

from tracin_viz.engine.base import EngineBase
from tracin_viz.engine.batches import length
from tracin_viz.engine.groups import Groups
from tracin_viz.engine.holding import Asked, group_sums
from tracin_viz.engine.losses import prediction_score
from tracin_viz.engine.token_terms import Splitter, TokenInfluence
from tracin_viz.errors import InputError


class TokenProducts(EngineBase):
    """Decomposition over the tokens of training examples."""

    def token_influence(
        self,
        train: Any,
        queries: Any,
        candidates: Any,
        *,
        score: str | None = None,
        preconditioner: str | None = None,
    ) -> TokenInfluence:
        """Which tokens of the training examples ``candidates`` carry their influence on ``queries``.

        A token's part is what the parameters contribute where they act at its position: its row of the
        embedding, and each layer applied there. After attention a position also holds what it read elsewhere.

        Args:
            train: Data set of (inputs, target); inputs with token ids (B, T), or sequences (B, T, width).
            queries: One query as a data set; of several, the influence on their mean loss. Or one ``Groups``.
            candidates: Rows of ``train``, (c,); each takes a pass of its own at each checkpoint.
            score: ``None`` for the loss, or "logit", "log_probability", "margin" of the queries' targets.
            preconditioner: ``None`` or "second_moment".

        Raises:
            InputError: There are no token ids, or rows outside the data.
            EngineError: As ``influence``.
        """
        rows = np.asarray(candidates, np.int64)
        if rows.ndim != 1 or (rows.size and (rows.min() < 0 or rows.max() >= length(train))):
            raise InputError(f"`candidates` must be rows of 0 … {length(train) - 1}, one array.")
        if preconditioner not in (None, "second_moment"):
            raise InputError(
                f"The influence with preconditioner='{preconditioner}' is no sum over positions.",
                remedy="Possible: None, second_moment.",
            )
        group = queries if isinstance(queries, Groups) else Groups(queries, [range(length(queries))])
        if len(group) != 1:
            raise InputError(f"One group of queries is split into tokens at a time, not {len(group)}.")
        objective = self._session.objective if score is None else prediction_score(score)
        with self._session.open():
            self._prepare(train)
            directions = self._directions(preconditioner)
            splitter = Splitter(self._session, rows)
            for number, checkpoint in enumerate(self.checkpoints):
                self._session.load(checkpoint)
                asked = Asked(group.queries, objective, number, checkpoint.step)
                sums, bad = group_sums(self._session, asked, group)
                direction, along = directions(number), {}
                for name, form in sums.forms().items():
                    directed = form if direction is None else direction.of(name, form)
                    values = directed.written_out().reshape(form.shape)
                    along[name] = values * (np.nan if bad[0] else checkpoint.rate(name))
                splitter.add(train, along, (number, checkpoint.step))
        return splitter.result()
