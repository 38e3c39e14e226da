"""Why an example is a suspect, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tracin_viz.ui.language import later, tr
from tracin_viz.ui.short import short

#: By code of ``explore.reasons``; a test holds that there is one for each.
SENTENCES: dict[str, str] = {
    "not-finite": later(
        "Its gradient is not a finite number: look at the example itself, it may be damaged."
    ),
    "percentile": later("More suspicious than {percentile} % of the training set."),
    "never-agreed": later("The model never agreed with “{given}”."),
    "mostly-disagreed": later("The model disagreed with “{given}” at {wrong} of {checkpoints} checkpoints."),
    "leaned": later("The model leaned to “{suggested}” ({confidence} % on average)."),
    "votes": later("{votes} of {rankings} rankings have it among their top 10 %."),
    "neighbours-disagree": later(
        "{neighbours} % of the examples it most looks like to the model share its label."
    ),
    "rare": later("Model and neighbours agree with the label: it may be right but rare."),
    "agrees": later("The model agrees with the label: it may be right but rare."),
    "nothing-else": later("It ranks high, but nothing else speaks against its label."),
}

#: The shorter words for the one line of a card.
SHORT: dict[str, str] = {
    "not-finite": later("gradient not finite: look at the example"),
    "never-agreed": later("model never agreed"),
    "mostly-disagreed": later("model disagreed at {wrong} of {checkpoints}"),
    "neighbours-disagree": later("{neighbours} % of its neighbours share the label"),
    "rare": later("rare but probably right"),
    "agrees": later("model agrees"),
}


def reason_words(row: Mapping[str, Any], *, say: Callable[..., str] = tr) -> list[str]:
    """The reasons of a row of the suspects document, as sentences. Long names in them are shortened.

    Args:
        row: Of ``Audit.suspects`` or ``Audit.suspect_entries``.
        say: Translates; by default into the language of this visit.
    """
    return [say(SENTENCES[one["code"]], **_shown(one["values"])) for one in row.get("reason_codes", ())]


def short_reasons(row: Mapping[str, Any], most: int = 2) -> str:
    """The same as one line for a card; the percentile is left out, because the card shows it anyway."""
    found = [
        tr(SHORT[one["code"]], **_shown(one["values"]))
        for one in row.get("reason_codes", ())
        if one["code"] in SHORT
    ]
    return " · ".join(found[:most])


def _shown(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: short(value) if isinstance(value, str) else value for name, value in values.items()}
