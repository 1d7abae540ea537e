"""Picture files: found, decoded in other processes, described, and kept, so that a file is read once."""
