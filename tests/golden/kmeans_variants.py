# SPDX-License-Identifier: MIT
"""Golden values of the forms of k-means: python tests/golden/kmeans_variants.py

Writes tests/golden/cluster/kmeans_variants.json. Data are those of cluster.py. Lloyd's algorithm far from the origin
and the inertias that starts and mini-batches reach are scikit-learn's; spherical k-means, which it lacks, is written
out here in f64.
"""

import json
import sys

import numpy as np
import sklearn
from sklearn.cluster import KMeans, MiniBatchKMeans

from cluster import OUTPUT, blobs, lloyd

SEEDS = range(21)


def spherical(x, init):
    """Spherical k-means until no label changes; every cluster keeps points on the data used here."""
    x = x.astype(np.float64)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    centers = init.astype(np.float64)
    centers /= np.linalg.norm(centers, axis=1, keepdims=True)
    labels, n_iter = None, 0
    while True:
        n_iter += 1
        found = np.argmax(x @ centers.T, axis=1)
        if labels is not None and np.array_equal(found, labels):
            break
        labels = found
        assert len(np.unique(labels)) == len(centers)
        centers = np.stack([x[labels == c].sum(axis=0) for c in range(len(centers))])
        centers /= np.linalg.norm(centers, axis=1, keepdims=True)
    return {
        "labels": labels.tolist(),
        "inertia": float((1 - (x * centers[labels]).sum(axis=1)).sum()),
        "n_iter": n_iter,
        "centers": centers[:, :4].tolist(),
    }


def main():
    tenths = np.load(OUTPUT / "iris_tenths.npy")
    sets = {
        "digits": (np.load(OUTPUT / "digits.npy").astype(np.float32), 10),
        "iris": (tenths.astype(np.float32) / np.float32(10), 3),
        "blobs": (blobs(3000, 24, 6, 24)[0], 6),
    }
    golden = {
        "versions": {"python": sys.version.split()[0], "numpy": np.__version__, "scikit-learn": sklearn.__version__},
        "sets": {},
    }
    for name, (x, k) in sets.items():
        start = x[[np.flatnonzero(x.any(axis=1))[i] for i in range(k)]]
        far = x + np.float32(2048)
        golden["sets"][name] = {
            "k": k,
            "spherical": spherical(x, start),
            "far": lloyd(far, far[:k], tol=0),
            "median_inertia": {
                init: float(np.median([KMeans(k, init=init, n_init=1, random_state=s).fit(x).inertia_ for s in SEEDS]))
                for init in ("k-means++", "random")
            },
            "mini_batch_median_inertia": float(np.median(
                [MiniBatchKMeans(k, n_init=3, batch_size=256, random_state=s).fit(x).inertia_ for s in SEEDS])),
        }
    (OUTPUT / "kmeans_variants.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
