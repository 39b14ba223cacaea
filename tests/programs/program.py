# SPDX-License-Identifier: MIT
"""Runs the built programs for the tests of this folder."""
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

BIN = pathlib.Path(os.environ["CHORALE_BIN"])
PROGRAMS = os.environ["CHORALE_PROGRAMS"].split()
SANITIZED = os.environ.get("CHORALE_SANITIZE", "") != ""
LLVM_OPENMP = "thread" in os.environ.get("CHORALE_SANITIZE", "")


class Result:
    def __init__(self, code, stdout, stderr, seconds):
        self.code, self.stdout, self.stderr, self.seconds = code, stdout, stderr, seconds

    def __str__(self):
        return f"exit {self.code}\nstdout: {self.stdout[-2000:]}\nstderr: {self.stderr[-2000:]}"

    def table(self):
        """The rows of a printed table, by their first cell."""
        return {row.split()[0]: " ".join(row.split()[1:]) for row in self.stdout.splitlines() if row.split()}


def run(program, *arguments, timeout=120, environment=None, limits=(), **options):
    """`limits`: (resource, value) pairs for setrlimit in the child."""
    def limit():
        import resource
        for kind, value in limits:
            resource.setrlimit(kind, (value, value))

    started = time.monotonic()
    done = subprocess.run([BIN / program, *map(str, arguments)], text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL, stdout=options.pop("stdout", subprocess.PIPE),
                          stderr=subprocess.PIPE, env=os.environ | (environment or {}),
                          preexec_fn=limit if limits else None, **options)
    return Result(done.returncode, done.stdout or "", done.stderr, time.monotonic() - started)


def start(program, *arguments, **options):
    return subprocess.Popen([BIN / program, *map(str, arguments)], text=True, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def wait_until_caught(process, number, timeout=30):
    """Returns when the process handles the signal itself (SigCgt of proc(5))."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        caught = next((int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt")), 0)
        if caught >> (number - 1) & 1:
            return
        time.sleep(0.01)
    raise TimeoutError(f"signal {number} is not handled after {timeout} s")


def finish(process, timeout=60):
    started = time.monotonic()
    stdout, stderr = process.communicate(timeout=timeout)
    return Result(process.returncode, stdout, stderr, time.monotonic() - started)


def has_gpu():
    try:
        return subprocess.run(["nvidia-smi", "-L"], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


class ProgramTest(unittest.TestCase):
    """Gives each test an empty folder, `self.folder`."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="chorale-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def assert_error(self, result, code, *words):
        """One `error:` line that holds `words`, and nothing of a crash."""
        self.assertEqual(result.code, code, result)
        errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
        self.assertEqual(len(errors), 1, result)
        for word in words:
            self.assertIn(word, errors[0])
        for crash in ("terminate called", "Segmentation", "Aborted", "core dumped", "Traceback"):
            self.assertNotIn(crash, result.stderr)

    def assert_ok(self, result):
        self.assertEqual(result.code, 0, result)
        self.assertNotIn("error: ", result.stderr)
        return result


INTERRUPT, TERMINATE = signal.SIGINT, signal.SIGTERM
