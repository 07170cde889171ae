"""Documents that go through as they are, many together: no object is made of one unless someone asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from greylag.core.records import Encoded, Undecoded

if TYPE_CHECKING:
    from collections.abc import Callable

    from greylag.core.records import NativePage


class Passing(Sequence[Encoded]):
    """Items whose bodies are `bodies`, byte for byte, with `size_bytes` that is a body's length."""

    __slots__ = ("_key_of", "bodies")

    def __init__(self, bodies: Sequence[bytes], key_of: Callable[[bytes], bytes]) -> None:
        """`key_of` gives the key of a body, as in `Encoded`. It never fails for these."""
        self.bodies = bodies
        self._key_of = key_of

    @property
    def keys(self) -> list[bytes]:
        """Of all of them, in their order."""
        return list(map(self._key_of, self.bodies))

    @property
    def size_bytes(self) -> int:
        """Of all of them."""
        return sum(map(len, self.bodies))

    def __len__(self) -> int:
        return len(self.bodies)

    @overload
    def __getitem__(self, place: int) -> Encoded: ...
    @overload
    def __getitem__(self, place: slice) -> Passing: ...
    def __getitem__(self, place: int | slice) -> Encoded | Passing:
        if isinstance(place, slice):
            return Passing(self.bodies[place], self._key_of)
        body = self.bodies[place]
        return Encoded(self._key_of(body), body, len(body))


class PassingRecords(Sequence[Undecoded]):
    """The records that `Passing` items were, in their order."""

    __slots__ = ("_bodies", "_page")

    def __init__(self, bodies: Sequence[bytes], page: NativePage) -> None:
        self._bodies = bodies
        self._page = page

    def __len__(self) -> int:
        return len(self._bodies)

    @overload
    def __getitem__(self, place: int) -> Undecoded: ...
    @overload
    def __getitem__(self, place: slice) -> PassingRecords: ...
    def __getitem__(self, place: int | slice) -> Undecoded | PassingRecords:
        if isinstance(place, slice):
            return PassingRecords(self._bodies[place], self._page)
        return Undecoded(self._bodies[place], self._page)
