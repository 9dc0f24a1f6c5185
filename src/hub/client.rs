//! One question to a server and its answer. Redirects are followed here, because what must not go with them is the
//! token, and what must not be lost on the way are the headers that say what a file is.

use std::cell::OnceCell;
use std::fmt;
use std::io::{self, Read};
use std::time::Duration;

use ureq::http::{Response, Uri};
use ureq::{Agent, Body};

use super::settings::Settings;

/// The hub needs two: one for a repository that was renamed, one to where the file lies.
const MOST_REDIRECTS: usize = 6;

/// Most bytes of an answer that is not a file.
const MOST_ANSWER_BYTES: u64 = 8 << 20;

/// An address: `http` or `https`, a host, a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Url(Uri);

impl Url {
    /// Reads an absolute URL without a password in it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let uri: Uri = text.parse().map_err(|_| "is not a URL".to_owned())?;
        match (uri.scheme_str(), uri.authority()) {
            (Some("http" | "https"), Some(authority)) if !authority.as_str().contains('@') => Ok(Self(uri)),
            (Some("http" | "https"), Some(_)) => Err("is a URL with a user name in it".to_owned()),
            _ => Err("is not a URL of http or https".to_owned()),
        }
    }

    /// Where a `Location` leads from here.
    fn join(&self, location: &str) -> Result<Self, String> {
        let (scheme, authority) = self.origin();
        if location.starts_with("//") {
            Self::parse(&format!("{scheme}:{location}"))
        } else if location.starts_with('/') {
            Self::parse(&format!("{scheme}://{authority}{location}"))
        } else {
            Self::parse(location)
        }
    }

    fn origin(&self) -> (&str, &str) {
        let authority = self.0.authority().map_or("", |authority| authority.as_str());
        (self.0.scheme_str().unwrap_or(""), authority)
    }

    fn is_encrypted(&self) -> bool {
        self.0.scheme_str() == Some("https")
    }

    pub(super) fn host(&self) -> &str {
        self.0.host().unwrap_or("")
    }

    /// Whether nobody on the way can read along: it is encrypted, or there is no way.
    pub(super) fn is_secret(&self) -> bool {
        self.is_encrypted() || matches!(self.host(), "localhost" | "127.0.0.1" | "[::1]")
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) reason: String,
    pub(super) remedy: String,
    /// Whether it may work when it is tried again at once.
    pub(super) passes: bool,
}

impl Failure {
    pub(super) fn new(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            remedy: remedy.into(),
            passes: false,
        }
    }

    /// It may work when it is tried again at once.
    pub(super) fn passing(mut self) -> Self {
        self.passes = true;
        self
    }
}

/// What the hub says of a file beside its bytes, gathered on the way to it.
#[derive(Debug, Default, Clone)]
pub(super) struct Linked {
    /// The hash, without quotes.
    pub(super) etag: Option<String>,
    pub(super) bytes: Option<u64>,
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) linked: Linked,
    response: Response<Body>,
    /// The server that gave it.
    pub(super) host: String,
    /// Whether that is the hub itself.
    pub(super) at_home: bool,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// The whole of a short answer.
    pub(super) fn text(mut self) -> Result<String, Failure> {
        let mut text = String::new();
        let body = self.response.body_mut().as_reader();
        match body.take(MOST_ANSWER_BYTES).read_to_string(&mut text) {
            Ok(_) => Ok(text),
            Err(error) => Err(of_io(&error, &self.host)),
        }
    }

    /// The bytes, as they come. An error of reading is one of the connection: see [`of_io`].
    pub(super) fn bytes(&mut self) -> impl Read + '_ {
        self.response.body_mut().as_reader()
    }
}

/// Asks a hub.
pub(super) struct Client<'a> {
    settings: &'a Settings,
    /// Made when they are first needed: certificates are many files.
    plain: OnceCell<Agent>,
    encrypted: OnceCell<Agent>,
}

impl<'a> Client<'a> {
    pub(super) fn new(settings: &'a Settings) -> Self {
        Self {
            settings,
            plain: OnceCell::new(),
            encrypted: OnceCell::new(),
        }
    }

    /// The answer to GET for a path of the hub, after redirects; the part of it that begins at `from`.
    pub(super) fn get(&self, path: &str, from: u64) -> Result<Answer, Failure> {
        self.follow(path, Some(from))
    }

    /// The headers that the hub itself gives for a file: not those of the host that it redirects to.
    pub(super) fn head(&self, path: &str) -> Result<Answer, Failure> {
        self.follow(path, None)
    }

