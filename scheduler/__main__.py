"""``python -m scheduler`` is the command `warta`."""

from scheduler.cli.main import main

if __name__ == "__main__":
    main()
