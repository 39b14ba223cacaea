#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What every program gets from tools/common, tried on `probe`, a program that is nothing else."""
import os
import pty
import resource
import select
import subprocess
import time
import unittest

from program import (BIN, INTERRUPT, LLVM_OPENMP, SANITIZED, TERMINATE, ProgramTest, finish, has_gpu, run, start,
                     wait_until_caught)


class Options(ProgramTest):
    def test_hyphens_and_underscores(self):
        for name in ("--n-clusters", "--n_clusters"):
            for arguments in ((name, "7"), (name + "=7",)):
                self.assertEqual(self.assert_ok(run("probe", *arguments)).table()["n_clusters"], "7")

    def test_a_value_keeps_its_underscores_and_hyphens(self):
        for value in ("a_b=c_d", "-rf", "--n_lusters", ""):
            for arguments in (("--text", value), (f"--text={value}",)):
                self.assertEqual(self.assert_ok(run("probe", *arguments)).table()["text"], value)

    def test_the_last_one_counts(self):
        self.assertEqual(run("probe", "--n-clusters", 3, "--n-clusters", 4).table()["n_clusters"], "4")

    def test_unknown_option_names_the_nearest(self):
        self.assert_error(run("probe", "--n-cluster", 3), 2, "--n-cluster:", "did you mean --n-clusters?")
        self.assert_error(run("probe", "--learing_rate=3"), 2, "did you mean --learning-rate?")
        self.assert_error(run("probe", "--zzzzzz"), 2, "--zzzzzz:", "--help")
        self.assert_error(run("probe", "-x"), 2, "-x")

    def test_unexpected_argument(self):
        self.assert_error(run("probe", "file\nname"), 2, "file name: unexpected argument")

    def test_missing_value(self):
        self.assert_error(run("probe", "--text"), 2, "--text: takes one value")

    def test_numbers(self):
        for value in ("0", "1001", "abc", "3.5", "", "1e2", "99999999999999999999", "0x10", " 3"):
            self.assert_error(run("probe", f"--n-clusters={value}"), 2, "--n-clusters:", "(allowed 1..1000)")
        for value in ("0", "-1", "nan", "inf", "1e400", "0,5", "1.5"):
            self.assert_error(run("probe", f"--learning-rate={value}"), 2, "--learning-rate:", "(allowed above 0 to 1)")
        self.assertEqual(run("probe", "--learning-rate", "2.5e-3").table()["learning_rate"], "0.0025")

    def test_lists(self):
        self.assertEqual(run("probe", "--ks", "3,4,5").table()["ks"], "3 from 3")
        for value in ("3,,4", "", "3,", "3,101"):
            self.assert_error(run("probe", "--ks", value), 2, "--ks:")

    def test_choices(self):
        self.assert_error(run("probe", "--device", "tpu"), 2, "--device: unknown value: tpu (allowed auto, cuda, cpu)")

    def test_value_if_bare(self):
        for arguments, value in (((), "no"), (("--resume",), "auto"), (("--resume", "last"), "last")):
            self.assertEqual(run("probe", *arguments).table()["resume"], value)

    def test_switches(self):
        self.assertIn("no CUDA device" if not has_gpu() else "", run("probe", "--action", "device").stderr)
        self.assertEqual(run("probe", "--action", "device", "--quiet").stderr, "")
        self.assert_error(run("probe", "--quiet=maybe"), 2, "--quiet:")

    def test_flags_of_the_configuration(self):
        table = run("probe", "--epochs", 9, "--n-clusters", 6).table()
        self.assertEqual((table["training.epochs"], table["clustering.n_clusters"]), ("9", "6"))
        self.assertNotIn("training.learning_rate", table)
        self.assert_error(run("probe", "--epochs", "many"), 2, "--epochs", "many")
        self.assertIn("(1..1000000; default 100)", run("probe", "--help").stdout)

    def test_flags_win_over_the_file_and_the_file_over_defaults(self):
        file = self.folder / "run.yaml"
        file.write_text("training:\n  epochs: 7\n  seed: 5\n")
        for flags, epochs, seed in (((), "7", "5"), (("--epochs", 9, "--seed", 0), "9", "0")):
            table = self.assert_ok(run("probe", "--config", file, *flags)).table()
            self.assertEqual((table["config.epochs"], table["seed"]), (epochs, seed))
        table = run("probe").table()
        self.assertEqual((table["config.epochs"], table["seed"]), ("100", "42"))

    def test_configuration_files_that_are_refused(self):
        for text, words in (("training:\n  epohcs: 7\n", "epochs"), ("training:\n  epochs: no\n", "run.yaml:2"),
                            ("training:\n  epochs: 7\n  epochs: 8\n", "run.yaml:3"), ("\t- [", "run.yaml")):
            file = self.folder / "run.yaml"
            file.write_text(text)
            self.assert_error(run("probe", "--config", file), 2, words)
        self.assert_error(run("probe", "--config", self.folder / "missing.yaml"), 3, "missing.yaml")
        self.assert_error(run("probe", "--config", self.folder), 3, str(self.folder))

    def test_seed(self):
        for seed in ("0", "18446744073709551615"):
            self.assertEqual(run("probe", "--seed", seed).table()["seed"], seed)
        for seed in ("-1", "18446744073709551616", "1.5", "x"):
            self.assert_error(run("probe", "--seed", seed), 2, "--seed:", "(allowed 0..18446744073709551615)")

    def test_threads(self):
        self.assertEqual(run("probe", "--threads", 3).table()["threads"], "3")
        for threads in ("0", "-1", "1025", "1000000", "two"):
            self.assert_error(run("probe", "--threads", threads), 2, "--threads:", "(allowed 1..1024)")

    @unittest.skipIf(LLVM_OPENMP, "LLVM's OpenMP runtime ends on such values before the program can look at them")
    def test_threads_of_the_environment(self):
        for nonsense in ("banana", "-3", "0", ""):
            result = self.assert_ok(run("probe", environment={"OMP_NUM_THREADS": nonsense}))
            self.assertGreaterEqual(int(result.table()["threads"]), 1)
        self.assertEqual(run("probe", environment={"OMP_NUM_THREADS": "1000000"}).table()["threads"], "1024")

    def test_numbers_do_not_depend_on_the_locale(self):
        for locale in ("de_DE.UTF-8", "nonsense", "C"):
            result = run("probe", "--learning-rate", "0.25", environment={"LC_ALL": locale})
            self.assertEqual(self.assert_ok(result).table()["learning_rate"], "0.25")

    def test_help_and_version(self):
        result = self.assert_ok(run("probe", "--help", "--n-clusters", 3))
        for word in ("--n-clusters N", "(1..1000; default 5)", "--data DIR", "--results DIR", "--log-level"):
            self.assertIn(word, result.stdout)
        self.assertRegex(run("probe", "--version").stdout, r"^probe \(chorale\) \d+\.\d+\.\d+\n$")


