"""How the page's own events run; scripts use the endpoints of `api`."""

RUNS_AT_ONCE = 2
DEVICE_QUEUE = "device"  # everything that holds the device waits in one queue
PRIVATE = {"api_visibility": "private"}
QUIET = {**PRIVATE, "show_progress": "hidden"}
