"""Settings of the runs that the checks for a GPU carry out."""

from __future__ import annotations

WAYS = {
    "f32": ("trainer.graph=true",),
    "tf32": ("trainer.graph=true", "trainer.matmul=tf32"),
    "bf16": ("trainer.graph=true", "trainer.precision=bf16-mixed"),
}
"""Overrides of the three ways to multiply."""
BEST = (
    "experiment=mnist", "method=gradients", "student=wide", "trainer.graph=true", "trainer.precision=bf16-mixed",
)  # fmt: skip
"""The best recipe for 70,000 digits."""
AT_ONCE = 3
"""Runs at once of the check `seeds`."""
SMALL = (
    "net.dims=[16,4]", "data.subset.size=300", "pretrain.max_epochs=1", "fit.max_steps=30", "fit.batch_size=64",
    "pretrain.batch_size=64", "baselines=none",
)  # fmt: skip
"""Overrides of a short run."""
SMALL_BEST = ("data.subset.size=300", "student.least_steps=10", "student.most_steps=10", "baselines=none")
"""Overrides of a short run of the best recipe, which has no autoencoder."""
