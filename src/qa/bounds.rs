//! What is quoted for a span of tokens: a model's tokens cut words, numbers, addresses and marks, and know no clause or item.

use unicode_segmentation::GraphemeCursor;

use crate::document::{Block, BlockKind, Document, STRUCK, Span, is_value, item_marker, turn};

/// What is quoted of a document for a span of tokens.
pub(super) fn whole(document: &Document, span: Span) -> Span {
    let text = document.text();
    let span = without_next_number(text, whole_characters(text, span));
    let span = without_next_label(text, span);
    let span = within_item(document, whole_tokens(text, span));
    let span = without_struck(text, without_turn(text, span));
    whole_list(document, whole_value(document, span))
}

/// Whether a span is the number of a clause, which stands before what it says: "1.2 The fee" with "1.1" above or "1.3" below, and not
/// a version of a list that begins with the newest.
pub(super) fn is_mark(document: &Document, span: &Span) -> bool {
    /// How far away they are looked for, in bytes.
    const REACH: usize = 2000;
    let text = document.text();
    let begins_line = span.start == 0 || text[..span.start].ends_with('\n');
    let mark = text[span.clone()].trim_end_matches('.');
    let is_number = |part: &str| matches!(part.len(), 1..=3) && part.bytes().all(|b| b.is_ascii_digit());
    let opens = |rest: &str| {
        let rest = rest.trim_start_matches('.').strip_prefix([' ', '\t']);
        rest.is_some_and(|rest| rest.starts_with(char::is_uppercase))
    };
    let Some((chapter, number)) = mark.rsplit_once('.') else {
        return false;
    };
    let (true, true, Ok(number)) = (begins_line, mark.split('.').all(is_number), number.parse::<u16>())
    else {
        return false;
    };
    if !opens(&text[span.start + mark.len()..]) || document.block_at(span.start).kind == BlockKind::TableCell
    {
        return false;
    }
    let (from, to) = (back(text, span.start, REACH), forth(text, span.end, REACH));
    let has = |near: &str, number: u16| {
        let mark = format!("{chapter}.{number}");
        near.lines()
            .any(|line| line.strip_prefix(&mark).is_some_and(opens))
    };
    number > 0 && has(&text[from..span.start], number - 1) || has(&text[span.end..to], number + 1)
}

/// So many bytes before a place, or the text's beginning.
fn back(text: &str, at: usize, bytes: usize) -> usize {
    text.ceil_char_boundary(at.saturating_sub(bytes))
}

/// So many bytes behind a place, or the text's end.
fn forth(text: &str, at: usize, bytes: usize) -> usize {
    text.floor_char_boundary((at + bytes).min(text.len()))
}

/// A span without the number of the next clause, or a part of it, that it ends with: "£4.50.\n1.3" of "is £4.50.\n1.3 The fee".
fn without_next_number(text: &str, span: Span) -> Span {
    let Some((before, number)) = text[span.clone()].rsplit_once('\n') else {
        return span;
    };
    let (before, number) = (before.trim_end(), number.trim());
    let is_number = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b'(' | b')');
    let goes_on = text[span.end..].starts_with(['.', ')', ' ', '\t']);
    let is_next = number.len() <= LONGEST_MARK
        && number.bytes().all(is_number)
        && goes_on
        && before.ends_with(['.', ';', '?', '!', ':']);
    if !is_next || begins_with_a_mark(text, &span) {
        return span;
    }
    // The stop belongs to the sentence, unless it is one of an abbreviation.
    let amount = before.trim_end_matches(['.', ';']);
    let is_amount = amount.ends_with(|c: char| c.is_ascii_digit() || c == '%');
    let kept = if is_amount { amount } else { before };
    span.start..span.start + kept.len()
}

/// Such a span has the marks of several clauses.
fn begins_with_a_mark(text: &str, span: &Span) -> bool {
    let is_mark = |c: char| c.is_ascii_digit() || c == '(';
    text[..span.start].ends_with('\n') && text[span.clone()].starts_with(is_mark)
}

