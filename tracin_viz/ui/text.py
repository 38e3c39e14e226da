"""Words that repeat on pages, and the one way to put data-set text into a native widget.

Streamlit reads labels, captions and messages as Markdown. Text that comes from data is hostile: it may hold
links, remote pictures, icons or colour directives. ``plain`` switches all of that off.
"""

from __future__ import annotations

import re
from datetime import datetime

from babel.dates import format_date

from tracin_viz.ui.language import USUAL, language, later, tr

#: Invisible character without width or line break. Around a sign it ends every pattern that Streamlit looks
#: for *after* Markdown's backslashes are gone: web addresses, ``:emoji:``, ``:material/icon:``, arrows.
_JOINER = "\u2060"

_SPECIAL = re.compile(r"([\\`*_\[\]()<>{}#~|!$&+=.:@/-])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
#: Signs that turn the direction of what follows: a label could make the words around it read backwards.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


def plain(value: object, *, longest: int = 200) -> str:
    """``value`` as text that Markdown shows literally, on one line.

    Args:
        value: Anything from a data set, a file name or an error.
        longest: Characters shown; the rest becomes "…".
    """
    # No more is looked at than can be shown: a label may be megabytes.
    text = one_line(str(value)[: 4 * longest])
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    # The leading joiner keeps "1." or four spaces from starting a list or a code block.
    return _JOINER + _SPECIAL.sub(rf"{_JOINER}\\\1{_JOINER}", text)


def one_line(text: str) -> str:
    """``text`` without line breaks, other controls, and signs that turn its direction."""
    return _TURNING.sub("", _CONTROL.sub(" ", text)).strip()


def count(number: int, noun: str, plural: str = "") -> str:
    """``4,000 examples``; ``1 example``. Without ``plural`` it is the noun with an s."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def train_first(splits: dict[str, int]) -> list[tuple[str, int]]:
    """Split names and sizes with the training split in front."""
    return sorted(splits.items(), key=lambda pair: pair[0] != "train")


def sizes(splits: dict[str, int]) -> str:
    """Every split with its number of examples, for Markdown: ``4,000 train · 1,000 test``."""
    return " · ".join(f"{number:,} {plain(split)}" for split, number in train_first(splits))


def percent(share: float | None, digits: int = 0) -> str:
    """A share between 0 and 1 as a percentage; a dash where it is unknown."""
    return "–" if share is None or share != share else f"{100 * share:.{digits}f} %"


def duration(seconds: float | None) -> str:
    """Time left in words; empty where it is unknown."""
    if seconds is None:
        return ""
    if seconds < 60:
        return tr("about {number} s left", number=max(1, round(seconds)))
    if seconds < 3600:
        return tr("about {number} min left", number=round(seconds / 60))
    return tr("about {number} h left", number=f"{seconds / 3600:.1f}")


def takes(seconds: float) -> str:
    """How long something will take, in words."""
    if seconds < 60:
        return tr("about {number} s", number=max(1, round(seconds)))
    if seconds < 3600:
        return tr("about {number} min", number=round(seconds / 60))
    return tr("about {number} h", number=f"{seconds / 3600:.1f}")


def date(stamp: float, *, hours: bool = False) -> str:
    """Day (and hour) of seconds since 1970 as the reader's language writes it."""
    local = datetime.fromtimestamp(stamp)
    day = format_date(local, "d MMM y" if language() == USUAL else "long", locale=language())
    return f"{day} {local:%H:%M}" if hours else day


FOR = later("▲ For")
AGAINST = later("▼ Against")

PROPONENTS = later("Proponents: training examples that pushed the model **towards** this answer.")
OPPONENTS = later("Opponents: training examples that pushed the model **away** from this answer.")

WHAT_INFLUENCE = later(
    "Each number is a sum over checkpoints: how far one training step on that example moved the loss of "
    "the chosen one. Positive lowered the loss (for), negative raised it (against); the size has no unit, "
    "so compare it within one list only."
)
WHAT_SIMILAR = later(
    "Likeness of the last layer's inputs (cosine, 1 = same direction). Looking alike is not the same as "
    "having pushed the prediction."
)
WHAT_SELF_INFLUENCE = later(
    "An example with high self-influence leans on itself: the model could only get it right by memorising "
    "it. Wrong labels look like that, and so do rare or hard but correct ones: a reason to look, no verdict."
)
WHAT_CLUSTERS = later(
    "Examples are close here when they push the model in the same direction while it trains, which is not "
    "the same as looking alike. Position and distance between far groups mean nothing; who is together does."
)

RANKINGS: dict[str, str] = {
    "dot": later("Total push"),
    "cosine": later("Same direction"),
    "relatif": later("Typical push"),
}
RANKING_HELP: dict[str, str] = {
    "dot": later(
        "Total push (dot product): TracIn as published. Use it first; a few extreme examples can "
        "appear in many lists."
    ),
    "cosine": later(
        "Same direction (cosine): ignores how strongly an example pushes. Use it to find the closest "
        "relatives."
    ),
    "relatif": later(
        "Typical push (RelatIF): divides by the training example's own strength. Use it when the "
        "same few examples show up as opponents of everything."
    ),
}

SUSPECT_RANKINGS: dict[str, str] = {
    "self-influence": later("Self-influence"),
    "aum": later("Logit margin (AUM)"),
    "loss": later("Mean loss"),
    "gradient-norm": later("Gradient norm"),
    "agreement": later("Agreement of all four"),
}
SUSPECT_HELP: dict[str, str] = {
    "self-influence": later(
        "How strongly an example had to pull the model towards itself, over all checkpoints. Good for wrong "
        "labels and rare examples; needs checkpoints from while the loss was still falling."
    ),
    "aum": later(
        "How far the label's logit stays below the best other one, on average over the checkpoints. Good for "
        "wrong labels, steady on late checkpoints; says little about rare ones that the model gets right."
    ),
    "loss": later(
        "Average loss over the checkpoints. A simple cross-check; misses what was memorised early."
    ),
    "gradient-norm": later(
        "Average size of the gradient, every checkpoint counting the same. Good for comparing with "
        "self-influence where the learning rate changed a lot."
    ),
    "agreement": later(
        "Average percentile in the four rankings. Good where no single ranking is to decide; they are "
        "related, so four votes are not four independent witnesses."
    ),
}

#: Words of the map (ui/components/scatter); ``{n}`` is a number.
MAP_WORDS: dict[str, str] = {
    "tool": later("What dragging does"),
    "missing": later("picture not readable"),
    "lasso": later("Lasso: draw around points"),
    "lasso_short": later("Lasso"),
    "box": later("Box: pull up a rectangle"),
    "box_short": later("Box"),
    "pan": later("Move the map"),
    "pan_short": later("Move"),
    "way": later("What a new selection does to the present one"),
    "replace": later("Replace the selection"),
    "replace_short": later("New"),
    "add": later("Add to the selection (Shift)"),
    "add_short": later("Add"),
    "subtract": later("Take away from the selection (Ctrl)"),
    "subtract_short": later("Remove"),
    "intersect": later("Keep the overlap (Ctrl + Shift)"),
    "intersect_short": later("Overlap"),
    "zoom_in": later("Zoom in"),
    "zoom_out": later("Zoom out"),
    "fit": later("Show the whole map"),
    "fit_short": later("Fit"),
    "clear": later("Clear selection"),
    "points": later("{n} on the map"),
    "selected": later("{n} selected"),
    "hide": later("Click hides or shows it; a double click shows it alone"),
    "only": later("only"),
    "only_long": later("Show this alone"),
    "select": later("select"),
    "select_long": later("Select all of"),
    "show_all": later("show all"),
    "more": later("and {n} more, in grey"),
    "loading": later("Loading the map …"),
    "failed": later("The map could not be loaded. Reload the page."),
    "lost": later("The graphics card was taken away; waiting for it to come back."),
    "lost_for_good": later(
        "The graphics card did not come back: the map is drawn in a simpler and slower way."
    ),
    "no_webgl": later("This browser has no WebGL: the map is drawn in a simpler and slower way."),
    "hint": later(
        "Drag to draw around points: Shift adds, Ctrl takes away, both keep the overlap. "
        "Click a point to see the example. Ctrl + wheel zooms."
    ),
    "hint_touch": later("Choose Lasso or Box to draw around points; two fingers move and zoom."),
    "keys": later(
        "Keys: arrows move the cross, with Shift the map; + and − zoom, 0 shows the whole map; "
        "B begins and ends a box; Ctrl + A selects all; Enter opens the example; Esc clears."
    ),
    "box_begun": later("Box begun. Move to its other corner and press B again."),
}

#: Said of the tick of a card; ``{id}`` is the example.
MARK = later("Mark {id}")
MARK_HELP = later("Tick cards (or Space, Ctrl or Shift and click) to act on some of them only.")

STATES: dict[str, str] = {
    "created": later("not computed yet"),
    "queued": later("waiting to start"),
    "running": later("computing"),
    "done": later("ready"),
    "failed": later("failed"),
    "cancelled": later("cancelled"),
}

TASKS: dict[str, str] = {"image": later("images"), "text": later("texts"), "tabular": later("tables")}

#: What a run says it is doing (jobs/, demo/), as far as it is a fixed phrase.
STAGES: dict[str, str] = {
    "reading": later("reading"),
    "fitting": later("fitting"),
    "measuring": later("measuring"),
    "training": later("training"),
    "map": later("drawing the map"),
    "finished": later("finished"),
    "Reading the data and the checkpoints": later("Reading the data and the checkpoints"),
    "Placing the training examples on a map": later("Placing the training examples on a map"),
    "Influence and map are ready.": later("Influence and map are ready."),
}

DEMOS: dict[str, tuple[str, str]] = {
    "digits": (
        later("Handwritten digits"),
        later("5,000 pictures, 10 % of the training labels deliberately wrong. Find them."),
    ),
    "commands": (
        later("Smart-home commands"),
        later(
            "Template-generated voice commands for lights, timers and heating, read by a small transformer."
        ),
    ),
}

NO_AUDIT = later("There is no audit yet.")
NO_AUDIT_REMEDY = later("Try the demo, or open your own model and data, on the Start page.")
SAVED = later("Saved ✓")
