#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files to features: `extract_audio` beside librosa, the same files, the same features, the same number of workers.

    tools/reference_env.sh && .venv/bin/python bench/reference/files.py --programs build/cpu/bin [--workers 2] [--pairs 5]

Clips of the demo corpus are written as WAV, FLAC and MP3, at 44.1 kHz stereo and 22.05 kHz mono. Both sides load the
first 30 s at 22,050 Hz (soxr_hq), scale them to peak 1 and compute the mel spectrogram in decibels and 40 MFCC with two
derivatives, standardised: `extract_audio --features both` with --n-workers and --threads W, which also starts, writes its
cache and its index; librosa in W processes of one thread, whose imports and first clip are not counted and whose results
are dropped. Both are held to W processors. They run in turn; a ratio is librosa's time over ours, pair by pair: its median,
lowest and highest, of the wall clock and of the processor time of all threads, for which other load counts little.
"""
import argparse
import json
import multiprocessing
import os
import pathlib
import resource
import shutil
import subprocess
import tempfile
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"

import librosa  # noqa: E402
import numpy as np  # noqa: E402
import soundfile  # noqa: E402

RATE, SECONDS = 22050, 30
SOURCES = (("44.1 kHz stereo", 44100, 2), ("22.05 kHz mono", 22050, 1))


def standardised(x):
    return (x - x.mean()) / max(x.std(), 1e-8)


def features(path):
    """What `extract_audio --features both` keeps of a song, f32 (248, 1292)."""
    y, _ = librosa.load(path, sr=RATE, duration=SECONDS, res_type="soxr_hq")
    y = librosa.util.fix_length(y / max(np.abs(y).max(), 1e-30), size=RATE * SECONDS)
    mel = librosa.feature.melspectrogram(y=y, sr=RATE)
    mfcc = librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=40)
    cepstra = np.vstack([mfcc, librosa.feature.delta(mfcc), librosa.feature.delta(mfcc, order=2)])
    return np.vstack([standardised(librosa.power_to_db(mel, ref=np.max)), standardised(cepstra)]).astype(np.float32)


def processor_time(path):
    """Of this process for one song; the features are dropped."""
    start = time.process_time()
    features(path)
    return time.process_time() - start


def write_songs(programs, folder, rate, channels, songs):
    """The demo corpus once more for each format; a stereo song's right channel comes 11 ms late."""
    subprocess.run([programs / "make_corpus", "--output", folder / "rendered", "--n-tracks", str(songs), "--n-lyrics", "0",
                    "--seconds", str(SECONDS), "--sample-rate", str(rate), "--quiet"], check=True,
                   stdout=subprocess.DEVNULL)
    for path in sorted((folder / "rendered/audio").rglob("*.wav")):
        x, _ = soundfile.read(path, dtype="float32")
        if channels == 2:
            x = np.stack([x, np.roll(x, rate * 11 // 1000)], axis=1)
        for kind in ("wav", "flac", "mp3"):
            target = folder / kind / path.relative_to(folder / "rendered").with_suffix("." + kind)
            target.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(target, x, rate, format=kind.upper())
    shutil.rmtree(folder / "rendered")


def processor_seconds(who):
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def run_ours(programs, data, workers):
    shutil.rmtree(data / "features", ignore_errors=True)
    before, start = processor_seconds(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([programs / "extract_audio", "--device", "cpu", "--data", data, "--features", "both", "--n-workers",
                    str(workers), "--threads", str(workers), "--quiet"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start, processor_seconds(resource.RUSAGE_CHILDREN) - before


def run_librosa(pool, files):
    start = time.perf_counter()
    processor = sum(pool.map(processor_time, files, chunksize=1))
    return time.perf_counter() - start, processor


def summary(name, pairs, songs):
    result = {"name": name, "reference": f"librosa {librosa.__version__}", "songs": songs, "pairs": len(pairs)}
    for at, key in enumerate(("", "processor_")):
        ratios = sorted(theirs[at] / ours[at] for ours, theirs in pairs)
        result |= {key + "ours_s": float(np.median([ours[at] for ours, _ in pairs])),
                   key + "reference_s": float(np.median([theirs[at] for _, theirs in pairs])),
                   key + "ratio": float(np.median(ratios)), key + "low": ratios[0], key + "high": ratios[-1]}
    return {key: round(value, 3) if isinstance(value, float) else value for key, value in result.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=pathlib.Path, required=True, help="folder of extract_audio and make_corpus")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--songs", type=int, default=48)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--formats", default="wav,flac,mp3")
    parser.add_argument("--json", metavar="FILE", help="where to write the results as well")
    args = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    results = []
    with tempfile.TemporaryDirectory(prefix="chorale-files-") as folder:
        for title, rate, channels in SOURCES:
            data = pathlib.Path(folder) / str(rate)
            write_songs(args.programs, data, rate, channels, args.songs)
            os.sched_setaffinity(0, cores[:args.workers])
            for kind in args.formats.split(","):
                files = sorted(map(str, (data / kind / "audio").rglob(f"*.{kind}")))
                with multiprocessing.get_context("spawn").Pool(args.workers) as pool:
                    pool.map(processor_time, files[:4 * args.workers], chunksize=1)
                    pairs = [(run_ours(args.programs, data / kind, args.workers), run_librosa(pool, files))
                             for _ in range(args.pairs)]
                results.append(summary(f"{kind} {title}, {args.workers} workers", pairs, len(files)))
                print(json.dumps(results[-1]), flush=True)
            os.sched_setaffinity(0, cores)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
