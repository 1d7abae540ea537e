"""What Lightning drives: callbacks, pretraining, checkpoints."""
