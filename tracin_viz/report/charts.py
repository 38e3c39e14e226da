"""Charts as static SVG: no script, the colours of the page's style sheet, and a text that says the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tracin_viz.report.markup import Html, clean, joined, tag
from tracin_viz.report.words import Words

#: Units across; a phone shows 360 pixels of them, where the style sheet makes the letters larger.
_WIDTH = 560


def _svg(height: int, alt: str, parts: Sequence[object]) -> Html:
    drawn = joined(parts)
    return tag("svg", drawn, viewBox=f"0 0 {_WIDTH} {height}", role="img", aria_label=alt)


def histogram(found: Mapping[str, Any], words: Words, *, alt: str) -> Html:
    """Bars of pre-counted bins; those from the suspects' line on in the colour of suspects.

    Args:
        found: ``{edges, counts, logarithmic, line}``; edges and line in powers of ten where logarithmic.
        words: The translator.
        alt: The chart in one sentence.
    """
    tr = words.tr
    edges, counts = found["edges"], found["counts"]
    left, right, top, bottom = 64.0, _WIDTH - 8.0, 24.0, 200.0
    low, wide = float(edges[0]), float(edges[-1] - edges[0]) or 1.0
    most = max(counts) or 1

    def across(value: float) -> float:
        return left + (value - low) / wide * (right - left)

    parts: list[object] = [_line(left, bottom, right, bottom, "s-rule")]
    for begin, end, count in zip(edges[:-1], edges[1:], counts, strict=True):
        if count:
            height = max(1.5, count / most * (bottom - top))
            suspect = found["line"] is not None and (begin + end) / 2 >= found["line"]
            parts.append(
                tag(
                    "rect",
                    x=_px(across(begin) + 0.75),
                    y=_px(bottom - height),
                    width=_px(across(end) - across(begin) - 1.5),
                    height=_px(height),
                    class_="f-suspect" if suspect else "f-rest",
                )
            )
    parts += [
        _text(left - 8, top + 4, f"{most:,}", "end"),
        _text(left - 8, bottom, "0", "end"),
        *(_text(across(at), bottom + 24, name, "middle") for at, name in _ticks(found)),
        _text(
            (left + right) / 2, bottom + 50, tr("self-influence (further right = more suspicious)"), "middle"
        ),
    ]
    if found["line"] is not None and edges[0] <= found["line"] <= edges[-1]:
        place = across(found["line"])
        side = "end" if place > _WIDTH * 0.6 else "start"
        parts += [
            _line(place, top - 8, place, bottom, "s-suspect", 2),
            _text(place + (-8 if side == "end" else 8), top + 4, tr("the top 10 %"), side, "strong"),
        ]
    return _svg(256, alt, parts)


def _ticks(found: Mapping[str, Any]) -> list[tuple[float, str]]:
    low, high = found["edges"][0], found["edges"][-1]
    if found["logarithmic"]:
        powers = [power for power in range(-30, 31) if low <= power <= high]
        step = max(1, len(powers) // 6)
        return [(float(power), _power(power)) for power in powers[::step]]
    return [(low + (high - low) * part / 4, f"{low + (high - low) * part / 4:.3g}") for part in range(5)]


def _power(power: int) -> str:
    if -3 <= power <= 5:
        return f"{10.0**power:,.{max(0, -power)}f}"
    return "10" + str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def recovery(found: Mapping[str, Any], names: Mapping[str, str], words: Words, *, alt: str) -> Html:
    """Share of the known wrong labels found over the share looked at; self-influence strong, random dotted.

    Args:
        found: The façade's recovery document.
        names: What the rankings are called.
        words: The translator.
        alt: The chart in one sentence.
    """
    tr = words.tr
    left, right, top, bottom = 64.0, _WIDTH - 24.0, 16.0, 264.0

    def path(shares: Sequence[float]) -> str:
        points = [
            f"{_px(left + x * (right - left))} {_px(bottom - y * (bottom - top))}"
            for x, y in zip(found["fractions"], shares, strict=True)
        ]
        return "M" + " L".join(points)

    parts: list[object] = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y, x = bottom - share * (bottom - top), left + share * (right - left)
        parts += [
            _line(left, y, right, y, "s-rule"),
            _text(left - 8, y + 4, f"{share:.0%}", "end"),
            _text(x, bottom + 24, f"{share:.0%}", "middle"),
        ]
    look = left + 0.2 * (right - left)
    at = found["at_20"]["self-influence"]
    parts += [
        _line(look, top, look, bottom, "s-rest", 1, dashes="2 4"),
        tag(
            "path",
            d=path(found["random"]),
            fill="none",
            stroke_width=1.5,
            stroke_dasharray="2 5",
            class_="s-rest",
        ),
    ]
    for name in sorted(found["curves"], key=lambda one: one == "self-influence"):
        strong = name == "self-influence"
        parts.append(
            tag(
                "path",
                d=path(found["curves"][name]),
                fill="none",
                stroke_width=3 if strong else 1.5,
                stroke_dasharray=None if strong else _DASHES.get(name, "8 3"),
                class_="s-suspect" if strong else "s-rest",
            )
        )
    parts += [
        tag("circle", cx=_px(look), cy=_px(bottom - at * (bottom - top)), r=6, class_="f-suspect"),
        _text(look + 14, bottom - at * (bottom - top) + 22, f"{at:.0%}", "start", "strong"),
        _text((left + right) / 2, bottom + 50, tr("share of the training examples looked at"), "middle"),
    ]
    return joined([_svg(320, alt, parts), _legend(found, names, words)])


_DASHES = {"aum": "10 3", "loss": "6 3", "gradient-norm": "10 3 2 3"}


def _legend(found: Mapping[str, Any], names: Mapping[str, str], words: Words) -> Html:
    tr = words.tr
    rows = [(name, names.get(name, name)) for name in found["curves"]]
    rows = [row for row in rows if row[0] == "self-influence"] + [
        row for row in rows if row[0] != "self-influence"
    ]

    def line(name: str, said: str) -> Html:
        strong = name == "self-influence"
        dashes = None if strong else "2 5" if name == "random" else _DASHES.get(name, "8 3")
        stroke = _line(0, 6, 32, 6, "s-suspect" if strong else "s-rest", 3 if strong else 1.5, dashes=dashes)
        sign = tag("svg", stroke, viewBox="0 0 32 12", width=32, height=12, aria_hidden="true", class_="key")
        return tag("li", sign, said)

    drawn = [line(name, said) for name, said in rows] + [line("random", tr("Looking at random"))]
    return tag("ul", *drawn, class_="legend")


def share_bar(share: float, low: float | None, high: float | None, *, alt: str) -> Html:
    """A share between 0 and 1 as a bar with its interval."""
    left, wide, parts = 0.0, float(_WIDTH), []
    parts.append(tag("rect", x=0, y=12, width=_WIDTH, height=16, rx=4, class_="f-wash"))
    parts.append(tag("rect", x=0, y=12, width=_px(share * wide), height=16, rx=4, class_="f-suspect"))
    if low is not None and high is not None:
        begin, end = left + low * wide, left + high * wide
        parts += [
            _line(begin, 20, end, 20, "s-ink", 2),
            _line(begin, 10, begin, 30, "s-ink", 2),
            _line(end, 10, end, 30, "s-ink", 2),
        ]
    return _svg(40, alt, parts)


def mix_bar(parts_: Sequence[tuple[str, int]], *, alt: str) -> Html:
    """How a whole is divided, the largest part strong; the names stand beside it in words."""
    total = sum(count for _, count in parts_) or 1
    at, drawn = 0.0, []
    for place, (_, count) in enumerate(parts_[:8]):
        wide = count / total * _WIDTH
        drawn.append(
            tag(
                "rect",
                x=_px(at),
                y=0,
                width=_px(max(0.0, wide - 2)),
                height=8,
                class_="f-accent" if place == 0 else "f-rest",
                opacity=None if place < 2 else max(0.3, 1 - 0.2 * (place - 1)),
            )
        )
        at += wide
    return _svg(8, alt, drawn)


def _line(
    x1: float, y1: float, x2: float, y2: float, class_: str, width: float = 1, *, dashes: str | None = None
) -> Html:
    return tag(
        "line",
        x1=_px(x1),
        y1=_px(y1),
        x2=_px(x2),
        y2=_px(y2),
        stroke_width=width,
        stroke_dasharray=dashes,
        class_=class_,
    )


def _text(x: float, y: float, words: str, anchor: str, class_: str | None = None) -> Html:
    return tag("text", clean(words, longest=80), x=_px(x), y=_px(y), text_anchor=anchor, class_=class_)


def _px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
