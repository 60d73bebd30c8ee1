"""Numbers for reading. Bounds are rounded upwards, shares of all downwards: both hold as read.

One notation: a true minus sign, 10⁻⁸ for powers, thin spaces between groups of three digits where
there are more than four of them, ± before a thin space, 3 × 3 for sizes. drawing.js and verdict.js
write alike. Thin spaces are U+202F, which ends no line.
"""

import math

THIN = "\u202f"
_PLAIN = 1e-3, 1e4  # from here to there without a power of ten


def figure(value: float | None) -> str:
    """A number for reading: three digits, 2.1·10⁻⁸ outside 0.001..9999; a dash for none."""
    if value == math.inf:
        return "∞"
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    if _PLAIN[0] <= abs(value) < _PLAIN[1]:
        text = f"{value:.{_decimals(value)}f}"
    else:
        digits, power = f"{value:.1e}".split("e")
        text = f"{digits}·{power_of_ten(int(power))}"
    return text.replace("-", "−")


def power_of_ten(exponent: int) -> str:
    """10⁻⁸"""
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def decimal(value: float, up: bool = False, digits: int | None = None) -> str:
    """A size for people, without a power of ten: 0.76, 0.000 000 019. value >= 0.

    up: never below the value. digits: two where none are given, three from 1 on.
    """
    if not math.isfinite(value) or value >= _PLAIN[1]:
        return figure(value)
    if value <= 0:
        return "0"
    digits = digits or (3 if value >= 1 else 2)
    power = int(f"{value:.{digits - 1}e}".split("e")[1])
    decimals = min(20, max(0, digits - 1 - power))
    whole, _, rest = f"{_up(value, decimals) if up else value:.{decimals}f}".partition(".")
    if len(rest) > 4:
        rest = THIN.join(rest[i : i + 3] for i in range(0, len(rest), 3))
    return f"{whole}.{rest}" if rest else whole


def short(value: float) -> str:
    """A number for a narrow cell: up to three digits, no trailing zeros, 2·10⁻⁸ below 0.001."""
    if 0 < abs(value) < _PLAIN[0]:
        return powered(value)
    text = f"{value:.3g}"
    return powered(value, 2) if "e" in text else _narrow(text)


def powered(value: float, decimals: int = 0) -> str:
    """One digit and as many decimals, times a power of ten, for a narrow cell: 3·10⁻⁴."""
    digits, power = f"{value:.{decimals}e}".split("e")
    return _narrow(f"{digits}·{power_of_ten(int(power))}")


def _narrow(text: str) -> str:
    return text.replace("-", "−")


def within(bar: str) -> str:
    """Either way: ± 0.2."""
    return f"±{THIN}{bar}"


def factor(times: float) -> str:
    """By how much something was multiplied: × 200, and from 10 000 on × 2·10⁶."""
    if times < _PLAIN[1]:
        return f"× {count(round(times))}"
    digits, power = f"{times:.0e}".split("e")
    return f"× {'' if digits == '1' else f'{digits}·'}{power_of_ten(int(power))}"


def shown(value: float) -> float:
    """The number that figure() writes."""
    if value == 0 or not math.isfinite(value):
        return value
    return round(value, _decimals(value))


def at_most(value: float) -> str:
    """An upper bound as figure() writes it, rounded upwards: never below the value. value >= 0."""
    if value <= shown(value) or not math.isfinite(value):
        return figure(value)
    return figure(_up(value, _decimals(value)))


def at_least(value: float) -> str:
    """A lower bound as figure() writes it, rounded downwards: never above the value. value >= 0."""
    if value >= shown(value) or not math.isfinite(value):
        return figure(value)
    decimals = _decimals(value)
    return figure(round(shown(value) - 10.0**-decimals, decimals))


def between(low: float, high: float) -> tuple[str, str]:
    """Two ends for a narrow cell, rounded outwards, to two digits of what lies between."""
    if not low < high:
        return powered(low, 9), powered(high, 9)
    decimals = max(0, 1 - math.floor(math.log10(high - low)))
    ends = math.floor(low * 10**decimals), math.ceil(high * 10**decimals)
    first, last = (_narrow(f"{end / 10**decimals + 0.0:.{decimals}f}") for end in ends)
    return first, last


def rounded_up(value: float, digits: int) -> str:
    """A bound to so many digits, never below the value (>= 0): 0.07, and below 0.0001 7·10⁻⁶."""
    if value == 0 or not math.isfinite(value):
        return figure(value)
    held = bound(value, digits)
    return powered(held, digits - 1) if held < 1e-4 else f"{held:g}"


def bound(value: float, digits: int) -> float:
    """The number that rounded_up() writes."""
    if value == 0 or not math.isfinite(value):
        return value
    return _up(value, digits - 1 - math.floor(math.log10(value)))


def percent(share: float, decimals: int = 1) -> str:
    """A share of all as 99.9 %, rounded downwards: only all is 100 %."""
    if share >= 1:
        return "100 %"
    scale = 10**decimals
    # 0.29 times 100 is 28.999999999999996: the rounding takes such tails away before the cut.
    return f"{math.floor(round(100 * scale * share, 6)) / scale:.{decimals}f} %"


def count(number: int) -> str:
    """A whole number, of more than four digits in groups of three: 35 244."""
    text = f"{number:,}" if abs(number) >= _PLAIN[1] else f"{number}"
    return _narrow(text.replace(",", THIN))


def duration(seconds: float) -> str:
    """0.063 s, 0.40 s, 1.5 s, 12 s, 3 min 05 s: two digits; verdict.js writes alike."""
    if seconds < 9.95:
        power = int(f"{seconds:.1e}".split("e")[1]) if seconds > 0 else 0
        return f"{seconds:.{max(1, 1 - power)}f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"


def _decimals(value: float) -> int:
    """How many decimals figure() keeps: three digits in all, two beside a power of ten."""
    plain = _PLAIN[0] <= abs(value) < _PLAIN[1]
    digits = 3 if plain else 2
    power = int(f"{value:.{digits - 1}e}".split("e")[1])  # 0.9996 is written as 1.00
    return max(0, digits - 1 - power) if plain else digits - 1 - power


def _up(value: float, decimals: int) -> float:
    """The value at so many decimals (below 0: tens, hundreds), the next one if that is less."""
    written = round(value, decimals)
    return written if written >= value else round(written + 10.0**-decimals, decimals)
