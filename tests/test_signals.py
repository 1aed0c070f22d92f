"""True signals, in processes of their own: plain fits, and searches on processes."""

import os
import signal
import subprocess
import sys
import threading

import pytest

pytestmark = pytest.mark.slow

SCRIPT = """
import os, signal, sys, threading, time, warnings
import numpy as np
from sklearn.model_selection import GridSearchCV
from skconvnet import ConvNetClassifier, MLPClassifier
X = np.random.default_rng(0).normal(size=(5000, 64))
y = np.arange(len(X)) % 3
params = dict(max_iter=10**7, n_iter_no_change=np.inf, tol=0.0, n_jobs=2)

def interrupt():
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()

"""
PLAIN = """
with warnings.catch_warnings(record=True) as record:
    warnings.simplefilter("always")
    interrupt()
    model = {model}.fit(X, y)
assert [str(w.message) for w in record] == ["Training interrupted by user."], record
assert model.predict(X).shape == y.shape
assert np.isfinite(model.get_weights()["output/kernel"]).all()
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
assert threading.active_count() <= 2, threading.enumerate()
model.set_params(max_iter=2).fit(X, y)
print("kept", model.n_iter_)
"""
SEARCH = """
search = GridSearchCV({model}, {{"alpha": [1, 2]}}, n_jobs={n_jobs})
if {n_jobs} == 1:
    interrupt()
else:
    print("begun", flush=True)
begun = time.monotonic()
try:
    search.fit(X, y)
except KeyboardInterrupt:
    assert not hasattr(search, "best_estimator_")
    print("ended after", time.monotonic() - begun)
"""


@pytest.mark.parametrize(
    "model",
    [
        "MLPClassifier(**params)",
        "ConvNetClassifier(4, **params)",
        "MLPClassifier(**{**params, 'batch_size': 1})",
        "MLPClassifier((400,), **{**params, 'solver': 'lbfgs', 'max_fun': 10**9})",
    ],
)
def test_a_signal_ends_a_fit(model):
    out = run(SCRIPT + PLAIN.format(model=model))
    assert out == "kept 2"


def test_a_signal_ends_a_search():
    out = run(SCRIPT + SEARCH.format(model="MLPClassifier(**params)", n_jobs=1))
    assert out.startswith("ended after")


@pytest.mark.skipif(sys.platform == "win32", reason="has no process groups")
def test_a_signal_ends_a_search_over_processes():
    code = SCRIPT + SEARCH.format(model="MLPClassifier(**params)", n_jobs=2)
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout.readline() == "begun\n"
        threading.Event().wait(8)
        os.killpg(process.pid, signal.SIGINT)
        try:
            out, error = process.communicate(timeout=60)
        finally:
            process.kill()
    assert out.startswith("ended after"), error


def run(code):
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()
