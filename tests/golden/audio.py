#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Golden values of the audio front end, made by librosa: tests/golden/audio/{cases.json, values.npy}.

Run through tools/reference_env.sh. Inputs are formulas that tests/audio/signals.h repeats; values.npy is one flat f32
array, cases.json says where each result starts, its shape, and the options it was made with. The cases named
`random_NN` are drawn from a fixed seed and cover all options of the mel front end together.
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
    elif kind == "chord":  # 30 cents above equal temperament
        x = 0.005 * noise(n)
        for semitones, amplitude in ((0, 0.3), (4, 0.25), (7, 0.2)):
            x = x + amplitude * np.sin(2 * np.pi * 440 * 2 ** ((semitones + 0.3) / 12) * t)
    elif kind == "clicks":  # 100 a minute
        x = 0.8 * np.exp(-60 * (t - 0.6 * np.floor(t / 0.6))) * noise(n)
    return x.astype(np.float32)


values, cases = [], []


def keep(array):
    array = np.ascontiguousarray(array, np.float32)
    start = sum(v.size for v in values)
    values.append(array.ravel())
    return {"start": start, "shape": list(array.shape)}


FRAMES = {"n_fft": 2048, "hop_length": 512, "win_length": None, "window": "hann", "center": True,
          "pad_mode": "constant"}
MEL = {"n_mels": 128, "fmin": 0.0, "fmax": None, "htk": False, "norm": "slaney", "power": 2.0}
DECIBELS = {"ref": None, "amin": 1e-10, "top_db": 80.0}
CEPSTRUM = {"n_mfcc": None, "dct_type": 2, "dct_norm": "ortho", "lifter": 0}
DELTA = {"width": 9, "order": 2}


def chosen(defaults, options):
    return {k: options.get(k, v) for k, v in defaults.items()}


def features(name, kind, rate=22050, length=6615, step=1, **options):
    """`step`: every step-th frame is kept (the last always is where frames - 1 is a multiple). `ref`: None stands for
    the maximum in mel_db and 1 in mfcc."""
    unknown = set(options) - set(FRAMES) - set(MEL) - set(DECIBELS) - set(CEPSTRUM) - set(DELTA)
    assert not unknown, unknown
    y = signal(kind, rate, length)
    fft, bands, delta = chosen(FRAMES, options), chosen(MEL, options), chosen(DELTA, options)
    decibels, cepstrum = chosen(DECIBELS, options), chosen(CEPSTRUM, options)
    cepstrum["n_mfcc"] = cepstrum["n_mfcc"] or min(40, bands["n_mels"])
    mel = librosa.feature.melspectrogram(y=y, sr=rate, **fft, **bands)

    def db(default):
        ref = default if decibels["ref"] is None else np.max if decibels["ref"] == "max" else decibels["ref"]
        return librosa.power_to_db(mel, ref=ref, amin=decibels["amin"], top_db=decibels["top_db"])

    mfcc = librosa.feature.mfcc(S=db(1.0), n_mfcc=cepstrum["n_mfcc"], dct_type=cepstrum["dct_type"],
                                norm=cepstrum["dct_norm"], lifter=cepstrum["lifter"])
    case = {"kind": "features", "name": name, "signal": kind, "rate": rate, "length": length, "step": step,
            **fft, **bands, **decibels, **cepstrum, **delta}
    case["mel"] = keep(mel[:, ::step])
    case["mel_db"] = keep(db(np.max)[:, ::step])
    case["log_mel"] = keep(np.log(np.maximum(decibels["amin"], mel))[:, ::step])
    case["mfcc"] = keep(mfcc[:, ::step])
    if mel.shape[1] >= delta["width"]:
        stack = [mfcc] + [librosa.feature.delta(mfcc, width=delta["width"], order=order)
                          for order in range(1, delta["order"] + 1)]
        case["mfcc_delta"] = keep(np.vstack(stack)[:, ::step])
    cases.append(case)


