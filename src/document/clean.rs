//! What a reader's eye skips, taken out of the text: one pass, every change recorded.
//!
//! Mojibake (UTF-8 that was read as windows-1252) is repaired only where the sequence can hardly be
//! anything else, because `Â`, `â` and `Ã` are letters of French, Portuguese, Romanian and Vietnamese.
//! The rules follow the idea of `ftfy` (Speer 2019, "fixes text for you"): look at the character before
//! and after, and when in doubt leave the text alone.

/// What to do with the characters at the start of `rest`.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Action {
    Keep,
    /// Drop this many source bytes.
    Remove(usize),
    /// Read this many source bytes as one character.
    Replace(usize, char),
}

/// Calls `edit` for each stretch of `text` to be changed: start and end in bytes, and what it reads.
pub(crate) fn edits(text: &str, mut edit: impl FnMut(usize, usize, Option<char>)) {
    let mut at = 0;
    // Where the last edit ends: what it took cannot be printed over.
    let mut edited = 0;
    // Everything that a rule looks at begins with a control or a non-ASCII character.
    while let Some(skip) = text.as_bytes()[at..]
        .iter()
        .position(|&b| b >= 0x80 || matches!(b, b'\r' | 0x08 | 0x0B | 0x0C | 0x1B))
    {
        at += skip;
        if let Some(struck) = overstruck(&text[edited..at], &text[at..]) {
            let start = at - struck.before;
            at += struck.after;
            edit(start, at, None);
            edited = at;
            continue;
        }
        let rest = &text[at..];
        let Some(first) = rest.chars().next() else {
            return;
        };
        match action(&text[..at], rest) {
            Action::Keep => at += first.len_utf8(),
            Action::Remove(len) => {
                edit(at, at + len, None);
                at += len;
                edited = at;
            }
            Action::Replace(len, with) => {
                edit(at, at + len, Some(with));
                at += len;
                edited = at;
            }
        }
    }
}

/// Bytes around a backspace that were printed over.
struct Struck {
    before: usize,
    /// The backspace among them.
    after: usize,
}

/// What is left out where a character was printed over another, as manual pages make bold and underlined ones: `x\x08x`,
/// `_\x08x`.
fn overstruck(before: &str, rest: &str) -> Option<Struck> {
    let mut after = rest.strip_prefix('\u{8}')?.chars();
    let (first, second) = (before.chars().next_back(), after.next());
    Some(match (first, second) {
        (Some(first), Some('_')) if first != '_' => Struck { before: 0, after: 2 },
        (Some(first), Some(_)) => Struck {
            before: first.len_utf8(),
            after: 1,
        },
        _ => Struck { before: 0, after: 1 },
    })
}

/// The length in bytes of a terminal's control sequence (ECMA-48, sections 5.4 and 5.6) at the start of `text`.
fn escape_sequence(text: &str) -> usize {
    const LONGEST: usize = 256;
    let bytes = &text.as_bytes()[..text.floor_char_boundary(LONGEST)];
    let length = match bytes.get(1) {
        Some(b'[') => bytes[2..]
            .iter()
            .position(|b| !matches!(b, 0x20..=0x3F))
            .filter(|&end| matches!(bytes[2 + end], 0x40..=0x7E))
            .map(|end| end + 3),
        Some(b']') => bytes[2..]
            .iter()
            .position(|&b| matches!(b, 0x07 | 0x1B))
            .map(|end| match &bytes[2 + end..] {
                [0x1B, b'\\', ..] => end + 4,
                [0x1B, ..] => end + 2, // Another sequence breaks it off.
                _ => end + 3,
            }),
        _ => bytes[1..]
            .iter()
            .position(|b| !matches!(b, 0x20..=0x2F))
            .filter(|&end| matches!(bytes[1 + end], 0x30..=0x7E))
            .map(|end| end + 2),
    };
    length.unwrap_or(1)
}

/// A short text, cleaned.
pub(crate) fn cleaned(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut from = 0;
    edits(text, |start, end, with| {
        clean.push_str(&text[from..start]);
        clean.extend(with);
        from = end;
    });
    clean.push_str(&text[from..]);
    clean
}

fn action(before: &str, rest: &str) -> Action {
    let mut chars = rest.chars();
    let Some(first) = chars.next() else {
        return Action::Keep;
    };
    let len = first.len_utf8();
    match first {
        '\u{1B}' => Action::Remove(escape_sequence(rest)),
        '\r' if chars.next() == Some('\n') => Action::Remove(len),
        '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Action::Replace(len, '\n'),
        // Zero-width space, word joiner, byte order mark, soft hyphen. The zero-width joiners stay:
        // Persian, Indic scripts and emoji need them.
        '\u{200B}' | '\u{2060}' | '\u{FEFF}' | '\u{AD}' => Action::Remove(len),
        '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}' => {
            Action::Replace(len, ' ')
        }
        'Â' | 'Ã' | 'â' | 'ð' => mojibake(before, rest),
        _ => Action::Keep,
    }
}

