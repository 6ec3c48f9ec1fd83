"""Where the hook starts: `python -I -S -X utf8 <this file> <runtime directory> <run id> <patience in seconds>`."""

import os
import sys

# Behind the standard library: only the packages of this program are to be found there.
sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from ipc.hook.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
