//! The Porter stemmer with the extensions of NLTK, which `rouge_score` uses.
//!
//! M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980; steps are named as there. The
//! extensions are those of `nltk.stem.porter`'s default mode: irregular forms, `ies`/`ied` in words of four
//! letters, `y` after a consonant only, `alli`, `fulli`, `logi`, and vowel–consonant stems of two letters.
//! Equality with NLTK, and not linguistics, decides here: `tests/eval_parity.rs`.

/// The stem of a word of lower-case ASCII letters and digits.
#[must_use]
pub fn stem(word: &str) -> String {
    if let Some(irregular) = irregular(word) {
        return irregular.to_owned();
    }
    if word.len() <= 2 {
        return word.to_owned();
    }
    let mut word = word.as_bytes().to_vec();
    step_1a(&mut word);
    step_1b(&mut word);
    step_1c(&mut word);
    step_2(&mut word);
    apply(&mut word, &STEP_3, 0);
    step_4(&mut word);
    step_5a(&mut word);
    if word.ends_with(b"ll") && measure(&word[..word.len() - 1]) > 1 {
        word.pop(); // step 5b
    }
    String::from_utf8(word).unwrap_or_default()
}

fn irregular(word: &str) -> Option<&'static str> {
    Some(match word {
        "sky" | "skies" => "sky",
        "dying" => "die",
        "lying" => "lie",
        "tying" => "tie",
        "news" => "news",
        "innings" | "inning" => "inning",
        "outings" | "outing" => "outing",
        "cannings" | "canning" => "canning",
        "howe" => "howe",
        "proceed" => "proceed",
        "exceed" => "exceed",
        "succeed" => "succeed",
        _ => return None,
    })
}

/// For each letter, whether it is a consonant: no vowel, and no `y` after a consonant.
fn consonants(word: &[u8]) -> impl Iterator<Item = bool> + '_ {
    let mut before = false;
    word.iter().map(move |&c| {
        before = match c {
            b'a' | b'e' | b'i' | b'o' | b'u' => false,
            b'y' => !before,
            _ => true,
        };
        before
    })
}

/// Porter's m: how often a vowel is followed by a consonant.
fn measure(word: &[u8]) -> usize {
    let mut after_vowel = false;
    let mut m = 0;
    for consonant in consonants(word) {
        m += usize::from(after_vowel && consonant);
        after_vowel = !consonant;
    }
    m
}

fn has_vowel(word: &[u8]) -> bool {
    consonants(word).any(|consonant| !consonant)
}

fn ends_with_double_consonant(word: &[u8]) -> bool {
    matches!(word, [.., a, b] if a == b) && consonants(word).last() == Some(true)
}

/// Porter's `*o`, and by NLTK's extension also a stem of a vowel and a consonant.
fn ends_consonant_vowel_consonant(word: &[u8]) -> bool {
    let kinds: Vec<bool> = consonants(word).collect();
    match kinds[..] {
        [false, true] => true,
        [.., true, false, true] => !word.ends_with(b"w") && !word.ends_with(b"x") && !word.ends_with(b"y"),
        _ => false,
    }
}

/// The first rule whose suffix fits decides; it applies when what is left has a measure above `above`.
fn apply(word: &mut Vec<u8>, rules: &[(&str, &str)], above: usize) {
    if let Some((suffix, with)) = rules.iter().find(|(suffix, _)| word.ends_with(suffix.as_bytes())) {
        let stem = word.len() - suffix.len();
        if measure(&word[..stem]) > above {
            replace(word, stem, with);
        }
    }
}

fn replace(word: &mut Vec<u8>, stem: usize, with: &str) {
    word.truncate(stem);
    word.extend_from_slice(with.as_bytes());
}

fn step_1a(word: &mut Vec<u8>) {
    let length = word.len();
    if word.ends_with(b"ies") && length == 4 || word.ends_with(b"sses") {
        word.truncate(if word.ends_with(b"ies") {
            length - 1
        } else {
            length - 2
        });
    } else if word.ends_with(b"ies") {
        word.truncate(length - 2);
    } else if word.ends_with(b"s") && !word.ends_with(b"ss") {
        word.truncate(length - 1);
    }
}

