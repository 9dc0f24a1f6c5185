"""The sentence scorer: a small network over the mean vectors of sentences in the reader's lower layers.

Sentences are read in the windows of `window::sentence_windows` in Rust: whole, each between [CLS] and [SEP], segments alternating. A sentence's
vector is the mean of its tokens behind SENTENCE_LAYER. The network sees it beside its document, its section, that section's opening and the heading
above it, with its places and its length (the features of SummaRuNNer: content, salience, position; Nallapati et al. 2017, section 2.2). What a place
is worth depends on the document, so that the beginning counts in news and the end in an abstract. `summary::transformer` is its twin.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

import reader

SENTENCE_LAYER, WINDOW, OPENING, PLACES = 2, 384, 3, 18
AROUND = ("document", "section", "opening", "heading")


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
    """([sentences, hidden] means, [sentences] token counts). `vectors.rs` makes the same with `ask`'s own engine, eight times as fast."""
    sums = torch.zeros(len(sentences), encoder.config.hidden_size)
    counts = torch.zeros(len(sentences))
    for ids, segments, ranges, indices in windows(tokenizer, sentences):
        hidden = encoder(input_ids=torch.tensor([ids]), token_type_ids=torch.tensor([segments])).last_hidden_state[0]
        for (first, last), index in zip(ranges, indices):
            sums[index] += hidden[first:last].sum(0)
            counts[index] += last - first
    return sums / counts.clamp(min=1)[:, None], counts


def place(index, count):
    """[sentences, 6] features of the place `index` among `count`."""
    index = index.float()
    return torch.stack([(index == 0).float(), (index == 1).float(), (index == 2).float(), torch.log1p(index) / 4, index / count, 1 / (1 + index)], 1)


class Batch:
    """Documents side by side. Each is (means, lengths, sections, headings, heading_means): [sentences, hidden] vectors; [sentences] lengths in tokens;
    [sentences] numbers of sections, 0, 0, 1, …; [sentences] rows of `heading_means`, -1 where no heading stands above."""

    def __init__(self, documents):
        self.means = torch.cat([means for means, *_ in documents])
        self.lengths = torch.cat([lengths for _, lengths, *_ in documents])
        self.heading_means = torch.cat([torch.zeros(1, self.means.shape[1]), *(headings for *_, headings in documents)])
        document, section, heading, index, places = [], [], [], [], []
        sections, headings = 0, 1
        for number, (means, _, own, above, heading_means) in enumerate(documents):
            count, sizes = len(means), torch.bincount(own)
            at = torch.arange(count)
            within = at - (sizes.cumsum(0) - sizes)[own]
            last = len(sizes) - 1
            whole = [own / len(sizes), (own == 0).float(), (own == last).float(), torch.full((count,), math.log(count) / 4),
                     torch.full((count,), math.log(len(sizes)) / 4), torch.log1p(sizes[own].float()) / 4]
            places.append(torch.cat([place(within, sizes[own].float()), place(at, float(count)), torch.stack(whole, 1)], 1))
            document.append(torch.full((count,), number))
            section.append(own + sections)
            heading.append(torch.where(above >= 0, above + headings, 0))
            index.append(within)
            sections += len(sizes)
            headings += len(heading_means)
        self.document, self.section, self.heading, self.index, self.places = (torch.cat(parts) for parts in (document, section, heading, index, places))


def mean_by(vectors, groups):
    """[groups, hidden] means of the rows of each group."""
    count = int(groups.max()) + 1
    return torch.zeros(count, vectors.shape[1]).index_add_(0, groups, vectors) / torch.bincount(groups, minlength=count)[:, None]


def norm(vectors):
    return F.layer_norm(vectors, vectors.shape[-1:])


class Scorer(nn.Module):
    def __init__(self, hidden=384, width=128, dropout=0.4):
        super().__init__()
        self.content, self.context, self.title = nn.Linear(hidden, width), nn.Linear(hidden, width), nn.Linear(hidden, width, bias=False)
        self.around = nn.ModuleDict({name: nn.Linear(hidden, width) for name in AROUND})
        self.by = nn.ModuleDict({name: nn.Linear(hidden, width) for name in AROUND})
        self.place, self.place_score, self.place_gate = nn.Linear(PLACES + 1, width), nn.Linear(PLACES, 1), nn.Linear(hidden, PLACES)
        self.inner, self.output = nn.Linear((1 + len(AROUND)) * width + len(AROUND), width), nn.Linear(width, 1)
        self.dropout = nn.Dropout(dropout)
        nn.init.zeros_(self.place_gate.weight)
        nn.init.zeros_(self.place_gate.bias)

    def forward(self, batch):
        """A [`Batch`] -> [sentences] logits."""
        vectors, is_opening = norm(batch.means), batch.index < OPENING
        documents, headings = norm(mean_by(vectors, batch.document)), norm(batch.heading_means)
        around = {  # of headings, the first stands for none, and is zero
            "document": (documents, batch.document),
            "section": (norm(mean_by(vectors, batch.section)), batch.section),
            "opening": (mean_by(vectors[is_opening], batch.section[is_opening]), batch.section),
            "heading": (headings, batch.heading),
        }
        own = self.content(vectors) + self.place(torch.cat([batch.places, torch.log1p(batch.lengths)[:, None] / 4], 1))
        own = own + self.context(documents)[batch.document] + self.title(headings)[batch.heading]
        gated = [self.by[name](vectors) * self.around[name](others)[of] for name, (others, of) in around.items()]
        cosines = [5 * F.cosine_similarity(vectors, others[of]) for others, of in around.values()]
        inner = F.relu(self.inner(torch.cat([own, *gated, torch.stack(cosines, 1)], 1)))
        worth = self.place_score.weight + self.place_gate(documents)[batch.document]
        return self.output(self.dropout(inner)).squeeze(-1) + (worth * batch.places).sum(1) + self.place_score.bias
