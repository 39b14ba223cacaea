# SPDX-License-Identifier: MIT
"""Golden values of cluster/gmm from scikit-learn: python tests/golden/gmm.py

Writes tests/golden/cluster/gmm.json. Data and k-means labels are those of tests/golden/cluster.py; both sides start
from the same responsibilities, 0.7 for the label and 0.3 spread over all components.
"""

import json
import sys

import numpy as np
import sklearn
from sklearn.mixture import GaussianMixture

from cluster import OUTPUT, blobs


class FromResponsibilities(GaussianMixture):
    """init_params="kmeans" with the responsibilities given."""

    def _initialize_parameters(self, x, random_state, xp=None):
        self._initialize(x, self.start)


def fit(x, labels, k, max_iter):
    model = FromResponsibilities(k, covariance_type="diag", max_iter=max_iter, tol=1e-3)
    model.start = np.full((len(x), k), 0.3 / k)
    model.start[np.arange(len(x)), labels] += 0.7
    model.fit(x)
    return {
        "weights": model.weights_.tolist(),
        "means": model.means_.ravel().tolist(),
        "covariances": model.covariances_.ravel().tolist(),
        "lower_bound": float(model.lower_bound_),
        "converged": bool(model.converged_),
        "n_iter": int(model.n_iter_),
        "score_samples": model.score_samples(x)[:: max(1, len(x) // 40)].tolist(),
    }


def main():
    tenths = np.load(OUTPUT / "iris_tenths.npy").astype(np.float32) / np.float32(10)
    sets = {
        "iris": (tenths, 3),
        "digits": (np.load(OUTPUT / "digits.npy").astype(np.float32), 10),
        "blobs": (blobs(3000, 24, 6, 24)[0], 6),
    }
    golden = {"versions": {"python": sys.version.split()[0], "numpy": np.__version__,
                           "scikit-learn": sklearn.__version__}, "sets": {}}
    for name, (x, k) in sets.items():
        labels = np.load(OUTPUT / f"{name}_kmeans.npy").astype(np.int64)
        x = x.astype(np.float64)
        golden["sets"][name] = {"k": k, "one": fit(x, labels, k, 1), "four": fit(x, labels, k, 4),
                                "end": fit(x, labels, k, 100)}
        best = GaussianMixture(k, covariance_type="diag", n_init=10, random_state=0).fit(x)
        golden["sets"][name]["best_lower_bound"] = float(best.lower_bound_)
    (OUTPUT / "gmm.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