class ExitCodes(ProgramTest):
    def test_errors(self):
        for action, code, words in (("usage", 2, "--x: wrong: 1"), ("input", 3, "song.wav: empty: 0 bytes"),
                                    ("numerical", 5, "loss: not finite"), ("peer", 6, "rank 1"),
                                    ("memory", 4, "memory: out of memory"), ("standard", 1, "broken")):
            with self.subTest(action):
                if action == "memory" and SANITIZED:
                    self.skipTest("a sanitizer ends the program at once instead of throwing bad_alloc")
                self.assert_error(run("probe", "--action", action), code, words)

    def test_errors_nobody_can_catch(self):
        self.assert_error(run("probe", "--action", "thread"), 3, "lost in a thread")
        result = run("probe", "--action", "parallel", "--threads", 1)
        self.assert_error(result, 4, "memory: out of memory")

    @unittest.skipIf(has_gpu(), "this machine has a GPU")
    def test_device_that_is_not_there(self):
        self.assert_error(run("probe", "--device", "cuda"), 4, "--device cuda:")
        result = self.assert_ok(run("probe", "--action", "device"))
        self.assertEqual(len(result.stderr.splitlines()), 1, "one notice that says why the CPU is used")
        self.assertEqual(self.assert_ok(run("probe", "--action", "device", "--device", "cpu")).stderr, "")


