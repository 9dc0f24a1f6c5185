"""What PyTorch says of the sentences of a text: tests/data/golden/reader/sentences.json. Part of make.py; `training/scorer.py` is the model.

    venv/bin/python sentences.py --reader ../../models/reader
"""
import argparse
import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "../../training"))

# Written for this test. Enough sentences for two windows, one of them longer than a window.
SENTENCES = [
    "The dam above Elbing broke on Monday night after three days of rain.",
    "Water reached the lower town within an hour and stood two metres high in Bridge Street.",
    "Mayor Ann Lund said that nobody was hurt.",
    "Engineers had warned the council of cracks in the wall since 2019.",
    "The council had put off the repair twice, in 2021 and in 2023, because it would have cost nine million crowns.",
    "Insurers expect claims of forty million crowns.",
    "Schools stay closed until the end of the week, and trains to the coast are diverted by way of Halden.",
]
LONG = "The list of streets without power names " + ", ".join(f"Mill Lane {n}" for n in range(1, 150)) + " and Mill Lane 150 as well."
SECTIONS = [
    {"heading": None, "sentences": SENTENCES[:2]},
    {"heading": "What the council knew", "sentences": SENTENCES * 3},
    {"heading": "Damage", "sentences": SENTENCES[4:5]},
    {"heading": "Streets, schools and trains", "sentences": [*SENTENCES, LONG]},
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reader", type=Path, default=HERE / "../../models/reader")
    parser.add_argument("--out", type=Path, default=HERE / "../../tests/data/golden/reader/sentences.json")
    arguments = parser.parse_args()
    import scorer
    import torch
    from safetensors.torch import load_file

    encoder, tokenizer = scorer.lower_layers(arguments.reader)
    prefix = "sentence_scorer."
    state = {name[len(prefix) :]: value for name, value in load_file(arguments.reader / "model.safetensors").items() if name.startswith(prefix)}
    model = scorer.Scorer(encoder.config.hidden_size, len(state["content.bias"])).eval()
    model.load_state_dict(state)
    means, counts = scorer.vectors(encoder, tokenizer, [sentence for section in SECTIONS for sentence in section["sentences"]])
    headings, _ = scorer.vectors(encoder, tokenizer, [section["heading"] for section in SECTIONS if section["heading"]])
    sections = torch.tensor([number for number, section in enumerate(SECTIONS) for _ in section["sentences"]])
    with torch.inference_mode():
        logits = model(scorer.Batch([(means, counts, sections, sections - 1, headings)]))
    arguments.out.write_text(json.dumps({"sections": SECTIONS, "logits": [round(x, 6) for x in logits.tolist()]}, indent=1) + "\n")


if __name__ == "__main__":
    main()
