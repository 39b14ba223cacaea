#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Golden values of the audio front end, made by librosa: tests/golden/audio/{cases.json, values.npy}.

Run through tools/reference_env.sh. Inputs are formulas that tests/audio/golden_test.cpp repeats; values.npy is one
flat f32 array, cases.json says where each result starts and its shape.
"""
import json
import pathlib
import warnings

import librosa
import numpy as np
import scipy
import soxr

folder = pathlib.Path(__file__).parent / "audio"


def noise(n):
    """Uniform in [-1, 1): a 32-bit linear congruential generator's upper 24 bits."""
    state, out = 12345, np.empty(n, np.float32)
    for i in range(n):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        out[i] = np.float32((state >> 8) / 8388608.0 - 1.0)
    return out


def signal(kind, rate, n):
    t = np.arange(n, dtype=np.float64) / rate
    if kind == "silence":
        return np.zeros(n, np.float32)
    if kind == "noise":
        return noise(n)
    if kind == "tone":
        x = 0.4 * np.sin(2 * np.pi * 440 * t) + 0.2 * np.sin(2 * np.pi * 3000 * t + 1) + 0.01 * noise(n)
    elif kind == "sweep":
        x = 0.7 * np.sin(2 * np.pi * (100 * t + 1500 * t * t))
    return x.astype(np.float32)


values, cases = [], []


def keep(array):
    array = np.ascontiguousarray(array, np.float32)
    start = sum(v.size for v in values)
    values.append(array.ravel())
    return {"start": start, "shape": list(array.shape)}


def features(name, kind, rate=22050, length=6615, step=1, **options):
    """`step`: every step-th frame is kept (the last always is where frames - 1 is a multiple)."""
    y = signal(kind, rate, length)
    fft = dict(n_fft=2048, hop_length=512, win_length=None)
    fft.update({k: options[k] for k in fft if k in options})
    mel_options = dict(n_mels=128, fmin=0.0, fmax=None, htk=False, norm="slaney", power=2.0)
    mel_options.update({k: options[k] for k in mel_options if k in options})
    mel = librosa.feature.melspectrogram(y=y, sr=rate, **fft, **mel_options)
    n_mfcc = min(40, mel_options["n_mels"])
    case = {"name": name, "signal": kind, "rate": rate, "length": length, "step": step, "n_mfcc": n_mfcc,
            **{k: v or 0 for k, v in fft.items()}, **mel_options}
    case["fmax"] = mel_options["fmax"] or 0
    case["norm"] = mel_options["norm"] == "slaney"
    mfcc = librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=n_mfcc)
    case["mel"] = keep(mel[:, ::step])
    case["mel_db"] = keep(librosa.power_to_db(mel, ref=np.max)[:, ::step])
    case["mfcc"] = keep(mfcc[:, ::step])
    if mel.shape[1] >= 9:
        case["mfcc_delta"] = keep(
            np.vstack([mfcc, librosa.feature.delta(mfcc), librosa.feature.delta(mfcc, order=2)])[:, ::step])
    cases.append(case)


def resampling(source, target, length, kind="tone"):
    y = librosa.resample(signal(kind, source, length), orig_sr=source, target_sr=target, res_type="soxr_hq")
    cases.append({"name": f"resample_{source}_{target}_{length}", "signal": kind, "rate": source, "length": length,
                  "target": target, "resampled": keep(y)})


warnings.simplefilter("ignore")
features("default", "tone")
features("two_seconds", "sweep", length=44100, step=6)
features("one_sample", "noise", length=1)
features("shorter_than_window", "tone", length=700)
features("silence", "silence", length=5000)
features("full_scale_noise", "noise", step=3)
features("smallest_fft", "tone", length=900, n_fft=64, hop_length=16, n_mels=10, step=7)
features("fft_128", "noise", length=1500, n_fft=128, hop_length=50, n_mels=16, step=4)
features("fft_256", "tone", length=2000, n_fft=256, hop_length=100, n_mels=20, step=3)
features("fft_512", "sweep", rate=8000, length=4000, n_fft=512, hop_length=128, n_mels=40, step=4)
features("speech", "tone", rate=16000, length=4800, n_fft=512, hop_length=160, win_length=400, n_mels=40, step=3)
features("fft_1024_htk", "tone", rate=44100, length=9000, n_fft=1024, hop_length=441, n_mels=64, htk=True, step=2)
features("no_norm_band", "noise", rate=16000, n_fft=1024, hop_length=256, n_mels=30, fmin=300.0, fmax=3400.0,
         norm=None, step=3)
features("magnitude", "tone", power=1.0, step=4)
features("power_three", "tone", power=3.0, step=4)
features("fft_4096", "sweep", length=12000, n_fft=4096, hop_length=1024, n_mels=128, step=2)
features("fft_8192", "noise", rate=48000, length=20000, n_fft=8192, hop_length=3000, n_mels=96, step=2)
features("largest_fft", "sweep", rate=48000, length=30000, n_fft=16384, hop_length=4096, n_mels=64, step=2)
features("hop_equals_window", "noise", length=9000, n_fft=1024, hop_length=1024, n_mels=48)
features("hop_of_one", "tone", length=40, n_fft=64, hop_length=1, n_mels=8, step=5)
for source, target, length in [(44100, 22050, 8820), (48000, 22050, 9600), (16000, 22050, 4000), (8000, 22050, 1600),
                               (22050, 16000, 4410), (96000, 22050, 9600), (44100, 22050, 1), (11025, 22050, 37)]:
    resampling(source, target, length)

folder.mkdir(exist_ok=True)
flat = np.concatenate(values)
np.save(folder / "values.npy", flat)
versions = {m.__name__: m.__version__ for m in (librosa, np, scipy, soxr)}
(folder / "cases.json").write_text(json.dumps({"versions": versions, "cases": cases}, indent=1) + "\n")
print(f"{len(cases)} cases, {flat.nbytes} bytes, {versions}")
