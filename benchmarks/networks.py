"""The networks of the three synthetic workloads.

W1 is a convolutional network on 32×32 images (0.6 M parameters), W2 a ResNet-18 on 64×64 images (11 M), W3 a
BERT-like classifier of 64 tokens (8.4 M).
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional


class SmallNet(nn.Module):
    """W1: four convolutions and a linear head."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 32, 64, 128, 384)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(a, b, 3, padding=1) for a, b in itertools.pairwise(widths)
        )
        self.head = nn.Linear(384 * 16, 10)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, 32, 32) → (B, 10)."""
        for number, convolution in enumerate(self.convolutions):
            x = torch.relu(convolution(x))
            if number < 3:
                x = functional.max_pool2d(x, 2)
        return self.head(x.flatten(1))


class Residual(nn.Module):
    """Two 3×3 convolutions with BatchNorm around a shortcut."""

    def __init__(self, into: int, out: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(into, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out))
        self.second = nn.Sequential(nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out))
        same = stride == 1 and into == out
        shortcut = nn.Sequential(nn.Conv2d(into, out, 1, stride, bias=False), nn.BatchNorm2d(out))
        self.shortcut = nn.Identity() if same else shortcut

    def forward(self, x: Tensor) -> Tensor:
        """Activations after the block."""
        return torch.relu(self.second(torch.relu(self.first(x))) + self.shortcut(x))


def resnet18() -> nn.Sequential:
    """W2."""
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    layers.append(nn.MaxPool2d(3, 2, 1))
    width = 64
    for out, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        layers += [Residual(width, out, stride), Residual(out, out, 1)]
        width = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


class Encoder(nn.Module):
    """One layer of W3: attention and feed-forward with LayerNorm after each."""

    def __init__(self, width: int, heads: int, inner: int) -> None:
        super().__init__()
        self.heads = heads
        self.projections = nn.ModuleList(nn.Linear(width, width) for _ in range(4))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.inner, self.outer = nn.Linear(width, inner), nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, width) → the same."""
        batch, steps, width = x.shape
        q, k, v = (
            p(x).view(batch, steps, self.heads, -1).transpose(1, 2) for p in list(self.projections)[:3]
        )
        mixed = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, steps, width)
        x = self.norms[0](x + self.projections[3](mixed))
        return self.norms[1](x + self.outer(functional.gelu(self.inner(x))))


class SmallBert(nn.Module):
    """W3."""

    def __init__(self, vocabulary: int = 20000, width: int = 256, length: int = 64) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        self.norm = nn.LayerNorm(width)
        self.layers = nn.ModuleList(Encoder(width, 4, 1024) for _ in range(4))
        self.pooler, self.head = nn.Linear(width, width), nn.Linear(width, 4)
        for table in (self.tokens, self.positions):
            nn.init.normal_(table.weight, std=0.02)

    def forward(self, ids: Tensor) -> Tensor:
        """(B, T) token ids → (B, 4)."""
        places = torch.arange(ids.shape[1], device=ids.device).expand_as(ids)
        x = self.norm(self.tokens(ids) + self.positions(places))
        for layer in self.layers:
            x = layer(x)
        return self.head(torch.tanh(self.pooler(x[:, 0])))
