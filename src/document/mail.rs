//! Mail (MIME): one message, or a mailbox of them (mbox).
//!
//! The text of such a file is taken out of it, and read as plain text: the headers that people read, then the body, of several
//! alternatives the plain one. Mail without MIME and without the headers of those who carried it is plain text as it stands.

use std::fmt::Write;

use mail_parser::{Address, Header, HeaderName, HeaderValue, Message, MessageParser, MessagePart, PartType};

use super::html;

/// Messages within a message; parsing and freeing them needs the stack.
const MOST_MESSAGES_WITHIN: usize = 1_000;
/// Parts of parts, for which the parser looks at all boundaries again.
const MOST_MULTIPARTS: usize = 20_000;

/// The text of mail, and what was left out.
pub(super) struct Mail {
    pub(super) text: String,
    pub(super) left_out: Vec<(&'static str, usize)>,
}

/// Whether a file is mail that has to be decoded, or has headers that nobody reads. `is_named`: whether its name says that it is mail.
pub(super) fn is_encoded(bytes: &[u8], is_named: bool) -> bool {
    const FIRST: [&str; 13] = [
        "from:",
        "to:",
        "subject:",
        "date:",
        "message-id:",
        "mime-version:",
        "return-path:",
        "received:",
        "delivered-to:",
        "reply-to:",
        "content-type:",
        "dkim-signature:",
        "x-",
    ];
    const MIME: [&str; 2] = ["mime-version:", "content-transfer-encoding:"];
    const CARRIED: [&str; 3] = ["received: from ", "received: by ", "return-path: <"];
    let begins_with = |line: &[u8], with: &[&str]| {
        with.iter().any(|with| {
            line.get(..with.len())
                .is_some_and(|begin| begin.eq_ignore_ascii_case(with.as_bytes()))
        })
    };
    let bytes = from_first_header(bytes, is_named);
    let first = bytes.split(|&b| b == b'\n').next().unwrap_or_default();
    let is_mailbox = is_separator(first.trim_ascii_end());
    let is_mail = is_mailbox || begins_with(first, &FIRST) || is_named && is_header(first);
    if !is_mail {
        return false;
    }
    let is_blank = |line: &[u8]| match is_named {
        true => matches!(line, [] | [b'\r']),
        false => line.trim_ascii().is_empty(),
    };
    let lines = || {
        bytes
            .split(|&b| b == b'\n')
            .take_while(|line| is_mailbox || !is_blank(line))
    };
    let is_mime = |line: &[u8]| {
        begins_with(line, &MIME)
            || memchr::memmem::find(line, b"=?")
                .is_some_and(|at| memchr::memmem::find(&line[at..], b"?=").is_some())
    };
    // Without a word of its encoding it is what text is, and only UTF-8 is read as that here.
    lines().any(|line| is_mime(line.trim_ascii()))
        || lines().any(|line| begins_with(line, &CARRIED)) && str::from_utf8(bytes).is_ok()
}

/// A message from its first header on. Where the name says that it is one, programs have left blank lines above, and `From sender`.
fn from_first_header(bytes: &[u8], is_named: bool) -> &[u8] {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if !is_named {
        return bytes;
    }
    let bytes = bytes.trim_ascii_start();
    let (first, rest) = bytes.split_at(memchr::memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1));
    match first.starts_with(b"From ") && !is_separator(first.trim_ascii_end()) {
        true => rest,
        false => bytes,
    }
}

/// `Name: …`
fn is_header(line: &[u8]) -> bool {
    let name = line.iter().position(|&b| b == b':').map(|end| &line[..end]);
    name.is_some_and(|name| !name.is_empty() && name.iter().all(|&b| b.is_ascii_alphanumeric() || b == b'-'))
}

/// Takes the text out of mail; the error says what is wrong.
pub(super) fn read(bytes: &[u8], is_named: bool) -> Result<Mail, &'static str> {
    let bytes = from_first_header(bytes, is_named);
    let mut writer = Writer::default();
    let messages = messages(bytes);
    if messages.is_empty() {
        writer.parse(bytes)?;
    }
    for message in messages {
        writer.parse(&message)?;
    }
    let left_out = [
        ("attachment", writer.attachments),
        ("encrypted part", writer.encrypted),
    ];
    Ok(Mail {
        text: writer.text,
        left_out: left_out.into_iter().filter(|&(_, n)| n > 0).collect(),
    })
}

/// The messages of a mailbox, of none if it is none: each stands behind `From sender date` and a blank line, and where a line of
/// it begins with `From `, that has a `>` before it (mbox(5)).
fn messages(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut messages: Vec<Vec<u8>> = Vec::new();
    let mut is_apart = true;
    for line in bytes.split_inclusive(|&b| b == b'\n') {
        let words = line.trim_ascii_end();
        if is_apart && is_separator(words) {
            messages.push(Vec::new());
        } else if let Some(message) = messages.last_mut() {
            let unquoted = line
                .iter()
                .position(|&b| b != b'>')
                .map_or(line, |at| &line[at..]);
            let is_quoted = line.starts_with(b">") && unquoted.starts_with(b"From ");
            message.extend_from_slice(&line[usize::from(is_quoted)..]);
        } else {
            return messages;
        }
        is_apart = words.is_empty();
    }
    messages
}

