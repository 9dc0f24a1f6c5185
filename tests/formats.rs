//! Files that are no plain text, from the file to the answer.

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
    packed(&[("_rels/.rels", &relations), ("word/document.xml", &document)])
}

fn packed(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A PDF of one page.
fn report() -> Vec<u8> {
    let content = "BT /F 12 Tf 72 700 Td (The pier was built by Otto Lund.) Tj ET";
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R /Resources << /Font << /F 4 0 R >> >> >>".to_owned(),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
    ];
    let (mut file, mut places) = ("%PDF-1.4\n".to_owned(), String::new());
    for (number, object) in (1..).zip(&objects) {
        places += &format!("{:010} 00000 n \n", file.len());
        file += &format!("{number} 0 obj\n{object}\nendobj\n");
    }
    let table = file.len();
    file += &format!(
        "xref\n0 6\n0000000000 65535 f \n{places}trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n"
    );
    file.into_bytes()
}

#[test]
fn all_formats_of_a_folder_are_read() {
    let mail = "From: =?utf-8?q?Ren=C3=A9e?= <r@x.org>\nSubject: Pier\nMIME-Version: 1.0\n\
                Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\
                Content-Transfer-Encoding: quoted-printable\n\nIt cost =E2=82=AC 40=\n million.\n\
                --b\nContent-Type: application/pdf\nContent-Disposition: attachment\n\nx\n--b--\n";
    let container = "<container><rootfiles><rootfile full-path='book.opf'/></rootfiles></container>";
    let book = "<package><manifest><item id='a' href='a.xhtml' media-type='application/xhtml+xml'/></manifest>\
                <spine><itemref idref='a'/></spine></package>";
    let scene = Scene::new()
        .file("all/a.pdf", report())
        .file("all/b.docx", minutes())
        .file("all/c.eml", mail)
        .file(
            "all/d.epub",
            packed(&[
                ("mimetype", "application/epub+zip"),
                ("META-INF/container.xml", container),
                ("book.opf", book),
                ("a.xhtml", "<html><h1>One</h1><p>The <i>pier</i> sank.</p></html>"),
            ]),
        )
        .file("all/e.html", "<!DOCTYPE html><p>It was raised.")
        .finds("Otto Lund", 20.0);
    let text = scene.run(&["text", "all"]).to_string();
    assert_snapshot!(text.replace('\u{a0}', "·").replace('\t', "→"), @r"
    exit code 0
    --- output
    ==> all/a.pdf <==
    The pier was built by Otto Lund.
    ==> all/b.docx <==
    Minutes

    The pier was closed in June. It was repaired by Ada·Quist & Sons.

    Item→Cost
    Dredging→512
    ==> all/c.eml <==
    From: Renée <r@x.org>
    Subject: Pier

    It cost € 40 million.
    ==> all/d.epub <==
    One

    The pier sank.
    ==> all/e.html <==
    <!DOCTYPE html><p>It was raised.
    --- error
    ask: note: all/b.docx: not read: 1 deleted passage, 1 comment
    ask: note: all/c.eml: not read: 1 attachment
    ");
    let json = scene.run(&["--json", "who built the pier?", "all"]).json();
    let answer = &json["answers"][0];
    assert_eq!(
        (&answer["document"], &answer["page"]),
        (&"all/a.pdf".into(), &1.into())
    );
    assert_eq!(json["left_out"][2]["what"], "attachment");
}

#[test]
fn the_bytes_of_an_answer_are_those_of_the_text() {
    let scene = Scene::new()
        .file("minutes.docx", minutes())
        .finds("Ada Quist", 20.0);
    let text = scene.run(&["text", "minutes.docx", "-q"]).out;
    let json = scene.run(&["--json", "who repaired it?", "minutes.docx"]).json();
    let answer = &json["answers"][0];
    let byte = |key: &str| answer[key].as_u64().unwrap() as usize;
    assert_eq!(text[byte("start_byte")..byte("end_byte")], answer["source_text"]);
    let piped = Scene::new().stdin(minutes()).run(&["text", "-q"]);
    assert_eq!(piped.out, text);
    let nothing = Scene::new().run(&["text"]);
    nothing.fails_with(&["no documents: name files or folders"]);
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
