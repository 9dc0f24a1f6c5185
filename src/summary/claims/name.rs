//! Names: words with a capital letter, several in a row together.

use super::super::terms::is_function_word;
use super::lexer::{Lexer, NOT_THE_WORD, Parsed, bare};
use super::{Claim, ClaimKind, NameWord, Needs};

/// Words that a sentence often begins with and that are no names.
#[rustfmt::skip]
pub(super) const OPENERS: &[&str] = &[
    "according", "accordingly", "additionally", "afterwards", "although", "another", "besides", "consequently",
    "despite", "earlier", "either", "else", "even", "every", "everyone", "finally", "furthermore", "hence",
    "however", "indeed", "instead", "last", "later", "like", "likewise", "many", "meanwhile", "moreover", "neither",
    "nevertheless", "next", "nobody", "none", "nonetheless", "nothing", "others", "otherwise", "people", "rather",
    "several", "similarly", "since", "still", "subsequently", "therefore", "though", "thus", "today", "together",
    "unless", "unlike", "yesterday", "yet",
];

/// Titles: they stand before names, and alone.
#[rustfmt::skip]
pub(super) const TITLES: &[&str] = &[
    "captain", "chairman", "chancellor", "chief", "colonel", "deputy", "director", "dr", "envoy", "former", "general",
    "gov", "governor", "judge", "justice", "king", "lady", "lord", "mayor", "minister", "miss", "mr", "mrs", "ms",
    "pope", "president", "prime", "prince", "princess", "prof", "professor", "queen", "rep", "representative",
    "secretary", "sen", "senator", "sir", "vice",
];

/// Titles that say nothing of a person's office.
const FORMS_OF_ADDRESS: &[&str] = &["miss", "mr", "mrs", "ms", "mx"];

/// A run of more capitals than this is a headline: its words are looked for one by one.
const LONGEST_NAME: usize = 6;

impl Lexer<'_> {
    pub(super) fn name(&self, at: usize) -> Parsed {
        let mut end = at;
        while self.is_name(end) && (end == at || self.goes_on(end - 1)) {
            end += 1;
        }
        if end == at {
            return None;
        }
        let word = |i: usize| {
            let word = &self.words[i];
            let (key, _) = word.name_keys();
            let folded = bare(&word.text).to_lowercase();
            let address = FORMS_OF_ADDRESS.contains(&folded.as_str());
            (!address).then(|| NameWord {
                span: word.span.clone(),
                common: word.opens.then(|| format!("-{}", key.trim_start_matches('~'))),
                is_title: TITLES.binary_search(&folded.as_str()).is_ok(),
                key,
            })
        };
        let words: Vec<NameWord> = (at..end).filter_map(word).collect();
        let together = if words.len() > LONGEST_NAME {
            1
        } else {
            LONGEST_NAME
        };
        let claim = |words: &[NameWord]| Claim {
            kind: ClaimKind::Name,
            span: words[0].span.start..words[words.len() - 1].span.end,
            needs: Needs::AllOf(words.to_vec()),
            gives: Vec::new(),
        };
        Some((words.chunks(together).map(claim).collect(), end))
    }

    fn is_name(&self, at: usize) -> bool {
        let Some(word) = self.words.get(at) else {
            return false;
        };
        let folded = word.folded();
        let plain = folded.split('\'').next().unwrap_or("");
        if NOT_THE_WORD.contains(&bare(&word.text).as_str()) {
            return true;
        }
        word.text.contains(char::is_uppercase)
            && !word.text.starts_with(|c: char| c.is_ascii_digit())
            && !is_function_word(plain)
            && (!word.opens || OPENERS.binary_search(&plain).is_err())
            && self.date(at).is_none()
            && (!word.opens || self.number(at).is_none())
    }

    /// Whether a name may go on behind this word of it.
    fn goes_on(&self, at: usize) -> bool {
        let word = &self.words[at];
        let is_short =
            word.text.chars().count() == 1 || TITLES.binary_search(&word.folded().as_str()).is_ok();
        let is_possessive = word.folded().ends_with("'s");
        let next_opens = self.words.get(at + 1).is_some_and(|w| w.opens);
        match self.gap(at) {
            " " | "-" => !is_possessive && !next_opens,
            ". " | "." => is_short && !next_opens,
            _ => false,
        }
    }
}
