#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The checks of structure.py find what they are there for."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

STRUCTURE = pathlib.Path(__file__).with_name("structure.py")
SPDX = "// SPDX-License-Identifier: MIT\n"


class StructureTest(unittest.TestCase):
    def check(self, name, files, mode=0o755):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for path, text in files.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
                (root / path).chmod(mode)
            done = subprocess.run([sys.executable, STRUCTURE, name, "--source", root, "--build", root / "build"],
                                  capture_output=True, text=True)
            return done.returncode, done.stdout

    def assert_found(self, name, files, words, **options):
        code, output = self.check(name, files, **options)
        self.assertEqual(code, 1, output)
        self.assertIn(words, output)

    def test_include_against_the_direction(self):
        files = {"kernels/a.h": SPDX + '#include "tensor/b.h"\n', "tensor/b.h": SPDX}
        self.assert_found("includes", files, "kernels may not include tensor")

    def test_include_of_a_program_folder(self):
        files = {"data/a.h": SPDX + '#include "tools/b.h"\n', "tools/b.h": SPDX}
        self.assert_found("includes", files, "data may not include tools")

    def test_include_of_nothing(self):
        self.assert_found("includes", {"data/a.h": SPDX + '#include "data/b.h"\n'}, "no such file")

    def test_include_not_from_the_root(self):
        self.assert_found("includes", {"data/a.h": SPDX + '#include "b.h"\n'}, "repository root")

    def test_allowed_includes(self):
        files = {"tensor/a.h": SPDX + '#include "kernels/b.h"\n', "kernels/b.h": SPDX}
        self.assertEqual(self.check("includes", files)[0], 0)

    def test_header_that_needs_another(self):
        files = {"data/a.h": SPDX + "#pragma once\ninline std::string name() { return {}; }\n"}
        self.assert_found("headers", files, "does not compile alone")

    def test_header_that_the_build_compiled_before_all_else(self):
        header = SPDX + "#pragma once\ninline std::string name() { return {}; }\n"
        for source, found in ((SPDX + '#include "data/a.h"\n', False),
                              (SPDX + '#include <string>\n#include "data/a.h"\n', True),
                              (SPDX + '#define A\n#include "data/a.h"\n', True)):
            for object_is_newer in (True, False):
                with tempfile.TemporaryDirectory() as folder:
                    root = pathlib.Path(folder)
                    for path, text in {"data/a.h": header, "data/a.cpp": source, "build/a.o": ""}.items():
                        (root / path).parent.mkdir(exist_ok=True)
                        (root / path).write_text(text)
                        time = {"build/a.o": 2 if object_is_newer else 0}.get(path, 1)
                        os.utime(root / path, (time, time))
                    (root / "build/compile_commands.json").write_text(json.dumps(
                        [{"directory": str(root / "build"), "file": str(root / "data/a.cpp"), "command": "g++ -o a.o -c"}]))
                    done = subprocess.run([sys.executable, STRUCTURE, "headers", "--source", root, "--build", root / "build"],
                                          capture_output=True, text=True)
                    self.assertEqual(done.returncode, int(found or not object_is_newer), source + done.stdout)

    def test_missing_licence_line(self):
        self.assert_found("files", {"data/a.cpp": "int x;\n"}, "SPDX")

    def test_header_named_like_libc(self):
        self.assert_found("files", {"data/math.h": SPDX + "#pragma once\n"}, "C library")

    def test_large_file(self):
        self.assert_found("files", {"tests/golden/a.npy": "x" * 5_000_001}, "bytes")

    def test_script_that_goes_on_after_errors(self):
        self.assert_found("scripts", {"tools/a.sh": "#!/bin/bash\n"}, "stop on errors")

    def test_script_that_cannot_be_run(self):
        self.assert_found("scripts", {"tools/a.sh": "#!/bin/bash\nset -euo pipefail\n"}, "executable", mode=0o644)

    def test_cuda_library_in_a_program(self):
        sys.path.insert(0, str(STRUCTURE.parent))
        import structure
        for library in ("libcudart.so.13", "libcublasLt.so.13", "libcudnn_cnn.so.9", "libnccl.so.2", "libcuda.so.1"):
            self.assertTrue(structure.CUDA_LIBRARY.match(library), library)
        for library in ("libchorale_cuda.so", "libcurl.so.4", "libc.so.6"):
            self.assertFalse(structure.CUDA_LIBRARY.match(library), library)


if __name__ == "__main__":
    unittest.main()
