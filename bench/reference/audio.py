#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""librosa's mel_db + MFCC on the clip of bench_audio, and the comparison of both.

    tools/reference_env.sh bench/reference/audio.py                       librosa alone, one line of JSON
    tools/reference_env.sh bench/reference/audio.py --compare build/release/bin/bench_audio

The comparison alternates the two programs, one thread each, and prints the ratio of their medians pair by pair: its
median and the second lowest and highest. Both count processor time, so that other load counts for neither.
"""
import argparse
import json
import os
import subprocess
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"

import librosa  # noqa: E402
import numpy as np  # noqa: E402

RATE, SECONDS = 22050, 30
FRAMES = 1 + RATE * SECONDS // 512


def music():
    n = RATE * SECONDS
    t = np.arange(n) / RATE
    state, noise = 1, np.empty(n)
    for i in range(n):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        noise[i] = (state >> 8) / 8388608.0 - 1
    x = 0.3 * np.sin(1382.3 * t) + 0.2 * np.sin(1741.9 * t) + 0.1 * np.sin(6911.5 * t) + 0.05 * noise
    return x.astype(np.float32)


def features(clip):
    power = librosa.feature.melspectrogram(y=clip, sr=RATE)
    return librosa.power_to_db(power, ref=np.max), librosa.feature.mfcc(S=librosa.power_to_db(power), n_mfcc=40)


def measure(clip, repeats):
    times = []
    for _ in range(repeats):
        start = time.process_time()
        features(clip)
        times.append(time.process_time() - start)
    return float(np.median(times))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--compare", metavar="BENCH_AUDIO", help="the program to alternate with")
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--repeats", type=int, default=5, help="librosa runs a measurement")
    parser.add_argument("--json", metavar="FILE", help="where to write the result as well")
    args = parser.parse_args()
    clip = music()
    measure(clip, 2)
    if not args.compare:
        seconds = measure(clip, max(args.repeats, 15))
        print(json.dumps({"name": "features", "seconds": seconds, "frames": FRAMES, "librosa": librosa.__version__}))
        return
    ours, theirs = [], []
    for _ in range(args.pairs):
        command = [args.compare, "--once", "features", "--threads", "1", "--device", "cpu"]
        ours.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["seconds"])
        theirs.append(measure(clip, args.repeats))
    ratios = sorted(t / o for t, o in zip(theirs, ours))
    edge = min(1, (len(ratios) - 1) // 2)
    result = {
        "name": "mel_db + MFCC, 30 s, one core",
        "ours_s": float(np.median(ours)),
        "reference_s": float(np.median(theirs)),
        "ratio": float(np.median(ratios)),
        "low": ratios[edge],
        "high": ratios[-1 - edge],
        "ours_ns_per_frame": float(np.median(ours)) / FRAMES * 1e9,
        "reference_ns_per_frame": float(np.median(theirs)) / FRAMES * 1e9,
        "pairs": len(ratios),
        "librosa": librosa.__version__,
    }
    print(json.dumps(result))
    if args.json:
        with open(args.json, "w") as file:
            json.dump(result, file, indent=1)


if __name__ == "__main__":
    main()
