//! XML as office programs write it: elements by their local names, text with its references resolved.
//!
//! There is no recursion, no entity is expanded but the predefined ones, and depth has a limit.

use std::borrow::Cow;
use std::str::FromStr;

use quick_xml::events::{BytesStart, Event as Raw};
use quick_xml::{Reader, XmlVersion};

/// Word writes a dozen elements for each table within a table.
const DEEPEST: usize = 512;

/// Names of styles and lists are kept, compared and hashed for each paragraph.
const LONGEST_VALUE: usize = 1024;

/// What stands next.
pub(super) enum Event<'a> {
    /// The beginning of an element; each has an end.
    Open(Element<'a>),
    /// The end of the element that was opened last.
    Close,
    /// Text, or a piece of it.
    Text(Cow<'a, str>),
}

/// The beginning of an element.
pub(super) struct Element<'a>(BytesStart<'a>);

impl Element<'_> {
    /// Its name without a prefix.
    pub(super) fn name(&self) -> &str {
        local(self.full_name())
    }

    /// Its name as it stands there.
    pub(super) fn full_name(&self) -> &str {
        self.0.name().into_inner()
    }

    /// The value of an attribute, by its name without a prefix. One that is longer than any name or path is none.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        self.find(|key| local(key) == name)
    }

    /// The number that an attribute holds.
    pub(super) fn number<T: FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.trim().parse().ok()
    }

    /// Whether an element of Office Open XML that is on or off (`CT_OnOff`) is on, as it is without a word.
    pub(super) fn is_on(&self) -> bool {
        !matches!(self.get("val").as_deref(), Some("0" | "false" | "off"))
    }

    /// The same, of an attribute that has a prefix: `r:id`, beside which there is an `id`.
    pub(super) fn get_prefixed(&self, name: &str) -> Option<String> {
        self.find(|key| key.contains(':') && local(key) == name)
    }

    fn find(&self, is_wanted: impl Fn(&str) -> bool) -> Option<String> {
        let mut attributes = self.0.attributes();
        attributes.with_checks(false); // They compare each with each.
        let found = attributes.flatten().find(|a| is_wanted(a.key.into_inner()))?;
        if found.value.len() > LONGEST_VALUE {
            return None;
        }
        Some(match found.normalized_value(XmlVersion::Implicit1_0) {
            Ok(value) => value.into_owned(),
            Err(_) => found.value.into_owned(),
        })
    }
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// Reads events; an error says in words what is wrong.
pub(super) struct Xml<'a> {
    reader: Reader<&'a [u8]>,
    depth: usize,
}

impl<'a> Xml<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Self { reader, depth: 0 }
    }

    /// How many elements are open.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// The next element that begins, `None` at the end.
    pub(super) fn next_element(&mut self) -> Result<Option<Element<'a>>, &'static str> {
        while let Some(event) = self.next()? {
            if let Event::Open(element) = event {
                return Ok(Some(element));
            }
        }
        Ok(None)
    }

    /// The next event, `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Event<'a>>, &'static str> {
        loop {
            return Ok(Some(match self.reader.read_event() {
                Err(_) => return Err("is no well-formed XML"),
                Ok(Raw::Start(element)) => {
                    self.depth += 1;
                    if self.depth > DEEPEST {
                        return Err("has elements that are nested too deep");
                    }
                    Event::Open(Element(element))
                }
                Ok(Raw::End(_)) => {
                    self.depth -= 1;
                    Event::Close
                }
                Ok(Raw::Text(text)) => Event::Text(text.into_inner()),
                Ok(Raw::CData(text)) => Event::Text(text.into_inner()),
                Ok(Raw::GeneralRef(reference)) => {
                    let character = match reference.resolve_char_ref() {
                        Ok(character) => character,
                        Err(_) => continue, // No character at all.
                    };
                    Event::Text(match (character, &*reference) {
                        (Some(character), _) => character.to_string().into(),
                        (None, "amp") => "&".into(),
                        (None, "lt") => "<".into(),
                        (None, "gt") => ">".into(),
                        (None, "quot") => "\"".into(),
                        (None, "apos") => "'".into(),
                        (None, name) => format!("&{name};").into(),
                    })
                }
                Ok(Raw::Eof) if self.depth > 0 => return Err("ends too soon"),
                Ok(Raw::Eof) => return Ok(None),
                Ok(_) => continue,
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, &'static str> {
        let (mut xml, mut read) = (Xml::new(text), String::new());
        while let Some(event) = xml.next()? {
            match event {
                Event::Open(element) => read += &format!("[{}", element.name()),
                Event::Close => read.push(']'),
                Event::Text(text) => read += &text,
            }
        }
        Ok(read)
    }

    #[test]
    fn references_are_resolved_and_entities_are_not() {
        let laughs =
            "<!DOCTYPE a [<!ENTITY b '&c;&c;'>]><w:a x='1'>A &amp; B&#233;&#xE9;&b;<b/><![CDATA[<i>]]></w:a>";
        assert_eq!(read(laughs), Ok("[aA & Béé&b;[b]<i>]".to_owned()));
    }

    #[test]
    fn what_is_no_xml_is_an_error() {
        for broken in ["<a>", "<a></b>", "<a", "</a>", "<a>&amp</a>"] {
            assert!(read(broken).is_err(), "{broken}");
        }
        assert!(read(&"<a>".repeat(100_000)).unwrap_err().contains("deep"));
        assert_eq!(read("<a>&#0;&#x110000;</a>"), Ok("[a]".to_owned()));
    }
}
