"""Writes the embedded reader, dequantised, in the form that each peer wants."""

import hashlib
import json
import logging
import shutil
import warnings
from pathlib import Path

import ctranslate2
import nncf
import numpy as np
import openvino
import torch
import transformers
from onnxruntime.quantization import QuantType, quantize_dynamic

from hub import write_hub
from windows import READER, Text, Window, calibration

HERE = Path(__file__).resolve().parent
INPUTS = ["ids", "mask", "segments"]


def fresh(models: Path) -> bool:
    """Whether `models` holds what would be written now."""
    made = models / "made.json"
    return made.exists() and made.read_text(encoding="utf-8") == _made_of()


def export(models: Path) -> None:
    print(f"Exporting the reader to {models} (half a minute).", flush=True)
    logging.disable(logging.WARNING)  # The libraries are talkative.
    transformers.utils.logging.disable_progress_bar()
    shutil.rmtree(models, ignore_errors=True)
    models.mkdir(parents=True)
    hub = models / "transformers"
    write_hub(hub)
    onnx = models / "onnxruntime-f32.onnx"
    _write_onnx(hub, onnx)
    # ONNX Runtime's own fusions for BERT (onnxruntime.transformers.optimizer) are left out: slower in int8.
    quantize_dynamic(onnx, models / "onnxruntime-int8.onnx", weight_type=QuantType.QInt8, per_channel=True)
    _write_openvino(onnx, models)
    ctranslate2.converters.TransformersConverter(str(hub)).convert(str(models / "ctranslate2"), quantization="int8")
    (models / "made.json").write_text(_made_of(), encoding="utf-8")


def _made_of() -> str:
    own = [HERE / name for name in ("requirements.txt", "export.py", "hub.py", "windows.py")]
    files = [READER / "model.safetensors", *own]
    return json.dumps({file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files})


class _Logits(torch.nn.Module):
    """Plain tensors in and out, in the order of INPUTS."""

    def __init__(self, model: transformers.BertForQuestionAnswering) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, segments: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        output = self.model(input_ids=ids, attention_mask=mask, token_type_ids=segments)
        return output.start_logits, output.end_logits


def _write_onnx(hub: Path, file: Path) -> None:
    # "eager" spells attention out in products and a softmax: ONNX Runtime and OpenVINO run that faster.
    model = transformers.BertForQuestionAnswering.from_pretrained(hub, attn_implementation="eager").eval()
    names = [*INPUTS, "start", "end"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # That this exporter is the older one; the newer one needs a package more.
        torch.onnx.export(
            _Logits(model),
            (torch.ones(2, 16, dtype=torch.long),) * 3,
            file,
            input_names=INPUTS,
            output_names=names[3:],
            dynamic_axes={name: {0: "batch", 1: "tokens"} for name in names},
            opset_version=17,
            dynamo=False,
        )


def _write_openvino(onnx: Path, models: Path) -> None:
    model = openvino.Core().read_model(onnx)
    openvino.save_model(model, models / "openvino-f32.xml", compress_to_fp16=False)

    def alone(window: Window) -> dict[str, np.ndarray]:
        ids, segments = (np.array([window[key]], dtype=np.int64) for key in ("ids", "segments"))
        return {"ids": ids, "mask": np.ones_like(ids), "segments": segments}

    windows = [alone(window) for window in calibration(Text())]
    quantised = nncf.quantize(
        model, nncf.Dataset(windows), model_type=nncf.ModelType.TRANSFORMER, subset_size=len(windows)
    )
    openvino.save_model(quantised, models / "openvino-int8.xml", compress_to_fp16=False)
