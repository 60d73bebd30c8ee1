"""A pair, asked of the page and of the endpoint."""

from gradio_client import handle_file
from PIL import Image

from kernel_demo.ui.recover import events


def asked(client, folder, before, after, size: int) -> tuple[dict, dict]:
    """The page's updates and the endpoint's answer; the pair lies in the folder as PNG files."""
    files = [str(folder / f"{name}.png") for name in ("before", "after")]
    for file, picture in zip(files, (before, after), strict=True):
        Image.fromarray(picture).save(file)
    page = {}
    for update in events.find(files[:1], files[1:], size):
        page |= update
    return page, client.predict(*map(handle_file, files), max_size=size, api_name="/recover")
