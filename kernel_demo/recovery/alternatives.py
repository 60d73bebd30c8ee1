"""What is known beside a kernel, done again: its parameters, its program, and what that makes.

`rivals` finds on a sample that an operation explains a pair; here it is fitted to the pictures, and
where there are several ways to say it (an exponent of two digits, a table of 256 levels) the
simplest that reproduces as many pixels is taken. All of a picture is in 255ths of white here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any, TypeAlias

import cv2
import numpy as np

from kernel_demo.recovery import light, programs
from kernel_demo.recovery.alignment import Pair, between, planes_of
from kernel_demo.recovery.channels import CONVERSIONS
from kernel_demo.recovery.explanations import CURVES, Channels, Curve, Other
from kernel_demo.recovery.operations import BY_LIGHT, GREYS, LIGHTS, WHITE, Operation
from kernel_demo.recovery.record import Recovery
from kernel_demo.recovery.reproduction import inside
from kernel_demo.recovery.rivals import BETTER, OF_OTHERS, Alternative, curve_of, tone_curve

Make: TypeAlias = Callable[[np.ndarray], np.ndarray]
Formula: TypeAlias = tuple[Make, str, dict[str, object]]  # with its code and its parameters
Strips: TypeAlias = Iterator[tuple[np.ndarray, np.ndarray]]  # before and after
STRIP = 1_000_000  # pixels made at once
CROP = 512  # side of the part of each pair by which ways to say it are compared
AS_MANY = 0.002  # share of the pixels that the simpler way may reproduce less
# Curves whose name says what they make of each level: a table that makes more is none of them.
# Where noise or losses keep it from making all, its levels follow those, and make a little more.
BY_FORMULA, NEARLY_AS_MANY = (Curve.GAMMA, *BY_LIGHT), 0.9
LEVELS = 256


@dataclass(frozen=True, eq=False)
class Model:
    """An operation with its parameters."""

    make: Make  # h x w x B, float32, to h x w x A
    body: str  # lines of code that make `after` of `x`
    parameters: Mapping[str, object]
    radius: int = 0
    border: str = "reflect"
    even: bool = False  # halves are rounded to even levels; else up
    more: dict[str, np.ndarray] = field(default_factory=dict)  # kernel, curve or matrix


def told(other: Alternative, pairs: Sequence[Pair], weights: Sequence[float] | None) -> Alternative:
    """The same with its parameters, its program and what that makes of the pairs.

    weights: of red, green and blue where before was made grey first. What cannot be done again (an
    edit, a turn, noise) stays as it is; pictures are of the first pair.
    """
    grey = [greyed_by(pair, weights) for pair in pairs]
    models = list(_models(other, grey)) if other.residual is not None else []
    if not models:
        return other
    return remade(other, _simplest(models, grey), grey, programs.grey(weights, _whole(pairs[0])))


def greyed(other: Alternative | None, pairs: Sequence[Pair]) -> Alternative | None:
    """What explains more than `other` of a grey picture made of colours: a way to grey, or a curve.

    The curve is of grey by the weights of a library: those that least squares find are off by it.
    """
    if pairs[0].before.shape[2] != 3 or pairs[0].after.shape[2] != 1:
        return other
    ways: list[Callable[[Sequence[Pair]], Alternative | None]] = [
        partial(by_operation, operation) for operation in GREYS
    ]
    ways += [partial(_by_curve, weights) for weights in {way.weights: None for way in CONVERSIONS}]
    middles = [_middle_of(pair) for pair in pairs]
    found = [
        (one.residual, number)
        for number, way in enumerate(ways)
        if (one := way(middles)) and one.residual is not None
    ]
    best = ways[min(found)[1]](pairs) if found else None
    known = np.inf if other is None or other.residual is None else other.residual
    some = OF_OTHERS * float(np.std(pairs[0].after)) / pairs[0].step
    if best is None or best.residual is None or best.residual >= min(BETTER * known, some):
        return other
    return best


def by_operation(operation: Operation, pairs: Sequence[Pair]) -> Alternative | None:
    """An operation with the factor and the offset that suit it. None: too few pixels count."""
    models = list(_scaled(operation, pairs))
    start = Alternative(Other.OPERATION, figures={"operation": operation.name})
    return remade(start, _simplest(models, pairs), pairs, "") if models else None


def _by_curve(weights: Sequence[float], pairs: Sequence[Pair]) -> Alternative | None:
    found = tone_curve(planes_of([greyed_by(pair, weights) for pair in pairs]))
    return found and told(found, pairs, weights)


def curve(pairs: Sequence[Pair]) -> Alternative | None:
    """What makes each pixel by itself, if that leaves no more than rounding in any channel."""
    found = curve_of(pairs)
    return found and told(found, pairs, None)


def matrix(found: Recovery, pairs: Sequence[Pair]) -> Alternative | None:
    """The matrix (outputs x inputs) that mixing kernels are where each pixel is by itself."""
    mixed = found.channels in (Channels.MIXTURE, Channels.GREY)
    kernels, errors = found.kernel, found.standard_error
    if not (mixed and found.verdict.linear) or found.reaches_out:
        return None
    if kernels is None or errors is None:
        return None
    weights = kernels[..., found.size // 2, found.size // 2]
    more = {"standard_error": errors[..., found.size // 2, found.size // 2]}
    if found.channel_weights is not None:
        weights, more = weights * np.array(found.channel_weights), {}
    offsets = np.broadcast_to(found.offset, len(weights)) * (WHITE / found.white)
    models: list[Model] = []
    # Rounded half up, or cut off; a sum that only float64 sees below a whole number is that number.
    for decimals, less in product((3, 4, 6, 17), (0.0, 0.4999)):
        values, added = weights.round(decimals), offsets.round(decimals - 3) - less

        def make(
            image: np.ndarray, values: np.ndarray = values, added: np.ndarray = added
        ) -> np.ndarray:
            return image @ values.T + added

        body, offset = programs.matrix(values, added), (added * (found.white / WHITE)).tolist()
        models.append(Model(make, body, {"offset": offset}, more={"matrix": values, **more}))
    if found.bit_exact and found.white == WHITE and kernels.sum() == 1:
        models += _conversions(found.channel_weights)
    model = _simplest(models, pairs)
    rows = model.more["matrix"][0].tolist()
    named = dict(zip(("red", "green", "blue"), rows, strict=True))
    kind = Other.MATRIX if len(weights) > 1 else Other.GREY
    return remade(Alternative(kind, figures=named), model, pairs, "")


def _conversions(weights: Sequence[float] | None) -> Iterator[Model]:
    """Grey as libraries make it of 8-bit channels, by these weights, with their rounding."""
    for way in CONVERSIONS:
        if way.code and way.convert is not None and way.weights == weights:
            more = {"matrix": np.array([way.weights])}
            yield Model(way.convert, programs.conversion(way.code), {"offset": [0.0]}, more=more)


# Ways to say it


def _models(other: Alternative, pairs: Sequence[Pair]) -> Iterator[Model]:
    if other.operation is not None:
        yield from _scaled(other.operation, pairs)
    elif other.kind == Other.CURVE:
        yield from _curves(Curve(other.parameters["curve"]), other.parameters, pairs)
    elif other.kind == Other.LIGHT:
        yield from _of_light(other, pairs)


def _scaled(operation: Operation, pairs: Sequence[Pair]) -> Iterator[Model]:
    """The operation as it is, by round numbers, and as least squares have it."""
    x, y = _seen(pairs, operation.apply, operation.radius)
    if len(x) < 100 or x.std() == 0:
        return
    slope = float(((x - x.mean()) * (y - y.mean())).mean() / x.var())
    apply = _remembering(operation.apply)
    # Half up, or cut off: then the mean is a half less.
    for factor in dict.fromkeys((1.0, float(Fraction(slope).limit_denominator(32)), slope)):
        free = float(y.mean() - factor * x.mean())
        for offset in dict.fromkeys((0.0, round(free), round(2 * free) / 2, free)):

            def make(
                image: np.ndarray, factor: float = factor, offset: float = offset
            ) -> np.ndarray:
                values = apply(image)
                return values if (factor, offset) == (1, 0) else factor * values + offset

            body = programs.operation(operation, factor, offset)
            parameters = operation.parameters | {"factor": factor, "offset": offset}
            for even in (False, True):
                yield Model(make, body, parameters, operation.radius, operation.border, even)


def _remembering(apply: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """The same operation, done once to a picture that comes several times in turn."""
    last: list[tuple[np.ndarray, np.ndarray]] = []

    def made(image: np.ndarray) -> np.ndarray:
        if not last or last[0][0] is not image:
            last[:] = [(image, apply(image))]
        return last[0][1]

    return made


def _of_light(other: Alternative, pairs: Sequence[Pair]) -> Iterator[Model]:
    curve = next(one for one in LIGHTS if one.name == other.parameters["curve"])
    found = light.fit(pairs, curve)
    if found is None:
        return
    for kernel, plainer in light.simpler(found):
        body = programs.light(curve.code, kernel, found.offset)
        more = {"kernel": kernel, "standard_error": found.standard_error}
        figures = {"curve": curve.name, "size": len(kernel), "offset": found.offset, **plainer}
        make = light.maker(curve, kernel, found.offset)
        yield Model(make, body, figures, len(kernel) // 2, more=more)


def _curves(curve: Curve, parameters: Mapping[str, Any], pairs: Sequence[Pair]) -> Iterator[Model]:
    """By its formula, as one table, and as a table for each channel."""
    own = _tables(pairs)
    if own is None:
        return
    together, seen = _together(own)
    for make, body, told in _formulas(curve, parameters, together, seen, pairs):
        more = {"curve": np.clip(make(np.arange(LEVELS, dtype=np.float32)), 0, WHITE)}
        yield Model(make, body, {"curve": curve, **told}, more=more)
    said: dict[str, object] = {"curve": curve, **parameters}
    if curve in BY_FORMULA:
        said = {"curve": Curve.FREE}
    yield Model(_by_table(together), programs.table(together), said, more={"curve": together})
    if len(own) > 1:
        tables = np.stack([table for table, _ in own])
        yield Model(_by_table(tables), programs.table(tables), said, more={"curve": tables})


def _formulas(
    curve: Curve,
    parameters: Mapping[str, Any],
    table: np.ndarray,
    seen: np.ndarray,
    pairs: Sequence[Pair],
) -> Iterator[Formula]:
    """(function, code, parameters) that make such a curve."""
    levels = np.flatnonzero(seen)
    if curve in (Curve.THRESHOLD, Curve.POSTERISED):
        edges = levels[1:][np.diff(table[levels]) != 0]
        values = table[[levels[0], *edges]]
        if len(edges) == 1:
            (level,), (below, above) = edges.tolist(), values.tolist()
            body = programs.threshold(level, below, above)
            told: dict[str, object] = {"from": level, "below": below, "above": above}
            yield (lambda x: np.where(x >= level, above, below)), body, told
        elif len(edges) <= 32:
            told = {"levels": len(np.unique(values)), "from": edges.tolist(), "to": values.tolist()}
            body = programs.steps(edges, values)
            yield (lambda x: values[np.searchsorted(edges, x, side="right")]), body, told
    elif curve == Curve.GAMMA:
        yield from _powers(parameters["exponent"])
    elif curve in BY_LIGHT:
        does = BY_LIGHT[curve]
        yield (lambda x: WHITE * does(x / WHITE)), programs.by_light(curve), {}
    elif curve == Curve.EQUALISED and all(map(_equalised, pairs)):
        yield _by_table(table), programs.EQUALISE, {}


def _powers(exponent: float) -> Iterator[Formula]:
    """x^g by the plainest number near it, rounded or cut off."""
    plain = (round(exponent, 1), 1 / round(1 / exponent, 1), round(exponent, 2))
    finer = (1 / round(1 / exponent, 2), exponent)
    for power in (near for near in (*plain, *finer) if abs(near / exponent - 1) < 0.02):
        for offset in (0.0, -0.5):

            def make(x: np.ndarray, power: float = power, offset: float = offset) -> np.ndarray:
                return WHITE * (x.astype(np.float64) / WHITE) ** power + offset

            yield make, programs.power(power, offset), {"exponent": power, "offset": offset}


def _equalised(pair: Pair) -> bool:
    """Whether OpenCV's equalisation of each channel makes all of after."""
    if pair.before.dtype != np.uint8 or pair.before.shape != pair.after.shape:
        return False
    channels = zip(np.moveaxis(pair.before, -1, 0), np.moveaxis(pair.after, -1, 0), strict=True)
    return all(
        np.array_equal(cv2.equalizeHist(np.ascontiguousarray(before)), after)
        for before, after in channels
    )


