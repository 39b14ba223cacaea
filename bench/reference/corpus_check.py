#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What plain features say about a corpus folder: how far genres and languages separate, and whether the factors that
its manifest states can be measured in the sound.

    .venv/bin/python bench/reference/corpus_check.py data [--songs N] [--sheet FILE.png] [--json FILE]

Features: mean and standard deviation over time of 20 MFCC (librosa, 22,050 Hz, n_fft 2048, hop 512), standardised;
k-means (scikit-learn, n_init 10, random_state 0). Factors, where the manifest has the columns: rank correlation of
`energy` with the RMS level in dB, of `brightness` with the mean spectral centroid, and of `tempo_bpm` with the tempo of
librosa's beat tracker after the simple ratio (1/3 1/2 2/3 3/4 1 4/3 3/2 2 3) that brings both closest. The sheet
shows a mel spectrogram of the first song of every genre. Needs librosa 0.11 and scikit-learn 1.9; for the sheet
matplotlib 3.
"""
import argparse
import concurrent.futures
import csv
import json
import os
import pathlib

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"

import librosa  # noqa: E402
import numpy as np  # noqa: E402
from scipy.stats import spearmanr  # noqa: E402

RATE, HOP = 22050, 512
RATIOS = (1 / 3, 1 / 2, 2 / 3, 3 / 4, 1, 4 / 3, 3 / 2, 2, 3)


def tempo_of(mel_db):
    """Beats a minute from the mean distance of the tracked beats; 0 without beats."""
    onsets = librosa.onset.onset_strength(S=mel_db, sr=RATE, hop_length=HOP)
    tempo, beats = librosa.beat.beat_track(onset_envelope=onsets, sr=RATE, hop_length=HOP)
    if len(beats) < 5:
        return float(np.atleast_1d(tempo)[0])
    return 60 * RATE / HOP / float(np.median((beats[4:] - beats[:-4]) / 4))


def measure(path):
    clip, _ = librosa.load(path, sr=RATE)
    magnitude = np.abs(librosa.stft(clip, n_fft=2048, hop_length=HOP))
    mel_db = librosa.power_to_db(librosa.feature.melspectrogram(S=magnitude**2, sr=RATE))
    mfcc = librosa.feature.mfcc(S=mel_db, n_mfcc=20)
    return {"mfcc": np.concatenate([mfcc.mean(1), mfcc.std(1)]),
            "level": 20 * np.log10(np.sqrt(np.mean(clip**2)) + 1e-9),
            "centroid": float(librosa.feature.spectral_centroid(S=magnitude, sr=RATE).mean()),
            "tempo": tempo_of(mel_db)}


def folded(measured, stated):
    """The measured tempo times the ratio that brings it closest to the stated one, and by how many percent it errs."""
    candidates = measured * np.array(RATIOS)
    best = candidates[np.argmin(np.abs(np.log(np.maximum(candidates, 1e-3) / stated)))]
    return best, 100 * abs(best / stated - 1)


def check_factors(rows, songs):
    result = {}
    for column, feature in (("energy", "level"), ("brightness", "centroid")):
        if column in rows[0]:
            stated = [float(row[column]) for row in rows]
            result[f"{column} ~ {feature}"] = float(spearmanr(stated, [song[feature] for song in songs]).statistic)
    if "tempo_bpm" in rows[0]:
        pairs = [folded(song["tempo"], float(row["tempo_bpm"])) for row, song in zip(rows, songs)]
        result["tempo ~ beat tracker"] = float(
            spearmanr([float(row["tempo_bpm"]) for row in rows], [tempo for tempo, _ in pairs]).statistic)
        result["tempo within 4 %"] = float(np.mean([error <= 4 for _, error in pairs]))
    return result


def check_clusters(rows, songs):
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
    from sklearn.model_selection import cross_val_predict
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.preprocessing import StandardScaler

    features = StandardScaler().fit_transform([song["mfcc"] for song in songs])
    result, genres = {}, np.array([row["genre"] for row in rows])
    clusters = None
    for label in ("genre", "language"):
        truth = np.array([row[label] for row in rows])
        k = len(set(truth))
        found = KMeans(k, n_init=10, random_state=0).fit_predict(features)
        result[f"{label} ARI, k = {k}"] = float(adjusted_rand_score(truth, found))
        result[f"{label} NMI, k = {k}"] = float(normalized_mutual_info_score(truth, found))
        if label == "genre":
            clusters = found
            language = [row["language"] for row in rows]
            result[f"language ARI, k = {k}"] = float(adjusted_rand_score(language, found))
    if min(np.unique(genres, return_counts=True)[1]) >= 5:
        guess = cross_val_predict(KNeighborsClassifier(5), features, genres, cv=5)
        result["genre accuracy, 5 neighbours, 5 folds"] = float(np.mean(guess == genres))
    return result, clusters


def confusions(genres, clusters, n=20):
    """The pairs of genres whose songs share a cluster most often, relative to how often each shares with itself."""
    names = sorted(set(genres))
    share = np.array([[np.mean((genres == name) & (clusters == c)) for c in range(clusters.max() + 1)]
                      for name in names])
    share /= np.linalg.norm(share, axis=1, keepdims=True)
    cosine = share @ share.T
    pairs = sorted(((cosine[i, j], names[i], names[j]) for i in range(len(names)) for j in range(i)), reverse=True)
    return [(round(float(value), 2), a, b) for value, a, b in pairs[:n]]


def draw_sheet(folder, rows, path):
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    first = {}
    for row in rows:
        first.setdefault((row["language"], row["genre"]), row)
    columns = 9
    lines = -(-len(first) // columns)
    figure, axes = plt.subplots(lines, columns, figsize=(3.2 * columns, 2.3 * lines), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, ((language, genre), row) in zip(axes.flat, sorted(first.items())):
        clip, _ = librosa.load(folder / row["audio_path"], sr=RATE)
        mel = librosa.feature.melspectrogram(y=clip, sr=RATE, hop_length=256)
        axis.imshow(librosa.power_to_db(mel, ref=np.max, top_db=70), origin="lower", aspect="auto", cmap="magma")
        axis.set_title(f"{genre} ({language[:2]}) {row.get('tempo_bpm', '')}", fontsize=9)
    figure.tight_layout()
    figure.savefig(path, dpi=70)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("folder", type=pathlib.Path, help="holds manifest.csv")
    parser.add_argument("--songs", type=int, default=0, help="take only this many, spread over the manifest")
    parser.add_argument("--sheet", metavar="FILE.png", help="draw a mel spectrogram of one song a genre")
    parser.add_argument("--sheet-only", action="store_true", help="draw the sheet and leave")
    parser.add_argument("--json", metavar="FILE", help="where to write the numbers as well")
    args = parser.parse_args()
    with open(args.folder / "manifest.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if args.sheet:
        draw_sheet(args.folder, rows, args.sheet)
    if args.sheet_only:
        return
    if 0 < args.songs < len(rows):
        rows = [rows[i * len(rows) // args.songs] for i in range(args.songs)]
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        songs = list(pool.map(measure, [args.folder / row["audio_path"] for row in rows], chunksize=8))
    clusters_result, clusters = check_clusters(rows, songs)
    result = {"songs": len(rows), **clusters_result, **check_factors(rows, songs)}
    for name, value in result.items():
        print(f"{name:40} {value:.3f}" if isinstance(value, float) else f"{name:40} {value}")
    print("genres that share clusters (cosine of their shares of the clusters):")
    for value, a, b in confusions(np.array([row["genre"] for row in rows]), clusters):
        print(f"  {value:.2f}  {a}, {b}")
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
