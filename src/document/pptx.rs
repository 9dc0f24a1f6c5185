//! PPTX (ECMA-376, part 1, sections 19 and 21): slide by slide, each a page, its title first, what the speaker is to say last.

use std::collections::HashMap;

use super::BlockKind;
use super::extracted::{Extracted, Setting};
use super::numeral::Numeral;
use super::omml::Formula;
use super::package::{Package, Relation};
use super::xml::{Element, Event, Xml};
use crate::error::Result;

/// Reads the presentation whose main part this is.
pub(super) fn read(package: &mut Package<'_>, part: &str) -> Result<Extracted> {
    let text = package.needed(part)?;
    let relations = package.relations(part)?;
    let targets: HashMap<&str, &str> = relations
        .iter()
        .map(|relation| (relation.id.as_str(), relation.target.as_str()))
        .collect();
    let slides = slides(&text).map_err(|fault| package.malformed(part, fault))?;
    let mut extracted = Extracted::with_pages();
    for (index, id) in slides.iter().enumerate() {
        if index > 0 {
            extracted.next_page();
        }
        let Some(slide) = targets.get(id.as_str()) else {
            return Err(package.damaged(format!("slide {} is not there", index + 1)));
        };
        let from = extracted.len();
        let others = package.relations(slide)?;
        extracted = read_slide(package, slide, &others, false, extracted)?;
        extracted.put_headings_first(from);
        for relation in &others {
            match relation.kind.as_str() {
                "notesSlide" => extracted = read_slide(package, &relation.target, &[], true, extracted)?,
                "comments" => {
                    let text = package.needed(&relation.target)?;
                    count_comments(&text, &mut extracted)
                        .map_err(|fault| package.malformed(&relation.target, fault))?;
                }
                _ => {}
            }
        }
    }
    Ok(extracted)
}

/// The relations of the slides, in their order.
fn slides(text: &str) -> Result<Vec<String>, &'static str> {
    let mut xml = Xml::new(text);
    let mut slides = Vec::new();
    while let Some(element) = xml.next_element()? {
        if element.name() == "sldId" {
            slides.extend(element.get_prefixed("id"));
        }
    }
    Ok(slides)
}

fn count_comments(text: &str, extracted: &mut Extracted) -> Result<(), &'static str> {
    let mut xml = Xml::new(text);
    while let Some(element) = xml.next_element()? {
        if matches!(element.name(), "cm" | "reply") {
            extracted.leave_out("comment");
        }
    }
    Ok(())
}

/// Reads a slide, or the notes for one. Its diagrams are parts of their own.
fn read_slide(
    package: &mut Package<'_>,
    part: &str,
    relations: &[Relation],
    is_notes: bool,
    extracted: Extracted,
) -> Result<Extracted> {
    let text = package.needed(part)?;
    let mut walk = Walk::new(extracted, is_notes);
    let targets: HashMap<&str, &Relation> = relations.iter().map(|r| (r.id.as_str(), r)).collect();
    let mut xml = Xml::new(&text);
    while let Some(event) = xml.next().map_err(|fault| package.malformed(part, fault))? {
        let Some(diagram) = walk.event(event) else {
            continue;
        };
        let found = targets.get(diagram.as_str());
        let text = match found {
            Some(relation) => package.text(&relation.target)?,
            None => None,
        };
        let (Some(relation), Some(text)) = (found, text) else {
            walk.extracted.leave_out("diagram");
            continue;
        };
        let mut diagram = Xml::new(&text);
        let mut within = Walk::new(walk.extracted, false);
        let malformed = |fault| package.malformed(&relation.target, fault);
        while let Some(event) = diagram.next().map_err(malformed)? {
            within.event(event);
        }
        walk.extracted = within.extracted;
    }
    Ok(walk.extracted)
}

/// What has to be done at the end of an element.
enum Frame {
    Nothing,
    Opened,
    Shape,
    Text,
    Properties,
    /// `mc:AlternateContent`, and whether one of its alternatives has been read.
    Alternatives(bool),
}

/// What a shape is for (section 19.7.10).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Title,
    /// Text with a bullet before each paragraph, unless it says otherwise.
    Body,
    /// The number of the slide, the date: what repeats, or the picture of a slide beside the notes for it.
    Furniture,
    Other,
}

