"""Check what a test suite cannot: a GPU, several processes, kills at random moments, labels between versions."""
