"""The intermediate representations that the passes of the compiler hand on."""
