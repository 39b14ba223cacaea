# SPDX-License-Identifier: MIT
"""The project's random numbers in NumPy: Philox4x32-10 with the layout of kernels/philox.h."""
import numpy as np

MASK = np.uint64(0xFFFFFFFF)


def blocks(seed, offset, stream, indices):
    """Four u32 words for each block index; shape (len(indices), 4)."""
    index = np.asarray(indices, dtype=np.uint64)
    c = [index & MASK, index >> np.uint64(32), np.full_like(index, stream), np.full_like(index, offset & 0xFFFFFFFF)]
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(k0), p1 & MASK, (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(k1), p0 & MASK]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(c, axis=1).astype(np.uint32)


def words(seed, offset, stream, count):
    return blocks(seed, offset, stream, np.arange((count + 3) // 4)).reshape(-1)[:count]


def uniform(seed, offset, stream, shape):
    count = int(np.prod(shape))
    return ((words(seed, offset, stream, count) >> 8) * np.float32(2.0**-24)).astype(np.float32).reshape(shape)


def normal(seed, offset, stream, shape):
    count = int(np.prod(shape))
    w = words(seed, offset, stream, (count + 3) // 4 * 4).reshape(-1, 2, 2).astype(np.float64)
    radius = np.sqrt(-2.0 * np.log((np.floor(w[:, :, 0] / 256) + 1) * 2.0**-24))
    angle = 2.0 * np.pi * np.floor(w[:, :, 1] / 256) * 2.0**-24
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    return pairs.reshape(-1)[:count].astype(np.float32).reshape(shape)


def shuffled(rows, seed, epoch):
    rows = list(rows)
    for i in range(len(rows), 1, -1):
        w = blocks(seed, epoch, 0x53484546, [i])[0]
        j = ((int(w[0]) << 32) | int(w[1])) % i
        rows[i - 1], rows[j] = rows[j], rows[i - 1]
    return rows
