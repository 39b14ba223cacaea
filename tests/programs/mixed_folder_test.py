#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""extract_audio over a folder of all formats in which something is wrong with many files: the good songs are
extracted, what can be saved of damaged ones is, and every other one is counted and listed with its reason."""
import array
import json
import math
import os
import pathlib
import resource
import shutil
import signal
import struct
import time
import unittest

from program import ProgramTest, SANITIZED, finish, run, start

SEEDS = pathlib.Path(__file__).resolve().parents[1] / "fuzz/seeds"
RATE = 22050


def chunk(name, body, size=None):
    return name + struct.pack("<I", len(body) if size is None else size) + body


def fmt(channels=1, rate=RATE, bits=16, block=None, tag=1):
    block = channels * bits // 8 if block is None else block
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, rate * block & 0xffffffff, block, bits))


def riff(*chunks):
    body = b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WAVE" + body


def tone(frames):
    return array.array("h", (round(9000 * math.sin(0.1 * i)) for i in range(frames))).tobytes()


DATA = chunk(b"data", tone(4000))


def floats(bad):
    samples = array.array("f", [0.1] * 3000)
    samples[1234] = bad
    return riff(fmt(bits=32, tag=3), chunk(b"data", samples.tobytes()))


def claims_too_much(flac):
    """STREAMINFO with 2^36 - 1 samples."""
    return flac[:21] + bytes([flac[21] | 15]) + b"\xff" * 4 + flac[26:]


# Rows 1 to 9 and 13: name of the file, content, words of the reason.
REFUSED = {
    "empty.wav": (b"", "empty file"), "empty.mp3": (b"", "empty file"), "empty.flac": (b"", "empty file"),
    "no_samples.wav": (riff(fmt(), chunk(b"data", b"")), "no samples"),
    "no_format.wav": (riff(DATA), "no fmt chunk"),
    "late_format.wav": (riff(DATA, fmt()), "no fmt chunk before the data"),
    "two_formats.wav": (riff(fmt(), fmt(), DATA), "second fmt chunk"),
    "no_channels.wav": (riff(fmt(channels=0, block=2), DATA), "wrong number of channels: 0"),
    "channels.wav": (riff(fmt(channels=65535, block=2), DATA), "wrong number of channels: 65535"),
    "no_rate.wav": (riff(fmt(rate=0), DATA), "wrong sample rate: 0"),
    "rate.wav": (riff(fmt(rate=4000000000), DATA), "wrong sample rate: 4000000000"),
    "no_bits.wav": (riff(fmt(bits=0, block=2), DATA), "wrong bits per sample: 0"),
    "seven_bits.wav": (riff(fmt(bits=7, block=2), DATA), "wrong bits per sample: 7"),
    "many_bits.wav": (riff(fmt(bits=128), DATA), "wrong bits per sample: 128"),
    "block.wav": (riff(fmt(block=3), DATA), "wrong block size: 3"),
    "junk_chunk.wav": (riff(fmt(), chunk(b"JUNK", b"abcd", 0xfffffff0), DATA), "no data chunk"),
    "no_pad_byte.wav": (riff(fmt(), chunk(b"LIST", b"abcde"), DATA), "no data chunk"),
    "nan.wav": (floats(math.nan), "non-finite sample at 1234"),
    "infinity.wav": (floats(-math.inf), "non-finite sample at 1234"),
    "absurd.wav": (floats(1e38), "absurd sample at 1234"),
    "text.wav": (b"Once upon a time there was no sound at all.\n" * 50, "not an audio file"),
    "text.mp3": (b"Once upon a time there was no sound at all.\n" * 50, "not an audio file"),
    "picture.flac": (b"\x89PNG\r\n\x1a\n" + bytes(3000), "not an audio file"),
    "only_marker.flac": (b"fLaC" + bytes(40), "cannot be decoded"),
    "only_marker.ogg": (b"OggS" + bytes(40), "cannot be decoded"),
}

# Rows 3, 4, 7, 10, 11 and 15: what is read all the same, and the words of the warning, if there is one.
SAVED = {
    "cut.wav": (riff(fmt(), DATA)[:-501], "data chunk claims"),
    "endless.wav": (riff(fmt(), chunk(b"data", tone(4000), 0xffffffff)), "data chunk claims 4294967295"),
    "odd_chunk.wav": (riff(fmt(), chunk(b"LIST", b"abcde"), b"\0", DATA), None),
    "unknown_chunk.wav": (riff(fmt(), chunk(b"quux", bytes(1000)), DATA), None),
    "silence.wav": (riff(fmt(), chunk(b"data", bytes(8000))), None),
    "one_sample.wav": (riff(fmt(), chunk(b"data", b"\1\2")), None),
}


class MixedFolder(ProgramTest):
    def setUp(self):
        super().setUp()
        self.data = self.folder / "data"
        self.songs = self.data / "audio/english/pop"
        self.songs.mkdir(parents=True)

    def add(self, name, content):
        """A song called after the file; its id."""
        song = f"en_{len(list(self.songs.iterdir())):04d}"
        stem, kind = name.rsplit(".", 1)
        (self.songs / f"{song}_{stem}.{kind}").write_bytes(content)
        return song

    def extract(self, *flags, **options):
        return run("extract_audio", "--device", "cpu", "--data", self.data, "--features", "mel_db", *flags, **options)

    def extracted(self):
        """Ids of the songs that have rows in the cache."""
        with open(next(self.data.glob("features/mel_db-*/index.json")), encoding="utf-8") as file:
            return {song for song, entry in json.load(file)["songs"].items() if entry["shard"] >= 0}

    def assert_finite_rows(self):
        for path in self.data.glob("features/*/shard_*.npy"):
            content = path.read_bytes()
            rows = array.array("f", content[10 + struct.unpack("<H", content[8:10])[0]:])
            self.assertTrue(all(map(math.isfinite, rows)), path)

    def test_all_formats_and_all_faults(self):
        good = {self.add(path.name, path.read_bytes()) for path in sorted(SEEDS.iterdir())
                if path.suffix not in (".csv", ".json")}
        self.assertGreaterEqual(len(good), 20)
        good |= {self.add(name, content) for name, (content, _) in SAVED.items()}
        refused = {self.add(name, content): words for name, (content, words) in REFUSED.items()}
        mp3 = (SEEDS / "layer3.mp3").read_bytes()
        refused[self.add("an_mp3.wav", mp3)] = "the name does not fit the content: .wav (allowed for MP3: .mp3)"
        refused[self.add("a_wav.mp3", riff(fmt(), DATA))] = "the name does not fit the content: .mp3"
        bomb = claims_too_much((SEEDS / "pcm16.flac").read_bytes())
        good.add(self.add("bomb.flac", bomb))
        summary = self.folder / "summary.json"
        for _ in range(2):  # the second run knows the bad ones
            result = self.extract("--json", summary)
            report = json.loads(summary.read_text())
            listed = {row["song_id"]: row["reason"] for row in report["skipped"]}
            self.assertEqual(set(listed), set(refused), listed)
            self.assert_error(result, 3, f"{len(refused)} of {len(good) + len(refused)}", "--skip-bad")
            for song, words in refused.items():
                self.assertIn(words, listed[song])
            self.assertEqual(report["extracted"] + report["unchanged"], len(good))
            self.assertEqual(self.extracted(), good)
        self.assert_finite_rows()
        self.assert_ok(self.extract("--skip-bad"))
        self.assert_error(self.extract("--strict"), 3)

    def test_what_is_saved_is_told_and_strict_refuses_it(self):
        files = {name: case for name, case in SAVED.items() if case[1]}
        files |= {"cut.mp3": ((SEEDS / "cut.mp3").read_bytes(), "cut short: "),
                  "zeros.mp3": ((SEEDS / "zeros.mp3").read_bytes(), "damaged at byte "),
                  "bomb.flac": (claims_too_much((SEEDS / "pcm16.flac").read_bytes()), "")}
        for name, (content, words) in files.items():
            shutil.rmtree(self.data)
            self.songs.mkdir(parents=True)
            self.add(name, content)
            with self.subTest(file=name):
                self.assert_error(self.extract("--strict"), 3, name.split(".")[0], words)
                result = self.assert_ok(self.extract())
                self.assertIn(words, result.stderr)
                self.assertEqual(self.extracted(), {"en_0000"})

    def test_what_is_no_file(self):
        """Row 13, through a manifest: a folder's scan leaves out what is no regular file."""
        self.add("good.wav", riff(fmt(), DATA))
        paths = {"en_1001": "directory.wav", "en_1002": "fifo.wav", "en_1004": "missing.wav"}
        (self.songs / "directory.wav").mkdir()
        os.mkfifo(self.songs / "fifo.wav")
        (self.songs / "loop.wav").symlink_to("loop.wav")
        if os.geteuid() != 0:
            (self.songs / "secret.wav").write_bytes(riff(fmt(), DATA))
            (self.songs / "secret.wav").chmod(0)
            paths["en_1005"] = "secret.wav"
        rows = [f"{song},{song},english,pop,audio/english/pop/{name},,false\n"
                for song, name in ({"en_0000": "en_0000_good.wav"} | paths).items()]
        (self.data / "manifest.csv").write_text("song_id,title,language,genre,audio_path,lyrics_path,has_lyrics\n" + "".join(rows))
        summary = self.folder / "summary.json"
        result = self.extract("--json", summary, timeout=60)
        self.assert_error(result, 3, f"{len(paths)} of {len(paths) + 1}")
        reasons = {row["song_id"]: row["reason"] for row in json.loads(summary.read_text())["skipped"]}
        self.assertEqual(set(reasons), set(paths))
        for song, name in paths.items():
            self.assertIn(name, reasons[song])
        for name in [*paths.values(), "loop.wav", "/dev/zero"]:
            path = name if name.startswith("/") else self.songs / name
            self.assert_error(run("extract_audio", "--input", path, "--output", self.folder / "x.npy", timeout=60), 3,
                              name)

    def test_a_song_that_disappears_meanwhile(self):
        """Row 14. One worker decodes song after song, so the last is not open while the first is read."""
        with open(self.songs / "en_0000_long.wav", "wb") as file:
            frames = 900 * 192000
            file.write(riff(fmt(rate=192000, bits=8), chunk(b"data", b"", frames)))
            file.truncate(44 + frames)
        self.add("vanishing.wav", riff(fmt(), DATA))
        self.add("changing.wav", riff(fmt(), DATA))
        self.add("good.wav", riff(fmt(), DATA))
        process = start("extract_audio", "--device", "cpu", "--data", self.data, "--features", "mel_db", "--window", 30,
                        "--hop", 60, "--n-workers", 1)
        self.addCleanup(process.kill)
        descriptors = pathlib.Path(f"/proc/{process.pid}/fd")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if any("long.wav" in os.readlink(entry) for entry in descriptors.iterdir()):
                    break
            except OSError:
                continue
        process.send_signal(signal.SIGSTOP)
        (self.songs / "en_0001_vanishing.wav").unlink()
        (self.songs / "en_0002_changing.wav").write_bytes(b"RIFF")
        process.send_signal(signal.SIGCONT)
        result = finish(process)
        self.assert_error(result, 3, "2 of 4", "--skip-bad")
        self.assertIn("vanishing.wav", result.stdout)
        self.assertEqual(self.extracted(), {"en_0000", "en_0003"})

    @unittest.skipIf(SANITIZED, "sanitizers keep memory of their own")
    def test_ten_hours_in_little_memory(self):
        """Row 12, a sparse file: one feature of the whole, and clips of 30 s from all over it."""
        rate, seconds = 8000, 36000
        path = self.songs / "en_0000_long.wav"
        with open(path, "wb") as file:
            file.write(riff(fmt(rate=rate, bits=8), chunk(b"data", b"", rate * seconds)))
            file.truncate(44 + rate * seconds)
        configuration = self.folder / "config.yaml"
        configuration.write_text(f"features: {{sample_rate: {rate}}}\n")
        for flags in (("--input", path, "--output", self.folder / "x.npy", "--feature", "rms", "--sr", rate,
                       "--frame-length", rate, "--hop-length", rate),
                      ("--data", self.data, "--features", "mel_db", "--config", configuration, "--window", 30, "--hop",
                       1200, "--n-workers", 1)):
            process = start("extract_audio", "--device", "cpu", *flags)
            stderr = process.stderr.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            process.stdout.close()
            process.stderr.close()
            self.assertEqual(process.returncode, 0, stderr)
            self.assertLess(usage.ru_maxrss, 200 << 10, "KiB resident")
        self.assertEqual(self.extracted(), {"en_0000"})


if __name__ == "__main__":
    unittest.main()
