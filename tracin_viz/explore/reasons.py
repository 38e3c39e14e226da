"""Why a training example is a suspect: codes with numbers, which pages put into the reader's words.

``sentence`` gives the English words for the command line and for documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tracin_viz.explore.rarity import Sign

#: More suspicious than this share of the training set is worth saying, in percent.
WORTH_SAYING = 90.0


@dataclass(frozen=True)
class Evidence:
    """What is known about one suspect, in names and numbers that a sentence can use.

    Attributes:
        given: Name of the label it has.
        suggested: Name of the suggested class, or empty.
        confidence: Of the suggestion, 0–1.
        percentile: 0–100 in the chosen ranking, NaN where it could not be measured.
        wrong: Checkpoints at which the model predicted another class than the label.
        checkpoints: Checkpoints measured.
        votes: Rankings among whose most suspicious it is; ``rankings`` of them there are (0 = not asked).
        rankings: How many rankings were asked.
        sign: What model and neighbours say together, where that is known.
        neighbours: Share of its nearest neighbours with the same label, 0–1; NaN where not known.
    """

    given: str
    suggested: str
    confidence: float
    percentile: float
    wrong: int
    checkpoints: int
    votes: int = 0
    rankings: int = 0
    sign: Sign | None = None
    neighbours: float = float("nan")


@dataclass(frozen=True)
class Reason:
    """One reason.

    Attributes:
        code: A key of ``SENTENCES``.
        values: What its sentence is filled with: text from data, or numbers.
    """

    code: str
    values: dict[str, str | int | float] = field(default_factory=dict)


#: English sentences by code.
SENTENCES: dict[str, str] = {
    "not-finite": "Its gradient is not a finite number: look at the example itself, it may be damaged.",
    "percentile": "More suspicious than {percentile} % of the training set.",
    "never-agreed": "The model never agreed with “{given}”.",
    "mostly-disagreed": "The model disagreed with “{given}” at {wrong} of {checkpoints} checkpoints.",
    "leaned": "The model leaned to “{suggested}” ({confidence} % on average).",
    "votes": "{votes} of {rankings} rankings have it among their top 10 %.",
    "neighbours-disagree": "{neighbours} % of the examples it most looks like to the model share its label.",
    "rare": "Model and neighbours agree with the label: it may be right but rare.",
    "agrees": "The model agrees with the label: it may be right but rare.",
    "nothing-else": "It ranks high, but nothing else speaks against its label.",
}


def reasons(evidence: Evidence) -> list[Reason]:
    """Why this example is shown, strongest first."""
    if not np.isfinite(evidence.percentile):
        return [Reason("not-finite")]
    found: list[Reason] = []
    if evidence.percentile >= WORTH_SAYING:
        found.append(Reason("percentile", {"percentile": _percent(evidence.percentile)}))
    if evidence.checkpoints and evidence.wrong == evidence.checkpoints:
        found.append(Reason("never-agreed", {"given": evidence.given}))
    elif evidence.wrong * 2 > evidence.checkpoints:
        values: dict[str, str | int | float] = {
            "given": evidence.given,
            "wrong": evidence.wrong,
            "checkpoints": evidence.checkpoints,
        }
        found.append(Reason("mostly-disagreed", values))
    if evidence.suggested and evidence.confidence >= 0.5:
        sure = f"{100 * evidence.confidence:.0f}"
        found.append(Reason("leaned", {"suggested": evidence.suggested, "confidence": sure}))
    if evidence.neighbours < 0.5:
        share = f"{100 * evidence.neighbours:.0f}"
        found.append(Reason("neighbours-disagree", {"neighbours": share}))
    if evidence.votes >= 2:
        found.append(Reason("votes", {"votes": evidence.votes, "rankings": evidence.rankings}))
    if evidence.sign == "rare":
        found.append(Reason("rare"))
    elif evidence.checkpoints and evidence.wrong == 0:
        found.append(Reason("agrees"))
    return found or [Reason("nothing-else")]


def sentence(reason: Reason) -> str:
    """The reason in English."""
    return SENTENCES[reason.code].format(**reason.values)


def sentences(found: Sequence[Reason]) -> list[str]:
    """Reasons in English."""
    return [sentence(one) for one in found]


def _percent(value: float) -> str:
    # 99.97 must not read as "100.0 % of the training set", which would include the example itself.
    return f"{min(value, 99.9):.1f}"
