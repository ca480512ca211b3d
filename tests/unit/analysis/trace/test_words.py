"""A trace has words for the tables that connections go through."""

from ovsnp.analysis.trace.words import WORDS
from ovsnp.pipeline.tables import TABLES

ANSWERING = {"AddressResolution", "NeighborAdvertisement"}


def test_every_table_that_connections_go_through_has_words() -> None:
    assert WORDS.keys() == {table.name for table in TABLES} - ANSWERING
