# SPDX-License-Identifier: MIT
"""Writes tests/golden/cluster/pca.json, pca_wine.npy and pca_breast_cancer.npy: scikit-learn's PCA, in f64, of f32 data whose
columns have very unlike scales. Made with scikit-learn 1.9.1.

    python tests/golden/pca.py
"""
import json
import pathlib

import numpy as np
import sklearn
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.decomposition import PCA

folder = pathlib.Path(__file__).parent / "cluster"


def main():
    golden = {"scikit-learn": sklearn.__version__}
    for name, load in [("wine", load_wine), ("breast_cancer", load_breast_cancer)]:
        x = load().data.astype(np.float32)
        np.save(folder / f"pca_{name}.npy", x)
        pca = PCA(svd_solver="full").fit(x.astype(np.float64))
        golden[name] = {
            "components": pca.components_.round(9).tolist(),
            "explained_variance": pca.explained_variance_.tolist(),
            "explained_variance_ratio": pca.explained_variance_ratio_.tolist(),
        }
    (folder / "pca.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
