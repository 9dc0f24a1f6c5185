//! Formulas in MathML, as one writes them in a line: `10³⁰`, `A^H`, `1/6`, `√(x + 1)`. Read as running text, 10³⁰ would be 1030.
//!
//! Source: MathML Core, W3C; elements that it does not list are read through.

use std::convert::Infallible;

use html5gum::{Token, Tokenizer};

use super::clean;

/// Elements within each other; deeper ones are read through.
const DEEPEST: usize = 64;

/// An element that is open.
struct Element {
    name: Vec<u8>,
    /// What its children are in a line, those that say something.
    children: Vec<String>,
}

impl Element {
    fn new(name: &[u8]) -> Self {
        Self {
            name: name.to_vec(),
            children: Vec::new(),
        }
    }
}

/// The formula of an element `math`, in a line.
pub(super) fn in_a_line(markup: &str) -> String {
    let mut open = vec![Element::new(b"math")];
    // Of those that are open, the first stays.
    let close = |open: &mut Vec<Element>| {
        let line = open.pop().map(|element| line_of(&element));
        if let Some(parent) = open.last_mut() {
            parent.children.extend(line);
        }
    };
    let Ok(()) = Tokenizer::new(markup).try_for_each(|token| {
        match token? {
            Token::StartTag(tag) if !tag.self_closing && open.len() < DEEPEST => {
                open.push(Element::new(&tag.name))
            }
            Token::EndTag(tag) if open.iter().skip(1).any(|element| element.name == *tag.name) => {
                while open.last().is_some_and(|element| element.name != *tag.name) {
                    close(&mut open);
                }
                close(&mut open);
            }
            Token::String(text) => {
                let text = clean::cleaned(&String::from_utf8_lossy(&text));
                // Signs of what is not written: times, the application of a function.
                let text = text.replace(|c| ('\u{2061}'..='\u{2064}').contains(&c), "");
                if let Some(element) = open.last_mut().filter(|_| !text.trim().is_empty()) {
                    element
                        .children
                        .push(text.split_whitespace().collect::<Vec<_>>().join(" "));
                }
            }
            _ => {}
        }
        Ok::<(), Infallible>(())
    });
    while open.len() > 1 {
        close(&mut open);
    }
    line_of(&open[0])
}

fn line_of(element: &Element) -> String {
    let part = |at: usize| element.children.get(at).map(String::as_str).unwrap_or_default();
    match &element.name[..] {
        b"annotation" | b"annotation-xml" | b"mphantom" => String::new(),
        b"semantics" => part(0).to_owned(),
        b"mo" => operator(&element.children.concat()),
        b"msup" | b"mover" => format!("{}{}", base(part(0)), above(part(1))),
        b"msub" | b"munder" => format!("{}{}", base(part(0)), below(part(1))),
        b"msubsup" | b"munderover" => format!("{}{}{}", base(part(0)), below(part(1)), above(part(2))),
        b"mfrac" => format!("{}/{}", grouped(part(0)), grouped(part(1))),
        b"msqrt" => format!("√{}", grouped(&joined(&element.children))),
        b"mroot" => format!("{}√{}", above(part(1)).trim_start_matches('^'), grouped(part(0))),
        b"mtr" | b"mlabeledtr" => element.children.join(", "),
        b"mtable" => element.children.join("; "),
        _ => joined(&element.children),
    }
}

/// Signs that stand between what they relate, with space around them.
pub(super) fn operator(sign: &str) -> String {
    match sign {
        "+" | "-" | "−" | "±" | "×" | "⋅" | "·" | "÷" | "∗" | "*" | "∧" | "∨" | "∪" | "∩" | "→" | "⟶"
        | "∈" | "∉" | "⊂" | "⊆" | "∣" => {
            format!(" {sign} ")
        }
        _ if !sign.is_empty() && sign.chars().all(|c| "=<>≤≥≈≠≡≪≫∝∼≃≅⇒⇔:∶≔".contains(c)) =>
        {
            format!(" {sign} ")
        }
        "," | ";" => format!("{sign} "),
        _ => sign.to_owned(),
    }
}