def random_features(number, rng):
    """Settings that make sense together: enough samples for the widest derivative, bands that hold bins."""
    def pick(*choices):
        return choices[rng.integers(len(choices))]

    rate = pick(8000, 16000, 22050, 44100, 48000)
    n_fft = pick(120, 256, 320, 400, 480, 500, 512, 600, 720, 1000, 1024, 1200, 1440, 2000, 2048)
    hop = int(n_fft // pick(2, 3, 4, 5) + rng.integers(0, 3))
    n_mels = int(rng.integers(6, max(8, n_fft // 24)))
    frames = int(rng.integers(13, 22))
    features(f"random_{number:02d}", pick("tone", "noise", "sweep", "chord"), rate=rate,
             length=n_fft + (frames - 1) * hop + int(rng.integers(hop)), step=int(rng.integers(2, 5)),
             n_fft=n_fft, hop_length=hop, win_length=pick(None, int(rng.integers(n_fft // 2, n_fft))),
             window=pick("hann", "hamming", "blackman", "bartlett", "boxcar"), center=pick(True, True, False),
             pad_mode=pick("constant", "reflect", "edge"), n_mels=n_mels, fmin=pick(0.0, 0.0, 50.0, 300.5),
             fmax=pick(None, None, 3800.0, 0.45 * rate), htk=pick(False, True),
             norm=pick("slaney", None, 1.0, 2.0) if number % 2 else "slaney", power=pick(2.0, 1.0, 2.0, 1.5, 3.0),
             ref=pick(None, "max", 1.0, 0.25, 30.0), amin=pick(1e-10, 1e-5, 1e-7), top_db=pick(80.0, None, 60.0, 30.0),
             n_mfcc=int(rng.integers(3, min(n_mels, 24) + 1)), dct_type=pick(1, 2, 2, 3), dct_norm=pick("ortho", None),
             lifter=pick(0, 0, 22, 13.5), width=pick(3, 5, 9, 11), order=pick(1, 2, 3))


def transforms(name, kind, rate=22050, length=6615, step=1, inverse_lengths=(None,), **options):
    """The spectrum's real and imaginary parts, and the clips made from it with bin k divided by 1 + k / 100."""
    fft = chosen(FRAMES, options)
    y = signal(kind, rate, length)
    spectrum = librosa.stft(y, **fft)
    case = {"kind": "stft", "name": name, "signal": kind, "rate": rate, "length": length, "step": step, **fft}
    case["stft"] = keep(spectrum[:, ::step, None].view(np.float32))
    damped = spectrum / (1 + np.arange(spectrum.shape[0], dtype=np.float32) / np.float32(100))[:, None]
    inverse = {k: v for k, v in fft.items() if k != "pad_mode"}
    case["inverse_lengths"] = [n if n is not None else -1 for n in inverse_lengths]
    case["istft"] = [keep(librosa.istft(damped, length=n, **inverse)[::step]) for n in inverse_lengths]
    cases.append(case)


def descriptors(name, kind, rate=22050, length=22050, step=1, onset=None, chroma=None, **options):
    """RMS, centroid, chroma with its tuning, onset strength and tempo."""
    fft = chosen(FRAMES, options)
    y = signal(kind, rate, length)
    case = {"kind": "descriptors", "name": name, "signal": kind, "rate": rate, "length": length, "step": step, **fft,
            "onset": onset or {}, "chroma": chroma or {}}
    chroma_options = dict(chroma or {})
    if chroma_options.get("norm") == "inf":
        chroma_options["norm"] = np.inf
    case["rms"] = keep(librosa.feature.rms(y=y, frame_length=fft["n_fft"], hop_length=fft["hop_length"],
                                           center=fft["center"], pad_mode=fft["pad_mode"])[:, ::step])
    case["spectral_centroid"] = keep(librosa.feature.spectral_centroid(y=y, sr=rate, **fft)[:, ::step])
    power = np.abs(librosa.stft(y, **fft)) ** 2
    if "tuning" not in chroma_options:
        case["tuning"] = float(librosa.estimate_tuning(S=power, sr=rate,
                                                       bins_per_octave=chroma_options.get("n_chroma", 12)))
    case["chroma_values"] = keep(librosa.feature.chroma_stft(y=y, sr=rate, **fft, **chroma_options)[:, ::step])
    onset_options = dict(onset or {})
    if onset_options.get("aggregate") == "median":
        onset_options["aggregate"] = np.median
    if fft["center"]:  # librosa applies `center` to both the envelope and the spectrogram
        envelope = librosa.onset.onset_strength(y=y, sr=rate, n_fft=fft["n_fft"], hop_length=fft["hop_length"],
                                                **onset_options)
        case["onset_strength"] = keep(envelope[::step])
        if not onset_options.get("detrend"):  # a tempo is asked of what is not negative
            tempo = librosa.feature.tempo(onset_envelope=envelope, sr=rate, hop_length=fft["hop_length"])
            case["tempo"] = float(tempo[0])
    cases.append(case)


def resampling(source, target, length, kind="tone"):
    y = librosa.resample(signal(kind, source, length), orig_sr=source, target_sr=target, res_type="soxr_hq")
    cases.append({"kind": "resample", "name": f"resample_{source}_{target}_{length}", "signal": kind, "rate": source,
                  "length": length, "target": target, "resampled": keep(y)})


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
features("speech_400", "tone", rate=16000, length=4800, n_fft=400, hop_length=160, n_mels=40, step=3)
features("speech_480_uncentred", "noise", rate=48000, length=9600, n_fft=480, hop_length=240, n_mels=30,
         center=False, step=5)
features("reflect_1000", "tone", length=7000, n_fft=1000, hop_length=250, n_mels=32, pad_mode="reflect",
         window="hamming", step=4)
features("reflect_shorter_than_pad", "tone", length=300, n_fft=1200, hop_length=300, n_mels=20, pad_mode="reflect")
features("edge_1200", "sweep", length=9000, n_fft=1200, hop_length=400, n_mels=32, pad_mode="edge",
         window="blackman", step=3)
features("odd_half_450", "noise", length=5000, n_fft=450, hop_length=150, n_mels=16, window="bartlett", step=4)
rng = np.random.default_rng(2024)
for number in range(20):
    random_features(number, rng)
transforms("stft_default", "tone", step=5, inverse_lengths=(None, 6615, 5000, 8000))
transforms("stft_400_reflect", "sweep", rate=16000, length=3000, n_fft=400, hop_length=160, pad_mode="reflect", step=4,
           inverse_lengths=(None, 3000))
transforms("stft_uncentred", "noise", length=4000, n_fft=512, hop_length=100, win_length=300, center=False, step=6,
           inverse_lengths=(None, 3900))
transforms("stft_hamming_1200", "tone", length=7000, n_fft=1200, hop_length=300, window="hamming", pad_mode="edge",
           step=6, inverse_lengths=(7000,))
transforms("stft_hop_equals_window", "noise", length=3000, n_fft=240, hop_length=240, window="boxcar", step=3,
           inverse_lengths=(3000,))
descriptors("descriptors_default", "chord", length=33075, step=5)
descriptors("descriptors_clicks", "clicks", length=22050 * 10, step=13, onset={"lag": 2, "max_size": 3})
descriptors("descriptors_noise", "noise", rate=16000, length=16000 * 4, n_fft=400, hop_length=160, step=40,
            pad_mode="reflect", window="hamming", chroma={"n_chroma": 24, "norm": 2, "tuning": 0.1})
descriptors("descriptors_uncentred", "sweep", length=22050, n_fft=1200, hop_length=300, center=False, step=9,
            chroma={"norm": 1})
descriptors("descriptors_silence", "silence", length=10000, step=2)
for source, target, length in [(44100, 22050, 8820), (48000, 22050, 9600), (16000, 22050, 4000), (8000, 22050, 1600),
                               (22050, 16000, 4410), (96000, 22050, 9600), (44100, 22050, 1), (11025, 22050, 37)]:
    resampling(source, target, length)
descriptors("descriptors_median", "clicks", length=22050 * 5, step=11, onset={"aggregate": "median", "max_size": 4})
descriptors("descriptors_detrended", "noise", length=22050 * 2, step=7, onset={"detrend": True, "lag": 3})
descriptors("descriptors_median_detrended", "chord", length=22050, step=2, onset={"aggregate": "median", "detrend": True})

folder.mkdir(exist_ok=True)
flat = np.concatenate(values)
np.save(folder / "values.npy", flat)
versions = {m.__name__: m.__version__ for m in (librosa, np, scipy, soxr)}
lines = ",\n".join(json.dumps(case) for case in cases)
(folder / "cases.json").write_text(f'{{"versions": {json.dumps(versions)}, "cases": [\n{lines}\n]}}\n')
print(f"{len(cases)} cases, {flat.nbytes} bytes, {versions}")
