//! Text that cannot steer what shows it: words of documents, before they go to a terminal or into a line of a protocol.

use std::borrow::Cow;

/// Text that cannot steer a terminal: control characters and marks of direction are shown as symbols.
///
/// ```
/// assert_eq!(quotable::harmless::harmless("a\u{1b}[2J"), "a␛[2J");
/// ```
#[must_use]
pub fn harmless(text: &str) -> Cow<'_, str> {
    let bad = |c: char| c.is_control() || is_hidden_control(c);
    if !text.contains(bad) {
        return text.into();
    }
    text.chars()
        .map(|c| match u32::from(c) {
            _ if !bad(c) => c.to_string(),
            code @ 0..=0x1F => char::from_u32(0x2400 + code).unwrap_or('\u{FFFD}').to_string(),
            0x7F => '␡'.to_string(),
            code => format!("<U+{code:04X}>"),
        })
        .collect::<String>()
        .into()
}

/// DEL, the control characters of Latin-1, the line separators, and what changes the direction of text:
/// embeddings, overrides, isolates and marks (UAX #9, section 2).
pub(crate) fn is_hidden_control(c: char) -> bool {
    matches!(c,
        '\u{7F}'..='\u{9F}' | '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The same on one line, with line feeds and tabs as spaces.
///
/// ```
/// assert_eq!(quotable::harmless::one_line("Halvorsen and\nDahl"), "Halvorsen and Dahl");
/// ```
#[must_use]
pub fn one_line(text: &str) -> String {
    harmless(&text.replace(['\n', '\r', '\t'], " ")).into_owned()
}

/// The beginning of a text on one line, for a message that quotes it.
#[cfg(feature = "eval")]
pub(crate) fn shortened(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut text = one_line(text);
    if let Some((at, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(at);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_shown_instead() {
        assert_eq!(harmless("a\u{1b}[2Jb\u{7}\r"), "a␛[2Jb␇␍");
        assert_eq!(harmless("x\u{202e}y\u{9b}"), "x<U+202E>y<U+009B>");
        assert_eq!(harmless("two\nlines"), "two␊lines");
        assert!(matches!(harmless("plain “text” é"), Cow::Borrowed(_)));
    }

    #[cfg(feature = "eval")]
    #[test]
    fn what_is_shortened_is_one_line_and_cut_between_characters() {
        assert_eq!(shortened("two\nlines"), "two lines");
        assert_eq!(shortened(&"é".repeat(80)), "é".repeat(80));
        assert_eq!(shortened(&"é".repeat(81)), "é".repeat(80) + "…");
    }
}
