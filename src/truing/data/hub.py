"""Data sets of the Hugging Face hub, with errors that say what to do."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from urllib.request import getproxies

from truing.errors import DataError, did_you_mean

_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")


def could_be_hub_name(source: str) -> bool:
    """Whether ``source`` has the form of a data set's name, ``owner/name`` or ``name``."""
    return _NAME.fullmatch(source) is not None and not source.startswith(".")


def load_hub(source: str, name: str | None, split: str | None, streaming: bool) -> Any:
    """One split of a data set of the hub, without running code from it.

    Args:
        source: ``owner/name``.
        name: configuration, where there are several.
        split: split or slice, as ``datasets`` takes it; may be left out where there is one only.
        streaming: read rows as they are needed.

    Returns:
        A ``datasets.Dataset`` or ``IterableDataset``.

    Raises:
        DataError: if it cannot be had; the message tells offline, unknown, private and broken apart.
    """
    from datasets import load_dataset

    if not (_is_cached(source) or _is_reachable()):
        raise _offline(source, "its host name is not known here")
    try:
        found = load_dataset(source, name=name, split=split, streaming=streaming)
    except Exception as error:  # the library raises a dozen types, from its own to those of its HTTP client
        raise _explained(source, error) from None
    return one_split(found, source)


def hub_splits(source: str, name: str | None) -> list[str]:
    """Names of the splits of a hub data set; empty if they cannot be had."""
    from datasets import get_dataset_split_names

    if not (_is_cached(source) or _is_reachable()):
        return []
    try:
        return [str(split) for split in get_dataset_split_names(source, config_name=name)]
    except Exception:  # whatever is wrong is explained when the data is read
        return []


def one_split(found: Any, source: str) -> Any:
    """The only split of a dictionary of splits; anything else as it is.

    Raises:
        DataError: if there are several.
    """
    if not isinstance(found, dict):
        return found
    names = [str(name) for name in found]
    if len(names) == 1:
        return next(iter(found.values()))
    if not names:
        raise DataError("the data set is empty: it has no splits", where=source)
    raise DataError(
        "the data set has several splits",
        where=source,
        allowed=", ".join(names),
        fix=f"data.split: {'train' if 'train' in names else names[0]}",
    )


def _is_cached(source: str) -> bool:
    """Whether the hub's cache on this machine holds something of that name."""
    from datasets import config

    return (Path(config.HF_DATASETS_CACHE) / source.replace("/", "___")).exists()


def _is_reachable() -> bool:
    """Whether asking the hub could work; the library itself tries for half a minute before it gives up."""
    from huggingface_hub import constants

    host = urlparse(constants.ENDPOINT).hostname
    if getproxies() or host is None:
        return True
    try:
        socket.getaddrinfo(host, None)
    except OSError:
        return False
    return True


def _offline(source: str, reason: str) -> DataError:
    return DataError(
        f"{source!r} is not a file here, and the hub cannot be reached",
        where=f"data.path ({reason})",
        fix="give a path to a local file; or go online once, after which the hub's cache has the data",
    )


def _explained(source: str, error: Exception) -> DataError:
    text = str(error).strip()
    first = text.splitlines()[0][:300] if text else type(error).__name__
    kind = type(error).__name__
    if "ConnectionError" in kind or "Offline" in kind or "offline" in text.lower() or "Timeout" in kind:
        return _offline(source, first)
    if "gated" in text.lower() or "401" in text or "403" in text:
        return DataError(
            f"the data set {source!r} is private or gated",
            where=f"data.path ({first})",
            fix="accept its terms on the hub and log in with `hf auth login`",
        )
    if "NotFound" in kind or isinstance(error, FileNotFoundError):
        return DataError(
            f"{source!r} is neither a file or folder here nor a data set of the hub",
            where=f"data.path ({first})",
            fix="check the spelling",
        )
    if "script" in text.lower() or "trust_remote_code" in text:
        return DataError(
            f"the data set {source!r} needs code of its own to be read, which is never run",
            where=f"data.path ({first})",
            fix="use its Parquet conversion, or download its files and give their path",
        )
    if "split" in text.lower() or "config" in text.lower():
        return DataError(
            f"the data set {source!r} has no such split or configuration",
            where=f"data.split, data.name ({first})",
            fix=did_you_mean(source, []) or "the message in brackets lists what there is",
        )
    return DataError(
        f"the data set {source!r} cannot be loaded: {kind}: {first}",
        where="data.path",
        fix="download its files and give their path",
    )