fn mojibake(before: &str, rest: &str) -> Action {
    let mut chars = rest.chars();
    let (Some(first), second, third) = (chars.next(), chars.next(), chars.next()) else {
        return Action::Keep;
    };
    let previous = before.chars().next_back();
    let decoded = decode(rest);
    match first {
        // `â€œ`, `â‚¬`, `â„¢`, and anything with a C1 control: no language writes them.
        'â' => match (second, decoded) {
            (Some('€' | '‚' | '„' | '\u{80}'..='\u{9F}'), Some((len, c))) if is_typographic(c) => {
                tidy(len, c)
            }
            // A closing quotation mark whose last byte, undefined in windows-1252, got lost.
            (Some('€'), None) if third.is_none_or(|c| c.is_whitespace() || c.is_ascii_punctuation()) => {
                Action::Replace('â'.len_utf8() + '€'.len_utf8(), '”')
            }
            _ => Action::Keep,
        },
        'ð' => match decoded {
            Some((len, c)) if len > 6 => tidy(len, c),
            _ => Action::Keep,
        },
        'Ã' => match (second, decoded) {
            (Some(second), Some((len, c))) if is_accent(previous, second, third) => tidy(len, c),
            _ => Action::Keep,
        },
        _ => match (second, decoded) {
            (Some(second), Some((len, c))) if is_sign(previous, second) => tidy(len, c),
            // What is left of a non-breaking space when something trimmed it: `war.Â`.
            (second, _) if previous.is_some_and(ends_a_clause) && second.is_none_or(char::is_whitespace) => {
                Action::Remove(first.len_utf8())
            }
            _ => Action::Keep,
        },
    }
}

/// The repaired character, itself cleaned: a non-breaking space reads as a space.
fn tidy(len: usize, c: char) -> Action {
    match c {
        '\u{A0}' | '\u{202F}' | '\u{2009}' => Action::Replace(len, ' '),
        '\u{AD}' | '\u{200B}' | '\u{FEFF}' => Action::Remove(len),
        _ => Action::Replace(len, c),
    }
}

/// `Ã` and `second` are an accented letter when a lower-case letter stands before (`cafÃ©`), or when a
/// word begins with them (`Ã©tude`). All-capital Portuguese (`MANHÃ”`, `“Ã”`) stays.
fn is_accent(previous: Option<char>, second: char, third: Option<char>) -> bool {
    // Second characters that also occur as punctuation after a capital.
    let punctuation = matches!(
        second,
        '\u{A0}' | '«' | '»' | '…' | '‘' | '’' | '“' | '”' | '•' | '–' | '—'
    );
    match previous {
        Some(c) if c.is_lowercase() => true,
        Some(c) if c.is_alphanumeric() => false,
        _ => !punctuation || third.is_some_and(char::is_lowercase),
    }
}

/// `Â` and `second` are a sign or a space of Latin-1 (`Â£5`, `20Â°`, `word.Â `) unless a capital stands
/// before; after white space a space or a guillemet may be French setting off the letter `Â` itself.
fn is_sign(previous: Option<char>, second: char) -> bool {
    let spacing = matches!(second, '\u{A0}' | '«' | '»');
    match previous {
        Some(c) if c.is_lowercase() || c.is_numeric() => true,
        Some(c) if c.is_alphabetic() => false,
        Some(c) if ends_a_clause(c) || c.is_ascii_punctuation() => true,
        _ => !spacing && !matches!(second, '‘' | '’' | '“' | '”' | '…' | '–' | '—'),
    }
}

fn ends_a_clause(c: char) -> bool {
    matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | ')' | '"' | '”' | '’' | '»')
}

fn is_typographic(c: char) -> bool {
    matches!(c, '\u{2000}'..='\u{206F}' | '€' | '™')
}

/// The character that the start of `text` encodes in UTF-8, when its characters are read as
/// windows-1252 bytes, and how many bytes of `text` it takes.
fn decode(text: &str) -> Option<(usize, char)> {
    let mut bytes = [0u8; 4];
    let mut consumed = 0;
    let mut chars = text.chars();
    let lead = windows_1252_byte(chars.next()?)?;
    let wanted = match lead {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    for (i, c) in text.chars().take(wanted).enumerate() {
        bytes[i] = windows_1252_byte(c)?;
        consumed += c.len_utf8();
    }
    let decoded = std::str::from_utf8(&bytes[..wanted]).ok()?.chars().next()?;
    // Fewer characters than the lead byte announced leave zeros, which are no continuation bytes.
    Some((consumed, decoded))
}

fn windows_1252_byte(c: char) -> Option<u8> {
    if let '\u{80}'..='\u{FF}' = c {
        return u8::try_from(u32::from(c)).ok();
    }
    // 0x80..=0x9F of windows-1252, from the WHATWG Encoding Standard's index.
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
    ];
    let index = HIGH.iter().position(|&high| high == c)?;
    u8::try_from(0x80 + index).ok()
}

