# SPDX-License-Identifier: MIT
"""Golden values of cluster/gmm from scikit-learn: python tests/golden/gmm.py

Writes tests/golden/cluster/gmm.json. Data and k-means labels are those of tests/golden/cluster.py; both sides start
from the same responsibilities, 0.7 for the label and 0.3 spread over all components. Of long parameters every
`stride`-th element is kept.
"""

import json
import sys

import numpy as np
import sklearn
from sklearn.mixture import GaussianMixture

from cluster import OUTPUT, blobs

KEPT = 100


class FromResponsibilities(GaussianMixture):
    """init_params="kmeans" with the responsibilities given."""

    def _initialize_parameters(self, x, random_state, xp=None):
        self._initialize(x, self.start)


def sample(values):
    flat = np.asarray(values).ravel()
    return [float(f"{v:.9g}") for v in flat[:: max(1, len(flat) // KEPT)]]


def fit(x, labels, k, covariance_type, max_iter, reg_covar):
    model = FromResponsibilities(k, covariance_type=covariance_type, max_iter=max_iter, tol=1e-3, reg_covar=reg_covar)
    model.start = np.full((len(x), k), 0.3 / k)
    model.start[np.arange(len(x)), labels] += 0.7
    model.fit(x)
    return {
        "weights": sample(model.weights_),
        "means": sample(model.means_),
        "covariances": sample(model.covariances_),
        "lower_bound": float(model.lower_bound_),
        "converged": bool(model.converged_),
        "n_iter": int(model.n_iter_),
        "score_samples": sample(model.score_samples(x)),
        "bic": float(model.bic(x)),
        "aic": float(model.aic(x)),
        "n_parameters": int(model._n_parameters()),
    }


def main():
    tenths = np.load(OUTPUT / "iris_tenths.npy").astype(np.float32) / np.float32(10)
    # Pixels of digits are whole numbers and many columns hardly vary: only reg_covar keeps matrices of theirs regular.
    sets = {
        "iris": (tenths, 3, 1e-6),
        "digits": (np.load(OUTPUT / "digits.npy").astype(np.float32), 10, 1e-2),
        "blobs": (blobs(3000, 24, 6, 24)[0], 6, 1e-6),
    }
    golden = {"versions": {"python": sys.version.split()[0], "numpy": np.__version__,
                           "scikit-learn": sklearn.__version__}, "sets": {}}
    for name, (x, k, reg_covar) in sets.items():
        labels = np.load(OUTPUT / f"{name}_kmeans.npy").astype(np.int64)
        x = x.astype(np.float64)
        golden["sets"][name] = {"k": k, "reg_covar": reg_covar, "types": {}}
        for covariance_type in ("full", "tied", "diag", "spherical"):
            runs = {run: fit(x, labels, k, covariance_type, iterations, reg_covar)
                    for run, iterations in (("one", 1), ("four", 4), ("end", 100))}
            best = GaussianMixture(k, covariance_type=covariance_type, n_init=5, random_state=0, reg_covar=reg_covar)
            runs["best_lower_bound"] = float(best.fit(x).lower_bound_)
            golden["sets"][name]["types"][covariance_type] = runs
    (OUTPUT / "gmm.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
