"""Opens the web chat: ``python app.py [PATH ...] [--index DIR] [--host HOST] [--port PORT]``, and --help."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from index.errors import VerbatimError
from qa.web import serve


def main() -> None:
    """Serve the chat over the paths, else the index, else the documents that come with Verbatim."""
    parser = argparse.ArgumentParser(description="Ask documents questions, in the browser.")
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files and folders to ask")
    parser.add_argument("--index", type=Path, metavar="DIR", help="an index's folder")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=7860, help="the port to listen on (default: %(default)s)")
    parser.add_argument(
        "--password", action="store_true", help="ask for a password; or set VERBATIM_PASSWORD"
    )
    parser.add_argument("--no-auth", action="store_true", help="let everyone in who can reach the address")
    given = parser.parse_args()
    try:
        serve(
            given.paths,
            given.index,
            given.host,
            given.port,
            password=given.password,
            auth=not given.no_auth,
        )
    except VerbatimError as error:
        sys.exit(f"verbatim: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
