"""An ONNX network of your own as the classifier: written here with the package onnx, as a training framework would.

Usage: own_classifier.py PICTURE. It writes colours.onnx, which the commands take, too (`recv --classifier FILE`).
"""

import asyncio
import sys

import numpy as np
import onnx
import pnc_link
from onnx import TensorProto, helper, numpy_helper

#: Each class is the colour that its label names; a picture is of the class that its mean colour is most like.
CLASSES = {"red": (1, -0.5, -0.5), "green": (-0.5, 1, -0.5), "blue": (-0.5, -0.5, 1), "grey": (0, 0, 0)}


def write_network(path: str) -> None:
    """Write a network: [n, 3, 64, 64] float32 in, scores of the classes [n, 4] out."""
    weights = np.array(list(CLASSES.values()), np.float32).T
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["pictures"], ["mean"]),
            helper.make_node("Flatten", ["mean"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["scores"]),
        ],
        "colours",
        [helper.make_tensor_value_info("pictures", TensorProto.FLOAT, ["n", 3, 64, 64])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", len(CLASSES)])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    # The input is (x - mean) / std with x from 0 to 255; without these two it is ImageNet's mean and std.
    helper.set_model_props(model, {"labels": "\n".join(CLASSES), "pnc.mean": "0", "pnc.std": "32"})
    onnx.save_model(model, path)


async def main(file: str) -> None:
    write_network("colours.onnx")
    codec = pnc_link.load_codec()
    async with (
        pnc_link.virtual_boards() as (camera_board, edge_board),
        pnc_link.EdgeServer(edge_board, codec, pnc_link.load_classifier("colours.onnx")),
        pnc_link.Camera(camera_board, codec) as camera,
    ):
        await camera.connect()
        report = await camera.send_picture(file, deadline_ms=5000)
    for _index, label, probability in report.top:
        print(f"{probability:6.1%}  {pnc_link.printable(label)}")


try:
    asyncio.run(main(sys.argv[1]))
except pnc_link.PncError as error:
    sys.exit(pnc_link.printable(f"{error} ({error.reason})"))
