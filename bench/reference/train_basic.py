#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Times one training step of the basic VAE in PyTorch: the twin of bench_train.

The step is what the original project runs: zero_grad, forward, MSE + KL, backward, clip_grad_norm_, AdamW, in f32
on the CPU, with the settings that make PyTorch fastest here (fused AdamW, set_to_none, foreach clipping, data in
memory and contiguous). Prints the median seconds of a step and the peak resident memory of the process.
"""
import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

INPUT = 128 * 1292
LATENT = 128
WIDTHS = {"reference": (16, 32, 64), "wide": (512, 256, 128)}


def block(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU(inplace=True), nn.Dropout(0.2)]


class BasicVAE(nn.Module):
    """Linear-BatchNorm-ReLU-Dropout blocks down to mu and log sigma^2, mirrored, linear output."""

    def __init__(self, widths: tuple[int, ...]):
        super().__init__()
        down = (INPUT, *widths)
        up = (LATENT, *reversed(widths))
        self.encoder = nn.Sequential(*[m for a, b in zip(down, down[1:]) for m in block(a, b)])
        self.mu = nn.Linear(widths[-1], LATENT)
        self.log_variance = nn.Linear(widths[-1], LATENT)
        self.decoder = nn.Sequential(
            *[m for a, b in zip(up, up[1:]) for m in block(a, b)], nn.Linear(widths[0], INPUT)
        )

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        hidden = self.encoder(x)
        mu, log_variance = self.mu(hidden), self.log_variance(hidden)
        z = mu + torch.exp(0.5 * log_variance) * torch.randn_like(mu)
        return self.decoder(z), mu, log_variance


def loss_of(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    y, mu, log_variance = model(x)
    kl = -0.5 * torch.mean(1 + log_variance - mu.square() - log_variance.exp())
    return F.mse_loss(y, x) + kl


def run_json(command: list[str]) -> dict:
    environment = os.environ | {"OMP_NUM_THREADS": "2"}
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)


def compare(args: argparse.Namespace) -> dict:
    """Both sides in alternation, a process each time; the ratio of each pair, its median, lowest and highest."""
    ours, theirs, peaks = [], [], []
    for _ in range(args.pairs):
        bench = run_json([args.compare, f"--benchmark_filter=train_step/{args.arch}/fp32/", "--benchmark_format=json",
                          f"--benchmark_min_time={args.min_time}"])["benchmarks"][0]
        twin = run_json([sys.executable, __file__, "--arch", args.arch, "--steps", str(args.steps), "--optimizer",
                         args.optimizer, "--threads", "2", "--json"])
        assert int(bench["parameters"]) == twin["parameters"], "not the same model"
        ours.append(bench["real_time"] / 1e3)
        theirs.append(twin["step_s"])
        peaks.append((bench["peak_rss_MiB"], twin["peak_rss_bytes"] / 2**20))
    ratios = sorted(t / o for t, o in zip(theirs, ours))
    return {"name": f"train step, basic {args.arch}, batch 32, f32, 2 threads", "ours_s": statistics.median(ours),
            "reference_s": statistics.median(theirs), "ratio": statistics.median(ratios), "low": ratios[0],
            "high": ratios[-1], "ours_peak_MiB": max(p[0] for p in peaks),
            "reference_peak_MiB": min(p[1] for p in peaks), "pairs": args.pairs, "torch": torch.__version__}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compare", metavar="BENCH_TRAIN", help="alternate with this program and print the ratio")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--min-time", type=float, default=3, help="seconds of BENCH_TRAIN a measurement")
    parser.add_argument("--arch", choices=WIDTHS, default="reference")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=20, help="timed steps, after 3 that are not")
    parser.add_argument("--optimizer", choices=("fused", "foreach", "single"), default="fused")
    parser.add_argument("--compile", action="store_true", help="torch.compile the loss (needs a C++ compiler)")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if args.compare:
        print(json.dumps(compare(args)))
        return

    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    model = BasicVAE(WIDTHS[args.arch])
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=1e-4,
        weight_decay=1e-4,
        fused=args.optimizer == "fused",
        foreach=args.optimizer == "foreach",
    )
    # A few batches in turn, so that no step finds its input in the cache.
    batches = [torch.randn(args.batch, INPUT) for _ in range(4)]
    loss_function = torch.compile(loss_of) if args.compile else loss_of

    def step(x: torch.Tensor) -> None:
        optimizer.zero_grad(set_to_none=True)
        loss_function(model, x).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5, foreach=True)
        optimizer.step()

    seconds = []
    for i in range(args.steps + 3):
        start = time.perf_counter()
        step(batches[i % len(batches)])
        if i >= 3:
            seconds.append(time.perf_counter() - start)
    result = {
        "arch": args.arch,
        "parameters": sum(p.numel() for p in model.parameters()),
        "batch": args.batch,
        "threads": args.threads,
        "optimizer": args.optimizer,
        "compiled": args.compile,
        "torch": torch.__version__,
        "step_s": statistics.median(seconds),
        "step_s_min": min(seconds),
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    if args.json:
        print(json.dumps(result))
    else:
        print(f"{args.arch}: {result['step_s'] * 1e3:.1f} ms a step (median of {args.steps}), "
              f"peak {result['peak_rss_bytes'] / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
