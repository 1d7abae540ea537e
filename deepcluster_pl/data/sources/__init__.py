"""Sources of samples, one file for each kind; all are subclasses of `ClusteringData`."""

from deepcluster_pl.data.sources.image_csv import ImageCsv
from deepcluster_pl.data.sources.image_folder import ImageFolder
from deepcluster_pl.data.sources.sklearn_datasets import SklearnDataset
from deepcluster_pl.data.sources.synthetic import Blobs
from deepcluster_pl.data.sources.tabular import ArrayData
from deepcluster_pl.data.sources.torchvision_datasets import TorchvisionDataset

__all__ = ["ArrayData", "Blobs", "ImageCsv", "ImageFolder", "SklearnDataset", "TorchvisionDataset"]