/// A number that is set as a superscript: 10⁶ is not 106.
pub(super) fn raised(text: &str) -> Option<String> {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let raised = |c: char| match c {
        '+' => Some('⁺'),
        '-' | '−' => Some('⁻'),
        _ => DIGITS.get(c.to_digit(10)? as usize).copied(),
    };
    text.chars().map(raised).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_and_line_ends_are_made_plain() {
        assert_eq!(cleaned("a\r\nb\rc"), "a\nb\nc");
        assert_eq!(cleaned("5\u{A0}km 1\u{202F}000"), "5 km 1 000");
        assert_eq!(cleaned("co\u{AD}opera\u{200B}tion\u{FEFF}"), "cooperation");
        assert_eq!(cleaned("page\u{C}two"), "page\ntwo");
        assert_eq!(
            cleaned("👩\u{200D}🚀 می\u{200C}خواهم"),
            "👩\u{200D}🚀 می\u{200C}خواهم"
        );
    }

    #[test]
    fn what_a_terminal_would_do_is_done() {
        for (written, shown) in [
            ("by \u{1B}[32mYusuf Khan\u{1B}[0m on", "by Yusuf Khan on"),
            ("\u{1B}[1;38;5;9mred\u{1B}[m", "red"),
            ("\u{1B}]8;;http://a.b\u{1B}\\link\u{1B}]8;;\u{7}", "link"),
            ("\u{1B}(Bplain", "plain"),
            ("cut \u{1B}[31", "cut [31"),
            ("\u{1B}]0;title\u{1B}[31mred", "red"),
            ("\u{1B}7saved\u{1B}8 \u{1B}", "saved "),
            ("w\u{8}wa\u{8}ax\u{8}x", "wax"),
            ("_\u{8}w_\u{8}ax\u{8}_", "wax"),
            ("b\u{8}b\u{8}b\u{8}b", "b"),
            ("\u{8}é\u{8}é\u{8}", "é"),
        ] {
            assert_eq!(cleaned(written), shown, "{written:?}");
        }
    }

    #[test]
    fn mojibake_is_repaired() {
        for (broken, right) in [
            ("war.Â", "war."),
            ("war.Â\nMr.", "war.\nMr."),
            ("war.Â\u{A0}Mr.", "war. Mr."),
            ("the war\u{C2}\u{A0}ended", "the war ended"),
            ("â€œNoâ€\u{9D} he said", "“No” he said"),
            ("â€œNo,â€ he said", "“No,” he said"),
            ("Russiaâ€™s war", "Russia’s war"),
            ("2014â€“2022 â€” then â€¦", "2014–2022 — then …"),
            ("â\u{80}\u{9C}Latin-1â\u{80}\u{9D}", "“Latin-1”"),
            ("â‚¬5 and â„¢", "€5 and ™"),
            ("Â£5, 20Â°C, Â©2024", "£5, 20°C, ©2024"),
            ("cafÃ© noÃ«l Ã©tude", "café noël étude"),
            ("Ã–sterreich", "Österreich"),
            ("ðŸ˜€", "😀"),
        ] {
            assert_eq!(cleaned(broken), right, "{broken:?}");
        }
    }

    #[test]
    fn letters_of_other_languages_stay() {
        for text in [
            // French
            "L’Âge d’or, château, Âme, « Â » est une lettre",
            "«\u{A0}Pâques\u{A0}» reads the same but for the space"
                .replace('\u{A0}', " ")
                .as_str(),
            "LA LETTRE Â : majuscule",
            // Portuguese
            "NÃO, SÃO PAULO, IRMÃ” e “AMANHÔ, Ângela, Ânimo, câmara",
            "a letra Ã “Ã” aqui; MAÇÃ; lã… lã—fim",
            // Vietnamese
            "ÂN CẦN, CÂU, Ấn Độ, NGÂN HÀNG, câu hỏi, XÃ HỘI, xã hội: XÃ; Ã",
            // Romanian
            "ÎN ROMÂNIA, litera Â este rară, când, LÂNĂ, Â.",
            // Icelandic
            "það, ðÿ, Ðð",
        ] {
            assert_eq!(cleaned(text), text);
        }
    }

    #[test]
    fn hostile_tails_do_not_panic() {
        for text in [
            "Â",
            "â",
            "â€",
            "Ã",
            "ð",
            "ðŸ",
            "ðŸ˜",
            "\r",
            "é\r\r\r\n",
            "aÂ",
            "â\u{80}",
        ] {
            cleaned(text);
        }
    }
}
