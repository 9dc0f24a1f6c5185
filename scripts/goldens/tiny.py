"""Tiny random models in the hub's layout: one for every architecture and storage that the encoder must read."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy
import torch
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    AlbertConfig,
    AlbertForQuestionAnswering,
    BertConfig,
    BertForQuestionAnswering,
    DebertaConfig,
    DebertaForQuestionAnswering,
    DebertaV2Config,
    DebertaV2ForQuestionAnswering,
    DistilBertConfig,
    DistilBertForQuestionAnswering,
    ElectraConfig,
    ElectraForQuestionAnswering,
    RobertaConfig,
    RobertaForQuestionAnswering,
)

from texts import CASED_WORDS, SUFFIXES, TINY_INPUTS, WORDS

PUNCTUATION = list(".,;:!?'\"()-—") + ["中", "国", "é"]
DIGITS, LOWER, UPPER = "0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def wordpiece(cased):
    """A WordPiece tokenizer as BERT has it: [PAD] is 0, [UNK] 1, [CLS] 2, [SEP] 3, [MASK] 4."""
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *PUNCTUATION, *DIGITS, *LOWER]
    pieces += list(UPPER) + CASED_WORDS if cased else []
    words = WORDS if not cased else WORDS[:60]
    pieces += ["##" + piece for piece in [*DIGITS, *LOWER, *SUFFIXES]] + words
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=not cased)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])],
    )
    tokenizer.decoder = decoders.WordPiece(prefix="##", cleanup=True)
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    return tokenizer


def byte_pairs():
    """A byte-level BPE tokenizer as RoBERTa has it: <s> is 0, <pad> 1, </s> 2, <unk> 3, <mask> 4; every byte is known."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True)
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        min_frequency=2,
        show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
    )
    corpus = [" ".join(WORDS[first:] + WORDS[:first]) for first in range(0, len(WORDS), 7)]
    tokenizer.train_from_iterator(corpus + [context for _, _, context in TINY_INPUTS], trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def unigram():
    """A Unigram tokenizer as DeBERTa v3 has it: [PAD] is 0, [CLS] 1, [SEP] 2, [UNK] 3; a word's piece begins with its space."""
    special = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
    words = ["▁" + word for word in WORDS]
    letters = ["▁", *PUNCTUATION, *DIGITS, *LOWER, *UPPER, *SUFFIXES]
    pieces = [(piece, 0.0) for piece in special]
    pieces += [(piece, -4.0 - 0.01 * rank) for rank, piece in enumerate(dict.fromkeys(words))]
    pieces += [(piece, -6.0 - 0.01 * rank) for rank, piece in enumerate(dict.fromkeys(letters))]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Strip(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(special)
    return tokenizer


TOKENIZERS = {"uncased": lambda: wordpiece(False), "cased": lambda: wordpiece(True), "bytes": byte_pairs, "unigram": unigram}


@dataclass
class Tiny:
    name: str
    model: type
    config: type
    options: dict
    tokenizer: str
    seed: int
    storage: str = "f32"  # f32, f16 or int8


SIZES = dict(hidden_size=32, num_attention_heads=4, intermediate_size=64)
TINY = [
    Tiny("bert", BertForQuestionAnswering, BertConfig,
         dict(SIZES, num_hidden_layers=2, max_position_embeddings=96, hidden_act="gelu"), "uncased", 11),
    # A large epsilon, so that an encoder which ignores the configuration's is caught.
    Tiny("bert-cased-f16", BertForQuestionAnswering, BertConfig,
         dict(SIZES, num_hidden_layers=3, max_position_embeddings=80, hidden_act="gelu_new", layer_norm_eps=1e-2), "cased", 12, "f16"),
    Tiny("distilbert", DistilBertForQuestionAnswering, DistilBertConfig,
         dict(dim=32, n_heads=4, hidden_dim=64, n_layers=3, max_position_embeddings=96), "uncased", 13),
    # Two positions more than tokens: positions start at pad_token_id + 1.
    Tiny("roberta", RobertaForQuestionAnswering, RobertaConfig,
         dict(SIZES, num_hidden_layers=2, max_position_embeddings=98, type_vocab_size=1, layer_norm_eps=1e-5,
              pad_token_id=1, bos_token_id=0, eos_token_id=2), "bytes", 14),
    Tiny("electra", ElectraForQuestionAnswering, ElectraConfig,
         dict(SIZES, embedding_size=16, num_hidden_layers=2, max_position_embeddings=96), "uncased", 15),
    Tiny("bert-int8", BertForQuestionAnswering, BertConfig,
         dict(SIZES, num_hidden_layers=2, max_position_embeddings=96, hidden_act="gelu"), "uncased", 11, "int8"),
    # Those that only libtorch runs. Two groups of layers, each used twice.
    Tiny("albert", AlbertForQuestionAnswering, AlbertConfig,
         dict(SIZES, embedding_size=16, num_hidden_layers=4, num_hidden_groups=2, inner_group_num=1, max_position_embeddings=96,
              hidden_act="gelu_new"), "uncased", 16),
    # Fewer relative positions than tokens.
    Tiny("deberta", DebertaForQuestionAnswering, DebertaConfig,
         dict(SIZES, num_hidden_layers=2, max_position_embeddings=96, type_vocab_size=0, relative_attention=True, max_relative_positions=24,
              pos_att_type=["c2p", "p2c"], position_biased_input=False, layer_norm_eps=1e-7), "uncased", 17),
    # As DeBERTa v3: distances in buckets of a logarithm, keys shared between words and positions.
    Tiny("deberta-v2", DebertaV2ForQuestionAnswering, DebertaV2Config,
         dict(SIZES, num_hidden_layers=2, max_position_embeddings=96, type_vocab_size=0, relative_attention=True, max_relative_positions=-1,
              position_buckets=16, norm_rel_ebd="layer_norm", share_att_key=True, pos_att_type=["p2c", "c2p"], position_biased_input=False,
              layer_norm_eps=1e-7), "unigram", 18),
    # As DeBERTa v2 xlarge, with a convolution, and with what else its configuration can ask for.
    Tiny("deberta-v2-conv", DebertaV2ForQuestionAnswering, DebertaV2Config,
         dict(SIZES, num_hidden_layers=2, max_position_embeddings=96, type_vocab_size=2, relative_attention=True, max_relative_positions=40,
              position_buckets=0, share_att_key=False, pos_att_type=["p2c", "c2p"], position_biased_input=True, conv_kernel_size=3,
              conv_act="gelu", layer_norm_eps=1e-5), "uncased", 19),
]


def random_weights(model, seed):
    """Weights large enough that a mistake shows: matrices N(0, 0.3), the feed-forward and the head more, norms near 1."""
    random = numpy.random.Generator(numpy.random.PCG64(seed))
    weights = {}
    for name, tensor in sorted(model.state_dict().items()):
        if not tensor.is_floating_point():
            continue
        deviation, mean = 0.3, 0.0
        if "LayerNorm.weight" in name or "layer_norm.weight" in name:
            deviation, mean = 0.25, 1.0
        elif "intermediate" in name or "lin1" in name:
            deviation = 0.5
        elif name.startswith("qa_outputs"):
            deviation = 1.0
        values = mean + deviation * random.standard_normal(tuple(tensor.shape), dtype=numpy.float32)
        weights[name] = torch.from_numpy(values.astype(numpy.float32))
    return weights


def quantise(weights):
    """The int8 layout: a matrix X [out, in] as I8 with X_scale F32 [out]; the head and vectors stay F32."""
    stored = {}
    for name, tensor in weights.items():
        if tensor.ndim != 2 or name.startswith("qa_outputs"):
            stored[name] = tensor
            continue
        scale = tensor.abs().amax(dim=1) / 127.0
        scale[scale == 0] = 1.0
        stored[name] = torch.round(tensor / scale[:, None]).clamp(-127, 127).to(torch.int8)
        stored[name + "_scale"] = scale
    return stored


def dequantise(stored):
    """Every stored tensor as F32, I8 rows times their scales; integer tensors without a scale (position ids) are dropped."""
    weights = {}
    for name, tensor in stored.items():
        if name.endswith("_scale") and name.removesuffix("_scale") in stored:
            continue
        if tensor.dtype == torch.int8:
            weights[name] = tensor.float() * stored[name + "_scale"].float()[:, None]
        elif tensor.is_floating_point():
            weights[name] = tensor.float()
    return weights


def write_tiny(tiny, folder: Path):
    """Writes config.json, tokenizer.json and model.safetensors; returns the tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = TOKENIZERS[tiny.tokenizer]()
    config = tiny.config(vocab_size=tokenizer.get_vocab_size(), **tiny.options)
    config.architectures = [tiny.model.__name__]
    model = tiny.model(config)
    stored = random_weights(model, tiny.seed)
    if tiny.storage == "f16":
        stored = {name: tensor.half() for name, tensor in stored.items()}
        # What older hub models carry besides their weights; a loader has to pass over it.
        stored["bert.embeddings.position_ids"] = torch.arange(config.max_position_embeddings)[None, :]
        stored["bert.pooler.dense.weight"] = torch.zeros(config.hidden_size, config.hidden_size).half()
        stored["bert.pooler.dense.bias"] = torch.zeros(config.hidden_size).half()
        config.dtype = "float16"
    elif tiny.storage == "int8":
        stored = quantise(stored)
    save_file(stored, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)
    (folder / "config.json").write_text(json.dumps(json.loads(config.to_json_string(use_diff=False)), indent=1, sort_keys=True) + "\n")
    text = json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":"))
    (folder / "tokenizer.json").write_text(text + "\n", encoding="utf-8")
