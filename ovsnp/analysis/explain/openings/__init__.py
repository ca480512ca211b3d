"""The ports at which one end may connect to another: ``ovsnp explain SRC DST``."""
