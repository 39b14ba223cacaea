#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""From a rendered corpus to clusters, as a user runs it, and what happens when it is disturbed."""
import os
import pathlib
import resource
import shutil
import tempfile
import time
import unittest

from program import INTERRUPT, TERMINATE, ProgramTest, finish, run, start

CONFIG = """
model:
  hidden: [32, 16]
  latent_dim: 8
features:
  duration: 2
training:
  batch_size: 8
  learning_rate: 0.001
  precision: fp32
clustering:
  n_clusters: [3, 5]
"""


def ok(result):
    if result.code != 0 or "error: " in result.stderr:
        raise AssertionError(str(result))
    return result


class Pipeline(ProgramTest):
    """One small corpus with its features for all tests; each has results of its own."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="chorale-pipeline-")
        cls.addClassCleanup(folder.cleanup)
        cls.shared = pathlib.Path(folder.name)
        cls.data = cls.shared / "data"
        cls.config = cls.shared / "small.yaml"
        cls.config.write_text(CONFIG)
        ok(run("make_corpus", "--output", cls.data, "--n-tracks", 40, "--n-lyrics", 10, "--seconds", 2))
        ok(run("extract_audio", "--data", cls.data, "--config", cls.config))
        cls.trained = cls.shared / "trained"
        ok(cls.train(cls.trained, "--epochs", 4))

    @classmethod
    def arguments(cls, results, *more):
        return ("--data", cls.data, "--results", results, "--config", cls.config, *more)

    @classmethod
    def train(cls, results, *more, **options):
        return run("train", "--model", "basic", "--modality", "audio", *cls.arguments(results, *more), **options)

    @staticmethod
    def checkpoint(results, name="last"):
        return results / "checkpoints" / "basic" / f"{name}.safetensors"

    def start_training(self, results, *more):
        return start("train", "--model", "basic", *self.arguments(results, *more))

    def wait_for(self, path, seconds=60):
        deadline = time.monotonic() + seconds
        while not path.exists():
            self.assertLess(time.monotonic(), deadline, f"{path} never appeared")
            time.sleep(0.002)

    def assert_no_leftovers(self, folder):
        left = [p.name for p in folder.rglob("*") if ".tmp" in p.name or ".part" in p.name]
        self.assertEqual(left, [])


class Results(Pipeline):
    def test_files_of_a_training(self):
        folder = self.trained / "checkpoints" / "basic"
        for name in ("best.safetensors", "last.safetensors", "config.yaml", "history.csv"):
            self.assertGreater((folder / name).stat().st_size, 0, name)
        self.assertEqual(len((folder / "history.csv").read_text().splitlines()), 1 + 4)
        self.assert_no_leftovers(self.trained)

    def test_evaluate_and_baseline(self):
        results = self.folder / "results"
        shutil.copytree(self.trained, results)
        ok(run("evaluate", "--model", "basic", *self.arguments(results)))
        ok(run("baseline", *self.arguments(results)))
        for name in ("basic_clustering_results.csv", "baseline_results.csv"):
            lines = (results / "metrics" / name).read_text().splitlines()
            self.assertTrue(lines[0].endswith(
                "method,n_clusters,silhouette_score,calinski_harabasz_index,davies_bouldin_index,"
                "adjusted_rand_index,normalized_mutual_info,cluster_purity,cluster_accuracy"), lines[0])
            self.assertGreater(len(lines), 2)
            self.assertNotIn("nan", " ".join(lines).lower())
        self.assertTrue((results / "embeddings" / "basic.npy").read_bytes().startswith(b"\x93NUMPY"))

    def test_same_seed_same_bits_for_any_number_of_threads(self):
        expected = self.checkpoint(self.trained).read_bytes()
        for threads in (1, 2, 3):
            results = self.folder / f"threads_{threads}"
            ok(self.train(results, "--epochs", 4, "--threads", threads))
            self.assertEqual(self.checkpoint(results).read_bytes(), expected, f"{threads} threads")

    def test_another_seed_another_model(self):
        ok(self.train(self.folder, "--epochs", 4, "--seed", 0))
        self.assertNotEqual(self.checkpoint(self.folder).read_bytes(), self.checkpoint(self.trained).read_bytes())

    def test_extraction_is_kept(self):
        result = ok(run("extract_audio", "--data", self.data, "--config", self.config))
        self.assertRegex(result.stdout, r"(?m)^\s*40\s+0\s+40\s")


class Interruptions(Pipeline):
    def test_signals_save_and_resume_is_bit_exact(self):
        whole = self.folder / "whole"
        ok(self.train(whole, "--epochs", 60))
        for number, code in ((INTERRUPT, 130), (TERMINATE, 143)):
            results = self.folder / f"signal_{code}"
            process = self.start_training(results, "--epochs", 60)
            self.wait_for(results / "checkpoints" / "basic" / "history.csv")
            process.send_signal(number)
            result = finish(process, timeout=30)
            self.assertEqual(result.code, code, result)
            self.assertTrue(self.checkpoint(results).exists(), result)
            ok(self.train(results, "--epochs", 60, "--resume"))
            self.assertEqual(self.checkpoint(results).read_bytes(), self.checkpoint(whole).read_bytes())

    def test_kill_leaves_a_checkpoint_that_loads(self):
        for delay in (0.0, 0.02, 0.1):
            results = self.folder / f"killed_{delay}"
            process = self.start_training(results, "--epochs", 100000, "--learning-rate", "1e-6")
            self.wait_for(self.checkpoint(results))
            time.sleep(delay)
            process.kill()
            finish(process)
            ok(self.train(results, "--epochs", 1, "--resume", "--learning-rate", "1e-6"))
            self.assert_no_leftovers(results)

    def test_signal_before_the_first_step(self):
        process = self.start_training(self.folder, "--epochs", 100000)
        time.sleep(0.03)
        process.send_signal(TERMINATE)
        result = finish(process, timeout=20)
        self.assertIn(result.code, (143, -15), result)

    def test_two_trainings_on_one_folder(self):
        process = self.start_training(self.folder, "--epochs", 100000)
        self.wait_for(self.checkpoint(self.folder))
        second = self.train(self.folder, "--epochs", 1)
        self.assertNotEqual(second.code, 0)
        self.assert_error(second, second.code, str(process.pid))
        process.send_signal(INTERRUPT)
        self.assertEqual(finish(process).code, 130)

    def test_reader_that_leaves(self):
        process = self.start_training(self.folder, "--epochs", 2)
        process.stdout.close()
        process.wait(timeout=60)
        process.stderr.close()
        self.assertEqual(process.returncode, 0)
        self.assertTrue(self.checkpoint(self.folder).exists())


class BadState(Pipeline):
    def setUp(self):
        super().setUp()
        self.results = self.folder / "results"
        shutil.copytree(self.trained, self.results)

    def resume(self, *more):
        return self.train(self.results, "--resume", "--epochs", 5, *more)

    def test_damaged_checkpoints_are_refused(self):
        good = self.checkpoint(self.results).read_bytes()
        header = int.from_bytes(good[:8], "little")
        for name, bad in {
            "empty": b"", "seven bytes": good[:7], "header cut": good[:8 + header // 2], "cut": good[:-1],
            "half": good[:len(good) // 2], "longer": good + b"x", "huge header": b"\xff" * 8 + good[8:],
            "no JSON": good[:8] + b"x" + good[9:],
            "flipped in the data": good[:-100] + bytes([good[-100] ^ 1]) + good[-99:],
        }.items():
            with self.subTest(name):
                self.checkpoint(self.results).write_bytes(bad)
                self.assert_error(self.resume(), 3, "last.safetensors")
                self.assertEqual(self.checkpoint(self.results).read_bytes(), bad, "refused, so left alone")

    def test_checkpoint_of_another_model(self):
        config = self.folder / "other.yaml"
        config.write_text(CONFIG.replace("[32, 16]", "[24, 16]"))
        result = self.resume("--config", config)
        self.assertIn(result.code, (2, 3), result)
        self.assert_error(result, result.code, "hidden")

    def test_disk_full(self):
        before = self.checkpoint(self.results).read_bytes()
        result = self.train(self.results, "--epochs", 6, "--resume", limits=[(resource.RLIMIT_FSIZE, 20000)])
        self.assert_error(result, 3)
        self.assertEqual(self.checkpoint(self.results).read_bytes(), before)
        self.assert_no_leftovers(self.results)

    def test_results_that_cannot_be_written(self):
        file = self.folder / "file"
        file.write_text("kept")
        result = self.train(file, "--epochs", 1)
        self.assertIn(result.code, (2, 3), result)
        self.assert_error(result, result.code, str(file))
        self.assertEqual(file.read_text(), "kept")
        self.assert_error(self.train(self.folder / ("x" * 300), "--epochs", 1), 3)

    def test_limits(self):
        self.assertIn(self.train(self.results, "--epochs", 1, limits=[(resource.RLIMIT_NOFILE, 64)]).code, (0,))
        small = self.train(self.folder / "small", "--epochs", 1, limits=[(resource.RLIMIT_AS, 1 << 30)])
        if small.code != 0:
            self.assert_error(small, 4)
        config = self.folder / "wide.yaml"
        config.write_text(CONFIG.replace("[32, 16]", "[4096]"))
        wide = self.train(self.folder / "wide", "--epochs", 1, "--config", config,
                          limits=[(resource.RLIMIT_AS, 400 << 20)])
        self.assert_error(wide, 4, "memory")

    def test_data_that_is_not_there(self):
        empty = self.folder / "empty"
        empty.mkdir()
        for folder in (empty, self.folder / "missing"):
            for program in ("train", "baseline"):
                result = run(program, "--data", folder, "--results", self.folder / "none")
                self.assert_error(result, 3)
        self.assert_error(run("evaluate", "--model", "basic", "--data", self.data, "--results", empty), 3)

    def test_values_that_are_refused(self):
        for option, value in (("--learning-rate", "0"), ("--learning-rate", "nan"), ("--batch-size", "0"),
                              ("--batch-size", "2147483648"), ("--epochs", "0"), ("--precision", "fp8"),
                              ("--model", "basci")):
            with self.subTest(option + " " + value):
                self.assert_error(self.train(self.folder / "none", option, value), 2, option, value)


class BadSongs(Pipeline):
    def one(self, song, **options):
        return run("extract_audio", "--input", song, "--feature", "mel", "--output", self.folder / "x.npy",
                   timeout=30, **options)

    def some_song(self):
        return next(p for p in sorted(self.data.rglob("*")) if p.suffix == ".wav")

    def test_files_that_are_no_songs(self):
        song = self.some_song().read_bytes()
        bad = {"empty.wav": b"", "header.wav": song[:44], "text.wav": b"hello, world\n" * 50, "text.mp3": b"hello" * 99,
               "zero.flac": bytes(5000)}
        for name, content in bad.items():
            with self.subTest(name):
                (self.folder / name).write_bytes(content)
                self.assert_error(self.one(self.folder / name), 3, name)
                self.assertFalse((self.folder / "x.npy").exists())

    def test_things_that_are_no_files(self):
        os.mkfifo(self.folder / "pipe.wav")
        os.symlink(self.folder / "loop.wav", self.folder / "loop.wav")
        for song in (self.folder / "pipe.wav", self.folder, "/dev/zero", self.folder / "loop.wav",
                     self.folder / "missing.wav"):
            with self.subTest(str(song)):
                self.assert_error(self.one(song), 3, str(song))

    def test_one_song(self):
        ok(self.one(self.some_song()))
        self.assertTrue((self.folder / "x.npy").read_bytes().startswith(b"\x93NUMPY"))

    def test_a_bad_song_among_many(self):
        data = self.folder / "data"
        shutil.copytree(self.data, data, ignore=shutil.ignore_patterns("features"))
        bad = next(p for p in sorted(data.rglob("*.wav")))
        bad.write_bytes(b"")
        for extracted, unchanged in ((39, 0), (0, 39)):
            result = run("extract_audio", "--data", data, "--config", self.config)
            self.assert_error(result, 3, "1 of 40")
            self.assertIn(f"warning: skipped {bad}", result.stderr)
            self.assertRegex(result.stdout, rf"(?m)^\s*40\s+{extracted}\s+{unchanged}\s+1\s")
        ok(run("extract_audio", "--data", data, "--config", self.config, "--skip-bad"))
        strict = run("extract_audio", "--data", data, "--config", self.config, "--strict")
        self.assert_error(strict, 3, bad.name)


if __name__ == "__main__":
    unittest.main()
