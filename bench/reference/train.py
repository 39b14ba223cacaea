#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Times one training step of a model in PyTorch: the twin of bench_train.

The step is what the original project runs: zero_grad, forward, mean squared error + KL, backward, clip_grad_norm_, AdamW,
under autocast in 16 bits (with a GradScaler in f16), on batches that lie on the device. Prints the median of the steps'
times (by events on CUDA) and the peak memory: resident on the CPU, allocated by PyTorch on CUDA.

    train.py --model conv --device cuda --precision bf16 --channels-last --compile
    train.py --model basic --compare build/cpu/bin/bench_train --pairs 7

--compare runs bench_train and this program in alternation, a process each time, and prints one line of JSON.

Which settings are PyTorch's best on a CPU: processor milliseconds of a step in f32 (bf16), batch 32, one thread of a
Zen 4. Medians of few steps (basic and vade 8 to 10, basic_wide 4, conv_small 3, conv 2), the settings in turn, on a
machine that was in use: a ranking, not a benchmark. An empty cell was not measured.

                                basic      basic_wide   vade   conv_small    conv
    fused                       59 (43)    1,042        69     702 (368)     10,038
    foreach                     66 (65)    1,804        70     685 (377)
    fused, --channels-last                                     603 (330)      8,074
    fused, --compile            43 (30)    1,026        47     574 (332)
    fused, both                                                580 (340)
"""
import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import time

import torch
from torch import nn

import models

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
RATE, DECAY, CLIP = 1e-4, 1e-4, 0.5
WARM_UP = 5
TWIN_FLAGS = ("model", "device", "precision", "optimizer", "batch", "threads", "steps")
TWIN_SWITCHES = ("compile", "channels_last", "graph", "tf32", "processor_time")


class TrainingStep:
    """One optimizer update on the next of a few resident batches."""

    def __init__(self, args):
        self.args, self.device = args, torch.device(args.device)
        maker, options = models.REFERENCE_MODELS[args.model]
        self.model = maker(**options).to(self.device)
        if args.channels_last:
            self.model = self.model.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.AdamW(
            models.parameter_groups(self.model, RATE), lr=RATE, weight_decay=DECAY, capturable=args.graph,
            fused=args.optimizer == "fused", foreach=args.optimizer == "foreach")
        self.scaler = torch.amp.GradScaler(args.device, enabled=args.precision == "fp16")
        self.kl_weight = 4.0 if args.model == "beta" else 1.0
        self.objective = models.objective
        if args.compile:
            # Its own graphs would be captured again inside ours.
            tuned = "max-autotune-no-cudagraphs" if args.graph else "max-autotune"
            self.objective = torch.compile(models.objective, mode=tuned if args.device == "cuda" else None)
        self.make_batches(options)
        if args.graph:
            self.capture()

    def make_batches(self, options):
        # Several in turn, so that no step finds its input in the cache.
        bands, frames = options.get("image", (models.BANDS, models.FRAMES))
        count = 2 if "conv" in self.args.model else 4
        self.batches = [torch.randn(self.args.batch, bands * frames, device=self.device) for _ in range(count)]
        classes = options.get("classes", 0)
        self.labels = torch.arange(self.args.batch, device=self.device) % classes if classes else None
        self.turn = 0

    def autocast(self):
        if self.args.precision == "fp32":
            return contextlib.nullcontext()
        return torch.autocast(self.args.device, DTYPES[self.args.precision])

    def run(self, x):
        self.optimizer.zero_grad(set_to_none=True)
        with self.autocast():
            loss = self.objective(self.model, x, self.labels, self.kl_weight, "squared_error", 1.0, "mean")[0]
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimizer)
        nn.utils.clip_grad_norm_(self.model.parameters(), CLIP, foreach=True)
        self.scaler.step(self.optimizer)
        self.scaler.update()

    def capture(self):
        """The step as a CUDA graph, which reads its batch from a fixed place."""
        self.input = self.batches[0].clone()
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UP):
                self.run(self.input)
        torch.cuda.current_stream().wait_stream(side)
        self.optimizer.zero_grad(set_to_none=True)  # gradients of the graph live in its own memory
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.run(self.input)

    def __call__(self):
        x = self.batches[self.turn % len(self.batches)]
        self.turn += 1
        if self.args.graph:
            self.input.copy_(x)
            self.graph.replay()
        else:
            self.run(x)


def time_on_cuda(step):
    torch.cuda.synchronize()
    start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    step()
    stop.record()
    torch.cuda.synchronize()
    return start.elapsed_time(stop) / 1e3


def time_on_cpu(step, clock):
    start = clock()
    step()
    return clock() - start


def peak_resident_bytes():
    """VmHWM and not getrusage's ru_maxrss, which begins with the peak of the process that started this one."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def measure(args):
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    if args.device == "cuda":
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = args.tf32
    step = TrainingStep(args)
    for _ in range(WARM_UP):
        step()
    clock = time.process_time if args.processor_time else time.perf_counter
    seconds = [time_on_cuda(step) if args.device == "cuda" else time_on_cpu(step, clock) for _ in range(args.steps)]
    peak = torch.cuda.max_memory_allocated() if args.device == "cuda" else peak_resident_bytes()
    settings = {flag: getattr(args, flag) for flag in TWIN_FLAGS + TWIN_SWITCHES}
    return settings | {"parameters": sum(p.numel() for p in step.model.parameters()), "torch": torch.__version__,
                       "step_s": statistics.median(seconds), "step_s_min": min(seconds), "peak_MiB": peak / 2**20}


