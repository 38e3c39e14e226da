"""One kind of layer at a time: linear, convolutions, tables, norms."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from tests.engine.cases import CLASSES, Flow, architecture, headed, numbers, tokens

# ---- linear ---------------------------------------------------------------------------------------------


@architecture
def linear_mlp():
    return numbers(6, model=nn.Sequential(nn.Linear(6, 8), nn.ReLU(inplace=True), nn.Linear(8, CLASSES)))


@architecture
def linear_over_positions():
    body = Flow(
        lambda m, x: m.head(m.body(x).tanh().mean(1)), body=nn.Linear(4, 7), head=nn.Linear(7, CLASSES)
    )
    return numbers(5, 4, model=body)


@architecture
def bare_functional_linear():
    weight, bias = nn.Parameter(torch.randn(CLASSES, 6)), nn.Parameter(torch.randn(CLASSES))
    return numbers(
        6, model=Flow(lambda m, x: functional.linear(x, m.weight, m.bias), weight=weight, bias=bias)
    )


@architecture
def bare_matmul_and_add():
    weight, bias = nn.Parameter(torch.randn(6, CLASSES)), nn.Parameter(torch.randn(CLASSES))
    return numbers(4, 6, model=Flow(lambda m, x: (x @ m.weight + m.bias).mean(1), weight=weight, bias=bias))


@architecture
def linear_used_twice():
    inner, head = nn.Linear(6, 6), nn.Linear(6, CLASSES)
    return numbers(6, model=Flow(lambda m, x: m.head(m.inner(m.inner(x).tanh())), inner=inner, head=head))


# ---- convolutions ---------------------------------------------------------------------------------------


@architecture
def conv1d_strided_dilated():
    body = nn.Conv1d(3, 4, 3, stride=2, padding=2, dilation=2)
    return numbers(3, 11, model=headed(body, nn.ReLU(), width=4 * 6))


@architecture
def conv2d_grouped():
    body = nn.Sequential(
        nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 0), groups=2), nn.ReLU(inplace=True)
    )
    return numbers(4, 7, 6, model=headed(body, width=6 * 4 * 5))


@architecture
def conv2d_depthwise_separable():
    body = nn.Sequential(
        nn.Conv2d(4, 8, 3, padding="same", groups=4), nn.GELU(), nn.Conv2d(8, 3, 1, bias=False)
    )
    return numbers(4, 5, 5, model=headed(body, width=75))


@architecture
def conv2d_circular():
    return numbers(2, 5, 5, model=headed(nn.Conv2d(2, 3, 3, padding=1, padding_mode="circular"), width=75))


@architecture
def conv2d_reflect():
    return numbers(2, 5, 5, model=headed(nn.Conv2d(2, 3, 3, padding=2, padding_mode="reflect"), width=147))


@architecture
def conv2d_replicate_valid():
    body = nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1, padding_mode="replicate"), nn.Conv2d(3, 2, 3, padding="valid")
    )
    return numbers(2, 5, 5, model=headed(body, width=18))


@architecture
def conv2d_same_even_kernel():
    return numbers(2, 5, 5, model=headed(nn.Conv2d(2, 3, (2, 4), padding="same", dilation=(1, 2)), width=75))


@architecture
def conv3d():
    return numbers(
        2, 4, 5, 4, model=headed(nn.Conv3d(2, 3, (2, 3, 2), stride=(1, 2, 1), padding=1), width=225)
    )


@architecture
def conv_transpose1d_output_padding():
    body = nn.ConvTranspose1d(3, 4, 3, stride=2, padding=1, output_padding=1)
    return numbers(3, 5, model=headed(body, width=40))


@architecture
def conv_transpose2d_grouped_dilated():
    body = nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, groups=2, dilation=2)
    return numbers(4, 3, 3, model=headed(body, nn.Tanh(), width=6 * 7 * 7))


# ---- tables ---------------------------------------------------------------------------------------------


@architecture
def embedding_with_padding():
    table = nn.Embedding(9, 5, padding_idx=0)
    return tokens(
        6, 9, model=Flow(lambda m, x: m.head(m.table(x).mean(1)), table=table, head=nn.Linear(5, 3))
    )


@architecture
def embedding_bag_mean():
    return tokens(6, 9, model=nn.Sequential(nn.EmbeddingBag(9, 5, mode="mean"), nn.Linear(5, CLASSES)))


@architecture
def embedding_bag_sum_with_padding():
    return tokens(
        6, 9, model=nn.Sequential(nn.EmbeddingBag(9, 5, mode="sum", padding_idx=0), nn.Linear(5, 3))
    )


@architecture
def tied_embedding_and_output():
    def function(m, x):
        return functional.linear(m.table(x).mean(1).tanh(), m.head.weight)[:, :CLASSES]

    table, head = nn.Embedding(9, 5), nn.Linear(5, 9, bias=False)
    head.weight = table.weight
    return tokens(6, 9, model=Flow(function, table=table, head=head))


# ---- norms ----------------------------------------------------------------------------------------------


@architecture
def batch_norm():
    body = nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 3, 2), nn.BatchNorm2d(3)
    )
    return numbers(2, 5, 5, model=headed(body, width=12))


@architecture
def batch_norm_1d_on_vectors():
    return numbers(
        5, model=nn.Sequential(nn.Linear(5, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, CLASSES))
    )


@architecture
def layer_norm():
    return numbers(
        4, 5, model=headed(nn.Linear(5, 6), nn.LayerNorm(6), nn.GELU(), nn.LayerNorm([4, 6]), width=24)
    )


@architecture
def group_norm():
    return numbers(2, 4, 4, model=headed(nn.Conv2d(2, 6, 2), nn.GroupNorm(3, 6), nn.ReLU(), width=54))


@architecture
def instance_norm():
    return numbers(
        2, 4, 4, model=headed(nn.Conv2d(2, 4, 2), nn.InstanceNorm2d(4, affine=True), nn.ELU(), width=36)
    )


@architecture
def rms_norm():
    return numbers(4, 5, model=headed(nn.Linear(5, 6), nn.RMSNorm(6), nn.SiLU(), width=24))
