"""Where samples come from: one module per kind of source, all handing out batches of (x, index)."""