/// `From ann@example.org Tue Mar  3 10:12:00 2026`
fn is_separator(line: &[u8]) -> bool {
    let year = line
        .rsplit(|&b| b == b' ')
        .find(|word| word.len() == 4 && word.iter().all(u8::is_ascii_digit));
    line.starts_with(b"From ") && year.is_some() && line.contains(&b':')
}

#[derive(Default)]
struct Writer {
    text: String,
    attachments: usize,
    encrypted: usize,
}

impl Writer {
    fn parse(&mut self, message: &[u8]) -> Result<(), &'static str> {
        let most = [
            ("message/rfc822", MOST_MESSAGES_WITHIN),
            ("multipart/", MOST_MULTIPARTS),
        ];
        let lower = message.to_ascii_lowercase();
        for (what, most) in most {
            if memchr::memmem::find_iter(&lower, what).nth(most).is_some() {
                return Err("it has more parts within parts than can be read");
            }
        }
        drop(lower);
        if let Some(message) = MessageParser::default().parse(message) {
            self.write(&message);
        }
        Ok(())
    }

    fn write(&mut self, message: &Message<'_>) {
        if !self.text.is_empty() {
            self.text.push_str("\n\n");
        }
        for header in message.headers() {
            self.write_header(header, message);
        }
        let before = self.text.len();
        message.text_bodies().for_each(|part| self.write_part(part));
        // Programs write a plain alternative without a word.
        if self.text[before..].trim().is_empty() {
            message.html_bodies().for_each(|part| self.write_part(part));
        }
        for part in message.attachments() {
            match &part.body {
                PartType::Message(message) => self.write(message),
                PartType::InlineBinary(_) if has_type(part, |kind, _| kind == "image") => {}
                _ if has_type(part, |_, subtype| {
                    matches!(subtype, "pkcs7-mime" | "pgp-encrypted")
                }) =>
                {
                    self.encrypted += 1;
                }
                _ => self.attachments += 1,
            }
        }
    }

    fn write_part(&mut self, part: &MessagePart<'_>) {
        match &part.body {
            PartType::Text(text) => self.write_body(text),
            PartType::Html(text) => self.write_body(&html::body(text).text),
            _ => {}
        }
    }

    fn write_body(&mut self, text: &str) {
        self.text.push('\n');
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    fn write_header(&mut self, header: &Header<'_>, message: &Message<'_>) {
        let name = match header.name {
            HeaderName::From => "From",
            HeaderName::To => "To",
            HeaderName::Cc => "Cc",
            HeaderName::Date => "Date",
            HeaderName::Subject => "Subject",
            _ => return,
        };
        let value = match &header.value {
            HeaderValue::Text(text) => text.to_string(),
            HeaderValue::TextList(list) => list.join(", "),
            HeaderValue::Address(address) => shown(address),
            _ => {
                let raw = message
                    .raw_message
                    .get(header.offset_start as usize..header.offset_end as usize);
                String::from_utf8_lossy(raw.unwrap_or_default()).into_owned()
            }
        };
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        if !value.is_empty() {
            // Writing to a string does not fail.
            let _ = writeln!(self.text, "{name}: {value}");
        }
    }
}

fn has_type(part: &MessagePart<'_>, is: fn(&str, &str) -> bool) -> bool {
    part.headers.iter().any(|header| match &header.value {
        HeaderValue::ContentType(kind) => {
            let subtype = kind.subtype().unwrap_or_default().to_ascii_lowercase();
            is(&kind.ctype().to_ascii_lowercase(), &subtype)
        }
        _ => false,
    })
}

