# SPDX-License-Identifier: MIT
"""Golden values of agglomerative clustering from SciPy and scikit-learn: python tests/golden/linkage.py

Writes tests/golden/cluster/linkage.json, wine.npy and moons.npy. Reads what tests/golden/cluster.py wrote.
"""

import json
import sys

import numpy as np
import scipy
import sklearn
from scipy.cluster.hierarchy import linkage
from sklearn.cluster import AgglomerativeClustering
from sklearn.datasets import load_wine, make_moons

from cluster import OUTPUT, blobs, splitmix

METHODS = ["ward", "complete", "average", "single"]


def apart(x):
    """x, f32, with up to 1/64 added to each element: complete linkage of integers depends on the order of the rows."""
    with np.errstate(over="ignore"):
        bits = splitmix(np.arange(x.size, dtype=np.uint64)) >> np.uint64(40)
    return x + (bits.astype(np.float32) * np.float32(2.0**-30)).reshape(x.shape)


def fit(x, method, **options):
    return AgglomerativeClustering(linkage=method, **options).fit(x)


def golden_of(x, k, tree):
    """Labels for k clusters and for a threshold; heights; the whole tree where no two distances are equal."""
    x = x.astype(np.float64)
    result = {}
    for method in METHODS:
        model = fit(x, method, n_clusters=k, compute_distances=True)
        heights = model.distances_
        threshold = float(heights[-4] + heights[-5]) / 2
        result[method] = {
            "labels": "".join(chr(ord("a") + label) for label in model.labels_),
            "heights": heights[:: max(1, len(heights) // 200)].tolist(),
            "last_heights": heights[-20:].tolist(),
            "threshold": threshold,
            "threshold_labels": "".join(
                chr(ord("a") + label)
                for label in fit(x, method, n_clusters=None, distance_threshold=threshold).labels_
            ),
        }
        if tree:
            result[method]["linkage"] = linkage(x, method)[:, :3].tolist()
    return result


def cuts(x, method):
    z = linkage(x.astype(np.float64), method)
    return {
        "linkage": z.tolist(),
        "n_clusters": [[k, fit(x, method, n_clusters=k).labels_.tolist()] for k in [1, 2, 3, 9, 20, len(x)]],
    }


def main():
    wine = load_wine().data
    wine = ((wine - wine.mean(axis=0)) / wine.std(axis=0)).astype(np.float32)
    np.save(OUTPUT / "wine.npy", wine)
    moons = make_moons(300, noise=0.06, random_state=3)[0].astype(np.float32)
    np.save(OUTPUT / "moons.npy", moons)
    iris = np.load(OUTPUT / "iris_tenths.npy").astype(np.float32) / np.float32(10)
    digits = np.load(OUTPUT / "digits.npy").astype(np.float32)
    golden = {
        "versions": {"python": sys.version.split()[0], "numpy": np.__version__, "scipy": scipy.__version__,
                     "scikit-learn": sklearn.__version__},
        "sets": {
            "iris": golden_of(iris, 3, False),
            "wine": golden_of(wine, 3, True),
            "moons": golden_of(moons, 2, True),
            "digits": golden_of(apart(digits), 10, False),
            "blobs": golden_of(apart(blobs(3000, 24, 6, 24)[0]), 6, False),
        },
        "cuts": {"ward": cuts(moons[:60], "ward"), "ties": cuts(blobs(50, 1, 9, 24)[0], "complete")},
    }
    (OUTPUT / "linkage.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
