//! A note when text is not in the language that the model was trained on.

use crate::document::Document;

/// Bytes of each document that are looked at.
const SAMPLE_BYTES: usize = 4096;

/// The name of the language of documents that are clearly not English.
pub(super) fn foreign(documents: &[&Document]) -> Option<&'static str> {
    let sample: String = documents
        .iter()
        .take(16)
        .map(|d| &d.text()[..d.text().floor_char_boundary(SAMPLE_BYTES)])
        .collect::<Vec<_>>()
        .join("\n");
    // Short texts are guessed wrongly too often for the note to be worth it.
    if sample.chars().filter(|c| c.is_alphabetic()).count() < 80 {
        return None;
    }
    let info = whatlang::detect(&sample)?;
    (info.lang() != whatlang::Lang::Eng && info.is_reliable()).then(|| info.lang().eng_name())
}