def run_json(command, threads):
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout)


def compare(args):
    """Both sides in alternation, a process each time; the ratio of each pair, its median, lowest and highest."""
    flags = [f"--{flag}={getattr(args, flag)}" for flag in TWIN_FLAGS]
    switches = ["--" + switch.replace("_", "-") for switch in TWIN_SWITCHES if getattr(args, switch)]
    ours, theirs = [], []
    for _ in range(args.pairs):
        ours.append(run_json([args.compare, f"--device={args.device}", "--benchmark_format=json",
                              f"--benchmark_filter=train_step/{args.model}/{args.precision}/batch:{args.batch}/",
                              f"--benchmark_min_time={args.min_time}"], args.threads)["benchmarks"][0])
        theirs.append(run_json([sys.executable, __file__, *flags, *switches, "--json"], args.threads))
        if int(ours[-1]["parameters"]) != theirs[-1]["parameters"]:
            sys.exit(f"error: {args.model}: not the same model: {theirs[-1]['parameters']} parameters "
                     f"(allowed {int(ours[-1]['parameters'])})")
    clock = "cpu_time" if args.processor_time else "real_time"
    ratios = sorted(t["step_s"] / (o[clock] / 1e3) for t, o in zip(theirs, ours))
    peak = "device_MiB" if args.device == "cuda" else "peak_rss_MiB"
    how = "".join(f", {switch}" for switch in TWIN_SWITCHES if getattr(args, switch))
    return {"name": f"train step, {args.model}, batch {args.batch}, {args.precision}, {args.device}",
            "reference": f"PyTorch {torch.__version__}, {args.optimizer}{how}", "threads": args.threads,
            "ours_s": statistics.median(o[clock] for o in ours) / 1e3,
            "reference_s": statistics.median(t["step_s"] for t in theirs),
            "ratio": statistics.median(ratios), "low": ratios[0], "high": ratios[-1],
            "ours_peak_MiB": max(o[peak] for o in ours), "reference_peak_MiB": min(t["peak_MiB"] for t in theirs),
            "pairs": args.pairs}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=models.REFERENCE_MODELS, default="basic")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--precision", choices=("fp32", "bf16", "fp16"), default="fp32")
    parser.add_argument("--optimizer", choices=("fused", "foreach"), default="fused")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=20, help=f"timed steps, after {WARM_UP} that are not")
    parser.add_argument("--compile", action="store_true", help="torch.compile the objective, max-autotune on CUDA")
    parser.add_argument("--channels-last", action="store_true", help="NHWC weights and activations")
    parser.add_argument("--graph", action="store_true", help="capture the step in a CUDA graph")
    parser.add_argument("--tf32", action="store_true", help="let f32 products and convolutions round to TF32, which "
                        "Chorale's do not")
    parser.add_argument("--processor-time", action="store_true", help="of one thread, which a machine in use disturbs "
                        "less than the time by the clock")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    parser.add_argument("--compare", metavar="BENCH_TRAIN", help="alternate with this program and print the ratio")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--min-time", type=float, default=3, help="seconds of BENCH_TRAIN in a measurement")
    args = parser.parse_args()
    if args.graph and args.device != "cuda":
        parser.error("argument --graph: needs --device cuda")
    if args.processor_time and (args.device != "cpu" or args.threads != 1):
        parser.error("argument --processor-time: needs --device cpu and --threads 1")
    if args.compare:
        print(json.dumps(compare(args)))
        return
    result = measure(args)
    if args.json:
        print(json.dumps(result))
    else:
        print(f"{args.model}, {args.precision}: {result['step_s'] * 1e3:.2f} ms a step (median of {args.steps}), "
              f"peak {result['peak_MiB']:.0f} MiB")


if __name__ == "__main__":
    main()
