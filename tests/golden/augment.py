#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Golden values of time stretch and pitch shift, made by librosa: tests/golden/augment/{cases.json, values.npy}.

Run through tools/reference_env.sh. librosa is given f64 samples: in f32 its phase vocoder adds up hundreds of radians a
frame in f32, and how far off it then is is printed for each case.
values.npy is one flat f32 array; the input comes first, of each result every `step`-th sample is kept.
"""
import json
import pathlib

import librosa
import numpy as np
import soxr

RATE, LENGTH, STEP = 22050, 33075, 5
folder = pathlib.Path(__file__).parent / "augment"
rng = np.random.default_rng(7)
t = np.arange(LENGTH) / RATE
hiss = np.fft.rfft(0.02 * rng.standard_normal(LENGTH))
hiss[len(hiss) * 7 // 10:] = 0  # resamplers differ in where a band's last tenth is cut off
# A floor, so that phases of empty bins are no matter of rounding.
clip = np.fft.irfft(hiss, LENGTH) + 2e-4 * rng.standard_normal(LENGTH)
for semitones, amplitude in ((0, 0.2), (4, 0.15), (7, 0.1), (19, 0.05)):
    clip += amplitude * np.sin(2 * np.pi * 330 * 2 ** (semitones / 12) * t + 0.1 * np.sin(2 * np.pi * 5 * t))
clip += 0.3 * np.exp(-30 * (t % 0.37)) * np.sin(2 * np.pi * 90 * (t % 0.37))
clip = clip.astype(np.float32)

values, cases = [clip], []
for name, function, options in (
        ("slow", librosa.effects.time_stretch, {"rate": 0.8}),
        ("fast", librosa.effects.time_stretch, {"rate": 1.3}),
        ("twice", librosa.effects.time_stretch, {"rate": 2.0}),
        ("short_frames", librosa.effects.time_stretch, {"rate": 0.9, "n_fft": 512, "hop_length": 100}),
        ("up", librosa.effects.pitch_shift, {"n_steps": 2.0, "bins_per_octave": 12}),
        ("down", librosa.effects.pitch_shift, {"n_steps": -3.5, "bins_per_octave": 12}),
        ("quarter_tones", librosa.effects.pitch_shift, {"n_steps": 7.0, "bins_per_octave": 24})):
    pitch = {"sr": RATE} if function is librosa.effects.pitch_shift else {}
    y = function(clip.astype(np.float64), **pitch, **options)
    single = function(clip, **pitch, **options)
    deviation = np.abs(single - y)
    print(f"{name}: librosa in f32 against f64: at most {deviation.max():.2g}, RMS {np.sqrt(np.mean(deviation ** 2)):.2g}, "
          f"of a signal of RMS {np.sqrt(np.mean(y ** 2)):.2g}")
    cases.append({"name": name, "length": len(y), "start": sum(v.size for v in values), **options})
    values.append(y[::STEP].astype(np.float32))

folder.mkdir(exist_ok=True)
np.save(folder / "values.npy", np.concatenate(values))
versions = {m.__name__: m.__version__ for m in (librosa, np, soxr)}
lines = ",\n".join(json.dumps(case) for case in cases)
(folder / "cases.json").write_text(
    f'{{"versions": {json.dumps(versions)}, "length": {LENGTH}, "step": {STEP}, "cases": [\n{lines}\n]}}\n')
