"""The files of a dataset on the Hugging Face Hub: each is a shard, streamed and never stored.

`datasets` says which files are a split's; they are then opened one at a time where they lie.
"""

from __future__ import annotations

import re

from kernel_demo.errors import DemoError

_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*", re.ASCII)
_PINNED = re.compile(r"hf://datasets/[^@]+@[0-9a-f]{40}/", re.ASCII)


def files(dataset_id: str, split: str) -> list[str]:
    """The addresses (hf://datasets/owner/name@commit/...) of the files of a split.

    DemoError: no such dataset or split, or `datasets` is not installed.
    """
    if not _ID.fullmatch(dataset_id):
        remedy = "Copy the name from the dataset's page, such as “timm/oxford-iiit-pet”."
        raise DemoError("a dataset's id, hub:owner/name", f"“{dataset_id[:60]}”", remedy)
    try:
        import datasets
    except ModuleNotFoundError:
        raise DemoError(
            "the package datasets for what lies on the Hub",
            "none installed",
            'Install it: pip install "kernel-demo[page]".',
        ) from None
    try:
        builder = datasets.load_dataset_builder(dataset_id)
    except ValueError as error:
        if "Config name is missing" not in str(error):
            raise _refused(dataset_id, error) from None
        parts = datasets.get_dataset_config_names(dataset_id)
        builder = datasets.load_dataset_builder(dataset_id, parts[0])
    except Exception as error:  # noqa: BLE001 - the client raises whatever its layers raise
        raise _refused(dataset_id, error) from None
    splits = {str(name): list(found) for name, found in (builder.config.data_files or {}).items()}
    if split not in splits:
        listed = ", ".join(splits) or "none"
        raise DemoError(
            f"a split of “{dataset_id}”, one of {listed}", f"“{split}”", "Choose one of them."
        )
    # A card may name any file or address: only what lies in the dataset counts.
    start = f"hf://datasets/{dataset_id}@"
    return [path for path in splits[split] if path.startswith(start) and ".." not in path]


def is_pinned(path: str) -> bool:
    """Whether an address names the commit, so that it stands for one content for ever."""
    return _PINNED.match(path) is not None


def _refused(dataset_id: str, error: Exception) -> DemoError:
    kinds = {kind.__name__ for kind in type(error).__mro__}
    unknown = kinds & {"RepositoryNotFoundError", "DatasetNotFoundError"}
    cause = "which the Hub does not know or does not show" if unknown else "which did not come"
    remedy = "Check the spelling: owner/name." if unknown else "Try again in a minute."
    return DemoError("a dataset with pictures on the Hub", f"“{dataset_id}”, {cause}", remedy)
