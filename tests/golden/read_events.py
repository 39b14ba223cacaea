# SPDX-License-Identifier: MIT
"""Reads a run folder's event file with the tensorboard package and compares it with history.csv, epoch by epoch.

    python tests/golden/read_events.py results/checkpoints/basic
"""
import csv
import pathlib
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

TAGS = {"loss/train": "train_loss", "loss/validation": "monitored", "reconstruction/train": "train_reconstruction",
        "kl/validation": "validation_kl", "schedule/learning_rate": "learning_rate"}


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    events = EventAccumulator(str(folder))
    events.Reload()
    with open(folder / "history.csv", newline="") as file:
        history = list(csv.DictReader(file))
    for tag, column in TAGS.items():
        points = events.Scalars(tag)
        assert [p.step for p in points] == [int(row["epoch"]) for row in history], tag
        for point, row in zip(points, history):
            assert abs(point.value - float(row[column])) <= 1e-6 * max(1, abs(point.value)), (tag, point)
    print(f"{len(history)} epochs, {len(TAGS)} curves: equal")


if __name__ == "__main__":
    main()
