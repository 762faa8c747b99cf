"""What is due at the end of a time that begins with an hour, such as retention: gathered by hour, settled in order."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush


class Dues:
    """Entries by hour. ``groups`` maps an hour to the index of its first entry and how many there are."""

    __slots__ = ("_hours", "groups")

    def __init__(self, groups: dict[int, tuple[int, int]] | None = None) -> None:
        self.groups: dict[int, tuple[int, int]] = groups if groups is not None else {}
        self._hours = list(self.groups)
        heapify(self._hours)

    def add(self, hour: int, index: int) -> None:
        """Take an entry."""
        group = self.groups.get(hour)
        if group is None:
            self.groups[hour] = (index, 1)
            heappush(self._hours, hour)
        else:
            self.groups[hour] = (group[0], group[1] + 1)

    def until(self, hour: int) -> Iterator[tuple[int, int, int]]:
        """Take out the groups of hours before that one: (hour, first index, how many)."""
        while self._hours and self._hours[0] < hour:
            first = heappop(self._hours)
            index, number = self.groups.pop(first)
            yield first, index, number

    def before(self, hour: int) -> Iterator[tuple[int, int, int]]:
        """The same, and leave them."""
        return ((each, *self.groups[each]) for each in sorted(self._hours) if each < hour)
