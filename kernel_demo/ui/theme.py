"""The look of the page: `launch(theme=theme.build())` brings colours, fonts and every style sheet.

The style sheets travel inside the theme, not as `launch(css=...)`: Gradio rewrites the selectors
of the latter (each rule twice, media queries only below `.contain`), and leaves the theme's alone.
"""

import inspect
import re
from pathlib import Path

import gradio as gr

from kernel_demo.ui import served
from kernel_demo.ui.serving import bundle

FOLDER = Path(__file__).parent
# The frame's, then those that lie beside components, then the tabs': the later one wins.
STYLE_SHEETS = (
    *(FOLDER / name for name in ("theme.css", "controls.css", "html.css", "terms.css")),
    *sorted(FOLDER.glob("*/*.css")),
)

# No request leaves the page. Ours have the characters that the page writes (.ci/fonts.py); for any
# other one a browser asks for the whole font, which is bundled with Gradio (fonts/whole.css).
FONT = ("Kernel Sans", "IBM Plex Sans", "system-ui", "sans-serif")
FONT_MONO = ("Kernel Mono", "IBM Plex Mono", "ui-monospace", "monospace")
FONTS = tuple(sorted((FOLDER / "fonts").glob("*.woff2")))  # each named by its family and its weight
STATES = ("hover", "focus", "active", "visited")


class Theme(gr.themes.Base):
    """A theme with style sheets behind its own.

    What is called custom_css would travel three times, and be read: as a property, light and dark.
    """

    _sheets = ""

    def _get_theme_css(self) -> str:
        return f"{super()._get_theme_css()}\n\n{self._sheets}"


def build() -> Theme:
    theme = Theme(
        primary_hue=gr.themes.colors.blue,
        neutral_hue=gr.themes.colors.stone,
        text_size=gr.themes.sizes.text_md,
        spacing_size=gr.themes.sizes.spacing_md,
        radius_size=gr.themes.sizes.radius_lg,
        font=[*map(gr.themes.Font, FONT)],
        font_mono=[*map(gr.themes.Font, FONT_MONO)],
    ).set(**_everywhere(_VALUES))
    theme.name = "kernel-demo"
    # Without what a style sheet says to its readers alone.
    ours = re.sub(r"/\*.*?\*/\s*", "", style(), flags=re.DOTALL)
    theme._sheets = "\n".join((*map(_face, FONTS), ours, bundle.styles()))
    return theme


def hints() -> str:
    """For the page's head: the fonts of its words, which a browser else asks for last (HTML)."""
    return "".join(
        f'<link rel="preload" as="font" type="font/woff2" crossorigin href="{_address(font)}">'
        for font in FONTS
        if font.stem.startswith("sans")
    )


def _face(font: Path) -> str:
    family, weight = font.stem.split("-")
    return (
        f"@font-face {{ font-family: 'Kernel {family.title()}'; font-weight: {weight}; "
        f"src: url('{_address(font)}') format('woff2'); }}\n"
    )


def _address(font: Path) -> str:
    return served.address(font.read_bytes(), "woff2")


def style() -> str:
    """Every style sheet, one after the other."""
    return "\n".join(sheet.read_text("utf-8") for sheet in STYLE_SHEETS)


def colour(name: str) -> tuple[int, int, int]:
    """Red, green and blue of the light page's --kd-NAME: for pictures, which keep their colours."""
    found = re.search(rf"--kd-{name}: #(\w{{6}});", (FOLDER / "theme.css").read_text("utf-8"))
    return tuple(bytes.fromhex(found[1]))


def _everywhere(values: dict[str, str]) -> dict[str, str]:
    """The same values for the states of a control that are not named, and all of them for dark.

    A variable of gradio's own default would win there.
    """
    known = inspect.signature(gr.themes.Base.set).parameters
    states = {f"{name}_{state}": value for name, value in values.items() for state in STATES}
    every = states | values
    every |= {f"{name}_dark": value for name, value in every.items()}
    return {name: value for name, value in every.items() if name in known}


