"""What the help says: the glossary, how to read each page, and the keys."""

from __future__ import annotations

from tracin_viz.ui.language import later

#: Word and meaning, in the order in which somebody new meets them.
GLOSSARY: tuple[tuple[str, str], ...] = (
    (
        later("Example"),
        later("One row of the data: a picture, a text or a row of numbers, with or without a label."),
    ),
    (
        later("Audit"),
        later("A data set and a model that belong together, with the settings of what was computed."),
    ),
    (
        later("Checkpoint"),
        later(
            "The weights of the model at one moment of its training, with the number of training steps and "
            "the learning rate at that time."
        ),
    ),
    (
        later("Gradient of an example"),
        later(
            "The direction in which one training step on that example alone would change the model. "
            "A long gradient means that the example still pulls hard."
        ),
    ),
    (
        later("Gradient sketch"),
        later(
            "A gradient shortened to some hundred or thousand numbers, so that all examples can be searched "
            "at once. Lists are computed again from the whole gradients."
        ),
    ),
    (
        later("Influence vector"),
        later(
            "The sketches of one example at all checkpoints, one behind the other, each weighted by the "
            "learning rate. The map and the clusters are made of these."
        ),
    ),
    (
        later("Influence score"),
        later(
            "How far training on one example moved the loss of another, summed over the checkpoints. "
            "Positive = it helped, negative = it got in the way. It has no unit: compare within one list."
        ),
    ),
    (
        later("Proponent (for)"),
        later("A training example that pushed the model towards the answer in question. Blue, ▲."),
    ),
    (
        later("Opponent (against)"),
        later("A training example that pushed the model away from the answer in question. Orange, ▼."),
    ),
    (
        later("Self-influence"),
        later(
            "The influence score of an example on itself. High where the model could only get the example "
            "right by memorising it: wrong labels are like that, and so are rare examples."
        ),
    ),
    (
        later("Suspect"),
        later(
            "A training example that ranks high among the probably mislabelled or rare ones. A reason to "
            "look, no verdict. Amber, ⚑. Higher = more suspicious."
        ),
    ),
    (
        later("Cluster"),
        later("Examples whose influence vectors point the same way: the model treats them alike."),
    ),
    (
        later("Embedding"),
        later(
            "What the last layer of the model gets to see of an example. Likeness of embeddings says what "
            "looks alike to the model, not what pushed a prediction."
        ),
    ),
    (
        later("Run"),
        later("One computation of an audit, in the background. It survives a closed browser."),
    ),
    (
        later("Relabel session"),
        later("A fixed list of examples to decide about, with the place where you stopped."),
    ),
    (
        later("Decision"),
        later(
            "What somebody said about one label: keep, another label, exclude, needs review, skip. Decisions "
            "are only ever added, so each can be undone and traced."
        ),
    ),
    (later("Annotator"), later("The person who made a decision.")),
)

#: By page: how to read what it shows.
READING: dict[str, str] = {
    "start": later(
        "Try a demo first: it is computed already or takes about a minute. Your own data come in by the "
        "button on the right; nothing is changed in your files."
    ),
    "own": later(
        "Three steps: say where the data are, where the checkpoints are, and look at what was found. "
        "Nothing is registered before the last button."
    ),
    "compute": later(
        "The table says which checkpoints count and how much. Those where the training loss fell steeply "
        "tell most. Switching one off changes scores at once; nothing is computed again for that."
    ),
    "influence": later(
        "On the left is the prediction in question. Blue (▲, for) are training examples that pushed the "
        "model towards it, orange (▼, against) those that pushed it away. The bar compares within the page. "
        "Look for wrong labels among the examples against."
    ),
    "suspects": later(
        "The further right in the histogram, the more an example leans on itself. The cards show the given "
        "label → what the model would have said. “> 98 %” means: more suspicious than 98 % of the training "
        "set."
    ),
    "clusters": later(
        "Points that lie together push the model the same way. Distances between far groups mean nothing. "
        "Draw around points to see what they are; each row below shows the typical examples of one cluster."
    ),
    "relabel": later(
        "One example at a time, most suspicious first. Decide what its label should be; each decision is "
        "stored at once and can be undone."
    ),
    "evidence": later(
        "An estimate says how decisions would move the loss of test examples; retraining measures it, with "
        "an interval for chance. The self-test plants wrong labels in a copy and counts how many are found."
    ),
    "report": later(
        "What was found and what was decided, to read, present or hand on. Numbers are about this audit "
        "and its checkpoints only."
    ),
    "compare": later(
        "The same question on both sides. What stands on both lists is marked; the overlap says how far two "
        "sets of checkpoints, or two audits, agree."
    ),
}

_CARDS: tuple[tuple[str, str], ...] = (
    (later("← → ↑ ↓, Home, End"), later("walk through the cards")),
    (later("Enter"), later("open the example")),
)
_MARKING: tuple[tuple[str, str], ...] = (
    (later("Space"), later("mark the card, or take the mark away")),
    (later("Ctrl + A, Esc"), later("mark all cards, mark none")),
)
_MAP: tuple[tuple[str, str], ...] = (
    (later("← → ↑ ↓"), later("move the cross on the map; with Shift the map itself")),
    (later("+ − 0"), later("closer, further, the whole map")),
    (later("B"), later("begin a box, and end it")),
    (later("Shift, Ctrl while drawing"), later("add to the selection, take away; both keep the overlap")),
)
_DECIDING: tuple[tuple[str, str], ...] = (
    (later("W, Q, E, N"), later("take the suggestion, keep the label, exclude, needs review")),
    (later("1–9, 0"), later("give the class with that number")),
    (later("Space"), later("skip")),
    (later("Backspace"), later("undo the last decision")),
    (later("?"), later("on the card: its own keys, where letters can be changed or switched off")),
)
#: Keys of every page; then those of single pages, while what they are about has the focus.
KEYS_EVERYWHERE: tuple[tuple[str, str], ...] = (
    (later("?"), later("this help")),
    (later("Tab, Shift + Tab"), later("to the next or the previous control")),
)
KEYS: dict[str, tuple[tuple[str, str], ...]] = {
    "influence": _CARDS,
    "suspects": (*_CARDS, *_MARKING),
    "clusters": (*_MAP, *_CARDS, *_MARKING),
    "compare": _CARDS,
    "relabel": _DECIDING,
}
