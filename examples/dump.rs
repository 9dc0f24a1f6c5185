//! scratch
fn main() {
    let mut out = Vec::new();
    for path in std::env::args().skip(1) {
        let options = quotable::document::read::ReadOptions::default();
        match quotable::document::read::read_file(path.as_ref(), &options) {
            Ok(d) => {
                let blocks: Vec<_> = d
                    .blocks()
                    .iter()
                    .map(|b| serde_json::json!([format!("{:?}", b.kind), &d.text()[b.span.clone()]]))
                    .collect();
                out.push(serde_json::json!({"path": path, "text": d.text(), "encoding": d.encoding(), "blocks": blocks}));
            }
            Err(e) => out.push(serde_json::json!({"path": path, "error": e.to_string()})),
        }
    }
    println!("{}", serde_json::Value::from(out));
}
