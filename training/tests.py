"""What the training code rests on, in seconds and without data: python -m unittest tests.py"""
import json
import random
import tempfile
import unittest
from argparse import Namespace
from pathlib import Path

import asserted
import calibrate
import generator
import noise
import numpy as np
import reader
import recurring
import retrieve
import scorer
import summaries
import torch
import train
import windows
import written
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, MPNetConfig, MPNetForQuestionAnswering

SIZES = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 6, "intermediate_size": 64}


def tokenizer():
    words = {"[UNK]": 100, **{word: 200 + number for number, word in enumerate("who leads the talks ? bob and al lead them .".split())}}
    made = Tokenizer(models.WordLevel(words, "[UNK]"))
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return made


def example(context, answer=None, question="who leads the talks ?"):
    answers = [{"text": answer, "start": context.index(answer)}] if answer else []
    return {"source": "s", "kind": "answered" if answers else "none", "doc": "d", "question": question, "context": context, "answers": answers}


class Models(unittest.TestCase):
    def test_the_decoder_has_the_library_s_logits(self):
        torch.manual_seed(1)
        model = LlamaForCausalLM(LlamaConfig(**SIZES, num_key_value_heads=2, vocab_size=99)).eval()
        decoder = generator.Decoder(model, torch.float32)
        tokens = torch.randint(0, 99, (2, 7))
        cache = torch.empty(2, 2, 2, 2, 7, 8)
        mask = torch.ones(6, 6, dtype=torch.bool).tril()[None, None]
        with torch.inference_mode():
            first = decoder.forward(tokens[:, :6], torch.arange(6).expand(2, 6), cache, 0, mask)
            second = decoder.forward(tokens[:, 6:], torch.full((2, 1), 6), cache, 6, torch.ones(2, 1, 1, 7, dtype=torch.bool))
            wanted = model(tokens).logits
        torch.testing.assert_close(first, wanted[:, 5], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(second, wanted[:, 6], rtol=1e-4, atol=1e-5)

    def test_what_is_forced_is_written_whatever_the_padding(self):
        torch.manual_seed(1)
        decoder = generator.Decoder(LlamaForCausalLM(LlamaConfig(**SIZES, num_key_value_heads=2, vocab_size=99)).eval(), torch.float32)
        greedy = lambda prompts, forced: decoder.sample(prompts, forced, 6, 98, 1.0, 1)
        alone = greedy([[5, 6, 7]], [[[], [11, 12]]])
        beside = greedy([[1, 2, 3, 4, 5, 6], [5, 6, 7]], [[[], []], [[], [11, 12]]])
        self.assertEqual(alone[0], beside[1])
        self.assertEqual(alone[0][1][:2], [11, 12])

    def test_the_teacher_is_the_library_s_mpnet(self):
        torch.manual_seed(1)
        config = MPNetConfig(**SIZES, vocab_size=300, max_position_embeddings=40)
        config._attn_implementation = "eager"
        teacher = reader.Teacher(config).eval()
        plain = MPNetForQuestionAnswering(config).eval()
        plain.load_state_dict(teacher.state_dict())
        ids = torch.tensor([[reader.CLS, 110, 120, reader.SEP, 130, 140, reader.SEP], [reader.CLS, 110, reader.SEP, 130, reader.SEP, reader.PAD, reader.PAD]])
        theirs = torch.tensor([[0, 114, 124, 2, 134, 144, 2], [0, 114, 2, 134, 2, 1, 1]])
        mask = (ids != reader.PAD).long()
        with torch.inference_mode():
            ours, wanted = teacher(ids, mask).start_logits, plain(input_ids=theirs, attention_mask=mask).start_logits
        torch.testing.assert_close(ours[mask.bool()], wanted[mask.bool()], rtol=1e-4, atol=1e-5)

    def test_a_teacher_reads_what_learns_from_it_and_nothing_else(self):
        torch.manual_seed(1)
        teacher = reader.Teacher(MPNetConfig(**SIZES, vocab_size=300, max_position_embeddings=40)).eval()
        inputs = {"input_ids": torch.tensor([[reader.CLS, 110, reader.SEP, 130, reader.SEP]] * 3), "attention_mask": torch.ones(3, 5, dtype=torch.long)}
        inputs["input_ids"][1, 1] = 111
        args, ours = Namespace(device="cpu", precision="f32"), torch.randn(3, 5, 2)
        wanted = torch.tensor([True, False, True])
        found = train.logits_of_teacher(args, teacher, inputs, wanted, ours)
        torch.testing.assert_close(found[wanted], reader.logits(teacher, inputs, "cpu", "f32")[wanted], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(found[1], ours[1])
        torch.testing.assert_close(train.logits_of_teacher(args, teacher, inputs, torch.zeros(3, dtype=torch.bool), ours), ours)

    def test_a_document_has_its_scores_whatever_stands_beside_it(self):
        torch.manual_seed(1)
        model = scorer.Scorer(hidden=24, width=8).eval()
        torch.nn.init.normal_(model.place_gate.weight)
        documents = [
            (torch.randn(5, 24), torch.arange(5.0), torch.tensor([0, 0, 1, 1, 1]), torch.tensor([-1, -1, 0, 0, 1]), torch.randn(2, 24)),
            (torch.randn(4, 24), torch.arange(4.0), torch.tensor([0, 0, 0, 0]), torch.tensor([-1] * 4), torch.zeros(0, 24)),
            (torch.randn(3, 24), torch.arange(3.0), torch.tensor([0, 1, 2]), torch.tensor([0, 1, -1]), torch.randn(2, 24)),
        ]
        with torch.inference_mode():
            alone = torch.cat([model(scorer.Batch([document])) for document in documents])
            torch.testing.assert_close(model(scorer.Batch(documents)), alone)


class Data(unittest.TestCase):
    def test_the_oracle_takes_what_adds_most(self):
        sentences = ["The dam broke.", "Nobody knows why the dam above Elbing broke on Monday.", "Schools stay closed.", "Mills closed.", "Schools stay closed."]
        reference = ["The dam above Elbing broke on Monday.", "Schools stay closed."]
        value = lambda chosen: sum(
            summaries.f1(ours.total(), gold.total(), (ours & gold).total())
            for ours, gold in ((summaries.grams(summaries.words(" ".join(text)), n) for text in ([sentences[i] for i in chosen], reference)) for n in (1, 2))
        )
        # Bigrams across sentences apart, which the search does not see.
        self.assertEqual(summaries.oracle(sentences, reference, 3), [1, 2])
        self.assertEqual(summaries.oracle(sentences, reference, 1), [1])
        self.assertGreater(value([1, 2]), max(value([1]), value([0, 2]), value([1, 2, 4]), value([1, 2, 3])))
        self.assertEqual(summaries.oracle(["Mills closed down."], ["Nothing else."], 3), [])

    def test_batches_hold_the_windows(self):
        examples = [example("bob and al lead them .", "bob and al"), example("al leads the talks .", "al"), example("them .")]
        made = windows.of_examples(tokenizer(), examples)
        inputs, targets, soft = made.to("cpu").batch(np.array([2, 0]), multiple=16)
        self.assertEqual(inputs["input_ids"].shape, (2, 16))
        self.assertEqual(inputs["input_ids"][1, :14].tolist(), [101, 200, 201, 202, 203, 204, 102, 205, 206, 207, 208, 209, 210, 102])
        self.assertEqual(inputs["attention_mask"].sum(1).tolist(), [10, 14])
        self.assertEqual(inputs["token_type_ids"].sum(1).tolist(), [3, 7])
        self.assertEqual(targets.tolist(), [[0, 0], [7, 9]])
        self.assertIsNone(soft)

    def test_parts_keep_their_tokens(self):
        made = windows.of_examples(tokenizer(), [example("al leads the talks .", "al"), example("them ."), example("bob .", "bob")])
        made.soft = np.stack([np.arange(len(made.ids)), -np.arange(len(made.ids))], 1).astype(np.float16)
        part = made.only(np.array([2, 0]))
        self.assertEqual(part.ids.tolist(), made.ids[made.first[2] :].tolist() + made.ids[: made.first[1]].tolist())
        self.assertEqual(part.soft[:, 0].tolist(), [*range(made.first[2], made.first[3]), *range(made.first[1])])
        both = windows.joined([part, made.only(np.array([1]))])
        self.assertEqual(both.lengths.tolist(), [10, 13, 10])
        self.assertEqual([both.groups[g] for g in both.group], ["s/answered", "s/answered", "s/none"])

    def test_logits_of_other_windows_are_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "train.jsonl"
            path.write_text(json.dumps(example("bob .", "bob")) + "\n")
            made = windows.read(path, tokenizer())
            windows.write_soft(path, np.zeros((len(made.ids), 2), np.float16), made.ids)
            self.assertEqual(windows.read(path, tokenizer()).soft.shape, (len(made.ids), 2))
            path.write_text(json.dumps(example("al .", "al")) + "\n")  # as many tokens
            with self.assertRaisesRegex(SystemExit, "label.py"):
                windows.read(path, tokenizer())

    def test_a_masked_span_stands_in_the_rest(self):
        text = "The harbour of Lisbon is old. Ships call there. Nobody lives on them. Visitors praise Lisbon for its light. The end."
        found = list(recurring.examples({"doc": "d", "text": text}, random.Random(1)))
        self.assertEqual([ex["answers"][0]["text"] for ex in found], ["Lisbon"])
        for ex in found:
            start = ex["answers"][0]["start"]
            self.assertEqual(ex["context"][start : start + 6], "Lisbon")
            self.assertIn("[MASK]", ex["question"])
            self.assertNotIn("Lisbon", ex["question"])

    def test_noise_replaces_words_and_leaves_out_one_sentence_at_most(self):
        torch.manual_seed(1)
        rows = 400
        made = windows.of_examples(tokenizer(), [example("bob leads . al leads the talks . bob and al lead them .", "al")] * rows)
        inputs, targets, _ = made.to("cpu").batch(np.arange(rows))
        ids = tokenizer().get_vocab()
        inputs["input_ids"][inputs["input_ids"] == ids["."]] = noise.STOP
        table = np.zeros((noise.STOP + 1, 2), np.int32)
        table[ids["talks"]] = 500, 501
        found, altered = noise.Noise(table, [], "cpu")(inputs, targets)
        before = inputs["input_ids"][0].tolist()
        question, rest = before[: before.index(reader.SEP) + 1], before[before.index(reader.SEP) + 1 : -1]
        ends = [0, *(at + 1 for at, token in enumerate(rest) if token == noise.STOP)]
        sentences = [rest[a:b] for a, b in zip(ends, ends[1:])]
        kept = [sentences, *(sentences[:n] + sentences[n + 1 :] for n in range(len(sentences)))]
        possible = [question + [token for sentence in some for token in sentence] + [reader.SEP] for some in kept]
        seen = set()
        for row in range(rows):
            length = int(found["attention_mask"][row].sum())
            got, types = found["input_ids"][row].tolist(), found["token_type_ids"][row].tolist()
            self.assertEqual(got[length:], [reader.PAD] * (len(before) - length))
            self.assertEqual(types, [0] * len(question) + [1] * (length - len(question)) + [0] * (len(before) - length))
            undone = [ids["talks"] if token in (500, 501) else token for token in got[:length]]
            self.assertIn(undone, possible)
            self.assertEqual(bool(altered[row]), got != before)
            seen.add((possible.index(undone), undone != got[:length]))
        self.assertEqual({which for which, _ in seen}, set(range(len(possible))))
        self.assertEqual({replaced for _, replaced in seen}, {False, True})

    def test_a_piece_of_a_word_is_not_replaced(self):
        torch.manual_seed(1)
        inputs = {"input_ids": torch.tensor([[reader.CLS, 5, 6, reader.SEP, 5, reader.SEP]] * 200), "attention_mask": torch.ones(200, 6), "token_type_ids": torch.tensor([[0, 0, 0, 0, 1, 1]] * 200)}
        table = np.zeros((200, 2), np.int32)
        table[5] = 7, 8
        found, _ = noise.Noise(table, [6], "cpu")(inputs, torch.zeros(200, 2, dtype=torch.long))
        self.assertTrue((found["input_ids"][:, 1] == 5).all())
        self.assertFalse((found["input_ids"][:, 4] == 5).all())

    def test_a_question_goes_to_the_passages_that_have_most_in_common_with_it(self):
        passages = ["the harbour of lisbon", "ships of the north", "a cake with nuts"] + [f"filler number {n}" for n in range(200)]
        found = list(retrieve.nearest(["who bakes a cake?", "where is the harbour of ships?", "zzz"], passages, 2))
        self.assertEqual([sorted(numbers) for numbers in found], [[2], [0, 1], []])

    def test_the_budget_is_what_runs_out_first(self):
        args = Namespace(tokens=100, minutes=2.0)
        self.assertEqual(train.spent(args, {"tokens": 50, "seconds": 30.0}), 0.5)
        self.assertEqual(train.spent(args, {"tokens": 50, "seconds": 90.0}), 0.75)
        self.assertEqual(train.spent(Namespace(tokens=100, minutes=float("inf")), {"tokens": 50, "seconds": 1e9}), 0.5)

    def test_a_frame_keeps_an_answer_or_takes_it(self):
        context = "It had rained for a week. On Monday, the dam of Elbing was built by Ada Quist. Nobody was hurt."
        ex = example(context, "Ada Quist", "Who built the dam?")
        rng = random.Random(1)
        for held_out in (False, True):
            for kind in ("unknown", "denied", "supposed", "true"):
                for _ in range(40):
                    found = asserted.framed(ex, kind, rng, held_out)
                    self.assertIn("on Monday, the dam of Elbing was built by Ada Quist", found["context"].replace("On", "on"))
                    self.assertTrue(found["context"].endswith("Nobody was hurt."))
                    self.assertEqual([a["text"] for a in found["answers"]], ["Ada Quist"] if kind == "true" else [])
                    for a in found["answers"]:
                        self.assertEqual(found["context"][a["start"] :][: len(a["text"])], a["text"])
        self.assertIn("Ada Quist", asserted.undone(ex, rng, False)["context"])
        self.assertNotIn(" was built", asserted.undone(ex, rng, False)["context"])
        for question in ("Who would build the dam?", "Did Ada Quist build the dam?"):
            self.assertIsNone(asserted.asserting({**ex, "question": question}))
        self.assertIsNone(asserted.asserting({**ex, "context": ex["context"] + " Ada Quist was glad."}))
        for training, held_out in asserted.FRAMES.values():
            self.assertFalse(set(training) & set(held_out))

    def test_made_twins_have_their_answers_where_they_are_said_to_be(self):
        rng = random.Random(1)
        ex = example("On Monday, the dam of Elbing was built by Ada Quist.", "Ada Quist", "Who built the dam?")
        made = [recipe(rng) for recipe in (asserted.compared, asserted.numbered, asserted.related) for _ in range(200)]
        made += [asserted.turns(ex, rng) for _ in range(50)]
        for found in filter(None, made):
            self.assertEqual(found["kind"].endswith("-unknown"), not found["answers"])
            for a in found["answers"]:
                self.assertEqual(found["context"][a["start"] :][: len(a["text"])], a["text"])
        compared = [found for found in made if found and found["kind"] == "compared"]
        last = [found for found in compared if "in " + found["question"].rstrip("?").split(" in ")[-1] + "." in found["context"]]
        self.assertTrue(last)
        for found in last:
            self.assertGreater(found["answers"][0]["start"], min(at for at in map(found["context"].find, (", compared", ", versus", ", up", ", as", ", against")) if at >= 0))

    def test_questions_of_writers_are_read_or_told_to_be_wrong(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "news"
            path.with_suffix(".texts").write_text("===== 1 bbc/7\nAda Quist left on Monday. Bo Lund left on Monday, too.\n\n===== 2\nBo came.\n\n")
            rows = ("1|Who left first?|Ada Quist", "1|When did Bo Lund leave?|Monday|Bo Lund left on Monday", "1|Why did they leave?|-", "2|Who came?|Bo")
            bad = ("1|When did they leave?|Monday", "1|Who left?|Ada", "1|Who left?|Ada Lund", "3|Who?|Bo", "1|Who came?", "1|Who left?|Bo Lund|Bo came")
            path.with_suffix(".questions").write_text("\n".join((*rows, *bad)))
            wrong = []
            found = list(written.read(path, lambda line, what: wrong.append(line)))
        self.assertEqual(wrong, [5, 7, 8, 9, 10])
        self.assertEqual([(ex["doc"], [a["text"] for a in ex["answers"]]) for ex in found[:4]], [("bbc/7", ["Ada Quist"]), ("bbc/7", ["Monday"]), ("bbc/7", []), ("news/2", ["Bo"])])
        self.assertEqual(found[1]["answers"][0]["start"], 42)
        moved = written.among(found[1], [("a", "It rained in Elbing."), ("b", "Nobody was there on Monday."), ("bbc/7", "Ada Quist came back.")], random.Random(3))
        self.assertTrue(moved["company"])
        self.assertNotIn("Nobody was there", moved["context"])
        self.assertNotIn("came back", moved["context"])
        start = moved["answers"][0]["start"]
        self.assertEqual(moved["context"][start - 16 : start + 6], "Bo Lund left on Monday")

    def test_answers_over_several_lines_are_named_by_their_ends(self):
        text = "Present\n\n- Ann Bell\n- Bo Lund\n- Eve Fox\n\nAbsent: Bo Lund"
        for answer, stretch in (
            ("Ann Bell >> Eve Fox", "Ann Bell\n- Bo Lund\n- Eve Fox"),
            ("Ann Bell >> Bo Lund", "Ann Bell\n- Bo Lund"),
            ("Bo Lund >> Eve Fox", None),  # Bo Lund stands there twice
            ("Eve Fox >> Ann Bell", None),
            ("Ann >> Bo", "Ann Bell\n- Bo"),
            ("Ann >> Bolund", None),
            ("Bo Lund", "Bo Lund"),
        ):
            self.assertEqual(written.quoted(answer, text), stretch)
        self.assertIsNone(written.quoted("Ann >> Bo", "Ann " + "and others " * 40 + "and Bo"))

    def test_excerpts_of_documents_are_whole_paragraphs_of_their_prose(self):
        source = "---\ntitle: Fees\n---\n# Fees\n\nThe [council](https://council.example) raised the fee for the old mill,\nas **Ada Quist** said.\n<!-- no -->\n- one|two\n- three\n\n[1]: https://x.example\n\n```\ncode\n```\nEnd."
        self.assertEqual(written.prose(source), "# Fees\n\nThe council raised the fee for the old mill,\nas **Ada Quist** said.\n\n- one two\n- three\n\nEnd.")
        long = "The council of the town raised the fee for the old mill again,\nas Ada Quist said."
        self.assertEqual(written.prose(long), long.replace("\n", " "))
        paragraphs = [f"Paragraph {number} " + "word " * 98 for number in range(40)]
        for seed in range(10):
            part = written.excerpt_of("\n\n".join(paragraphs), random.Random(seed))
            self.assertTrue(set(part.split("\n\n")) <= {paragraph.strip() for paragraph in paragraphs} | set(paragraphs))
            self.assertTrue(min(written.EXCERPTS) <= len(part.split()) <= max(written.EXCERPTS) + 100)
        self.assertTrue(written.excerpt_of("\n\n".join(paragraphs[:15]), random.Random(2)).startswith("Paragraph 0 "))

    def test_excerpts_share_nothing_with_what_is_kept_apart(self):
        words = lambda first: " ".join(f"word{first + number}" for number in range(250))
        with tempfile.TemporaryDirectory() as folder:
            documents, apart, out = (Path(folder) / name for name in ("minutes", "apart", "out"))
            documents.mkdir(), apart.mkdir()
            for name, text in (("a.md", words(0)), ("again.md", words(0)), ("b.md", words(240)), ("c.md", words(1000)), ("short.md", "word")):
                (documents / name).write_text(text)
            (apart / "seed.txt").write_text("It says word1100 word1101 word1102 word1103 word1104 word1105 word1106.")
            written.excerpt(Namespace(seed=1, apart=[apart], documents=[documents], each=20, texts=1, name="real", out=out))
            found = sorted(written.texts(path)[1][1] for path in out.glob("*.texts"))
        # b begins with ten words of a, as minutes of one body do; again repeats all of it, and c has words of what is apart.
        self.assertEqual(found, sorted((words(0), words(240))))

    def test_questions_of_writers_on_long_texts_see_the_part_that_matters(self):
        text = "".join(f"In year {year} the mill burned {year} sacks of rye. " for year in range(1000, 1100)).strip()
        answered = {"question": "How many sacks?", "context": text, "answers": [{"text": "1070 sacks", "start": text.index("1070 sacks")}]}
        absent = {"question": "Which mill burned in year 1042?", "context": text, "answers": []}
        for seed in range(20):
            part = written.cropped(answered, random.Random(seed))
            self.assertEqual(part["context"][part["answers"][0]["start"] :][:10], "1070 sacks")
            self.assertIn("year 1042", written.cropped(absent, random.Random(seed))["context"])
            self.assertTrue(written.CROPPED_CHARS <= len(part["context"]) <= written.CROPPED_CHARS + 100)

    def test_the_threshold_is_chosen_on_whole_documents_where_there_are_enough(self):
        rows = [{"length": length} for length, count in ((1, 300), (256, 300), (calibrate.WHOLE, calibrate.ENOUGH)) for _ in range(count)]
        self.assertEqual(calibrate.choosing(rows), [calibrate.WHOLE])
        self.assertEqual(calibrate.choosing(rows[:-1]), [1])

    def test_each_half_of_the_documents_is_measured_by_what_the_other_fits(self):
        rng = np.random.default_rng(1)
        rows = []
        for number in range(4000):
            score = rng.normal(0, 4)
            right = bool(rng.random() < 1 / (1 + np.exp(-score)))
            rows.append({"doc": f"d{number}", "length": 1, "windows": 1, "score": score, "evidence": score, "answerable": right, "right": right, "f1": float(right)})
        found = calibrate.measure(rows)["1_windows"]
        self.assertEqual(found["questions"], 4000)
        # The labels are drawn by the probabilities that are fitted, so nothing but chance is left of the error.
        self.assertLess(found["ece_confidence"], 2 * found["ece_confidence_by_chance"])
        self.assertGreater(found["declined_of_unanswerable"], 0.7)

    def test_what_the_generator_writes_is_read(self):
        self.assertEqual(generator.parse(" 1889\nQuestion: When was it built?\nAnswer: x"), ("1889", "When was it built?"))
        self.assertIsNone(generator.parse(" 1889\nQuestion: When was it"))
        self.assertIsNone(generator.parse(" 1889"))


if __name__ == "__main__":
    unittest.main()
