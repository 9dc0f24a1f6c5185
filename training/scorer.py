"""The sentence scorer: a small network over the mean vectors of sentences in the reader's lower layers.

Sentences are read in the windows of `window::sentence_windows` in Rust: whole, each between [CLS] and [SEP], segments alternating. A sentence's
vector is the mean of its tokens behind SENTENCE_LAYER; the network sees it beside the mean of its section and of that section's opening, with its
place and its length (the features of SummaRuNNer: content, salience, position; Nallapati et al. 2017, section 2.2). `summary::transformer` is its twin.
"""
import torch
import torch.nn.functional as F
from torch import nn

import reader

SENTENCE_LAYER, WINDOW, OPENING = 2, 384, 3


def windows(tokenizer, sentences, limit=WINDOW):
    """[(ids, segments, ranges, indices)]: the token range of each sentence; parts of one that is too long follow each other."""
    parts = []
    for index, encoding in enumerate(tokenizer.encode_batch(sentences, add_special_tokens=False)):
        parts += [(index, encoding.ids[i : i + limit - 2]) for i in range(0, len(encoding.ids), limit - 2)]
    out, at = [], 0
    while at < len(parts):
        ids, segments, ranges, indices = [], [], [], []
        while at < len(parts) and len(ids) + len(parts[at][1]) + 2 <= limit:
            tokens = parts[at][1]
            segments += [len(ranges) % 2] * (len(tokens) + 2)
            ranges.append((len(ids) + 1, len(ids) + 1 + len(tokens)))
            ids += [reader.CLS, *tokens, reader.SEP]
            indices.append(parts[at][0])
            at += 1
        out.append((ids, segments, ranges, indices))
    return out


def lower_layers(directory):
    """(encoder cut behind SENTENCE_LAYER, tokenizer) of a reader."""
    model, tokenizer = reader.load(directory)
    model.bert.encoder.layer = model.bert.encoder.layer[:SENTENCE_LAYER]
    return model.bert, tokenizer


@torch.inference_mode()
def vectors(encoder, tokenizer, sentences):
    """([sentences, hidden] means, [sentences] token counts) of a document."""
    sums = torch.zeros(len(sentences), encoder.config.hidden_size)
    counts = torch.zeros(len(sentences))
    for ids, segments, ranges, indices in windows(tokenizer, sentences):
        hidden = encoder(input_ids=torch.tensor([ids]), token_type_ids=torch.tensor([segments])).last_hidden_state[0]
        for (first, last), index in zip(ranges, indices):
            sums[index] += hidden[first:last].sum(0)
            counts[index] += last - first
    return sums / counts.clamp(min=1)[:, None], counts


def places(count):
    """[count, 6] features of a sentence's place in its section."""
    index = torch.arange(count).float()
    return torch.stack([(index == 0).float(), (index == 1).float(), (index == 2).float(), torch.log1p(index) / 4, index / count, 1 / (1 + index)], 1)


class Scorer(nn.Module):
    def __init__(self, hidden=384, width=128, dropout=0.4):
        super().__init__()
        self.content, self.section, self.opening = (nn.Linear(hidden, width) for _ in range(3))
        self.by_section, self.by_opening = nn.Linear(hidden, width), nn.Linear(hidden, width)
        self.place, self.place_score = nn.Linear(6 + 1, width), nn.Linear(6, 1)
        self.inner, self.output = nn.Linear(3 * width + 2, width), nn.Linear(width, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, means, counts):
        """One section's [sentences, hidden] and [sentences] -> [sentences] logits."""
        place = places(len(means))
        vectors = F.layer_norm(means, means.shape[1:])
        section = F.layer_norm(vectors.mean(0), means.shape[1:])
        opening = vectors[:OPENING].mean(0)
        cosines = torch.stack([5 * F.cosine_similarity(vectors, other[None]) for other in (section, opening)], 1)
        own = self.content(vectors) + self.place(torch.cat([place, torch.log1p(counts)[:, None] / 4], 1))
        features = torch.cat([own, self.by_section(vectors) * self.section(section), self.by_opening(vectors) * self.opening(opening), cosines], 1)
        return (self.output(self.dropout(F.relu(self.inner(features)))) + self.place_score(place)).squeeze(-1)
