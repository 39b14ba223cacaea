#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The main job end to end: songs to features, model, clusters, report; interruption, resume and faults on the way."""
import csv
import os
import pathlib
import resource
import shutil
import signal
import tempfile
import time
import unittest

from program import LLVM_OPENMP, ProgramTest, finish, run, start

METRICS = ("method,n_clusters,silhouette_score,calinski_harabasz_index,davies_bouldin_index,adjusted_rand_index,"
           "normalized_mutual_info,cluster_purity,cluster_accuracy")
SMALL = ("--hidden", "24,12", "--latent-dim", "4", "--batch-size", "8", "--device", "cpu")


def songs_in_four_formats(root):
    """A corpus without a manifest, as a user lays it out: WAV, FLAC, OGG and MP3."""
    for number, kind in enumerate(("wav", "flac", "ogg", "mp3")):
        part = pathlib.Path(root) / f"part_{kind}"
        result = run("make_corpus", "--output", part, "--n-tracks", 10, "--seconds", 3, "--format", kind,
                     "--seed", number, "--n-lyrics", 0)
        assert result.code == 0, result
        for song in (part / "audio").rglob(f"*.{kind}"):
            prefix, digits, *title = song.stem.split("_")
            name = "_".join([prefix, f"{int(digits) + 1000 * number:04d}", *title]) + song.suffix
            target = pathlib.Path(root) / "data/audio" / song.parent.relative_to(part / "audio") / name
            target.parent.mkdir(parents=True, exist_ok=True)
            song.rename(target)
        shutil.rmtree(part)
    return pathlib.Path(root) / "data"


