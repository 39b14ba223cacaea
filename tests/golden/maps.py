# SPDX-License-Identifier: MIT
"""Writes tests/golden/cluster/maps.json and the matrices beside it: what scikit-learn and umap-learn make of small
data. Made with scikit-learn 1.9.1, umap-learn 0.5.12, numpy and scipy of the same environment; tests compare with
tolerances, so later versions only move the last digits.

    python tests/golden/maps.py
"""
import importlib.metadata
import json
import pathlib

import numpy as np
import umap
from sklearn.manifold import TSNE, trustworthiness
from sklearn.manifold._t_sne import _joint_probabilities_nn
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from umap.umap_ import find_ab_params, fuzzy_simplicial_set

folder = pathlib.Path(__file__).parent / "cluster"


def splitmix(x):
    x = (x + np.uint64(0x9E3779B97F4A7C15)).astype(np.uint64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def scattered(n, d):
    """Points without equal distances; tests/cluster/maps_test.cpp makes the same."""
    bits = splitmix(np.arange(n * d, dtype=np.uint64))
    return ((bits >> np.uint64(40)).astype(np.float64) / 2**24).astype(np.float32).reshape(n, d)


def neighbour_accuracy(embedding, labels):
    """Of each point by its nearest 10 others' majority."""
    model = KNeighborsClassifier(10).fit(embedding, labels)
    near = model.kneighbors(return_distance=False)
    votes = np.array([np.bincount(labels[row], minlength=10).argmax() for row in near])
    return float((votes == labels).mean())


def main():
    x = scattered(80, 6)
    distances = NearestNeighbors(n_neighbors=31).fit(x).kneighbors_graph(mode="distance")
    distances.data **= 2
    np.save(folder / "tsne_affinities.npy", _joint_probabilities_nn(distances, 10.0, 0).toarray().astype(np.float32))
    for name, mix, connectivity in [("union", 1.0, 1.0), ("mixed", 0.3, 2.5)]:
        graph, _, _ = fuzzy_simplicial_set(
            x, 10, np.random.RandomState(0), "euclidean", set_op_mix_ratio=mix, local_connectivity=connectivity)
        np.save(folder / f"fuzzy_{name}.npy", graph.toarray().astype(np.float32))
    golden = {
        "versions": {name: importlib.metadata.version(name) for name in ("scikit-learn", "umap-learn", "numpy")},
        "curves": [
            {"spread": spread, "min_dist": min_dist, "ab": [float(v) for v in find_ab_params(spread, min_dist)]}
            for spread, min_dist in [(1, 0.1), (1, 0), (1, 0.5), (2, 0.25), (1.5, 1.5)]
        ],
    }
    digits = np.load(folder / "digits.npy").astype(np.float32)
    labels = np.load(folder / "digits_labels.npy").astype(int)
    tsne = TSNE(random_state=0, n_jobs=2)
    maps = {"tsne": tsne.fit_transform(digits), "umap": umap.UMAP(random_state=0, n_jobs=1).fit_transform(digits)}
    golden["digits"] = {
        name: {
            "trustworthiness": float(trustworthiness(digits, embedding)),
            "neighbour_accuracy": neighbour_accuracy(embedding, labels),
        }
        for name, embedding in maps.items()
    }
    golden["digits"]["tsne"]["kl_divergence"] = float(tsne.kl_divergence_)
    (folder / "maps.json").write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
