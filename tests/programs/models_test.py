#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every model through the programs, on small spectrograms: the command lines of the README, aliases, bad settings."""
import csv
import os
import pathlib
import re
import shutil
import signal
import tempfile
import unittest

from program import ProgramTest, finish, run, start

SMALL = """
model: {hidden: [24, 12], channels: [4, 8, 8], latent_dim: 4, n_clusters: 5}
features: {sample_rate: 8000, n_fft: 256, hop_length: 256, n_mels: 16, n_mfcc: 8, duration: 3}
training: {batch_size: 8, crop_frames: 40, pretrain_epochs: 3, epochs: 2}
"""
NAMES = ("basic", "conv", "beta", "cvae_genre", "cvae_language", "vade")


class Models(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.TemporaryDirectory(prefix="chorale-models-")
        root = pathlib.Path(cls.shared.name)
        cls.data, cls.config = root / "data", root / "small.yaml"
        cls.config.write_text(SMALL)
        for command in (("make_corpus", "--output", cls.data, "--n-tracks", 30, "--seconds", 3),
                        ("extract_audio", "--data", cls.data, "--config", cls.config)):
            result = run(*command)
            assert result.code == 0, result

    @classmethod
    def tearDownClass(cls):
        cls.shared.cleanup()

    def command(self, program, *arguments, data=None, results=None):
        return (program, "--data", data or self.data, "--results", results or self.folder, "--config", self.config,
                "--device", "cpu", *arguments)

    def train(self, *arguments, **places):
        return run(*self.command("train", "--modality", "audio", *arguments, **places))

    def history(self, name, results=None):
        with open((results or self.folder) / "checkpoints" / name / "history.csv") as file:
            return list(csv.DictReader(file))

    def test_every_command_line(self):
        for name, arguments in (("basic", ("--model", "basic")), ("conv", ("--model", "conv")),
                                ("beta", ("--model", "beta", "--beta", "4.0")),
                                ("cvae_genre", ("--model", "cvae", "--condition", "genre")),
                                ("cvae_language", ("--model", "cvae", "--condition", "language")),
                                ("vade", ("--model", "vade", "--n_clusters", "5"))):
            with self.subTest(name):
                self.assertIn(name, self.assert_ok(self.train(*arguments)).stdout)
                self.assertEqual(len(self.history(name)), 2)
                folder = self.folder / "checkpoints" / name
                self.assertEqual(len(list(folder.glob("events.out.tfevents.*"))), 1)
                if shutil.which("gnuplot"):
                    self.assertTrue((self.folder / f"visualizations/{name}_training.png").exists())
                self.assert_ok(run("evaluate", "--model", name, "--data", self.data, "--results", self.folder,
                                   "--n-clusters", "3"))
                for file in (folder / "latents.tsv", self.folder / f"metrics/{name}_clustering_results.csv"):
                    self.assertTrue(file.exists(), file)
        for alias, name in (("conv_vae", "conv"), ("beta_vae", "beta"), ("cvae", "cvae_language")):
            self.assert_ok(run("cluster", "--model", alias, "--condition", "language", "--checkpoint", "best_model.pt",
                               "--n-clusters", 3, "--data", self.data, "--results", self.folder))
            self.assertTrue((self.folder / f"embeddings/{name}_labels.npy").exists())

    def test_variants(self):
        for arguments in (("--model", "conv", "--arch", "deep"), ("--model", "conv", "--arch", "flat"),
                          ("--model", "conv", "--crop-frames", 0), ("--model", "conv", "--features", "both"),
                          ("--model", "beta", "--objective", "tc"), ("--model", "beta", "--objective", "factor")):
            with self.subTest(arguments):
                if "both" in arguments:
                    self.assert_ok(run("extract_audio", "--data", self.data, "--config", self.config, "--features",
                                       "both"))
                name = arguments[1]
                self.assert_ok(self.train(*arguments))
                self.assert_ok(run("evaluate", "--model", name, "--data", self.data, "--results", self.folder,
                                   "--n-clusters", "3"))
        film = self.folder / "film.yaml"
        film.write_text(SMALL.replace("n_clusters: 5", "condition_mode: film"))
        self.assert_ok(run("train", "--model", "cvae", "--data", self.data, "--results", self.folder, "--config", film))

    def test_windows(self):
        def songs_and_clips(window, hop):
            arguments = ("--window", window, "--hop", hop)
            extracted = self.assert_ok(run("extract_audio", "--data", self.data, "--config", self.config, *arguments))
            self.assertEqual(extracted.table()["30"].split()[2], "0", "skipped")
            for name in ("basic", "cvae_genre"):
                self.assert_ok(self.train("--model", name.split("_")[0], *arguments))
                self.assert_ok(run("evaluate", "--model", name, "--data", self.data, "--results", self.folder,
                                   "--n-clusters", "3"))
                with open(self.folder / f"embeddings/{name}.npy", "rb") as file:
                    self.assertIn(b"(30, 4)", file.read(128))
                with open(self.folder / f"embeddings/{name}.csv") as file:
                    rows = list(csv.DictReader(file))
                self.assertEqual(len({row["song_id"] for row in rows}), 30)
                self.assertEqual({row["split"] for row in rows}, {"train", "validation"})
            baseline = self.assert_ok(run(*self.command("baseline", "--epochs", 1, *arguments)))
            for method in ("raw", "pca", "autoencoder"):
                self.assertIn(method + "+kmeans/genre", baseline.stdout)
            return re.search(r"clips: (\d+) ", extracted.stderr).group(1)

        self.assertEqual(songs_and_clips(1, 0.5), "150")
        self.assertEqual(songs_and_clips(10, 20), "30", "longer than the songs")
        for arguments, words in ((("--hop", 0), ("--hop", "0.01")), (("--hop", -1), ("--hop", "-1")),
                                 (("--window", -1), ("--window", "-1")), (("--window", 0.01), ("--window", "n_fft"))):
            for program in ("extract_audio", "train"):
                with self.subTest(program=program, arguments=arguments):
                    self.assert_error(run(program, "--data", self.data, "--config", self.config, *arguments), 2, *words)

    def test_resumed_equals_uninterrupted(self):
        for name, arguments in (("conv", ("--model", "conv")), ("vade", ("--model", "vade"))):
            whole, parts = self.folder / "whole", self.folder / "parts"
            self.assert_ok(self.train(*arguments, "--epochs", 4, results=whole))
            self.assert_ok(self.train(*arguments, "--epochs", 2, results=parts))
            self.assert_ok(self.train(*arguments, "--epochs", 4, "--resume", results=parts))
            for file in ("last.safetensors", "history.csv"):
                self.assertEqual((whole / "checkpoints" / name / file).read_bytes(),
                                 (parts / "checkpoints" / name / file).read_bytes(), name)

    def test_augmentation(self):
        def checkpoint(name, *arguments, folder):
            self.assert_ok(self.train("--model", name, *arguments, results=self.folder / folder))
            return (self.folder / folder / "checkpoints" / name / "last.safetensors").read_bytes()

        sound = ("--augment-rate", 1.2, "--augment-pitch-steps", 2, "--augment-noise-snr-db", 20)
        masks = ("--time-masks", 2, "--frequency-masks", 1)
        for name, on in (("basic", (*sound, "--augment-gain-db", 6)), ("conv", (*sound, *masks)), ("conv", masks),
                         ("vade", sound)):
            with self.subTest(name=name, on=on):
                changed = checkpoint(name, *on, folder="changed")
                self.assertEqual(checkpoint(name, *on, "--threads", 1, folder="again"), changed)
                self.assertNotEqual(checkpoint(name, folder="plain"), changed)
                self.assert_ok(self.train("--model", name, *on, "--epochs", 1, results=self.folder / "parts"))
                self.assertEqual(checkpoint(name, *on, "--resume", folder="parts"), changed)
                self.assert_error(self.train("--model", name, "--resume", results=self.folder / "changed"), 3,
                                  "augmentation.", "(absent) here")
                shutil.rmtree(self.folder / "parts")
        for arguments, words in ((("--model", "basic", "--time-masks", 2), ("--time-masks", "conv")),
                                 (("--model", "conv", "--augment-gain-db", 6), ("augmentation.gain_db", "mel_db")),
                                 (("--model", "conv", "--augment-rate", 0.5), ("--augment-rate", "1"))):
            with self.subTest(arguments):
                self.assert_error(self.train(*arguments), 2, *words)

    def test_train_all_goes_on_where_it_stopped(self):
        process = start(*map(str, self.command("train_all", "--epochs", 40)))
        while not (self.folder / "checkpoints/conv/last.safetensors").exists() and process.poll() is None:
            pass
        process.send_signal(signal.SIGINT)
        self.assertIn(finish(process).code, (0, 130))
        basic = (self.folder / "checkpoints/basic/last.safetensors").stat().st_mtime_ns
        done = self.assert_ok(run(*self.command("train_all", "--epochs", 40)))
        self.assertEqual(basic, (self.folder / "checkpoints/basic/last.safetensors").stat().st_mtime_ns)
        for name in NAMES:
            self.assertIn(name, done.stdout)
        self.assertEqual(sorted(os.listdir(self.folder / "checkpoints")), sorted(NAMES))

    def test_wrong_settings(self):
        for arguments, code, words in (
                (("--model", "conv", "--beta", "4"), 2, ("--beta", "beta")),
                (("--model", "basic", "--n-clusters", "5"), 2, ("--n-clusters", "vade")),
                (("--model", "conv", "--condition", "genre"), 2, ("--condition", "cvae")),
                (("--model", "vade", "--n-clusters", "1000"), 2, ("--n-clusters", "1000")),
                (("--model", "conv", "--features", "statistics"), 2, ("statistics", "mel_db")),
                (("--model", "conv", "--channels", "2,2,2,2,2"), 2, ("model.channels", "16 bands")),
                (("--model", "cvae", "--condition", "mood"), 2, ("--condition", "mood"))):
            with self.subTest(arguments):
                self.assert_error(self.train(*arguments), code, *words)

    def test_condition_that_says_nothing(self):
        data = self.folder / "data"
        shutil.copytree(self.data, data)
        manifest = (data / "manifest.csv").read_text().splitlines()
        column = manifest[0].split(",").index("genre")

        def with_genre(genre):
            rows = [line.split(",") for line in manifest[1:]]
            for row in rows:
                row[column] = genre
            (data / "manifest.csv").write_text("\n".join([manifest[0], *(",".join(row) for row in rows)]) + "\n")

        with_genre("pop")
        self.assert_error(self.train("--model", "cvae", data=data), 3, "--condition", "same genre")
        with_genre("")
        self.assert_error(self.train("--model", "cvae", data=data), 3, "manifest.csv:2", "empty genre")

    def test_checkpoint_of_another_architecture(self):
        self.assert_ok(self.train("--model", "conv"))
        self.assert_error(self.train("--model", "conv", "--arch", "deep", "--resume"), 3, "model.arch is pooled there")
        folder = self.folder / "checkpoints"
        shutil.copytree(folder / "conv", folder / "basic")
        configuration = folder / "basic/config.yaml"
        configuration.write_text(configuration.read_text().replace("name: conv", "name: basic"))
        self.assert_error(run("evaluate", "--model", "basic", "--data", self.data, "--results", self.folder), 3,
                          "does not fit")

    def test_batch_larger_than_the_songs(self):
        self.assert_ok(self.train("--model", "conv", "--batch-size", 500))


if __name__ == "__main__":
    unittest.main()