class Pipeline(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.TemporaryDirectory(prefix="chorale-pipeline-")
        cls.data = songs_in_four_formats(cls.shared.name)
        cls.extraction = run("extract_audio", "--data", cls.data)

    @classmethod
    def tearDownClass(cls):
        cls.shared.cleanup()

    def train(self, *arguments, results=None, **options):
        return run("train", "--model", "basic", "--modality", "audio", "--data", self.data, "--results",
                   results or self.folder, *SMALL, *arguments, **options)

    def checkpoint(self, name="last", results=None):
        return (results or self.folder) / "checkpoints/basic" / f"{name}.safetensors"

    def test_from_songs_to_report(self):
        self.assert_ok(self.extraction)
        self.assert_ok(self.train("--epochs", 4))
        folder = self.folder / "checkpoints/basic"
        self.assertEqual(sorted(n for n in os.listdir(folder) if not n.startswith("events.out.tfevents.")),
                         ["best.safetensors", "config.yaml", "history.csv", "last.safetensors"])
        with open(folder / "history.csv") as file:
            history = list(csv.DictReader(file))
        self.assertEqual([row["epoch"] for row in history], ["1", "2", "3", "4"])
        evaluation = self.assert_ok(run("evaluate", "--model", "basic", "--data", self.data, "--results", self.folder,
                                        "--n-clusters", "3,5,100"))
        self.assertIn("100 clusters left out", evaluation.stderr)
        lines = (self.folder / "metrics/basic_clustering_results.csv").read_text().splitlines()
        self.assertEqual(lines[0], METRICS)
        self.assertEqual(len(lines), 1 + 2 * 2)
        songs = (self.folder / "embeddings/basic.csv").read_text().splitlines()
        self.assertEqual(len(songs), 1 + 40)
        self.assert_ok(run("cluster", "--model", "basic", "--n-clusters", 4, "--data", self.data, "--results",
                           self.folder))
        self.assertTrue((self.folder / "embeddings/basic_labels.npy").exists())
        self.assert_ok(run("baseline", "--data", self.data, "--results", self.folder, *SMALL, "--epochs", 2))
        methods = {line.split(",")[0] for line in
                   (self.folder / "metrics/baseline_results.csv").read_text().splitlines()[1:]}
        self.assertEqual(methods, {f"{m}+kmeans/{label}" for m in ("raw", "pca", "autoencoder")
                                   for label in ("language", "genre")})
        report = (self.folder / "report.html").read_text()
        for text in ("basic_clustering_results", "baseline_results"):
            self.assertIn(text, report)
        if shutil.which("gnuplot"):
            self.assertIn("data:image/png;base64,", report)
        self.assertNotIn("http", report)

    def test_quick_start(self):
        result = self.assert_ok(run("quick_start", "--data", self.folder / "data", "--results", self.folder / "results",
                                    "--n-tracks", 30, "--seconds", 2, *SMALL, "--channels", "4,8", "--epochs", 2))
        self.assertTrue((self.folder / "results/report.html").exists(), result)
        self.assertEqual(len(os.listdir(self.folder / "results/checkpoints")), 6)
        again = self.assert_ok(run("quick_start", "--data", self.folder / "data", "--results", self.folder / "results",
                                   *SMALL, "--models", "basic", "--epochs", 3))
        self.assertNotIn("rendered, 0 kept", again.stderr)

    def test_interrupted_and_resumed_equals_uninterrupted(self):
        whole = self.folder / "whole"
        self.assert_ok(self.train("--epochs", 300, "--seed", 5, results=whole))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            parts = self.folder / f"parts{number}"
            process = start("train", "--data", self.data, "--results", parts, *SMALL, "--epochs", 300, "--seed", 5)
            deadline = time.monotonic() + 60
            while not self.checkpoint(results=parts).exists() and time.monotonic() < deadline:
                time.sleep(0.005)
            process.send_signal(number)
            stopped = finish(process)
            if number != signal.SIGKILL:
                self.assertEqual(stopped.code, 128 + number, stopped)
                self.assertIn("--resume", stopped.stderr)
            self.assert_ok(self.train("--epochs", 300, "--seed", 5, "--resume", results=parts))
            for name in ("last", "best"):
                self.assertEqual(self.checkpoint(name, whole).read_bytes(), self.checkpoint(name, parts).read_bytes())
            self.assertEqual((whole / "checkpoints/basic/history.csv").read_bytes(),
                             (parts / "checkpoints/basic/history.csv").read_bytes())

    def test_results_do_not_depend_on_threads(self):
        for threads in (1, 3):
            self.assert_ok(self.train("--epochs", 3, "--threads", threads, results=self.folder / str(threads)))
        self.assertEqual(self.checkpoint(results=self.folder / "1").read_bytes(),
                         self.checkpoint(results=self.folder / "3").read_bytes())

    def test_epochs_count_from_the_start(self):
        self.assert_ok(self.train("--epochs", 2))
        self.assert_ok(self.train("--epochs", 5, "--resume"))
        lines = (self.folder / "checkpoints/basic/history.csv").read_text().splitlines()
        self.assertEqual(len(lines), 1 + 5)

    def test_resume_of_another_configuration_is_refused(self):
        self.assert_ok(self.train("--epochs", 2))
        before = self.checkpoint().read_bytes()
        result = run("train", "--data", self.data, "--results", self.folder, *SMALL, "--latent-dim", 5, "--resume")
        self.assert_error(result, 3, "model.latent_dim is 4 there and 5 here")
        self.assertEqual(before, self.checkpoint().read_bytes())

    def test_damaged_checkpoint(self):
        self.assert_ok(self.train("--epochs", 2))
        for name in ("last", "best"):  # they may be one file under two names
            content = self.checkpoint(name).read_bytes()
            self.checkpoint(name).unlink()
            self.checkpoint(name).write_bytes(content[:-9] + b"x" + content[-8:])
        self.assert_error(self.train("--resume"), 3, "last.safetensors", "damaged")
        self.assert_error(run("evaluate", "--model", "basic", "--data", self.data, "--results", self.folder), 3,
                          "best.safetensors", "damaged")

    def test_divergence_ends_with_5_and_keeps_the_checkpoint(self):
        self.assert_ok(self.train("--epochs", 1, "--precision", "fp32"))
        before = self.checkpoint().read_bytes()
        configuration = self.folder / "huge.yaml"
        configuration.write_text("training: {kl_weight: 1e6, learning_rate: 10, optimizer: sgd, gradient_clip: 0}\n")
        result = self.train("--config", configuration, "--epochs", 400, "--precision", "fp32")
        self.assert_error(result, 5)
        self.assertEqual(len(self.checkpoint().read_bytes()), len(before))

    @unittest.skipIf(LLVM_OPENMP, "LLVM's OpenMP runtime ends where its own shared memory meets the limit")
    def test_full_disk_keeps_the_old_checkpoint(self):
        self.assert_ok(self.train("--epochs", 1))
        before = self.checkpoint().read_bytes()
        result = self.train("--epochs", 2, "--resume", limits=[(resource.RLIMIT_FSIZE, 20000)])
        self.assert_error(result, 3, "last.safetensors")
        self.assertEqual(before, self.checkpoint().read_bytes())
        self.assertEqual([n for n in os.listdir(self.folder / "checkpoints/basic") if "tmp" in n or "new" in n], [])

    def test_second_run_on_one_folder_names_the_first(self):
        process = start("train", "--data", self.data, "--results", self.folder, *SMALL, "--epochs", 100000)
        try:
            while not self.checkpoint().exists():
                time.sleep(0.005)
            self.assert_error(self.train("--epochs", 1), 3, str(process.pid))
        finally:
            process.send_signal(signal.SIGTERM)
            self.assertEqual(finish(process).code, 143)

    def test_missing_features_say_what_makes_them(self):
        empty = self.folder / "data"
        shutil.copytree(self.data / "audio", empty / "audio")
        result = run("train", "--data", empty, "--results", self.folder)
        self.assert_error(result, 3, "extract_audio")
        self.assert_error(run("train", "--data", self.folder / "nothing", "--results", self.folder), 3, "nothing")
        self.assert_error(run("evaluate", "--model", "basic", "--data", self.data, "--results", self.folder), 3,
                          "config.yaml")

    def test_results_that_cannot_be_written(self):
        (self.folder / "file").write_text("")
        self.assert_error(self.train("--epochs", 1, results=self.folder / "file"), 3, "file")
        self.assert_error(self.train("--epochs", 1, results="/proc/nothing"), 3, "/proc/nothing")

    def test_wrong_values(self):
        for arguments, word in ((("--epochs", 0), "--epochs"), (("--batch-size", 0), "--batch-size"),
                                (("--learning-rate", "nan"), "--learning-rate"), (("--model", "bsic"), "--model"),
                                (("--learning-rate", 0), "--learning-rate"), (("--precision", "fp8"), "--precision"),
                                (("--latent-dim", 0), "--latent-dim"), (("--modality", "lyrics"), "--modality")):
            self.assert_error(self.train(*arguments), 2, word)
        configuration = self.folder / "typo.yaml"
        configuration.write_text("training: {learing_rate: 0.1}\n")
        self.assert_error(self.train("--config", configuration), 2, "typo.yaml:1", "learning_rate")

    def test_bad_songs_are_skipped_and_named(self):
        data = self.folder / "data"
        shutil.copytree(self.data / "audio", data / "audio")
        bad = data / "audio/english/pop"
        bad.mkdir(parents=True, exist_ok=True)
        (bad / "en_9001_Broken.wav").write_bytes(b"not a sound")
        (bad / "en_9002_Empty.mp3").write_bytes(b"")
        result = run("extract_audio", "--data", data)
        self.assert_error(result, 3, "2 of 42", "--skip-bad")
        self.assertIn("en_9001_Broken.wav", result.stderr)
        self.assert_ok(run("extract_audio", "--data", data, "--skip-bad"))
        self.assert_ok(run("train", "--data", data, "--results", self.folder / "results", *SMALL, "--epochs", 1))

    def test_configuration_files_of_the_project(self):
        source = pathlib.Path(__file__).resolve().parents[2] / "configs"
        configuration = self.folder / "default.yaml"
        configuration.write_text((source / "config.yaml").read_text())
        self.assert_ok(run("train", "--data", self.data, "--results", self.folder, "--config", configuration,
                           "--epochs", 1))


if __name__ == "__main__":
    unittest.main()
