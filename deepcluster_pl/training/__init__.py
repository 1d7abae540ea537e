"""Training with Lightning: callbacks, pretraining, checkpoints."""

from deepcluster_pl.training.checkpoint_writing import AtomicCheckpointIO, CheckpointMetadata
from deepcluster_pl.training.checkpoints import Checkpoint, newest_intact

__all__ = ["AtomicCheckpointIO", "Checkpoint", "CheckpointMetadata", "newest_intact"]
