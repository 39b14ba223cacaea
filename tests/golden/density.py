# SPDX-License-Identifier: MIT
"""Golden values of DBSCAN and HDBSCAN from scikit-learn: python tests/golden/density.py

Writes tests/golden/cluster/density_*.npy (data) and density.json. Data: digits and iris as tests/golden/cluster.py stores
them, its blobs of whole numbers, where many distances are equal, moons, circles and blobs of f32, where none are, and copies:
rows of which most are there more than once, up to 40 times, where none are but between copies.
"""

import functools
import importlib.metadata
import json
import pathlib
import sys

import hdbscan
import numpy as np
import sklearn
from cluster import blobs
from sklearn.cluster import DBSCAN, HDBSCAN
from sklearn.datasets import load_digits, load_iris, make_blobs, make_circles, make_moons

OUTPUT = pathlib.Path(__file__).parent / "cluster"

DBSCAN_RUNS = {
    "iris": [(0.5, 5), (0.4, 3), (0.3, 1)],
    "digits": [(20.0, 5), (21.5, 10), (24.0, 3)],
    "whole": [(np.sqrt(4800.0), 5), (np.sqrt(6000.0), 8), (85.0, 2)],
    "moons": [(0.15, 5), (0.08, 3), (0.3, 10)],
    "circles": [(0.15, 5), (0.1, 4)],
    "blobs": [(2.5, 5), (3.0, 10), (2.0, 4)],
    "copies": [(0.3, 5), (1e-6, 3), (1.0, 10)],
}
HDBSCAN_RUNS = [
    {},
    {"min_cluster_size": 15},
    {"min_cluster_size": 10, "min_samples": 3},
    {"min_cluster_size": 8, "min_samples": 1},
    {"min_cluster_size": 10, "cluster_selection_method": "leaf"},
    {"min_cluster_size": 5, "cluster_selection_epsilon": 0.2},
    {"min_cluster_size": 5, "cluster_selection_method": "leaf", "cluster_selection_epsilon": 1.5},
    {"min_cluster_size": 10, "allow_single_cluster": True},
    {"min_cluster_size": 10, "allow_single_cluster": True, "cluster_selection_epsilon": 2.0},
    {"min_cluster_size": 10, "max_cluster_size": 150},
    {"min_cluster_size": 10, "alpha": 1.3},
]


def copies():
    generator = np.random.default_rng(4)
    x = make_blobs(150, 3, centers=4, cluster_std=0.7, random_state=4)[0]
    times = np.where(generator.random(150) < 0.1, 40, generator.integers(1, 5, 150))
    return generator.permutation(np.repeat(x, times, axis=0))[:500]


def density_clusters(x, options):
    """scikit-learn's; with a threshold on distances those of the hdbscan package that it was taken from (whose min_samples
    leaves the point itself out), for scikit-learn 1.9 fails there with NumPy 2."""
    if "cluster_selection_epsilon" not in options:
        return HDBSCAN(**options, copy=True).fit(x)
    samples = options.get("min_samples", options["min_cluster_size"])
    return hdbscan.HDBSCAN(**{**options, "min_samples": samples - 1}, algorithm="prims_kdtree").fit(x)


def main():
    # Both sort edges with NumPy's default, which leaves the order of equal weights to the processor.
    np.argsort = functools.partial(np.argsort, kind="stable")
    made = {
        "moons": make_moons(500, noise=0.06, random_state=1)[0],
        "circles": make_circles(500, noise=0.04, factor=0.5, random_state=2)[0],
        "blobs": make_blobs(600, 8, centers=5, cluster_std=[0.5, 1.0, 1.5, 0.8, 2.0], random_state=3)[0],
        "copies": copies(),
    }
    for name, x in made.items():
        np.save(OUTPUT / f"density_{name}.npy", x.astype(np.float32))
    sets = {name: x.astype(np.float32) for name, x in made.items()}
    sets["iris"] = np.rint(load_iris().data * 10).astype(np.float32) / np.float32(10)
    sets["digits"] = load_digits().data.astype(np.float32)
    sets["whole"] = blobs(1000, 24, 6, 24)[0]
    golden = {"versions": {"python": sys.version.split()[0], "numpy": np.__version__, "scikit-learn": sklearn.__version__,
                           "hdbscan": importlib.metadata.version("hdbscan")},
              "sets": {}}
    for name, x in sets.items():
        x = x.astype(np.float64)
        runs = {"dbscan": [], "hdbscan": []}
        for eps, min_samples in DBSCAN_RUNS[name]:
            model = DBSCAN(eps=eps, min_samples=min_samples).fit(x)
            runs["dbscan"].append({"eps": float(eps), "min_samples": min_samples, "labels": model.labels_.tolist(),
                                   "core": model.core_sample_indices_.tolist()})
        for options in HDBSCAN_RUNS if name in made else HDBSCAN_RUNS[:3]:
            model = density_clusters(x, options)
            run = {"options": options, "labels": model.labels_.tolist()}
            if name in made:
                run["probabilities"] = np.round(model.probabilities_, 5).tolist()
            runs["hdbscan"].append(run)
        golden["sets"][name] = runs
        print(name, [(max(r["labels"]) + 1, r["labels"].count(-1)) for r in runs["dbscan"]],
              [(max(r["labels"]) + 1, r["labels"].count(-1)) for r in runs["hdbscan"]])
    (OUTPUT / "density.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
