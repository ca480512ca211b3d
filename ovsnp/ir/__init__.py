"""What the passes of the compiler hand on to each other."""
