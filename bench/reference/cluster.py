# SPDX-License-Identifier: MIT
"""Clustering beside scikit-learn, SciPy, hdbscan and umap-learn, on the same matrices, in turns.

    tools/reference_env.sh && .venv/bin/python bench/reference/cluster.py --bench build/cpu/bin/bench_cluster [--pairs 5]
    .venv/bin/python bench/reference/cluster.py --table build/cpu/bin/cluster          digits: `--algorithm all` beside scikit-learn

Each pair runs ours and the reference one after the other, so that what disturbs the machine disturbs both; ours is the
second run inside one process, the reference one that follows a small run of the same kind (JIT compilers and thread pools
are warm). A ratio is the reference's time over ours, above 1 where ours is ahead: the median of the pairs, lowest and highest;
`cpu` is that of processor times of all threads, which on a busy machine says more. Every pair has a seed of its own on
both sides, for how many iterations a start needs differs from seed to seed. Both use --threads threads and wait passively:
with spinning threads scikit-learn is far slower on a busy machine. Quality is of the last pair: inertia, mean
log-likelihood, divergence..., ours and the reference's; for labels the adjusted Rand index between the two. Everything
is f32 where the reference takes it.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import warnings


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bench", help="the program bench_cluster")
    parser.add_argument("--table", metavar="CLUSTER", help="the program cluster: print the table of digits and end")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", nargs="+", default=[""], help="workloads whose names contain one of these")
    parser.add_argument("--json", help="write the results to this file")
    arguments = parser.parse_args()
    if not arguments.bench and not arguments.table:
        parser.error("--bench or --table is needed")
    return arguments


# ---- matrices: name -> f32 (n, d) ----

def blobs(n, d, k, spread):
    def make():
        from sklearn.datasets import make_blobs
        return make_blobs(n, d, centers=k, cluster_std=spread, random_state=0)[0]
    return make


def no_clusters(n, d):
    def make():
        import numpy
        random = numpy.random.default_rng(0)
        return random.normal(size=(n, 8)) @ random.normal(size=(8, d)) + random.normal(size=(n, d))
    return make


def digits():
    from sklearn.datasets import load_digits
    return load_digits().data


# ---- the other side: each takes (x, seed, labels) and returns (quality, labels) ----

def kmeans(k, n_init=10):
    def fit(x, seed, _):
        from sklearn.cluster import KMeans
        model = KMeans(k, n_init=n_init, random_state=seed).fit(x)
        return {"inertia": float(model.inertia_)}, model.labels_
    return fit


def mini_batch_kmeans(k):
    def fit(x, seed, _):
        from sklearn.cluster import MiniBatchKMeans
        model = MiniBatchKMeans(k, random_state=seed).fit(x)
        return {"inertia": float(model.inertia_)}, model.labels_
    return fit


def gmm(k, covariance):
    def fit(x, seed, _):
        from sklearn.mixture import GaussianMixture
        model = GaussianMixture(k, covariance_type=covariance, random_state=seed).fit(x)
        return {"lower_bound": float(model.lower_bound_), "n_iter": int(model.n_iter_)}, model.predict(x)
    return fit


def agglomerative(k, linkage):
    def fit(x, seed, _):
        from sklearn.cluster import AgglomerativeClustering
        return {}, AgglomerativeClustering(k, linkage=linkage).fit(x).labels_
    return fit


def dbscan(eps):
    def fit(x, seed, _):
        from sklearn.cluster import DBSCAN
        return {}, DBSCAN(eps=eps).fit(x).labels_
    return fit


def hdbscan_sklearn(x, seed, _):
    from sklearn.cluster import HDBSCAN
    return {}, HDBSCAN(copy=True).fit(x).labels_


def hdbscan_package(x, seed, _):
    import hdbscan
    return {}, hdbscan.HDBSCAN(core_dist_n_jobs=-1).fit(x).labels_


def silhouette(x, seed, labels):
    from sklearn.metrics import silhouette_score
    return {"silhouette": float(silhouette_score(x, labels))}, None


def pca(components):
    def fit(x, seed, _):
        from sklearn.decomposition import PCA
        model = PCA(components, random_state=seed).fit(x)
        return {"explained": float(model.explained_variance_ratio_.sum())}, None
    return fit


def tsne(x, seed, _):
    from sklearn.manifold import TSNE
    model = TSNE(random_state=seed, n_jobs=-1).fit(x)
    return {"kl_divergence": float(model.kl_divergence_), "n_iter": int(model.n_iter_)}, model.embedding_


def umap(x, seed, _):
    import umap as package
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {}, package.UMAP(n_jobs=-1).fit(x).embedding_  # a seed would cost it its second thread


# name, matrix, work and options of bench_cluster, reference; None: there is none that ends in a sensible time
SEPARATED, OVERLAPPING = blobs(20000, 128, 15, 6.0), blobs(20000, 128, 15, 40.0)
WORKLOADS = [
    ("kmeans/digits k=10 n_init=10", digits, "kmeans --n-clusters 10", kmeans(10)),
    ("kmeans/20000x128 k=15 n_init=10, separated", SEPARATED, "kmeans --n-clusters 15", kmeans(15)),
    ("kmeans/20000x128 k=15 n_init=10, overlapping", OVERLAPPING, "kmeans --n-clusters 15", kmeans(15)),
    ("kmeans/20000x128 k=15 n_init=10, no clusters", no_clusters(20000, 128), "kmeans --n-clusters 15", kmeans(15)),
    ("kmeans/50000x64 k=20 n_init=10, separated", blobs(50000, 64, 20, 1.0), "kmeans --n-clusters 20", kmeans(20)),
    ("kmeans/200000x128 k=50 n_init=1, overlapping", blobs(200000, 128, 50, 20.0),
     "kmeans --n-clusters 50 --n-init 1", kmeans(50, 1)),
    ("mini_batch_kmeans/200000x128 k=50", blobs(200000, 128, 50, 20.0),
     "kmeans --n-clusters 50 --batch-size 1024", mini_batch_kmeans(50)),
    ("gmm/20000x128 k=15 full", blobs(20000, 128, 15, 10.0), "gmm --n-clusters 15", gmm(15, "full")),
    ("gmm/20000x128 k=15 tied", blobs(20000, 128, 15, 10.0), "gmm --n-clusters 15 --covariance-type tied", gmm(15, "tied")),
    ("gmm/200000x64 k=50 diag", blobs(200000, 64, 50, 10.0), "gmm --n-clusters 50 --covariance-type diag", gmm(50, "diag")),
    ("gmm/200000x64 k=50 spherical", blobs(200000, 64, 50, 10.0), "gmm --n-clusters 50 --covariance-type spherical",
     gmm(50, "spherical")),
    ("agglomerative/20000x128 ward", SEPARATED, "agglomerative --n-clusters 15", agglomerative(15, "ward")),
    ("agglomerative/20000x128 average", SEPARATED, "agglomerative --n-clusters 15 --linkage average",
     agglomerative(15, "average")),
    ("agglomerative/20000x128 single", SEPARATED, "agglomerative --n-clusters 15 --linkage single",
     agglomerative(15, "single")),
    ("agglomerative/100000x32 ward", blobs(100000, 32, 20, 4.0), "agglomerative --n-clusters 20", None),
    ("dbscan/20000x128", SEPARATED, "dbscan --eps 90", dbscan(90.0)),
    ("dbscan/100000x3", blobs(100000, 3, 30, 0.3), "dbscan --eps 0.1", dbscan(0.1)),
    ("hdbscan/20000x16", blobs(20000, 16, 15, 2.0), "hdbscan", hdbscan_sklearn),
    ("hdbscan/20000x16, hdbscan package", blobs(20000, 16, 15, 2.0), "hdbscan", hdbscan_package),
    ("silhouette/20000x128 k=15", SEPARATED, "silhouette", silhouette),
    ("pca/20000x128 32 components", SEPARATED, "pca --n-clusters 32", pca(32)),
    ("tsne/10000x50", blobs(10000, 50, 20, 6.0), "tsne", tsne),
    ("umap/10000x50", blobs(10000, 50, 20, 6.0), "umap", umap),
]


def timed(reference, x, seed, labels):
    start, processor = time.perf_counter(), time.process_time()
    quality, found = reference(x, seed, labels)
    return {"s": time.perf_counter() - start, "cpu_s": time.process_time() - processor, **quality}, found


def compare_results(work, x, ours, theirs):
    """How alike the two results are, beyond the numbers that both report."""
    import numpy
    from sklearn.manifold import trustworthiness
    from sklearn.metrics import adjusted_rand_score
    if theirs is None or ours is None:
        return {}
    if work in ("tsne", "umap"):
        some = numpy.random.default_rng(0).choice(len(x), min(len(x), 3000), replace=False)
        return {"trustworthiness": [round(float(trustworthiness(x[some], m[some], n_neighbors=12)), 4) for m in (ours, theirs)]}
    return {"adjusted_rand_index": round(float(adjusted_rand_score(theirs, ours)), 6)}


def run_workload(arguments, folder, name, make, work, reference):
    import numpy
    x = numpy.ascontiguousarray(make(), dtype="f4")
    numpy.save(folder / "x.npy", x)
    labels = None
    command = [arguments.bench, "--matrix", folder / "x.npy", "--work", *work.split(), "--write", folder / "found.npy"]
    if work == "silhouette":
        labels = kmeans(15, 1)(x, 0, None)[1].astype("i4")
        numpy.save(folder / "labels.npy", labels)
        command = command[:-2] + ["--labels", folder / "labels.npy"]
    if reference:
        small = x[:: max(1, len(x) // 5000)]
        timed(reference, small, 0, labels if labels is None else labels[:: max(1, len(x) // 5000)])
    ours, theirs, found = [], [], None
    for pair in range(arguments.pairs):
        done = subprocess.run([*map(str, command), "--seed", str(pair), "--repeats", "2" if reference else "1"],
                              stdout=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(f"{name}: bench_cluster failed")
        ours.append(json.loads(done.stdout.splitlines()[-1]))
        if reference is None:
            break
        result, found = timed(reference, x, pair, labels)
        theirs.append(result)
    line = {"name": name, "ours_s": statistics.median(o["s"] for o in ours)}
    if reference:
        ratios = sorted(t["s"] / o["s"] for o, t in zip(ours, theirs))
        line |= {"reference_s": statistics.median(t["s"] for t in theirs), "ratio": statistics.median(ratios),
                 "low": ratios[0], "high": ratios[-1],
                 "processor_ratio": statistics.median(t["cpu_s"] / o["cpu_s"] for o, t in zip(ours, theirs))}
        own = numpy.load(folder / "found.npy") if found is not None else None
        quality = {key: [ours[-1].get(key), value] for key, value in theirs[-1].items() if key not in ("s", "cpu_s")}
        line["quality"] = quality | compare_results(work.split()[0], x, own, found)
    else:
        line["peak_memory_mib"] = ours[-1]["peak_memory_mib"]
    return line


def print_table(program):
    """`cluster --algorithm all` on digits beside scikit-learn's algorithms with the same parameters."""
    import numpy
    from sklearn import cluster as theirs, datasets, metrics, mixture
    x, y = datasets.load_digits(return_X_y=True)
    x = x.astype("f4")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        numpy.save(folder / "x.npy", x)
        numpy.save(folder / "y.npy", y)
        subprocess.run([program, "--input", folder / "x.npy", "--labels", folder / "y.npy", "--algorithm", "all",
                        "--n-clusters", "10", "--reg-covar", "1e-2", "--output-dir", folder / "out", "--quiet"], check=True,
                       stdout=subprocess.DEVNULL)
        summary = json.loads((folder / "out/summary.json").read_text())
        eps = next(c for c in summary["clusterings"] if c["algorithm"] == "dbscan")["parameters"]["eps"]
        reference = {
            "kmeans": theirs.KMeans(10, n_init=10, random_state=0), "gmm": mixture.GaussianMixture(10, reg_covar=1e-2, random_state=0),
            "agglomerative": theirs.AgglomerativeClustering(10), "dbscan": theirs.DBSCAN(eps=eps),
            "hdbscan": theirs.HDBSCAN(copy=True)}
        print(f"{'digits, 1797 x 64':16} {'':12} {'clusters':>8} {'silhouette':>11} {'ARI':>8} {'NMI':>8} {'AMI':>8} {'seconds':>8}  ARI of the two")
        for ours in summary["clusterings"]:
            name = ours["algorithm"]
            start = time.perf_counter()
            found = reference[name].fit_predict(x)
            seconds = time.perf_counter() - start
            own = numpy.load(folder / "out" / name / "labels.npy")
            m = ours["metrics"]

            def row(who, clusters, silhouette, *values):
                print(f"{name:16} {who:12} {clusters:8} {silhouette:11.4f} " + " ".join(f"{v:8.4f}" for v in values), end="")

            row("Chorale", ours["n_clusters"], m["silhouette_score"] or float("nan"), m["adjusted_rand_index"],
                m["normalized_mutual_info"], m["adjusted_mutual_info"], ours["seconds"]["cluster"])
            print()
            kept = found >= 0
            silhouette = metrics.silhouette_score(x[kept], found[kept]) if len(set(found[kept])) > 1 else float("nan")
            row("scikit-learn", len(set(found[kept])), silhouette, metrics.adjusted_rand_score(y, found),
                metrics.normalized_mutual_info_score(y, found), metrics.adjusted_mutual_info_score(y, found), seconds)
            print(f"  {metrics.adjusted_rand_score(found, own):.4f}")


