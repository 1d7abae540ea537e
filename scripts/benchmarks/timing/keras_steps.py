"""Times Keras' `fit` of an autoencoder; runs in its environment, told by lines of JSON what to do."""

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
    """Answer the versions first, then the seconds a step of each line."""
    print("answer", json.dumps({name: version(name) for name in ("keras", "tensorflow-cpu")}), flush=True)
    model = autoencoder()
    for line in sys.stdin:
        asked = json.loads(line)
        x = np.random.default_rng(0).random((asked["steps"] * asked["batch_size"], WIDTHS[0]), dtype=np.float32)
        model.fit(x, x, batch_size=asked["batch_size"], epochs=1, verbose=0)  # what the first epoch alone pays for
        began = time.perf_counter()
        model.fit(x, x, batch_size=asked["batch_size"], epochs=2, verbose=0)
        print("answer", (time.perf_counter() - began) / 2 / asked["steps"], flush=True)


def autoencoder() -> "keras.Model":
    """The net of DEC-keras: ReLU between layers, a linear code, a linear output."""
    widths = WIDTHS[1:] + WIDTHS[-2::-1]
    linear = (len(WIDTHS) - 2, len(widths) - 1)
    layers = [keras.layers.Dense(n, activation=None if i in linear else "relu") for i, n in enumerate(widths)]
    model = keras.Sequential([keras.Input((WIDTHS[0],)), *layers])
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse")
    return model


if __name__ == "__main__":
    main()
