"""Sets of packets as products of dimensions.

A dimension is a list of elements, for example of sources, of destinations or of traffic. One element of each dimension
makes a packet, and a set of elements of each dimension makes a set of packets. A field of these packets is a number, or
a column: one number for each element of one dimension.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

Element = Mapping[str, int]
"""The fields that an element gives a packet."""

Sets = tuple[int, ...]
"""A set of packets: for each dimension the elements in the set, as bits, never 0."""


class Column(msgspec.Struct, frozen=True, eq=False):
    """A value for each element of one dimension; a space makes one object for equal columns."""

    dimension: int
    values: tuple[int, ...]


Value = int | Column


class MixedError(Exception):
    """A value would depend on two dimensions; the caller must first split the packets by the values of ``column``."""

    def __init__(self, column: Column) -> None:
        super().__init__()
        self.column = column


class Space:
    """The dimensions of one question, and the columns of the fields of its packets."""

    def __init__(self, *dimensions: Sequence[Element]) -> None:
        self.dimensions = dimensions
        self.everything: Sets = tuple((1 << len(elements)) - 1 for elements in dimensions)
        self._columns: dict[tuple[int, tuple[int, ...]], Column] = {}
        self._indexes: dict[tuple[Column, int], dict[int, int]] = {}
        self._same: dict[tuple[Column, Column], int] = {}
        self._written: dict[tuple[object, object, int, int], Value] = {}
        self._fields: dict[str, Value] = {}
        for number, elements in enumerate(dimensions):
            for base in dict.fromkeys(base for element in elements for base in element):
                self._fields[base] = self.column(number, tuple(element.get(base, 0) for element in elements))

    def fields(self) -> dict[str, Value]:
        """The fields that the elements give packets."""
        return dict(self._fields)

    def column(self, dimension: int, values: tuple[int, ...]) -> Value:
        """The column of these values; a number where all are the same."""
        if len(set(values)) == 1:
            return values[0]
        return self._columns.setdefault((dimension, values), Column(dimension, values))

    def index(self, column: Column, mask: int = -1) -> dict[int, int]:
        """The elements, as bits, by their value under a mask."""
        found = self._indexes.get((column, mask))
        if found is None:
            found = defaultdict(int)
            for position, value in enumerate(column.values):
                found[value & mask] |= 1 << position
            found = self._indexes[column, mask] = dict(found)
        return found

    def write(self, old: Value, new: Value, mask: int, shift: int = 0) -> Value:
        """``old`` with the bits of ``mask`` from ``new``, which is shifted left first (right where negative).

        Raises MixedError where these are columns of two dimensions.
        """
        if isinstance(old, int) and isinstance(new, int):
            return old & ~mask | _shift(new, shift) & mask
        key = old, new, mask, shift
        if key not in self._written:
            self._written[key] = self._combine(old, new, mask, shift)
        return self._written[key]

    def _combine(self, old: Value, new: Value, mask: int, shift: int) -> Value:
        columns = [each for each in (old, new) if isinstance(each, Column)]
        dimension = columns[0].dimension
        if any(each.dimension != dimension for each in columns):
            raise MixedError(columns[0])
        size = len(self.dimensions[dimension])
        before = old.values if isinstance(old, Column) else (old,) * size
        after = new.values if isinstance(new, Column) else (new,) * size
        return self.column(
            dimension, tuple(one & ~mask | _shift(two, shift) & mask for one, two in zip(before, after, strict=True))
        )

    def known(self, value: Value, sets: Sets) -> Value:
        """A column as a number, if these packets have one element of its dimension; else the value as it is."""
        if isinstance(value, Column):
            bits = sets[value.dimension]
            if not bits & (bits - 1):
                return value.values[bits.bit_length() - 1]
        return value

    def split(self, value: Value, sets: Sets) -> Iterator[tuple[int, Sets]]:
        """The packets in parts, one for each number that a value has for them."""
        if isinstance(value, int):
            yield value, sets
            return
        for number, bits in self.index(value).items():
            if met := sets[value.dimension] & bits:
                yield number, narrowed(sets, value.dimension, met)

    def equal(self, one: Value, two: Value, sets: Sets) -> Iterator[Sets]:
        """The packets for which two values are the same number."""
        if one is two or (isinstance(one, int) and one == two):
            yield sets
            return
        for number, part in self.split(one, sets):
            for other, both in self._at(two, number, part):
                if other == number:
                    yield both

    def differ(self, one: Value, two: Value, sets: Sets) -> Sets | None:
        """Some of the packets for which two values are not the same number; None if there are none."""
        if one is two or (isinstance(one, int) and isinstance(two, int)):
            return None if one == two else sets
        if isinstance(one, int) or isinstance(two, int) or one.dimension == two.dimension:
            dimension, alike = self._alike(one, two)
            bad = sets[dimension] & ~alike
            return narrowed(sets, dimension, bad) if bad else None
        parts = ((number, part) for number, part in self.split(one, sets))
        found = (self.differ(number, two, part) for number, part in parts)
        return next((each for each in found if each), None)

    def _alike(self, one: Value, two: Value) -> tuple[int, int]:
        """The one dimension of two values, of which one is a column, and the elements (bits) where both are equal."""
        match one, two:
            case (Column() as column, int(number)) | (int(number), Column() as column):
                return column.dimension, self.index(column).get(number, 0)
            case Column(), Column():
                if (one, two) not in self._same:
                    self._same[one, two] = bits(own == other for own, other in zip(one.values, two.values, strict=True))
                return one.dimension, self._same[one, two]
            case _:
                raise ValueError("two numbers have no dimension")

    def _at(self, value: Value, number: int, sets: Sets) -> Iterator[tuple[int, Sets]]:
        if isinstance(value, int):
            yield value, sets
        elif met := self.index(value).get(number, 0) & sets[value.dimension]:
            yield number, narrowed(sets, value.dimension, met)


def _shift(value: int, shift: int) -> int:
    return value << shift if shift >= 0 else value >> -shift


def narrowed(sets: Sets, dimension: int, bits: int) -> Sets:
    """The set with other elements of one dimension."""
    return (*sets[:dimension], bits, *sets[dimension + 1 :])


def meet(one: Sets, two: Sets) -> Sets | None:
    """The packets that are in both sets; None if there are none."""
    found = tuple(map(int.__and__, one, two))
    return found if all(found) else None


def is_within(one: Sets, other: Sets) -> bool:
    """Whether all packets of one product are in another."""
    return not any(here & ~there for here, there in zip(one, other, strict=True))


def minus(whole: Sets, part: Sets) -> Iterator[Sets]:
    """``whole`` without ``part``, in products that do not overlap."""
    left = list(whole)
    for dimension, bits in enumerate(part):
        if rest := left[dimension] & ~bits:
            yield (*left[:dimension], rest, *left[dimension + 1 :])
        left[dimension] &= bits
        if not left[dimension]:
            return


def without(wholes: Sequence[Sets], parts: Sequence[Sets]) -> list[Sets]:
    """The packets of ``wholes`` that are in none of ``parts``, as products."""
    left = list(wholes)
    for part in parts:
        left = [rest for whole in left for rest in (minus(whole, part) if meet(whole, part) else (whole,))]
    return left


def merged(products: Sequence[Sets]) -> list[Sets]:
    """The same packets in fewer products: products that differ in one dimension only become one."""
    found = list(dict.fromkeys(products))
    for dimension in range(len(found[0]) if found else 0):
        alike: dict[Sets, int] = defaultdict(int)
        for sets in found:
            alike[narrowed(sets, dimension, 1)] |= sets[dimension]
        found = [narrowed(sets, dimension, bits) for sets, bits in alike.items()]
    return found


def first(sets: Sets) -> Sets:
    """One packet of a set: with the first element that the set has in each dimension."""
    return tuple(bits & -bits for bits in sets)


def bits(found: Iterable[object]) -> int:
    """The positions of the items that are true, as bits."""
    return sum(1 << index for index, each in enumerate(found) if each)


def bits_of(number: int) -> Iterator[int]:
    """The positions of the bits of a number that are 1, lowest first."""
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest
