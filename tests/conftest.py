"""What has to hold before any test module, and with it gradio or torch, is imported."""

import os
import tempfile
from collections import Counter

# Removed with everything in it when the interpreter ends.
_temporary = tempfile.TemporaryDirectory(prefix="kernel-demo-tests-", ignore_cleanup_errors=True)

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["GRADIO_TEMP_DIR"] = _temporary.name
# torch and the linear algebra below it read this once, at import. Two cores are what the tests are
# for, shared by two workers or all for one: threads that wait for a core wait for each other, too.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"
else:
    os.environ.setdefault("OMP_NUM_THREADS", "2")


def pytest_collection_modifyitems(items):
    """Of the cases of a test marked `sweep(n)`, every n-th is quick and the others are slow."""
    seen = Counter()
    for item in items:
        if mark := item.get_closest_marker("sweep"):
            of = (item.path, item.originalname)
            if seen[of] % mark.args[0]:
                item.add_marker("slow")
            seen[of] += 1
