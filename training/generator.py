"""The question generator: a small language model that writes answers and questions behind a passage.

    PASSAGE
    <blank line>
    Answer: the words of the passage, or none
    Question: ...
    Answer: ...
"""
import math
from pathlib import Path

import torch
from torch.nn import functional as F

NONE = "none"  # the "answer" of a question that the passage does not answer
PASSAGE_TOKENS = 420


def load(directory):
    """(model of transformers, tokenizer) of a directory that holds a GGUF file or what `save_pretrained` wrote."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    gguf = {"gguf_file": "model.gguf"} if (Path(directory) / "model.gguf").exists() else {}
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32, **gguf)
    if gguf:  # a plain model of the same weights: the library saves none that it has read from GGUF
        plain = type(model)(type(model.config)(**{key: value for key, value in model.config.to_dict().items() if key != "quantization_config"}))
        plain.load_state_dict(model.state_dict())
        plain.tie_weights()
        model = plain
    return model, AutoTokenizer.from_pretrained(directory, **gguf)


def prompt(tokenizer, passage):
    return tokenizer.encode(passage.strip(), add_special_tokens=False)[:PASSAGE_TOKENS] + tokenizer.encode("\n\nAnswer:", add_special_tokens=False)


def asked(tokenizer, answer, question):
    """The tokens between one "Answer:" and the end of its question's line."""
    return tokenizer.encode(f" {answer.strip()}\nQuestion: {' '.join(question.split())}\n", add_special_tokens=False)


def parse(text):
    """(answer, question) of what was written behind "Answer:", or None."""
    answer, found, question = text.partition("\nQuestion:")
    answer, question = answer.strip(), question.partition("\n")[0].strip()
    return (answer, question) if found and answer and question.endswith("?") else None


