"""The automatic name of a cluster in the reader's language."""

from __future__ import annotations

from tracin_viz.audit import ClusterSummary
from tracin_viz.ui.language import later, tr

#: By kind of name (``explore.clusters.Name``).
PATTERNS: dict[str, str] = {
    "none": later("no class"),
    "mostly": later("mostly {first}"),
    "some": later("mostly {first}, some {second}"),
    "mixed": later("mixed: {all}"),
}


def cluster_words(cluster: ClusterSummary) -> str:
    """Its short name; class names in it are as the data has them."""
    name = cluster.parts
    if name.kind == "only":
        words = name.classes[0]
    else:
        words = tr(
            PATTERNS[name.kind],
            first=name.classes[0] if name.classes else "",
            second=name.classes[1] if len(name.classes) > 1 else "",
            all=", ".join(name.classes),
        )
    if name.model:
        words = tr("{name} — model says {model}", name=words, model=name.model)
    return f"{words} ({name.number})" if name.number else words
