"""Pictures from the clipboard and the camera, where files are taken.

They become files of the fields named, as if they had been chosen there: the same bounds, kept as
long, seen by nobody else. Nothing leaves the browser before a picture is pasted or taken.
"""

import gradio as gr

from kernel_demo.ui.components import from_files

WORDS = {
    "paste": "Paste a picture",
    "camera": "Take a photo",
    "take": "Take it",
    "cancel": "Cancel",
    "viewfinder": "What the camera sees",
    "private": "Nothing is sent before you press “Take it”.",
    "pasted": "Pasted: {name}.",
    "taken": "Taken: {name}.",
    "no_picture": "The clipboard has no picture that this page may read: copy one first.",
    "no_camera": "No camera could be used: allow it in the browser, or choose a file.",
    "closed": "Pictures cannot be chosen while a run goes on: pause it, then paste again.",
    "no_room": "Each field has a picture: remove one, then paste again.",
}


def component(
    elem_id: str, fields: tuple[str, ...], several: bool, camera: bool = True,
    opens: tuple[str, ...] = (),
) -> gr.HTML:  # fmt: skip
    """fields: ids of the fields for files. several: whether one takes more than one picture.

    opens: CSS selectors of what is pressed, in this order, where the fields are out of view when a
    picture is pasted: the button of their panel, the choice that shows them.
    """
    return from_files(
        "capture", None, elem_id, words=WORDS, shared=("drawing",), fields=fields,
        several=several, camera=camera, opens=opens,
    )  # fmt: skip
