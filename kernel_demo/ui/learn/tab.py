"""The tab "Learn": the stage with its panels, and below it what comes after a run."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import gradio as gr

from kernel_demo.errors import DemoError
from kernel_demo.imaging import kernels
from kernel_demo.imaging.catalogue import CATALOGUE
from kernel_demo.learning.choices import TRIED
from kernel_demo.learning.exact import ExactSettings
from kernel_demo.learning.training import TrainSettings
from kernel_demo.numbers import short
from kernel_demo.sources import hub
from kernel_demo.ui import pictures, served
from kernel_demo.ui.components import capture, kernel_editor, stage
from kernel_demo.ui.components.freshness import Freshness, Made, follow
from kernel_demo.ui.html import block, filled, glyph, problem, quiet, square
from kernel_demo.ui.learn import link, race, result, run, settings, showing
from kernel_demo.ui.learn.folder import Folder
from kernel_demo.ui.learn.session import Session
from kernel_demo.ui.learn.settings import ARRANGING, NAMES, named, place
from kernel_demo.ui.serving.jobs import QUIET, UNQUEUED, failure, hearing, tell_failure

SESSION_SECONDS = 3600  # how long the small state of a visitor who left is kept
# The settings that one event reads: a control out of bounds elsewhere does not stand in its way.
FILTER = ("kernel", "size", "angle", "kernel_seed", "editor")
WISHED = ("method", "learning_rate", "steps")  # what a wish sets
# What the show of the header sets: those, and where what is set up is not for it, the defaults.
SHOWN = (*WISHED, "source", "count", "channel", "kernel", "size", "noise", "eight_bit")
SHOWN_UP_TO = 9  # the largest kernel of that show: beyond, 200 steps of Adam come nowhere

TAB = "Learn"
BELOW = (
    "Below: why a small loss is not enough, the whole picture, how sure this is, take it with you, "
    "race"
)
NO_UPLOAD_YET = (
    "Choose one or more pictures. They go to this server only, no other visitor sees them, and "
    "they are deleted after about an hour."
)
FETCHING = "Fetching photos of the dataset. Until they are here, the bundled ones are shown."
READING = "Your pictures are being read. Learning then begins by itself."
LINKED = "What the link says is being set. Learning then begins by itself."
# Who presses Learn or Step while files or the settings of a link are still on their way is told
# `held`, and it is pressed when they are here. (Only what they have sent so far would be learned
# from, or what is set without the link.) The show, too, is of what the link says.
HOLD = """
const mine = () => document.querySelector('#source input[value=mine]:checked');
const files = () => mine() && document.querySelector('#uploads progress');
const still = '.kd-live:is([data-state=before], [data-state=finished])';
const linked = Boolean(location.search);
const setting = () => linked && document.body.dataset.linked !== 'arrived';
let held = null;
document.addEventListener('click', (event) => {
  const button = event.target.closest?.('#learn, #step, #demonstrate');
  if (!button || !(button.closest(still) || button.id === 'demonstrate')) return;
  const under = setting() ? setting : files() && button.id !== 'demonstrate' ? files : null;
  if (!under) return;
  event.stopPropagation();
  if (!held) trigger('held', { by: under === setting ? 'link' : 'files' });
  clearInterval(held);
  held = setInterval(() => {
    if (under()) return;
    clearInterval(held);
    held = null;
    if (under === setting || (mine() && button.closest(still))) button.click();
  }, 100);
}, true);
"""
KERNEL_PURPOSE = {
    "random": "Random weights: nothing to guess, only to learn. The seed brings them back.",
    "own": "Type the weights, or paste a matrix below. Every odd size from 3 to 31 works.",
}
BEYOND = "Edges: how a row abc goes on beyond them, as in cb|abc|ba."
STEP = (
    "A step moves the weights by what a batch of tiles says, as far as the learning rate lets it; "
    "several batches can be added up first (accumulation). Patience ends a run that gets no "
    "better; mixed precision is quicker and coarser."
)
SIZE_TAKEN = " It does not come in {before} × {before}: {size} × {size} is the nearest."
# A random kernel; the next one where there is one already. In the browser, and on from what it has
# just said, which may not stand in the field yet: every press counts.
ANOTHER_RANDOM = """(kernel, seed) => {
  const [now, last] = [performance.now(), window.kdRandom];
  const pending = last && now - last.at < 1000 ? last.seed : -1;
  const next = Math.max(Math.trunc(seed || 0) - (kernel === 'random' ? 0 : 1), pending) + 1;
  window.kdRandom = { seed: next, at: now };
  return ['random', next];
}"""
PASTE_PLACEHOLDER = "[[1, 0, -1], [2, 0, -2], [1, 0, -1]]\nor rows of numbers, or NumPy's output"
STALE = (
    "What is greyed out here was learned with other settings than those of the page now. "
    "Learn anew, or set them back."
)


# Hands on which run is wished for to the stage, which begins it once the page is set to it.
WISH = """
watch('value', () => {
  if (props.value) document.dispatchEvent(new CustomEvent('kd-wish', { detail: props.value }));
});
"""


class Tab:
    """The components of the tab; made inside a gr.Tab of the page, it is laid out and connected."""

    def __init__(self, page: gr.Blocks, header: gr.HTML, folders: bool = False) -> None:
        """header: asks for the runs of its show. folders: whether to learn from whole folders."""
        bar = link.address()
        self.controls: dict = {}  # by the names of their settings
        self.marks: dict = {}  # of what a link has set, by the panel
        self.folders = folders
        self.session = gr.State(Session(), time_to_live=SESSION_SECONDS)
        with gr.Column(elem_classes="kd-stage-tab"):
            self.live = stage.component("live", showing.idle(settings.START))
            for name, panel in (
                ("pictures", self._pictures),
                ("filter", self._filter),
                ("method", self._method),
            ):
                with gr.Column(elem_id=f"panel-{name}", elem_classes="kd-panel"):
                    self.marks[name] = link.mark(name)
                    panel()
        self.controls = dict(zip(NAMES, self._of(*NAMES), strict=True))  # in their order
        self.wish = gr.HTML(None, html_template="<i></i>", js_on_load=WISH, elem_id="wish")
        block(filled('<p class="kd-below">{}</p>', BELOW))
        fresh = Freshness(
            "learn-stale", ["result-card", "certificate"], ["take", "result-files"], STALE
        )
        with gr.Column(elem_classes="kd-after"):
            self.result = result.Cards(settings.experiment(settings.START), SESSION_SECONDS)
            raced, race_heard, self.race = race.build(self.controls, SESSION_SECONDS)
        made = [self.session, self.result.shown, self.result.told]
        learned = Made(
            fresh, made, [*self.controls.values()], named(lambda _, *of: result.stale(*of)),
            named(lambda session, shown, told, values: result.pending(session, values)),
        )  # fmt: skip
        self.mark = follow([learned, raced], self._of(*ARRANGING))
        race_heard.then(**self.mark)
        self._connect_run()
        show = self._connect_wishes(header)
        opened = link.connect(page, self.controls, bar, self.session)
        link.connect_marks(page, self.controls, self.marks)
        self._connect_kernel(opened)
        self._connect_settings()
        if self.folder is not None:
            self.folder.connect(self.controls)
        self._connect_look([opened, *show])

    def _of(self, *names: str) -> list:
        """The controls of these settings."""
        return [self.controls[name] for name in names]

    def _pictures(self) -> None:
        place(self.controls, "source", "dataset_id", "uploads")
        capture.component("capture", ("uploads",), several=True,
                          opens=("#chip-pictures", "#source input[value=mine]"))  # fmt: skip
        place(self.controls, "count")
        photos = pictures.gather(pictures.PictureChoice()).photos
        self.gallery = pictures.choosing(pictures.gallery(photos, 0), "gallery")
        self.notice = block("", "notice", script=HOLD)
        self.folder = Folder() if self.folders else None
        with _fold("Which grey, split, column"):
            place(self.controls, "channel")
            with gr.Row():
                place(self.controls, "split", "column")

    def _filter(self) -> None:
        block(_glyphs(), "glyphs")
        place(self.controls, "kernel")
        self.purpose = block(purpose_of(settings.START_KERNEL), "purpose")
        self.filter_problem = block("", "filter-problem")
        with gr.Row(elem_classes="kd-halves"):
            place(self.controls, "size", "edges")
        block(quiet(BEYOND))
        place(self.controls, "angle", "kernel_seed", "editor")
        with gr.Row(elem_classes="kd-buttons"):
            self.random = gr.Button("Another random one", size="sm", elem_id="random")
            self.edit = gr.Button("Edit its numbers", size="sm", elem_id="edit")
        with _fold("Paste a matrix", visible=False) as self.paste:
            self.text = gr.Textbox(
                show_label=False, placeholder=PASTE_PLACEHOLDER, lines=3, max_lines=12,
                max_length=20_000, elem_id="paste",
            )  # fmt: skip
            self.divisor = gr.Number(1, label="Divide by", elem_classes="kd-field")
            self.use = gr.Button("Use this matrix", size="sm", elem_id="use-matrix")
        with _fold("Noise and rounding", elem_id="damage"):
            place(self.controls, "noise", "eight_bit")

    def _method(self) -> None:
        place(self.controls, "method", "optimizer", "learning_rate")
        with _fold("Steps, batch, tiles, precision, seed", elem_id="details"):
            block(quiet(STEP))
            place(self.controls, "steps", "batch", "tile", "accumulation", "init", "seed",
                  "patience", "mixed_precision")  # fmt: skip
        self.method_problem = block("", "method-problem")

    def _connect_run(self) -> None:
        """A run, and the cards that it fills."""
        heard, rested = run.connect(self.live, self.controls, self.session, self.result.shown)
        for event in heard:
            event.then(**self.mark)
        for event in rested:
            for step in self.result.concluding(self.session, self.controls["edges"]):
                event = event.then(**step)
                event.then(**self.mark)
        self.result.connect(self.controls["edges"], self.mark)

    def _connect_wishes(self, header: gr.HTML) -> list[gr.events.Dependency]:
        """Other parts that want a run: the page is set to it, and the stage begins it then.

        Returns the events of the show, which set the page and set it back.
        """
        values, told = [*self.controls.values()], [self.live, self.wish]
        self.result.spectrum.kfac(
            named(wish_kfac), values, [*told, *self._of(*WISHED)], **UNQUEUED
        )  # fmt: skip
        before, shown = gr.State(), self._of(*SHOWN)
        asked = header.asked(
            hearing(named(demonstrate)), [before, *values], [*told, *shown, before], **UNQUEUED
        )
        over = header.over(restored, before, [*shown, before], **UNQUEUED)
        return [event.then(**self._kernel_arranging()) for event in (asked, over)]

    def _connect_kernel(self, opened: gr.events.Dependency) -> None:
        """The ways to choose a kernel: by hand, or by the link that `opened` the page."""
        kernel, seed, size, editor = self._of("kernel", "kernel_seed", "size", "editor")
        grid = [kernel, editor, self.filter_problem]
        edited = self.edit.click(named(edit_current, FILTER), self._of(*FILTER), grid, **QUIET)
        used = self.use.click(use_pasted, [self.text, self.divisor], grid, **QUIET)
        for event in (edited, used):
            tell_failure(event, self.filter_problem)
        drawn = self.random.click(
            None, [kernel, seed], [kernel, seed], js=ANOTHER_RANDOM, **QUIET
        )  # fmt: skip
        kernel.input(**self._kernel_arranging())
        for event in (drawn, edited, used, opened):
            event.then(**self._kernel_arranging())
        size.input(kernel_editor.fitted, [editor, size], editor, **QUIET)

    def _connect_settings(self) -> None:
        """Whatever is set otherwise, by hand or by a link, one event shows it.

        A method decides how many steps there may be: that is arranged first. A rate is that of one
        method: another one begins with its own. A rate that is changed by hand may be that of the
        run in view: the stage knows, and says so.
        """
        method, optimizer, source, rate = self._of("method", "optimizer", "source", "learning_rate")
        shows = {
            "fn": named(changed),
            "inputs": [self.session, *self.controls.values()],
            "outputs": [self.live, self.gallery, self.notice, self.filter_problem,
                        self.method_problem, self.controls["learning_rate"]],
            "trigger_mode": "always_last",
            "concurrency_limit": 8,
            **QUIET,
        }  # fmt: skip
        source.change(
            source_chosen, self._of("source", "count"),
            self._of("dataset_id", "uploads", "count"), **UNQUEUED,
        )  # fmt: skip
        by_hand = [
            method.input(method_chosen, method, [self.controls["steps"], rate], **UNQUEUED),
            optimizer.input(lambda: None, None, rate, **UNQUEUED),
        ]
        at_once = [name for name in NAMES if name not in (*ARRANGING, "edges", "learning_rate")]
        for event in (
            gr.on(list(map(_told_by, self._of(*at_once))), **shows),
            self.live.set(**shows),
            method.change(**self._method_arranging()).then(**shows),
            self._fetching().then(**shows),
            *(event.then(**shows) for event in by_hand),
        ):
            event.failure(lambda: showing.failed(failure()), None, self.live, **UNQUEUED)
            event.then(**self.mark)
            event.then(**self.result.looking(self.controls)).then(**self.mark)

    def _fetching(self) -> gr.events.Dependency:
        """The event that has waited for the photos of a dataset; nothing else waits for them."""
        which = self._of("source", "dataset_id", "split", "column")
        waited = gr.on(
            list(map(_told_by, which)), pictures.fetch, which, None,
            trigger_mode="always_last", concurrency_limit=8, **QUIET,
        )  # fmt: skip
        tell_failure(waited, self.notice)
        return waited

    def _method_arranging(self) -> dict:
        """The event that gives a method what it needs."""
        method, *shown = self._of("method", "optimizer", "steps")
        return {"fn": method_shown, "inputs": method, "outputs": shown, **UNQUEUED}

    def _connect_look(self, arranged: list[gr.events.Dependency]) -> None:
        """What the stage shows beside a run: which picture, and beyond its edges.

        arranged: the events that set the page; they may set a rate alone, which none follows.
        """
        dressed = {
            "inputs": [self.session, *self.controls.values()],
            "outputs": [self.live, self.session],
            "trigger_mode": "always_last",
            **UNQUEUED,
        }
        self.gallery.choose(hearing(named(choose)), **dressed)
        for event in (self.controls["edges"].change, *(one.then for one in arranged)):
            event(named(on_stage), **dressed)
        self.gallery.opened(hub.prefetch, None, None, **UNQUEUED)
        self.notice.held(hearing(held), None, self.live, **UNQUEUED)

    def _kernel_arranging(self) -> dict:
        """The event that gives a kernel the inputs it needs."""
        return {
            "fn": kernel_chosen,
            "inputs": self._of("kernel", "size", "editor"),
            "outputs": [*self._of("size", "angle", "kernel_seed", "editor"), self.paste,
                        self.edit, self.purpose],
            "preprocess": False,  # the size may be one that the kernel before had
            **UNQUEUED,
        }  # fmt: skip


def _fold(words: str, **look) -> gr.Accordion:
    """What is folded away."""
    return gr.Accordion(words, open=False, elem_classes="kd-fold", **look)


def _told_by(control: gr.components.Component) -> Callable:
    """What tells that a control has another value; of words, once they are written."""
    return control.blur if isinstance(control, gr.Textbox) else control.change


def _glyphs() -> str:
    """The style sheet by which each name of a kernel has its small picture (HTML)."""
    pictures_of = {name: glyph(each.build(each.sizes[0], 0)) for name, each in CATALOGUE.items()}
    rules = (
        f"#kernel label:has([value={name}])::before {{ background: {picture}; }}"
        for name, picture in pictures_of.items()
    )
    return served.sheet(rules)


# ---- What the events do: each function takes values and returns updates


def changed(session: Session, values: Mapping) -> tuple:
    """The stage, the thumbnails, what is wrong in each panel, and the rate, of what is set.

    Photos of a dataset that are not here yet are not waited for.
    """
    values, asked = settings.fitting(values), showing.numbered()
    beside = (
        _wrong(settings.effect, values), _wrong(settings.training, values), rate_field(values),
    )  # fmt: skip
    which = (values[name] for name in ("source", "dataset_id", "split", "column"))
    if not pictures.at_hand(*which):
        meanwhile, _ = on_stage(session, values | {"source": "bundled"}, asked)
        return meanwhile, gr.skip(), quiet(FETCHING), *beside
    gallery, notice = show_gallery(session.look.picture, values)
    return on_stage(session, values, asked)[0], gallery, notice, *beside


def on_stage(session: Session, values: Mapping, asked: Mapping | None = None) -> tuple:
    """The stage and the session, of what the page is set to.

    The stage is at its start, or has the run that was of just these settings, or says what is
    wrong. A run under way stays in view. asked: `showing.numbered` of when it was asked for.
    """
    if session.running:
        return gr.skip(), gr.skip()
    picture, asked = session.look.picture, asked or showing.numbered()
    try:
        wanted = settings.experiment(values)
        if session.progress is None or session.experiment != wanted:
            return showing.idle(values, picture) | asked | _noticed(session, values), gr.skip()
        photos = pictures.gather(wanted.choice).photos
        session = replace(session, look=showing.look(values, wanted, photos, picture))
        return showing.frame(session) | asked, session
    except DemoError as error:
        return showing.failed(str(error), chips=showing.chips(values)) | asked, gr.skip()


def _noticed(session: Session, values: Mapping) -> dict:
    """What is said of a link, as long as the page is as it made it."""
    notice = session.notice
    return {"error": notice.said} if notice.said and notice.of == link.address_of(values) else {}


def held(said: Mapping) -> dict:
    """The stage while what was pressed waits."""
    return showing.failed(LINKED if said.get("by") == "link" else READING)


def choose(said: Mapping, session: Session, values: Mapping) -> tuple:
    """The stage and the session with the picture whose thumbnail was chosen."""
    if session.running:
        return gr.skip(), gr.skip()
    return run.picture(said, 0, session, values)


def _wrong(read: Callable, values: Mapping) -> str:
    """What is wrong with some of the settings, to be told beside them (HTML)."""
    try:
        read(values)
    except DemoError as error:
        return problem(error)
    return ""


def show_gallery(picture: int, values: Mapping) -> tuple:
    """The thumbnails, one of them chosen, and the notice. A problem leaves them as they are."""
    try:
        choice = settings.choice(values)
        if choice.source == "mine" and not choice.uploads:
            return quiet(NO_UPLOAD_YET), ""
        gathered = pictures.gather(choice, beside=True)
    except DemoError as error:
        return gr.skip(), problem(error)
    return pictures.gallery(gathered.photos, picture), quiet(gathered.told)


def source_chosen(source: str, count: int) -> tuple:
    """The inputs that this source of pictures needs: dataset, files, how many."""
    number = gr.update(visible=source != "mine")
    if source == "hub":  # never lowered again: what still waits may hold a larger number
        number["maximum"] = settings.most_pictures(source)
    if source == "bundled":
        number["value"] = min(count, settings.most_pictures(source))
    return gr.update(visible=source == "hub"), gr.update(visible=source == "mine"), number


def kernel_chosen(kernel: str, size: int, editor: dict | None) -> tuple:
    """The inputs that this kernel needs, and the line that says what it is for."""
    chosen = CATALOGUE.get(kernel)
    sizes = settings.sizes(kernel)
    if kernel == "own":  # of any odd size, and learned as the grid holds it
        size = len((editor or {}).get("rows") or ()) or size
        sizes = tuple(sorted({*sizes, size}))
    before, size = size, settings.nearest(sizes, size)
    taken = SIZE_TAKEN.format(before=before, size=size) if before and before != size else ""
    return (
        gr.update(choices=square(sizes), value=size, interactive=len(sizes) > 1),
        gr.update(visible=bool(chosen and chosen.takes_angle)),
        gr.update(visible=kernel == "random"),
        gr.update(visible=kernel == "own"),
        gr.update(visible=kernel == "own"),
        gr.update(visible=kernel != "own"),
        purpose_of(kernel, taken),
    )


def purpose_of(kernel: str, more: str = "") -> str:
    """The line that says what a kernel is for, by its name (HTML)."""
    if kernel not in CATALOGUE:
        return quiet(KERNEL_PURPOSE[kernel] + more)
    chosen = CATALOGUE[kernel]
    told = '<p class="kd-note"><b>{}.</b> {}{}</p>'
    return filled(told, chosen.label, chosen.purpose, more)


def edit_current(values: Mapping) -> tuple:
    """Put the kernel that is set up now into the grid, to be changed by hand."""
    try:
        truth = settings.truth(values)
    except DemoError as error:
        return gr.skip(), gr.skip(), problem(error)
    return "own", kernel_editor.editor_value(truth), ""


def use_pasted(text: str, divisor: float | None) -> tuple:
    """Put a pasted matrix into the grid."""
    try:
        values = kernels.parse(text or "", 1.0 if divisor is None else divisor).values
    except DemoError as error:
        return gr.skip(), gr.skip(), problem(error)
    return "own", kernel_editor.editor_value(values), ""


def wish_kfac(values: Mapping) -> tuple:
    """What is set up now, learned by K-FAC at its own rate: the stage, the wish, and WISHED."""
    return _wish(values, _by("kfac"), "")


def demonstrate(said: Mapping, before: Mapping | None, values: Mapping) -> tuple:
    """A run of the header's show, by "adam" or "kfac": the stage, the wish, SHOWN, and `before`.

    before: what SHOWN was when the show began, which it begins with Adam.

    Of what is set up now, or of the defaults where that is not for it: pictures that are not here,
    a kernel too large.
    """
    method = "kfac" if said.get("method") == "kfac" else "adam"
    changes = dict.fromkeys(SHOWN, gr.skip()) | _by(method)
    if not _demonstrable(values):
        changes |= {name: settings.START[name] for name in SHOWN if name not in WISHED}
    if method == "adam":
        before = {name: values[name] for name in SHOWN}
    return *_wish(values, changes, "normal" if method == "kfac" else "show"), before


def restored(before: Mapping | None) -> tuple:
    """SHOWN as it was before the show, and nothing to be brought back any more."""
    if before is None:
        return *[gr.skip()] * len(SHOWN), None
    steps = gr.update(value=before["steps"], maximum=settings.most_steps(before["method"]))
    return *(before | {"steps": steps}).values(), None


def _by(method: str) -> dict:
    """WISHED, of a method at its own rate."""
    return dict(zip(WISHED, (method, None, TrainSettings().steps), strict=True))


def _demonstrable(values: Mapping) -> bool:
    which = (values[name] for name in ("source", "dataset_id", "split", "column"))
    try:
        wanted = settings.experiment(values)
    except DemoError:
        return False
    at_hand = not showing.unchosen(wanted.choice) and pictures.at_hand(*which)
    return at_hand and len(wanted.weights) <= SHOWN_UP_TO


def _wish(values: Mapping, changes: Mapping, pace: str) -> tuple:
    """changes: updates by name. pace: of its show, one of show.js; empty: the visitor's own."""
    changed = {name: value for name, value in changes.items() if value != gr.skip()}
    try:
        key = settings.experiment(settings.fitting({**values, **changed})).key
    except DemoError as error:
        told = showing.failed(str(error), chips=showing.chips(values))
        return told, *[gr.skip()] * (1 + len(changes))
    return gr.skip(), {"experiment": key, "pace": pace, **showing.numbered()}, *changes.values()


def method_shown(method: str) -> tuple:
    """What of its optimizer and steps counts for a method, and how many steps it may take."""
    learns = method != "closed_form"
    steps = gr.update(maximum=settings.most_steps(method), interactive=learns)
    return gr.update(visible=method == "exact"), steps


def method_chosen(method: str) -> tuple[int, None]:
    """The steps that suit the method, and no rate but its own."""
    return (ExactSettings if method == "exact" else TrainSettings)().steps, None


def rate_field(values: Mapping) -> dict:
    """The learning rate's field, which says the method's own where none is set."""
    try:
        wanted = settings.experiment(values)
    except DemoError:
        return gr.skip()
    makes, size = showing.optimizer(wanted.settings), len(wanted.weights)
    own = showing.own_rate(wanted)
    if own is None:
        return gr.update(placeholder="none", interactive=False, info="")
    found = settings.OWN_RATE[makes].format(
        tried=TRIED.get(makes), size=f"{size}\u00a0×\u00a0{size}"
    )
    return gr.update(placeholder=short(own), interactive=True, info=found)
