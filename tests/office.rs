//! Documents of office programs, from the file to the answer.

mod common;

use std::io::{Cursor, Write};

use common::Scene;
use insta::assert_snapshot;

/// A DOCX as Word writes it, with two pages, a table, a deletion and a comment.
fn minutes() -> Vec<u8> {
    let row = |cells: [&str; 2]| {
        let cell = |text| format!("<w:tc><w:tcPr/><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>");
        format!("<w:tr>{}</w:tr>", cells.map(cell).concat())
    };
    let document = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\r\n\
         <w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>\
         <w:p><w:pPr><w:pStyle w:val=\"Heading1\"/></w:pPr><w:r><w:t>Minutes</w:t></w:r></w:p>\
         <w:p><w:r><w:t xml:space=\"preserve\">The pier was closed in </w:t></w:r><w:del><w:r><w:delText>May</w:delText></w:r></w:del>\
         <w:ins><w:r><w:t>June</w:t></w:r></w:ins><w:r><w:commentReference w:id=\"0\"/></w:r><w:r><w:t xml:space=\"preserve\">. It was repaired </w:t></w:r>\
         <w:r><w:lastRenderedPageBreak/><w:t>by Ada&#160;Quist &amp; Sons.</w:t></w:r></w:p>\
         <w:tbl>{}{}</w:tbl><w:sectPr/></w:body></w:document>",
        row(["Item", "Cost"]),
        row(["Dredging", "512"]),
    );
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument";
    let relations = format!(
        "<Relationships><Relationship Id=\"rId1\" Type=\"{office}\" Target=\"word/document.xml\"/></Relationships>"
    );
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in [("_rels/.rels", relations), ("word/document.xml", document)] {
        zip.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn an_answer_from_a_docx_has_its_page_and_its_place() {
    let scene = Scene::new()
        .file("minutes.docx", minutes())
        .finds("Ada Quist", 20.0);
    let outcome = scene.run(&["who repaired it?", "minutes.docx"]);
    assert_snapshot!(outcome, @r"
    exit code 0
    --- output
    Ada Quist  (… %)
      minutes.docx:3 (page 2)  It was repaired by [Ada Quist] & Sons.
    --- error
    ask: note: minutes.docx: not read: 1 deleted passage, 1 comment
    ");
    let json = scene.run(&["--json", "who repaired it?", "minutes.docx"]).json();
    let answer = &json["answers"][0];
    assert_eq!(answer["text"], "Ada Quist");
    assert_eq!(answer["source_text"], "Ada\u{a0}Quist");
    assert_eq!(
        (&answer["page"], &answer["line"], &answer["column"]),
        (&2.into(), &3.into(), &49.into())
    );
    assert_eq!(answer["sentence"], "It was repaired by Ada Quist & Sons.");
    assert!(answer.get("encoding").is_none_or(serde_json::Value::is_null));
}

#[test]
fn a_docx_comes_through_a_pipe() {
    let scene = Scene::new().stdin(minutes()).finds("512", 20.0);
    let json = scene.run(&["--json", "what does dredging cost?"]).json();
    let answer = &json["answers"][0];
    assert_eq!(answer["text"], "512");
    assert_eq!(answer["row"][0]["heading"], "Item");
    assert_eq!(answer["row"][1]["text"], "512");
}

#[test]
fn what_is_not_read_names_the_remedy() {
    let locked = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";
    let scene = Scene::new()
        .file("a.docx", locked)
        .file("b.docx", &minutes()[..600]);
    scene
        .run(&["who?", "a.docx"])
        .fails_with(&["a.docx", "old Office file", "without a password"]);
    scene
        .run(&["who?", "b.docx"])
        .fails_with(&["b.docx: is damaged", "save it again"]);
}
