# SPDX-License-Identifier: MIT
"""Clusterings by scikit-learn for the agreement suite: python tests/golden/agreement.py

Writes tests/golden/cluster/agreement.json and one matrix f32 a set, tests/golden/cluster/agreement_<set>.npy; digits, and
what the tests can make from an integer hash, have none. scikit-learn sees the values in f64. Every algorithm starts from what both sides can be given: k-means from
rows, mixtures from k-means labels, the others need no start. Where distances are tied (`ties`), which of equal pairs is
merged first is the library's choice, and so may be labels; heights are not.
"""

import functools
import json
import pathlib
import sys
import warnings

import numpy as np
import sklearn
from sklearn import cluster, datasets, mixture

from cluster import blobs

OUTPUT = pathlib.Path(__file__).parent / "cluster"
LINKAGES = ("ward", "complete", "average", "single")
COVARIANCES = ("full", "tied", "diag", "spherical")


def scaled(x):
    return (x - x.mean(0)) / np.maximum(x.std(0), 1e-9)


def matrices():
    """Name, matrix, classes, clusters, eps, whether it is written to a file."""
    iris, wine, cancer, digits = (datasets.load_iris(), datasets.load_wine(), datasets.load_breast_cancer(),
                                  datasets.load_digits())
    yield "iris", iris.data, iris.target, 3, 0.7, True
    yield "wine", scaled(wine.data), wine.target, 3, 2.2, True
    yield "breast_cancer", scaled(cancer.data), cancer.target, 2, 3.0, True
    yield "digits", digits.data, digits.target, 10, 22.0, False
    yield "blobs", *datasets.make_blobs(500, 2, centers=4, random_state=1), 4, 0.8, True
    yield "varied", *datasets.make_blobs(400, 3, centers=3, cluster_std=[0.5, 1.5, 3], random_state=5), 3, 1.2, True
    x, y = datasets.make_blobs(400, 2, centers=3, random_state=170)
    yield "stretched", x @ [[0.6, -0.6], [-0.4, 0.8]], y, 3, 0.4, True
    yield "moons", *datasets.make_moons(400, random_state=2), 2, 0.2, True
    yield "noisy_moons", *datasets.make_moons(400, noise=0.06, random_state=2), 2, 0.2, True
    yield "circles", *datasets.make_circles(400, factor=0.5, random_state=3), 2, 0.15, True
    yield "noisy_circles", *datasets.make_circles(400, factor=0.5, noise=0.05, random_state=3), 2, 0.15, True
    x, y = datasets.make_blobs(150, 4, centers=3, random_state=7)
    yield "twice", np.repeat(x, 2, axis=0), np.repeat(y, 2), 3, 1.5, True
    yield "constant_columns", np.hstack([x, np.full((150, 2), [3.5, -1e4])]), y, 3, 1.5, True
    yield "far_from_origin", x + 3000, y, 3, 1.5, True
    yield "one_column", *datasets.make_blobs(300, 1, centers=4, cluster_std=0.5, random_state=9), 4, 0.2, True
    yield "hash_128_columns", *blobs(300, 128, 5, 96), 5, 870.0, False
    yield "hash_512_columns", *blobs(120, 512, 4, 96), 4, 1750.0, False


def rows(values, digits=9):
    return [float(f"{v:.{digits}g}") for v in np.ravel(values)]


def clusterings(x, k, eps):
    start = x[:: max(1, len(x) // k)][:k]
    kmeans = cluster.KMeans(k, init=start, n_init=1).fit(x)
    found = {"kmeans": {"labels": kmeans.labels_.tolist(), "inertia": float(kmeans.inertia_)}}
    for covariance in COVARIANCES:
        fixed = mixture.GaussianMixture(k, covariance_type=covariance, max_iter=100, reg_covar=1e-3)
        # As fit() goes on from the responsibilities of init_params.
        fixed._initialize_parameters = lambda x, state, xp=None, m=fixed: m._initialize(x, np.eye(k)[kmeans.labels_])
        fixed.fit(x)
        found[f"gmm_{covariance}"] = {
            "labels": fixed.predict(x).tolist(), "lower_bound": float(fixed.lower_bound_), "score": float(fixed.score(x)),
            "bic": float(fixed.bic(x)), "aic": float(fixed.aic(x)), "weights": rows(fixed.weights_)}
    for linkage in LINKAGES:
        tree = cluster.AgglomerativeClustering(k, linkage=linkage, compute_distances=True).fit(x)
        found[linkage] = {"labels": tree.labels_.tolist(), "heights": rows(np.sort(tree.distances_)[-40:])}
    density = cluster.DBSCAN(eps=eps, min_samples=5).fit(x)
    found["dbscan"] = {"labels": density.labels_.tolist(), "core": density.core_sample_indices_.tolist()}
    tree = cluster.HDBSCAN(min_cluster_size=10, copy=True).fit(x)
    found["hdbscan"] = {"labels": tree.labels_.tolist(), "probabilities": rows(tree.probabilities_, 6)}
    return found


def ties(x):
    """Share of pairs of points whose distance another pair has as well."""
    x = x[:400].astype(np.float64)
    square = ((x[:, None] - x[None]) ** 2).sum(-1)[np.triu_indices(len(x), 1)]
    return 1 - len(np.unique(square)) / len(square)


def main():
    # HDBSCAN sorts edges with NumPy's default, which leaves the order of equal weights to the processor.
    np.argsort = functools.partial(np.argsort, kind="stable")
    sets = {}
    for name, x, truth, k, eps, written in matrices():
        x = np.ascontiguousarray(x, dtype=np.float32)
        if written:
            np.save(OUTPUT / f"agreement_{name}.npy", x)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # EM that ends at max_iter is as good to compare
            found = clusterings(x.astype(np.float64), k, eps)
        sets[name] = {"k": k, "eps": eps, "ties": ties(x), "truth": np.asarray(truth).tolist(), "found": found}
        clusters = {a: len(set(c["labels"]) - {-1}) for a, c in found.items()}
        print(f"{name:18} {str(x.shape):12} ties {sets[name]['ties']:.4f}", clusters)
    versions = {"python": sys.version.split()[0], "numpy": np.__version__, "scikit-learn": sklearn.__version__}
    (OUTPUT / "agreement.json").write_text(json.dumps({"versions": versions, "sets": sets}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
