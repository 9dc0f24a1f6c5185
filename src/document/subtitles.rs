//! Subtitles (SubRip and `WebVTT`): what is said, without numbers, times and tags; sentences go on from cue to cue.

use std::ops::Range;

use super::plain::raw_line;
use super::{Block, BlockKind, Builder, Layout, sentence};

/// A silence behind the end of a sentence that begins a paragraph, in milliseconds.
const PAUSE: u64 = 1_500;
/// A silence that ends a sentence without a stop.
const LONG_PAUSE: u64 = 10_000;

/// Whether a text is subtitles, by its first lines.
pub(super) fn begins_like(source: &str) -> bool {
    let source = source.trim_start_matches(['\u{FEFF}', '\n', '\r', ' ']);
    let mut lines = source
        .split(['\n', '\r'])
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let is_number = !first.is_empty() && first.bytes().all(|b| b.is_ascii_digit());
    first == "WEBVTT"
        || first.starts_with("WEBVTT ")
        || timing(first).is_some()
        || (is_number && lines.next().is_some_and(|line| timing(line).is_some()))
}

pub(super) fn layout(source: &str) -> Layout {
    let mut words = Words {
        builder: Builder::new(source),
        blocks: Vec::new(),
        last: (0, ""),
        voice: "",
        until: 0,
    };
    let mut cue: Option<Cue> = None;
    let (mut cues, mut at) = (0, 0);
    // Above is nothing, or a blank line; and whether a comment or a style goes on, up to one.
    let (mut is_apart, mut is_comment) = (true, false);
    while let Some(line) = raw_line(source, at) {
        at = line.next;
        let text = source[line.words.clone()].trim();
        let was_apart = std::mem::replace(&mut is_apart, text.is_empty());
        is_comment &= !was_apart;
        if let Some((from, until)) = timing(text) {
            cues += 1;
            cue = Some(Cue {
                number: cues,
                from,
                until,
            });
            is_comment = false;
            continue;
        }
        let Some(cue) = cue.filter(|_| !text.is_empty() && !is_comment) else {
            continue;
        };
        let is_name = |text: &str| was_apart || text.bytes().all(|b| b.is_ascii_digit());
        let next = raw_line(source, at).map(|next| source[next.words].trim());
        if is_name(text) && next.is_some_and(|next| timing(next).is_some()) {
            continue;
        }
        let mut parts = text.split_whitespace();
        if was_apart && matches!(parts.next(), Some("NOTE" | "STYLE" | "REGION")) {
            is_comment = true;
            continue;
        }
        words.take(line.words, cue);
    }
    Layout {
        text: words.builder.text,
        map: words.builder.map,
        blocks: words.blocks,
        has_columns: false,
    }
}

/// When what follows is said, in milliseconds.
#[derive(Clone, Copy)]
struct Cue {
    /// From 1.
    number: usize,
    from: u64,
    until: u64,
}

/// What has been said so far.
struct Words<'a> {
    builder: Builder<'a>,
    blocks: Vec<Block>,
    /// The last line, as it stands in the source, and the number of its cue.
    last: (usize, &'a str),
    /// Who is known to speak.
    voice: &'a str,
    /// When the last cue ended.
    until: u64,
}

