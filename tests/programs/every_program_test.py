#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What every program promises, tried on each of them."""
import os
import statistics
import unittest

from program import PROGRAMS, ProgramTest, has_gpu, run

COMMON = ("--device", "--seed", "--threads", "--config", "--log-level", "--quiet", "--help", "--version")


class EveryProgram(ProgramTest):
    def each(self):
        for name in PROGRAMS:
            with self.subTest(name):
                yield name

    def test_programs_are_known(self):
        self.assertLessEqual({"make_corpus", "extract_audio", "augment", "train", "evaluate", "cluster", "baseline"},
                             set(PROGRAMS))

    def test_help(self):
        for name in self.each():
            result = self.assert_ok(run(name, "--help"))
            self.assertIn(f"Usage: {name} [options]", result.stdout)
            for option in COMMON:
                self.assertIn(option, result.stdout)
            times = [run(name, "--help").seconds for _ in range(5)]
            print(f"{name} --help: {1000 * statistics.median(times):.1f} ms")

    def test_version(self):
        for name in self.each():
            self.assertTrue(self.assert_ok(run(name, "--version")).stdout.startswith(f"{name} (chorale) "))

    def test_wrong_usage(self):
        for name in self.each():
            for arguments in (["--no-such-option"], ["--device", "tpu"], ["--seed", "-1"], ["--threads", "0"],
                              ["--log-level", "loud"], ["surplus"], ["--config"]):
                self.assert_error(run(name, *arguments, cwd=self.folder), 2, arguments[0])

    def test_configuration_that_is_not_there(self):
        for name in self.each():
            result = run(name, "--config", "missing.yaml", cwd=self.folder)
            self.assertIn(result.code, (2, 3), result)
            self.assert_error(result, result.code)
            self.assertEqual(os.listdir(self.folder), [], "nothing is written after wrong usage")

    @unittest.skipIf(has_gpu(), "this machine has a GPU")
    def test_device_that_is_not_there(self):
        for name in self.each():
            result = run(name, "--device", "cuda", cwd=self.folder)
            # A required option that is missing is noticed before the device.
            self.assertIn(result.code, (2, 4), result)
            self.assert_error(result, result.code, "--")


if __name__ == "__main__":
    unittest.main()