/// Children in a row. A sign that has nothing before it, or another sign, is one of what follows: `−2`, `x = −2`.
pub(super) fn joined(children: &[String]) -> String {
    let mut line = String::new();
    for child in children {
        let has_nothing_before = line.is_empty() || line.ends_with([' ', '(', '[', '{', '|']);
        match child.strip_prefix(' ').and_then(|child| child.strip_suffix(' ')) {
            Some(sign) if has_nothing_before && matches!(sign, "+" | "-" | "−" | "±") => {
                line.push_str(sign)
            }
            Some(sign) if line.ends_with(' ') => {
                line.push_str(sign);
                line.push(' ');
            }
            _ => line.push_str(child),
        }
    }
    line.trim_end().to_owned()
}

pub(super) fn base(text: &str) -> String {
    if text.trim().contains(' ') {
        grouped(text)
    } else {
        text.trim().to_owned()
    }
}

/// Figures are raised; a sign like `†` or an accent stands behind what it belongs to.
pub(super) fn above(text: &str) -> String {
    let text = text.trim();
    let is_sign = |c: char| !c.is_alphanumeric();
    match clean::raised(&text.replace(' ', "")) {
        Some(raised) => raised,
        None if text.chars().count() == 1 && text.starts_with(is_sign) => text.to_owned(),
        None => format!("^{}", grouped(text)),
    }
}

pub(super) fn below(text: &str) -> String {
    let lowered = |c: char| char::from_u32('₀' as u32 + c.to_digit(10)?);
    let text = text.trim();
    match text.chars().map(lowered).collect::<Option<String>>() {
        Some(lowered) => lowered,
        None => format!("_{}", grouped(text)),
    }
}

/// In brackets, if it is more than a word or a number and has none.
pub(super) fn grouped(text: &str) -> String {
    let text = text.trim();
    let is_one = text.chars().all(|c| c.is_alphanumeric() || ".,′".contains(c));
    let is_bracketed = text.starts_with('(') && text.find(')') == Some(text.len() - 1);
    if is_one || is_bracketed {
        text.to_owned()
    } else {
        format!("({text})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_indices_and_fractions_are_no_other_numbers() {
        for (markup, line) in [
            ("<math><msup><mn>10</mn><mn>30</mn></msup></math>", "10³⁰"),
            (
                "<math><msup><mn>10</mn><mrow><mo>&#x2212;</mo><mn>6</mn></mrow></msup></math>",
                "10⁻⁶",
            ),
            ("<math><mfrac><mn>1</mn><mn>6</mn></mfrac></math>", "1/6"),
            (
                "<math><mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mn>2</mn></mfrac></math>",
                "(a + b)/2",
            ),
            (
                "<math><msup><mi>A</mi><mrow><mi>H</mi></mrow></msup><mo>=</mo><msup><mi>A</mi><mo>†</mo></msup></math>",
                "A^H = A†",
            ),
            ("<math><msub><mi>H</mi><mn>2</mn></msub><mi>O</mi></math>", "H₂O"),
            (
                "<math><msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup><mo>&lt;</mo><mo>-</mo><mn>5</mn></math>",
                "x_i² < -5",
            ),
            (
                "<math><msqrt><mi>x</mi><mo>+</mo><mn>1</mn></msqrt></math>",
                "√(x + 1)",
            ),
            (
                "<math><mi>f</mi><mo>&#x2061;</mo><mo>(</mo><mi>x</mi><mo>)</mo></math>",
                "f(x)",
            ),
            (
                "<math><semantics><mrow><msup><mi>x</mi><mn>2</mn></msup></mrow><annotation encoding='application/x-tex'>x^{2}</annotation></semantics></math>",
                "x²",
            ),
            ("<math><mtext>rate</mtext><mo>=</mo><mn>0.5</mn>", "rate = 0.5"),
            ("<math></mrow><mi>x</math>", "x"),
        ] {
            assert_eq!(in_a_line(markup), line, "{markup}");
        }
        assert_eq!(in_a_line(&"<mrow>".repeat(10_000)), "");
    }
}