struct Walk {
    extracted: Extracted,
    is_notes: bool,
    frames: Vec<Frame>,
    skipped: usize,
    properties: usize,
    role: Role,
    /// How many shapes there have been, which tells lists apart.
    shapes: u32,
    /// The numbers of the items of this shape, by level.
    counts: [u32; 9],
    level: usize,
    /// How the current run is set.
    setting: Setting,
    /// The formula that the place is in.
    formula: Option<Formula>,
}

impl Walk {
    fn new(extracted: Extracted, is_notes: bool) -> Self {
        Self {
            // Lists of two slides are two.
            shapes: u32::try_from(extracted.len()).unwrap_or(u32::MAX / 2),
            extracted,
            is_notes,
            frames: Vec::new(),
            skipped: 0,
            properties: 0,
            role: Role::Other,
            counts: [0; 9],
            level: 0,
            setting: Setting::default(),
            formula: None,
        }
    }

    /// Takes in an event. Returns the relation of a diagram that stands there.
    fn event(&mut self, event: Event<'_>) -> Option<String> {
        match event {
            Event::Open(_) if self.skipped > 0 => self.skipped += 1,
            Event::Close if self.skipped > 0 => self.skipped -= 1,
            Event::Text(_) if self.skipped > 0 => {}
            event if let Some(formula) = &mut self.formula => {
                if let Some(line) = formula.event(&event) {
                    self.formula = None;
                    self.extracted.text(&line);
                    self.close();
                }
            }
            Event::Open(element) => return self.open(&element),
            Event::Close => self.close(),
            Event::Text(text) if matches!(self.frames.last(), Some(Frame::Text)) => {
                self.extracted.set_text(&text, self.setting);
            }
            Event::Text(_) => {}
        }
        None
    }

    fn open(&mut self, element: &Element<'_>) -> Option<String> {
        if let Some(Frame::Alternatives(is_read)) = self.frames.last_mut()
            && std::mem::replace(is_read, true)
        {
            self.skipped = 1;
            return None;
        }
        let mut diagram = None;
        let extracted = &mut self.extracted;
        let frame = match element.name() {
            "ph" => {
                self.role = self.role_of(element);
                Frame::Nothing
            }
            "txBody" if self.role == Role::Furniture => {
                self.skipped = 1;
                return None;
            }
            "lstStyle" => {
                self.skipped = 1;
                return None;
            }
            "buNone" | "buChar" | "buAutoNum" | "buBlip" if self.properties == 1 => {
                self.bullet(element);
                Frame::Nothing
            }
            name if name.ends_with("Pr") => {
                if name == "pPr" && self.properties == 0 {
                    let level = element.number::<usize>("lvl");
                    self.level = level.unwrap_or(0).min(self.counts.len() - 1);
                }
                if name == "rPr" && self.properties == 0 {
                    let baseline = element.number::<i32>("baseline");
                    self.setting = Setting {
                        is_raised: baseline.is_some_and(|baseline| baseline > 0),
                        is_struck: element.get("strike").is_some_and(|strike| strike != "noStrike"),
                    };
                }
                self.properties += 1;
                Frame::Properties
            }
            _ if self.properties > 0 => Frame::Nothing,
            "sp" | "graphicFrame" | "cxnSp" => {
                self.role = if self.is_notes {
                    Role::Furniture
                } else {
                    Role::Other
                };
                self.shapes += 1;
                self.counts = [0; 9];
                Frame::Shape
            }
            "p" => {
                extracted.open_paragraph();
                self.level = 0;
                let kind = match self.role {
                    Role::Title => BlockKind::Heading,
                    Role::Body => BlockKind::ListItem,
                    _ => BlockKind::Paragraph,
                };
                extracted.set_kind(kind, self.shapes);
                Frame::Opened
            }
            "r" => {
                self.setting = Setting::default();
                Frame::Nothing
            }
            "t" => Frame::Text,
            "oMath" => {
                self.formula = Some(Formula::default());
                Frame::Nothing
            }
            "br" => {
                extracted.line_break();
                Frame::Nothing
            }
            "tab" => {
                extracted.tab();
                Frame::Nothing
            }
            name @ ("tbl" | "tr" | "tc") => {
                extracted.open_table_element(name);
                if name == "tc" {
                    let number = |name| element.number(name).unwrap_or(1);
                    extracted.span_cell(number("gridSpan"), number("rowSpan"));
                }
                Frame::Opened
            }
            "AlternateContent" => Frame::Alternatives(false),
            "chart" => {
                extracted.leave_out("chart");
                Frame::Nothing
            }
            "oleObj" => {
                extracted.leave_out("embedded file");
                Frame::Nothing
            }
            "relIds" => {
                diagram = element.get("dm");
                Frame::Nothing
            }
            _ => Frame::Nothing,
        };
        self.frames.push(frame);
        diagram
    }

