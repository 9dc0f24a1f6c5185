//! Whether text is in the language that the embedded model was trained on: English.

use crate::document::Document;

/// Documents that are looked at.
const MOST_DOCUMENTS: usize = 16;
/// Bytes of each that are looked at.
const SAMPLE_BYTES: usize = 4096;

/// The English name of the language of documents that are clearly not English, by the beginnings of the first of them.
/// `None` where they are, or are too short to tell. A model reads other languages and is often wrong about them.
///
/// ```
/// use quotable::{Document, Format, language};
///
/// let text = "Die Brücke von 1890 wurde abgerissen, und die neue, eine aus Stahl, hat der Bürgermeister im Frühling eröffnet.";
/// let document = Document::new("note", text, Format::Plain)?;
/// assert_eq!(language::foreign(&[&document]), Some("German"));
/// # Ok::<(), quotable::Error>(())
/// ```
#[must_use]
pub fn foreign(documents: &[&Document]) -> Option<&'static str> {
    let sample: String = documents
        .iter()
        .take(MOST_DOCUMENTS)
        .map(|d| &d.text()[..d.text().floor_char_boundary(SAMPLE_BYTES)])
        .collect::<Vec<_>>()
        .join("\n");
    // Short texts are guessed wrongly too often for the note to be worth it.
    if sample.chars().filter(|c| c.is_alphabetic()).count() < 80 {
        return None;
    }
    if looks_english(&sample) {
        return None;
    }
    let info = whatlang::detect(&sample)?;
    (info.lang() != whatlang::Lang::Eng && info.is_reliable()).then(|| info.lang().eng_name())
}

/// By its most frequent words, which is much faster than by all three-letter sequences: "the", "of" and "and" are a tenth of
/// English text, and together hardly words of any other language.
fn looks_english(text: &str) -> bool {
    let (mut words, mut frequent) = (0, 0);
    for word in text.split_whitespace() {
        words += 1;
        frequent += usize::from(matches!(word, "the" | "of" | "and"));
    }
    // Text without spaces has few words, all of them long.
    20 * frequent > words && text.len() < 12 * words
}

/// Whether a word of a text is written in capitals and the text is not: "the WHO" is no "who".
pub(crate) fn is_acronym(word: &str, text: &str) -> bool {
    word.len() > 1 && word.chars().all(char::is_uppercase) && text.contains(char::is_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Format;

    fn language(text: &str) -> Option<&'static str> {
        let document = Document::new("text", text, Format::Plain).unwrap();
        foreign(&[&document])
    }

    #[test]
    fn english_is_not_foreign() {
        let prose = "The bridge of 1890 was pulled down and the new one, of steel, was opened in the spring by the mayor.";
        assert!(looks_english(prose));
        assert_eq!(language(prose), None);
        // Without any of the frequent words.
        let notes = "Bridge pulled down last May, replaced by steel one which Ada Quist designed; mayor opened it in spring.";
        assert!(!looks_english(notes));
        assert_eq!(language(notes), None);
    }

    #[test]
    fn other_languages_are_named() {
        let german = "Die Brücke von 1890 wurde abgerissen, und die neue, eine aus Stahl, hat der Bürgermeister im Frühling eröffnet.";
        assert_eq!(language(german), Some("German"));
        let french = "Le pont de 1890 a été démoli après la crue, et le nouveau, en acier, dessiné par une ingénieure, a été inauguré au printemps par le maire de la commune.";
        assert_eq!(language(french), Some("French"));
        let japanese = "The History of the Bridge and the River\n".to_owned()
            + &"橋は洪水のあとに取り壊され、新しい橋が建てられました。".repeat(8);
        assert_eq!(language(&japanese), Some("Japanese"));
    }
}
