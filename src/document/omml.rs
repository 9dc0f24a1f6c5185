//! Formulas of Office (`m:oMath`), as one writes them in a line: `sin θ = (mλ)/a`, `√(x + 1)`, `10⁻⁴`. Their letters alone would say
//! something else: `10-4`.
//!
//! Source: ECMA-376-1:2016, section 22.1; elements that are not listed here are read through.

use super::math::{above, base, below, grouped, joined, operator};
use super::xml::{Element as Xml, Event};

/// A formula that is read element by element.
#[derive(Default)]
pub(super) struct Formula {
    /// Those that are open, but for the formula itself.
    open: Vec<Element>,
    /// What the formula consists of so far.
    children: Vec<String>,
    /// How many pieces that is, in all elements.
    pieces: usize,
    /// A line ends with what was read last.
    is_broken: bool,
}

/// What is more than so many signs and words is not looked at sign by sign: each takes memory.
const MOST_PIECES: usize = 1 << 16;

#[derive(Default)]
struct Element {
    name: String,
    /// What its children are in a line.
    children: Vec<String>,
    /// The sign that its properties name (`m:chr`), those around it and between its parts.
    sign: Option<String>,
    begin: Option<String>,
    end: Option<String>,
    between: Option<String>,
    /// What it is one of (`m:type`), or where it stands (`m:pos`).
    kind: Option<String>,
    /// Its words are no formula (`m:nor`, `m:lit`).
    is_text: bool,
}

impl Formula {
    /// Takes in what stands next. At the end of the formula, this is its line.
    pub(super) fn event(&mut self, event: &Event<'_>) -> Option<String> {
        match event {
            Event::Open(element) => self.open(element),
            Event::Text(text) => self.text(text),
            Event::Close => return self.close(),
        }
        None
    }

    fn open(&mut self, element: &Xml<'_>) {
        let name = element.name();
        // Properties of properties of an element.
        let around = self.open.iter_mut().rev().find(|open| !open.name.ends_with("Pr"));
        if let Some(around) = around {
            match name {
                "chr" => around.sign = element.get("val"),
                "begChr" => around.begin = element.get("val"),
                "endChr" => around.end = element.get("val"),
                "sepChr" => around.between = element.get("val"),
                "type" | "pos" => around.kind = element.get("val"),
                "nor" | "lit" => around.is_text = element.is_on(),
                _ => {}
            }
        }
        if name == "br" {
            self.add(" ".to_owned());
            self.is_broken = true;
        }
        self.open.push(Element {
            name: name.to_owned(),
            ..Element::default()
        });
    }

    fn text(&mut self, text: &str) {
        if self.open.last().is_none_or(|open| open.name != "t") {
            return;
        }
        let around = self.open.iter().rev().find(|open| open.name != "t");
        if around.is_some_and(|around| around.is_text) {
            return self.add(text.to_owned());
        }
        let mut word = String::new();
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            // Signs of what is not written: a function is applied, two factors multiplied.
            let c = match c {
                '\u{2061}' => ' ',
                '\u{2062}'..='\u{2064}' => continue,
                c => c,
            };
            let sign = c.to_string();
            let written = operator(&sign);
            let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
            // 16,788 and 10:30 are one number.
            let is_within_number =
                ",:;".contains(c) && is_digit(word.chars().next_back()) && is_digit(rest.peek().copied());
            if written == sign || is_within_number || self.pieces >= MOST_PIECES {
                word.push(c);
            } else {
                self.add(std::mem::take(&mut word));
                self.add(written);
            }
        }
        self.add(word);
    }

    /// Adds to the element around runs and their texts.
    fn add(&mut self, piece: String) {
        if piece.is_empty() {
            return;
        }
        self.pieces += 1;
        self.is_broken = false;
        let around = self
            .open
            .iter_mut()
            .rev()
            .find(|open| !matches!(&*open.name, "r" | "t"));
        match around {
            Some(around) => around.children.push(piece),
            None => self.children.push(piece),
        }
    }

    /// Ends what was opened last. Where that is the formula itself, this is the line.
    fn close(&mut self) -> Option<String> {
        let Some(element) = self.open.pop() else {
            let mut line = joined(&self.children);
            while line.contains("  ") {
                line = line.replace("  ", " ");
            }
            if self.is_broken {
                line.push(' ');
            }
            return Some(line);
        };
        if !element.name.ends_with("Pr") && !matches!(&*element.name, "r" | "t") {
            let line = line_of(&element);
            match self.open.last_mut() {
                Some(parent) => parent.children.push(line),
                None => self.children.push(line),
            }
        }
        None
    }
}

fn line_of(element: &Element) -> String {
    let part = |at: usize| element.children.get(at).map(String::as_str).unwrap_or_default();
    match &*element.name {
        // One above the other, as what is chosen of how many.
        "f" if element.kind.as_deref() == Some("noBar") => element.children.join("; "),
        "f" => format!("{}/{}", grouped(part(0)), grouped(part(1))),
        "rad" => format!("{}√{}", above(part(0)).trim_start_matches('^'), grouped(part(1))),
        "sSup" | "limUpp" => format!("{}{}", base(part(0)), above(part(1))),
        "sSub" | "limLow" => format!("{}{}", base(part(0)), below(part(1))),
        "sSubSup" => format!("{}{}{}", base(part(0)), below(part(1)), above(part(2))),
        "sPre" => format!("{}{}{}", below(part(0)), above(part(1)), part(2)),
        "nary" => {
            let sign = element.sign.as_deref().unwrap_or("∫");
            format!("{sign}{}{} {}", below(part(0)), above(part(1)), part(2))
        }
        "func" if part(1).starts_with('(') => element.children.concat(),
        "func" => format!("{} {}", part(0), part(1)),
        "d" => {
            let (begin, end) = (element.begin.as_deref(), element.end.as_deref());
            format!(
                "{}{}{}",
                begin.unwrap_or("("),
                element.children.join(element.between.as_deref().unwrap_or("|")),
                end.unwrap_or(")")
            )
        }
        // An accent stands behind its letter.
        "acc" => format!("{}{}", part(0), element.sign.as_deref().unwrap_or("\u{302}")),
        "bar" if element.kind.as_deref() == Some("top") && part(0).chars().count() == 1 => {
            format!("{}\u{304}", part(0))
        }
        "mr" => element.children.join(", "),
        "m" | "eqArr" => element.children.join("; "),
        _ => joined(&element.children),
    }
}
