"""What one end may open to another at any port: ``ovsnp explain SRC DST``."""
