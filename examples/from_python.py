"""Cluster a table from Python, tell new rows, save the model and load it again."""

from __future__ import annotations

import tempfile

import numpy as np
from sklearn.datasets import load_wine
from sklearn.metrics import adjusted_rand_score

from deepcluster_pl import DeepClustering

x, y = load_wine(return_X_y=True)
known, new = np.arange(len(x)) % 5 > 0, np.arange(len(x)) % 5 == 0

model = DeepClustering("ae_gmm", n_clusters=3, random_state=0, overrides=("net.dims=[64,8]", "pretrain.max_epochs=40"))
labels = model.fit_predict(x[known])
print("wines in each cluster:", np.bincount(labels).tolist())
print(f"agreement with the cultivars, which it has not seen: ARI {adjusted_rand_score(y[known], labels):.2f}")

shares = model.predict_proba(x[new])
print("new wines:", shares.argmax(axis=1)[:8].tolist(), "surest share:", round(float(shares.max()), 2))

with tempfile.TemporaryDirectory() as folder:
    model.save(folder + "/wines")
    again = DeepClustering.load(folder + "/wines")
    print("the same after loading:", bool((again.predict(x[new]) == shares.argmax(axis=1)).all()))
