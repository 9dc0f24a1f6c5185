"""Tiny random models that write, in the hub's layout, with what transformers writes with them. See README.md."""

import argparse
import json
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    PegasusConfig,
    PegasusForConditionalGeneration,
    T5Config,
    T5ForConditionalGeneration,
)

from texts import TINY_INPUTS, WORDS
from tiny import DIGITS, LOWER, PUNCTUATION, UPPER, byte_pairs

HERE = Path(__file__).resolve().parent
INSTRUCTION = "summarize: "
# What a model's files ask for, as maxima and minima of all tokens; `ask` has to find the same numbers of new ones.
OWN = dict(max_length=20, min_length=7, num_beams=3, no_repeat_ngram_size=3, length_penalty=0.8, early_stopping=True)
SEARCHES = [
    dict(num_beams=1, max_new_tokens=24),
    dict(num_beams=1, max_new_tokens=24, min_new_tokens=12, no_repeat_ngram_size=2),
    dict(num_beams=4, max_new_tokens=24),
    dict(num_beams=4, max_new_tokens=16, early_stopping=True, length_penalty=2.0, min_new_tokens=6, no_repeat_ngram_size=3),
    dict(num_beams=3, max_new_tokens=30, length_penalty=-1.0, no_repeat_ngram_size=1),
]


def unigram():
    """A Unigram tokenizer as T5 and Pegasus have it: <pad> is 0, </s> 1, <unk> 2; a word's piece begins with its space."""
    special = ["<pad>", "</s>", "<unk>"]
    pieces = [(piece, 0.0) for piece in special]
    words = dict.fromkeys(["▁summarize", *("▁" + word for word in WORDS[:120])])
    pieces += [(piece, -4.0 - 0.01 * rank) for rank, piece in enumerate(words)]
    letters = dict.fromkeys(["▁", *PUNCTUATION, *DIGITS, *LOWER, *UPPER])
    pieces += [(piece, -6.0 - 0.01 * rank) for rank, piece in enumerate(letters)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(special)
    return tokenizer


SIDES = dict(encoder_layers=2, decoder_layers=2, encoder_attention_heads=2, decoder_attention_heads=4, encoder_ffn_dim=24, decoder_ffn_dim=20)
T5 = dict(d_model=16, d_kv=6, d_ff=24, num_layers=2, num_heads=2, decoder_start_token_id=0,
          # Few and near, so that texts of this length are in buckets of every kind.
          relative_attention_num_buckets=8, relative_attention_max_distance=20)
WRITERS = [
    ("bart", BartForConditionalGeneration, BartConfig, byte_pairs, "", 41,
     dict(SIDES, d_model=16, max_position_embeddings=256, pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=2,
          forced_bos_token_id=0, forced_eos_token_id=2)),
    ("pegasus", PegasusForConditionalGeneration, PegasusConfig, unigram, "", 42,
     dict(SIDES, d_model=16, max_position_embeddings=256, scale_embedding=True, activation_function="relu", pad_token_id=0, eos_token_id=1,
          decoder_start_token_id=0, forced_eos_token_id=1)),
    ("t5", T5ForConditionalGeneration, T5Config, unigram, INSTRUCTION, 43, T5),
    ("t5-gated", T5ForConditionalGeneration, T5Config, unigram, INSTRUCTION, 47,
     dict(T5, feed_forward_proj="gated-gelu", tie_word_embeddings=False, layer_norm_epsilon=1e-3)),
]


def randomise(model):
    """Weights so large that the choice of a token depends on everything that a model does."""
    end = model.config.eos_token_id
    with torch.no_grad():
        for name, tensor in sorted(model.state_dict().items()):
            if "embed_positions" in name and model.config.model_type == "pegasus":
                continue
            if "norm" in name and name.endswith("weight"):
                tensor.copy_(1 + 0.2 * torch.randn(tensor.shape))
            elif any(part in name for part in ("shared", "embed_tokens", "lm_head", "relative_attention_bias")):
                tensor.copy_(torch.randn(tensor.shape))
            elif "bias" in name:
                tensor.copy_(0.2 * torch.randn(tensor.shape))
            else:
                tensor.copy_(0.4 * torch.randn(tensor.shape))
        # A longer vector for the end of a text makes it now the likeliest token, now the least likely one.
        model.tie_weights()
        model.get_output_embeddings().weight[end] *= 4


def make(name, kind, config, tokenizer, instruction, seed, options, out):
    folder = out / "writers" / name
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = tokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(seed)
    config = config(vocab_size=tokenizer.get_vocab_size() + 3, **options)
    model = kind(config).eval()
    randomise(model)
    double = kind(config).eval().double()
    double.load_state_dict({key: value.double() for key, value in model.state_dict().items()})
    cases = []
    early = 0
    for _, _, context in TINY_INPUTS[:4]:
        ids = tokenizer.encode(instruction + context).ids
        for search in [*SEARCHES, OWN]:
            written = [m.generate(torch.tensor([ids]), do_sample=False, **search)[0].tolist() for m in (model, double)]
            if written[0] != written[1]:
                raise SystemExit(f"{name}: rounding decides {search}; take another seed")
            most = search.get("max_new_tokens", OWN["max_length"] - 1)
            early += len(written[0]) - 1 < most
            case = {"text": context, "ids": ids, "written": written[0], "words": tokenizer.decode(written[0], skip_special_tokens=True)}
            cases.append(case if search is OWN else {**case, "search": search})
    if not 0 < early < len(cases):
        raise SystemExit(f"{name}: {early} of {len(cases)} end early; take another seed")
    model.save_pretrained(folder)
    settings = json.loads((folder / "config.json").read_text())
    if instruction:
        settings["task_specific_params"] = {"summarization": {"prefix": instruction, **OWN}}
    else:
        generation = json.loads((folder / "generation_config.json").read_text())
        (folder / "generation_config.json").write_text(json.dumps({**generation, **OWN}, indent=1) + "\n")
    (folder / "config.json").write_text(json.dumps(settings, indent=1) + "\n")
    rows = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    (folder / "goldens.json").write_text(f"[\n{rows}\n]\n")
    print(f"{name}: {early} of {len(cases)} end early, {sum(p.numel() for p in model.parameters())} weights")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE / "../../tests/data/golden", help="where the goldens go")
    parser.add_argument("--only", choices=[writer[0] for writer in WRITERS], help="make one of them")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for writer in WRITERS:
        if arguments.only in (None, writer[0]):
            make(*writer, arguments.out)


if __name__ == "__main__":
    main()
