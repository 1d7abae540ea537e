"""The layout of the tutorial: images in the table's order, and no name that leads out of the folder."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import EpsImagePlugin, Image

from deepcluster_pl.data.sources.image_csv import ImageCsv
from deepcluster_pl.errors import UserError


@pytest.fixture
def images(tmp_path):
    """Three PNGs in a folder of their own: 0.png gray, 1.png with alpha, 2.png in a subfolder and in color mode."""
    folder = tmp_path / "images"
    (folder / "sub").mkdir(parents=True)
    x = np.random.default_rng(0).integers(256, size=(3, 6, 5), dtype=np.uint8)
    x[0].flat[:3] = [0, 1, 255]
    Image.fromarray(x[0]).save(folder / "0.png")
    Image.fromarray(np.dstack([x[1]] * 3 + [np.full_like(x[1], 255)])).save(folder / "1.png")
    Image.fromarray(np.dstack([x[2]] * 3)).save(folder / "sub" / "2.png")
    return folder, x


@pytest.fixture
def datahack(tmp_path, images, common):
    """Makes the source of a table with this text."""

    def make(text, root=images[0]):
        path = tmp_path / "train.csv"
        path.write_text(text, encoding="utf-8", newline="")
        return ImageCsv(str(path), None if root is None else str(root), **common())

    return make


def test_images_come_as_bytes_in_the_order_of_the_table(datahack, images):
    table = datahack("filename,label\nsub/2.png,7\n0.png,4\n1.png,9\n").load()
    assert table.x.dtype == np.uint8
    np.testing.assert_array_equal(table.x, images[1][[2, 0, 1]])
    assert list(table.ids) == ["sub/2.png", "0.png", "1.png"]
    assert list(table.labels) == ["7", "4", "9"]


@pytest.mark.parametrize("text", ["\ufefffilename\r\n0.png\r\n1.png\r\n", "filename;other\n0.png;a\n1.png;b\n"])
def test_label_column_may_be_missing(datahack, text):
    data = datahack(text)
    data.setup()
    assert data.part("fit").labels is None
    assert list(data.part("fit").ids) == ["0.png", "1.png"]


def test_root_defaults_to_the_folder_of_the_table(datahack):
    assert datahack("filename\nimages/0.png\n", root=None).load().x.shape == (1, 6, 5)


@pytest.mark.parametrize("name", ["../secret.png", "sub/../../secret.png", "/etc/hostname", "..\\secret.png"])
def test_name_that_leads_out_of_the_folder_is_refused_with_its_row(datahack, images, name):
    Image.fromarray(images[1][0]).save(images[0].parent / "secret.png")
    with pytest.raises(UserError, match=r"train.csv, row 3: .* is not the name of a file inside the folder"):
        datahack(f"filename\n0.png\n{name}\n").load()


def test_a_link_that_leads_out_of_the_folder_is_refused_with_its_row(datahack, images):
    Image.fromarray(images[1][0]).save(images[0].parent / "secret.png")
    (images[0] / "link.png").symlink_to("../secret.png")
    (images[0] / "inside.png").symlink_to("1.png")
    with pytest.raises(UserError, match=r"row 3: .*link.png leads out of .* by a link; type data.root="):
        datahack("filename\n0.png\nlink.png\n").load()
    assert datahack("filename\n0.png\ninside.png\n").load().n == 2


def test_row_in_a_complaint_is_the_line_of_the_file(datahack):
    with pytest.raises(UserError, match="row 4"):
        datahack("filename\n0.png\n\n../secret.png\n").load()


def test_file_named_twice_is_refused(datahack):
    with pytest.raises(UserError, match=r"row 2: '0.png' occurs 2 times"):
        datahack("filename\n0.png\n1.png\n0.png\n").load()


def test_wrong_header_is_refused_with_what_was_found(datahack):
    with pytest.raises(UserError, match="found the columns file, label, expected filename and maybe label"):
        datahack("file,label\n0.png,4\n").load()


def test_missing_image_is_named_with_its_row_and_what_to_type(datahack):
    with pytest.raises(UserError, match=r"row 3: .*9\.png is missing; type data\.root="):
        datahack("filename\n0.png\n9.png\n").load()


@pytest.mark.parametrize("content", [b"", b"not an image", None])
def test_damaged_image_is_named_with_its_row(datahack, images, content):
    whole = (images[0] / "1.png").read_bytes()
    (images[0] / "1.png").write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(UserError, match=r"row 3: .*1\.png cannot be read as an image"):
        datahack("filename\n0.png\n1.png\n").load()


def test_a_file_of_another_format_is_refused_and_its_decoder_never_runs(datahack, images, monkeypatch):
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *_: pytest.fail("Ghostscript was asked for"))
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 5 6\n%%EndComments\nshowpage\n%%EOF\n"
    (images[0] / "1.png").write_bytes(eps)
    with pytest.raises(UserError, match=r"row 3: .*1\.png cannot be read as an image: its format is unknown"):
        datahack("filename\n0.png\n1.png\n").load()


def test_an_image_above_the_limit_is_refused_by_its_header(datahack, images):
    Image.new("1", (20_000, 8_000)).save(images[0] / "1.png")
    with pytest.raises(UserError, match=r"row 3: .*: 20000 x 8000 pixels are more than 150 million$"):
        datahack("filename\n0.png\n1.png\n").load()


def test_images_of_different_size_are_refused_by_name(datahack, images):
    Image.fromarray(np.zeros((3, 3), dtype=np.uint8)).save(images[0] / "small.png")
    with pytest.raises(UserError, match=r"small.png has shape \(3, 3\), and 0.png \(6, 5\)"):
        datahack("filename\n0.png\nsmall.png\n").load()


def test_sixteen_bit_gray_keeps_its_shades(datahack, images):
    Image.fromarray(images[1][0].astype(np.uint16) * 257).save(images[0] / "deep.png")
    np.testing.assert_array_equal(datahack("filename\ndeep.png\n").load().x[0], images[1][0])


def test_missing_folder_is_an_error(datahack, tmp_path):
    with pytest.raises(UserError, match=r"data\.root=.*gone: no such folder"):
        datahack("filename\n0.png\n", root=tmp_path / "gone").load()


@pytest.mark.realdata
def test_genuine_tables_are_read(real_data):
    train, test = (pd.read_csv(real_data / "datahack" / f"{name}.csv") for name in ("train", "test"))
    assert list(train) == ["filename", "label"]
    assert list(test) == ["filename"]
    assert (len(train["filename"]), len(test["filename"])) == (49_000, 21_000)
    assert len({*train["filename"], *test["filename"]}) == 70_000
    assert sorted(set(train["label"])) == list(range(10))
