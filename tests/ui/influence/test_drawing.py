"""Figures, shaded words and the choice of cells: what is drawn is what the numbers say."""

from __future__ import annotations

import numpy as np
import pytest

from tracin_viz.ui.influence.figures import LAYERS, confusion_figure, origin_figure, strongest_layers
from tracin_viz.ui.influence.groups import frequent_mistakes, most_confused_classes
from tracin_viz.ui.influence.words_shaded import shaded_texts

COLOURS = ("#0072B2", "#D55E00", "#FFFFFF", "#17202A")
COUNTS = np.array([[90, 3, 0], [0, 80, 12], [1, 0, 70]])


def test_the_matrix_can_be_clicked_where_there_are_examples_only():
    names = ["cat", "dog", "<img src=x onerror=alert(1)>"]
    words = {"given": "label", "predicted": "prediction", "cell": "%{customdata}"}
    figure = confusion_figure(COUNTS, names, words=words, colours=COLOURS)
    points = figure.data[1]
    assert list(zip(points.y, points.x, strict=True)) == [(0, 0), (0, 1), (1, 1), (1, 2), (2, 0), (2, 2)]
    assert list(points.text) == ["90", "3", "80", "12", "1", "70"]
    shade = np.array(figure.data[0].z, dtype=float)
    assert (np.diag(shade) < 0).all() and shade[1, 2] > shade[0, 1] > shade[2, 0] > 0
    assert np.isnan(shade[0, 2])
    assert "<img" not in figure.to_json()


def test_the_heat_map_has_zero_in_the_middle_of_its_colours():
    parts = np.array([[1.0, -3.0], [0.5, 0.0]])
    words = {"step": "step", "influence": "influence"}
    figure = origin_figure(parts, [10, 20], ["first", "<b>last"], words=words, colours=COLOURS[:3])
    (drawn,) = figure.data
    assert (drawn.zmin, drawn.zmax) == (-3.0, 3.0)
    np.testing.assert_array_equal(drawn.z, parts.T)
    assert list(drawn.x) == ["step 10", "step 20"]
    assert figure.layout.yaxis.ticktext == ("first", "&lt;b&gt;last")


def test_an_influence_of_nothing_at_all_is_drawn():
    words = {"step": "step", "influence": "influence"}
    figure = origin_figure(np.zeros((1, 1)), [1], ["only"], words=words, colours=COLOURS[:3])
    assert figure.data[0].zmax > 0


def test_of_many_layers_the_strongest_stay_and_the_rest_is_summed():
    generator = np.random.default_rng(0)
    parts = generator.normal(size=(4, 3 * LAYERS))
    layers = [f"layer{place}" for place in range(3 * LAYERS)]
    shown, names = strongest_layers(parts, layers, "the rest")
    assert len(names) == shown.shape[1] == LAYERS and names[-1] == "the rest"
    np.testing.assert_allclose(shown.sum(axis=1), parts.sum(axis=1))
    left_out = [place for place, name in enumerate(layers) if name not in names]
    kept = [place for place, name in enumerate(layers) if name in names]
    weight = np.abs(parts).sum(axis=0)
    assert weight[kept].min() >= weight[left_out].max()
    assert strongest_layers(parts[:, :5], layers[:5], "the rest")[1] == layers[:5]


def test_mistakes_are_listed_by_count_and_classes_by_mistakes():
    assert frequent_mistakes(COUNTS, 2) == [(1, 2), (0, 1)]
    assert frequent_mistakes(COUNTS, 9) == [(1, 2), (0, 1), (2, 0)]
    assert most_confused_classes(COUNTS, 2) == [1, 2]
    assert most_confused_classes(COUNTS, 3) == [0, 1, 2]


def piece(start: int, stop: int, score: float) -> dict[str, float]:
    return {"start": start, "stop": stop, "score": score}


def test_shaded_pieces_give_the_whole_text_back_and_share_one_scale():
    text = "<b>turn</b>  the light on"
    one = {
        "id": "train:3",
        "text": text,
        "pieces": [piece(0, 7, -0.5), piece(13, 16, 0.01), piece(17, 22, 2.0)],
        "elsewhere": 0.25,
    }
    other = {"id": "train:4", "text": "off", "pieces": [piece(0, 3, 4.0)], "elsewhere": 0.0}
    found = shaded_texts([one, other], strongest="Strongest", elsewhere="elsewhere")
    assert "".join(part.text for part in found[0].pieces) == text
    shares = {part.text: part.share for part in found[0].pieces}
    assert shares["light"] == 0.5 and shares["<b>turn"] == -0.125
    assert shares["the"] == 0.0, "too small to be shaded"
    assert found[1].pieces[0].share == 1.0
    assert found[0].note == "Strongest: “light” +2, “<b>turn” −0.5, “the” +0.01 · +0.25 elsewhere"


@pytest.mark.parametrize("pieces", [[], [piece(0, 99, 1.0)], [piece(2, 4, 1.0), piece(3, 5, -1.0)]])
def test_odd_places_of_tokens_lose_no_character(pieces: list[dict[str, float]]):
    one = {"id": "train:0", "text": "seven", "pieces": pieces, "elsewhere": 1.0}
    (found,) = shaded_texts([one], strongest="s", elsewhere="e")
    assert "".join(part.text for part in found.pieces) == "seven"
