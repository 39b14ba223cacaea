#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The program `cluster` as a user runs it: outputs, metrics, and what it does with bad input."""
import array
import json
import math
import os
import struct
import unittest

from program import ProgramTest, run

CODES = {"f": "<f4", "i": "<i4", "B": "|u1", "q": "<i8", "d": "<f8"}


def write_npy(path, values, shape, code="f"):
    header = f"{{'descr': '{CODES[code]}', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
                     + array.array(code, values).tobytes())


def read_npy(path, code):
    data = path.read_bytes()
    length = struct.unpack("<H", data[8:10])[0]
    values = array.array(code)
    values.frombytes(data[10 + length:])
    return data[10:10 + length].decode(), list(values)


class Cluster(ProgramTest):
    def setUp(self):
        super().setUp()
        self.x, self.y, self.output = (self.folder / name for name in ("x.npy", "y.npy", "labels.npy"))
        # Three groups of 20 points around (0, 0), (10, 0) and (0, 10).
        points, labels = [], []
        for i in range(60):
            group = i % 3
            points += [10.0 * (group == 1) + 0.1 * (i % 5), 10.0 * (group == 2) + 0.1 * (i % 7)]
            labels.append(group)
        write_npy(self.x, points, (60, 2))
        write_npy(self.y, labels, (60,), "q")

    def cluster(self, *arguments, **options):
        return run("cluster", "--input", self.x, "--output", self.output, "--device", "cpu", *arguments, **options)

    def test_labels_centers_summary_and_metrics(self):
        out, summary = self.folder / "out", self.folder / "summary.json"
        result = self.assert_ok(self.cluster("--n-clusters", 3, "--labels", self.y, "--output-dir", out,
                                             "--summary", summary))
        header, labels = read_npy(self.output, "i")
        self.assertIn("'<i4'", header)
        self.assertIn("(60,)", header)
        self.assertEqual([labels[i] for i in range(3)] * 20, labels)
        self.assertEqual(set(labels), {0, 1, 2})
        self.assertEqual(self.output.read_bytes(), (out / "labels.npy").read_bytes())
        header, values = read_npy(out / "centers.npy", "f")
        self.assertIn("(3, 2)", header)
        first = labels[1]
        self.assertTrue(math.isclose(values[2 * first], 10.2, rel_tol=1e-5), values)
        table = result.table()
        for metric in ("adjusted_rand_index", "normalized_mutual_info", "cluster_purity", "cluster_accuracy",
                       "adjusted_mutual_info", "homogeneity", "completeness", "v_measure", "fowlkes_mallows_index"):
            self.assertEqual(table[metric], "1.000000")
        self.assertGreater(float(table["silhouette_score"]), 0.9)
        _, samples = read_npy(out / "silhouette_samples.npy", "f")
        self.assertAlmostEqual(sum(samples) / 60, float(table["silhouette_score"]), 5)
        self.assertEqual(summary.read_bytes(), (out / "summary.json").read_bytes())
        written = json.loads(summary.read_text())
        self.assertEqual((written["n"], written["d"]), (60, 2))
        kmeans, = written["clusterings"]
        self.assertEqual((kmeans["algorithm"], kmeans["n_clusters"], kmeans["n_noise"]), ("kmeans", 3, 0))
        self.assertEqual(kmeans["parameters"]["n_init"], 10)
        self.assertAlmostEqual(kmeans["metrics"]["silhouette_score"], float(table["silhouette_score"]), 6)
        self.assertEqual(set(kmeans["seconds"]), {"read", "cluster", "metrics"})
        self.assertEqual((kmeans["contingency"]["classes"], kmeans["contingency"]["clusters"]), ([0, 1, 2], [0, 1, 2]))
        self.assertEqual(sorted(map(sorted, kmeans["contingency"]["counts"])), [[0, 0, 20]] * 3)
        self.assertLess(abs(kmeans["inertia"] - 60 * (0.02 + 0.04)), 0.3)

    def test_all_algorithms(self):
        out = self.folder / "out"
        result = self.assert_ok(self.cluster("--algorithm", "all", "--n-clusters", 3, "--labels", self.y,
                                             "--output-dir", out, "--eps", 1, "--reg-covar", 1e-3))
        names = ["kmeans", "gmm", "agglomerative", "dbscan", "hdbscan"]
        lines = [line.split() for line in result.stdout.splitlines()]
        self.assertEqual(lines[0][:4], ["algorithm", "n_clusters", "noise", "silhouette_score"])
        self.assertEqual([line[0] for line in lines[2:]], names)
        for line in lines[2:]:
            self.assertEqual((line[1], line[2], line[6]), ("3", "0", "1.0000"), line)
        arrays = {"kmeans": {"centers"}, "gmm": {"weights", "means", "covariances", "responsibilities"},
                  "agglomerative": {"linkage"}, "dbscan": {"core_sample_indices"}, "hdbscan": {"probabilities"}}
        for name in names:
            files = {path.stem for path in (out / name).iterdir()}
            self.assertEqual(files, arrays[name] | {"labels", "silhouette_samples"})
            self.assertEqual((out / name / "labels.npy").read_bytes(),
                             (self.folder / f"labels_{name}.npy").read_bytes())
        self.assertFalse(self.output.exists())
        header, tree = read_npy(out / "agglomerative/linkage.npy", "d")
        self.assertIn("(59, 4)", header)
        self.assertEqual(tree[-1], 60)
        header, _ = read_npy(out / "gmm/responsibilities.npy", "f")
        self.assertIn("(60, 3)", header)
        summary = json.loads((out / "summary.json").read_text())
        self.assertEqual([c["algorithm"] for c in summary["clusterings"]], names)

    def test_forms_of_kmeans(self):
        for arguments in (("--batch-size", 16), ("--init", "k-means||"), ("--init", "random"), ("--max-memory", 1)):
            table = self.assert_ok(self.cluster("--n-clusters", 3, "--labels", self.y, *arguments)).table()
            self.assertEqual(table["adjusted_rand_index"], "1.000000", arguments)
        write_npy(self.x, [1, 0, 5, 0.1, 0, 1, 0.1, 9], (4, 2))
        self.assert_ok(self.cluster("--n-clusters", 2, "--metric", "cosine"))
        _, labels = read_npy(self.output, "i")
        self.assertEqual((labels[0] == labels[1], labels[2] == labels[3], labels[0] == labels[2]), (True, True, False))
        write_npy(self.x, [1, 0, 0, 0], (2, 2))
        self.assert_error(self.cluster("--n-clusters", 1, "--metric", "cosine"), 3, "x.npy", "row 1")
        self.assert_error(self.cluster("--algorithm", "gmm", "--max-memory", 1), 2, "--max-memory", "gmm")
        self.assertIn("--metrics: not used with --max-memory",
                      self.cluster("--n-clusters", 1, "--max-memory", 1, "--metrics", "fast").stderr)

    def test_eps_is_found_from_the_data(self):
        summary = self.folder / "summary.json"
        self.assert_ok(self.cluster("--algorithm", "dbscan", "--summary", summary))
        dbscan, = json.loads(summary.read_text())["clusterings"]
        self.assertEqual(dbscan["n_clusters"], 3)
        self.assertGreater(dbscan["parameters"]["eps"], 0.05)
        self.assertIn(dbscan["eps_rule"], ("knee", "plateau"))
        for eps in ("0", "-1", "nan", "inf", "near", "1x"):
            self.assert_error(self.cluster("--algorithm", "dbscan", "--eps", eps), 2, "--eps")

    def test_bootstrap_intervals(self):
        summary = self.folder / "summary.json"
        result = self.assert_ok(self.cluster("--n-clusters", 4, "--labels", self.y, "--bootstrap", 50, "--summary", summary))
        lines = [line.split() for line in result.stdout.splitlines()]
        self.assertEqual(lines[0], ["metric", "value", "low", "high"])
        for line in lines[2:]:
            low, high = float(line[2]), float(line[3])
            self.assertLessEqual(low, high)
        intervals = json.loads(summary.read_text())["clusterings"][0]["intervals"]
        self.assertEqual(len(intervals), len(lines) - 2)

    def test_projections(self):
        for method in ("pca", "tsne", "umap"):
            out = self.folder / method
            self.assert_ok(self.cluster("--n-clusters", 3, "--projection", method, "--output-dir", out))
            header, points = read_npy(out / "projection.npy", "f")
            self.assertIn("(60, 2)", header)
            self.assertTrue(all(math.isfinite(p) for p in points))
            self.assertGreater(max(points), min(points))
        self.assert_error(self.cluster("--projection", "umap"), 2, "--projection", "--output-dir")

    def test_options_of_other_algorithms_are_named(self):
        result = self.assert_ok(self.cluster("--n-clusters", 2, "--eps", 3, "--linkage", "single"))
        self.assertIn("--eps: not used by kmeans", result.stderr)
        self.assertIn("--linkage: not used by kmeans", result.stderr)

    def test_same_seed_same_bytes_for_any_number_of_threads(self):
        written = []
        for threads in (1, 2, 5):
            self.assert_ok(self.cluster("--n_clusters", 7, "--seed", 3, "--threads", threads))
            written.append(self.output.read_bytes())
        self.assertEqual(written[0], written[1])
        self.assertEqual(written[0], written[2])

    def test_without_labels_the_other_metrics_are_empty(self):
        table = self.assert_ok(self.cluster("--n-clusters", 3)).table()
        self.assertEqual(table["adjusted_rand_index"], "")
        self.assertNotEqual(table["davies_bouldin_index"], "")

    def test_undefined_metrics_are_null_and_say_why(self):
        summary = self.folder / "s.json"
        result = self.assert_ok(self.cluster("--n-clusters", 1, "--summary", summary))
        self.assertEqual(result.table()["silhouette_score"], "")
        self.assertIn("silhouette_score: undefined: there is only one cluster", result.stderr)
        self.assertIsNone(json.loads(summary.read_text())["clusterings"][0]["metrics"]["silhouette_score"])

    def test_other_element_types(self):
        write_npy(self.x, [1, 2, 1, 2, 9, 9, 9, 8], (4, 2), "d")
        self.assert_ok(self.cluster("--n-clusters", 2))
        write_npy(self.x, [1, 2, 1, 2, 9, 9, 9, 8], (4, 2), "B")
        self.assert_ok(self.cluster("--n-clusters", 2))

    def test_a_matrix_larger_than_memory_is_refused_at_once(self):
        with open(self.x, "wb") as file:
            header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 500), }"
            header += " " * (-(len(header) + 11) % 64) + "\n"
            file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
            file.truncate(file.tell() + 4 * 500 * 10**9)  # a hole: nothing is stored
        self.assert_error(self.cluster("--n-clusters", 2), 4, "x.npy", "--max-memory")

    def test_wrong_options(self):
        for arguments, words in (((), ("--input",)), (("--input", self.x), ("--output",))):
            self.assert_error(run("cluster", *arguments), 2, *words)
        self.assert_error(self.cluster("--algorithm", "spectral"), 2, "--algorithm", "spectral", "kmeans")
        for option, values in (("--n-clusters", ("0", "-1", "x", "")), ("--n-init", ("0", "1e9")),
                               ("--max-iter", ("0",)), ("--tol", ("-1", "nan"))):
            for value in values:
                self.assert_error(self.cluster(option, value), 2, option)
        self.assert_error(self.cluster("--n-clusters", 61), 2, "61", "allowed 1 to 60")
        self.assertFalse(self.output.exists())

    def test_wrong_input(self):
        self.output.write_text("old")
        cases = {"missing.npy": None, "text.npy": b"not numpy", "empty.npy": b""}
        for name, content in cases.items():
            if content is not None:
                (self.folder / name).write_bytes(content)
            self.assert_error(run("cluster", "--input", self.folder / name, "--output", self.output), 3, name)
        for values, shape in (([1, 2, 3], (3,)), ([], (0, 4)), ([1] * 8, (2, 2, 2))):
            write_npy(self.x, values, shape)
            self.assert_error(self.cluster("--n-clusters", 1), 3, "x.npy")
        for bad in (math.nan, math.inf, -math.inf):
            write_npy(self.x, [1, 2, 3, 4, 5, bad], (3, 2))
            self.assert_error(self.cluster("--n-clusters", 2), 3, "x.npy", "row 2, column 1")
        self.assertEqual(self.output.read_text(), "old")

    def test_wrong_labels(self):
        write_npy(self.y, [0] * 59, (59,), "i")
        self.assert_error(self.cluster("--labels", self.y), 3, "y.npy", "(59,)")
        write_npy(self.y, [0.0] * 60, (60,), "f")
        self.assert_error(self.cluster("--labels", self.y), 3, "y.npy", "f32")
        write_npy(self.y, [1 << 40] * 60, (60,), "q")
        self.assert_error(self.cluster("--labels", self.y), 3, "y.npy", "row 0")
        self.assertFalse(self.output.exists())

    def test_outputs_that_cannot_be_written_are_noticed_first(self):
        before = self.x.read_bytes()
        self.assert_error(run("cluster", "--input", self.x, "--output", self.x), 2, "--output", "--input")
        self.assert_error(self.cluster("--summary", self.output), 2, "--summary", "--output")
        self.assert_error(run("cluster", "--input", self.folder / "labels_gmm.npy", "--output", self.output,
                              "--algorithm", "all"), 2, "--output", "--input")
        self.assert_error(run("cluster", "--input", self.x, "--output", self.folder / "none" / "l.npy"), 3, "l.npy")
        (self.folder / "d.npy").mkdir()
        self.assert_error(run("cluster", "--input", self.x, "--output", self.folder / "d.npy"), 3, "d.npy")
        self.assert_error(run("cluster", "--input", self.x, "--output", self.folder / "l.csv"), 2, "--output", "l.csv")
        self.assertEqual(self.x.read_bytes(), before)
        self.assertEqual(sorted(os.listdir(self.folder)), ["d.npy", "x.npy", "y.npy"])

    def test_an_input_in_the_output_folder_stays(self):
        for name in ("centers", "responsibilities", "projection", "silhouette_samples", "labels"):
            points = self.folder / f"{name}.npy"
            points.write_bytes(self.x.read_bytes())
            self.assert_error(run("cluster", "--input", points, "--output-dir", self.folder, "--projection", "pca"), 2,
                              "--output-dir", "--input", points.name)
            self.assertEqual(points.read_bytes(), self.x.read_bytes())
            points.unlink()

    def test_arrays_of_earlier_runs_do_not_stay_beside_new_labels(self):
        out = self.folder / "out"
        self.assert_ok(self.cluster("--algorithm", "gmm", "--n-clusters", 3, "--reg-covar", 1e-3, "--output-dir", out))
        self.assertTrue((out / "responsibilities.npy").exists())
        (out / "notes.npy").write_text("mine")
        self.assert_ok(self.cluster("--n-clusters", 1, "--output-dir", out))
        self.assertEqual(sorted(os.listdir(out)), ["centers.npy", "labels.npy", "notes.npy", "summary.json"])

    def test_columns_far_from_zero_keep_what_tells_rows_apart(self):
        points = []
        for i in range(60):
            points += [1.7e9 + 10 * (i % 3) + 0.01 * i, float(i % 5)]
        write_npy(self.x, points, (60, 2), "d")
        for algorithm in ("kmeans", "gmm", "agglomerative"):
            out = self.folder / algorithm
            result = self.assert_ok(self.cluster("--n-clusters", 3, "--labels", self.y, "--algorithm", algorithm,
                                                 "--output-dir", out))
            self.assertEqual(result.table()["adjusted_rand_index"], "1.000000", algorithm)
        for path in (self.folder / "kmeans/centers.npy", self.folder / "gmm/means.npy"):
            header, centers = read_npy(path, "d")
            self.assertIn("<f8", header)
            for center in sorted(centers[::2]):
                self.assertLess(min(abs(center - 1.7e9 - 10 * group) for group in range(3)), 0.6)
        write_npy(self.x, [1e39, 0, 1, 2], (2, 2), "d")
        self.assert_error(self.cluster("--n-clusters", 1), 3, "1e+39", "row 0, column 0")

    def test_metrics_that_were_not_asked_for(self):
        summary = self.folder / "s.json"
        for choice, silhouette, dispersion in (("all", True, True), ("fast", False, True), ("none", False, False)):
            result = self.assert_ok(self.cluster("--n-clusters", 3, "--metrics", choice, "--labels", self.y,
                                                 "--summary", summary))
            metrics = json.loads(summary.read_text())["clusterings"][0]["metrics"]
            self.assertEqual(metrics["silhouette_score"] is not None, silhouette)
            self.assertEqual(metrics["davies_bouldin_index"] is not None, dispersion)
            self.assertEqual(metrics["adjusted_rand_index"], 1)
            self.assertNotIn("undefined", result.stderr)
        self.assert_error(self.cluster("--metrics", "none", "--bootstrap", 10), 2, "--bootstrap", "--metrics")

    def test_what_one_algorithm_refuses_does_not_stop_the_others(self):
        write_npy(self.x, [float(i % 7) for i in range(12)], (12, 1))
        out, names = self.folder / "out", []
        result = self.cluster("--algorithm", "all", "--n-clusters", 2, "--min-samples", 13, "--output-dir", out)
        self.assertEqual(result.code, 2)
        self.assertIn("hdbscan: --min-samples", result.stderr)
        for c in json.loads((out / "summary.json").read_text())["clusterings"]:
            names.append(c["algorithm"])
            self.assertEqual("error" in c, c["algorithm"] == "hdbscan", c)
        self.assertEqual(names, ["kmeans", "gmm", "agglomerative", "dbscan", "hdbscan"])
        self.assertEqual(os.listdir(out / "hdbscan"), [])

    def test_few_equal_or_narrow_rows(self):
        for values, shape in (([3] * 60, (30, 2)), ([1, 2, 3, 4], (4, 1)), ([5], (1, 1)), ([0, 1], (2, 1))):
            write_npy(self.x, values, shape)
            for method in ("pca", "tsne", "umap"):
                self.assert_ok(self.cluster("--algorithm", "all", "--n-clusters", 1, "--projection", method,
                                            "--output-dir", self.folder / "out"))

    def test_what_a_user_should_know_of_the_result(self):
        result = self.assert_ok(self.cluster("--algorithm", "gmm", "--n-clusters", 3, "--max-iter", 1))
        self.assertIn("gmm: not converged in 1 iterations", result.stderr)
        write_npy(self.x, [1, 1, 1, 2, 2, 2], (6, 1))
        result = self.assert_ok(self.cluster("--n-clusters", 4))
        self.assertIn("2 of 4 clusters have points", result.stderr)
        self.assert_error(self.cluster("--algorithm", "agglomerative", "--n-clusters", 2, "--distance-threshold", 1), 2,
                          "--distance-threshold", "--n-clusters")
        self.assert_error(self.cluster("--algorithm", "gmm", "--n-clusters", 7), 2, "--n-clusters")


if __name__ == "__main__":
    unittest.main()