/// A span without the label of the next entry, or a part of it, that it ends with: "4120\nLaptop" of "Pay: Bell, 4120\nLaptop: Lund, 4400".
fn without_next_label(text: &str, span: Span) -> Span {
    let Some((before, next)) = text[span.clone()].rsplit_once('\n') else {
        return span;
    };
    let before = before.trim_end();
    let label_at = |at: usize| label(&text[at..forth(text, at, LONGEST_LABEL)]).map(|label| at + label.len());
    let ends_in_label = label_at(span.end - next.len()).is_some_and(|end| span.end <= end);
    let from = back(text, span.start, LONGEST_LINE);
    let own = text[from..span.start]
        .rfind('\n')
        .map_or(from, |line| from + line + 1);
    let is_entry = label_at(own).is_some_and(|end| end < span.start);
    if !ends_in_label || !is_entry || before.is_empty() || begins_with_a_mark(text, &span) {
        return span;
    }
    span.start..span.start + before.len()
}

/// The label that a line begins with: "Laptop and phone" of "Laptop and phone: Lund".
fn label(line: &str) -> Option<&str> {
    let (label, _) = line.split_once(": ")?;
    let is_label = label.starts_with(char::is_uppercase) && !label.contains(['\n', '.', ',']);
    is_label.then_some(label)
}

/// Longer labels, and lines behind them, in bytes, are prose.
const LONGEST_LABEL: usize = 42;
const LONGEST_LINE: usize = 200;

/// The number of a clause is seldom longer.
const LONGEST_MARK: usize = 9;

/// A span from within an item into the next, but not to that one's end: what it has of the first. Whole items may be an answer together,
/// and so may those of a sentence ("Ann Bell,").
fn within_item(document: &Document, span: Span) -> Span {
    let (first, last) = (document.block_at(span.start), document.block_at(span.end - 1));
    let text = document.text();
    if first.kind != BlockKind::ListItem || first.span == last.span || !first.span.contains(&span.start) {
        return span;
    }
    let opening = &text[first.span.start..forth(text, first.span.start, LONGEST_MARK).min(first.span.end)];
    let begins = first.span.start + item_marker(opening);
    let ends = text[span.end..last.span.end.max(span.end)].trim_start_matches(['.', ',', ';']);
    if span.start <= begins || ends.is_empty() {
        return span;
    }
    let kept = text[span.start..first.span.end].trim_end_matches([',', ';', '.', ' ']);
    match kept.is_empty() {
        true => span,
        false => span.start..span.start + kept.len(),
    }
}

/// A span over items of a list of names or things as the whole list: spans have a greatest length, so that they end within a name or
/// before the last one, and who asks for members does not ask for some of them.
fn whole_list(document: &Document, span: Span) -> Span {
    let (text, blocks) = (document.text(), document.blocks());
    let (first, last) = (
        document.block_index(span.start),
        document.block_index(span.end - 1),
    );
    let section = blocks[first].section;
    let is_item = |block: &&Block| block.kind == BlockKind::ListItem && block.section == section;
    if first == last || !blocks[first..=last].iter().all(|block| is_item(&block)) {
        return span;
    }
    // No more than may be quoted are looked at.
    let before = blocks[..first].iter().rev().take(LONGEST_LIST);
    let behind = blocks[last + 1..].iter().take(LONGEST_LIST);
    let from = first - before.take_while(is_item).count();
    let to = last + behind.take_while(is_item).count();
    let names = |block: &Block| block.span.len() <= LONGEST_NAME && !text[block.span.clone()].contains(": ");
    let whole = blocks[from].span.start..blocks[to].span.end;
    if whole.len() > LONGEST_LIST || !blocks[from..=to].iter().all(names) {
        return span;
    }
    let start = whole.start + item_marker(&text[blocks[from].span.clone()]);
    let end = whole.start + text[whole].trim_end_matches([',', ';']).len();
    start.min(span.start)..end.max(span.end)
}

