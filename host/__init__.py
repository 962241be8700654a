"""The host programs: camera computer, edge server, and what they are made of."""

import os

# From 1.29 on onnxruntime reports usage unless it is told not to before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