def main():
    arguments = parse()
    environment = {"OMP_NUM_THREADS": str(arguments.threads), "OPENBLAS_NUM_THREADS": str(arguments.threads),
                   "NUMBA_NUM_THREADS": str(arguments.threads), "OMP_WAIT_POLICY": "passive"}
    if any(os.environ.get(name) != value for name, value in environment.items()):
        # The libraries read these when they are loaded.
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | environment)
    import sklearn
    if arguments.table:
        return print_table(arguments.table)
    print(f"scikit-learn {sklearn.__version__}, {arguments.threads} threads, {arguments.pairs} pairs", flush=True)
    print(f"{'workload':46} {'ours':>11} {'reference':>12} {'ratio':>7}  {'low':>6} {'high':>6} {'cpu':>7}  quality: ours, reference")
    workloads = []
    with tempfile.TemporaryDirectory() as folder:
        for name, make, work, reference in WORKLOADS:
            if not any(part in name for part in arguments.only):
                continue
            w = run_workload(arguments, pathlib.Path(folder), name, make, work, reference)
            workloads.append(w)
            if reference:
                print(f"{name:46} {1e3 * w['ours_s']:8.1f} ms {1e3 * w['reference_s']:9.1f} ms {w['ratio']:7.2f}"
                      f"  {w['low']:6.2f} {w['high']:6.2f} {w['processor_ratio']:7.2f}  {json.dumps(w['quality'])}", flush=True)
            else:
                print(f"{name:46} {1e3 * w['ours_s']:8.1f} ms, {w['peak_memory_mib']:.0f} MiB", flush=True)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps({"workloads": workloads}, indent=2) + "\n")


if __name__ == "__main__":
    main()
