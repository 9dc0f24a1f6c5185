//! What a start tag says.

use super::beside::{self, Certainty};
use super::elements::is_one;

/// What a link to a note, or back from it, is said to be.
const REFERENCES: [&str; 6] = [
    "doc-noteref",
    "doc-backlink",
    "noteref",
    "backlink",
    "footnote-ref",
    "footnote-back",
];

pub(super) struct StartTag {
    /// The element's name, in lower case.
    pub(super) name: Vec<u8>,
    /// Where it stands in the source.
    pub(super) start: usize,
    pub(super) end: usize,
    /// `<br/>`.
    pub(super) is_closed: bool,
    /// How many columns and rows a cell reaches over.
    pub(super) columns: usize,
    pub(super) rows: usize,
    /// It leads elsewhere.
    pub(super) has_target: bool,
    /// It leads to a note, or back from one.
    pub(super) is_reference: bool,
    pub(super) is_hidden: bool,
    /// It is said to hold a correction, which belongs to the text wherever it stands.
    pub(super) is_correction: bool,
    /// Whether its role, its identifier or its classes say that it stands beside the text.
    pub(super) beside: Option<Certainty>,
    attribute: Attribute,
}

/// An attribute whose value is looked at.
#[derive(Clone, Copy)]
enum Attribute {
    Columns,
    Rows,
    Role,
    /// An identifier or classes.
    Label,
    Style,
    /// Whether programs that read aloud pass it over.
    Hidden,
    Other,
}

impl StartTag {
    pub(super) fn new(name: &[u8], start: usize) -> Self {
        Self {
            name: name.to_owned(),
            start,
            end: start,
            is_closed: false,
            columns: 1,
            rows: 1,
            has_target: false,
            is_reference: false,
            is_hidden: false,
            is_correction: false,
            beside: None,
            attribute: Attribute::Other,
        }
    }

    /// An attribute begins.
    pub(super) fn begin_attribute(&mut self, name: &[u8]) {
        self.is_hidden |= name == b"hidden";
        self.has_target |= name == b"href";
        self.attribute = match name {
            b"colspan" => Attribute::Columns,
            b"rowspan" => Attribute::Rows,
            b"role" => Attribute::Role,
            b"aria-hidden" => Attribute::Hidden,
            b"id" | b"class" => Attribute::Label,
            b"style" => Attribute::Style,
            _ => Attribute::Other,
        };
    }

    /// The value of the attribute that has begun. `says_claims`: the page checks facts.
    pub(super) fn set(&mut self, value: &[u8], says_claims: bool) {
        self.is_reference |= is_one(value, &REFERENCES);
        let number = || str::from_utf8(value).ok()?.trim().parse().ok();
        match self.attribute {
            Attribute::Columns => self.columns = number().unwrap_or(1),
            Attribute::Rows => self.rows = number().unwrap_or(1),
            Attribute::Role => self.beside = self.beside.max(beside::of_role(value)),
            Attribute::Label => {
                self.beside = self.beside.max(beside::of_label(value, says_claims));
                self.is_correction |= beside::is_correction(value);
            }
            Attribute::Style => self.is_hidden |= hides(value),
            Attribute::Hidden if value == b"true" => self.beside = self.beside.max(Some(Certainty::Guess)),
            Attribute::Hidden | Attribute::Other => {}
        }
    }
}

/// Whether a style hides its element until a program shows it.
fn hides(style: &[u8]) -> bool {
    let style: Vec<u8> = style
        .iter()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(u8::to_ascii_lowercase)
        .collect();
    memchr::memmem::find(&style, b"display:none").is_some()
}
