#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the .npy and .safetensors files that tests/tensor_formats reads, with NumPy and Hugging Face's safetensors.

    make_formats.py                write the files beside this script
    make_formats.py --check DIR    read the files that test_tensor_formats wrote (CHORALE_KEEP=DIR) with those packages

Element i of every array is (37 i mod 101) - 50, or (37 i mod 101) for unsigned types.
Made with NumPy 2.4.6 and safetensors 0.8.0.
"""
import argparse
import pathlib
import sys

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

HERE = pathlib.Path(__file__).resolve().parent


def pattern(dtype, shape):
    dtype = np.dtype(dtype)
    values = np.arange(int(np.prod(shape))) * 37 % 101
    if dtype.kind == "b":
        values = values % 2
    elif dtype.kind != "u":
        values = values - 50
    return values.astype(dtype).reshape(shape)


def write():
    for dtype in "f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1".split():
        np.save(HERE / f"{dtype}.npy", pattern(dtype, (2, 3, 5)))
    for dtype in "f2 f4 f8 i2 i4 i8 u4".split():
        np.save(HERE / f"big_{dtype}.npy", pattern(dtype, (7, 3)).astype(">" + dtype))
    np.save(HERE / "fortran.npy", np.asfortranarray(pattern("f4", (4, 3, 5))))
    np.save(HERE / "fortran_big.npy", np.asfortranarray(pattern("f8", (4, 6))).astype(">f8", order="F"))
    np.save(HERE / "scalar.npy", np.float64(-50))
    np.save(HERE / "vector.npy", pattern("f4", (9,)))
    np.save(HERE / "empty.npy", np.zeros((0, 128), "f4"))
    for version in (2, 3):
        with open(HERE / f"version{version}.npy", "wb") as file:
            np.lib.format.write_array(file, pattern("f4", (3, 4)), version=(version, 0))
    tensors = {
        "encoder.0.weight": pattern("f4", (4, 3)),
        "encoder.0.bias": pattern("f4", (4,)),
        "half": pattern("f2", (2, 2)),
        "double": pattern("f8", (3,)),
        "step": pattern("i8", ()),
        "index": pattern("i4", (2, 3)),
        "bytes": pattern("u1", (3,)),
        "nothing": np.zeros((0, 4), "f4"),
        "নাম \"quoted\"": pattern("f4", (1, 1, 1, 2)),
    }
    save_file(tensors, HERE / "tensors.safetensors", metadata={"format": "pt"})
    print(f"NumPy {np.__version__}; wrote to {HERE}")


def expect(condition, what):
    if not condition:
        sys.exit(f"check failed: {what}")


def check(folder):
    names = sorted(path.name for path in folder.glob("*.npy"))
    expect(names, f"no .npy files in {folder}")
    for name in names:
        array = np.load(folder / name, allow_pickle=False)
        expect(np.array_equal(array, pattern(array.dtype, array.shape)), f"{name}: {array.dtype} {array.shape}")
    path = folder / "tensors.safetensors"
    ours, theirs = load_file(path), load_file(HERE / "tensors.safetensors")
    expect(ours.keys() == theirs.keys(), f"{path}: {sorted(ours)}")
    for name, value in theirs.items():
        expect(ours[name].dtype == value.dtype and ours[name].shape == value.shape, f"{path}: {name}")
        expect(ours[name].tobytes() == value.tobytes(), f"{path}: {name}")
    with safe_open(path, "np") as file:
        expect(file.metadata() == {"format": "pt"}, f"{path}: metadata {file.metadata()}")
    print(f"{len(names)} .npy files and {len(ours)} tensors agree")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", type=pathlib.Path, metavar="DIR")
    arguments = parser.parse_args()
    check(arguments.check) if arguments.check else write()
