"""A typed registry of methods: one place to look a name up, with near-match suggestions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from truing.errors import TruingError, did_you_mean


class Named(Protocol):
    """What a registry can hold: anything with a name and other names."""

    @property
    def name(self) -> str: ...

    @property
    def aliases(self) -> tuple[str, ...]: ...


Entry = TypeVar("Entry", bound=Named)


@dataclass(frozen=True, slots=True)
class Paper:
    """The publication that a method comes from."""

    title: str
    year: int
    arxiv: str

    @property
    def url(self) -> str:
        return f"https://arxiv.org/abs/{self.arxiv}"

    def as_dict(self) -> dict[str, Any]:
        return {"title": self.title, "year": self.year, "arxiv": self.arxiv}


@dataclass
class Registry(Generic[Entry]):
    """Entries by name and alias. Names are case-insensitive; ``_`` and ``-`` are the same.

    Args:
        kind: what the entries are called in error messages, e.g. ``"objective"``.
        error: what is raised for an unknown name.
    """

    kind: str
    error: type[TruingError] = TruingError
    _entries: dict[str, Entry] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def _key(name: str) -> str:
        return name.strip().lower().replace("_", "-")

    def add(self, entry: Entry) -> Entry:
        """Register an entry.

        Raises:
            ValueError: if its name or one of its aliases is taken; the message names both parties.
        """
        for name in (entry.name, *entry.aliases):
            key = self._key(name)
            if key in self._names:
                raise ValueError(f"{self.kind} name {name!r} of {entry.name!r} is taken by {self._names[key]!r}")
        self._entries[entry.name] = entry
        for name in (entry.name, *entry.aliases):
            self._names[self._key(name)] = entry.name
        return entry

    def get(self, name: str, where: str | None = None) -> Entry:
        """Look an entry up by name or alias.

        Raises:
            TruingError: (or the registry's own ``error``) if the name is unknown; near matches are suggested.
        """
        key = self._key(name)
        if key not in self._names:
            raise self.error(
                f"unknown {self.kind} {name!r}",
                where=where,
                allowed=", ".join(sorted(self._entries)),
                fix=did_you_mean(key, self._names) or "`truing methods` lists every name",
            )
        return self._entries[self._names[key]]

    def __contains__(self, name: str) -> bool:
        return self._key(name) in self._names

    def __iter__(self) -> Iterator[Entry]:
        return iter(sorted(self._entries.values(), key=lambda entry: entry.name))

    def __len__(self) -> int:
        return len(self._entries)


def find(name: str, *registries: Registry[Any]) -> Any:
    """The entry of that name or alias, in the first of several registries that has it.

    Raises:
        TruingError: if none has it; near matches in all of them are suggested.
    """
    for registry in registries:
        if name in registry:
            return registry.get(name)
    known = [known for registry in registries for known in registry._names]
    raise TruingError(
        f"unknown method {name!r}",
        allowed=", ".join(sorted(entry.name for registry in registries for entry in registry)),
        fix=did_you_mean(Registry._key(name), known) or "`truing methods` lists every name",
    )
