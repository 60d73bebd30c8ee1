"""The result of a run: one picture by the true and by the learned kernel, under a divider."""

from collections.abc import Sequence
from pathlib import Path

import gradio as gr

from kernel_demo.errors import DemoError
from kernel_demo.imaging.filtering import to_grey
from kernel_demo.imaging.tiles import apply_tiled
from kernel_demo.learning.evaluation import compare
from kernel_demo.sources.decoding import Photo, decode
from kernel_demo.ui import pictures
from kernel_demo.ui.components import comparison as result_view
from kernel_demo.ui.html import problem, quiet
from kernel_demo.ui.jobs import PRIVATE, QUIET, RENDERING, tell_failure
from kernel_demo.ui.learn import words as wording
from kernel_demo.ui.learn.cards import Stage
from kernel_demo.ui.learn.session import Session

OWN_PICTURE = -1  # the visitor's own, among the numbers of the pictures learned from


def picture_choices(photos: Sequence[Photo], own: bool = False) -> list[tuple[str, int]]:
    """What can be filtered: the pictures learned from, and the visitor's own."""
    choices = [(photo.name, number) for number, photo in enumerate(photos)]
    return [(wording.OWN_PICTURE, OWN_PICTURE), *choices] if own else choices


def render(session: Session, picture: int, border: str, own_path: str | None) -> dict | None:
    """The result view's value; None where there is no learned kernel.

    Both kernels are applied at full size with the same border mode. A filter whose output is a
    signed map (Sobel) is shown on the grey picture, any other on the picture's own colours.
    """
    if session.kernel is None:
        return None
    photo = _photo(session, picture, own_path)
    is_map = result_view.is_signed(session.experiment.truth)
    image = to_grey(photo.pixels, session.experiment.choice.channel) if is_map else photo.pixels
    true = apply_tiled(image, session.experiment.truth, border)
    learned = apply_tiled(image, session.kernel, border, session.progress.offset)
    found = compare(true, learned)
    height, width = image.shape[:2]
    shrunk = max(height, width) > result_view.LONGEST
    return result_view.view(
        true,
        learned,
        (wording.TRUE, wording.LEARNED),
        is_map=is_map,
        figures=wording.figures(found.psnr, found.ssim, found.largest),
        note=wording.shown_smaller(width, height) if shrunk else "",
    )


def _photo(session: Session, picture: int, own_path: str | None) -> Photo:
    if picture == OWN_PICTURE and own_path:
        return decode(own_path, Path(own_path).name)
    photos = pictures.gather(session.experiment.choice).photos
    return photos[min(max(int(picture or 0), 0), len(photos) - 1)]


def outputs(stage: Stage) -> list:
    """What `show` updates."""
    return [stage.picture, stage.try_own, stage.empty, stage.result]


def show(session: Session, border: str, own_path: str | None):
    """The result of a run that ended: the visitor's own picture first, else the first one."""
    if session.progress is None:
        return gr.skip(), gr.skip(), gr.skip(), gr.skip()
    if session.kernel is None:
        return gr.skip(), gr.skip(), quiet(wording.NO_KERNEL), None
    try:
        value, note = render(session, OWN_PICTURE if own_path else 0, border, own_path), ""
    except DemoError as error:  # the visitor's own picture was forgotten in the meantime
        value, note, own_path = render(session, 0, border, None), problem(error), None
    choices = picture_choices(pictures.gather(session.experiment.choice).photos, bool(own_path))
    chosen = OWN_PICTURE if own_path else 0
    picture = gr.update(choices=choices, value=chosen, visible=True)
    return picture, gr.update(visible=True), note, value


def connect(edges: gr.Dropdown, stage: Stage) -> None:
    """Connect the picture, the edges and the visitor's own picture with the result."""

    def again(session: Session, picture: int, border: str, own_path: str | None):
        try:
            return render(session, picture, border, own_path), ""
        except DemoError as error:
            return gr.skip(), problem(error)

    def own(session: Session, border: str, path: str, before: str | None):
        try:
            value = render(session, OWN_PICTURE, border, path)
        except DemoError as error:
            return gr.skip(), gr.skip(), problem(error), before
        choices = picture_choices(pictures.gather(session.experiment.choice).photos, own=True)
        picture = gr.update(choices=choices, value=OWN_PICTURE)
        return picture, value, "", path

    redrawn = gr.on(
        [stage.picture.input, edges.input], again,
        [stage.session, stage.picture, edges, stage.own_path],
        [stage.result, stage.empty], trigger_mode="always_last", **RENDERING, **QUIET,
    )  # fmt: skip
    tried = stage.try_own.upload(
        own, [stage.session, edges, stage.try_own, stage.own_path],
        [stage.picture, stage.result, stage.empty, stage.own_path],
        **RENDERING, **PRIVATE, show_progress="minimal",
    )  # fmt: skip
    for event in (redrawn, tried):
        tell_failure(event, stage.empty)
