"""Time Keras' `fit` of an autoencoder, in Keras' own environment; each line of JSON asks for one timing."""

import json
import os
import sys
import time
from importlib.metadata import version

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np

WIDTHS = [784, 500, 500, 2000, 10]


def main() -> None:
    """Print the versions first, then the seconds a step for each line."""
    print("answer", json.dumps({name: version(name) for name in ("keras", "tensorflow-cpu")}), flush=True)
    model = autoencoder()
    for line in sys.stdin:
        asked = json.loads(line)
        x = np.random.default_rng(0).random((asked["steps"] * asked["batch_size"], WIDTHS[0]), dtype=np.float32)
        model.fit(x, x, batch_size=asked["batch_size"], epochs=1, verbose=0)  # costs of the first epoch alone
        began = time.perf_counter()
        model.fit(x, x, batch_size=asked["batch_size"], epochs=2, verbose=0)
        print("answer", (time.perf_counter() - began) / 2 / asked["steps"], flush=True)


def autoencoder() -> "keras.Model":
    """Return the net of DEC-keras: ReLU between layers, a linear embedding, a linear output."""
    widths = WIDTHS[1:] + WIDTHS[-2::-1]
    linear = (len(WIDTHS) - 2, len(widths) - 1)
    layers = [keras.layers.Dense(n, activation=None if i in linear else "relu") for i, n in enumerate(widths)]
    model = keras.Sequential([keras.Input((WIDTHS[0],)), *layers])
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse")
    return model


if __name__ == "__main__":
    main()
