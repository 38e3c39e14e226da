"""What the decisions of several people about one example come to, and where they disagree.

Each annotator has one vote on an example: the newest decision that holds. Keeping the given label and
choosing it anew are the same vote. "Needs review" asks for somebody else and is no vote on the label.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tracin_viz.relabel.decisions import Decision, Event, decided_by, deciding

#: What a vote comes to: ("label", name), ("given", None), ("exclude", None) or ("review", None).
Outcome = tuple[str, str | None]

#: Ways to come to one label, with what each means.
POLICIES: dict[str, str] = {
    "single": "the newest decision counts, whoever made it",
    "majority": "what more than half of the annotators decided counts",
    "adjudicated": "what all annotators agree on counts; a third person settles the rest",
}
USUAL = "single"


@dataclass(frozen=True)
class Conflict:
    """Annotators who decided differently about one example, with nobody having settled it yet.

    Attributes:
        example_id: ``split:row``.
        votes: Their newest decisions, in order of the log.
    """

    example_id: str
    votes: tuple[Event, ...]


def outcome(event: Event) -> Outcome:
    """What one decision comes to."""
    if event.action in ("exclude", "review"):
        return event.action, None
    if event.action == "relabel" and event.new_label != event.old_label:
        return "label", event.new_label
    return "given", None


def votes(events: Sequence[Event]) -> dict[str, Event]:
    """Each annotator's vote among one example's events, in order of the log; settling decisions are none."""
    found: dict[str, Event] = {}
    for event in deciding(events):
        if not event.settles:
            found.pop(event.annotator, None)
            found[event.annotator] = event
    return found


def settlement(events: Sequence[Event]) -> Event | None:
    """The newest decision that settles what the others disagree about."""
    return next((event for event in reversed(deciding(events)) if event.settles), None)


def decide(events: Sequence[Event], policy: str = USUAL) -> Decision | None:
    """What one example's events decide, in order of the log; ``None`` = nothing, the given label stays.

    Args:
        events: All events about one example.
        policy: A key of ``POLICIES``.
    """
    event = _RULES[policy](events)
    return None if event is None else decided_by(event)


def conflict(events: Sequence[Event]) -> Conflict | None:
    """The disagreement about one example, where there is one that nobody settled."""
    if len(events) < 2:  # nearly every example, and each is asked about when a log is read
        return None
    standing = list(votes(events).values())
    different = {outcome(event) for event in standing if event.action != "review"}
    if len(different) < 2 or settlement(events) is not None:
        return None
    return Conflict(standing[0].example_id, tuple(standing))


def decisions(events: Iterable[Event], policy: str = USUAL) -> dict[str, Decision]:
    """The decision that holds for each example, computed from the whole log."""
    found = {name: decide(own, policy) for name, own in by_example(events).items()}
    return {name: decision for name, decision in found.items() if decision is not None}


def by_example(events: Iterable[Event]) -> Mapping[str, list[Event]]:
    """The events about each example, in order."""
    found: dict[str, list[Event]] = {}
    for event in events:
        found.setdefault(event.example_id, []).append(event)
    return found


def _newest(events: Sequence[Event]) -> Event | None:
    return next(reversed(deciding(events)), None)


def _most(events: Sequence[Event]) -> Event | None:
    settled = settlement(events)
    if settled is not None:
        return settled
    standing = list(votes(events).values())
    named = [event for event in standing if event.action != "review"]
    if not named:
        return standing[-1] if standing else None
    winner, number = Counter(outcome(event) for event in named).most_common(1)[0]
    if 2 * number <= len(named):
        return None
    return next(event for event in reversed(named) if outcome(event) == winner)


def _agreed(events: Sequence[Event]) -> Event | None:
    settled = settlement(events)
    if settled is not None:
        return settled
    standing = list(votes(events).values())
    named = [event for event in standing if event.action != "review"]
    if len({outcome(event) for event in named}) > 1:
        return None
    return (named or standing)[-1] if standing else None


_RULES: dict[str, Callable[[Sequence[Event]], Event | None]] = {
    "single": _newest,
    "majority": _most,
    "adjudicated": _agreed,
}