/// Longer items, in bytes, are clauses, and longer lists are no answer.
const LONGEST_NAME: usize = 80;
const LONGEST_LIST: usize = 4000;

/// Widens a span to whole user-perceived characters, since tokenizers leave out combining marks at the end
/// of a word, and takes white space off its ends.
fn whole_characters(text: &str, span: Span) -> Span {
    let (mut start, mut end) = (span.start, span.end);
    let boundary = |at: usize| {
        GraphemeCursor::new(at, text.len(), true)
            .is_boundary(text, 0)
            .unwrap_or(true)
    };
    while !text.is_char_boundary(start) || !boundary(start) {
        start -= 1;
    }
    while !text.is_char_boundary(end) || !boundary(end) {
        end += 1;
    }
    let inner = &text[start..end];
    let lead = inner.len() - inner.trim_start().len();
    let trimmed = inner.trim();
    if trimmed.is_empty() {
        start..end
    } else {
        start + lead..start + lead + trimmed.len()
    }
}

/// A span without the `A.` that a witness's words begin with: a name with an initial before it would be another.
fn without_turn(text: &str, span: Span) -> Span {
    /// How far away another turn is looked for, in bytes.
    const REACH: usize = 2000;
    let begins_line = span.start == 0 || text[..span.start].ends_with('\n');
    let Some(own) = turn(&text[span.clone()]).filter(|_| begins_line) else {
        return span;
    };
    let (from, to) = (back(text, span.start, REACH), forth(text, span.start, REACH));
    let is_other = |line: &str| turn(line).is_some_and(|other| other != own);
    if !text[from..to].lines().any(is_other) {
        return span;
    }
    let words = text[span.start + 1..span.end]
        .trim_start_matches(|c: char| matches!(c, '.' | ':') || c.is_whitespace());
    match words.len() {
        0 => span,
        length => span.end - length..span.end,
    }
}

/// A span without the part of what is struck that it begins or ends with: of `£5,000~~ £7,500`, only the second holds.
fn without_struck(text: &str, span: Span) -> Span {
    /// How far away the tildes before it are looked for, in bytes.
    const REACH: usize = 2000;
    // Tokens cut the marks themselves.
    let cut = |at: usize| {
        let near = &text[back(text, at, LONGEST_NUMBER)..at];
        let tildes = near.len() - near.trim_end_matches('~').len();
        tildes % STRUCK.len() == 1 && text[at..].starts_with('~')
    };
    let span = span.start - usize::from(cut(span.start))..span.end + usize::from(cut(span.end));
    let from = back(text, span.start, REACH);
    let before = &text[from..span.start];
    let before = &before[before.rfind("\n\n").unwrap_or(0)..];
    let begins_struck = before.matches(STRUCK).count() % 2 == 1;
    let inside = &text[span.clone()];
    let holds = match inside.split_once(STRUCK) {
        Some((_, rest)) if begins_struck => rest,
        _ => inside,
    };
    let holds = match holds.rsplit_once(STRUCK) {
        Some((rest, _)) if holds.matches(STRUCK).count() % 2 == 1 => rest,
        _ => holds,
    };
    let words = holds.trim();
    match words.contains(char::is_alphanumeric) {
        true => {
            let start = span.start + (words.as_ptr() as usize - inside.as_ptr() as usize);
            start..start + words.len()
        }
        false => span,
    }
}

/// Widens the number of a table's cell to the cell, if that holds no other: `(1,142)` is a loss, and `$0.52` no number of shares.
fn whole_value(document: &Document, span: Span) -> Span {
    let block = document.block_at(span.start);
    let text = document.text();
    let is_cell = block.kind == BlockKind::TableCell
        && span.end <= block.span.end
        && block.span.len() <= LONGEST_NUMBER;
    let has_digit = |text: &str| text.contains(|c: char| c.is_ascii_digit());
    let is_all = || {
        let others = [block.span.start..span.start, span.end..block.span.end];
        has_digit(&text[span.clone()]) && !others.into_iter().any(|other| has_digit(&text[other]))
    };
    match is_cell && is_value(&text[block.span.clone()]) && is_all() {
        true => block.span.clone(),
        false => span,
    }
}