# The values are the custom properties of theme.css, which change with `.dark` by themselves.
_VALUES = {
    # Surfaces.
    "body_background_fill": "var(--kd-page)",
    "body_text_color": "var(--kd-ink)",
    "body_text_color_subdued": "var(--kd-muted)",
    "background_fill_primary": "var(--kd-card-fill)",
    "background_fill_secondary": "var(--kd-page)",
    "border_color_primary": "var(--kd-border)",
    "border_color_accent": "var(--kd-accent)",
    "color_accent": "var(--kd-accent)",
    "color_accent_soft": "var(--kd-accent-soft)",
    "link_text_color": "var(--kd-accent)",
    "block_background_fill": "transparent",
    "block_border_width": "0px",
    "block_border_color": "var(--kd-border)",
    "block_shadow": "none",
    "block_padding": "0px",
    "block_radius": "8px",
    "block_label_background_fill": "var(--kd-card-fill)",
    "block_label_text_color": "var(--kd-muted)",
    "block_label_border_color": "var(--kd-border)",
    "block_title_text_color": "var(--kd-ink)",
    "block_title_text_weight": "400",
    "block_title_text_size": "14px",
    "block_info_text_color": "var(--kd-muted)",
    "block_info_text_size": "13px",
    "panel_background_fill": "transparent",
    "panel_border_width": "0px",
    "layout_gap": "16px",
    "form_gap_width": "0px",
    "shadow_drop": "none",
    "shadow_drop_lg": "0 4px 24px rgb(0 0 0 / 12%)",
    "loader_color": "var(--kd-accent)",
    "error_background_fill": "var(--kd-card-fill)",
    "error_border_color": "var(--kd-error)",
    "error_text_color": "var(--kd-error)",
    "error_icon_color": "var(--kd-error)",
    # Controls.
    "input_background_fill": "var(--kd-card-fill)",
    "input_border_color": "var(--kd-border)",
    "input_border_color_hover": "var(--kd-border-strong)",
    "input_border_color_focus": "var(--kd-accent)",
    "input_border_width": "1px",
    "input_radius": "8px",
    "input_padding": "8px 11px",
    "input_text_size": "14px",
    "input_shadow": "none",
    "input_shadow_focus": "0 0 0 3px var(--kd-focus)",
    "input_placeholder_color": "var(--kd-muted)",
    "slider_color": "var(--kd-accent)",
    "checkbox_background_color": "var(--kd-card-fill)",
    "checkbox_background_color_selected": "var(--kd-accent)",
    "checkbox_border_color": "var(--kd-border-strong)",
    "checkbox_border_color_hover": "var(--kd-accent)",
    "checkbox_border_color_focus": "var(--kd-accent)",
    "checkbox_border_color_selected": "var(--kd-accent)",
    "checkbox_label_background_fill": "transparent",
    "checkbox_label_background_fill_selected": "var(--kd-accent-soft)",
    "checkbox_label_border_width": "1px",
    "checkbox_label_border_color": "var(--kd-border)",
    "checkbox_label_border_color_selected": "var(--kd-accent)",
    "checkbox_label_text_color_selected": "var(--kd-accent)",
    "checkbox_label_text_size": "14px",
    "checkbox_shadow": "none",
    "table_border_color": "var(--kd-border)",
    "table_even_background_fill": "var(--kd-card-fill)",
    "table_odd_background_fill": "var(--kd-card-fill)",
    # Buttons.
    "button_border_width": "1px",
    "button_large_radius": "8px",
    "button_medium_radius": "8px",
    "button_small_radius": "7px",
    "button_large_text_size": "14px",
    "button_medium_text_size": "14px",
    "button_small_text_size": "13px",
    "button_large_text_weight": "600",
    "button_medium_text_weight": "600",
    "button_large_padding": "10px 14px",
    "button_medium_padding": "8px 12px",
    "button_primary_background_fill": "var(--kd-accent)",
    "button_primary_background_fill_hover": "var(--kd-accent-strong)",
    "button_primary_border_color": "var(--kd-accent)",
    "button_primary_border_color_hover": "var(--kd-accent-strong)",
    "button_primary_text_color": "var(--kd-on-accent)",
    "button_secondary_background_fill": "var(--kd-card-fill)",
    "button_secondary_background_fill_hover": "var(--kd-page)",
    "button_secondary_border_color": "var(--kd-border-strong)",
    "button_secondary_border_color_hover": "var(--kd-muted)",
    "button_secondary_text_color": "var(--kd-ink)",
}