fn step_1b(word: &mut Vec<u8>) {
    let length = word.len();
    if word.ends_with(b"ied") {
        word.truncate(if length == 4 { length - 1 } else { length - 2 });
        return;
    }
    if word.ends_with(b"eed") {
        if measure(&word[..length - 3]) > 0 {
            word.pop();
        }
        return;
    }
    let Some(stem) = [&b"ed"[..], b"ing"]
        .iter()
        .filter(|suffix| word.ends_with(suffix))
        .map(|suffix| length - suffix.len())
        .find(|&stem| has_vowel(&word[..stem]))
    else {
        return;
    };
    word.truncate(stem);
    if [&b"at"[..], b"bl", b"iz"].iter().any(|end| word.ends_with(end)) {
        word.push(b'e');
    } else if ends_with_double_consonant(word) {
        if !matches!(word.last(), Some(b'l' | b's' | b'z')) {
            word.pop();
        }
    } else if measure(word) == 1 && ends_consonant_vowel_consonant(word) {
        word.push(b'e');
    }
}

fn step_1c(word: &mut [u8]) {
    if let [stem @ .., last @ b'y'] = word
        && stem.len() > 1
        && consonants(stem).last() == Some(true)
    {
        *last = b'i';
    }
}

fn step_2(word: &mut Vec<u8>) {
    if word.ends_with(b"alli") && measure(&word[..word.len() - 4]) > 0 {
        let stem = word.len() - 4;
        replace(word, stem, "al");
        return step_2(word);
    }
    if word.ends_with(b"logi") {
        // The l counts as part of the stem.
        if measure(&word[..word.len() - 3]) > 0 {
            word.pop();
        }
        return;
    }
    apply(word, &STEP_2, 0);
}

const STEP_2: [(&str, &str); 21] = [
    ("ational", "ate"),
    ("tional", "tion"),
    ("enci", "ence"),
    ("anci", "ance"),
    ("izer", "ize"),
    ("bli", "ble"),
    ("alli", "al"),
    ("entli", "ent"),
    ("eli", "e"),
    ("ousli", "ous"),
    ("ization", "ize"),
    ("ation", "ate"),
    ("ator", "ate"),
    ("alism", "al"),
    ("iveness", "ive"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("aliti", "al"),
    ("iviti", "ive"),
    ("biliti", "ble"),
    ("fulli", "ful"),
];

const STEP_3: [(&str, &str); 7] = [
    ("icate", "ic"),
    ("ative", ""),
    ("alize", "al"),
    ("iciti", "ic"),
    ("ical", "ic"),
    ("ful", ""),
    ("ness", ""),
];

fn step_4(word: &mut Vec<u8>) {
    const RULES: [(&str, &str); 19] = [
        ("al", ""),
        ("ance", ""),
        ("ence", ""),
        ("er", ""),
        ("ic", ""),
        ("able", ""),
        ("ible", ""),
        ("ant", ""),
        ("ement", ""),
        ("ment", ""),
        ("ent", ""),
        ("ion", ""),
        ("ou", ""),
        ("ism", ""),
        ("ate", ""),
        ("iti", ""),
        ("ous", ""),
        ("ive", ""),
        ("ize", ""),
    ];
    let keeps_ion = word.ends_with(b"ion") && !word.ends_with(b"sion") && !word.ends_with(b"tion");
    if !keeps_ion {
        apply(word, &RULES, 1);
    }
}

fn step_5a(word: &mut Vec<u8>) {
    if let [stem @ .., b'e'] = &word[..] {
        let m = measure(stem);
        if m > 1 || m == 1 && !ends_consonant_vowel_consonant(stem) {
            word.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::stem;

    #[test]
    fn examples_of_the_paper_and_of_nltk() {
        for (word, expected) in [
            ("caresses", "caress"),
            ("ponies", "poni"),
            ("dies", "die"),
            ("flies", "fli"),
            ("died", "die"),
            ("spied", "spi"),
            ("agreed", "agre"),
            ("feed", "feed"),
            ("hopping", "hop"),
            ("falling", "fall"),
            ("filing", "file"),
            ("happy", "happi"),
            ("enjoy", "enjoy"),
            ("relational", "relat"),
            ("radically", "radic"),
            ("vietnamization", "vietnam"),
            ("geologi", "geolog"),
            ("electrical", "electr"),
            ("adoption", "adopt"),
            ("religion", "religion"),
            ("controll", "control"),
            ("news", "news"),
            ("yyyyy", "yyyyy"),
            ("2024s", "2024"),
        ] {
            assert_eq!(stem(word), expected, "{word}");
        }
    }
}