/// Widens a span at whose ends an address of mail or of the web, a dotted name, a number with a fraction or a sign, a time, a telephone
/// number or a case's number (`3:22-cv-04410`) would be cut: half of one is none.
fn whole_tokens(text: &str, span: Span) -> Span {
    let (mut start, mut end) = (span.start, span.end);
    if let Some(address) = address_at(text, start) {
        start = start.min(address.start);
    }
    if let Some(address) = address_at(text, end - 1) {
        end = end.max(address.end);
    }
    let digit = |c: char| c.is_ascii_digit();
    let least = back(text, start, LONGEST_NUMBER);
    while text[start..].starts_with(digit) {
        let near = &text[least..start];
        let before = near.strip_suffix(['.', ',', ':']).unwrap_or(near);
        let rest = before.trim_end_matches(digit);
        if rest.len() == before.len() {
            break;
        }
        start = least + rest.len();
    }
    // A sign, also one before a currency's: "-$5".
    let currency = ['$', '€', '£', '¥'];
    let number = text[start..].strip_prefix(currency).unwrap_or(&text[start..]);
    if number.starts_with(digit) {
        let near = back(text, start, LONGEST_NUMBER);
        let money = text[..start].strip_suffix(currency).unwrap_or(&text[..start]);
        let before = &money[..near + money[near..].trim_end_matches(['-', '−', '–']).len()];
        let is_sign = before.is_empty() || before.ends_with(|c: char| c.is_whitespace() || c == '(');
        if money.ends_with('+') && !money.ends_with("++") && !money.trim_end_matches('+').ends_with(digit) {
            start = money.len() - 1;
        } else if is_sign && money[before.len()..].chars().count() == 1 {
            start = before.len();
        }
    }
    let most = forth(text, end, LONGEST_NUMBER);
    while text[..end].ends_with(digit) && end < most {
        let rest = &text[end..most];
        let fraction = rest.strip_prefix(['.', ',', ':']).unwrap_or(rest);
        let digits = fraction.len() - fraction.trim_start_matches(digit).len();
        if digits == 0 {
            break;
        }
        end += rest.len() - fraction.len() + digits;
    }
    if text[..end].ends_with(digit) && text[end..].starts_with('-') {
        let rest = text[end..forth(text, end, LONGEST_NUMBER)]
            .split(char::is_whitespace)
            .next()
            .unwrap_or_default();
        let rest = rest.trim_end_matches(|c: char| !c.is_alphanumeric());
        if rest.contains(digit) && rest.contains(|c: char| c.is_ascii_alphabetic()) {
            end += rest.len();
        }
    }
    let near = &text[back(text, end, LONGEST_NUMBER)..end];
    let others = near.trim_end_matches(|c: char| c.is_alphabetic() || c == '.');
    let is_abbreviation = near[others.len()..]
        .split_once('.')
        .is_some_and(|(first, rest)| first.len() == 1 && rest.split('.').all(|part| part.len() == 1));
    if is_abbreviation && text[end..].starts_with('.') {
        end += 1; // "6 a.m"
    }
    within_formula(text, start..end)
}

/// Widens a span that begins or ends at what is raised or lowered: half of `10³⁰` or of `A^H` is another quantity.
fn within_formula(text: &str, span: Span) -> Span {
    let is_script = |c: char| matches!(c, '^' | '_' | '²' | '³' | '¹' | '⁰'..='₎');
    let is_word = |c: char| c.is_alphanumeric() || is_script(c);
    let (mut start, mut end) = (span.start, span.end);
    if text[start..].starts_with(is_script) {
        let near = &text[back(text, start, LONGEST_NUMBER)..start];
        start -= near.len() - near.trim_end_matches(is_word).len();
    }
    let near = &text[end..forth(text, end, LONGEST_NUMBER)];
    let goes_on = text[..end].ends_with(is_script) && near.starts_with(char::is_alphanumeric)
        || near.starts_with(is_script);
    if goes_on && text[..end].ends_with(is_word) {
        let rest = &near[..near.len() - near.trim_start_matches(is_word).len()];
        // "_Title_" is no formula.
        end += rest.trim_end_matches(['^', '_']).len();
    }
    start..end
}

