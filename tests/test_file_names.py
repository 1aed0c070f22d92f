"""File names, or arrays in cells, as X: the error says what X holds and what to do."""

import os
from pathlib import Path, PureWindowsPath

import numpy as np
import pandas as pd
import pytest
from estimator_cases import (
    ESTIMATORS,
    IMAGE_ESTIMATORS,
    N,
    data_for,
    images,
    labels,
    make,
)
from PIL import Image

from skconvnet import ConvNetClassifier, MLPClassifier
from skconvnet.datasets import load_image, load_images
from skconvnet.estimators._file_names import refuse_file_names

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:Training started with a loss"),
]
NAMES = [f"images/cat/{i}.png" for i in range(N)]
PATHS = [Path(name) for name in NAMES]
READ = r"'images/cat/0\.png'.* skconvnet\.datasets: load_images\(folder\).* load_image"
CONTAINERS = {
    "list": NAMES,
    "tuple": tuple(NAMES),
    "paths": PATHS,
    "bytes": [name.encode() for name in NAMES],
    "array": np.array(NAMES),
    "array of bytes": np.array(NAMES, "S"),
    "objects": np.array(NAMES, object),
    "objects of paths": np.array(PATHS, object),
    "one column": np.array(NAMES)[:, None],
    "lists": [[path] for path in PATHS],
    "series": pd.Series(NAMES),
    "series of objects": pd.Series(NAMES, dtype=object),
    "series of paths": pd.Series(PATHS),
    "category": pd.Series(NAMES, dtype="category"),
    "first missing": pd.Series([None, *NAMES[:-1]], dtype=object),
}


def refused(call, message, error=ValueError):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("kind", CONTAINERS)
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_names_of_images(cls, kind):
    X, y = data_for(cls)
    fitted, names = make(cls).fit(X, y), CONTAINERS[kind]
    message = f"^X holds file names, such as {READ}"
    refused(lambda: make(cls).fit(names, y), message)
    refused(lambda: make(cls).initialize(names, y), message)
    refused(lambda: fitted.partial_fit(names, y), message)
    refused(lambda: fitted.predict(names), message)
    refused(lambda: fitted.score(names, y), message)
    message = f"^X_val holds file names, such as {READ}"
    refused(lambda: make(cls).fit(X, y, X_val=names, y_val=y), message)


@pytest.mark.parametrize("kind", ["series", "paths", "category", "objects"])
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_a_column_of_names(cls, kind):
    frame = pd.DataFrame({"age": 1.5, "file": CONTAINERS[kind]})
    message = f"^Column 'file' of X holds file names, such as {READ}"
    refused(lambda: make(cls).fit(frame, data_for(cls)[1]), message)


NAMED = [
    ("A.JPG", "load_image"),
    ("scan.tiff", "load_image"),
    (r"C:\photos\1.jpeg", "load_image"),
    (PureWindowsPath(r"C:\photos\1.webp"), "load_image"),
    (Path("photos/without_suffix"), "load_image"),
    ("https://example.org/1.png", "load_image"),
    ("a/1.npy", r"np\.load\(path\)"),
    ("rows.csv", r"pandas\.read_csv"),
]


@pytest.mark.parametrize(("name", "message"), NAMED)
def test_what_is_a_file_name(name, message):
    own = np.array([name] * 3, dtype=object)
    refused(lambda: refuse_file_names(own, "X"), message)


@pytest.mark.parametrize(
    "text", ["cat", "3.5", "png", "a sentence.", "v1.2", "x.png y"]
)
def test_what_is_none(text):
    refuse_file_names(np.array([text] * 3), "X")
    refused(lambda: make(MLPClassifier).fit([[text]] * N, labels()), "OneHotEncoder")


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_a_single_path(cls):
    y = data_for(cls)[1]
    for folder in ("photos", Path("photos"), os.fsencode("photos")):
        message = r"^X must be .*load_images\('photos', return_X_y=True\)"
        refused(lambda folder=folder: make(cls).fit(folder, y), message)
    refused(lambda: make(cls).fit("1.png", y), r"\[.*load_image\('1\.png'\)\]")
    refused(lambda: make(cls).fit("a.npy", y), r"np\.load\('a\.npy'\)")
    message = r"^X must be an array or a list of samples.* list\(X\)"
    refused(lambda: make(cls).fit(Path().glob("*"), y), message, TypeError)


def test_what_the_errors_say_works(tmp_path):
    for name, color in (("a", "red"), ("b", "blue")):
        (tmp_path / name).mkdir()
        for i in range(10):
            Image.new("RGB", (8 + i % 2, 8), color).save(tmp_path / name / f"{i}.png")
    paths = sorted(tmp_path.glob("*/*.png"))
    y = [path.parent.name for path in paths]
    refused(lambda: make(ConvNetClassifier).fit(paths, y), "holds file names")
    read = [load_image(path, 8) for path in paths]
    X, target = load_images(tmp_path, 8, return_X_y=True)
    np.testing.assert_array_equal(np.stack(read), X)
    fitted = make(ConvNetClassifier).fit(read, y)
    np.testing.assert_array_equal(
        fitted.predict_proba(X), make(ConvNetClassifier).fit(X, target).predict_proba(X)
    )


def test_arrays_in_a_column():
    X, y = images(), labels()
    message = r"^Column 'image' of X holds an array of shape \(6, 6\) .*np\.stack\(X\['"
    for cells in (list(X), X.tolist()):
        frame = pd.DataFrame({"image": cells, "age": 1.0})
        refused(lambda frame=frame: make(ConvNetClassifier).fit(frame, y), message)
    several = [np.ones((6 + i % 2, 6)) for i in range(N)]
    frame = pd.DataFrame({"image": several})
    message = r"a list of all samples, list\(X\['image'\]\)"
    refused(lambda: make(ConvNetClassifier).fit(frame, y), message)
    pillow = [Image.new("L", (6, 6), i) for i in range(N)]
    frame = pd.DataFrame({"image": pillow})
    message = r"holds an image in each cell.* list\(X\['image'\]\)"
    refused(lambda: make(ConvNetClassifier).fit(frame, y), message)
    make(ConvNetClassifier).fit(list(frame["image"]), y)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_arrays_of_one_axis_in_a_series(cls):
    X, y = data_for(cls)
    own = pd.Series(list(X.reshape(N, -1)))
    message = r"^X holds an array of shape \(36,\) in each cell.* np\.stack\(X\)"
    refused(lambda: make(cls).fit(own, y), message)
    refused(lambda: make(cls).fit(own.to_numpy(), y), message)
    message = r"^X_val holds an array .* np\.stack\(X_val\)"
    refused(lambda: make(cls).fit(X, y, X_val=own, y_val=y), message)
    table = own.to_numpy()[:, None]
    refused(lambda: make(cls).fit(table, y), r"^X holds an array of shape \(36,\)")


@pytest.mark.parametrize("cls", IMAGE_ESTIMATORS)
def test_a_series_of_images_is_a_list_of_them(cls):
    X, y = data_for(cls)
    own = make(cls).fit(pd.Series(list(X)), y)
    np.testing.assert_array_equal(own.predict(X), make(cls).fit(X, y).predict(X))