    fn close(&mut self) {
        match self.frames.pop() {
            Some(Frame::Opened) => self.extracted.close(),
            Some(Frame::Properties) => self.properties -= 1,
            Some(Frame::Shape) => self.role = Role::Other,
            Some(Frame::Nothing | Frame::Text | Frame::Alternatives(_)) | None => {}
        }
    }

    fn role_of(&self, element: &Element<'_>) -> Role {
        let kind = element.get("type");
        match kind.as_deref() {
            Some("body") if self.is_notes => Role::Other,
            _ if self.is_notes => Role::Furniture,
            Some("title" | "ctrTitle") => Role::Title,
            Some("sldNum" | "dt" | "ftr" | "hdr" | "sldImg") => Role::Furniture,
            Some("body" | "obj") | None => Role::Body,
            Some(_) => Role::Other,
        }
    }

    /// A paragraph says which bullet it has; without a word it has that of the layout, which is not looked at.
    fn bullet(&mut self, element: &Element<'_>) {
        if self.role == Role::Title {
            return;
        }
        let mark = match element.name() {
            "buNone" => return self.extracted.set_kind(BlockKind::Paragraph, 0),
            "buAutoNum" => {
                let start = element
                    .get("startAt")
                    .and_then(|start| start.parse().ok())
                    .unwrap_or(1);
                self.counts[self.level + 1..].fill(0);
                let count = &mut self.counts[self.level];
                *count = if *count == 0 {
                    start
                } else {
                    count.saturating_add(1)
                };
                automatic(&element.get("type").unwrap_or_default(), *count)
            }
            _ => "•".to_owned(),
        };
        self.extracted.set_kind(BlockKind::ListItem, self.shapes);
        self.extracted.set_mark(mark);
    }
}

/// A number in one of the schemes of section 20.1.10.61: `arabicPeriod`, `alphaLcParenBoth`.
fn automatic(scheme: &str, number: u32) -> String {
    let numeral = match scheme {
        _ if scheme.starts_with("alphaLc") => Numeral::LowerLetter,
        _ if scheme.starts_with("alphaUc") => Numeral::UpperLetter,
        _ if scheme.starts_with("romanLc") => Numeral::LowerRoman,
        _ if scheme.starts_with("romanUc") => Numeral::UpperRoman,
        _ => Numeral::Decimal,
    };
    let written = numeral.write(number);
    match scheme {
        _ if scheme.ends_with("ParenBoth") => format!("({written})"),
        _ if scheme.ends_with("ParenR") => format!("{written})"),
        _ if scheme.ends_with("Period") => format!("{written}."),
        _ => written,
    }
}

#[cfg(test)]
mod tests {
    use super::automatic;
    use crate::document::package::tests::packed;
    use crate::document::read::document;
    use crate::document::{BlockKind, Document};

    fn relations(all: &[(&str, &str, &str)]) -> String {
        let one = |(id, kind, target): &(&str, &str, &str)| {
            format!("<Relationship Id='{id}' Type='http://example.org/{kind}' Target='{target}'/>")
        };
        format!(
            "<Relationships>{}</Relationships>",
            all.iter().map(one).collect::<String>()
        )
    }

    fn shape(placeholder: &str, paragraphs: &str) -> String {
        format!(
            "<p:sp><p:nvSpPr><p:nvPr>{placeholder}</p:nvPr></p:nvSpPr><p:txBody><a:bodyPr/>{paragraphs}</p:txBody></p:sp>"
        )
    }

    fn slide(shapes: &str) -> String {
        format!("<p:sld><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:sld>")
    }

