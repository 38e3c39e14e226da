"""The automatic name of a cluster in the reader's language."""

from __future__ import annotations

from tracin_viz.audit import ClusterSummary
from tracin_viz.ui.language import later, tr
from tracin_viz.ui.short import short

#: By kind of name (``explore.clusters.Name``).
PATTERNS: dict[str, str] = {
    "none": later("no class"),
    "mostly": later("mostly {first}"),
    "some": later("mostly {first}, some {second}"),
    "mixed": later("mixed: {all}"),
}


#: Characters of a class in the name of a cluster, which may hold several.
LONGEST = 40


def cluster_words(cluster: ClusterSummary) -> str:
    """Its short name; long names of classes are shortened in it."""
    name = cluster.parts
    classes = [short(one, LONGEST) for one in name.classes]
    if name.kind == "only":
        words = classes[0]
    else:
        words = tr(
            PATTERNS[name.kind],
            first=classes[0] if classes else "",
            second=classes[1] if len(classes) > 1 else "",
            all=", ".join(classes),
        )
    if name.model:
        words = tr("{name} — model says {model}", name=words, model=short(name.model, LONGEST))
    return f"{words} ({name.number})" if name.number else words
