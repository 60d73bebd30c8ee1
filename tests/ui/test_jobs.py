"""One throttle for all that streams to a browser."""

from kernel_demo.ui.jobs import throttled


def test_the_first_and_the_last_are_shown():
    """A fast source is thinned, and neither its start nor its end is lost."""
    assert list(throttled((n for n in range(1000)), 60)) == [0, 999]
    assert list(throttled((n for n in [None]), 60)) == [None]
    assert list(throttled((n for n in [None, None]), 60)) == [None, None]
    assert list(throttled((n for n in []), 60)) == []


def test_nothing_is_lost_without_haste():
    """With no time between them all are shown."""
    assert list(throttled((n for n in range(5)), 0)) == [0, 1, 2, 3, 4]


def test_closing_the_stream_closes_its_source():
    """Who stops looking frees the device."""
    closed = []

    def source():
        try:
            yield from range(10**9)
        finally:
            closed.append(True)

    stream = throttled(source(), 0)
    next(stream)
    stream.close()
    assert closed == [True]
