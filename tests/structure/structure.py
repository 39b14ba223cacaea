#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks how the project is built up: who includes whom, what each file must have, what programs link.

Each check prints what is wrong, one line each, and exits 1; 77 means that this machine cannot make the check.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

# A folder may include the folders named here; whoever stands in no list may be included by no other folder.
LIBRARIES = {
    "kernels": [],
    "tensor": ["kernels"],
    "autograd": ["tensor", "kernels"],
    "models": ["autograd", "tensor", "kernels"],
    "audio": ["tensor", "kernels"],
    "text": ["tensor", "kernels"],
    "cluster": ["tensor", "kernels"],
    "data": ["audio", "text", "tensor", "kernels"],
    "report": ["models", "cluster", "data", "autograd", "audio", "text", "tensor", "kernels"],
}
ALLOWED = LIBRARIES | {
    "tools": list(LIBRARIES),
    "tests": [*LIBRARIES, "tools"],
    "bench": [*LIBRARIES, "tools", "tests"],
}
CODE = {".h", ".cpp", ".cu", ".cuh", ".def"}
NEEDS_SPDX = CODE | {".py", ".sh"}
NOT_SOURCES = {"build", "data/audio", "data/features", "results", ".venv", ".git", ".gpu_host"}
LARGEST_FILE = 5_000_000
LIBC_HEADERS = {"assert", "complex", "ctype", "errno", "fenv", "float", "inttypes", "limits", "locale", "math",
                "setjmp", "signal", "stdint", "stdio", "stdlib", "string", "time", "unistd", "wchar"}
CUDA_LIBRARY = re.compile(r"lib(cuda|cudart|cublas|cublasLt|cufft|cudnn\w*|nccl|nvrtc|nvidia\S*)\.so")
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
FIRST_INCLUDE = re.compile(r'(?:\s|//.*\n)*#\s*include\s*"([^"]+)"')


def source_files(root):
    """Files under version control, or, in a copy without it, everything that is no output."""
    if (root / ".git").exists() and shutil.which("git"):
        listed = subprocess.run(
            ["git", "-c", f"safe.directory={root}", "-C", root, "ls-files", "--cached", "--others",
             "--exclude-standard"],
            capture_output=True, text=True)
        if listed.returncode == 0:
            return sorted(root / name for name in listed.stdout.splitlines() if (root / name).is_file())
    found = []
    for folder, folders, names in os.walk(root):
        inside = pathlib.Path(folder).relative_to(root)
        folders[:] = [f for f in folders if str(inside / f) not in NOT_SOURCES and f != "__pycache__"]
        found += [root / inside / name for name in names]
    return sorted(found)


def code_files(root):
    return [f for f in source_files(root) if f.suffix in CODE]


def check_includes(root, _):
    known = {f.relative_to(root).as_posix() for f in source_files(root)}
    for file in code_files(root):
        folder = file.relative_to(root).parts[0]
        if folder not in ALLOWED:
            yield f"{file.relative_to(root)}: code in a folder that no rule names"
            continue
        for target in INCLUDE.findall(file.read_text()):
            other = target.split("/")[0]
            if "/" not in target or other not in ALLOWED:
                yield f'{file.relative_to(root)}: include from the repository root, not "{target}"'
            elif target not in known and not target.startswith("tests/generated/"):
                yield f'{file.relative_to(root)}: no such file: "{target}"'
            elif other != folder and other not in ALLOWED[folder]:
                yield f'{file.relative_to(root)}: {folder} may not include {other}: "{target}"'


def cuda_include():
    for home in (os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH"), "/usr/local/cuda"):
        if home and (pathlib.Path(home) / "include/cuda_runtime.h").exists():
            return [pathlib.Path(home) / "include", pathlib.Path(home) / "include/cccl"]
    return []


def compiled_first(root, build):
    """When a source of the build that has a header before all else was last compiled, for each such header: it then
    compiled alone."""
    listed = build / "compile_commands.json"
    times = {}
    for entry in json.loads(listed.read_text()) if listed.exists() else []:
        source, output = pathlib.Path(entry["file"]), re.search(r" -o (\S+)", entry["command"])
        if source.suffix != ".cpp" or not source.exists() or not output:
            continue
        compiled = pathlib.Path(entry["directory"], output[1])
        first = FIRST_INCLUDE.match(source.read_text())
        if first and compiled.exists() and compiled.stat().st_mtime > source.stat().st_mtime:
            header = root / first[1]
            times[header] = max(times.get(header, 0), compiled.stat().st_mtime)
    return times


def check_headers(root, options):
    """Every .h compiles alone, with the host compiler."""
    cuda = cuda_include()
    headers = [f for f in code_files(root) if f.suffix == ".h"]
    if not cuda:
        needs_toolkit = [f for f in headers if f.relative_to(root).as_posix().startswith(("kernels/cuda/", "tests/simt/"))]
        headers = [f for f in headers if f not in needs_toolkit]
        print(f"no CUDA headers here: {len(needs_toolkit)} headers not checked")

    command = [options.compiler, *(f"-isystem{folder}" for folder in cuda), "-std=c++20", "-fsyntax-only", "-fopenmp",
               "-Wall", "-Wextra", "-Werror", *(f'-DCHORALE_{name}=""' for name in ("ISA", "SOURCE_DIR", "BINARY_DIR")),
               "-I", str(root), "-x", "c++", "-"]
    # What compiled before, here or in the build, with the same headers of ours below it, compiles again.
    built = compiled_first(root, options.build)
    passed = options.build / "headers_compiled.txt"
    known = set(passed.read_text().split()) if passed.exists() else set()

    def contents_below(header):
        closure, queue = {}, [header]
        while queue:
            file = queue.pop()
            if file not in closure and file.is_file():
                closure[file] = file.read_bytes()
                queue += [root / target for target in INCLUDE.findall(closure[file].decode())]
        return closure

    def compile_alone(header):
        closure = contents_below(header)
        if built.get(header, 0) > max(file.stat().st_mtime for file in closure):
            return None
        text = repr((command, sorted((str(file), content) for file, content in closure.items())))
        if (identity := hashlib.sha256(text.encode()).hexdigest()) in known:
            return None
        text = f'#include "{header.relative_to(root).as_posix()}"\n'
        done = subprocess.run(command, input=text * 2, capture_output=True, text=True)
        if done.returncode == 0:
            known.add(identity)
            return None
        first = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr[:200])
        return f"{header.relative_to(root)}: does not compile alone: {first}"

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from filter(None, pool.map(compile_alone, headers))
    if passed.parent.is_dir():
        passed.write_text("\n".join(sorted(known)) + "\n")


