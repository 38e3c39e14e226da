"""How far annotators agree on the same examples: percent, Cohen's kappa for two, Fleiss' kappa for more.

Cohen, "A coefficient of agreement for nominal scales", 1960; Fleiss, "Measuring nominal scale agreement among
many raters", 1971. Kappa is agreement beyond chance: 1 = always, 0 = as often as by chance.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

#: Chosen category by annotator, for one example.
Ratings = Mapping[str, Hashable]


@dataclass(frozen=True)
class Pair:
    """How far two annotators agree.

    Attributes:
        annotators: Their names, in order of the alphabet.
        shared: Examples that both decided about.
        same: Those they decided alike.
        kappa: Cohen's; ``None`` where both used one category throughout: it is undefined then.
    """

    annotators: tuple[str, str]
    shared: int
    same: int
    kappa: float | None


@dataclass(frozen=True)
class Agreement:
    """How far all annotators agree.

    Attributes:
        annotators: Everybody who shares an example with somebody.
        shared: Examples that at least two decided about.
        same: Those about which all who decided agree.
        pairs: Every two of them that share an example.
        everybody: Examples that every annotator decided about.
        fleiss: Fleiss' kappa over those, for three annotators or more; ``None`` where it is undefined.
    """

    annotators: tuple[str, ...]
    shared: int
    same: int
    pairs: tuple[Pair, ...]
    everybody: int
    fleiss: float | None


def agreement(ratings: Mapping[str, Ratings]) -> Agreement:
    """How far annotators agree.

    Args:
        ratings: By example, what each annotator chose; examples with one annotator say nothing here.
    """
    shared = {name: given for name, given in ratings.items() if len(given) >= 2}
    people = sorted({person for given in shared.values() for person in given})
    pairs = []
    for one, other in combinations(people, 2):
        both = [(given[one], given[other]) for given in shared.values() if one in given and other in given]
        if both:
            same = sum(left == right for left, right in both)
            pairs.append(Pair((one, other), len(both), same, cohen_kappa(both)))
    complete = [given for given in shared.values() if len(given) == len(people)]
    return Agreement(
        tuple(people),
        len(shared),
        sum(len(set(given.values())) == 1 for given in shared.values()),
        tuple(pairs),
        len(complete),
        fleiss_kappa([Counter(given.values()) for given in complete]) if len(people) > 2 else None,
    )


def cohen_kappa(pairs: Sequence[tuple[Hashable, Hashable]]) -> float | None:
    """Cohen's kappa of two annotators, from what they chose for the same examples.

    Returns:
        κ = (p_o − p_e) / (1 − p_e), or ``None`` without examples or where p_e is 1.
    """
    number = len(pairs)
    if not number:
        return None
    first, second = Counter(left for left, _ in pairs), Counter(right for _, right in pairs)
    observed = sum(left == right for left, right in pairs) / number
    expected = sum(count * second[name] for name, count in first.items()) / number**2
    return None if math.isclose(expected, 1.0) else (observed - expected) / (1 - expected)


def fleiss_kappa(counts: Sequence[Mapping[Hashable, int]]) -> float | None:
    """Fleiss' kappa.

    Args:
        counts: For each example, how many annotators chose each category; the same number of annotators for
            every example, two or more (Fleiss 1971, equations 1 to 7).

    Returns:
        κ = (P̄ − P̄_e) / (1 − P̄_e), or ``None`` without examples or where P̄_e is 1.
    """
    if not counts:
        return None
    raters = sum(counts[0].values())
    total = len(counts) * raters
    by_category: Counter[Hashable] = Counter()
    observed = 0.0
    for one in counts:
        by_category.update(one)
        observed += (sum(count * count for count in one.values()) - raters) / (raters * (raters - 1))
    observed /= len(counts)
    expected = sum((count / total) ** 2 for count in by_category.values())
    return None if math.isclose(expected, 1.0) else (observed - expected) / (1 - expected)
