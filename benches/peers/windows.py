"""The windows that all programs read: real text of this repository, questions beside it, in the reader's tokens."""

import random
from pathlib import Path
from typing import TypedDict

from tokenizers import Tokenizer

ROOT = Path(__file__).resolve().parents[2]
READER = ROOT / "models/reader"
DOCUMENTS = ["seeds/*.txt", "README.md", "ARCHITECTURE.md", "COMPARE.md", "models/README.md", "training/README.md"]
QUESTIONS = [
    "Who leads negotiations?",
    "What happens when a question is not answered in the documents?",
    "How long does it take to read one megabyte of text?",
    "Why are scores compared without a softmax?",
    "Which data was the reader trained on, and under what licence?",
    "When did the two presidents speak?",
]
WINDOW_TOKENS = 384
MIXED_TOKENS = (40, 384)
CALIBRATION_WINDOWS = 64


class Window(TypedDict):
    ids: list[int]
    segments: list[int]


Cases = dict[str, list[Window]]


def load_tokenizer(path: Path = READER / "tokenizer.json") -> Tokenizer:
    """The reader's tokenizer as `ask` uses it: nothing padded or cut, "[CLS]" in a text is text."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.encode_special_tokens = True
    return tokenizer


class Text:
    """The repository's text as one row of tokens, to cut windows from."""

    def __init__(self) -> None:
        tokenizer = load_tokenizer()
        files = [file for pattern in DOCUMENTS for file in sorted(ROOT.glob(pattern))]
        text = "\n\n".join(file.read_text(encoding="utf-8") for file in files)
        self.tokens: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
        self.questions = [tokenizer.encode(question, add_special_tokens=False).ids for question in QUESTIONS]
        vocabulary: dict[str, int] = tokenizer.get_vocab()
        self.first, self.separator = vocabulary["[CLS]"], vocabulary["[SEP]"]

    def window(self, question: int, start: int, length: int) -> Window:
        """`[CLS] question [SEP] text [SEP]` of exactly `length` tokens, the text from token `start` on."""
        head = [self.first, *self.questions[question % len(self.questions)], self.separator]
        room = length - len(head) - 1
        start %= len(self.tokens) - room
        ids = [*head, *self.tokens[start : start + room], self.separator]
        return {"ids": ids, "segments": [0] * len(head) + [1] * (room + 1)}


def cases(text: Text) -> Cases:
    """What is timed."""
    lengths = random.Random(1)
    mixed = [lengths.randint(*MIXED_TOKENS) for _ in range(16)]
    eight = [text.window(i, i * WINDOW_TOKENS, WINDOW_TOKENS) for i in range(8)]
    return {
        "64 tokens": [text.window(0, 0, 64)],
        "384 tokens": eight[:1],
        "8 of 384": eight,
        "16 of 40 to 384": [text.window(i, (8 + i) * WINDOW_TOKENS, length) for i, length in enumerate(mixed)],
    }


def calibration(text: Text) -> list[Window]:
    """What static quantisation looks at: other places and pairs than the timed windows."""
    chance = random.Random(2)
    return [
        text.window(chance.randrange(len(QUESTIONS)), chance.randrange(len(text.tokens)), chance.randint(*MIXED_TOKENS))
        for _ in range(CALIBRATION_WINDOWS)
    ]
