"""What the goldens read: every sentence was written for this file; none is copied from a data set or a newspaper."""

# Words that the tiny WordPiece vocabularies know whole; everything else falls apart into letters.
WORDS = """the of and in to is was who what when where which how many did does
harbour master keeps bell tower light ship ships captain crew north south east west sea
anna bruno clara old new stone bridge river town market winter summer morning night
bread salt fish iron wood road mill wheel water wind house door key letter year years
first second three four built found lost sold came went said made rang closed opened""".split()
SUFFIXES = ["ing", "ed", "er", "s", "ly", "est", "ion", "ment", "ness", "able"]
CASED_WORDS = ["The", "Who", "What", "When", "Where", "Anna", "Bruno", "Clara", "North", "In", "café"]

# (name, question, context); "full" is lengthened until the pair has exactly as many tokens as the model has positions.
TINY_INPUTS = [
    ("tiny", "Who?", "Bob."),
    ("one-letter", "a", "b"),
    ("empty-context", "Where is the key?", ""),
    ("sentence", "Who keeps the bell?", "Anna keeps the bell in the old tower."),
    ("bytes", "What did Zoë sell?", "Zoë sold 3 crêpes, 中国 tea and a 🚢\u200d⚓ at the naïve café."),
    ("spaces", "  When\twas it\nbuilt? ", "\n\nThe  mill\twas built\u00a0in 1871.\r\nIt closed \u2014 twice.\n"),
    ("long-question", "Which of the three old ships that came in the winter was sold first in the market town?", "The north ship."),
    ("repeats", "How many years?", "the the the bell bell bell the the the bell, the the. bell; bell! the"),
    ("full", "Where did Clara go?", "Clara went north. The captain said that the road was closed in winter, and the sea was"),
]
FULL_TAIL = " ship, bell, the wheel"

HARBOUR = (
    "The harbour of Vellmouth was dug in 1764 by three brothers who had made their money in salt. "
    "For a century it sheltered the herring fleet, and on winter nights a lamp burned in the window of the pilot's house. "
    "The present lighthouse, forty-one metres high, was finished in 1883 and painted white so that it could be seen by day. "
    "Its keeper, Ines Harrow, climbed the two hundred and six steps every evening for nineteen years. "
    "When the lamp was made electric she asked to keep the old lens, and it still stands in her granddaughter's shop. "
    "Storms have twice broken the outer wall. "
    "Each time the town rebuilt it with stone from the quarry at Dunmere."
)
ACCENTS = (
    "Zoë Łukasik opened her café in Zürich in the spring of 1921, after seven years as a cook in Kraków. "
    "She served crêpes, gołąbki and a soup that the regulars called “la naïve”. "
    "Her brother Jürgen, who played the çifteli, drew the sign above the door: a blue crane with one leg raised. "
    "On 3 März 1934 a flood filled the cellar – 1,5 m of water – and spoiled forty sacks of flour. "
    "The café closed for eleven days; Zoë paid the bakers anyway."
)
COMMITTEE = (
    "Four people were chosen to plan the new library. "
    "The mayor named the architect Olive Brandt, the schoolteacher Samuel Okoro, the retired printer Hugh Lacey and the botanist Mei Tanaka. "
    "They met on Thursdays above the bakery, because the town hall had no stove. "
    "Brandt wanted a round reading room; Lacey said that round rooms waste shelves. "
    "In the end they agreed on an octagon. "
    "The building cost 48,200 crowns, of which the bakers' guild gave a third."
)
ORCHARD = (
    "# The orchard book\n\n"
    "An orchard is planted for one's grandchildren.\n"
    "Set the young trees eight paces apart,\tand never where a tree has died.\n\n"
    "* Prune in February, before the sap rises.\n"
    "* Lime the trunks in April against beetles.\n"
    "* Pick \"keeping\" apples in the second half of October; eat none of them before Christmas.\n\n"
    "A graft of Pearmain on wild stock bears in its sixth year. On quince it bears in its third, but it's short-lived.\n"
)
EXPEDITION = (
    "The second survey of the Ostrava marshes set out from Kellin on the ninth of May with two flat boats, eleven people and a goat. "
    "Its leader was the geographer Petra Vance, who had failed to cross the marshes four years earlier. "
    "This time she did not trust the channels marked on the old charts; she followed the herons, which nest only beside running water. "
    "Her deputy, the engineer Tobias Wren, measured the depth every half hour with a lead line and wrote the figures in a waxed book. "
    "The botanist, Lucia Fenn, collected three hundred and twelve plants, nine of them unknown, and pressed them between the pages of the expedition's almanac. "
    "For the first week the weather was kind. "
    "On the seventeenth a gale tore the sail from the smaller boat, and the party camped for two days on an island no bigger than a barn. "
    "There the goat ate a part of the map. "
    "Vance drew the missing corner again from memory, and it later proved to be wrong by less than a mile. "
    "After the gale the travellers found a line of oak posts, black with age, running due west through the reeds. "
    "Wren believed that they had carried a road; Fenn counted the rings of a fallen post and said that the oak had been cut some nine hundred years before. "
    "They followed the posts for three days and came to a low hill with a ruined chapel on its top. "
    "Inside was a floor of blue tiles, unbroken, and a well of sweet water. "
    "The survey stayed there until the end of the month while the boats were mended with pitch and canvas. "
    "On the second of June they reached the western shore at the village of Harl, where nobody believed that they had come from the east. "
    "The marshes had been crossed for the first time in twenty-four days."
)
# (name, question, context). "absent" questions have no answer in their context.
READER_WINDOWS = [
    ("year", "When was the lighthouse finished?", HARBOUR),
    ("absent", "Who paid for the new railway station?", HARBOUR),
    ("accents", "What did Zoë's brother draw above the door?", ACCENTS),
    ("list", "Who was chosen to plan the new library?", COMMITTEE),
    ("very-short", "Where is the bell?", "The bell is in the tower."),
    ("lines", "When should \"keeping\" apples be picked, according to the orchard book?", ORCHARD),
    ("long", "Who led the second survey of the marshes?", EXPEDITION),
    ("absent-near", "How many people did Petra Vance's first survey have?", EXPEDITION[:1400].rsplit(". ", 1)[0] + "."),
    ("question-long", "The town rebuilt the outer wall after each of the two storms that had broken it; from which quarry did it take the stone that it needed for that work?", HARBOUR),
]

