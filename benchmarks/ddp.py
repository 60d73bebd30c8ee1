"""The loop that most would write for a dataset: DataLoader, Conv2d, Adam, one process a worker.

`torchrun --nproc_per_node 2 -m benchmarks.ddp FOLDER RATE SECONDS` learns Sobel x from the tars of
a folder and prints a line of JSON each ten steps: seconds since the first picture, kernel error.
Started by benchmarks/dataset_long.py, which has made the tars.
"""

import json
import os
import sys
import tarfile
import time
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.distributed as distributed
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, IterableDataset

from kernel_demo.imaging.kernels import named

BATCH, CROP = 32, 224  # pictures a process and step, and their side: as such loops have it
REACHED = 1e-3  # kernel error at which there is nothing left to show
KERNEL = named("sobel_x").values


class Tars(IterableDataset):
    """The pictures of every world-size-th tar, over and over, before and after."""

    def __init__(self, paths, rank, world):
        self.paths, self.rank = paths[rank::world], rank

    def __iter__(self):
        rng = np.random.default_rng(self.rank)
        while True:
            for path in self.paths:
                with tarfile.open(path) as archive:
                    for member in archive:
                        data = np.frombuffer(archive.extractfile(member).read(), np.uint8)
                        whole = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
                        y, x = (int(rng.integers(0, side - CROP + 1)) for side in whole.shape)
                        before = whole[y : y + CROP, x : x + CROP].astype(np.float32) / 255
                        after = cv2.filter2D(before, cv2.CV_32F, KERNEL)[1:-1, 1:-1]
                        yield torch.from_numpy(before)[None], torch.from_numpy(after)[None]


def main(folder, rate, seconds):
    distributed.init_process_group("gloo")
    rank, world = distributed.get_rank(), distributed.get_world_size()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(0)
    model = DistributedDataParallel(nn.Conv2d(1, 1, 3, bias=False))
    optimizer = torch.optim.Adam(model.parameters(), rate)
    began = time.monotonic()
    truth, over = torch.tensor(KERNEL), torch.zeros(1)
    batches = DataLoader(Tars(sorted(Path(folder).glob("*.tar")), rank, world), BATCH)
    for step, (before, after) in enumerate(batches, 1):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(before), after).backward()
        optimizer.step()
        if step % 10 == 0:
            error = float((model.module.weight[0, 0].detach().double() - truth).abs().max())
            spent = time.monotonic() - began
            if rank == 0:
                print(json.dumps([spent, error]), flush=True)
            over[0] = spent > seconds or error < REACHED
            distributed.broadcast(over, 0)  # all end at the same step
            if over[0]:
                break
    distributed.destroy_process_group()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))
