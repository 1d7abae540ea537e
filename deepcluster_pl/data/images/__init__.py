"""Pictures: their files are found, decoded in other processes, described by features, and cached."""

from deepcluster_pl.data.images.backbone import Pretrained
from deepcluster_pl.data.images.copies import CopyGroup, find_copies
from deepcluster_pl.data.images.decoding import DecodedImage, decode
from deepcluster_pl.data.images.discovery import FolderScan, FoundFile, find_images
from deepcluster_pl.data.images.exif import ImageMetadata, read_metadata
from deepcluster_pl.data.images.extraction import ExtractedImage, ExtractionJob, extract_all
from deepcluster_pl.data.images.feature_cache import CacheEntry, FeatureCache, cache_folder
from deepcluster_pl.data.images.features import Descriptors, Features, Thumbnails
from deepcluster_pl.data.images.measure import measure_pictures
from deepcluster_pl.data.images.objects import objects_installed
from deepcluster_pl.data.images.opening import UnreadableImageError
from deepcluster_pl.data.images.photo_features import PhotoFeatures
from deepcluster_pl.data.images.random_views import random_view, view_generator
from deepcluster_pl.data.images.thumbnails import make_thumbnail

__all__ = [
    "CacheEntry", "CopyGroup", "DecodedImage", "Descriptors", "ExtractedImage", "ExtractionJob", "FeatureCache",
    "Features", "FolderScan", "FoundFile", "ImageMetadata", "PhotoFeatures", "Pretrained", "Thumbnails",
    "UnreadableImageError", "cache_folder", "decode", "extract_all", "find_copies", "find_images", "make_thumbnail",
    "measure_pictures", "objects_installed", "random_view", "read_metadata", "view_generator",
]  # fmt: skip
