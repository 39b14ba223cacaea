# SPDX-License-Identifier: MIT
"""Golden training runs of the models in PyTorch (bench/reference/models.py), small ones, two of them with the penalties of
disentanglement.py: the same initial weights, batches, dropout masks and latent noise as Chorale draws (philox.py), ten or
twelve steps. Into training/ beside itself go runs.json (settings, losses and gradient norms of each step), the data, and for
each run a file with the initial weights, the first moments of AdamW after the first step (a tenth of the clipped gradient)
and mu of every row after the last one; also the small tensors of a discriminator after its last update.

    .venv/bin/python tests/golden/training.py
"""
import json
import pathlib
import sys

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "bench/reference")]
import disentanglement
import models
import philox

FOLDER = HERE / "training"
SEED, STEPS, RATE, DECAY, CLIP, DROPOUT = 7, 10, 1e-3, 1e-4, 0.5, 0.2
IMAGE = [20, 37]

GAUSSIAN_SUM = {"likelihood": "gaussian", "scale": 0.5, "reduction": "sum", "kl_weight": 1.0}
SQUARED_MEAN = {"likelihood": "squared_error", "scale": 1.0, "reduction": "mean", "kl_weight": 0.5}
ROWS = {"data": "rows", "batch_size": 16}
IMAGES = {"data": "images", "batch_size": 8}
BASIC = {"model": {"hidden": [32, 16], "latent_dim": 6}, **ROWS}


def conv(backbone, **condition):
    return {"model": {"image": IMAGE, "channels": [4, 8], "backbone": backbone, "latent_dim": 4, **condition}, **IMAGES}


RUNS = {
    "basic_sum": BASIC | GAUSSIAN_SUM,
    "basic_mean": BASIC | SQUARED_MEAN,
    "vade": {"model": {"hidden": [32, 16], "latent_dim": 6, "components": 5}, **ROWS} | GAUSSIAN_SUM,
    "conv_flat": conv("flat") | SQUARED_MEAN,
    "conv_pooled": conv("pooled") | GAUSSIAN_SUM,
    "conv_deep": conv("deep") | GAUSSIAN_SUM,
    "beta": conv("flat") | GAUSSIAN_SUM | {"kl_weight": 4.0},
    "cvae_concat": conv("flat", classes=3, condition_dim=5) | GAUSSIAN_SUM,
    "cvae_film": conv("pooled", classes=3, condition_dim=5, film=True) | SQUARED_MEAN,
    "tc": BASIC | GAUSSIAN_SUM | {"disentanglement": "total_correlation", "tc_weight": 5.0, "steps": 12},
    "factor": conv("pooled") | GAUSSIAN_SUM | {"disentanglement": "factor", "tc_weight": 40.0, "steps": 12},
}


class Masked(nn.Module):
    """nn.Dropout, or nn.Dropout2d on images, with the mask of (seed, offset, stream)."""

    def __init__(self, noise, p, stream):
        super().__init__()
        self.noise, self.p, self.stream = noise, p, stream

    def forward(self, x):
        if not self.training:
            return x
        keep = philox.uniform(SEED, self.noise.offset, self.stream, tuple(x.shape[:2])) >= np.float32(self.p)
        return x * torch.from_numpy(keep).reshape(x.shape[:2] + (1,) * (x.dim() - 2)) / (1 - self.p)


class PhiloxNoise:
    """Chorale's random numbers of step `offset`, in the place of models.TorchNoise."""

    offset = 0

    def dropout(self, p, stream):
        return Masked(self, p, stream)

    dropout2d = dropout

    def normal(self, like):
        return torch.from_numpy(philox.normal(SEED, self.offset, models.LATENT_STREAM, tuple(like.shape)))


def make_model(settings, data, noise):
    options = settings["model"] | {"dropout": DROPOUT, "noise": noise}
    if "image" in options:
        return models.ConvVAE(**options)
    return (models.VaDE if "components" in options else models.BasicVAE)(input_dim=data.shape[1], **options)


def make_penalty(settings, data):
    kind = settings.get("disentanglement")
    if kind == "factor":
        return disentanglement.DensityRatio(settings["model"]["latent_dim"], SEED, RATE, CLIP)
    return disentanglement.WeightedSampling(len(data)) if kind else None


def keep_posterior(model):
    """The model's own KL, and after it model.posterior = (mu, log variance, z)."""
    kl = model.kl

    def kept(*posterior):
        model.posterior = posterior
        return kl(*posterior)

    model.kl = kept