    fn pptx() -> Document {
        let first = slide(
            &[
                shape("<p:ph type='sldNum'/>", "<a:p><a:fld><a:t>1</a:t></a:fld></a:p>"),
                shape(
                    "<p:ph idx='1'/>",
                    "<a:p><a:r><a:rPr/><a:t>Rivers</a:t></a:r></a:p><a:p><a:pPr><a:buChar char='x'/></a:pPr><a:r><a:t>Lakes</a:t></a:r></a:p>\
                     <a:p><a:pPr><a:buNone/></a:pPr><a:r><a:t>Seas</a:t></a:r><a:br/><a:r><a:t>and oceans</a:t></a:r></a:p>",
                ),
                shape("<p:ph type='title'/>", "<a:p><a:r><a:t>Water</a:t></a:r></a:p>"),
            ]
            .concat(),
        );
        let second = slide(
            "<p:graphicFrame><a:graphic><a:graphicData><a:tbl><a:tblPr/><a:tr><a:tc><a:txBody><a:p><a:r><a:t>Lake</a:t></a:r></a:p></a:txBody></a:tc>\
             <a:tc><a:txBody><a:p><a:r><a:t>Depth</a:t></a:r></a:p></a:txBody><a:tcPr/></a:tc></a:tr></a:tbl></a:graphicData></a:graphic></p:graphicFrame>\
             <p:graphicFrame><a:graphicData><c:chart r:id='rId9'/></a:graphicData></p:graphicFrame>\
             <mc:AlternateContent><mc:Choice><p:graphicFrame><a:graphicData><dgm:relIds r:dm='rId2'/></a:graphicData></p:graphicFrame></mc:Choice><mc:Fallback><p:sp><p:txBody><a:p><a:r><a:t>twice</a:t></a:r></a:p></p:txBody></p:sp></mc:Fallback></mc:AlternateContent>",
        );
        let notes = slide(
            &[
                shape("<p:ph type='sldImg'/>", "<a:p/>"),
                shape(
                    "<p:ph type='body'/>",
                    "<a:p><a:r><a:t>Pause here.</a:t></a:r></a:p>",
                ),
            ]
            .concat(),
        );
        let diagram = "<dgm:dataModel><dgm:pt><dgm:t><a:bodyPr/><a:p><a:r><a:t>Rain falls.</a:t></a:r></a:p></dgm:t></dgm:pt></dgm:dataModel>";
        let bytes = packed(&[
            (
                "_rels/.rels",
                &relations(&[("rId1", "officeDocument", "ppt/presentation.xml")]),
            ),
            (
                "ppt/presentation.xml",
                "<p:presentation><p:sldIdLst><p:sldId id='256' r:id='rId8'/><p:sldId id='257' r:id='rId7'/></p:sldIdLst></p:presentation>",
            ),
            (
                "ppt/_rels/presentation.xml.rels",
                &relations(&[
                    ("rId7", "slide", "slides/slide1.xml"),
                    ("rId8", "slide", "slides/slide2.xml"),
                ]),
            ),
            ("ppt/slides/slide2.xml", &first),
            ("ppt/slides/slide1.xml", &second),
            (
                "ppt/slides/_rels/slide2.xml.rels",
                &relations(&[
                    ("rId1", "notesSlide", "../notesSlides/notesSlide1.xml"),
                    ("rId2", "comments", "/ppt/comments/comment1.xml"),
                ]),
            ),
            (
                "ppt/slides/_rels/slide1.xml.rels",
                &relations(&[("rId2", "diagramData", "../diagrams/data1.xml")]),
            ),
            ("ppt/notesSlides/notesSlide1.xml", &notes),
            ("ppt/diagrams/data1.xml", diagram),
            (
                "ppt/comments/comment1.xml",
                "<p:cmLst><p:cm><p:text>No.</p:text></p:cm></p:cmLst>",
            ),
        ]);
        document("talk".into(), &bytes, None).unwrap()
    }

    #[test]
    fn slides_are_pages_in_their_order() {
        let document = pptx();
        assert_eq!(
            document.source(),
            "Water\n\nRivers\n• Lakes\n\nSeas\nand oceans\n\nPause here.\n\nLake\tDepth\n\nRain falls."
        );
        let kinds: Vec<_> = document.blocks().iter().map(|b| b.kind).collect();
        use BlockKind::*;
        assert_eq!(
            kinds,
            [
                Heading, ListItem, ListItem, Paragraph, Paragraph, TableCell, TableCell, Paragraph
            ]
        );
        let page = |of: &str| document.position(document.source().find(of).unwrap()).page;
        assert_eq!(
            (page("Water"), page("Pause"), page("Depth"), page("Rain")),
            (Some(1), Some(1), Some(2), Some(2))
        );
        assert_eq!(document.left_out(), [("comment", 1), ("chart", 1)]);
    }

    #[test]
    fn items_are_numbered_by_their_scheme() {
        assert_eq!(automatic("arabicPeriod", 3), "3.");
        assert_eq!(automatic("alphaLcParenBoth", 2), "(b)");
        assert_eq!(automatic("romanUcParenR", 4), "IV)");
        assert_eq!(automatic("arabicPlain", 5), "5");
    }
}
