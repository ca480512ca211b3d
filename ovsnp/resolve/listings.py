"""Which peer sets list an address."""

from collections.abc import Iterable

from ovsnp.model.address import Address


class Listings:
    """The names of the peer sets that list each address, for each pod that has the address: in most cases one pod.

    Two pods have one address only while it moves from one pod to the other.
    """

    def __init__(self) -> None:
        self._listed: dict[Address, tuple[frozenset[str], ...]] = {}
        self._touched: set[Address] = set()

    def add(self, addresses: Iterable[Address], names: frozenset[str]) -> None:
        """Add the addresses of a pod to these sets."""
        for address in addresses:
            self._listed[address] = (*self._listed.get(address, ()), names)
            self._touched.add(address)

    def remove(self, addresses: Iterable[Address], names: frozenset[str]) -> None:
        """Remove the addresses of a pod from these sets."""
        for address in addresses:
            left = list(self._listed.pop(address))
            left.remove(names)
            if left:
                self._listed[address] = tuple(left)
            self._touched.add(address)

    def take_changes(self) -> dict[Address, frozenset[str]]:
        """The addresses that were added or removed since the last call, with the sets that list them now."""
        touched, self._touched = self._touched, set()
        return {address: frozenset[str]().union(*self._listed.get(address, ())) for address in touched}
