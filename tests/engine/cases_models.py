"""Attention, recurrence, free and reparametrised parameters, unusual outputs and losses."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations
from torch.nn.utils.rnn import pack_padded_sequence

from tests.engine.cases import CLASSES, Case, Flow, architecture, headed, numbers, tokens

# ---- attention and recurrence ---------------------------------------------------------------------------


@architecture
def multihead_attention():
    def function(m, x):
        return m.head((x + m.attention(x, x, x, need_weights=False)[0]).mean(1))

    attention = nn.MultiheadAttention(6, 2, dropout=0.1, batch_first=True)
    return numbers(4, 6, model=Flow(function, attention=attention, head=nn.Linear(6, CLASSES)))


def _cross(m, x):
    queries, memory = m.inner(x).transpose(0, 1), x.transpose(0, 1)
    return m.head(m.attention(queries, memory, memory)[0].mean(0))


@architecture
def cross_attention_of_two_widths():
    modules = {"inner": nn.Linear(6, 8), "attention": nn.MultiheadAttention(8, 2, kdim=6, vdim=6)}
    return numbers(4, 6, model=Flow(_cross, **modules, head=nn.Linear(8, CLASSES)))


@architecture
def cross_attention_of_one_width():
    modules = {"inner": nn.Linear(6, 6), "attention": nn.MultiheadAttention(6, 2)}
    return numbers(4, 6, model=Flow(_cross, **modules, head=nn.Linear(6, CLASSES)))


@architecture
def attention_with_key_and_value_bias():
    modules = {"inner": nn.Linear(6, 6), "attention": nn.MultiheadAttention(6, 2, add_bias_kv=True)}
    return numbers(4, 6, model=Flow(_cross, **modules, head=nn.Linear(6, CLASSES)))


@architecture
def transformer_encoder_with_padding():
    def function(m, x):
        hidden = m.body(m.table(x), src_key_padding_mask=x == 0)
        kept = (x != 0).unsqueeze(2)
        return m.head((hidden * kept).sum(1) / kept.sum(1).clamp(min=1))

    layer = nn.TransformerEncoderLayer(6, 2, 8, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
    modules = {"table": nn.Embedding(9, 6, padding_idx=0), "body": encoder, "head": nn.Linear(6, CLASSES)}
    case = tokens(6, 9, model=Flow(function, **modules))
    for ids, target in (*case.train, *case.queries):
        ids[:2].clamp_(min=1)
        ids[2 + int(target) :] = 0
    return case


@architecture
def transformer_encoder():
    layer = nn.TransformerEncoderLayer(6, 2, 8, dropout=0.1, batch_first=True, norm_first=True)
    encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    return numbers(
        4, 6, model=Flow(lambda m, x: m.head(m.body(x).mean(1)), body=encoder, head=nn.Linear(6, 3))
    )


@architecture
def lstm_bidirectional():
    body = nn.LSTM(4, 5, num_layers=2, bidirectional=True, batch_first=True, dropout=0.1)
    return numbers(
        6, 4, model=Flow(lambda m, x: m.head(m.body(x)[0].mean(1)), body=body, head=nn.Linear(10, 3))
    )


@architecture
def lstm_with_projection():
    body = nn.LSTM(4, 5, proj_size=3, batch_first=True)
    model = Flow(lambda m, x: m.head(m.body(x)[1][0][-1]), body=body, head=nn.Linear(3, 3))
    return numbers(6, 4, model=model)


@architecture
def gru_over_packed_sequences():
    def function(m, x):
        lengths = (x != 0).sum(1).clamp(min=1).cpu()
        packed = pack_padded_sequence(m.table(x), lengths, batch_first=True, enforce_sorted=False)
        return m.head(m.body(packed)[1][-1])

    modules = {"table": nn.Embedding(9, 4), "body": nn.GRU(4, 5), "head": nn.Linear(5, CLASSES)}
    return tokens(6, 9, model=Flow(function, **modules), general=("body.",))


@architecture
def gru_time_major():
    def function(m, x):
        return m.head(m.body(x.transpose(0, 1))[1][-1])

    return numbers(6, 4, model=Flow(function, body=nn.GRU(4, 5), head=nn.Linear(5, CLASSES)))


@architecture
def plain_rnn_and_lstm_cell():
    def function(m, x):
        state = None
        for step in range(x.shape[1]):
            state = m.cell(x[:, step], state)
        return m.head(torch.cat([m.body(x)[0][:, -1], state[0]], 1))

    modules = {"body": nn.RNN(4, 5, batch_first=True), "cell": nn.LSTMCell(4, 3), "head": nn.Linear(8, 3)}
    return numbers(3, 4, model=Flow(function, **modules))


# ---- free parameters and parametrisations ---------------------------------------------------------------


@architecture
def class_token_position_and_layer_scale():
    def function(m, x):
        x = torch.cat([m.token.expand(len(x), -1, -1), m.inner(x)], 1) + m.position
        return m.head((x + m.scale * m.block(x).tanh())[:, 0] + x.mean(1))

    free = {name: nn.Parameter(torch.randn(*shape)) for name, shape in _FREE.items()}
    modules = {"inner": nn.Linear(3, 6), "block": nn.Linear(6, 6), "head": nn.Linear(6, CLASSES)}
    return numbers(4, 3, model=Flow(function, **free, **modules))


_FREE = {"token": (1, 1, 6), "position": (1, 5, 6), "scale": (6,)}


@architecture
def prompt_vectors_with_frozen_body():
    def function(m, x):
        prompts = m.prompts.unsqueeze(0).repeat(len(x), 1, 1)
        return m.head(m.body(torch.cat([prompts, x], 1)).tanh().mean(1))

    prompts, body = nn.Parameter(torch.randn(2, 5)), nn.Linear(5, 6).requires_grad_(False)
    return numbers(4, 5, model=Flow(function, prompts=prompts, body=body, head=nn.Linear(6, CLASSES)))


@architecture
def weight_norm():
    first = parametrizations.weight_norm(nn.Linear(6, 8))
    return numbers(
        6, model=nn.Sequential(first, nn.Tanh(), parametrizations.weight_norm(nn.Linear(8, 3), dim=1))
    )


@architecture
def spectral_norm():
    first = parametrizations.spectral_norm(nn.Conv2d(2, 4, 3))
    return numbers(2, 4, 4, model=headed(first, nn.ReLU(), width=16))


class Adapter(nn.Module):
    """LoRA: a frozen linear layer plus a trainable product of two thin ones (Hu et al. 2021)."""

    def __init__(self, base: nn.Linear, rank: int) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        self.down = nn.Parameter(torch.randn(rank, base.in_features) * 0.3)
        self.up = nn.Parameter(torch.randn(base.out_features, rank) * 0.3)

    def forward(self, x: Tensor) -> Tensor:
        """Base plus adapter."""
        return self.base(x) + 2.0 * (x @ self.down.T) @ self.up.T


@architecture
def lora_adapter():
    return numbers(
        6, model=nn.Sequential(Adapter(nn.Linear(6, 8), 2), nn.ReLU(), Adapter(nn.Linear(8, 3), 2))
    )


@architecture
def frozen_first_layers():
    model = nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Conv2d(4, 3, 2))
    model[:2].requires_grad_(False)
    return numbers(2, 5, 5, model=headed(model, width=12))


@architecture
def parameter_of_an_exotic_operation():
    def function(m, x):
        return m.head(torch.cdist(m.inner(x), m.centres))

    modules = {"inner": nn.Linear(5, 4), "head": nn.Linear(6, CLASSES)}
    model = Flow(function, centres=nn.Parameter(torch.randn(6, 4)), **modules)
    return numbers(5, model=model, general=("centres",))


# ---- outputs, losses, exported programs -----------------------------------------------------------------


@architecture
def tuple_output():
    model = Flow(lambda m, x: (m.head(x), x.sum()), head=nn.Linear(6, CLASSES))
    return numbers(6, model=model)


@architecture
def dict_output():
    return numbers(
        6, model=Flow(lambda m, x: {"features": x, "logits": m.head(x)}, head=nn.Linear(6, CLASSES))
    )


@architecture
def regression():
    def loss(outputs, target):
        return (outputs - target).square().mean()

    targets = torch.randn(8, 2)
    pairs = [(torch.randn(5), targets[row]) for row in range(8)]
    model = nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 2))
    return Case(model, pairs[:6], pairs[6:], loss="mse", oracle_loss=loss)


@architecture
def multi_label():
    def loss(outputs, target):
        return functional.binary_cross_entropy_with_logits(outputs, target.to(outputs.dtype))

    pairs = [(torch.randn(5), (torch.rand(4) > 0.5).float()) for _ in range(8)]
    model = nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 4))
    return Case(model, pairs[:6], pairs[6:], loss="bce", oracle_loss=loss)


@architecture
def exported_program():
    eager = headed(nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), width=48).eval()
    batch = torch.export.Dim("batch", min=1, max=64)
    program = torch.export.export(eager, (torch.randn(4, 2, 4, 4),), dynamic_shapes=({0: batch},))
    return numbers(2, 4, 4, model=program.module(), reference=eager)


@architecture
def time_major_rows():
    def function(m, x):
        hidden = m.inner(
            x.transpose(0, 1).reshape(-1, x.shape[2])
        ).tanh()  # row r: step r // B, example r % B
        return m.head((hidden + m.shift).reshape(x.shape[1], len(x), -1).mean(0))

    modules = {"inner": nn.Linear(4, 5), "head": nn.Linear(5, CLASSES)}
    return numbers(6, 4, model=Flow(function, shift=nn.Parameter(torch.randn(5)), **modules))