class Output(ProgramTest):
    def test_reader_that_leaves(self):
        process = start("probe", "--action", "flood")
        process.stdout.readline()
        process.stdout.close()
        process.wait(timeout=30)
        self.assertEqual((process.returncode, process.stderr.read()), (0, ""))
        process.stderr.close()

    def test_full_disk(self):
        with open("/dev/full", "w") as full:
            self.assert_error(run("probe", stdout=full), 3, "standard output: cannot write: No space left")

    def test_descriptors_closed_before_the_start(self):
        for descriptors in ((1,), (2,), (0, 1, 2)):
            close = lambda: [os.close(d) for d in descriptors]
            process = subprocess.Popen([BIN / "probe"], preexec_fn=close, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            self.assertEqual(process.wait(timeout=30), 0)

    def test_progress_only_on_a_terminal(self):
        self.assertNotIn("ticks", self.interrupt_after("probe", "--action", "wait").stderr)
        primary, terminal = pty.openpty()
        process = subprocess.Popen([BIN / "probe", "--action", "wait"], stdout=subprocess.DEVNULL, stderr=terminal)
        os.close(terminal)
        shown = b""
        deadline = time.monotonic() + 20
        while b"/600 ticks" not in shown or b" left" not in shown:
            self.assertLess(time.monotonic(), deadline, shown)
            if select.select([primary], [], [], 1)[0]:
                shown += os.read(primary, 4096)
        process.send_signal(TERMINATE)
        process.wait(timeout=30)
        os.close(primary)

    def interrupt_after(self, *arguments):
        process = start(*arguments)
        wait_until_caught(process, INTERRUPT)
        time.sleep(0.4)  # a bar would have been drawn by then
        process.send_signal(INTERRUPT)
        return finish(process)


class Signals(ProgramTest):
    def interrupt(self, *arguments, signals):
        process = start("probe", *arguments)
        wait_until_caught(process, signals[0])
        for number in signals:
            process.send_signal(number)
            time.sleep(0.02)
        return finish(process)

    def test_a_program_without_state_stops(self):
        for number, code in ((INTERRUPT, 130), (TERMINATE, 143)):
            result = self.interrupt("--action", "wait", signals=[number])
            self.assertEqual((result.code, result.stdout), (code, ""))

    def test_a_program_with_state_saves_it(self):
        for number, code in ((INTERRUPT, 130), (TERMINATE, 143)):
            result = self.interrupt("--keeps-state", "--action", "wait", signals=[number])
            self.assertEqual((result.code, result.stdout), (code, "state saved\n"))

    def test_the_second_signal_stops_at_once(self):
        process = start("probe", "--keeps-state", "--action", "linger")
        wait_until_caught(process, INTERRUPT)
        process.send_signal(INTERRUPT)
        time.sleep(0.2)
        self.assertIsNone(process.poll())
        process.send_signal(INTERRUPT)
        result = finish(process, timeout=5)
        self.assertEqual((result.code, result.stdout), (130, ""))


class Limits(ProgramTest):
    @unittest.skipIf(SANITIZED, "sanitizers reserve terabytes of address space")
    def test_address_space(self):
        small = [(resource.RLIMIT_AS, 400 << 20)]
        self.assert_ok(run("probe", limits=small))
        result = self.assert_ok(run("probe", "--threads", 500, limits=small))
        self.assertIn("warning: --threads: only", result.stderr)
        self.assert_error(run("probe", "--action", "memory", limits=small), 4, "out of memory")

    def test_files_and_stack(self):
        self.assert_ok(run("probe", limits=[(resource.RLIMIT_NOFILE, 64)]))
        self.assert_ok(run("probe", limits=[(resource.RLIMIT_STACK, 256 << 10)]))


if __name__ == "__main__":
    unittest.main()
