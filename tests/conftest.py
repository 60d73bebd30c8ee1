"""What has to hold before any test module, and with it gradio or torch, is imported."""

import os
import tempfile

# Removed with everything in it when the interpreter ends.
_temporary = tempfile.TemporaryDirectory(prefix="kernel-demo-tests-", ignore_cleanup_errors=True)

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["GRADIO_TEMP_DIR"] = _temporary.name
# torch and the linear algebra below it read this once, at import; the figures in the tests are for
# two cores, and more threads than cores make every test slower.
os.environ.setdefault("OMP_NUM_THREADS", "2")
