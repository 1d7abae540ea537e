"""The one table of classes that earlier versions called otherwise, for their configs and saved models."""

from __future__ import annotations

_PACKAGE = "deepcluster_pl."
_RENAMED = {
    "augment.Affine": "data.augmentation.Affine",
    "callbacks.annealing.CosineAnnealing": "training.callbacks.cosine_annealing.CosineAnnealing",
    "callbacks.cluster_metrics.ClusterMetrics": "training.callbacks.cluster_metrics.ClusterMetrics",
    "callbacks.probe.KMeansProbe": "training.callbacks.kmeans_probe.KMeansProbe",
    "callbacks.target_refresh.TargetRefresh": "training.callbacks.target_refresh.TargetRefresh",
    "callbacks.weight_reset.WeightReset": "training.callbacks.weight_reset.WeightReset",
    "choosing.AgreementOfHalves": "methods.initialization.n_clusters.SplitHalfStability",
    "data.array.ArrayData": "data.sources.tabular.ArrayData",
    "data.blobs.Blobs": "data.sources.synthetic.Blobs",
    "data.bundled.Bundled": "data.sources.sklearn_datasets.SklearnDataset",
    "data.datahack.DataHack": "data.sources.image_csv.ImageCsv",
    "data.images.Images": "data.sources.image_folder.ImageFolder",
    "data.torchvision_images.TorchvisionImages": "data.sources.torchvision_datasets.TorchvisionDataset",
    "manifold.UmapMixture": "methods.initialization.umap_mixture.UmapMixture",
    "methods.start_only.StartOnly": "methods.shallow.ShallowClustering",
    "metrics_csv.MetricsCSV": "utils.csv_logger.MetricsCSV",
    "nets.pca.PCA": "nets.block_pca.PCA",
    "pictures.features.Descriptors": "data.images.features.Descriptors",
    "pictures.features.Thumbnails": "data.images.features.Thumbnails",
    "pictures.pretrained.Pretrained": "data.images.backbone.Pretrained",
    "pretrain.layerwise.LayerwiseDenoising": "training.pretraining.layerwise.LayerwiseDenoising",
    "pretrain.reconstruction.Reconstruction": "training.pretraining.reconstruction.Reconstruction",
    "restarts.MostAgreed": "methods.initialization.consensus.ConsensusRestarts",
}


def current_target(target: str) -> str:
    """Return today's dotted name of a class.

    >>> current_target("deepcluster_pl.nets.pca.PCA"), current_target("torch.optim.Adam")
    ('deepcluster_pl.nets.block_pca.PCA', 'torch.optim.Adam')
    """
    if not target.startswith(_PACKAGE):
        return target
    name = target.removeprefix(_PACKAGE)
    return f"{_PACKAGE}{_RENAMED.get(name, name)}"
