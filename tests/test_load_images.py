"""Images from a folder whose sub-folders are the classes."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from estimator_cases import PLAIN
from sklearn.datasets import load_files
from sklearn.model_selection import cross_val_score

from skconvnet import ConvNetClassifier
from skconvnet.datasets import load_image, load_images

Image = pytest.importorskip("PIL.Image", reason="Pillow is in the extra `image`")

RED, GREEN = (255, 0, 0), (0, 255, 0)


@pytest.fixture
def photos(tmp_path):
    """Return a folder of two classes, whose files were not made in order."""
    save(tmp_path / "dog" / "2.png", noise(6, 8, seed=2))
    save(tmp_path / "cat" / "b.png", noise(6, 8, seed=1))
    save(tmp_path / "dog" / "10.png", noise(6, 8, seed=3))
    save(tmp_path / "cat" / "a.png", noise(6, 8, seed=0))
    return tmp_path


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


def save(path, array, **options):
    path.parent.mkdir(exist_ok=True, parents=True)
    image = array if isinstance(array, Image.Image) else Image.fromarray(array)
    image.save(path, **options)
    return path


def one(folder, array, name="1.png", options=(), **params):
    """Load the one image of a folder, saved under `name`."""
    save(folder / "class" / name, array, **dict(options))
    return load_images(folder, **params).data[0]


@pytest.mark.parametrize("as_path", [str, Path, lambda path: f"{path}/"])
def test_it_returns_what_load_files_returns(photos, as_path):
    images = load_images(as_path(photos))
    files = load_files(photos, shuffle=False, load_content=False)
    assert images.target_names == files.target_names == ["cat", "dog"]
    np.testing.assert_array_equal(images.target, [0, 0, 1, 1])
    assert images.target.dtype == files.target.dtype
    names = [os.path.relpath(name, photos) for name in images.filenames]
    assert names == [
        os.path.join(*p)
        for p in [
            ("cat", "a.png"),
            ("cat", "b.png"),
            ("dog", "10.png"),
            ("dog", "2.png"),
        ]
    ]
    assert set(map(os.path.abspath, images.filenames)) == set(files.filenames)
    assert images.data.shape == (4, 6, 8, 3)
    assert images.data.dtype == np.uint8
    for image, seed in zip(images.data, (0, 1, 3, 2), strict=True):
        np.testing.assert_array_equal(image, noise(6, 8, seed=seed))


def test_return_X_y(photos):
    X, y = load_images(photos, return_X_y=True)
    images = load_images(photos)
    np.testing.assert_array_equal(X, images.data)
    np.testing.assert_array_equal(y, images.target)


@pytest.mark.parametrize(
    ("size", "shape"),
    [(4, (4, 4)), (np.int64(4), (4, 4)), ((5, 12), (5, 12)), ([5, 12], (5, 12))],
)
@pytest.mark.parametrize(("mode", "channels"), [("RGB", 3), ("L", 1), ("RGBA", 4)])
def test_sizes_and_modes(photos, size, shape, mode, channels):
    save(photos / "cat" / "other.png", noise(20, 3))
    images = load_images(photos, size, mode=mode)
    assert images.data.shape == (5, *shape, channels)
    assert images.data.dtype == np.uint8


def test_images_of_several_sizes_are_a_list(photos):
    save(photos / "dog" / "3.png", noise(5, 5))
    images = load_images(photos, mode="L").data
    assert isinstance(images, list)
    assert [image.shape for image in images] == [(6, 8, 1)] * 4 + [(5, 5, 1)]


def test_a_resized_pixel_comes_from_all_that_it_covers(tmp_path):
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 200
    assert abs(one(tmp_path, stripes, size=8).astype(int) - 100).max() <= 10


def test_aspect_ratio(tmp_path):
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 255
    assert one(tmp_path, wide, size=10)[5].max(axis=1).tolist()[0] == 0
    assert one(tmp_path, wide, size=10, crop_to_aspect_ratio=True).min() == 255
    tall = wide.transpose(1, 0, 2)
    assert one(tmp_path, tall, size=5, crop_to_aspect_ratio=True).min() > 200


def test_photographs_stand_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by 90 degrees
    image = np.zeros((16, 32, 3), np.uint8)
    image[:, 16:] = 255
    array = one(tmp_path, image, "1.jpg", {"exif": exif, "quality": 100})
    assert array.shape == (32, 16, 3)
    assert array[:15].max() < 20
    assert array[17:].min() > 235


def test_transparent_pixels_are_white(tmp_path):
    drawing = np.zeros((2, 2, 4), np.uint8)
    drawing[0, 0] = (*RED, 255)
    expected = np.full((2, 2, 3), 255)
    expected[0, 0] = RED
    np.testing.assert_array_equal(one(tmp_path, drawing), expected)
    palette = Image.fromarray(drawing).quantize()
    np.testing.assert_array_equal(one(tmp_path, palette), expected)
    np.testing.assert_array_equal(one(tmp_path, drawing, mode="RGBA"), drawing)
    assert one(tmp_path, drawing, mode="L")[1, 1, 0] == 255


@pytest.mark.parametrize("mode", ["P", "1", "L", "LA", "CMYK", "RGBA", "YCbCr"])
def test_other_modes_become_rgb(tmp_path, mode):
    rgb = np.zeros((8, 8, 3), np.uint8)
    rgb[:, 4:] = 255
    name = "1.jpg" if mode in ("CMYK", "YCbCr") else "1.png"
    array = one(tmp_path, Image.fromarray(rgb).convert(mode), name)
    assert array.shape == (8, 8, 3)
    assert abs(array.astype(int) - rgb).max() < 10


@pytest.mark.parametrize("name", ["1.png", "1.tiff"])
def test_16_bits(tmp_path, name):
    scan = np.array([[0, 256, 257], [32768, 65280, 65535]], np.uint16)
    array = one(tmp_path, scan, name, mode="L")[..., 0]
    np.testing.assert_array_equal(array, [[0, 1, 1], [128, 255, 255]])
    assert one(tmp_path, scan, name).shape == (2, 3, 3)


def test_floats_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"1\.tiff' is not .*32 bits per pixel"):
        one(tmp_path, np.ones((2, 2), np.float32), "1.tiff")


@pytest.mark.parametrize("n_jobs", [None, 3])
def test_a_broken_file_is_named(photos, n_jobs):
    whole = save(photos / "cat" / "z.jpg", noise(60, 60)).read_bytes()
    for content in (b"not an image", b"", whole[: len(whole) // 2]):
        (photos / "dog" / "7.jpg").write_bytes(content)
        with pytest.raises(ValueError, match=r"dog.7\.jpg' is not an image that"):
            load_images(photos, 4, n_jobs=n_jobs)


def test_hidden_files_are_left_out(photos):
    before = load_images(photos)
    for name in (".DS_Store", ".hidden.png", "Thumbs.db", "desktop.ini"):
        (photos / name).write_bytes(b"x")
        (photos / "cat" / name).write_bytes(b"x")
    for name in (".git", "__MACOSX", ".ipynb_checkpoints"):
        save(photos / name / "cat.png", noise(2, 2))
        save(photos / "dog" / name / "cat.png", noise(2, 2))
    (photos / "labels.csv").write_text("not an image, and in no class")
    after = load_images(photos)
    assert after.target_names == before.target_names
    assert after.filenames.tolist() == before.filenames.tolist()


def test_images_below_the_folder_of_a_class(photos):
    save(photos / "cat" / "2024" / "may" / "c.png", noise(6, 8))
    images = load_images(photos)
    assert images.target.tolist() == [0, 0, 0, 1, 1]
    assert images.filenames[0].endswith(os.path.join("2024", "may", "c.png"))


def test_links_are_followed_and_circles_are_not(photos, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    save(elsewhere / "c.png", noise(6, 8))
    (photos / "bird").symlink_to(elsewhere)
    (photos / "cat" / "c.png").symlink_to(elsewhere / "c.png")
    (photos / "dog" / "loop").symlink_to(photos / "dog")
    images = load_images(photos)
    assert images.target_names == ["bird", "cat", "dog"]
    assert images.target.tolist() == [0, 1, 1, 1, 2, 2]
    (photos / "dog" / "gone.png").symlink_to(elsewhere / "gone.png")
    with pytest.raises(FileNotFoundError, match=r"gone\.png"):
        load_images(photos)


def test_the_order_is_not_that_of_the_file_system(photos, monkeypatch):
    before = load_images(photos)
    iterdir = Path.iterdir
    monkeypatch.setattr(Path, "iterdir", lambda path: reversed(list(iterdir(path))))
    after = load_images(photos)
    assert after.filenames.tolist() == before.filenames.tolist()
    np.testing.assert_array_equal(after.data, before.data)


def test_threads_change_nothing(photos):
    for size in (None, 4):
        one_thread, two = (load_images(photos, size, n_jobs=n) for n in (1, 2))
        np.testing.assert_array_equal(one_thread.data, two.data)


def test_categories_set_the_integers(photos):
    images = load_images(photos, categories=["dog", "cat"])
    assert images.target_names == ["dog", "cat"]
    assert images.target.tolist() == [0, 0, 1, 1]
    assert load_images(photos, categories=np.array(["dog"])).target.tolist() == [0, 0]
    with pytest.raises(ValueError, match=r"'cat', 'dog'; got .*'cow'"):
        load_images(photos, categories=["cat", "cow"])
    with pytest.raises(TypeError, match=r"Pass \['cat'\]"):
        load_images(photos, categories="cat")


def test_an_empty_class_keeps_its_integer(photos):
    (photos / "cow").mkdir()
    with pytest.warns(UserWarning, match="cow' is empty: the class 'cow' has no"):
        images = load_images(photos)
    assert images.target_names == ["cat", "cow", "dog"]
    assert images.target.tolist() == [0, 0, 2, 2]


def test_images_without_a_class_are_left_out(photos):
    save(photos / "1.PNG", noise(2, 2))
    with pytest.warns(UserWarning, match=r"1 images directly in .*'1\.PNG'.*no class"):
        assert len(load_images(photos).data) == 4


def test_folders_that_cannot_be_loaded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"'photos' does not exist \(looked"):
        load_images("photos")
    with pytest.raises(ValueError, match=r"has no sub-folders.*classes.*cat.1\.jpg"):
        load_images(tmp_path)
    save(tmp_path / "7.png", noise(2, 2))
    with pytest.raises(NotADirectoryError, match="is a file"):
        load_images(tmp_path / "7.png")
    with pytest.raises(ValueError, match=r"holds 1 images but no sub-.*cat.7\.png"):
        load_images(tmp_path)
    (tmp_path / "7.png").unlink()
    (tmp_path / "cat").mkdir()
    with (
        pytest.warns(UserWarning, match="has no images"),
        pytest.raises(ValueError, match="has no images: its sub-folders 'cat'"),
    ):
        load_images(tmp_path)


@pytest.mark.parametrize(
    ("params", "error", "match"),
    [
        ({"size": 0}, ValueError, "size must be at least 1"),
        ({"size": (3, 4, 3)}, ValueError, "size must be an int or a tuple of 2"),
        ({"size": "32"}, TypeError, "size must be an int or a tuple of 2"),
        ({"mode": "grayscale"}, ValueError, "Did you mean 'L'"),
        ({"mode": "rgb"}, ValueError, "Did you mean 'RGB'"),
        ({"mode": None}, ValueError, "mode must be"),
    ],
)
def test_parameters_that_are_refused(photos, params, error, match):
    with pytest.raises(error, match=match):
        load_images(photos, **params)


def test_one_image_is_loaded_like_those_of_a_folder(photos):
    images = load_images(photos, 5)
    for file, image in zip(images.filenames, images.data, strict=True):
        np.testing.assert_array_equal(load_image(Path(file), 5), image)
    with pytest.raises(FileNotFoundError, match=r"none\.png"):
        load_image(photos / "none.png")


def test_without_pillow(photos, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    for load in (load_image, load_images):
        with pytest.raises(ImportError, match=r"skconvnet\[image\]"):
            load(photos)


def test_pillow_is_imported_when_it_is_used():
    code = """
import sys
from skconvnet.datasets import load_images
assert "PIL" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_files_are_closed(photos, recwarn):
    for i in range(300):
        save(photos / "dog" / f"many{i}.png", noise(2, 2))
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
    try:
        assert len(load_images(photos, 2).data) == 304
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert not recwarn.list


def test_a_network_learns_them(tmp_path):
    for name, color in (("green", GREEN), ("red", RED)):
        for i in range(12):
            image = (noise(9, 12, seed=i) // 2 + np.array(color) // 2).astype(np.uint8)
            save(tmp_path / name / f"{i}.png", image)
    X, y = load_images(tmp_path, size=8, return_X_y=True)
    X = X / 255
    clf = ConvNetClassifier(
        filters=4,
        hidden_layer_sizes=8,
        solver="lbfgs",
        max_iter=200,
        random_state=0,
        **PLAIN,
    )
    assert cross_val_score(clf, X, y, cv=2).mean() > 0.9
