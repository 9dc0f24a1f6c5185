//! Datelines, which are no part of the first sentence of a report.

/// The longest dateline, in bytes.
const LONGEST_DATELINE: usize = 80;

/// How many bytes of the first sentence are a dateline: `Washington — `, `LONDON, England (CNN) -- `, `(CNN)`.
pub(super) fn dateline(sentence: &str) -> usize {
    let head = &sentence[..sentence.floor_char_boundary(LONGEST_DATELINE)];
    let agency = head.find('(').and_then(|open| {
        let close = open + head[open..].find(')')?;
        let name = &head[open + 1..close];
        let is_name = name.starts_with(char::is_uppercase) && name.split_whitespace().count() <= 3;
        (is_name && is_place(&head[..open])).then_some(close + 1)
    });
    let dash = ["—", "–", "--", " - "].iter().filter_map(|dash| {
        let at = head.find(dash)?;
        // With a second one it is a parenthesis: "Marco Rubio — the secretary — said".
        let again = sentence[at + dash.len()..].contains(dash);
        Some((at, at + dash.len(), again))
    });
    let end = match (agency, dash.min()) {
        (Some(end), Some((at, after, _))) if head[end..at.max(end)].trim().is_empty() => Some(after),
        (Some(end), _) => Some(end),
        (None, Some((at, after, false))) if is_place(&head[..at]) && at > 0 => Some(after),
        _ => None,
    };
    let Some(end) = end else { return 0 };
    let rest = sentence[end..].trim_start();
    let opens = |c: char| c.is_uppercase() || c.is_ascii_digit() || "“\"‘'".contains(c);
    if rest.starts_with(opens) {
        sentence.len() - rest.len()
    } else {
        0
    }
}

/// A name of a place, perhaps with a date: capitals, figures, months, and at most six words.
fn is_place(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.len() <= 6
        && words.iter().all(|w| {
            w.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit())
                || matches!(*w, "of" | "the" | "de" | "del" | "la" | "and")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datelines_are_left_out_of_the_sentence() {
        for (text, length) in [
            ("Washington — President Trump said no.", "Washington — ".len()),
            (
                "LONDON, England (CNN) -- The queen spoke.",
                "LONDON, England (CNN) -- ".len(),
            ),
            ("(CNN)Share, and your gift will grow.", 5),
            (
                "PARIS, March 3 (Reuters) - Shares fell.",
                "PARIS, March 3 (Reuters) - ".len(),
            ),
            ("Marco Rubio — the secretary — said so.", 0),
            ("The plan (see below) — a good one — failed.", 0),
            ("Apple (AAPL) shares fell.", 0),
            ("Nobody came.", 0),
            ("— Ha!", 0),
        ] {
            assert_eq!(dateline(text), length, "{text}");
        }
    }
}