def _tables(pairs: Sequence[Pair]) -> list[tuple[np.ndarray, np.ndarray]] | None:
    """For each channel of after (what is after each of 256 levels, how often that was seen).

    None: no pixel counts.
    """
    by = _most_often if _whole(pairs[0]) else _by_lines
    found = [by(_levels(pairs, channel)) for channel in range(pairs[0].after.shape[2])]
    return found if all(seen.any() for _, seen in found) else None


def _levels(pairs: Sequence[Pair], channel: int) -> Strips:
    """Before and after, a strip at a time, in 255ths of white."""
    for pair in pairs:
        before, after, counted = pair.overlap()
        x, y = before[..., min(channel, before.shape[2] - 1)], after[..., channel]
        rows = max(1, STRIP // max(1, x.shape[1]))
        for top in range(0, len(x), rows):
            at = slice(top, top + rows)
            kept = slice(None) if counted is None else counted[at]
            # Grey made of colours by weights may lie beyond black and white.
            parts = (side[at][kept].ravel() * (WHITE / pair.peak) for side in (x, y))
            there, here = (np.clip(part, 0, WHITE) for part in parts)
            yield there, here


def _most_often(parts: Strips) -> tuple[np.ndarray, np.ndarray]:
    """Of 8-bit files: what is after a level most often; levels not seen lie between."""
    often = np.zeros(LEVELS**2, np.int64)
    for x, y in parts:
        often += np.bincount(x.astype(int) * LEVELS + y.astype(int), minlength=LEVELS**2)
    square = often.reshape(LEVELS, LEVELS)
    table, seen = square.argmax(axis=1), square.sum(axis=1)
    known = np.flatnonzero(seen)
    if len(known) == 0:
        return table.astype(float), seen
    return np.interp(np.arange(LEVELS), known, table[known]).round(), seen


def _by_lines(parts: Strips) -> tuple[np.ndarray, np.ndarray]:
    """Of deeper files: straight lines between 256 levels, by least squares of their hats."""
    seen: np.ndarray = np.zeros(LEVELS, int)
    gram, cross = np.zeros((LEVELS, LEVELS)), np.zeros(LEVELS)
    at = np.arange(LEVELS - 1)
    for x, y in parts:
        left = np.floor(x).astype(int).clip(0, LEVELS - 2)
        right, seen = x - left, seen + np.bincount(np.rint(x).astype(int), minlength=LEVELS)
        gram[at, at] += np.bincount(left, (1 - right) ** 2, LEVELS - 1)
        gram[at + 1, at + 1] += np.bincount(left, right**2, LEVELS - 1)
        gram[at, at + 1] += np.bincount(left, right * (1 - right), LEVELS - 1)
        cross += np.bincount(left, (1 - right) * y, LEVELS)
        cross += np.bincount(left + 1, right * y, LEVELS)
    gram += np.triu(gram, 1).T
    # Levels that were not seen go on straight.
    bends = np.diff(np.eye(LEVELS), 2, axis=0)
    return np.linalg.solve(gram + 1e-6 * bends.T @ bends + 1e-12 * np.eye(LEVELS), cross), seen


def _together(own: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """One table for all channels: that of the channel in which a level was seen most."""
    tables, seen = (np.stack(part) for part in zip(*own, strict=True))
    most = seen.argmax(axis=0)
    return tables[most, np.arange(LEVELS)], seen.sum(axis=0)


def _by_table(table: np.ndarray) -> Make:
    def make(image: np.ndarray) -> np.ndarray:
        if table.ndim == 1:
            return np.interp(image, np.arange(LEVELS), table)
        x = deep(image)
        made = [np.interp(x[..., min(c, x.shape[2] - 1)], np.arange(LEVELS), table[c])
                for c in range(len(table))]  # fmt: skip
        return np.stack(made, axis=-1)

    return make


# What it makes


def _seen(pairs: Sequence[Pair], make: Make, radius: int) -> tuple[np.ndarray, np.ndarray]:
    """What `make` makes, and after, where that is not cut off: in 255ths of white."""
    made, after = [], []
    for image, target, counts, pair in _crops(pairs, radius):
        values = deep(make(image))
        kept = counts & between(target, pair.clip)
        made.append(np.broadcast_to(values, target.shape)[kept].astype(np.float64))
        after.append(target[kept] * (WHITE / pair.peak))
    return np.concatenate(made), np.concatenate(after).astype(np.float64)


def _crops(
    pairs: Sequence[Pair], radius: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, Pair]]:
    """The middle of each pair: before, after in working units, what counts, and the pair."""
    for pair in pairs:
        before, after, counted = pair.overlap()
        rows, columns = (_middle(length) for length in after.shape[:2])
        counts = np.zeros(after[rows, columns].shape[:2], bool)
        counts[_inner(radius)] = True
        if counted is not None:
            counts &= counted[rows, columns]
        image = picture(before[rows, columns], pair)
        yield image, after[rows, columns], counts[..., None] & np.ones(after.shape[2], bool), pair


def _inner(radius: int) -> tuple[slice, slice]:
    return (slice(radius, -radius or None),) * 2


def _middle_of(pair: Pair) -> Pair:
    """The part of a pair by which ways to say it are compared."""
    before, after, counted = pair.overlap()
    at = tuple(map(_middle, after.shape[:2]))
    opaque = None if counted is None else counted[at]
    return replace(pair, before=before[at], after=after[at], opaque=opaque, outliers=None,
                   origin=(0, 0))  # fmt: skip


def _middle(length: int) -> slice:
    first = max(0, (length - CROP) // 2)
    return slice(first, first + CROP)


def picture(before: np.ndarray, pair: Pair) -> np.ndarray:
    """h x w x B in 255ths of white; h x w of one channel, as OpenCV has it."""
    image = np.squeeze(before, axis=2) if before.shape[2] == 1 else before
    if pair.peak == WHITE:
        return image.astype(np.float32)
    return (image / (pair.peak / WHITE)).astype(np.float32)


def deep(values: np.ndarray) -> np.ndarray:
    return values[..., None] if values.ndim == 2 else values


def _simplest(models: Sequence[Model], pairs: Sequence[Pair]) -> Model:
    """The first that reproduces about as many pixels as the best does."""
    shares, crops = [], {r: list(_crops(pairs, r)) for r in {model.radius for model in models}}
    for model in models:
        same = total = 0
        for image, target, counts, pair in crops[model.radius]:
            level = _rounded(deep(model.make(image)) * _unit(pair), pair, model.even)
            same += int(np.count_nonzero((level == target // pair.step) & counts))
            total += int(np.count_nonzero(counts))
        shares.append(same / max(total, 1))
    best = max(shares)
    enough = best - AS_MANY if best < 1 else 1.0
    chosen = next(m for m, share in zip(models, shares, strict=True) if share >= enough)
    if best == 1 or not _unnamed(chosen):
        return chosen
    named = [share for model, share in zip(models, shares, strict=True)
             if model.parameters.get("curve") in BY_FORMULA]  # fmt: skip
    if not named or max(named) < NEARLY_AS_MANY * best:
        return chosen
    return models[shares.index(max(named))]


def _unit(pair: Pair) -> float:
    """Grey levels of after in a 255th of white."""
    return pair.peak / pair.step / WHITE


def _rounded(values: np.ndarray, pair: Pair, even: bool) -> np.ndarray:
    """Grey levels of after."""
    low, high = (level // pair.step for level in pair.clip)
    whole = np.rint(values) if even else np.floor(values + 0.5)
    return np.clip(whole, low, high).astype(pair.after.dtype)


def remade(other: Alternative, model: Model, pairs: Sequence[Pair], grey: str) -> Alternative:
    """The alternative with the model's picture, figures and program."""
    made, left, squares = _of_pair(model, pairs[0])
    squares = squares + sum(_of_pair(model, pair)[2] for pair in pairs[1:])
    unclipped, count, errors, same, counted = squares.tolist()
    residual = (unclipped / count if count else errors / max(counted, 1)) ** 0.5
    head, tail = _ends(pairs[0], model.even)
    figures = other.figures
    if other.kind == Other.CURVE and ("exponent" in model.parameters or _unnamed(model)):
        figures = {"curve": CURVES[Curve(model.parameters["curve"])].format(**model.parameters)}
    return replace(
        other,
        residual=residual,
        figures=figures,
        parameters=model.parameters,
        reproduced=same / max(counted, 1),
        code=head + grey + model.body + tail,
        reproduction=made,
        residual_map=left,
        kernel=model.more.get("kernel"),
        standard_error=model.more.get("standard_error"),
        curve=model.more.get("curve", other.curve),
        matrix=model.more.get("matrix", other.matrix),
    )


def _unnamed(model: Model) -> bool:
    """Whether it is a tone curve that has no name."""
    return model.parameters.get("curve") == Curve.FREE


def _of_pair(model: Model, pair: Pair) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """After as the model makes it, what that leaves, and five sums over what counts.

    Squares of what is left before rounding where that is not cut off, how many, squares after
    rounding, values that are the same, how many.
    """
    height, width = pair.after.shape[:2]
    around, counts = pair.surroundings(model.radius, model.border), inside(pair, model.radius)
    if pair.counted is not None:
        counts = counts & pair.counted
    made, left = np.empty_like(pair.after), np.empty(pair.after.shape, np.float32)
    rows, sums = max(1, STRIP // width), np.zeros(5)
    clip = [level // pair.step for level in pair.clip]
    for top in range(0, height, rows):
        at = slice(top, min(top + rows, height))
        image = picture(around[at.start : at.stop + 2 * model.radius], pair)
        values, after = _in_levels(model, image, pair), pair.levels[at]
        made[at] = _rounded(values, pair, model.even)
        np.subtract(after, made[at], out=left[at], dtype=np.float32)
        kept = counts[at, :, None]
        open_range = kept & between(values, clip)
        rest = np.multiply(after - values, open_range, dtype=np.float64)
        off = np.multiply(left[at], kept, dtype=np.float64)
        counted = np.count_nonzero(kept) * after.shape[2]
        same = counted - np.count_nonzero(off)
        sums += np.vdot(rest, rest), np.count_nonzero(open_range), np.vdot(off, off), same, counted
    one = made.shape[2] == 1
    return (made[..., 0], left[..., 0], sums) if one else (made, left, sums)


def _in_levels(model: Model, image: np.ndarray, pair: Pair) -> np.ndarray:
    """What the model makes of a picture with its surroundings, in grey levels of after."""
    values, unit = deep(model.make(image))[_inner(model.radius)], _unit(pair)
    return values if unit == 1 else values * unit


def _whole(pair: Pair) -> bool:
    return pair.peak == WHITE


def greyed_by(pair: Pair, weights: Sequence[float] | None, whole: bool = True) -> Pair:
    """The same with before in grey by weights; None: as it is.

    whole: in whole levels, if it has 8 bits.
    """
    if weights is None:
        return pair
    grey = pair.before @ np.array(weights)
    grey = np.floor(grey + 0.5) if whole and _whole(pair) else grey
    return replace(pair, before=grey[..., None])


def _ends(pair: Pair, even: bool) -> tuple[str, str]:
    """How the program reads and writes."""
    colours = 3 in (pair.before.shape[2], pair.after.shape[2])
    low, high = (level // pair.step for level in pair.clip)
    return programs.head(colours, _whole(pair)), programs.tail(_unit(pair), (low, high), even)
