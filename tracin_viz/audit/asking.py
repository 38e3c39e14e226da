"""Questions about influence: of one prediction, of a group, and who opposes many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tracin_viz.audit.exploring import Exploring
from tracin_viz.audit.groups import Group, confusion_document, find_group
from tracin_viz.audit.influence import Place, Question, influence_document, parts_document, words_document
from tracin_viz.audit.opposing import MOST, Many, opposing_document
from tracin_viz.data.images import decode
from tracin_viz.errors import InputError
from tracin_viz.store.own_queries import OwnQueries


class Asking(Exploring):
    """The part of an audit that answers what pushed a prediction."""

    @property
    def query_split(self) -> str:
        """The split that queries come from: the first that is not ``train``, else ``train``."""
        return next((name for name in self.record.splits if name != "train"), "train")

    def influence(
        self,
        *,
        query: str | None = None,
        text: str | None = None,
        image: bytes | None = None,
        group: str | None = None,
        label: str | None = None,
        score: str | None = None,
        top: int = 10,
        ranking: str = "dot",
        same_class: bool = False,
        exact: bool = True,
        session: str = "cli",
    ) -> dict[str, Any]:
        """Which training examples pushed a prediction, for and against (DESIGN §9, ``influence``).

        Args:
            query: Identifier of an example (``test:17``); or one of the next three.
            text: A typed sentence.
            image: Bytes of an image file.
            group: ``sel:<selection>`` or ``cell:<given>:<predicted>`` (``audit.groups``): influence on the
                mean over its examples. Training examples of the group itself are left out of the lists.
            label: The class whose loss is explained; default: the example's own label, for a cell the
                prediction. Without a label the score of the predicted class is explained instead.
            score: The class whose prediction score is explained instead of a loss.
            top: Examples per list.
            ranking: ``dot``, ``cosine`` or ``relatif`` (divided by the training example's norm). The cosine
                of a group divides by the length of its *sketched* mean.
            same_class: Only training examples labelled as the class that is explained.
            exact: ``False`` for scores estimated from sketches, which is quicker.
            session: Whose question this is: a newer one of the same session cancels the older.

        Returns:
            The document; ``exact`` says whether its scores are, ``can_be_exact`` whether they could be
            (not for groups of more than a thousand examples).

        Raises:
            NotFoundError: No such example, class or group.
            InputError: None or several of query, text, image and group, or a contradiction.
            NotComputedError: No finished run.
        """
        question = Question(query, text, image, group, label, score, top, ranking, same_class, exact)
        return influence_document(self._place(), question, session=session)

    def influence_parts(
        self, rows: Sequence[int], *, session: str = "cli", **question: Any
    ) -> dict[str, Any]:
        """The exact influence of a few training examples by checkpoint and layer.

        Args:
            rows: Rows of the training split, (c,).
            session: As in ``influence``.
            question: The other arguments of ``influence``; ``top``, ``same_class`` and ``exact`` do nothing.

        Returns:
            ``{"audit", "ids", "checkpoints": steps (K), "layers": names (L), "scores": (c, K, L) array}``;
            the scores of an example sum to its score in the ranking.

        Raises:
            As ``influence``.
        """
        return parts_document(
            self._place(), Question(**question), [int(row) for row in rows], session=session
        )

    def influence_words(
        self, rows: Sequence[int], *, session: str = "cli", **question: Any
    ) -> dict[str, Any]:
        """Which words of a few training texts carry their exact influence.

        A word's part is what the parameters contribute where they act at its place; after attention a place
        also holds what it read elsewhere (``engine.token_influence``). Each text takes a pass of its own.

        Args:
            rows: Rows of the training split, (c,).
            session: As in ``influence``.
            question: As in ``influence_parts``.

        Returns:
            ``{"audit", "texts": [{"id", "text", "pieces": [{"start", "stop", "score"}], "elsewhere"}]}``:
            tokens by their characters, and what belongs to none. They sum to the example's score.

        Raises:
            InputError: The audit is not about texts, or its tokenizer does not say where tokens are.
        """
        wanted = [int(row) for row in rows]
        return words_document(self._place(), Question(**question), wanted, session=session)

    def opposing(
        self,
        *,
        among: str = "wrong",
        each: int = 10,
        ranking: str = "dot",
        top: int = 50,
        most: int = MOST,
        progress: Callable[[int, int], None] = lambda done, total: None,
        session: str = "cli",
    ) -> dict[str, Any]:
        """Training examples that are among the strongest opponents of many query examples.

        The aggregate view that TracIn's authors recommend: such examples hurt many predictions at once.

        Args:
            among: "wrong" for wrongly predicted examples of the query split, "all" for all of them.
            each: Opponents counted per query example.
            ranking: As in ``influence``, from sketches.
            top: Training examples listed.
            most: Query examples looked at; of more, those with the largest loss.
            progress: Told how many of how many query examples are done; may raise.
            session: As in ``influence``.

        Returns:
            ``{"audit", "split", "among", "each", "ranking", "looked_at", "of", "opponents": [E…]}``; E has
            ``count``, query examples that it is a top opponent of, and ``examples``, ids of the first ten.

        Raises:
            InputError: A number is out of range, or "wrong" is asked where nothing is right or wrong.
            NotComputedError: No finished run.
        """
        many = Many(among, each, ranking, top, most)
        return opposing_document(self._place(), many, progress=progress, session=session)

    def confusion(self) -> dict[str, Any]:
        """Counts of the query split by given and predicted class (``audit.groups.confusion_document``)."""
        return confusion_document(self.record, self.results, self.query_split)

    def group(self, address: str) -> Group:
        """The examples of a group, by its address.

        Raises:
            NotFoundError: There is none.
            InputError: The address cannot be read.
        """
        return find_group(self.record, self.results, self.selections, self.query_split, address)

    def keep_query(self, *, text: str | None = None, image: bytes | None = None) -> str:
        """Keep a sentence or a picture that is no example of the data, so that an address can name it.

        Returns:
            The name that ``own_query`` takes.

        Raises:
            InputError: It is empty, too large, no picture, or not what this audit is about.
            ReadOnlyError: The workspace was opened for looking only.
        """
        self.database.require_writable()
        wanted = "text" if text is not None else "image"
        if self.record.task != wanted:
            raise InputError(
                f"Audit '{self.record.name}' takes no {wanted} as a query.",
                remedy="Give an example, or what its data consists of.",
            )
        if image is not None:
            decode(image, "the picture")
        return self._own_queries.keep(
            wanted, image if image is not None else str(text).encode("utf-8", "replace")
        )

    def own_query(self, name: str) -> dict[str, Any]:
        """A kept query, as an argument of ``influence``: ``{"text": …}`` or ``{"image": …}``.

        Raises:
            NotFoundError: It is not kept (any more).
        """
        kind, content = self._own_queries.get(name)
        return {kind: content.decode() if kind == "text" else content}

    @property
    def _own_queries(self) -> OwnQueries:
        folder = self.home.audit_folder(self.record.name) / "queries"
        return OwnQueries(folder, read_only=self.database.read_only)

    def _place(self) -> Place:
        return Place(self.home, self.record, self.results, self.selections, self.query_split)
