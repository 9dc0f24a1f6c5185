//! The elements of HTML, by what they do to the text.

/// Elements whose content is no text of the page. What stands in the first is no markup, either.
pub(super) const RAW: [&str; 5] = ["script", "style", "iframe", "noscript", "noembed"];
pub(super) const NOT_SHOWN: [&str; 9] = [
    "template",
    "svg",
    "object",
    "audio",
    "video",
    "canvas",
    "annotation",
    "annotation-xml",
    "datalist",
];

/// Whether an element of this name, in lower case, is one of HTML, and whether it begins and ends a line.
pub(in crate::document) fn element(name: &str) -> Option<bool> {
    const LINES: [&str; 12] = [
        "br", "dl", "menu", "ol", "picture", "pre", "table", "td", "th", "tr", "ul", "video",
    ];
    #[rustfmt::skip]
    const WITHIN: [&str; 49] = [
        "a", "abbr", "acronym", "audio", "b", "bdi", "bdo", "big", "canvas", "cite", "code", "col", "colgroup", "data", "del",
        "dfn", "em", "embed", "font", "i", "iframe", "img", "input", "ins", "kbd", "label", "link", "mark", "meta", "nobr", "object",
        "output", "param", "q", "s", "samp", "script", "small", "source", "span", "strike", "strong", "style", "sub", "sup", "time",
        "tt", "u", "var",
    ];
    let is_line = is_block(name.as_bytes()) || LINES.contains(&name);
    (is_line || name == "wbr" || WITHIN.contains(&name)).then_some(is_line)
}

/// Elements that begin and end a line.
pub(super) fn is_block(name: &[u8]) -> bool {
    const NAMES: [&str; 46] = [
        "title",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "li",
        "dt",
        "dd",
        "option",
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "button",
        "caption",
        "center",
        "details",
        "dialog",
        "div",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "frameset",
        "head",
        "header",
        "hgroup",
        "hr",
        "html",
        "legend",
        "main",
        "nav",
        "noframes",
        "optgroup",
        "p",
        "section",
        "select",
        "summary",
        "tbody",
        "textarea",
        "tfoot",
        "thead",
    ];
    is_one(name, &NAMES)
}

pub(super) fn is_one(name: &[u8], names: &[&str]) -> bool {
    names.iter().any(|one| one.as_bytes() == name)
}