# (name, text) for the reader's tokenizer.
STRINGS = [
    ("empty", ""),
    ("space", " "),
    ("plain", "The quick brown fox jumps over the lazy dog."),
    ("precomposed", "Crème brûlée à la carte, señor Ångström"),
    ("decomposed", "Cre\u0300me bru\u0302le\u0301e a\u0300 la carte, sen\u0303or A\u030angstro\u0308m"),
    ("stacked-marks", "Z\u0351\u036b\u0343a\u0327\u0323\u0302l\u0334\u0321go"),
    ("mark-first", "\u0301abc \u0308"),
    ("turkish", "İstanbul ISPARTA ısı İİ i\u0307"),
    ("german", "Straße STRASSE GROẞ Übergröße"),
    ("greek", "Ὀδυσσεύς ΣΊΣΥΦΟΣ ἄνθρωπος"),
    ("cyrillic", "Ёлка й Йод и\u0306 Їжак"),
    ("vietnamese", "Tiếng Việt: Nguyễn Ơi ộ"),
    ("ligatures", "ﬁnal ofﬁce ﬄuent æsthetic œuvre ĳs"),
    ("fullwidth", "Ｆｕｌｌ ｗｉｄｔｈ １２３，。！"),
    ("half-and-superscripts", "½ cup, x² + y³ = 10⁻⁴, H₂O, №7, ™"),
    ("cjk", "東京は日本の首都です。"),
    ("cjk-glued", "abc中国def学123生"),
    ("cjk-extension", "𠀀𠮷野家 㐀 豈"),
    ("hangul", "대한민국 \u1112\u1161\u11ab\u1100\u1173\u11af"),
    ("kana-marks", "ガギグ か\u3099き\u3099 ｶﾞ"),
    ("arabic", "مُحَمَّد ـــ ١٢٣"),
    ("hebrew", "שָׁלוֹם עוֹלָם"),
    ("devanagari", "हिन्दी क्षत्रिय ॐ"),
    ("thai", "ภาษาไทย กำ"),
    ("emoji", "ok 😀👍🏽 done"),
    ("emoji-zwj", "👨\u200d👩\u200d👧\u200d👦 family 🏳\ufe0f\u200d🌈 🇫🇷"),
    ("keycap", "1\ufe0f\u20e3 #\ufe0f\u20e3 ❤\ufe0f"),
    ("controls", "a\u0000b\u0001c\u0007d\u001be\u007ff\u0085g\u009fh"),
    ("replacement", "bad \ufffd byte\ufffd\ufffd"),
    ("private-use", "\ue000 x\uf8ffy \U000f0000"),
    ("bidi", "file\u202egpj.exe \u2066abc\u2069 \u200fx"),
    ("zero-width", "zero\u200bwidth soft\u00adhyphen bom\ufeffhere wj\u2060x"),
    ("spaces", "a\u00a0b\u2003c\u202fd\u3000e\u1680f\u205fg"),
    ("line-ends", "one\ttwo\r\nthree\n\n\n  four\u2028five\u2029six\u000bseven\u000ceight"),
    ("hundred", "a" * 100 + " b"),
    ("hundred-and-one", "a" * 101 + " b"),
    ("long-word", "internationalization" * 8 + "!"),
    ("long-accents", "é" * 60 + " e\u0301" + "e\u0301" * 60),
    ("punctuation", "\"'`´‘’“”«»…—–-_()[]{}<>@#$%^&*~|\\/¿¡§¶•"),
    ("glued", "don't re-use U.S.A.'s e-mail:a.b+c@d.example/x_y?z=1&w=%20"),
    ("numbers", "1,234,567.89 $5.00 3/4 10:30 -2.5e-10 0x1F"),
    ("special-tokens", "[CLS] a [SEP] b [MASK] [PAD][UNK] [sep] [SEP"),
    ("word-pieces", "##ing # # ing un##able [unused1]"),
    ("mixed-scripts", "Helloмирκόσμος世界 pаypal"),
    ("mathematics", "𝐇𝐞𝐥𝐥𝐨 𝔘𝔫𝔦 ∑∫√ ≠ x\u0338 ℵ"),
    ("case-expanding", "ŉ ǰ ΐ ﬀ ẖ Ⱥ ꜳ K Å"),
    ("trailing-spaces", "  lead and trail \t "),
]
