#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes optimizers.json: 20 steps of torch.optim's AdamW, Adam and SGD in f64 on fixed f32 gradients."""
import json
import pathlib

import numpy as np
import torch

SIZE, STEPS, LEARNING_RATE, WEIGHT_DECAY = 37, 20, 1e-2, 1e-2
CASES = {
    "adamw": lambda p: torch.optim.AdamW(p, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY),
    "adam": lambda p: torch.optim.Adam(p, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY),
    "sgd": lambda p: torch.optim.SGD(p, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY, momentum=0.9),
    "sgd_nesterov": lambda p: torch.optim.SGD(
        p, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY, momentum=0.9, nesterov=True
    ),
}


def main() -> None:
    rng = np.random.default_rng(7)
    start = rng.standard_normal(SIZE).astype(np.float32)
    gradients = rng.standard_normal((STEPS, SIZE)).astype(np.float32)
    gradients[:, 0] = 0  # a parameter that never gets a gradient
    result = {
        "torch": torch.__version__,
        "numpy": np.__version__,
        "learning_rate": LEARNING_RATE,
        "weight_decay": WEIGHT_DECAY,
        "start": start.tolist(),
        "gradients": gradients.tolist(),
        "trajectories": {},
    }
    for name, make in CASES.items():
        p = torch.from_numpy(start.astype(np.float64)).requires_grad_()
        optimizer = make([p])
        steps = []
        for g in gradients:
            p.grad = torch.from_numpy(g.astype(np.float64))
            optimizer.step()
            steps.append([round(x, 12) for x in p.detach().tolist()])
        state = optimizer.state[p]
        first = state["momentum_buffer"] if name.startswith("sgd") else state["exp_avg"]
        second = None if name.startswith("sgd") else state["exp_avg_sq"].tolist()
        result["trajectories"][name] = {"p": steps, "m": first.tolist(), "v": second}
    target = pathlib.Path(__file__).with_name("optimizers.json")
    target.write_text(json.dumps(result, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
