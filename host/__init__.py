"""The host programs: camera computer, edge server, and what they are made of."""

import os
import signal
import sys

# From release 1.29 on onnxruntime reports to its maker from Linux and macOS too, unless this is set before it is
# imported: https://github.com/microsoft/onnxruntime/pull/27379
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

# While `python -m` looks for a command, which imports this, argv begins so. Ctrl-C then ends it at once, without a
# traceback through its imports, until run_command can say a line.
if sys.argv[:1] == ["-m"] and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
