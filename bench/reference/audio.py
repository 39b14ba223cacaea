#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""librosa and torchaudio on the clip and the features of bench_audio, and the comparison of all three.

    tools/reference_env.sh bench/reference/audio.py                       the references alone, one line of JSON each
    tools/reference_env.sh bench/reference/audio.py --compare build/release/bin/bench_audio

Workloads are those of `bench_audio --once`: mel (128 bands), features (mel in decibels and 40 MFCC) and mfcc_delta (mel, 40
MFCC, their first and second derivative); and, beside librosa alone, phase_vocoder (a spectrum at 0.9 times the speed),
time_stretch (the same of samples) and pitch_shift (two semitones up). The comparison takes the programs in turn, one thread
each, and prints for each workload the ratio of their times, turn by turn: its median and the second lowest and highest. All
count processor time, so that other load counts for none. Where torchaudio cannot be imported beside this torch, its
transforms' definitions are computed with torch (torch.stft, products with the filter bank and the DCT, conv1d for the
derivatives), and the result says so.
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
import scipy.fft  # noqa: E402
import torch  # noqa: E402

RATE, SECONDS = 22050, 30
FRAMES = 1 + RATE * SECONDS // 512
WORKLOADS = ("mel", "features", "mfcc_delta")
CHANGES = ("phase_vocoder", "time_stretch", "pitch_shift")
torch.set_num_threads(1)


def music():
    n = RATE * SECONDS
    t = np.arange(n) / RATE
    state, noise = 1, np.empty(n)
    for i in range(n):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        noise[i] = (state >> 8) / 8388608.0 - 1
    x = 0.3 * np.sin(1382.3 * t) + 0.2 * np.sin(1741.9 * t) + 0.1 * np.sin(6911.5 * t) + 0.05 * noise
    return x.astype(np.float32)


class Librosa:
    name = f"librosa {librosa.__version__}"

    def __init__(self, clip):
        self.clip, self.spectrum = clip, librosa.stft(clip)

    def run(self, workload):
        if workload == "phase_vocoder":
            return librosa.phase_vocoder(self.spectrum, rate=0.9)
        if workload == "time_stretch":
            return librosa.effects.time_stretch(self.clip, rate=0.9)
        if workload == "pitch_shift":
            return librosa.effects.pitch_shift(self.clip, sr=RATE, n_steps=2)
        power = librosa.feature.melspectrogram(y=self.clip, sr=RATE)
        if workload == "mel":
            return power
        mfcc = librosa.feature.mfcc(S=librosa.power_to_db(power), n_mfcc=40)
        if workload == "features":
            return librosa.power_to_db(power, ref=np.max), mfcc
        return power, np.vstack([mfcc, librosa.feature.delta(mfcc), librosa.feature.delta(mfcc, order=2)])


class Torchaudio:
    """MelSpectrogram, AmplitudeToDB, MFCC and ComputeDeltas, f32, with librosa's window, bands and DCT."""

    def __init__(self, clip):
        self.clip = torch.from_numpy(clip)[None]
        try:
            import torchaudio
            self.name = f"torchaudio {torchaudio.__version__}"
            mel = torchaudio.transforms.MelSpectrogram(RATE, 2048, hop_length=512, n_mels=128, mel_scale="slaney",
                                                       norm="slaney", pad_mode="constant")
            decibels = torchaudio.transforms.AmplitudeToDB("power", top_db=80)
            dct = torchaudio.functional.create_dct(40, 128, "ortho")
            self.mel, self.decibels = mel, decibels
            self.mfcc = lambda db: torch.matmul(db.transpose(-1, -2), dct).transpose(-1, -2)
            self.deltas = torchaudio.transforms.ComputeDeltas(win_length=9)
        except (ImportError, RuntimeError, OSError) as error:
            self.name = f"torchaudio's definitions on torch {torch.__version__} ({type(error).__name__} on import)"
            window = torch.hann_window(2048)
            bank = torch.from_numpy(librosa.filters.mel(sr=RATE, n_fft=2048, n_mels=128)).T.contiguous()
            dct = torch.from_numpy(scipy.fft.dct(np.eye(128), norm="ortho", axis=0)[:40].T.astype(np.float32)).contiguous()
            kernel = torch.arange(-4, 5, dtype=torch.float32).repeat(40, 1, 1) / 60

            def mel_spectrogram(x):
                spectrum = torch.stft(x, 2048, 512, 2048, window, center=True, pad_mode="constant", return_complex=True)
                return torch.matmul(spectrum.abs().pow(2).transpose(-1, -2), bank).transpose(-1, -2)

            def decibels(x):
                db = 10 * torch.log10(torch.clamp(x, min=1e-10))
                return torch.max(db, (db.amax(dim=(-2, -1), keepdim=True) - 80))

            self.mel, self.decibels = mel_spectrogram, decibels
            self.mfcc = lambda db: torch.matmul(db.transpose(-1, -2), dct).transpose(-1, -2)
            self.deltas = lambda x: torch.nn.functional.conv1d(
                torch.nn.functional.pad(x, (4, 4), mode="replicate"), kernel, groups=40)

    @torch.inference_mode()
    def run(self, workload):
        power = self.mel(self.clip)
        if workload == "mel":
            return power
        db = self.decibels(power)
        mfcc = self.mfcc(db)
        if workload == "features":
            return db - db.amax(), mfcc
        first = self.deltas(mfcc)
        return power, torch.cat([mfcc, first, self.deltas(first)], dim=-2)


def measure(reference, workload, repeats):
    times = []
    for _ in range(repeats):
        start = time.process_time()
        reference.run(workload)
        times.append(time.process_time() - start)
    return float(np.median(times))


def ours(program, workload):
    command = [program, "--once", workload, "--threads", "1", "--device", "cpu"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["seconds"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--compare", metavar="BENCH_AUDIO", help="the program to alternate with")
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--only", nargs="+", choices=WORKLOADS + CHANGES, default=WORKLOADS + CHANGES,
                        metavar="WORKLOAD")
    parser.add_argument("--repeats", type=int, default=5, help="runs of a reference a measurement")
    parser.add_argument("--json", metavar="FILE", help="where to write the results as well")
    args = parser.parse_args()
    clip = music()
    both = [Librosa(clip), Torchaudio(clip)]
    results = []
    for workload in args.only:
        references = both if workload in WORKLOADS else both[:1]
        for reference in references:
            measure(reference, workload, 2)
        if not args.compare:
            for reference in references:
                seconds = measure(reference, workload, max(args.repeats, 15))
                print(json.dumps({"name": workload, "reference": reference.name, "seconds": seconds, "frames": FRAMES}))
            continue
        rounds = [(ours(args.compare, workload), *(measure(r, workload, args.repeats) for r in references))
                  for _ in range(args.pairs)]
        for at, reference in enumerate(references, 1):
            ratios = sorted(times[at] / times[0] for times in rounds)
            edge = min(1, (len(ratios) - 1) // 2)
            seconds = [float(np.median([times[i] for times in rounds])) for i in (0, at)]
            results.append({
                "name": f"{workload}, 30 s, one core",
                "reference": reference.name,
                "ours_s": seconds[0],
                "reference_s": seconds[1],
                "ratio": float(np.median(ratios)),
                "low": ratios[edge],
                "high": ratios[-1 - edge],
                "ours_ns_per_frame": seconds[0] / FRAMES * 1e9,
                "reference_ns_per_frame": seconds[1] / FRAMES * 1e9,
                "pairs": len(ratios),
            })
            print(json.dumps(results[-1]), flush=True)
    if args.json:
        with open(args.json, "w") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
