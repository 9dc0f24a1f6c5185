"""By how much each likely mistake of an encoder moves the tiny models' logits: the tolerance of the test must stay below."""

import json

import torch
from make import HERE, has_types, load_model, run
from tiny import TINY
from transformers.activations import ACT2FN


def activation(name):
    def mutate(model, encodings):
        for module in model.modules():
            for attribute in ("intermediate_act_fn", "activation"):
                if hasattr(module, attribute):
                    setattr(module, attribute, ACT2FN[name])
        return model, encodings
    return mutate


def epsilon(value):
    def mutate(model, encodings):
        for module in model.modules():
            if isinstance(module, torch.nn.LayerNorm):
                module.eps = value
        return model, encodings
    return mutate


def no_types(model, encodings):
    return model, [{**encoding, "type_ids": [0] * len(encoding["ids"])} for encoding in encodings]


def shifted_positions(model, encodings):
    table = model.get_submodule(model.base_model_prefix).embeddings.position_embeddings.weight
    table.data = table.data.roll(1, dims=0)
    return model, encodings


def one_head(model, encodings):
    for module in model.modules():
        for attribute in ("scaling", "scale"):
            if isinstance(getattr(module, attribute, None), float):
                setattr(module, attribute, getattr(module, attribute) / 2)
    return model, encodings


def no_bias(suffix):
    def mutate(model, encodings):
        for name, tensor in model.named_parameters():
            if name.endswith(suffix):
                tensor.data.zero_()
        return model, encodings
    return mutate


MISTAKES = {
    "gelu (exact)": activation("gelu"), "gelu_new (tanh)": activation("gelu_new"), "relu": activation("relu"),
    "epsilon 1e-12": epsilon(1e-12), "epsilon 1e-5": epsilon(1e-5), "type ids 0": no_types,
    "positions off by one": shifted_positions, "scale of attention": one_head,
    "no key bias": no_bias(("key.bias", "k_lin.bias")), "no value bias": no_bias(("value.bias", "v_lin.bias")),
}
for tiny in TINY:
    folder = HERE / "../../tests/data/golden" / tiny.name
    rows = json.loads((folder / "goldens.json").read_text())["inputs"]
    encodings = [{"ids": row["ids"], "type_ids": row["type_ids"] or [0] * len(row["ids"])} for row in rows]
    print(tiny.name)
    for name, mutate in {"none": lambda model, encodings: (model, encodings), **MISTAKES}.items():
        torch.manual_seed(0)
        with torch.no_grad():
            outputs = run(*mutate(load_model(folder.resolve()), encodings))
        moved = max(
            abs(value - expected)
            for output, row in zip(outputs, rows)
            for values, key in ((output[0], "start_logits"), (output[1], "end_logits"))
            for value, expected in zip(values.tolist(), row[key])
        )
        print(f"  {name:24}{moved:.1e}")
