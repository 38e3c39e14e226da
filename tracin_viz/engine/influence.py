"""The engine: exact TracIn influence, self-influence, sketches and predictions of any PyTorch model.

``TracInCP(z, z') = Σ_i η_i ⟨∇ℓ(w_i, z), ∇ℓ(w_i, z')⟩`` (Pruthi et al., NeurIPS 2020, §3.3), summed over the
checkpoints w_i with learning rates η_i; ℓ is the loss of one example.
"""

from __future__ import annotations

from tracin_viz.engine.sketched import SketchProducts
from tracin_viz.engine.tokens import TokenProducts


class InfluenceEngine(SketchProducts, TokenProducts):
    """Influence of training examples on a model's predictions.

    Args:
        model: The architecture. While the engine works it holds checkpoint weights in evaluation mode;
            afterwards weights, flags, hooks and random states are as before, bit for bit.
        checkpoints: Weights with learning rates.
        loss: ``None`` (cross entropy), a name ("mse", "bce", "causal_lm", "masked_lm"), a module with a
            ``reduction``, or a callable (outputs, targets) → (B,).
        layers: ``None`` or "all", "last" (the layer that produces the outputs), or a regular expression on
            parameter names. Parameters with ``requires_grad=False`` are left out.
        sketch_dim: Numbers per sketch and checkpoint.
        sketch: "random": maps of the sketches from the seed alone, comparable between engines. "pca": fitted
            to a pilot of the first data seen (``fit_sketches``); much more accurate at the same size, and
            cheaper. Or the ``Basis`` that another engine fitted.
        seed: Chooses the random maps of the sketches.
        device: "auto", "cpu", "cuda", "mps", or a torch device.
        batch_size: Examples per pass, or "auto".
        collate_fn: Puts a list of (inputs, target) into one batch; pads token ids.
        on_nonfinite: "raise", or "record": ``nonfinite`` lists (checkpoint index, row), their scores are NaN.
        dtype: "float32", "float64" or a torch type for the passes; ``None`` = that of the model.
        read_ahead: Batches that a thread reads ahead; 0 = data are only read by the caller's thread.

    Raises:
        InputError: An argument does not fit the model.
    """
