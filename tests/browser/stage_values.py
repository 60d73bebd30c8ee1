"""Values of the stage, made by hand: what the page would send, of kernels and figures of a test."""

import base64
from collections.abc import Sequence

import cv2
import numpy as np

SOBEL = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
CHIPS = {
    "pictures": {"text": "8 bundled photos", "short": "8 photos", "urls": []},
    "filter": {"text": "Sobel x, 3 × 3"},
    "method": {"text": "K-FAC", "note": ""},
}


def encoded(values, dtype: str = "<f4") -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype).tobytes()).decode()


def photo(height: int = 80, width: int = 100, seed: int = 0) -> np.ndarray:
    """H x W x 3 uint8, red, green, blue: smooth, with an edge."""
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.5).astype(int)
    smooth[:, width // 3 :] += 60
    return np.clip(smooth, 0, 255).astype(np.uint8)


def piece(
    pixels: np.ndarray, margin: int = 15, side: int = 400, channel: str = "luminance"
) -> dict:
    """The middle square of a picture, with some of it around, as a PNG."""
    height, width = pixels.shape[:2]
    side = min(height, width, side)
    top, left = (height - side) // 2, (width - side) // 2
    first, start = max(0, top - margin), max(0, left - margin)
    sent = pixels[first : top + side + margin, start : left + side + margin]
    _, png = cv2.imencode(".png", sent[..., ::-1] if sent.ndim == 3 else sent)
    url = "data:image/png;base64," + base64.b64encode(png.tobytes()).decode()
    return {
        "key": f"{channel}{hash(url)}", "url": url, "name": "a photo", "left": start, "top": first,
        "width": sent.shape[1], "height": sent.shape[0], "of": [height, width],
        "view": [left, top, side], "channel": channel,
    }  # fmt: skip


def record(step, truth, learned, loss=None, error=None, seconds=None) -> np.ndarray:
    """One kept step, float32."""
    difference = np.subtract(truth, learned)
    error = np.abs(difference).max() if error is None else error
    loss = error**2 / 10 if loss is None else loss
    seconds = step / 100 if seconds is None else seconds
    figures = [step, loss, np.nan, error, seconds]
    return np.concatenate([figures, difference.ravel()]).astype("<f4")


def falling(truth, steps: int, start: float = 1.0, fall: float = 0.7) -> list[np.ndarray]:
    """Records 0..steps of a run whose error falls by the same factor each step."""
    pattern = np.ones_like(truth) * start
    return [record(s, truth, truth - pattern * fall**s) for s in range(steps + 1)]


def value(records: Sequence[np.ndarray], truth=SOBEL, number=1, session=1, **changes) -> dict:
    """A frame of a run that is being computed; `changes` are of the value's own keys."""
    chunks = [records[i : i + 16] for i in range(0, len(records), 16)]
    made = {
        "kind": "frame", "server": "one", "number": number, "session": session, "run": "K-FAC",
        "rated": "K-FAC, rate 0.05", "filter": CHIPS["filter"]["text"], "method": "kfac",
        "size": len(truth), "truth": encoded(truth, "<f8"),
        "records": [encoded(np.concatenate(chunk)) for chunk in chunks], "steps": 200,
        "computing": True, "waiting": None, "waits": False, "paused": False, "end": None,
        "allowed": None, "rates": [], "device": "CPU", "picture": None, "border": "reflect",
        "chips": CHIPS,
    }  # fmt: skip
    return made | changes


def idle(truth=SOBEL, **changes) -> dict:
    """Nothing learned yet: a start that is off by half."""
    still = {"kind": "idle", "session": 0, "number": 0, "computing": False}
    return value([record(0, truth, truth * 0.5 + 0.25, loss=np.nan)], truth, **(still | changes))


def ended(cause="FLOOR", complete=True, sentence="Nothing left to learn.") -> dict:
    """What a value has more when the run is over."""
    end = {"cause": cause, "sentence": sentence, "complete": complete}
    return {"computing": False, "end": end}
