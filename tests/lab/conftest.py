"""One thread for torch: these networks are too small to share, and threads that wait for each
other on busy cores take a hundred times as long."""

import pytest
import torch


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
