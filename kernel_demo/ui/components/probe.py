"""The probe as a download: the same file and the same words wherever pictures cannot tell."""

from functools import lru_cache
from html import escape

from kernel_demo.imaging.probe import probe
from kernel_demo.ui.components import probe_words as wording
from kernel_demo.ui.pictures import data_url


def link() -> str:
    """What to send through a tool, and what it is good for (HTML)."""
    return (
        f'<p class="kd-note">{escape(wording.ABOUT)} <a class="kd-link" download="probe.png" '
        f'href="{_url()}">{escape(wording.DOWNLOAD)}</a></p>'
    )


@lru_cache(maxsize=1)
def _url() -> str:
    return data_url(probe())
