"""Cluster images given as arrays of bytes, and decode the center of each cluster into an image."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.datasets import load_digits

from deepcluster_pl import DeepClustering

images = (load_digits().images * 255 / 16).astype(np.uint8)  # (1797, 8, 8)
model = DeepClustering(
    "ae_kmeans", n_clusters=10, random_state=0,
    overrides=("data.scale=none", "net.dims=[128,10]", "pretrain.max_epochs=20"),
).fit(images)  # fmt: skip

with torch.no_grad():
    centers = model.model_.net.decode(torch.as_tensor(model.cluster_centers_, dtype=torch.float32)).numpy()
for k in (0, 1):
    print(f"cluster {k}, {int((model.labels_ == k).sum())} images; its center decodes to")
    for line in centers[k]:
        print("   ", "".join(" .:*#"[int(np.clip(value, 0, 0.999) * 5)] for value in line))
