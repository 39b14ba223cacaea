#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""extract_audio over a corpus: its summary, killed and gone on with, two at once, a full disk, what it shows."""
import csv
import json
import os
import pty
import resource
import shutil
import signal
import struct
import subprocess
import time
import unittest

from program import BIN, LLVM_OPENMP, ProgramTest, finish, run, start

SONGS = 150


class ExtractCorpus(ProgramTest):
    def setUp(self):
        super().setUp()
        self.data = self.folder / "data"

    def render(self, songs=40, seconds=1):
        self.assert_ok(run("make_corpus", "--output", self.data, "--n-tracks", songs, "--seconds", seconds, "--n-lyrics",
                           0))

    def extract(self, *flags, **options):
        return run("extract_audio", "--device", "cpu", "--data", self.data, "--features", "mel_db", *flags, **options)

    def started(self, *flags):
        """An extraction that has written its first shard, stopped."""
        process = start("extract_audio", "--device", "cpu", "--data", self.data, "--features", "mel_db", *flags)
        self.addCleanup(process.kill)
        deadline = time.monotonic() + 60
        while not list(self.data.glob("features/*/index.json")) and time.monotonic() < deadline:
            time.sleep(0.001)
        process.send_signal(signal.SIGSTOP)
        self.assertIsNone(process.poll(), "it ended before it could be stopped")
        return process

    def counts(self, result):
        """extracted, unchanged, skipped"""
        return tuple(int(n.replace(",", "")) for n in result.stdout.splitlines()[2].split()[1:4])

    def values(self):
        """The rows of all shards, one after the other: songs are extracted in the order of the corpus."""
        rows = b""
        for path in sorted(self.data.glob("features/*/shard_*.npy")):
            content = path.read_bytes()
            rows += content[10 + struct.unpack("<H", content[8:10])[0]:]
        return rows

    def test_skipped_songs_are_listed_with_reasons(self):
        self.render(10)
        folder = self.data / "audio/english/pop"
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(30):
            (folder / f"en_{9000 + number}_Broken.wav").write_bytes(b"not a sound")
        (folder / "en_9100_Empty.mp3").write_bytes(b"")
        (self.data / "manifest.csv").unlink()
        summary = self.folder / "summary.json"
        for _ in range(2):  # the second run reports them without reading them again
            result = self.extract("--json", summary)
            self.assert_error(result, 3, "31 of 41", "--skip-bad")
            self.assertEqual(self.counts(result)[2], 31)
            self.assertIn("en_9000: ", result.stdout)
            self.assertIn("not an audio file", result.stdout)
            self.assertIn("and 11 more", result.stdout)
            self.assertLess(result.stderr.count("\n"), 25)
            with open(next(self.data.glob("features/*/skipped.csv")), encoding="utf-8") as file:
                listed = list(csv.DictReader(file))
            self.assertEqual(len(listed), 31)
            self.assertEqual(listed[-1]["song_id"], "en_9100")
            self.assertIn("empty", listed[-1]["reason"])
            report = json.loads(summary.read_text())
            self.assertEqual(report["skipped"], [dict(row) for row in listed])
            self.assertEqual(report["extracted"] + report["unchanged"], 10)
        self.assert_ok(self.extract("--skip-bad"))
        self.assert_error(self.extract("--strict"), 3, "en_9000")

    def test_every_song_skipped(self):
        folder = self.data / "audio/english/pop"
        folder.mkdir(parents=True)
        (folder / "en_0001_Broken.wav").write_bytes(b"not a sound")
        self.assert_error(self.extract("--skip-bad"), 3, "no song could be used", "skipped.csv")

    def test_killed_or_interrupted_it_goes_on(self):
        self.render(SONGS)
        self.assert_ok(self.extract())
        whole = self.values()
        for number in (signal.SIGKILL, signal.SIGINT, signal.SIGTERM):
            for path in self.data.glob("features/*/*"):
                path.unlink()
            process = self.started()
            process.send_signal(number)
            process.send_signal(signal.SIGCONT)
            stopped = finish(process)
            if number != signal.SIGKILL:
                self.assertEqual(stopped.code, 128 + number, stopped)
                self.assertIn("the next run goes on from there", stopped.stderr)
            extracted, unchanged, _ = self.counts(self.assert_ok(self.extract()))
            self.assertGreaterEqual(unchanged, 64)
            self.assertEqual(extracted + unchanged, SONGS)
            self.assertEqual(self.values(), whole)
            self.assertEqual(self.counts(self.assert_ok(self.extract())), (0, SONGS, 0))

    def test_two_at_once(self):
        self.render(SONGS)
        first = self.started()
        self.assert_error(self.extract(), 3, f"process {first.pid} on {os.uname().nodename} since 20")
        other = self.extract("--features", "mfcc")  # a cache of its own
        self.assertEqual(self.counts(self.assert_ok(other))[0], SONGS)
        first.send_signal(signal.SIGCONT)
        self.assertEqual(finish(first).code, 0)
        self.assertEqual(self.counts(self.assert_ok(self.extract())), (0, SONGS, 0))

    @unittest.skipIf(LLVM_OPENMP, "LLVM's OpenMP runtime ends where its own shared memory meets the limit")
    def test_full_disk(self):
        self.render()
        result = self.extract(limits=[(resource.RLIMIT_FSIZE, 20000)])
        self.assert_error(result, 3, "shard_00000.npy", "file size limit reached")
        self.assertEqual([p.name for p in self.data.glob("features/*/*")], [])
        self.assertEqual(self.counts(self.assert_ok(self.extract()))[0], 40)

    def test_a_cache_of_another_version_is_made_anew(self):
        self.render(10)
        self.assert_ok(self.extract())
        index = next(self.data.glob("features/*/index.json"))
        index.write_text(index.read_text().replace('"version": 2', '"version": 7'))
        result = self.assert_ok(self.extract())
        self.assertIn("made anew: written as version 7", result.stderr)
        self.assertEqual(self.counts(result)[0], 10)

    def test_options_of_the_front_end(self):
        self.render(10)
        self.assert_ok(self.extract())
        default = self.values()
        for option in ("win_length: 1000", "window_function: blackman", "center: false", "pad_mode: edge", "power: 1",
                       "htk: true", "mel_norm: none", "amin: 1e-3", "top_db: 30"):
            with self.subTest(option):
                shutil.rmtree(self.data / "features")
                configuration = self.folder / "features.yaml"
                configuration.write_text(f"features: {{{option}}}\n")
                self.assert_ok(self.extract("--config", configuration))
                self.assertNotEqual(self.values(), default)
        self.assertEqual(self.extract("--n-mels", 200).code, 2)
        configuration.write_text("features: {n_fft: 256, hop_length: 64}\n")
        self.assertEqual(self.assert_ok(self.extract("--config", configuration)).stderr.count("stay empty"), 1)
        self.assert_error(self.extract("--window-function", "hann"), 2, "--window-function", "--config")

    def test_progress_only_on_a_terminal(self):
        self.render(SONGS)
        self.assertEqual(self.assert_ok(self.extract()).stderr, "")
        songs = sorted((self.data / "audio").rglob("*.wav"))
        for song in songs[50:]:
            os.utime(song)
        shown = self.on_a_terminal()
        self.assertIn("50/150 songs", shown)
        self.assertIn(" left", shown)
        self.assertIn("x real time", shown)
        self.assertIn("/s", shown)

    def on_a_terminal(self):
        ours, theirs = pty.openpty()
        process = subprocess.Popen([BIN / "extract_audio", "--device", "cpu", "--data", self.data, "--features", "mel_db"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs)
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the last of the other end is closed
                break
            if not part:
                break
            shown += part
        os.close(ours)
        self.assertEqual(process.wait(60), 0)
        return shown.decode()


if __name__ == "__main__":
    unittest.main()
