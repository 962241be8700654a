"""The host programs: camera computer, edge server, and what they are made of."""

import os

# From release 1.29 on onnxruntime reports to its maker from Linux and macOS too, unless this is set before it is
# imported: https://github.com/microsoft/onnxruntime/pull/27379
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
