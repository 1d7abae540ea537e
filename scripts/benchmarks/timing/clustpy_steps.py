"""Time ClustPy's pretraining of an autoencoder, in ClustPy's own environment; each line of JSON asks for one timing."""

import json
import sys
import time
from importlib.metadata import version

import numpy as np
from clustpy.deep.neural_networks import FeedforwardAutoencoder

LAYERS = [784, 500, 500, 2000, 10]


def main() -> None:
    """Print the versions first, then the seconds a step for each line."""
    print("answer", json.dumps({name: version(name) for name in ("clustpy", "torch")}), flush=True)
    net = FeedforwardAutoencoder(LAYERS, random_state=0)
    for line in sys.stdin:
        asked = json.loads(line)
        x = np.random.default_rng(0).random((asked["steps"] * asked["batch_size"], LAYERS[0]), dtype=np.float32)
        options = {"batch_size": asked["batch_size"], "optimizer_params": {"lr": 1e-3}, "data": x}
        net.fit(n_epochs=1, **options)  # costs of the first epoch alone
        began = time.perf_counter()
        net.fit(n_epochs=2, **options)
        print("answer", (time.perf_counter() - began) / 2 / asked["steps"], flush=True)


if __name__ == "__main__":
    main()
