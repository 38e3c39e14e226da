"""One theme file: what charts draw equals what components show, and everything is readable in both looks."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tracin_viz.ui import theme

CONFIG = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text("utf-8"))
LOOKS = ("light", "dark")


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio (WCAG 2.2), 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", ["blue", "orange", "yellow", "green", "gray"])
def test_words_in_a_colour_with_a_meaning_are_readable(look: str, name: str):
    section = CONFIG["theme"][look]
    assert contrast(section[f"{name}TextColor"], section["backgroundColor"]) >= 4.5


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", ["blue", "orange", "green", "gray"])
def test_marks_stand_out_from_the_page(look: str, name: str):
    section = CONFIG["theme"][look]
    # Grey is background by intention; what means something needs 3:1 (WCAG 1.4.11).
    assert contrast(section[f"{name}Color"], section["backgroundColor"]) >= (2.2 if name == "gray" else 3.0)


@pytest.mark.parametrize("look", LOOKS)
def test_the_filled_button_is_readable(look: str):
    section = CONFIG["theme"][look]
    assert contrast(section["primaryColor"], "#FFFFFF") >= 4.5
    assert contrast(section["textColor"], section["backgroundColor"]) >= 7


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("ground", ["backgroundColor", "secondaryBackgroundColor"])
def test_captions_which_streamlit_draws_at_60_per_cent_are_readable(look: str, ground: str):
    section = CONFIG["theme"][look]
    words, behind = (
        [int(section[name].lstrip("#")[place : place + 2], 16) for place in (0, 2, 4)]
        for name in ("textColor", ground)
    )
    mixed = [round(0.6 * word + 0.4 * back) for word, back in zip(words, behind, strict=True)]
    assert contrast("#" + "".join(f"{part:02x}" for part in mixed), section[ground]) >= 4.5


def test_charts_fall_back_to_the_colours_of_the_theme_file():
    light = CONFIG["theme"]["light"]
    assert {option: light[option] for option in theme._FALLBACK} == theme._FALLBACK
    assert tuple(CONFIG["theme"]["chartCategoricalColors"]) == theme._CLASSES


def test_design_colours_are_the_light_ones():
    light = CONFIG["theme"]["light"]
    assert (light["blueColor"], light["orangeColor"]) == ("#0072B2", "#D55E00")
    assert (light["yellowColor"], light["greenColor"]) == ("#E69F00", "#009E73")


def test_never_more_than_eight_colours_at_once():
    names = [str(number) for number in range(20)]
    colours = theme.class_colours(names)
    grey = theme.colour("neutral")
    assert sum(colour != grey for colour in colours.values()) == theme.MOST_COLOURS == 8
    assert all(colours[name] == grey for name in names[8:])
    assert len({colours[name] for name in names[:8]}) == 8


def test_a_class_keeps_its_colour_when_others_are_chosen():
    names = [str(number) for number in range(20)]
    every = theme.class_colours(names)
    some = theme.class_colours(names, ["3", "12", "15"])
    assert some["3"] == every["3"]
    assert len({some["3"], some["12"], some["15"]}) == 3
    assert some["0"] == theme.colour("neutral")


def test_the_server_answers_this_computer_only():
    assert CONFIG["server"]["address"] == "127.0.0.1"
    assert set(CONFIG["server"]["allowedHosts"]) == {"localhost", "127.0.0.1"}
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert CONFIG["client"]["showErrorDetails"] == "none"
