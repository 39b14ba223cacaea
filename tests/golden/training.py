# SPDX-License-Identifier: MIT
"""Golden training runs of the basic VAE in PyTorch: the same initial weights, batches, dropout masks and latent noise
as Chorale draws (philox.py), 20 steps, the loss of each. Writes training_basic.json, training_basic_x.npy and
training_basic.safetensors (initial weights) beside itself.

    python tests/golden/training.py
"""
import json
import pathlib
import sys

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import philox

HERE = pathlib.Path(__file__).parent
SEED, ROWS, INPUT, HIDDEN, LATENT, BATCH, STEPS, DROPOUT = 7, 60, 52, [32, 16], 6, 16, 20, 0.2
LATENT_STREAM, ENCODER_STREAM, DECODER_STREAM = 1, 16, 32


class Dropout(nn.Module):
    """nn.Dropout with the mask of (seed, offset, stream)."""

    def __init__(self, stream):
        super().__init__()
        self.stream, self.offset = stream, 0

    def forward(self, x):
        if not self.training:
            return x
        keep = philox.uniform(SEED, self.offset, self.stream, tuple(x.shape)) >= np.float32(DROPOUT)
        return x * torch.from_numpy(keep) / (1 - DROPOUT)


def blocks(widths, stream):
    layers = []
    for i, (a, b) in enumerate(zip(widths[:-1], widths[1:])):
        layers += [nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU(), Dropout(stream + i)]
    return layers


class BasicVae(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(*blocks([INPUT] + HIDDEN, ENCODER_STREAM))
        self.fc_mu, self.fc_logvar = nn.Linear(HIDDEN[-1], LATENT), nn.Linear(HIDDEN[-1], LATENT)
        self.decoder = nn.Sequential(*blocks([LATENT] + HIDDEN[::-1], DECODER_STREAM), nn.Linear(HIDDEN[0], INPUT))

    def forward(self, x, offset):
        for module in self.modules():
            if isinstance(module, Dropout):
                module.offset = offset
        h = self.encoder(x)
        mu, log_variance = self.fc_mu(h), self.fc_logvar(h).clamp(-10, 10)
        epsilon = torch.from_numpy(philox.normal(SEED, offset, LATENT_STREAM, tuple(mu.shape)))
        return self.decoder(mu + torch.exp(0.5 * log_variance) * epsilon), mu, log_variance


def run(likelihood, reduction, kl_weight):
    torch.manual_seed(0)
    model = BasicVae()
    initial = {k: v.clone().contiguous() for k, v in model.state_dict().items() if "num_batches" not in k}
    x_all = torch.from_numpy(data())
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-4)
    losses, norms, offset, epoch = [], [], 0, 0
    while len(losses) < STEPS:
        order = philox.shuffled(range(ROWS), SEED, epoch)
        for start in range(0, ROWS, BATCH):
            x = x_all[order[start:start + BATCH]]
            y, mu, log_variance = model(x, offset)
            offset += 1
            if likelihood == "gaussian":
                nll = (0.5 * ((x - y) / 0.5) ** 2 + np.log(0.5) + 0.5 * np.log(2 * np.pi)).sum(1).mean()
            else:
                nll = ((x - y) ** 2).sum(1).mean()
            kl = 0.5 * (mu**2 + log_variance.exp() - 1 - log_variance).mean(0).sum()
            if reduction == "mean":
                nll, kl = nll / INPUT, kl / LATENT
            loss = nll + kl_weight * kl
            optimizer.zero_grad()
            loss.backward()
            norms.append(float(nn.utils.clip_grad_norm_(model.parameters(), 0.5)))
            optimizer.step()
            losses.append([float(loss), float(nll), float(kl)])
            if len(losses) == STEPS:
                break
        epoch += 1
    final = {k: v.double().sum().item() for k, v in model.state_dict().items() if "num_batches" not in k}
    return initial, {"likelihood": likelihood, "reduction": reduction, "kl_weight": kl_weight, "losses": losses,
                     "gradient_norms": norms, "final_sums": final}


def data():
    u = philox.uniform(99, 0, 5, (ROWS, 4))
    t = np.linspace(0, 1, INPUT, dtype=np.float32)
    x = sum(np.sin(2 * np.pi * (k + 1) * (t[None] + u[:, k:k + 1])) * (u[:, k:k + 1] + 0.5) for k in range(4))
    return np.ascontiguousarray(x, dtype=np.float32)


def main():
    runs = []
    for arguments in [("gaussian", "sum", 1.0), ("squared_error", "mean", 0.5)]:
        initial, result = run(*arguments)
        runs.append(result)
    np.save(HERE / "training_basic_x.npy", data())
    save_file(initial, HERE / "training_basic.safetensors")
    settings = {"torch": torch.__version__, "seed": SEED, "hidden": HIDDEN, "latent_dim": LATENT, "batch_size": BATCH,
                "dropout": DROPOUT, "learning_rate": 1e-3, "weight_decay": 1e-4, "gradient_clip": 0.5, "runs": runs}
    (HERE / "training_basic.json").write_text(json.dumps(settings, indent=1) + "\n")


if __name__ == "__main__":
    main()
