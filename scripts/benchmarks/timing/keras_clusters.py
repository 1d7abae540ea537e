"""Cluster by DEC in Keras, as a tutorial of 2018 wrote it for Keras 2, and print the score at every refresh.

A line is `score <NMI>`; who started the program notes the time. Labels are read for the score only. The net, SGD with a
step size of 1, batches of 256 in the data's own order and a refresh every 140 steps are the tutorial's.
"""

import os
import sys
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score

WIDTHS = [784, 500, 500, 2000, 10]
EPOCHS, BATCH, STEPS, REFRESH, TOL = 300, 256, 8000, 140, 0.001


class SoftAssignment(keras.layers.Layer):  # type: ignore[misc]
    """Student's t kernel of embeddings and centers, which are trained."""

    def build(self, shape: Any) -> None:
        """Make the centers."""
        self.centers = self.add_weight(shape=(10, shape[-1]), name="centers", initializer="glorot_uniform")

    def call(self, z: Any) -> Any:
        """Return the probabilities (N, K) of embeddings (N, D)."""
        ops = keras.ops
        squares = ops.sum(ops.square(ops.expand_dims(z, 1) - self.centers), axis=2)
        q = 1.0 / (1.0 + squares)
        return q / ops.sum(q, axis=1, keepdims=True)


def main() -> None:
    """Cluster the file that the first word names; the second word is `DEC`, the third the seed."""
    file, _, seed = sys.argv[1:]
    with np.load(file) as data:
        x, labels = data["x"].reshape(len(data["x"]), -1).astype(np.float32) / 255, data["labels"]
    keras.utils.set_random_seed(int(seed))
    # Pretrain the autoencoder
    embed, autoencoder = nets()
    autoencoder.compile(optimizer=keras.optimizers.SGD(1.0, momentum=0.9), loss="mse")
    autoencoder.fit(x, x, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    # Initialize the centers
    soft = SoftAssignment()
    model = keras.Model(embed.input, soft(embed.output))
    kmeans = KMeans(10, n_init=20, random_state=int(seed)).fit(embed.predict(x, batch_size=2048, verbose=0))
    soft.set_weights([kmeans.cluster_centers_])
    print("score", normalized_mutual_info_score(labels, kmeans.labels_), flush=True)
    # Train towards the target distribution
    model.compile(optimizer=keras.optimizers.SGD(0.01, momentum=0.9), loss="kl_divergence")
    before, start = kmeans.labels_, 0
    for step in range(STEPS):
        if step % REFRESH == 0:
            q = model.predict(x, batch_size=2048, verbose=0)
            p = q**2 / q.sum(axis=0)
            p /= p.sum(axis=1, keepdims=True)
            clusters = q.argmax(axis=1)
            print("score", normalized_mutual_info_score(labels, clusters), flush=True)
            if step > 0 and np.mean(clusters != before) < TOL:
                break
            before = clusters
        model.train_on_batch(x[start : start + BATCH], p[start : start + BATCH])
        start = start + BATCH if start + BATCH < len(x) else 0


def nets() -> "tuple[keras.Model, keras.Model]":
    """Return the encoder and the autoencoder that contains it: ReLU between layers, linear embedding and output."""
    widths = WIDTHS[1:] + WIDTHS[-2::-1]
    z = image = keras.Input((WIDTHS[0],))
    embedding = image
    for i, width in enumerate(widths):
        linear = i in (len(WIDTHS) - 2, len(widths) - 1)
        initializer = keras.initializers.VarianceScaling(1 / 3, mode="fan_in", distribution="uniform")
        z = keras.layers.Dense(width, activation=None if linear else "relu", kernel_initializer=initializer)(z)
        embedding = z if i == len(WIDTHS) - 2 else embedding
    return keras.Model(image, embedding), keras.Model(image, z)


if __name__ == "__main__":
    main()
