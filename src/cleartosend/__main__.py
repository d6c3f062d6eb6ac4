"""`cleartosend`, the command."""

from cleartosend.cli import main

if __name__ == "__main__":
    main()