    fn follow(&self, path: &str, get_from: Option<u64>) -> Result<Answer, Failure> {
        let start = format!("{}{path}", self.settings.endpoint);
        let remedy = "check HF_ENDPOINT";
        let mut url = Url::parse(&start).map_err(|reason| Failure::new(reason, remedy))?;
        let home = url.clone();
        let mut linked = Linked::default();
        for _ in 0..=MOST_REDIRECTS {
            let at_home = url.origin() == home.origin();
            let mut answer = self.ask(&url, get_from, at_home)?;
            if at_home {
                linked.add(&answer);
            }
            let leads = match answer.status {
                301 | 302 | 303 | 307 | 308 => answer.header("location"),
                _ => None,
            };
            let Some(location) = leads else {
                answer.linked = linked;
                return Ok(answer);
            };
            let bad = |reason: &str| {
                let reason = format!("{} redirects {reason}", url.host());
                Failure::new(reason, "this is the server's fault; try another HF_ENDPOINT")
            };
            let next = url
                .join(location)
                .map_err(|reason| bad(&format!("to what {reason}")))?;
            if url.is_encrypted() && !next.is_encrypted() {
                return Err(bad("to an unencrypted address"));
            }
            if get_from.is_none() && next.origin() != home.origin() {
                answer.linked = linked;
                return Ok(answer);
            }
            url = next;
        }
        let reason = format!("{} redirects without end", home.host());
        Err(Failure::new(
            reason,
            "this is the server's fault; try another HF_ENDPOINT",
        ))
    }

    fn ask(&self, url: &Url, get_from: Option<u64>, at_home: bool) -> Result<Answer, Failure> {
        let agent = self.agent(url)?;
        let mut request = match get_from {
            Some(_) => agent.get(&url.0),
            None => agent.head(&url.0),
        };
        // Sizes and hashes are those of the bytes as they are.
        request = request.header("accept-encoding", "identity");
        if let Some(from) = get_from.filter(|&from| from > 0) {
            request = request.header("range", format!("bytes={from}-"));
        }
        if let (true, Some(token)) = (at_home, &self.settings.token) {
            request = request.header("authorization", format!("Bearer {}", token.0));
        }
        match request.call() {
            Ok(response) => Ok(Answer {
                status: response.status().as_u16(),
                linked: Linked::default(),
                response,
                host: url.host().to_owned(),
                at_home,
            }),
            Err(error) => Err(of_ureq(&error, &self.peer(url), self.settings.patience)),
        }
    }

    fn proxy(&self, url: &Url) -> Option<&ureq::Proxy> {
        match url.is_encrypted() {
            true => self.settings.https_proxy.as_ref(),
            false => self.settings.http_proxy.as_ref(),
        }
    }

    /// Who is connected to, in words.
    fn peer(&self, url: &Url) -> String {
        match self.proxy(url) {
            Some(proxy) if !proxy.is_no_proxy(&url.0) => {
                format!("the proxy for {}", url.host())
            }
            _ => url.host().to_owned(),
        }
    }

    fn agent(&self, url: &Url) -> Result<&Agent, Failure> {
        let proxy = self.proxy(url);
        let cell = match url.is_encrypted() {
            true => &self.encrypted,
            false => &self.plain,
        };
        if let Some(agent) = cell.get() {
            return Ok(agent);
        }
        let encrypted_proxy = proxy.is_some_and(|proxy| proxy.protocol() == ureq::ProxyProtocol::Https);
        let patience = Some(self.settings.patience);
        let mut config = Agent::config_builder()
            .user_agent(concat!("ask/", env!("CARGO_PKG_VERSION")))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_response_header_size(64 << 10)
            .timeout_resolve(patience)
            .timeout_connect(patience)
            .timeout_recv_response(patience)
            .timeout_per_read(patience)
            .proxy(proxy.cloned());
        if url.is_encrypted() || encrypted_proxy {
            config = config.tls_config(tls::config()?);
        }
        Ok(cell.get_or_init(|| config.build().new_agent()))
    }
}

impl Linked {
    /// What an answer of the hub adds. `ETag` and `Content-Length` of a redirect are the redirect's own.
    fn add(&mut self, answer: &Answer) {
        let is_file = answer.status == 200;
        let etag = answer.header("x-linked-etag");
        let etag = etag.or_else(|| answer.header("etag").filter(|_| is_file));
        if let (None, Some(etag)) = (&self.etag, etag) {
            self.etag = Some(etag.trim_start_matches("W/").trim_matches('"').to_owned());
        }
        let bytes = answer.header("x-linked-size");
        let bytes = bytes.or_else(|| answer.header("content-length").filter(|_| is_file));
        if let (None, Some(bytes)) = (self.bytes, bytes) {
            self.bytes = bytes.parse().ok();
        }
    }
}

const TRY_LATER: &str = "check the connection, and behind a proxy HTTPS_PROXY, and run the command again";

/// Why a connection was not made, or ended.
fn of_ureq(error: &ureq::Error, host: &str, patience: Duration) -> Failure {
    match error {
        ureq::Error::HostNotFound => not_found(host),
        ureq::Error::Timeout(_) => {
            let reason = format!("{host} does not answer within {} s", patience.as_secs());
            Failure::new(
                reason,
                "run the command again, or allow more seconds in HF_HUB_DOWNLOAD_TIMEOUT",
            )
            .passing()
        }
        ureq::Error::Io(error) => of_io(error, host),
        ureq::Error::ConnectProxyFailed(reason) => Failure::new(
            format!("the proxy does not connect to {host}: {reason}"),
            "check HTTPS_PROXY, and NO_PROXY for hosts that need none",
        ),
        ureq::Error::Rustls(error) => of_tls(&error.to_string(), host),
        error => Failure::new(format!("{host}: {error}"), TRY_LATER),
    }
}

