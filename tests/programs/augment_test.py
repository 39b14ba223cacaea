#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""augment: what each flag does to a file, and what is refused.

That tempo and pitch are librosa's is compared in tests/audio; here the flags must reach them.
"""
import array
import math
import unittest
import wave

from program import ProgramTest, run

RATE, SECONDS, TONE = 16000, 3, 400


def write_tone(path, channels=1, seconds=SECONDS, amplitude=0.5):
    samples = array.array("h")
    for i in range(int(RATE * seconds)):
        for channel in range(channels):
            samples.append(int(32767 * amplitude * math.sin(2 * math.pi * TONE * i / RATE) / (channel + 1)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())


def read(path):
    with wave.open(str(path)) as file:
        assert file.getnchannels() == 1 and file.getsampwidth() == 2
        samples = array.array("h", file.readframes(file.getnframes()))
        return [x / 32768 for x in samples], file.getframerate()


def level(samples):
    return math.sqrt(sum(x * x for x in samples) / len(samples))


def frequency(samples, rate):
    """Of a tone, by its zero crossings away from the ends."""
    middle = samples[len(samples) // 8:-len(samples) // 8]
    return sum(a < 0 <= b for a, b in zip(middle, middle[1:])) * rate / len(middle)


class Augment(ProgramTest):
    def setUp(self):
        super().setUp()
        self.song, self.output = self.folder / "song.wav", self.folder / "b.wav"
        write_tone(self.song)

    def augment(self, *flags, song=None, output=None):
        return run("augment", "--device", "cpu", "--input", song or self.song, "--output", output or self.output, *flags)

    def result(self, *flags, **paths):
        self.assert_ok(self.augment(*flags, **paths))
        return read(self.output)

    def test_rate_and_pitch(self):
        for flags, seconds, tone in (((), SECONDS, TONE), (("--rate", 1.25), SECONDS / 1.25, TONE),
                                     (("--rate", 0.8), SECONDS / 0.8, TONE), (("--pitch-steps", 12), SECONDS, 2 * TONE),
                                     (("--pitch-steps", -4), SECONDS, TONE * 2 ** (-4 / 12)),
                                     (("--pitch-steps", 24, "--bins-per-octave", 24), SECONDS, 2 * TONE),
                                     (("--pitch-steps", 2, "--rate", 1.1), SECONDS / 1.1, TONE * 2 ** (2 / 12)),
                                     (("--sr", 8000), SECONDS, TONE), (("--offset", 1, "--duration", 1.5), 1.5, TONE)):
            with self.subTest(flags=flags):
                samples, rate = self.result(*flags)
                self.assertEqual(rate, 8000 if "--sr" in flags else RATE)
                self.assertEqual(len(samples), round(seconds * rate))
                self.assertAlmostEqual(frequency(samples, rate), tone, delta=3)
                # A vocoder weakens what it slows down: its frames no longer add up in phase (librosa's does alike).
                self.assertGreater(level(samples), 0.8 * level(read(self.song)[0]))
                self.assertLess(level(samples), 1.01 * level(read(self.song)[0]))

    def test_no_change_is_none(self):
        self.assertEqual(self.result()[0], read(self.song)[0])

    def test_noise_and_gain(self):
        clean = read(self.song)[0]
        noisy = self.result("--noise-snr-db", 20, "--seed", 3)[0]
        noise = [a - b for a, b in zip(noisy, clean)]
        self.assertAlmostEqual(20 * math.log10(level(clean) / level(noise)), 20, delta=0.2)
        self.assertEqual(self.result("--noise-snr-db", 20, "--seed", 3)[0], noisy)
        self.assertEqual(self.result("--noise-snr-db", 20, "--seed", 3, "--threads", 1)[0], noisy)
        self.assertNotEqual(self.result("--noise-snr-db", 20, "--seed", 4)[0], noisy)
        self.assertAlmostEqual(20 * math.log10(level(self.result("--gain-db", -6)[0]) / level(clean)), -6, delta=0.01)

    def test_clipping_is_told(self):
        result = self.assert_ok(self.augment("--gain-db", 12))
        self.assertIn("clipped", result.stderr)
        self.assertLessEqual(max(read(self.output)[0]), 1)
        self.assertNotIn("clipped", self.assert_ok(self.augment("--gain-db", 5)).stderr)

    def test_channels_stay_apart(self):
        write_tone(self.song, channels=2)
        self.assert_ok(self.augment("--rate", 1.25, "--pitch-steps", 12, "--sr", 8000))
        with wave.open(str(self.output)) as file:
            self.assertEqual((file.getnchannels(), file.getframerate()), (2, 8000))
            samples = array.array("h", file.readframes(file.getnframes()))
        left, right = samples[0::2], samples[1::2]
        self.assertEqual(len(left), round(SECONDS / 1.25 * 8000))
        self.assertAlmostEqual(frequency(right, 8000), 2 * TONE, delta=3)
        self.assertAlmostEqual(level(right) / level(left), 0.5, delta=0.01)
        self.assertAlmostEqual(max(self.result("--mono")[0]), 0.375, delta=0.001)
        write_tone(self.song, channels=6)
        self.assert_ok(self.augment("--gain-db", -1, output=self.folder / "b.flac"))
        self.assert_error(self.augment(output=self.folder / "b.mp3"), 2, "--output", "6 channels", "--mono")

    def test_other_formats(self):
        for name, magic in (("b.flac", b"fLaC"), ("b.OGG", b"OggS")):
            with self.subTest(name):
                self.assert_ok(self.augment("--rate", 1.5, output=self.folder / name))
                self.assertEqual((self.folder / name).read_bytes()[:4], magic)

    def test_silence_and_short_files(self):
        for seconds, amplitude in ((SECONDS, 0), (1 / RATE, 0.5), (0.01, 0.5)):
            with self.subTest(seconds=seconds):
                write_tone(self.song, seconds=seconds, amplitude=amplitude)
                samples, _ = self.result("--rate", 0.5, "--pitch-steps", -3, "--noise-snr-db", 10)
                self.assertEqual(len(samples), round(2 * seconds * RATE))
                if amplitude == 0:
                    self.assertEqual(max(map(abs, samples)), 0)

    def test_refused(self):
        for flags, words in ((("--rate", 0), ("--rate", "0.1")), (("--rate", "nan"), ("--rate",)),
                             (("--pitch-steps", 25), ("--pitch-steps", "25", "24")),
                             (("--pitch-steps", 9, "--bins-per-octave", 4), ("--pitch-steps", "8")),
                             (("--bins-per-octave", 0), ("--bins-per-octave",)), (("--gain-db", "loud"), ("--gain-db",)),
                             (("--sr", 10), ("--sr", "1000")), (("--noise-snr-db", "inf"), ("--noise-snr-db",)),
                             (("--duration", -1), ("--duration",))):
            with self.subTest(flags=flags):
                self.assert_error(self.augment(*flags), 2, *words)
        self.assert_error(run("augment", "--input", self.song), 2, "--output")
        self.assert_error(self.augment(output=self.song), 2, "--output", "the input itself")
        for name in ("b.txt", "b", "b.wav.bak"):
            self.assert_error(self.augment(output=self.folder / name), 2, "--output", name, "wav")
        self.assert_error(self.augment(song=self.folder / "missing.wav"), 3, "missing.wav")
        self.song.write_text("no sound")
        self.assert_error(self.augment(), 3, "song.wav")
        self.assertFalse(self.output.exists())
        write_tone(self.song)
        self.assert_error(self.augment("--offset", 9), 3, "song.wav", "no samples")
        self.assertEqual([p.name for p in self.folder.iterdir()], ["song.wav"])


if __name__ == "__main__":
    unittest.main()
