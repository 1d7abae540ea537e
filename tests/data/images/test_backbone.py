"""Pictures as the embeddings of a backbone: the layer before its classifier, weights from a file, nothing fetched."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.pictures import library
from helpers.reading import everything, read_now
from safetensors.torch import save_file

from deepcluster_pl.data.images.backbone import Pretrained
from deepcluster_pl.data.images.features import Thumbnails
from deepcluster_pl.errors import UserError


@pytest.fixture
def weights(tmp_path):
    """A state dict of a small backbone that nobody trained."""
    import torchvision

    torch.manual_seed(0)
    net = torchvision.models.get_model("resnet18", weights=None)
    torch.save(net.state_dict(), tmp_path / "net.pth")
    return net.eval(), str(tmp_path / "net.pth")


def test_a_backbone_gives_the_embedding_before_its_classifier(images, tmp_path, weights):
    library(tmp_path / "photos", 4)
    net, file = weights
    source = images(features=Pretrained("torchvision", "resnet18", file, 32, "cpu"), copies=1)
    ids, x = everything(source)
    assert x.shape == (4, 512)
    pixels = images(features=Thumbnails(32), cache_dir=str(tmp_path / "pixels"))
    same_ids, squares = everything(pixels)
    assert same_ids == ids
    mean, deviation = (np.array(v, dtype=np.float32) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    scaled = torch.from_numpy((squares.astype(np.float32) / 255 - mean) / deviation).permute(0, 3, 1, 2)
    net.fc = torch.nn.Identity()
    with torch.inference_mode():
        np.testing.assert_allclose(x, net(scaled).numpy(), rtol=1e-3, atol=1e-4)


def test_other_weights_are_another_cache(images, tmp_path, weights, monkeypatch):
    library(tmp_path / "photos", 3)
    net, file = weights
    features = Pretrained("torchvision", "resnet18", file, 32, "cpu")
    assert len(read_now(images(features=features), monkeypatch)) == 3
    assert read_now(images(features=Pretrained("torchvision", "resnet18", file, 32, "cpu")), monkeypatch) == []
    torch.save({name: value * 2 for name, value in net.state_dict().items()}, file)
    assert len(read_now(images(features=Pretrained("torchvision", "resnet18", file, 32, "cpu")), monkeypatch)) == 3


class Evil:
    def __reduce__(self):
        return Path.touch, (Path("executed"),)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "needs weights; type data.features.weights=<file of its state dict>, or data.features.weights=default"),
        ("missing", "no such file, expected a state dict of resnet18"),
        (b"garbage", "do not fit resnet18"),
        ({"conv1.weight": torch.zeros(1)}, "do not fit resnet18"),
        (Evil(), "do not fit resnet18"),
    ],
)
def test_weights_that_are_missing_damaged_or_hostile_are_one_line(images, photos, tmp_path, monkeypatch, content, told):
    monkeypatch.chdir(tmp_path)
    file: str | None = str(tmp_path / "w.pth")
    if content is None:
        file = None
    elif isinstance(content, bytes):
        Path(str(file)).write_bytes(content)
    elif content != "missing":
        torch.save(content, file)
    with pytest.raises(UserError, match=told) as error:
        images(features=Pretrained("torchvision", "resnet18", file, 32, "cpu")).setup()
    assert "\n" not in str(error.value)
    assert not (tmp_path / "executed").exists()


def test_unknown_backbones_are_refused(images, photos):
    with pytest.raises(UserError, match=r"data\.features\.backbone=resnet17"):
        images(features=Pretrained("torchvision", "resnet17", __file__, 32, "cpu")).setup()


def test_weights_may_be_safetensors(tmp_path, weights):
    net, file = weights
    save_file(net.state_dict(), tmp_path / "net.safetensors")
    gray = np.full((2, 32, 32, 3), 90, dtype=np.uint8)
    one, other = (Pretrained("torchvision", "resnet18", str(path), 32, "cpu").to_samples(gray)
                  for path in (file, tmp_path / "net.safetensors"))  # fmt: skip
    np.testing.assert_array_equal(one, other)
    (tmp_path / "net.safetensors").write_bytes(b"garbage")
    with pytest.raises(UserError, match="do not fit resnet18"):
        Pretrained("torchvision", "resnet18", str(tmp_path / "net.safetensors"), 32, "cpu").check()


@pytest.mark.skipif(bool(find_spec("timm")), reason="timm is installed")
def test_timm_is_an_extra(images, photos):
    with pytest.raises(UserError, match=r"pip install 'deepcluster_pl\[encoders\]'"):
        images(features=Pretrained("timm", "resnet18", "default", 32, "cpu")).setup()


@pytest.mark.parametrize("backbone", ["resnet10t", "vit_tiny_patch16_224", "mobilenetv3_small_050"])
def test_a_backbone_of_timm_gives_what_timm_says(tmp_path, backbone):
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    whole = timm.create_model(backbone, pretrained=False).eval()  # with its classifier, as weights are published
    save_file(whole.state_dict(), tmp_path / "net.safetensors")
    features = Pretrained("timm", backbone, str(tmp_path / "net.safetensors"), 224, "cpu")
    squares = np.random.default_rng(0).integers(0, 256, size=(3, 224, 224, 3)).astype(np.uint8)
    known = timm.data.resolve_data_config({}, model=whole)
    scaled = torch.from_numpy(((squares / 255 - known["mean"]) / known["std"]).astype(np.float32)).permute(0, 3, 1, 2)
    with torch.inference_mode():
        expected = whole.forward_head(whole.forward_features(scaled), pre_logits=True).numpy()
    np.testing.assert_allclose(features.to_samples(squares), expected, rtol=1e-3, atol=1e-4)
    assert features.shape == expected.shape[1:]


def test_an_unknown_backbone_of_timm_is_refused_in_a_line(tmp_path):
    pytest.importorskip("timm")
    with pytest.raises(UserError, match=r"data\.features\.backbone=resnet17") as error:
        Pretrained("timm", "resnet17", str(tmp_path), 32, "cpu").check()
    assert "\n" not in str(error.value)


def test_weights_inside_a_checkpoint_are_found_and_what_is_missing_is_said(tmp_path, weights):
    net, file = weights
    gray = np.full((1, 32, 32, 3), 90, dtype=np.uint8)
    torch.save({"epoch": 3, "state_dict": net.state_dict()}, tmp_path / "inside.pth")
    one, other = (Pretrained("torchvision", "resnet18", str(path), 32, "cpu").to_samples(gray)
                  for path in (file, tmp_path / "inside.pth"))  # fmt: skip
    np.testing.assert_array_equal(one, other)
    torch.save({"epoch": 3}, tmp_path / "none.pth")
    with pytest.raises(UserError, match=r"do not fit resnet18: Error.*Missing key"):
        Pretrained("torchvision", "resnet18", str(tmp_path / "none.pth"), 32, "cpu").check()


def test_a_size_that_a_backbone_refuses_is_a_line(tmp_path):
    import torchvision

    net = torchvision.models.get_model("vit_b_32", weights=None)
    torch.save(net.state_dict(), tmp_path / "vit.pth")
    with pytest.raises(UserError, match=r"data\.features\.size=192 does not fit vit_b_32: .*224") as error:
        Pretrained("torchvision", "vit_b_32", str(tmp_path / "vit.pth"), 192, "cpu").check()
    assert "\n" not in str(error.value)