/// What a number has on either side of a span, in bytes, is seldom longer.
const LONGEST_NUMBER: usize = 40;

/// The address or dotted name around a byte, without the brackets and stops around it.
fn address_at(text: &str, byte: usize) -> Option<Span> {
    const LONGEST: usize = 500;
    let (from, to) = (back(text, byte, LONGEST), forth(text, byte, LONGEST));
    let at = text.floor_char_boundary(byte).max(from);
    let start = text[from..at]
        .char_indices()
        .rev()
        .find(|&(_, c)| c.is_whitespace())
        .map(|(space, c)| from + space + c.len_utf8())
        .or((from == 0).then_some(0))?;
    let end = text[at..to]
        .find(char::is_whitespace)
        .map(|length| at + length)
        .or((to == text.len()).then_some(to))?;
    let word = &text[start..end];
    let is_around = |c: char| !c.is_alphanumeric() && !matches!(c, '/' | '+' | '_');
    let word = word.trim_start_matches(is_around);
    let start = end - word.len();
    let word = word.trim_end_matches(is_around);
    let is_address = word.contains("://")
        || word.starts_with("www.")
        || word.trim_matches('@').contains('@')
        || is_dotted(word);
    let span = start..start + word.len();
    (is_address && span.contains(&byte)).then_some(span)
}

