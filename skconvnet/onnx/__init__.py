"""Export to ONNX: what `to_onnx` of the estimators writes, and skl2onnx.

Needs the packages onnx and skl2onnx, from the extra ``onnx``. Inside this folder,
``import onnx`` is the library of that name.
"""

from skconvnet.onnx.registration import register

__all__ = ["register"]
