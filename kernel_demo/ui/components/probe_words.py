"""What is said of the probe wherever it is offered."""

ABOUT = (
    "No better picture at hand? Send this noise, faint above and strong below, through the tool: "
    "it tells every filter that this page names. What comes back all black or white tells nothing."
)
DOWNLOAD = "Download a probe picture"
