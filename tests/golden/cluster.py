# SPDX-License-Identifier: MIT
"""Golden values of cluster/ from scikit-learn: python tests/golden/cluster.py

Writes tests/golden/cluster/*.npy and golden.json. Data: digits and iris as scikit-learn bundles them (integers, so
that u8 holds them exactly) and blobs that both sides make from the same integer hash.
"""

import json
import pathlib
import sys

import numpy as np
import scipy
import sklearn
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn import metrics

OUTPUT = pathlib.Path(__file__).parent / "cluster"


def splitmix(x):
    """splitmix64, element by element, on uint64."""
    x = (x + np.uint64(0x9E3779B97F4A7C15)).astype(np.uint64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def blobs(n, d, k, spread):
    """Integer-valued f32 points around k integer centers; row i belongs to blob i % k."""
    with np.errstate(over="ignore"):
        i = np.arange(n, dtype=np.uint64)[:, None]
        j = np.arange(d, dtype=np.uint64)[None, :]
        center = (splitmix((i % np.uint64(k)) * np.uint64(1000003) + j) >> np.uint64(57)).astype(np.int64)
        bits = splitmix((i * np.uint64(d) + j) ^ np.uint64(0xABCDEF))
        noise = sum(((bits >> np.uint64(16 * s)) & np.uint64(0xFFFF)).astype(np.int64) for s in range(4)) - 131070
    return (center + np.floor_divide(noise * spread, 65536)).astype(np.float32), np.arange(n) % k


def accuracy(truth, predicted):
    table = metrics.cluster.contingency_matrix(truth, predicted)
    return table[linear_sum_assignment(-table)].sum() / len(truth)


def purity(truth, predicted):
    return metrics.cluster.contingency_matrix(truth, predicted).max(axis=0).sum() / len(truth)


def data_metrics(x, labels):
    x = x.astype(np.float64)
    return {
        "silhouette_score": metrics.silhouette_score(x, labels),
        "silhouette_samples": metrics.silhouette_samples(x, labels)[:: max(1, len(x) // 40)].tolist(),
        "calinski_harabasz_index": metrics.calinski_harabasz_score(x, labels),
        "davies_bouldin_index": metrics.davies_bouldin_score(x, labels),
    }


def label_metrics(truth, predicted):
    def normalized(average):
        return metrics.normalized_mutual_info_score(truth, predicted, average_method=average)

    return {
        "adjusted_rand_index": metrics.adjusted_rand_score(truth, predicted),
        "normalized_mutual_info": metrics.normalized_mutual_info_score(truth, predicted),
        "cluster_purity": purity(truth, predicted),
        "cluster_accuracy": accuracy(truth, predicted),
        "adjusted_mutual_info": metrics.adjusted_mutual_info_score(truth, predicted),
        "normalized_mutual_info_min": normalized("min"),
        "normalized_mutual_info_geometric": normalized("geometric"),
        "normalized_mutual_info_max": normalized("max"),
        "homogeneity": metrics.homogeneity_score(truth, predicted),
        "completeness": metrics.completeness_score(truth, predicted),
        "v_measure": metrics.v_measure_score(truth, predicted),
        "fowlkes_mallows_index": metrics.fowlkes_mallows_score(truth, predicted),
        "adjusted_mutual_info_max": metrics.adjusted_mutual_info_score(truth, predicted, average_method="max"),
        "v_measure_beta_half": metrics.v_measure_score(truth, predicted, beta=0.5),
        "mutual_info": metrics.mutual_info_score(truth, predicted),
    }


def small_labels():
    """Pairs of labellings at the edges of the definitions, and random ones of unlike sizes."""
    random = np.random.default_rng(0)
    return [
        ([0, 0, 1, 1], [1, 1, 0, 0]),
        ([0, 0, 0, 0], [0, 1, 2, 3]),
        ([0, 1, 2, 3], [0, 1, 2, 3]),
        ([0, 0, 0], [5, 5, 5]),
        ([0, 0, 1, 1, 2, 2], [0, 0, 0, 0, 0, 0]),
        ([0, 1, 0, 1, 0, 1, 0, 1], [0, 0, 1, 1, 0, 0, 1, 1]),
        (random.integers(0, 4, 50).tolist(), random.integers(-1, 6, 50).tolist()),
        (random.integers(0, 30, 40).tolist(), random.integers(0, 25, 40).tolist()),
        (np.minimum(random.geometric(0.2, 2000), 12).tolist(), random.integers(0, 3, 2000).tolist()),
    ]


def lloyd(x, init, **options):
    model = KMeans(len(init), init=init, n_init=1, **options).fit(x)
    return {
        "labels": model.labels_.tolist(),
        "inertia": float(model.inertia_),
        "n_iter": int(model.n_iter_),
        "centers": model.cluster_centers_[:, :4].tolist(),
    }


def pca(x, components):
    model = PCA(components, svd_solver="full").fit(x.astype(np.float64))
    return {
        "components": model.components_[:, :64].tolist(),
        "explained_variance": model.explained_variance_.tolist(),
        "explained_variance_ratio": model.explained_variance_ratio_.tolist(),
        "singular_values": model.singular_values_.tolist(),
        "noise_variance": float(model.noise_variance_),
        "transformed": model.transform(x[:5].astype(np.float64)).tolist(),
    }


def main():
    OUTPUT.mkdir(exist_ok=True)
    digits, iris = load_digits(), load_iris()
    np.save(OUTPUT / "digits.npy", digits.data.astype(np.uint8))
    np.save(OUTPUT / "digits_labels.npy", digits.target.astype(np.uint8))
    tenths = np.rint(iris.data * 10).astype(np.uint8)
    np.save(OUTPUT / "iris_tenths.npy", tenths)
    sets = {
        "digits": (digits.data.astype(np.float32), digits.target, 10),
        "iris": (tenths.astype(np.float32) / np.float32(10), iris.target, 3),
        "blobs": (*blobs(3000, 24, 6, 24), 6),
    }
    golden = {
        "versions": {"python": sys.version.split()[0], "numpy": np.__version__, "scipy": scipy.__version__,
                     "scikit-learn": sklearn.__version__},
        "blob_rows": {"first": sets["blobs"][0][:2].tolist(), "sum": float(sets["blobs"][0].astype(np.float64).sum())},
        "sets": {},
    }
    for name, (x, truth, k) in sets.items():
        best = KMeans(k, n_init=10, random_state=0).fit(x)
        far = x[:k].copy()
        far[1] = 1000  # no point is near: the cluster starts empty
        np.save(OUTPUT / f"{name}_kmeans.npy", best.labels_.astype(np.uint8))
        golden["sets"][name] = {
            "k": k,
            "kmeans_inertia": float(best.inertia_),
            "truth_metrics": data_metrics(x, truth),
            "kmeans_metrics": data_metrics(x, best.labels_) | label_metrics(truth, best.labels_),
            "lloyd": lloyd(x, x[:k]),
            "lloyd_tol_0": lloyd(x, x[:k], tol=0),
            "lloyd_3": lloyd(x, x[:k], max_iter=3),
            "lloyd_empty": lloyd(x, far),
        }
    golden["small_labels"] = [
        {"truth": truth, "predicted": predicted, "metrics": label_metrics(truth, predicted)}
        for truth, predicted in small_labels()
    ]
    golden["pca"] = {
        "digits": pca(sets["digits"][0], 6),
        "iris": pca(sets["iris"][0], 3),
        "wide": pca(blobs(40, 300, 4, 24)[0], 5),
    }
    large, _ = blobs(50000, 64, 20, 96)
    golden["large_inertia"] = float(KMeans(20, n_init=10, random_state=0).fit(large).inertia_)
    (OUTPUT / "golden.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
