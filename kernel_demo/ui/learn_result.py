"""The result of a run: one picture by the true and by the learned kernel, under a divider."""

from collections.abc import Sequence
from pathlib import Path

from kernel_demo.imaging.filtering import correlate, to_grey
from kernel_demo.learning.evaluation import compare
from kernel_demo.sources.decoding import Photo, decode
from kernel_demo.ui import pictures, result_view
from kernel_demo.ui.session import Session
from kernel_demo.ui.wording import learn as wording

OWN_PICTURE = -1  # the visitor's own, among the numbers of the pictures learned from


def picture_choices(photos: Sequence[Photo], own: bool = False) -> list[tuple[str, int]]:
    """What can be filtered: the pictures learned from, and the visitor's own."""
    choices = [(photo.name, number) for number, photo in enumerate(photos)]
    return [(wording.OWN_PICTURE, OWN_PICTURE), *choices] if own else choices


def render(session: Session, picture: int, border: str, own_path: str | None) -> dict | None:
    """The result view's value; None while there is no learned kernel.

    Both kernels are applied at full size with the same border mode. A filter whose output is a
    signed map (Sobel) is shown on the grey picture, any other on the picture's own colours.
    """
    if session.progress is None or session.progress.kernel is None:
        return None
    photo = _photo(session, picture, own_path)
    is_map = result_view.is_signed(session.truth)
    image = to_grey(photo.pixels, session.choice.channel) if is_map else photo.pixels
    true = correlate(image, session.truth, border)
    learned = correlate(image, session.progress.kernel, border, session.progress.offset)
    found = compare(true, learned, len(session.truth) // 2)
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
    photos = pictures.gather(session.choice).photos
    return photos[min(max(int(picture or 0), 0), len(photos) - 1)]
