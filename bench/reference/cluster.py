# SPDX-License-Identifier: MIT
"""k-means and silhouette against scikit-learn, on the same matrices, in turns.

    .venv/bin/python bench/reference/cluster.py --bench build/cpu/bin/bench_cluster [--pairs 5] [--json FILE]

Each pair runs ours and scikit-learn's one after the other, so that what disturbs the machine disturbs both. Printed
are the medians, and the ratios of the pairs (scikit-learn over ours: above 1 where ours is ahead); `cpu` is the ratio of
processor times, which on a busy machine says more, best with --threads 1. Both use
--threads threads, and both wait passively: with spinning threads scikit-learn is far slower on a busy machine.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bench", required=True, help="the program bench_cluster")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", help="names that contain this")
    parser.add_argument("--no-silhouette", action="store_true", help="k-means only")
    parser.add_argument("--json", help="write the results to this file")
    return parser.parse_args()


def matrices(numpy, datasets):
    """Name, matrix, number of clusters."""
    random = numpy.random.default_rng(0)
    yield "digits", datasets.load_digits().data.astype("f4"), 10
    yield "separated_20000x128", datasets.make_blobs(20000, 128, centers=15, cluster_std=6.0, random_state=0)[0], 15
    yield "overlapping_20000x128", datasets.make_blobs(20000, 128, centers=15, cluster_std=40.0, random_state=0)[0], 15
    mixed = random.normal(size=(20000, 8)) @ random.normal(size=(8, 128)) + random.normal(size=(20000, 128))
    yield "no_clusters_20000x128", mixed, 15
    yield "separated_50000x64", datasets.make_blobs(50000, 64, centers=20, random_state=0)[0], 20


def reference(numpy, sklearn, x, k, seed, with_silhouette):
    import time
    start, processor = time.perf_counter(), time.process_time()
    model = sklearn.cluster.KMeans(k, n_init=10, random_state=seed).fit(x)
    result = {"kmeans_s": time.perf_counter() - start, "kmeans_cpu_s": time.process_time() - processor, "inertia": float(model.inertia_), "n_iter": int(model.n_iter_)}
    if with_silhouette:
        start, processor = time.perf_counter(), time.process_time()
        result["silhouette"] = float(sklearn.metrics.silhouette_score(x, model.labels_))
        result["silhouette_s"] = time.perf_counter() - start
        result["silhouette_cpu_s"] = time.process_time() - processor
    return result


def workload(name, metric, ours, theirs):
    ratios = sorted(t[metric] / o[metric] for o, t in zip(ours, theirs))
    return {
        "name": f"{name}/{metric.removesuffix('_s')}",
        "ours_s": statistics.median(o[metric] for o in ours),
        "reference_s": statistics.median(t[metric] for t in theirs),
        "ratio": statistics.median(ratios),
        "processor_ratio": statistics.median(
            t[metric.removesuffix("_s") + "_cpu_s"] / o[metric.removesuffix("_s") + "_cpu_s"] for o, t in zip(ours, theirs)),
        "low": ratios[0],
        "high": ratios[-1],
    }


def main():
    arguments = parse()
    environment = {"OMP_NUM_THREADS": str(arguments.threads), "OPENBLAS_NUM_THREADS": str(arguments.threads),
                   "OMP_WAIT_POLICY": "passive"}
    if any(os.environ.get(name) != value for name, value in environment.items()):
        # The libraries read these when they are loaded.
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | environment)
    import numpy
    import sklearn.cluster
    import sklearn.metrics
    from sklearn import datasets

    print(f"scikit-learn {sklearn.__version__}, {arguments.threads} threads, n_init 10, {arguments.pairs} pairs")
    print(f"{'workload':40} {'ours':>10} {'reference':>10} {'ratio':>7}  {'low':>6} {'high':>6} {'cpu':>7}  inertia, ours / reference")
    workloads = []
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "x.npy"
        for name, x, k in matrices(numpy, datasets):
            if arguments.only and arguments.only not in name:
                continue
            x = numpy.ascontiguousarray(x, dtype="f4")
            numpy.save(path, x)
            with_silhouette = not arguments.no_silhouette
            ours, theirs = [], []
            for pair in range(arguments.pairs + 1):
                # The first repeat inside the program warms caches and threads up; the second one counts.
                done = subprocess.run([arguments.bench, "--matrix", path, "--n-clusters", str(k), "--repeats", "2"],
                                      capture_output=True, text=True, check=True)
                own = json.loads(done.stdout.splitlines()[-1])
                other = reference(numpy, sklearn, x, k, pair, with_silhouette)
                if pair > 0:
                    ours.append(own)
                    theirs.append(other)
            inertia = min(o["inertia"] for o in ours) / min(t["inertia"] for t in theirs)
            for metric in ["kmeans_s"] + ["silhouette_s"] * with_silhouette:
                w = workload(name, metric, ours, theirs)
                workloads.append(w)
                print(f"{w['name']:40} {1e3 * w['ours_s']:7.1f} ms {1e3 * w['reference_s']:7.1f} ms {w['ratio']:7.2f}"
                      f"  {w['low']:6.2f} {w['high']:6.2f} {w['processor_ratio']:7.2f}  {inertia:.6f}", flush=True)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps({"workloads": workloads}, indent=2) + "\n")


if __name__ == "__main__":
    main()
