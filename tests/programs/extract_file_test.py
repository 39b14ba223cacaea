#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""extract_audio --input: every feature of one file, its shape and type, and what is refused.

The values are compared with librosa's in tests/audio; here the flags must reach them.
"""
import array
import math
import re
import struct
import unittest
import wave

from program import ProgramTest, run

RATE, SECONDS, TEMPO = 22050, 8, 100
FRAMES = 1 + RATE * SECONDS // 512


def write_clicks(path):
    """Bursts that fade within a tenth of a second, TEMPO a minute."""
    state, samples = 12345, array.array("h")
    for i in range(RATE * SECONDS):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        phase = i / RATE % (60 / TEMPO)
        samples.append(int(26000 * math.exp(-60 * phase) * ((state >> 8) / 8388608 - 1)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())


class ExtractFile(ProgramTest):
    def setUp(self):
        super().setUp()
        self.song, self.output = self.folder / "song.wav", self.folder / "x.npy"
        write_clicks(self.song)

    def extract(self, feature, *flags):
        return run("extract_audio", "--device", "cpu", "--input", self.song, "--output", self.output, "--feature", feature,
                   *flags)

    def values(self, feature, *flags):
        """The type, shape and first value of what is written."""
        self.assert_ok(self.extract(feature, *flags))
        data = self.output.read_bytes()
        length = struct.unpack("<H", data[8:10])[0]
        header = data[10:10 + length].decode()
        kind = re.search(r"'descr': '(\S+)'", header).group(1)
        shape = tuple(int(n) for n in re.search(r"'shape': \(([^)]*)\)", header).group(1).split(",") if n.strip())
        self.assertEqual(len(data) - 10 - length, math.prod(shape) * int(kind[2:]))
        return kind, shape, struct.unpack("<f", data[10 + length:14 + length])[0]

    def test_every_feature(self):
        for feature, flags, shape in (("mel", (), (128, FRAMES)), ("mel_db", (), (128, FRAMES)),
                                      ("log_mel", ("--n-mels", 32), (32, FRAMES)),
                                      ("mfcc", ("--n-mfcc", 13), (13, FRAMES)),
                                      ("mfcc", ("--n-mels", 20), (20, FRAMES)),
                                      ("mfcc_delta", ("--order", 1), (80, FRAMES)),
                                      ("rms", ("--frame-length", 700), (1, FRAMES)), ("spectral_centroid", (), (1, FRAMES)),
                                      ("chroma", ("--n-chroma", 24), (24, FRAMES)), ("onset_strength", (), (FRAMES,)),
                                      ("mel", ("--sr", 16000, "--n-fft", 400, "--hop-length", 160, "--n-mels", 40,
                                               "--center=false"), (40, 1 + (16000 * SECONDS - 400) // 160))):
            with self.subTest(feature=feature, flags=flags):
                self.assertEqual(self.values(feature, *flags)[:2], ("<f4", shape))
        self.assertEqual(self.values("stft", "--n-fft", 1000)[:2], ("<c8", (501, FRAMES)))

    def test_tempo_is_printed_and_written(self):
        kind, shape, value = self.values("tempo")
        self.assertEqual((kind, shape), ("<f4", (1,)))
        result = self.extract("tempo")
        self.assertAlmostEqual(float(result.stdout), value, places=4)
        self.assertAlmostEqual(value, TEMPO, delta=3)
        self.assertLess(self.values("tempo", "--max-tempo", 70)[2], 70)

    def test_flags_reach_the_values(self):
        def written(feature, *flags):
            self.assert_ok(self.extract(feature, *flags))
            return self.output.read_bytes()

        default = {feature: written(feature)
                   for feature in ("mel", "mel_db", "mfcc", "rms", "chroma", "stft", "onset_strength")}
        for feature, *flags in (("mel", "--window-function", "hamming"), ("mel", "--win-length", 900),
                                ("mel", "--pad-mode", "edge"),
                                ("mel", "--htk"), ("mel", "--norm", "none"), ("mel", "--mel-norm", 1), ("mel", "--power", 1),
                                ("mel", "--fmin", 200), ("mel", "--fmax", 2000), ("mel_db", "--ref", 2),
                                ("mfcc", "--norm", "none"), ("mfcc", "--dct-type", 3), ("mfcc", "--lifter", 22),
                                ("mfcc", "--top-db", 20), ("mfcc", "--amin", 1), ("rms", "--pad-mode", "reflect"),
                                ("chroma", "--norm", 1), ("chroma", "--tuning", 0.4),
                                ("onset_strength", "--aggregate", "median"), ("onset_strength", "--detrend"),
                                ("onset_strength", "--lag", 2), ("stft", "--pad-mode", "reflect")):
            with self.subTest(feature=feature, flags=flags):
                self.assertNotEqual(written(feature, *flags), default[feature])

    def test_refused(self):
        for feature, flags, words in (
                ("mel", ("--n-fft", 2205), ("--n-fft", "2205", "16 to 16384")),
                ("mel", ("--hop-length", 0), ("--hop-length",)),
                ("mel", ("--hop-length", 4096), ("--hop-length", "1 to n_fft")), ("mel", ("--n-mels", 2000), ("--n-mels",)),
                ("mel", ("--fmin", 9000, "--fmax", 8000), ("--fmin, --fmax", "9000, 8000", "11025")),
                ("mel", ("--win-length", 5000), ("--win-length",)),
                ("mel", ("--window-function", "kaiser"), ("--window-function", "hann")),
                ("mel", ("--window", "hann"), ("--window:", "--window-function hann")),
                ("mel", ("--skip-bad",), ("--skip-bad", "without --input")),
                ("mel", ("--power", 0), ("--power",)), ("mel", ("--norm", "-1"), ("--norm", "slaney")),
                ("mel", ("--lifter", 3), ("--lifter", "mfcc")), ("mel", ("--pad-mode", "wrap"), ("--pad-mode", "reflect")),
                ("mel", ("--sr", 10), ("--sr", "1000")), ("mel", ("--duration", -1), ("--duration",)),
                ("mel_db", ("--amin", 0), ("--amin",)), ("mel_db", ("--top-db", -3), ("--top-db", "none")),
                ("mel_db", ("--ref", "loudest"), ("--ref", "max")), ("mfcc", ("--n-mfcc", 200), ("--n-mfcc", "128")),
                ("mfcc", ("--dct-type", 4), ("--dct-type",)), ("mfcc", ("--lifter", -1), ("--lifter",)),
                ("mfcc_delta", ("--width", 4), ("--width", "odd")), ("mfcc_delta", ("--order", 9), ("--order",)),
                ("rms", ("--frame-length", 0), ("--frame-length",)), ("rms", ("--n-fft", 512), ("--n-fft", "no use")),
                ("chroma", ("--n-chroma", 1), ("--n-chroma",)), ("chroma", ("--norm", 3), ("--norm",)),
                ("chroma", ("--tuning", "sharp"), ("--tuning", "auto")), ("onset_strength", ("--lag", 0), ("--lag",)),
                ("onset_strength", ("--aggregate", "max"), ("--aggregate", "median")),
                ("tempo", ("--detrend",), ("--detrend", "onset_strength")),
                ("tempo", ("--start-bpm", 0), ("--start-bpm",)), ("tempo", ("--std-bpm", 0), ("--std-bpm",)),
                ("tempo", ("--ac-size", 0), ("--ac-size",)), ("tempo", ("--max-tempo", -1), ("--max-tempo",)),
                ("loudness", (), ("--feature", "spectral_centroid"))):
            with self.subTest(feature=feature, flags=flags):
                self.assert_error(self.extract(feature, *flags), 2, *words)
                self.assertFalse(self.output.exists())
        self.assert_error(self.extract("mfcc_delta", "--duration", 0.1), 3, "song.wav", "too few frames")
        self.assert_error(self.extract("rms", "--center=false", "--duration", 0.05), 3, "song.wav", "too few samples")
        self.assert_error(run("extract_audio", "--lifter", 3), 2, "--lifter", "--input")

    def test_bands_without_bins_are_a_warning(self):
        result = self.assert_ok(self.extract("mel", "--n-fft", 256, "--hop-length", 64))
        self.assertEqual(result.stderr.count("stay empty"), 1, result)


if __name__ == "__main__":
    unittest.main()
