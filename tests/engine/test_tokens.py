"""Tokens' parts and the remainder sum to the exact influence, and each part is that of its own position.

The slow twin is in float64 and uses module hooks: g_t · (what the query's gradient makes of the input at t).
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from tests import oracles
from tests.engine import cases_hugging_face, cases_layers, cases_models  # noqa: F401 - they register
from tests.engine.cases import ARCHITECTURES, CLASSES, RATES, Flow, tokens
from tests.engine.test_groups import engine_of, oracle_of
from tracin_viz.engine import Checkpoint, Groups, InfluenceEngine
from tracin_viz.errors import EngineError, InputError

TOLERANCE = 1e-4
MODULES = ["distilbert", "bert", "gpt2_classifier", "gpt2_language_model_with_tied_embedding"]
OTHERS = ["transformer_encoder_with_padding", "lstm_bidirectional", "linear_over_positions", "rms_norm"]


class ByHooks:
    """Terms {(example, layer): (T,) or ()} of one query at one checkpoint, by hooks on modules in float64."""

    def __init__(self, oracle: oracles.BruteForce, query: dict[str, torch.Tensor]) -> None:
        self.oracle, self.query = oracle, query
        self.model = oracle.model

    def part(self, name: str, shape: torch.Size) -> torch.Tensor:
        aliases = {id(p): n for n, p in self.model.named_parameters()}  # the first name of a tied parameter
        owner, _, leaf = name.rpartition(".")
        return self.query[aliases[id(getattr(self.model.get_submodule(owner), leaf))]].reshape(shape)

    def moved(self, name: str, module: nn.Module, x: torch.Tensor) -> torch.Tensor:
        """(∂f/∂θ) Q of a module at input x, written by hand."""
        weight = self.part(f"{name}.weight", module.weight.shape)
        bias = None
        if getattr(module, "bias", None) is not None:
            bias = self.part(f"{name}.bias", module.bias.shape)
        if isinstance(module, nn.Embedding):
            return weight[x]
        if isinstance(module, nn.LayerNorm):
            return functional.layer_norm(x, module.normalized_shape, eps=module.eps) * weight + bias
        product = x @ (weight if type(module).__name__ == "Conv1D" else weight.T)
        return product if bias is None else product + bias

    def terms(self, example) -> dict[str, np.ndarray]:
        kept, handles, found = [], [], {}

        def keep(name):
            def hook(module, inputs, output):
                kept.append((name, module, inputs[0].detach(), output))

            return hook

        for name, module in self.model.named_modules():
            if next(module.parameters(recurse=False), None) is not None:
                handles.append(module.register_forward_hook(keep(name)))
        inputs, target = self.oracle.collate([example])
        steps = inputs["input_ids"].shape[1]
        loss = self.oracle.loss(oracles.call(self.model, inputs), target)
        grads = torch.autograd.grad(loss, [entry[3] for entry in kept])
        for handle in handles:
            handle.remove()
        for (name, module, x, output), grad in zip(kept, grads, strict=True):
            each = (grad * self.moved(name, module, x)).detach()
            is_sequence = output.dim() == 3 and output.shape[1] == steps
            where = "tokens" if is_sequence else "rest"
            value = each.sum((0, 2)).numpy() if is_sequence else np.array(float(each.sum()))
            # A tied parameter counts for the layer that holds its first name.
            layer = name if name in self.owners() else self.owners()[-1]
            found[layer, where] = found.get((layer, where), 0) + value
        return found

    def owners(self) -> list[str]:
        return list(dict.fromkeys(n.rpartition(".")[0] for n, _ in self.model.named_parameters()))


@pytest.mark.parametrize("name", MODULES)
def test_each_part_is_that_of_its_position(name):
    case = ARCHITECTURES[name]()
    oracle, engine = oracle_of(case), engine_of(case)
    rows = list(range(len(case.train)))
    found = engine.token_influence(case.train, case.queries[:1], rows)
    assert not found.unsplit
    tied = name.endswith("tied_embedding")
    true = np.zeros_like(found.by_layer.sum(2) if tied else found.by_layer)
    for (state, rate), query in zip(oracle.checkpoints, oracle.gradients(case.queries[:1]), strict=True):
        oracle.model.load_state_dict(state)
        twin = ByHooks(oracle, {key: value[0] for key, value in query.items()})
        for row, example in enumerate(case.train):
            for (layer, where), value in twin.terms(example).items():
                if where == "tokens" and tied:
                    true[row, : len(value)] += rate * value
                elif where == "tokens":
                    true[row, : len(value), found.layers.index(layer)] += rate * value
    parts = found.scores if tied else found.by_layer
    assert oracles.relative_error(parts.reshape(len(rows), -1), true.reshape(len(rows), -1)) <= TOLERANCE
    exact = oracle.influence(case.train, case.queries[:1])
    assert oracles.relative_error(found.totals[None], exact) <= TOLERANCE
    lengths = [len(case.collate([example])[0]["input_ids"][0]) for example in case.train]
    assert found.mask.sum(1).tolist() == lengths
    assert found.mask.shape == found.scores.shape == (len(rows), max(lengths))


@pytest.mark.parametrize("name", OTHERS)
def test_parts_and_remainder_sum_to_the_exact_influence_of_each_layer(name):
    case = ARCHITECTURES[name]()
    engine = engine_of(case)
    parts = engine.influence(case.train, case.queries[1:], by=("checkpoint", "layer"))
    found = engine.token_influence(case.train, case.queries[1:], range(6))
    assert found.layers == parts.layers
    assert not found.unsplit
    assert np.abs(found.by_layer).max() > 0
    sums = found.by_layer.sum(1) + found.remainder
    assert oracles.relative_error(sums.reshape(1, -1), parts.scores[0].sum(1).reshape(1, -1)) <= TOLERANCE


def test_a_layer_that_cannot_be_split_is_named_and_counted_as_a_whole():
    case = ARCHITECTURES["embedding_bag_mean"]()
    engine = engine_of(case)
    found = engine.token_influence(case.train, case.queries[:1], [0, 3])
    assert "embedding_bag" in found.unsplit["0"]
    assert not found.by_layer.any()
    exact = engine.influence(case.train, case.queries[:1])[:, [0, 3]]
    assert oracles.relative_error(found.totals[None], exact) <= TOLERANCE


def test_a_width_as_large_as_the_sequence_is_not_taken_for_positions():
    # Six tokens, width six: only the change with the sequence length tells the axes apart.
    table, head = nn.Embedding(9, 6), nn.Linear(6, 6)
    model = Flow(lambda m, x: m.head(m.table(x).mean(1).tanh())[:, :CLASSES], table=table, head=head)
    case = tokens(6, 9, model=model)
    found = engine_of(case).token_influence(case.train, case.queries[:1], [0])
    assert np.abs(found.by_layer[0, :, 0]).max() > 0
    assert not found.by_layer[0, :, 1].any()
    assert found.remainder[0, 1] != 0


def test_a_model_for_one_length_only_is_split_where_the_sequence_is_plain():
    model = nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(24, CLASSES))
    case = tokens(6, 9, model=model)
    found = engine_of(case).token_influence(case.train, case.queries[:1], [2])
    assert np.abs(found.by_layer[0, :, 0]).max() > 0
    assert found.remainder[0, 1] != 0
    exact = engine_of(case).influence(case.train, case.queries[:1])[:, [2]]
    assert oracles.relative_error(found.totals[None], exact) <= TOLERANCE


def test_padding_carries_nothing_and_changes_nothing():
    case = ARCHITECTURES["distilbert"]()
    engine = engine_of(case)
    short = case.train[3]  # one token
    padded, _ = case.collate([case.train[0], short])
    example = ({key: value[1] for key, value in padded.items()}, short[1])
    settings = {"device": "cpu", "batch_size": 4}
    points = [Checkpoint(state, rate) for state, rate in zip(case.states(), RATES, strict=True)]
    query, _ = case.collate(case.queries[:1])
    query = [({key: value[0] for key, value in query.items()}, case.queries[0][1])]
    whole = InfluenceEngine(case.model, points, **settings)
    found = whole.token_influence([example], query, [0])
    assert found.mask[0].tolist() == [True] + [False] * 5
    assert not found.scores[0, 1:].any()
    alone = engine.token_influence(case.train, case.queries[:1], [3])
    assert oracles.relative_error(found.scores[:, :1], alone.scores[:, :1]) <= TOLERANCE
    assert oracles.relative_error(found.totals[None], alone.totals[None]) <= TOLERANCE


def test_several_queries_are_their_mean_and_scores_raise():
    case = ARCHITECTURES["distilbert"]()
    engine = engine_of(case)
    mean = engine.token_influence(case.train, case.queries, [0, 4])
    each = [engine.token_influence(case.train, [query], [0, 4]).by_layer for query in case.queries]
    assert oracles.relative_error(mean.by_layer.reshape(1, -1), np.mean(each, 0).reshape(1, -1)) <= 1e-5
    group = Groups(case.queries, [[1, 0]], [[2.0, -1.0]])
    found = engine.token_influence(case.train, group, [0, 4], score="margin")
    classes = [int(target) for _, target in case.queries]
    inputs = [inputs for inputs, _ in case.queries]
    scores = engine.score_influence(case.train, inputs, classes, score="margin")
    expected = (2 * scores[1] - scores[0])[[0, 4]]
    assert oracles.relative_error(found.totals[None], expected[None]) <= TOLERANCE


def test_refusals_name_what_is_possible():
    case = ARCHITECTURES["conv2d_grouped"]()
    with pytest.raises(InputError, match="no token ids"):
        engine_of(case).token_influence(case.train, case.queries, [0])
    text = ARCHITECTURES["distilbert"]()
    engine = engine_of(text)
    for rows in ([6], [-1], [[0]]):
        with pytest.raises(InputError, match="rows of 0 … 5"):
            engine.token_influence(text.train, text.queries, rows)
    with pytest.raises(InputError, match="no sum over positions"):
        engine.token_influence(text.train, text.queries, [0], preconditioner="adam")
    with pytest.raises(InputError, match="One group"):
        engine.token_influence(text.train, Groups(text.queries, [[0], [1]]), [0])


def test_a_training_example_that_is_not_finite_raises_or_is_nan():
    case = ARCHITECTURES["linear_over_positions"]()
    broken = list(case.train)
    broken[1] = (torch.full_like(broken[1][0], torch.inf), broken[1][1])
    with pytest.raises(EngineError, match=r"\b1\b.*not finite"):
        engine_of(case).token_influence(broken, case.queries[:1], [0, 1])
    found = engine_of(case, on_nonfinite="record").token_influence(broken, case.queries[:1], [0, 1])
    assert np.isnan(found.totals[1])
    assert np.isfinite(found.by_layer[0]).all()