impl Words<'_> {
    /// Takes over a line of a cue.
    fn take(&mut self, line: Range<usize>, cue: Cue) {
        let source = self.builder.source;
        let text = source[line.clone()].trim();
        let said = said(source, line);
        let (number, last) = std::mem::replace(&mut self.last, (cue.number, text));
        let has_dash = said.iter().any(|said| said.has_dash);
        // Captions that roll show a line twice.
        if text == last && number < cue.number && cue.from <= self.until && !has_dash {
            self.until = cue.until;
            return;
        }
        let mut is_next = number < cue.number;
        for said in said {
            self.say(said, cue.from, std::mem::take(&mut is_next));
            self.until = cue.until;
        }
    }

    /// `is_next`: whether a cue begins with it.
    fn say(&mut self, said: Said, from: u64, is_next: bool) {
        let source = self.builder.source;
        let voice = said.voice.clone().map(|voice| &source[voice]);
        // Behind a sentence, a cue without a name is nobody's that is known.
        let last = self
            .blocks
            .last()
            .map(|block| &self.builder.text[block.span.clone()]);
        let voice = voice.or((is_next && last.is_some_and(sentence::stops)).then_some(""));
        let is_another = voice.is_some_and(|voice| voice != std::mem::replace(&mut self.voice, voice));
        let speaks = is_another || said.has_dash;
        let silence = from.saturating_sub(self.until);
        let is_new = match self.blocks.last() {
            None => true,
            Some(block) => {
                let before = &self.builder.text[block.span.clone()];
                speaks || silence >= LONG_PAUSE || (silence >= PAUSE && sentence::stops(before))
            }
        };
        let name = said.voice.filter(|_| is_new);
        let Some((first, _)) = said.pieces.first() else {
            return;
        };
        if !self.builder.text.is_empty() {
            let start = name.as_ref().map_or(first.start, |name| name.start);
            self.builder.separate(start, if is_new { "\n\n" } else { "\n" });
        }
        let start = self.builder.text.len();
        if let Some(name) = name {
            let tag_end = name.end + 1;
            self.builder.copy(name.clone());
            self.builder.replace(name.end..tag_end, ": ");
        }
        for (range, reads) in said.pieces {
            match reads {
                None => self.builder.copy(range),
                Some(with) => self.builder.replace(range, with),
            }
        }
        let text = &self.builder.text[start..];
        if text.trim().is_empty() {
            return; // Nothing but what is cleaned away.
        }
        let span = start + text.len() - text.trim_start().len()..start + text.trim_end().len();
        match self.blocks.last_mut() {
            Some(block) if !is_new => block.span.end = span.end,
            _ => {
                let section = u32::try_from(self.blocks.len()).unwrap_or(u32::MAX);
                self.blocks.push(Block::new(span, BlockKind::Paragraph, section));
            }
        }
    }
}

/// What one voice says in a line.
#[derive(Default)]
struct Said {
    /// The name in a voice tag, `<v Mayor Ruiz>`.
    voice: Option<Range<usize>>,
    /// Whether a dash says that somebody else speaks.
    has_dash: bool,
    /// The words without tags, and what is read in place of some.
    pieces: Vec<(Range<usize>, Option<&'static str>)>,
}

/// The longest tag, in bytes.
const LONGEST_TAG: usize = 256;

/// What is said in a line, voice by voice.
fn said(source: &str, line: Range<usize>) -> Vec<Said> {
    let text = source[line.clone()].trim_end();
    let opening = text.trim_start();
    let dash = ["- ", "– ", ">> "]
        .iter()
        .find_map(|dash| opening.strip_prefix(dash));
    let mut all = Vec::new();
    let mut said = Said {
        has_dash: dash.is_some(),
        ..Said::default()
    };
    let end = line.start + text.len();
    let mut at = end - dash.unwrap_or(opening).trim_start().len();
    while at < end {
        let rest = &source[at..end];
        let plain = rest.find(['<', '{', '&']).unwrap_or(rest.len());
        if plain > 0 {
            said.pieces.push((at..at + plain, None));
            at += plain;
            continue;
        }
        let near = &rest[..rest.floor_char_boundary(LONGEST_TAG)];
        let tag = match rest.as_bytes()[0] {
            b'<' => near.find('>'),
            b'{' if rest.starts_with("{\\") => near.find('}'),
            _ => None,
        };
        let entity = ENTITIES.iter().find(|(entity, _)| rest.starts_with(entity));
        if let Some(close) = tag {
            if let Some(name) = voice(&rest[..close]) {
                all.push(std::mem::take(&mut said));
                said.voice = Some(at + close - name.len()..at + close);
            }
            at += close + 1;
        } else if let Some((entity, character)) = entity {
            said.pieces.push((at..at + entity.len(), Some(character)));
            at += entity.len();
        } else {
            said.pieces.push((at..at + 1, None));
            at += 1;
        }
    }
    all.push(said);
    all
}

/// The name in the tag of a voice: `<v Mayor Ruiz`, `<v.loud Ann`.
fn voice(tag: &str) -> Option<&str> {
    let (class, name) = tag.strip_prefix("<v")?.split_once([' ', '\t'])?;
    let is_voice = class.is_empty() || class.starts_with('.');
    (is_voice && !name.trim().is_empty()).then_some(name)
}

/// The character references of `WebVTT` (section 6.4).
const ENTITIES: [(&str, &str); 6] = [
    ("&amp;", "&"),
    ("&gt;", ">"),
    ("&lrm;", ""),
    ("&lt;", "<"),
    ("&nbsp;", " "),
    ("&rlm;", ""),
];

/// `00:00:01,000 --> 00:00:04,000`, in milliseconds.
fn timing(line: &str) -> Option<(u64, u64)> {
    let (from, rest) = line.split_once(" --> ")?;
    let until = rest.split_whitespace().next()?;
    Some((milliseconds(from.trim())?, milliseconds(until)?))
}

/// `01:02:03,456` or `02:03.456`.
fn milliseconds(time: &str) -> Option<u64> {
    let (clock, fraction) = time.split_once([',', '.'])?;
    let mut seconds: u64 = 0;
    for part in clock.split(':') {
        seconds = seconds.checked_mul(60)?.checked_add(part.parse().ok()?)?;
    }
    let fraction: u64 = fraction.get(..3)?.parse().ok()?;
    seconds.checked_mul(1000)?.checked_add(fraction)
}

#[cfg(test)]
mod tests {
    #[test]
    fn line_ends_may_be_of_any_kind() {
        for end in ["\n", "\r", "\r\n"] {
            let source = ["WEBVTT", "", "00:01.000 --> 00:02.000", "Anna left."].join(end);
            assert!(super::begins_like(&source));
            let source = ["1", "00:00:01,000 --> 00:00:02,000", "Anna left."].join(end);
            assert!(super::begins_like(&source));
        }
    }