class Decoder:
    """Samples from a Llama of transformers, many continuations of many prompts at once, its keys and values in one block.

    A step of the library copies and repeats all keys and values; here each is read once. tests.py compares the logits.
    """

    def __init__(self, model, dtype=torch.bfloat16):
        config = model.config
        self.heads, self.groups = config.num_attention_heads, config.num_key_value_heads
        self.size, self.eps = config.hidden_size // self.heads, config.rms_norm_eps
        theta = getattr(config, "rope_theta", None) or config.rope_parameters["rope_theta"]
        self.device = model.device
        self.frequencies = theta ** (-torch.arange(0, self.size, 2, device=self.device, dtype=torch.float32) / self.size)
        self.embedding = model.model.embed_tokens.weight.to(dtype)
        self.norm, self.head = model.model.norm.weight.to(dtype), model.lm_head.weight.to(dtype)
        part = lambda module: module.weight.to(dtype)
        self.layers = [
            (part(layer.input_layernorm), torch.cat([part(layer.self_attn.q_proj), part(layer.self_attn.k_proj), part(layer.self_attn.v_proj)]), part(layer.self_attn.o_proj),
             part(layer.post_attention_layernorm), torch.cat([part(layer.mlp.gate_proj), part(layer.mlp.up_proj)]), part(layer.mlp.down_proj))
            for layer in model.model.layers
        ]  # fmt: skip

    def forward(self, tokens, positions, cache, at, mask):
        """tokens [B, T] at `positions` [B, T], written to cache[:, :, B, :, at : at + T]; mask [B, 1, T, at + T] of what is seen.
        Returns the last token's logits [B, V]."""
        rows, count = tokens.shape
        x = self.embedding[tokens]
        angles = positions[:, None, :, None] * self.frequencies
        cosine, sine = (torch.cat([f(angles)] * 2, -1).to(x.dtype) for f in (torch.cos, torch.sin))
        turn = lambda y: y * cosine + torch.cat([-y[..., self.size // 2 :], y[..., : self.size // 2]], -1) * sine
        for number, (norm, qkv, out, norm2, gate_up, down) in enumerate(self.layers):
            y = F.linear(F.rms_norm(x, norm.shape, norm, self.eps), qkv).view(rows, count, -1, self.size).transpose(1, 2)
            q, k, v = y.split([self.heads, self.groups, self.groups], 1)
            cache[number, 0, :rows, :, at : at + count], cache[number, 1, :rows, :, at : at + count] = turn(k), v
            keys, values = cache[number, 0, :rows, :, : at + count], cache[number, 1, :rows, :, : at + count]
            if count == 1:  # the heads of a group as the rows of one product
                q = turn(q).view(rows, self.groups, -1, self.size)
                weights = (q @ keys.transpose(-1, -2) / math.sqrt(self.size)).masked_fill(~mask, -1e4)
                mixed = (weights.float().softmax(-1).to(q.dtype) @ values).view(rows, self.heads, 1, self.size)
            else:
                each = self.heads // self.groups
                mixed = F.scaled_dot_product_attention(turn(q), keys.repeat_interleave(each, 1), values.repeat_interleave(each, 1), attn_mask=mask)
            x = x + F.linear(mixed.transpose(1, 2).flatten(2), out)
            gate, up = F.linear(F.rms_norm(x, norm2.shape, norm2, self.eps), gate_up).chunk(2, -1)
            x = x + F.linear(F.silu(gate) * up, down)
        return F.linear(F.rms_norm(x[:, -1], self.norm.shape, self.norm, self.eps), self.head).float()

    @torch.inference_mode()
    def sample(self, prompts, forced, steps, stop, temperature, top_k):
        """`forced`: for each prompt, a list of samples' first tokens (a list each, empty where all is sampled), as many for every prompt.
        Returns [prompts][samples] of token lists, each up to `stop` (the token that ends a question) or `steps`."""
        each, longest = len(forced[0]), max(len(p) for p in prompts)
        rows = len(prompts) * each
        tokens = torch.zeros(len(prompts), longest, dtype=torch.long)
        seen = torch.zeros(len(prompts), longest + steps, dtype=torch.bool)
        for row, p in enumerate(prompts):  # padded on the left
            tokens[row, longest - len(p) :] = torch.tensor(p)
            seen[row, longest - len(p) :] = True
        first = torch.full((rows, steps), -1)
        for row, given in enumerate(g for gs in forced for g in gs):
            first[row, : min(len(given), steps)] = torch.tensor(given[:steps])
        tokens, seen, first = tokens.to(self.device), seen.to(self.device), first.to(self.device)
        positions = (seen[:, :longest].cumsum(1) - 1).clamp(min=0)
        causal = torch.ones(longest, longest, dtype=torch.bool, device=self.device).tril()
        mask = causal & seen[:, None, None, :longest] | torch.eye(longest, dtype=torch.bool, device=self.device)
        shape = lambda batch, size: (len(self.layers), 2, batch, self.groups, size, self.size)
        read = torch.empty(shape(len(prompts), longest), dtype=self.embedding.dtype, device=self.device)
        logits = self.forward(tokens, positions, read, 0, mask).repeat_interleave(each, 0)
        cache = torch.empty(shape(rows, longest + steps), dtype=read.dtype, device=self.device)
        cache[..., :longest, :] = read.repeat_interleave(each, 2)
        del read
        seen, at = seen.repeat_interleave(each, 0), positions[:, -1].repeat_interleave(each)
        written = torch.full((rows, steps), stop, device=self.device)
        ended = torch.zeros(rows, dtype=torch.bool, device=self.device)
        lines = torch.zeros(rows, dtype=torch.long, device=self.device)
        for step in range(steps):
            best, which = logits.topk(top_k)
            drawn = which.gather(1, torch.multinomial((best / temperature).softmax(-1), 1))[:, 0]
            token = torch.where(first[:, step] >= 0, first[:, step], drawn)
            token = torch.where(ended, stop, token)
            written[:, step] = token
            lines += token == stop
            ended = lines >= 2  # the first ends the answer, the second the question
            if step % 8 == 7 and bool(ended.all()) or step == steps - 1:
                break
            logits = self.forward(token[:, None], (at + step + 1)[:, None], cache, longest + step, seen[:, None, None, : longest + step + 1])
        out = written.tolist()
        return [[out[row * each + n] for n in range(each)] for row in range(len(prompts))]