/// The name of a file, a site or a setting: "report.pdf", "headers.limit", "src/main.rs". A capital behind the stop begins a sentence
/// that lost its space.
fn is_dotted(word: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':');
    let begins_small = |part: &str| part.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    word.split_once('.').is_some_and(|(first, rest)| {
        first.contains(|c: char| c.is_ascii_alphabetic())
            && rest.split('.').all(begins_small)
            && word.chars().all(is_part)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::document::Format;

    /// What is quoted where a part of a text is found.
    fn quoted(text: &str, part: &str, format: Format) -> String {
        let document = Document::new("t", text, format).unwrap();
        let at = document.text().find(part).unwrap();
        document.text()[whole(&document, at..at + part.len())].to_owned()
    }

    #[test]
    fn the_mark_of_a_turn_is_no_initial() {
        let words = |text: &'static str, answer: &str| {
            let at = text.find(answer).unwrap();
            &text[without_turn(text, at..at + answer.len())]
        };
        let transcript = "Q.  Who?\nA.  Dale Pruitt.\nQ.  A. Milne?\n";
        assert_eq!(words(transcript, "A.  Dale Pruitt"), "Dale Pruitt");
        assert_eq!(words(transcript, "Q.  A. Milne"), "A. Milne");
        assert_eq!(
            words("Q: Who?\nA: Dale Pruitt.\n", "A: Dale Pruitt"),
            "Dale Pruitt"
        );
        assert_eq!(words(transcript, "A. Milne"), "A. Milne");
        assert_eq!(words(transcript, "A.  "), "A.  ");
        assert_eq!(words("A. Milne wrote it.\nQ was there.", "A. Milne"), "A. Milne");
    }

    #[test]
    fn addresses_and_numbers_are_not_cut() {
        let text = "Write to <press.office@trust.example>, call +44 20 7946 or 3.5, see https://www.trust.example/a-b/c.html. Version 1.2.3, 14-year-old (www.a.example).";
        let widened_in = |text: &'static str, part: &str| {
            let at = text.find(part).unwrap();
            &text[whole_tokens(text, at..at + part.len())]
        };
        let widened = |part: &str| widened_in(text, part);
        assert_eq!(widened("press"), "press.office@trust.example");
        assert_eq!(widened("to <press"), "to <press.office@trust.example");
        assert_eq!(widened("trust"), "press.office@trust.example");
        assert_eq!(widened("44 20"), "+44 20");
        assert_eq!(widened("or 3"), "or 3.5");
        assert_eq!(
            widened("https://www.trust"),
            "https://www.trust.example/a-b/c.html"
        );
        assert_eq!(widened("1.2"), "1.2.3");
        assert_eq!(widened("14"), "14");
        assert_eq!(widened("(www.a"), "(www.a.example");
        assert_eq!(widened("www"), "https://www.trust.example/a-b/c.html");
        assert_eq!(whole_tokens("No. 3:22-cv-04410-JSC, filed", 4..8), 4..21);
        assert_eq!(whole_tokens("in 2019-2020", 3..7), 3..7);
        assert_eq!(whole_tokens("a 19-year-old", 2..4), 2..4);
        assert_eq!(whole_tokens("a@b", 0..1), 0..3);
        assert_eq!(whole_tokens("at 10:30", 3..5), 3..8);
        let code = "Set `headers.limit` in /etc/relay.conf or src/main.rs:12. It ended.The rest, e.g. at 9.30am or 12.May.";
        let formulas = "about 10³⁰ kg, A^H = A† of _Title_ and set_default, CO₂";
        for (text, part, whole) in [
            (code, "Set `headers", "Set `headers.limit"),
            (code, "limit", "headers.limit"),
            (code, "etc", "/etc/relay.conf"),
            (code, "src/main", "src/main.rs:12"),
            (code, "It ended", "It ended"),
            (code, "12.May", "12.May"),
            (formulas, "10", "10³⁰"),
            (formulas, "³⁰ kg", "10³⁰ kg"),
            (formulas, "^H = A†", "A^H = A†"),
            (formulas, "Title", "Title"),
            (formulas, "default", "default"),
            (formulas, "set", "set_default"),
            (formulas, "CO", "CO₂"),
        ] {
            assert_eq!(widened_in(text, part), whole, "{part}");
        }
        assert_eq!(whole_tokens("at 10:30", 6..8), 3..8);
        assert_eq!(whole_tokens("cost $5,199.50", 8..11), 6..14);
        assert_eq!(whole_tokens("cost 84.2", 8..9), 5..9);
        assert_eq!(whole_tokens("in 2019. 14 died", 9..16), 9..16);
        assert_eq!(whole_tokens("at -5 degrees", 4..5), 3..5);
        assert_eq!(whole_tokens("−7", 3..4), 0..4);
        for money in ["at -$5", "at −£5", "at -5"] {
            assert_eq!(
                whole_tokens(money, money.len() - 1..money.len()).start,
                3,
                "{money}"
            );
        }
        assert_eq!(whole_tokens("at -$5", 4..6), 3..6);
        assert_eq!(whole_tokens("at -£5", 6..7), 3..7);
        assert_eq!(whole_tokens("at $5", 4..5), 4..5);
        assert_eq!(whole_tokens("at $5+$3", 6..8), 6..8);
        assert_eq!(whole_tokens("score 3-2", 8..9), 8..9);
        assert_eq!(whole_tokens("a --5", 4..5), 4..5);
        let endless = "5,".repeat(10_000);
        assert_eq!(whole_tokens(&endless, 5_000..5_001), 4_960..5_041);
        let endless = "x@".repeat(10_000);
        assert_eq!(whole_tokens(&endless, 5_000..5_001), 5_000..5_001);
    }

    #[test]
    fn the_number_of_a_cell_is_the_whole_cell() {
        let source = "a,b,c\n(142),$0.52,93 ± 7\nx 5,2024,−3.1%\n";
        let document = Document::new("t", source, Format::Csv).unwrap();
        let of = |part: &str| {
            let at = document.text().find(part).unwrap();
            &document.text()[whole_value(&document, at..at + part.len())]
        };
        assert_eq!(of("142"), "(142)");
        assert_eq!(of("0.52"), "$0.52");
        assert_eq!(of("3.1"), "−3.1%");
        assert_eq!(of("93"), "93");
        assert_eq!(of("x"), "x");
    }

    #[test]
    fn what_is_half_struck_is_what_holds() {
        let of = |text: &'static str, part: &str| {
            let at = text.find(part).unwrap();
            &text[without_struck(text, at..at + part.len())]
        };
        assert_eq!(of("It is ~~£5,000~~ £7,500.", "£5,000~~ £7,500"), "£7,500");
        assert_eq!(of("It is £7,500 ~~£5,000~~.", "£7,500 ~~£5,000"), "£7,500");
        assert_eq!(
            of("It is ~~£5,000~~ £7,500.", "~~£5,000~~ £7,500"),
            "~~£5,000~~ £7,500"
        );
        assert_eq!(of("It is ~~£5,000~~ £7,500.", "£5,000"), "£5,000");
        assert_eq!(of("It is ~~£5,000~~.", "~£5,000~"), "~~£5,000~~");
        assert_eq!(of("It is ~~£5,000~~ £7,500.", "~ £7,500"), "£7,500");
        assert_eq!(
            of("~~£5,000~~~~£6,000~~ £7,500", "~~£6,000~~ £7,500"),
            "~~£6,000~~ £7,500"
        );
        assert_eq!(of("~~£5,000~~~~£6,000~~ £7,500", "~~£5,000~~"), "~~£5,000~~");
        assert_eq!(of("~~It is 5~~.", "5~~"), "5~~");
        assert_eq!(of("a ~~ b\n\n5 ~~6~~ 7", "5 ~~6~~ 7"), "5 ~~6~~ 7");
        assert_eq!(of("about ~~ 5", "5"), "5");
    }

    #[test]
    fn the_number_of_the_next_clause_is_no_part_of_an_answer() {
        let clauses = "1.2 The fee is £4.50.\n1.3 The other is from Acme Inc.\n(4) Cash is free at 9:30; and\n3 people pay.\n";
        let plain = |part: &str| quoted(clauses, part, Format::Plain);
        assert_eq!(plain("£4.50.\n1.3"), "£4.50");
        assert_eq!(plain("£4.50.\n1"), "£4.50");
        assert_eq!(plain("Acme Inc.\n(4"), "Acme Inc.");
        for part in ["9:30; and\n3", "1.3 The other is from Acme Inc.\n(4"] {
            assert_eq!(plain(part), part);
        }
        let entries = "Pay: Beatrix Lam, extension 4120\nLaptop and phone: Lund\nHe was with the mayor\nJohn Smith: no.\n";
        let entry = |part: &str| quoted(entries, part, Format::Plain);
        assert_eq!(entry("4120\nLaptop and phone"), "4120");
        assert_eq!(entry("4120\nLaptop"), "4120");
        assert_eq!(entry("the mayor\nJohn Smith"), "the mayor\nJohn Smith");
        let long = format!("Pay: {}\nLaptop: Lund\n", "word ".repeat(100));
        let all = &long["Pay: ".len()..long.len() - ": Lund\n".len()];
        assert_eq!(
            quoted(&long, all, Format::Plain),
            all.trim_end_matches("\nLaptop").trim_end()
        );
        let items =
            "- Bell, extension 4120\n- Laptop and phone: Lund\n- Ann Bell,\n- Otto Lund and\n- Mary Ames.\n";
        let list = |part: &str| quoted(items, part, Format::Markdown);
        assert_eq!(list("4120\nLaptop and phone"), "4120");
        for part in ["Bell, extension 4120\nLaptop", "Bell,\nOtto Lund and\nMary Ames"] {
            assert_eq!(list(part), part);
        }
    }

    #[test]
    fn some_names_of_a_list_are_all_of_them() {
        let minutes =
            "Present:\n- Ines Vidal\n- Otto Lund (chair)\n- Mary Ann Ames\n\nApologies:\n- Tom Bell\n";
        let present = "Ines Vidal\nOtto Lund (chair)\nMary Ann Ames";
        for part in [
            "Ines Vidal\nOtto Lund (chair)\nMary",
            "Vidal\nOtto Lund (chair)",
            "Ines Vidal\nOtto",
            present,
        ] {
            assert_eq!(quoted(minutes, part, Format::Markdown), present, "{part}");
        }
        for part in ["Otto Lund", "Mary Ann Ames", "Tom Bell"] {
            assert_eq!(quoted(minutes, part, Format::Markdown), part);
        }
        let plain = "Present:\n\n- Ines Vidal\n- Otto Lund\n- Mary Ames;\n\nIt rained.\n";
        assert_eq!(
            quoted(plain, "Ines Vidal\n- Otto", Format::Plain),
            "Ines Vidal\n- Otto Lund\n- Mary Ames"
        );
        let entries = "- Vidal: accounts\n- Vidal: post\n- Lund: roof\n";
        assert_eq!(
            quoted(entries, "Vidal: accounts\nVidal: post", Format::Markdown),
            "Vidal: accounts\nVidal: post"
        );
        let clauses = format!("- The fee\n- The hire\n- The rent {}\n", "and more ".repeat(10));
        assert_eq!(
            quoted(&clauses, "The fee\nThe hire", Format::Markdown),
            "The fee\nThe hire"
        );
    }

    #[test]
    fn the_number_of_a_clause_has_neighbours() {
        let is_mark = |text: &str, part: &str, format| {
            let document = Document::new("t", text, format).unwrap();
            let at = document.text().find(part).unwrap();
            is_mark(&document, &(at..at + part.len()))
        };
        let clauses = "1.2 The fee is £4.50.\n1.3. The other is £9.\n1.5 Cash is free.\n";
        assert!(is_mark(clauses, "1.2", Format::Plain));
        assert!(is_mark(clauses, "1.3", Format::Plain));
        assert!(!is_mark(clauses, "1.5", Format::Plain));
        let versions = "1.3 Fixes the search.\n1.2 Adds tables.\n1.1 First release.\n";
        assert!(!is_mark(versions, "1.2", Format::Plain));
        assert!(!is_mark("Score,Name\n1.2,Bell\n1.3,Lund\n", "1.2", Format::Csv));
    }

    #[test]
    fn spans_are_widened_to_whole_characters() {
        let text = "a cafe\u{301} b";
        assert_eq!(&text[whole_characters(text, 2..6)], "cafe\u{301}");
        let text = " 👩\u{200d}🚀 ";
        assert_eq!(&text[whole_characters(text, 1..5)], "👩\u{200d}🚀");
        assert_eq!(&text[whole_characters(text, 0..12)], "👩\u{200d}🚀");
    }

    /// Text made of what the rules look at.
    fn tricky() -> impl Strategy<Value = String> {
        #[rustfmt::skip]
        let pieces = [
            "1.2", "1.3", "(4)", " ", "\n", "\n\n", "- ", "The fee", "Pay: Bell", "£", "-", "−", "$5", "9:30", ".", ";", "~", "~~", "A.", "Q. Who?", "é", "cafe\u{301}", "👩\u{200d}🚀", "www.a.example", "(1,142)", "+", "5,5,5", "%", "\t", "|",
        ];
        proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 1..40)
            .prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn what_is_quoted_is_a_part_of_the_text(text in tricky(), from in 0usize..200, length in 1usize..60, is_list: bool) {
            let format = if is_list { Format::Markdown } else { Format::Plain };
            let Ok(document) = Document::new("t", text.as_str(), format) else { return Ok(()) };
            let text = document.text();
            let start = text.floor_char_boundary(from % text.len());
            let end = text.ceil_char_boundary((start + length).min(text.len()));
            prop_assume!(start < end && !text[start..end].trim().is_empty());
            let span = whole(&document, start..end);
            prop_assert!(!span.is_empty() && !text[span].trim().is_empty());
        }
    }
}