fn shown(address: &Address<'_>) -> String {
    let one = |address: &mail_parser::Addr<'_>| match (address.name(), address.address()) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (name, address) => name.or(address).unwrap_or_default().to_owned(),
    };
    address.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(mail: &str) -> String {
        assert!(is_encoded(mail.as_bytes(), false), "{mail}");
        read(mail.as_bytes(), false).unwrap().text
    }

    #[test]
    fn encodings_are_undone() {
        let mail = "Return-Path: <a@b>\r\nFrom: =?utf-8?q?R=C3=A9n=C3=A9e?= <r@x.org>\r\nTo: \"Lund, Otto\" <o@x.org>, a@b\r\n\
                    Subject: The =?iso-8859-1?Q?caf=E9?=\r\nDate: Tue,\r\n 3 Mar 2026 10:12:00 +0100\r\nX-Spam: no\r\n\
                    Content-Type: text/plain; charset=windows-1252\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
                    The dam cost =80 40 million=\r\n and was paid for by =93Elbing=94.\r\n";
        assert_eq!(
            text(mail),
            "From: Rénée <r@x.org>\nTo: Lund, Otto <o@x.org>, a@b\nSubject: The café\nDate: Tue, 3 Mar 2026 10:12:00 +0100\n\n\
             The dam cost € 40 million and was paid for by “Elbing”.\n"
        );
    }

    #[test]
    fn of_alternatives_one_is_read_and_what_is_attached_is_counted() {
        let mail = "MIME-Version: 1.0\nSubject: Minutes\nContent-Type: multipart/mixed; boundary=m\n\n\
                    --m\nContent-Type: multipart/alternative; boundary=a\n\n\
                    --a\nContent-Type: text/plain\n\nIt was carried.\n--a\nContent-Type: text/html\n\n<p>It was <b>carried</b>.\n--a--\n\
                    --m\nContent-Type: application/pdf\nContent-Disposition: attachment; filename=a.pdf\nContent-Transfer-Encoding: base64\n\nAAAA\n\
                    --m\nContent-Type: message/rfc822\n\nSubject: Before\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\n\
                    PHA+Q2Fmw6kgPGI+b3BlbnM8L2I+Lg==\n--m--\n";
        let mail = read(mail.as_bytes(), false).unwrap();
        assert_eq!(
            mail.text,
            "Subject: Minutes\n\nIt was carried.\n\n\nSubject: Before\n\nCafé opens.\n"
        );
        assert_eq!(mail.left_out, [("attachment", 1)]);
    }

    #[test]
    fn headers_are_decoded_though_the_body_is_plain() {
        assert_eq!(
            text(
                "From: =?UTF-8?Q?Zo=C3=AB?= <z@x.org>\nMIME-Version: 1.0\nContent-Type: text/plain\n\nIt rained.\n"
            ),
            "From: Zoë <z@x.org>\n\nIt rained.\n"
        );
    }

    #[test]
    fn a_mailbox_is_read_message_by_message() {
        let one = "From a@b Tue Mar  3 10:12:00 2026\nSubject: One\nContent-Transfer-Encoding: quoted-printable\n\nIt=20rained.\n>From here on it did not.\nFrom Monday on.\n\n";
        let mailbox = one.to_owned() + &one.replace("One", "Two");
        let expected = "Subject: One\n\nIt rained.\nFrom here on it did not.\nFrom Monday on.\n";
        assert_eq!(
            text(&mailbox),
            format!("{expected}\n\n{}", expected.replace("One", "Two"))
        );
    }

    #[test]
    fn what_is_plain_or_no_mail_is_left_alone() {
        for plain in [
            "From: a@b\nSubject: x\n\nWe met.\n",
            "From the beginning it was clear.\nWhat =? it\n",
            "Subject: x\n\nIt said\nMIME-Version: 1.0\n",
            "The header\nContent-Transfer-Encoding: base64\n",
            "",
        ] {
            assert!(!is_encoded(plain.as_bytes(), false), "{plain}");
        }
    }

    #[test]
    fn headers_of_those_who_carried_it_are_not_read() {
        let mail = "Return-Path: <a@b>\nTo: c@d\nReceived: from x\n by y\nSubject: Rain\n\nIt rained.\n";
        assert_eq!(text(mail), "To: c@d\nSubject: Rain\n\nIt rained.\n");
        for above in ["\n \r\n", "From a@b\n", "Recieved: from x\n"] {
            let mail = format!("{above}To: c@d,\n \n e@f\nMime-Version: 1.0\n\nIt rained.\n");
            assert!(is_encoded(mail.as_bytes(), true), "{mail}");
            let text = read(mail.as_bytes(), true).unwrap().text;
            assert!(
                text.starts_with("To: c@d") && text.ends_with("\n\nIt rained.\n"),
                "{text:?}"
            );
        }
        let western = b"Subject: x\nReceived: from y\n\nCaf\xe9 opens.\n";
        assert!(!is_encoded(western, true), "it is read as text is");
        assert!(!is_encoded(b"To: Ann\nReceived: 5 May\n", true));
    }

    #[test]
    fn an_alternative_without_words_is_none() {
        let mail = "MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=a\n\n--a\nContent-Type: text/plain\n\n \n\
                    --a\nContent-Type: text/html\n\n<title>t</title><p>It rained.\n--a--\n";
        assert_eq!(text(mail).trim(), "It rained.");
    }

    #[test]
    fn messages_within_messages_are_bounded() {
        let nested = "Content-Type: message/rfc822\r\n\r\n".repeat(100_000) + "Subject: x\r\n\r\nhello";
        assert!(read(nested.as_bytes(), false).is_err());
        let few =
            "Content-Type: message/rfc822\r\n\r\n".repeat(MOST_MESSAGES_WITHIN) + "Subject: x\r\n\r\nhello";
        assert!(read(few.as_bytes(), false).unwrap().text.ends_with("hello\n"));
    }
}
