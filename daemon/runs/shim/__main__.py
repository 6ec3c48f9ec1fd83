"""Where the shim starts: `python -I -S -X utf8 <this file> <channel fd> <lock fd> <run dir>`, without site-packages."""

import os
import sys

# Behind the standard library: only the packages of this program are to be found there.
sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))))

from daemon.runs.shim.main import main

if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
