"""What builds a topology: each runtime in a module of its own."""
