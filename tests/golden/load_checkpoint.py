#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reads a checkpoint that `train` wrote into the PyTorch twin, encodes the cached features with it, and compares the codes
with those that `evaluate` wrote. Exits 1 where they differ by more than the tolerance. Run by hand:

    extract_audio && train --model conv --epochs 2 && evaluate --model conv
    .venv/bin/python tests/golden/load_checkpoint.py --model conv
"""
import argparse
import csv
import json
import pathlib
import sys

import numpy as np
import torch
from safetensors import safe_open

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "bench/reference"))
import models

NOT_MODEL = ("optimizer.", "training.", "features.", "discriminator.")


def make_twin(tensors, texts, row_shape):
    """The model that has these tensors; dropout and the rest of its training do not matter here."""
    latent_dim = len(tensors["fc_mu.bias"])
    widths = []
    while (name := f"encoder.{4 * len(widths)}.weight") in tensors:
        widths.append(len(tensors[name]))
    if tensors["encoder.0.weight"].ndim == 2:
        options = {"input_dim": tensors["encoder.0.weight"].shape[1], "hidden": widths, "latent_dim": latent_dim}
        if "pi_logits" in tensors:
            return models.VaDE(components=len(tensors["pi_logits"]), **options)
        return models.BasicVAE(**options)
    halvings, height = 2 ** len(widths), row_shape[0]
    width = len(tensors["decoder_input.bias"]) // (widths[-1] * (height // halvings))
    classes, dim = tensors["embedding.weight"].shape if "embedding.weight" in tensors else (0, 0)
    return models.ConvVAE(image=(height, width * halvings), channels=widths, backbone=texts["identity.model.arch"],
                          latent_dim=latent_dim, classes=classes, condition_dim=dim, film="encoder_film.weight" in tensors)


def read_checkpoint(path):
    with safe_open(path, "pt") as file:
        texts = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    return tensors, texts


def load_twin(tensors, texts, row_shape):
    own = {name: t for name, t in tensors.items() if not name.startswith(NOT_MODEL)}
    twin = make_twin(own, texts, row_shape)
    missing, unexpected = twin.load_state_dict(own, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        sys.exit(f"error: not the twin's parameters: missing {missing}, unexpected {unexpected}")
    return twin.eval()


def feature_folder(data, kind):
    found = sorted((data / "features").glob(f"{kind}-*/index.json"))
    if len(found) != 1:
        sys.exit(f"error: {data}/features: {len(found)} caches of kind {kind} (allowed 1, or name one with --features)")
    return found[0].parent


def read_features(folder, song_ids):
    """f32 (songs, elements of the row shape) and the row shape."""
    index = json.loads((folder / "index.json").read_text())
    shards = {shard: np.load(folder / f"shard_{int(shard):05d}.npy", mmap_mode="r") for shard in index["shards"]}
    songs = [index["songs"][song] for song in song_ids]
    rows = np.stack([shards[str(song["shard"])][song["row"]] for song in songs])
    return rows.reshape(len(rows), -1).astype(np.float32), index["row_shape"]


def encode(twin, features, labels, batch=64):
    codes = []
    with torch.no_grad():
        for start in range(0, len(features), batch):
            rows = slice(start, start + batch)
            codes.append(twin.encode(torch.from_numpy(features[rows]), None if labels is None else labels[rows])[0])
    return torch.cat(codes).numpy()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="as `evaluate` has it: basic, conv, cvae_genre, ...")
    parser.add_argument("--data", type=pathlib.Path, default="data")
    parser.add_argument("--results", type=pathlib.Path, default="results")
    parser.add_argument("--features", type=pathlib.Path, help="the folder of the feature cache, where there are several")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="of the codes' root mean square")
    args = parser.parse_args()

    tensors, texts = read_checkpoint(args.results / "checkpoints" / args.model / "best.safetensors")
    with open(args.results / "embeddings" / f"{args.model}.csv", newline="") as file:
        songs = list(csv.DictReader(file))
    kind = texts["identity.features.kind"]
    if kind == "auto":
        kind = "statistics" if args.model in ("basic", "vade") else "mel_db"
    folder = args.features or feature_folder(args.data, kind)
    features, row_shape = read_features(folder, [song["song_id"] for song in songs])
    if "features.mean" in tensors:
        features = (features - tensors["features.mean"].numpy()) / tensors["features.standard_deviation"].numpy()
    labels = None
    if "identity.data.classes" in texts:
        classes = texts["identity.data.classes"].split("\n")
        labels = torch.tensor([classes.index(song[texts["identity.model.condition"]]) for song in songs])

    codes = encode(load_twin(tensors, texts, row_shape), features, labels)
    expected = np.load(args.results / "embeddings" / f"{args.model}.npy")
    if codes.shape != expected.shape:
        sys.exit(f"error: {args.model}: codes {codes.shape} in PyTorch, {expected.shape} in the file")
    error = float(np.abs(codes - expected).max() / np.sqrt(np.mean(expected**2)))
    print(f"{args.model}: {len(codes)} songs, largest difference {error:.1e} of the codes' root mean square")
    sys.exit(0 if error <= args.tolerance else 1)


if __name__ == "__main__":
    main()
