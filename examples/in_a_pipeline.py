"""Put the estimator after a scaler, and choose its method by a score that reads no label."""

from __future__ import annotations

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import RobustScaler

from deepcluster_pl import DeepClustering

x = load_breast_cancer().data
pipeline = make_pipeline(
    RobustScaler(),
    DeepClustering("ae_kmeans", n_clusters=2, random_state=0, overrides=("net.dims=[64,8]", "pretrain.max_epochs=5")),
)
# `score` is the silhouette in the input space, so methods can be compared by it
search = GridSearchCV(pipeline, {"deepclustering__method": ["ae_kmeans", "ae_gmm"]}, cv=2, error_score="raise")
search.fit(x)
for setting, score in zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True):
    print(f"{setting['deepclustering__method']:10} silhouette {score:.3f}")
print("chosen:", search.best_params_["deepclustering__method"])
