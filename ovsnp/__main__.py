"""``python -m ovsnp``."""

from ovsnp.cli import main

if __name__ == "__main__":
    main()
