"""Networks that turn samples into embeddings, and back."""
