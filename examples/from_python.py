"""Cluster a table from Python, predict new rows, save the model and load it."""

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
print(f"agreement with the cultivars, which it never saw: ARI {adjusted_rand_score(y[known], labels):.2f}")

probabilities = model.predict_proba(x[new])
clusters = probabilities.argmax(axis=1)
print("new wines:", clusters[:8].tolist(), "highest probability:", round(float(probabilities.max()), 2))

with tempfile.TemporaryDirectory() as folder:
    model.save(folder + "/wines")
    loaded = DeepClustering.load(folder + "/wines")
    print("the same after loading:", bool((loaded.predict(x[new]) == clusters).all()))