def check_files(root, _):
    for file in source_files(root):
        name = file.relative_to(root)
        if file.stat().st_size > LARGEST_FILE:
            yield f"{name}: {file.stat().st_size} bytes (allowed {LARGEST_FILE})"
        if file.suffix not in NEEDS_SPDX:
            continue
        text = file.read_text()
        first = [line for line in text.splitlines()[:2] if not line.startswith("#!")]
        if not first or "SPDX-License-Identifier: MIT" not in first[0]:
            yield f"{name}: does not open with the SPDX line"
        if file.suffix in {".h", ".cuh"} and "#pragma once" not in text:
            yield f"{name}: no #pragma once"
        if file.suffix == ".h" and file.stem in LIBC_HEADERS:
            yield f"{name}: named like a header of the C library"
        if re.search(r"\b(TODO|FIXME|XXX)\b", text) and name.as_posix() != "tests/structure/structure.py":
            yield f"{name}: unfinished work is tracked in issues, not in comments"
        if "\r" in text or (text and not text.endswith("\n")):
            yield f"{name}: line ends"


def check_links(root, options):
    """Only the CUDA module names a CUDA library."""
    readelf = shutil.which("readelf")
    if not readelf:
        print("readelf is not installed")
        sys.exit(77)
    binaries = [f for folder in ("bin", "lib") for f in (options.build / folder).glob("*") if f.is_file()]
    checked = 0
    for binary in sorted(binaries):
        if binary.name.startswith("libchorale_cuda"):
            continue
        dynamic = subprocess.run([readelf, "-d", binary], capture_output=True, text=True)
        if dynamic.returncode or "NEEDED" not in dynamic.stdout:
            continue
        checked += 1
        for needed in re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic.stdout):
            if CUDA_LIBRARY.match(needed):
                yield f"{binary.name}: links {needed}"
    print(f"{checked} programs and libraries checked")
    if not checked:
        yield f"{options.build}: no program found"


def check_format(root, _):
    """clang-format 14 leaves every file as it is; other versions format differently."""
    for name in ("clang-format-14", "clang-format"):
        tool = shutil.which(name)
        if tool and " 14." in subprocess.run([tool, "--version"], capture_output=True, text=True).stdout:
            break
    else:
        print("clang-format 14 is not installed")
        sys.exit(77)
    files = [f for f in code_files(root) if f.suffix != ".def"]
    done = subprocess.run([tool, "--dry-run", "--ferror-limit=1", *files], capture_output=True, text=True, cwd=root)
    bad = sorted({line.split(":")[0] for line in done.stderr.splitlines() if "clang-format-violations" in line})
    for file in bad:
        yield f"{os.path.relpath(file, root)}: not formatted (tools/format.sh)"


def check_scripts(root, _):
    """Shell scripts parse, stop on errors and can be run."""
    for file in source_files(root):
        if file.suffix != ".sh" and file.relative_to(root).as_posix() != ".ci/run":
            continue
        name = file.relative_to(root)
        parsed = subprocess.run(["bash", "-n", file], capture_output=True, text=True)
        if parsed.returncode:
            yield f"{name}: {parsed.stderr.strip().splitlines()[0]}"
        if "set -euo pipefail" not in file.read_text():
            yield f"{name}: does not stop on errors (set -euo pipefail)"
        if not os.access(file, os.X_OK):
            yield f"{name}: not executable"


CHECKS = {name[len("check_"):]: function for name, function in list(globals().items()) if name.startswith("check_")}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("check", choices=CHECKS)
    parser.add_argument("--source", type=pathlib.Path, default=pathlib.Path(__file__).parents[2])
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/cpu"))
    parser.add_argument("--compiler", default="g++")
    options = parser.parse_args()
    problems = list(CHECKS[options.check](options.source.resolve(), options))
    for problem in problems:
        print(problem)
    print(f"structure {options.check}: {len(problems)} problem{'s' * (len(problems) != 1)}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
