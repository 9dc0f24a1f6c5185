//! What the environment says about the hub, by the variables of Python's `huggingface_hub` and of `curl`.

use std::ffi::OsString;
use std::fmt;
use std::time::Duration;

use super::client::Url;
use crate::error::{Error, Result};

const PUBLIC_HUB: &str = "https://huggingface.co";

/// As Python's tools wait.
const PATIENCE_S: u64 = 10;

/// Which hub is asked, by whom and how.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `HF_ENDPOINT`, without a slash at its end.
    pub(super) endpoint: String,
    /// `HF_TOKEN`.
    pub(super) token: Option<Token>,
    /// The variable that forbids connections.
    pub(super) offline: Option<&'static str>,
    /// The proxies for `http` and `https`.
    pub(super) http_proxy: Option<ureq::Proxy>,
    pub(super) https_proxy: Option<ureq::Proxy>,
    /// How long a server may be silent.
    pub(super) patience: Duration,
}

/// A secret: it is sent to the endpoint and shown to nobody.
#[derive(Clone)]
pub(super) struct Token(pub(super) String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl Settings {
    /// Reads `HF_ENDPOINT`, `HF_TOKEN`, `HF_HUB_OFFLINE` (and `TRANSFORMERS_OFFLINE`), `HF_HUB_DOWNLOAD_TIMEOUT`,
    /// `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` (the proxies' also in small letters).
    ///
    /// # Errors
    /// When one of them makes no sense, or a token would travel unencrypted.
    pub fn of_variables(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self> {
        let text = |name: &str| -> Result<Option<String>> {
            match variable(name).filter(|value| !value.is_empty()) {
                None => Ok(None),
                Some(value) => match value.into_string() {
                    Ok(value) => Ok(Some(value.trim().to_owned()).filter(|value| !value.is_empty())),
                    Err(_) => Err(wrong(name, "is not UTF-8", "set it anew, or unset it")),
                },
            }
        };
        let endpoint = text("HF_ENDPOINT")?.unwrap_or_else(|| PUBLIC_HUB.to_owned());
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        let url = Url::parse(&endpoint).map_err(|reason| {
            let remedy = "write a URL like https://huggingface.co, or unset it";
            wrong("HF_ENDPOINT", &reason, remedy)
        })?;
        let token = text("HF_TOKEN")?;
        if let Some(token) = &token {
            if !token.bytes().all(|b| b.is_ascii_graphic()) {
                let reason = "holds characters that no token has";
                return Err(wrong(
                    "HF_TOKEN",
                    reason,
                    "copy it again from your settings on the hub",
                ));
            }
            if !url.is_secret() {
                let reason = format!("would go to {} unencrypted", url.host());
                let remedy = "name an https:// server in HF_ENDPOINT, or unset HF_TOKEN";
                return Err(wrong("HF_TOKEN", &reason, remedy));
            }
        }
        let mut offline = None;
        for name in ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"] {
            let value = text(name)?.unwrap_or_default().to_ascii_lowercase();
            if matches!(value.as_str(), "1" | "on" | "yes" | "true") {
                offline.get_or_insert(name);
            }
        }
        let patience = match text("HF_HUB_DOWNLOAD_TIMEOUT")? {
            None => PATIENCE_S,
            Some(value) => match value.parse() {
                Ok(seconds @ 1..=3600) => seconds,
                _ => {
                    let reason = "is no number of seconds from 1 to 3600";
                    return Err(wrong(
                        "HF_HUB_DOWNLOAD_TIMEOUT",
                        reason,
                        "correct it, or unset it",
                    ));
                }
            },
        };
        // HTTP_PROXY in capitals can be set by a request where programs run as CGI, which this never does.
        let first = |names: &[&str]| -> Result<Option<(String, String)>> {
            for name in names {
                for name in [name.to_ascii_lowercase(), (*name).to_owned()] {
                    if let Some(value) = text(&name)? {
                        return Ok(Some((name, value)));
                    }
                }
            }
            Ok(None)
        };
        let past = first(&["NO_PROXY"])?.map(|(_, value)| value).unwrap_or_default();
        let proxy = |names: &[&str]| match first(names)? {
            None => Ok(None),
            Some((name, value)) => match proxy(&value, &past) {
                Some(proxy) => Ok(Some(proxy)),
                // The value may hold a password.
                None => Err(wrong(
                    &name,
                    "is not the address of a proxy",
                    "write one like http://host:8080",
                )),
            },
        };
        Ok(Self {
            http_proxy: proxy(&["HTTP_PROXY", "ALL_PROXY"])?,
            https_proxy: proxy(&["HTTPS_PROXY", "ALL_PROXY"])?,
            endpoint,
            token: token.map(Token),
            offline,
            patience: Duration::from_secs(patience),
        })
    }
}

fn wrong(name: &str, reason: &str, remedy: &str) -> Error {
    Error::Hub {
        thing: name.to_owned(),
        reason: reason.to_owned(),
        remedy: remedy.to_owned(),
    }
}

/// A proxy, and the hosts that are asked without it.
fn proxy(value: &str, past: &str) -> Option<ureq::Proxy> {
    let plain = ureq::Proxy::new(value).ok()?;
    let mut builder = ureq::Proxy::builder(plain.protocol())
        .host(plain.host())
        .port(plain.port());
    if let Some(name) = plain.username() {
        builder = builder.username(name);
    }
    if let Some(password) = plain.password() {
        builder = builder.password(password);
    }
    for host in past.split(',').map(str::trim).filter(|host| !host.is_empty()) {
        builder = builder.no_proxy(host);
        // "example.com" is meant with its subdomains, as curl and Python have it.
        if !host.starts_with(['.', '*']) {
            builder = builder.no_proxy(&format!(".{host}"));
        }
    }
    builder.build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Settings> {
        Settings::of_variables(|name| {
            pairs
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn without_variables_it_is_the_public_hub() {
        let settings = of(&[]).unwrap();
        assert_eq!(settings.endpoint, PUBLIC_HUB);
        assert!(settings.token.is_none() && settings.offline.is_none() && settings.https_proxy.is_none());
    }

    #[test]
    fn offline_is_a_word_for_yes() {
        for yes in ["1", "ON", "true", "Yes"] {
            assert_eq!(
                of(&[("HF_HUB_OFFLINE", yes)]).unwrap().offline,
                Some("HF_HUB_OFFLINE")
            );
        }
        for no in ["", "0", "off", "no"] {
            assert_eq!(of(&[("HF_HUB_OFFLINE", no)]).unwrap().offline, None);
        }
    }

    #[test]
    fn a_token_is_not_sent_unencrypted_and_never_shown() {
        let error = of(&[("HF_TOKEN", "hf_abc"), ("HF_ENDPOINT", "http://mirror.example")]).unwrap_err();
        assert!(
            error.to_string().contains("unencrypted") && !error.to_string().contains("hf_abc"),
            "{error}"
        );
        // Loopback leaves the machine by nobody's wire.
        let settings = of(&[("HF_TOKEN", "hf_abc"), ("HF_ENDPOINT", "http://127.0.0.1:80/")]).unwrap();
        assert!(!format!("{settings:?}").contains("hf_abc"));
        let error = of(&[("HF_TOKEN", "hf\nabc")]).unwrap_err();
        assert!(!error.to_string().contains("abc"));
    }

    #[test]
    fn proxies_are_chosen_by_scheme_and_passed_by_for_some_hosts() {
        let settings = of(&[
            ("https_proxy", "http://user:p%40ss@one:1"),
            ("ALL_PROXY", "two:2"),
            ("no_proxy", "example.com, .internal"),
        ])
        .unwrap();
        let (http, https) = (settings.http_proxy.unwrap(), settings.https_proxy.unwrap());
        assert_eq!((http.host(), http.port()), ("two", 2));
        assert_eq!((https.host(), https.port()), ("one", 1));
        assert_eq!(https.password(), Some("p@ss"));
        for (host, passed) in [
            ("example.com", true),
            ("cdn.example.com", true),
            ("a.internal", true),
            ("other.com", false),
        ] {
            let uri = format!("https://{host}/").parse().unwrap();
            assert_eq!(https.is_no_proxy(&uri), passed, "{host}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_an_error_that_names_the_variable() {
        for (name, value) in [
            ("HF_ENDPOINT", "ftp://host"),
            ("HF_ENDPOINT", "huggingface.co"),
            ("HF_ENDPOINT", "https://user:word@host"),
            ("HF_HUB_DOWNLOAD_TIMEOUT", "soon"),
            ("HTTPS_PROXY", "nonsense://x"),
        ] {
            let error = of(&[(name, value)]).unwrap_err().to_string();
            assert!(error.starts_with(name) && !error.contains("word"), "{error}");
        }
    }
}
