//! Templates whose values are made harmless and escaped, whatever they hold.

use minijinja::value::Serde;
use minijinja::{Environment, Error, Value, escape_formatter};
use serde::Serialize;

use crate::harmless::one_line;

/// Renders a template. Its name decides what is escaped: `….html` and `….xml`.
pub(super) fn render(
    name: &'static str,
    source: &'static str,
    values: &impl Serialize,
) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.set_formatter(|out, state, value| match value.as_str() {
        // What a template marks as safe is its own.
        Some(text) if !value.is_safe() => escape_formatter(out, state, &Value::from(allowed(text))),
        _ => escape_formatter(out, state, value),
    });
    environment.add_template(name, source)?;
    environment.get_template(name)?.render(Value::from(Serde(values)))
}

/// Without what XML 1.0 does not allow (production 2) and what would steer a page.
fn allowed(text: &str) -> String {
    one_line(text).replace(['\u{FFFE}', '\u{FFFF}'], "\u{FFFD}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn values_cannot_leave_their_place(text in "(?s)([<>&\"'/=]|\u{1b}|\u{202e}|\u{0}|\u{ffff}|.){0,40}") {
            for name in ["t.html", "t.xml"] {
                let out = render(name, "<a b=\"{{ x }}\">{{ x }}</a>", &std::collections::BTreeMap::from([("x", text.as_str())])).unwrap();
                let inside = out.strip_prefix("<a b=\"").unwrap().strip_suffix("</a>").unwrap();
                prop_assert_eq!(inside.matches(['<', '>', '"']).count(), 2, "{}", inside);
                let bad = |c: char| c.is_control() || matches!(c, '\u{202e}' | '\u{ffff}');
                prop_assert!(!inside.contains(bad), "{}", inside);
            }
        }
    }
}
