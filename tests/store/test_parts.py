"""Gradient units come back as they were written, in equal bytes for equal content."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tracin_viz.errors import NotComputedError, StoreError
from tracin_viz.store.artifacts import ArtifactStore
from tracin_viz.store.parts import (
    EXAMPLE_COLUMNS,
    GradientSet,
    GradientUnit,
    read_frame,
    read_gradient_unit,
    unit_rows,
    write_frame,
    write_gradient_unit,
)

D, E = 24, 6
FP16_RELATIVE = 2.0**-10  # unit rows have entries rounded to 11 bits


def measurements(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    random = np.random.default_rng(seed)
    sketches = (random.normal(size=(n, D)) * 10.0 ** random.uniform(-12, 4, (n, 1))).astype(np.float32)
    embedding = random.normal(size=(n, E)).astype(np.float32)
    columns = {
        "loss": random.random(n),
        "predicted": random.integers(0, 3, n),
        "probability": random.random(n),
        "margin": random.normal(size=n),
        "label_probability": random.random(n),
        "other": random.integers(0, 3, n),
        "other_probability": random.random(n),
        "value": random.random(n),
        "self_influence": random.random(n) * 1e-30,
        "finite": np.ones(n, bool),
    }
    return sketches, embedding, pd.DataFrame(columns).astype(EXAMPLE_COLUMNS)


def unit(n: int = 10, seed: int = 0) -> GradientUnit:
    return GradientUnit.from_measurements(*measurements(n, seed))


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "artifacts")


def test_a_unit_comes_back_as_it_was_written(store):
    written = unit()
    write_gradient_unit(store, "abc", written, {"kind": "gradient"})
    read = read_gradient_unit(store, "abc")
    np.testing.assert_array_equal(read.rows, written.rows)
    np.testing.assert_array_equal(read.norm, written.norm)
    np.testing.assert_array_equal(read.embedding, written.embedding)
    pd.testing.assert_frame_equal(read.examples, written.examples)
    assert isinstance(read.rows, np.memmap)
    assert not read.rows.flags.writeable


def test_equal_units_give_equal_bytes(tmp_path):
    folders = []
    for name in ("one", "two"):
        store = ArtifactStore(tmp_path / name)
        write_gradient_unit(store, "abc", unit(), {"kind": "gradient"})
        folders.append(store.path("abc"))
    names = sorted(path.name for path in folders[0].iterdir())
    assert names == ["embedding.npy", "examples.parquet", "manifest.json", "norm.npy", "rows.npy"]
    for name in names:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name


def test_norms_and_unit_rows_give_back_the_sketches():
    sketches, _, _ = measurements(200, 1)
    rows, norm = unit_rows(sketches)
    back = rows.astype(np.float64) * norm[:, None]
    error = np.abs(back - sketches).max(axis=1) / np.abs(sketches).max(axis=1)
    assert error.max() < FP16_RELATIVE
    np.testing.assert_allclose(norm, np.linalg.norm(sketches.astype(np.float64), axis=1), rtol=1e-6)


def test_tiny_gradients_do_not_underflow():
    sketches = np.full((1, D), 1e-20, np.float32)
    assert not sketches.astype(np.float16).any()  # what raw fp16 would keep
    rows, norm = unit_rows(sketches)
    np.testing.assert_allclose(np.linalg.norm(rows.astype(np.float32), axis=1), 1.0, rtol=1e-3)
    assert norm[0] > 0


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf, 3e38])
def test_zero_and_nonfinite_rows_are_flagged_and_others_untouched(store, bad):
    sketches, embedding, examples = measurements(10, 2)
    sketches[4] = bad
    embedding[4] = np.nan
    flagged = GradientUnit.from_measurements(sketches, embedding, examples)
    write_gradient_unit(store, "abc", flagged, {})
    read = read_gradient_unit(store, "abc")
    assert read.norm[4] == 0 and not read.rows[4].any()
    assert read.examples["finite"].tolist() == [row != 4 for row in range(10)]
    assert np.isfinite(read.rows).all() and np.isfinite(read.embedding).all()
    others = np.arange(10) != 4
    np.testing.assert_array_equal(read.norm[others], unit(10, 2).norm[others])


def test_large_embeddings_are_cut_to_fp16():
    sketches, embedding, examples = measurements(3, 0)
    embedding[0, 0] = 1e6
    assert GradientUnit.from_measurements(sketches, embedding, examples).embedding[0, 0] == 65504


def test_nan_and_text_survive_a_frame(tmp_path):
    frame = pd.DataFrame({"x": np.array([1.5, np.nan], np.float32), "name": ["ä", "b"], "k": [-1, 2]})
    write_frame(tmp_path / "one.parquet", frame)
    write_frame(tmp_path / "two.parquet", frame.set_index(pd.Index([7, 8])))
    back = read_frame(tmp_path / "one.parquet")
    assert back["x"].dtype == np.float32 and np.isnan(back["x"][1])
    assert back["name"].tolist() == ["ä", "b"] and back["k"].tolist() == [-1, 2]
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


def test_a_missing_and_a_damaged_unit_are_told_apart(store):
    with pytest.raises(NotComputedError, match="has not been computed"):
        read_gradient_unit(store, "abc")
    write_gradient_unit(store, "abc", unit(), {})
    (store.path("abc") / "norm.npy").write_bytes(b"broken")
    with pytest.raises(NotComputedError, match=r"is damaged.*Run the computation again"):
        read_gradient_unit(store, "abc")


def test_wrong_types_and_lengths_are_refused(store):
    good = unit()
    wrong = [
        GradientUnit(good.rows.astype(np.float32), good.norm, good.embedding, good.examples),  # type: ignore[arg-type]
        GradientUnit(good.rows[:5], good.norm, good.embedding, good.examples),
        GradientUnit(good.rows, good.norm, good.embedding, good.examples[:5]),
        GradientUnit(good.rows, good.norm, good.embedding, good.examples.drop(columns="loss")),
    ]
    for bad in wrong:
        with pytest.raises(StoreError, match="gradient unit"):
            write_gradient_unit(store, "abc", bad, {})
    assert not store.path("abc").exists()


@pytest.fixture
def gradient_set(store: ArtifactStore) -> tuple[GradientSet, list[list[GradientUnit]]]:
    sizes, checkpoints = [7, 5, 1], 3
    units = [[unit(n, seed=10 * k + s) for s, n in enumerate(sizes)] for k in range(checkpoints)]
    keys = [[f"unit-{k}-{s}" for s in range(len(sizes))] for k in range(checkpoints)]
    for names, parts in zip(keys, units, strict=True):
        for name, part in zip(names, parts, strict=True):
            write_gradient_unit(store, name, part, {})
    return GradientSet(store, keys), units


def test_influence_vectors_give_tracincp_of_the_sketches(gradient_set):
    gradients, units = gradient_set
    rates = [0.1, 0.0, 0.03]
    vectors = gradients.vectors(rates)
    assert vectors.shape == (13, 3 * D) and vectors.dtype == np.float32
    expected = np.zeros((13, 13))
    for rate, parts in zip(rates, units, strict=True):  # the slow twin: Σ η ⟨s, s'⟩ in float64
        s = np.concatenate([part.rows.astype(np.float64) * part.norm[:, None] for part in parts])
        expected += rate * s @ s.T
    scale = np.sqrt(np.outer(expected.diagonal(), expected.diagonal()))
    np.testing.assert_allclose(vectors.astype(np.float64) @ vectors.T / scale, expected / scale, atol=1e-6)
    assert not vectors[:, D : 2 * D].any()


def test_chosen_rows_are_those_of_the_whole_in_the_order_asked(gradient_set):
    gradients, _ = gradient_set
    rates = [0.1, 0.2, 0.3]
    rows = np.array([12, 0, 7, 0, 6])
    np.testing.assert_array_equal(gradients.vectors(rates, rows), gradients.vectors(rates)[rows])
    assert gradients.vectors(rates, []).shape == (0, 3 * D)


def test_shards_cover_the_split_in_order(gradient_set):
    gradients, units = gradient_set
    assert (gradients.n, gradients.checkpoints) == (13, 3)
    places = []
    for shard, (place, read) in enumerate(gradients.shards()):
        places.append((place.start, place.stop))
        for k in range(3):
            np.testing.assert_array_equal(read[k].rows, units[k][shard].rows)
    assert places == [(0, 7), (7, 12), (12, 13)]
    frame = gradients.examples(1)
    assert frame.index.tolist() == list(range(13))
    np.testing.assert_array_equal(frame["loss"], np.concatenate([part.examples["loss"] for part in units[1]]))
    np.testing.assert_array_equal(gradients.embedding(-1)[7:12], units[2][1].embedding.astype(np.float32))


@pytest.mark.parametrize("rates", [[0.1], [0.1, -1.0, 0.1], [0.1, np.nan, 0.1]])
def test_wrong_learning_rates_are_refused(gradient_set, rates):
    with pytest.raises(StoreError, match="3 learning rates"):
        gradient_set[0].vectors(rates)


@pytest.mark.parametrize("rows", [[13], [-1]])
def test_rows_outside_the_split_are_refused(gradient_set, rows):
    with pytest.raises(StoreError, match="between 0 and 12"):
        gradient_set[0].vectors([0.1] * 3, rows)


def test_units_without_embedding_are_stored(store):
    part = unit()
    bare = GradientUnit(part.rows, part.norm, part.embedding[:, :0], part.examples)
    write_gradient_unit(store, "abc", bare, {})
    assert read_gradient_unit(store, "abc").embedding.shape == (10, 0)
