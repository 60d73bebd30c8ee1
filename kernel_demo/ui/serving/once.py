"""Gradio's page made once, where its frontend (6.31) makes it twice before it shows anything.

It makes all parts, and connects all events, when it starts. What does the same whenever a developer
saves the source runs at the start, too: on a phone a second in which nothing is seen. The script is
served without that first time; where gradio's has other words it is served as it is.
"""

from kernel_demo.ui.serving import bundle

_SCRIPT = "Blocks-"  # what its name begins with
# An effect: what it reads first is how often the source was saved, and then all is made anew.
_ANEW = "le(()=>{v(),oe(()=>{O.reload("
_LATER = "let first=!0;le(()=>{if(v(),first){first=!1;return}oe(()=>{O.reload("


def scripts() -> dict[str, bytes]:
    """The scripts that are served otherwise than gradio has them, by their paths."""
    names = [name for name in bundle.named(".js") if name.startswith(_SCRIPT)]
    texts = {f"/assets/{name}": (bundle.FOLDER / name).read_text("utf-8") for name in names}
    return {
        path: text.replace(_ANEW, _LATER).encode()
        for path, text in texts.items()
        if text.count(_ANEW) == 1
    }
