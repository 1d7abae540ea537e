"""How a clustering begins: first centers, restarts, whitening, the number of clusters."""
