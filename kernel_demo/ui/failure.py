"""What is said when a button could not do what it says."""

FAILED = (
    "This did not work: the page is busy, or something in it went wrong. "
    "Wait a moment, then press again."
)
