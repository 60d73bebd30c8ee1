"""A stand-in for `spaces` on ZeroGPU, as far as a generator goes by it.

After zero/wrappers.py of spaces 0.51.3: the function runs in a process forked from the server's,
which is kept for the next call. What goes in and what comes out is pickled; an error arrives as the
name of its class, but for gradio's own; who stops early is heard when the next item has been made.
"""

import multiprocessing
import os
import pickle
import threading
from functools import partial, wraps

import gradio as gr

if os.environ.get("SPACES_ZERO_GPU", "").lower() not in ("1", "t", "true"):
    raise ImportError("what is installed without ZeroGPU is not to be imported")

FORK = multiprocessing.get_context("fork")
SEEN = os.environ.get("ZEROGPU_SEEN")  # a file for what happened, a line each


def GPU(task=None, *, duration=None):  # noqa: N802 - as it is called there
    if task is None:
        return partial(GPU, duration=duration)
    idle, lock = [], threading.Lock()

    @wraps(task)
    def handler(*args, **kwargs):
        with lock:
            worker = idle.pop() if idle else _Worker(task)
        worker.asked.send_bytes(pickle.dumps((args, kwargs)))
        over = False
        try:
            while not over:
                kind, value = pickle.loads(worker.told.recv_bytes())
                if kind == "item":
                    yield value
                elif kind == "gradio error":
                    over = True
                    raise value
                elif kind == "error":
                    over = True
                    raise gr.Error(value, title="ZeroGPU worker error", print_exception=False)
                else:
                    over = True
        finally:
            if not over:
                worker.stop.set()
                while pickle.loads(worker.told.recv_bytes())[0] == "item":
                    pass
            with lock:
                idle.append(worker)

    return handler


class _Worker:
    def __init__(self, task):
        self.asked, asked = FORK.Pipe()
        self.told, told = FORK.Pipe()
        self.stop = FORK.Event()
        FORK.Process(target=self._work, args=(task, asked, told), daemon=True).start()
        asked.close()
        told.close()

    def _work(self, task, asked, told):
        self.asked.close()  # so that it is at its end when the server is
        self.told.close()
        while True:
            try:
                args, kwargs = pickle.loads(asked.recv_bytes())
            except EOFError:
                return
            self.stop.clear()
            thread = threading.Thread(target=_iterate, args=(task, args, kwargs, told, self.stop))
            thread.start()
            thread.join()


def _iterate(task, args, kwargs, told, stop):
    def tell(kind, value=None):
        told.send_bytes(pickle.dumps((kind, value)))

    _note("begins")
    items = task(*args, **kwargs)
    try:
        for item in items:
            if stop.is_set():
                items.close()
                break
            tell("item", item)
        tell("end")
        _note("ends")
    except gr.Error as error:
        tell("gradio error", error)
    except Exception as error:  # noqa: BLE001 - as there
        tell("error", type(error).__name__)


def _note(what):
    if SEEN:
        with open(SEEN, "a", encoding="utf-8") as file:
            file.write(f"{os.getpid()} {what}\n")