def freeze_biases_without_effect(model):
    """Batch normalisation takes a bias in front of it away again. What PyTorch computes for its gradient is rounding
    noise, of which Adam makes whole steps; Chorale leaves it where it is."""
    for sequence in (model.encoder, model.decoder):
        for layer, norm in zip(sequence, list(sequence)[1:]):
            if isinstance(norm, (nn.BatchNorm1d, nn.BatchNorm2d)) and layer.bias is not None:
                layer.bias.requires_grad_(False)


def tensors_of(model):
    return {k: v.clone().contiguous() for k, v in model.state_dict().items() if "num_batches" not in k}


def run(settings, data):
    torch.manual_seed(0)
    noise = PhiloxNoise()
    model = make_model(settings, data, noise)
    freeze_biases_without_effect(model)
    result = {f"initial.{k}": v for k, v in tensors_of(model).items()}
    x_all = torch.from_numpy(data)
    classes = settings["model"].get("classes", 0)
    labels = torch.arange(len(data)) % classes if classes else None
    optimizer = torch.optim.AdamW(models.parameter_groups(model, RATE), lr=RATE, weight_decay=DECAY)
    terms = {k: settings[k] for k in ("likelihood", "scale", "reduction", "kl_weight")}
    penalty, steps = make_penalty(settings, data), settings.get("steps", STEPS)
    keep_posterior(model)
    losses, norms, epoch = [], [], 0
    while noise.offset < steps:
        order = philox.shuffled(range(len(data)), SEED, epoch)
        for start in range(0, len(data), settings["batch_size"]):
            if noise.offset == steps:
                break
            rows = order[start:start + settings["batch_size"]]
            values = models.objective(model, x_all[rows], None if labels is None else labels[rows], **terms)
            loss = values[0]
            if penalty:
                loss = loss + settings["kl_weight"] * settings["tc_weight"] * penalty.penalty(*model.posterior)
            optimizer.zero_grad()
            loss.backward()
            norms.append(float(nn.utils.clip_grad_norm_(model.parameters(), CLIP)))
            optimizer.step()
            if penalty:
                penalty.model_updated(noise.offset)
            losses.append([float(v.detach()) for v in (loss, *values[1:])])
            if noise.offset == 0:
                for name, parameter in model.named_parameters():
                    if parameter.requires_grad:
                        result[f"first_moment.{name}"] = optimizer.state[parameter]["exp_avg"].clone()
            noise.offset += 1
        epoch += 1
    model.eval()
    with torch.no_grad():
        result["mu"] = model.encode(x_all, labels)[0].contiguous()
    if penalty:
        result.update(penalty.tensors())
    return result, settings | {"losses": losses, "gradient_norms": norms}


def waves(rows, columns, cycles, stream):
    """Each row a sum of four sinusoids of random phase and height, (rows, columns)."""
    u = philox.uniform(99, 0, stream, (rows, 4))
    t = np.linspace(0, cycles, columns, dtype=np.float32)
    return sum(np.sin(2 * np.pi * (k + 1) * (t[None] + u[:, k:k + 1])) * (u[:, k:k + 1] + 0.5) for k in range(4))


def make_data():
    bands, frames = (waves(20, n, cycles, 6) for n, cycles in zip(IMAGE, (0.4, 1.5)))
    images = 0.5 * bands[:, :, None] * frames[:, None, :]
    return {"rows": waves(60, 52, 1, 5).astype(np.float32), "images": images.reshape(20, -1).astype(np.float32)}


def main():
    FOLDER.mkdir(exist_ok=True)
    data = {name: np.ascontiguousarray(values) for name, values in make_data().items()}
    for name, values in data.items():
        np.save(FOLDER / f"{name}.npy", values)
    runs = {}
    for name, settings in RUNS.items():
        tensors, runs[name] = run(settings, data[settings["data"]])
        save_file(tensors, FOLDER / f"{name}.safetensors")
    common = {"torch": torch.__version__, "seed": SEED, "dropout": DROPOUT, "learning_rate": RATE, "weight_decay": DECAY,
              "gradient_clip": CLIP}
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(settings)}" for name, settings in runs.items())
    (FOLDER / "runs.json").write_text(json.dumps(common)[:-1] + f', "runs": {{\n{lines}\n}}}}\n')


if __name__ == "__main__":
    main()