/// Why a connection ended.
pub(super) fn of_io(error: &io::Error, host: &str) -> Failure {
    let inner = error.get_ref();
    if let Some(inner) = inner.and_then(|inner| inner.downcast_ref::<ureq::Error>()) {
        return match inner {
            ureq::Error::Timeout(_) => {
                Failure::new(format!("{host} has stopped sending"), TRY_LATER).passing()
            }
            inner => Failure::new(format!("the connection to {host} was cut: {inner}"), TRY_LATER).passing(),
        };
    }
    // rustls hands its errors on as errors of reading; what is no text does not come from it.
    if error.kind() == io::ErrorKind::InvalidData {
        return match inner.is_some() {
            true => of_tls(&error.to_string(), host),
            false => Failure::new(
                format!("{host} does not answer as a server of HTTP does: {error}"),
                "check HF_ENDPOINT, and behind a proxy HTTPS_PROXY",
            ),
        };
    }
    // The standard library has no kind of error for it.
    if error.to_string().starts_with("failed to lookup address") {
        return not_found(host);
    }
    let refused = error.kind() == io::ErrorKind::ConnectionRefused;
    let reason = if refused {
        format!("{host} refuses the connection")
    } else {
        format!("the connection to {host} was cut: {error}")
    };
    let failure = Failure::new(reason, TRY_LATER);
    if refused { failure } else { failure.passing() }
}

fn not_found(host: &str) -> Failure {
    Failure::new(
        format!("the host {host} is not found"),
        "check the connection and HF_ENDPOINT, and behind a proxy HTTPS_PROXY",
    )
}

fn of_tls(reason: &str, host: &str) -> Failure {
    Failure::new(
        format!("the connection to {host} is not trusted: {reason}"),
        "if a proxy of your own stands between, name a file with its certificate in SSL_CERT_FILE",
    )
}

/// TLS by rustls, with cryptography in Rust and assembly, no C, and the certificates of the operating system.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod tls {
    use std::sync::Arc;

    use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};

    use super::Failure;

    pub(super) fn config() -> Result<TlsConfig, Failure> {
        // The library panics where they are missing.
        if !has_instructions() {
            return Err(Failure::new(
                "this processor lacks the instructions that encryption needs here (AES and AVX2, or those of ARMv8)",
                "pull on another machine and copy the folder of the model, or name an http:// mirror in HF_ENDPOINT",
            ));
        }
        // Honours SSL_CERT_FILE and SSL_CERT_DIR.
        let found = rustls_native_certs::load_native_certs();
        if found.certs.is_empty() {
            let reason = match found.errors.first() {
                Some(error) => format!("there are no certificates to trust: {error}"),
                None => "there are no certificates to trust".to_owned(),
            };
            let remedy = "install the package ca-certificates, or name a file of them in SSL_CERT_FILE";
            return Err(Failure::new(reason, remedy));
        }
        let certificates = found
            .certs
            .iter()
            .map(|der| Certificate::from_der(der.as_ref()).to_owned());
        Ok(TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls_graviola::default_provider()))
            .root_certs(RootCerts::from(certificates.collect::<Vec<_>>()))
            .build())
    }

    #[cfg(target_arch = "x86_64")]
    fn has_instructions() -> bool {
        is_x86_feature_detected!("aes")
            && is_x86_feature_detected!("pclmulqdq")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("adx")
            && is_x86_feature_detected!("avx2")
    }

    #[cfg(target_arch = "aarch64")]
    fn has_instructions() -> bool {
        use std::arch::is_aarch64_feature_detected;
        is_aarch64_feature_detected!("neon")
            && is_aarch64_feature_detected!("aes")
            && is_aarch64_feature_detected!("pmull")
            && is_aarch64_feature_detected!("sha2")
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tls {
    pub(super) fn config() -> Result<ureq::tls::TlsConfig, super::Failure> {
        Err(super::Failure::new(
            "there is no encryption for this processor in ask",
            "pull on another machine and copy the folder of the model, or name an http:// mirror in HF_ENDPOINT",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_lead_where_they_say() {
        let url = Url::parse("https://hub.example/a/b?c").unwrap();
        for (location, expected) in [
            ("/x?y=1", "https://hub.example/x?y=1"),
            ("//cdn.example/x", "https://cdn.example/x"),
            ("http://cdn.example/x", "http://cdn.example/x"),
        ] {
            assert_eq!(url.join(location).unwrap().to_string(), expected);
        }
        for location in ["file:///etc/passwd", "x", "https://a:b@host/", "https://"] {
            assert!(url.join(location).is_err(), "{location}");
        }
    }
}