    use crate::document::{Document, Format};

    fn paragraphs(source: &str) -> Vec<String> {
        let document = Document::new("t", source, Format::Subtitles).unwrap();
        let blocks = document.blocks().iter();
        blocks
            .map(|b| document.text()[b.span.clone()].to_owned())
            .collect()
    }

    #[test]
    fn sentences_go_on_from_cue_to_cue() {
        let source = "17\n00:00:17,500 --> 00:00:20,000\nThe supply boat comes every second\nThursday, if the weather allows.\n\n\
            18\n00:00:20,500 --> 00:00:23,000\nThe keeper has not left the island\n\n\
            19\r\n00:00:23,100 --> 00:00:25,000\r\nfor eleven years, she says.\r\n\r\n\
            20\n00:00:27,000 --> 00:00:28,000\n<i>It rains.</i>\n21\n00:00:28,000 --> 00:00:29,000\n- {\\an8}Who is there?\n- 42\n";
        assert_eq!(
            paragraphs(source),
            [
                "The supply boat comes every second\nThursday, if the weather allows.\nThe keeper has not left the island\nfor eleven years, she says.",
                "It rains.",
                "Who is there?",
                "42"
            ]
        );
        let document = Document::new("t", source, Format::Subtitles).unwrap();
        let span = document.text().find("Thursday").unwrap();
        let place = document.source_span(&(span..span + 8));
        assert_eq!(&document.source()[place.clone()], "Thursday");
        assert_eq!(document.position(place.start).line, 4);
    }

    #[test]
    fn nothing_that_is_said_is_lost() {
        let source = "1\n00:00:01,000 --> 00:00:02,000\nThe mill was sold by\n\nKarl Berg in 1931.\n- Yes.\n- Yes.\n\n\
            2\n00:00:02,000 --> 00:00:03,000\n&nbsp;\u{200B}\n<i> \u{FEFF}</i>\n\n3\n00:00:03,000 --> 00:00:04,000\nThe end.\n";
        assert_eq!(
            paragraphs(source),
            [
                "The mill was sold by\nKarl Berg in 1931.",
                "Yes.",
                "Yes.\n \n \nThe end."
            ]
        );
        // Without cues it is text.
        for source in ["WEBVTT and SubRip compared\n", "WEBVTT\n\nNOTE\nnothing\n"] {
            assert!(!paragraphs(source).is_empty());
        }
    }

    #[test]
    fn voices_are_named_and_notes_left_out() {
        let source = "WEBVTT - Council\n\nNOTE by Ann\n\nSTYLE\n::cue { color: red }\n\nintro\n00:01.000 --> 00:04.000 align:start\n\
            <v.loud Mayor Ruiz>We close the <b>pier</b> &amp; the\n\n00:04.000 --> 00:06.000\n<v.loud Mayor Ruiz>We close the <b>pier</b> &amp; the\nharbour < 5 May.\n\n00:04.000 --> 00:06.000\n<i></i>\n";
        assert_eq!(
            paragraphs(source),
            ["Mayor Ruiz: We close the pier & the\nharbour < 5 May."]
        );
        let others = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>It is recorded\n\n00:02.000 --> 00:03.000\nproperly.\n\n\
            00:03.000 --> 00:04.000\nGood.\n\n00:04.000 --> 00:05.000\n<v Ann>Yes.\n";
        assert_eq!(
            paragraphs(others),
            ["Ann: It is recorded\nproperly.", "Good.", "Ann: Yes."]
        );
    }
}
