//! A server that speaks the hub's protocol, with the faults that servers and networks have. Nothing but `std`.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sha2::{Digest, Sha256};

pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// By lower-case name.
    pub headers: BTreeMap<String, String>,
    /// Whether it came to the second host, where large files lie.
    pub elsewhere: bool,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Whether it is for the bytes of this file.
    pub fn gets(&self, file: &str) -> bool {
        self.method == "GET" && self.path.ends_with(file)
    }
}

/// What is answered.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The connection ends after so many bytes of the body.
    pub cut: Option<usize>,
    /// Nothing more comes after so many bytes of the body, and the connection stays.
    pub stall: Option<usize>,
    /// The body takes this long.
    pub slow: Duration,
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

/// How a host is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

type Fault = dyn Fn(&Request, usize, Reply) -> Reply + Send + Sync;

/// A hub with one model, and a second host for its large files.
pub struct Hub {
    pub endpoint: String,
    site: Arc<Site>,
}

struct Site {
    repository: String,
    files: BTreeMap<String, Vec<u8>>,
    /// Where large files lie.
    elsewhere: String,
    requests: Mutex<Vec<Request>>,
    fault: Box<Fault>,
}

impl Hub {
    /// A hub as it should be.
    pub fn new(repository: &str, files: &[(&str, Vec<u8>)]) -> Self {
        Self::with_faults(repository, files, |_, _, reply| reply)
    }

    /// A hub whose replies go through `fault` first, with the number of earlier requests of the same method and path.
    pub fn with_faults(
        repository: &str,
        files: &[(&str, Vec<u8>)],
        fault: impl Fn(&Request, usize, Reply) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::build(repository, files, [Scheme::Http; 2], fault)
    }

    /// A hub as it should be, and its second host, each with this scheme.
    pub fn with_schemes(repository: &str, files: &[(&str, Vec<u8>)], schemes: [Scheme; 2]) -> Self {
        Self::build(repository, files, schemes, |_, _, reply| reply)
    }

    fn build(
        repository: &str,
        files: &[(&str, Vec<u8>)],
        schemes: [Scheme; 2],
        fault: impl Fn(&Request, usize, Reply) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let (home, elsewhere) = (listener(), listener());
        // Another host by name and port, on the same machine.
        let other = format!(
            "{}://localhost:{}",
            schemes[1].name(),
            elsewhere.local_addr().unwrap().port()
        );
        let site = Arc::new(Site {
            repository: repository.to_owned(),
            files: files
                .iter()
                .map(|(name, bytes)| ((*name).to_owned(), bytes.clone()))
                .collect(),
            elsewhere: other,
            requests: Mutex::default(),
            fault: Box::new(fault),
        });
        let endpoint = format!("{}://{}", schemes[0].name(), home.local_addr().unwrap());
        serve(home, Arc::clone(&site), false, schemes[0]);
        serve(elsewhere, Arc::clone(&site), true, schemes[1]);
        Self { endpoint, site }
    }

    /// What was asked so far.
    pub fn requests(&self) -> Vec<Request> {
        self.site.requests.lock().unwrap().clone()
    }

    /// The `Range` of each request for the bytes of this file that the second host had.
    pub fn ranges(&self, file: &str) -> Vec<Option<String>> {
        self.requests()
            .iter()
            .filter(|request| request.elsewhere && request.gets(file))
            .map(|request| request.header("range").map(str::to_owned))
            .collect()
    }
}

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// Threads end with the test's process.
fn serve(listener: TcpListener, site: Arc<Site>, elsewhere: bool, scheme: Scheme) {
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(stream), site) = (stream, Arc::clone(&site)) else {
                return;
            };
            std::thread::spawn(move || match scheme {
                Scheme::Http => site.serve(stream, elsewhere),
                Scheme::Https => site.serve(tls::accept(stream), elsewhere),
            });
        }
    });
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod tls {
    use std::net::TcpStream;
    use std::path::Path;
    use std::sync::Arc;

    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use rustls::{ServerConfig, ServerConnection, StreamOwned};

    pub fn accept(stream: TcpStream) -> StreamOwned<ServerConnection, TcpStream> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls");
        let certificate = CertificateDer::from_pem_file(folder.join("server.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls_graviola::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), stream)
    }
}

/// There is no TLS for these processors.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tls {
    pub fn accept(stream: std::net::TcpStream) -> std::net::TcpStream {
        stream
    }
}

/// The request line and the headers. Clients of these tests send no body.
pub fn read_request(stream: &mut impl BufRead, elsewhere: bool) -> Option<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    Some(Request {
        method,
        path,
        headers,
        elsewhere,
    })
}

impl Site {
    fn serve(&self, stream: impl Read + Write, elsewhere: bool) {
        let mut stream = BufReader::new(stream);
        let Some(request) = read_request(&mut stream, elsewhere) else {
            return;
        };
        let earlier = {
            let mut requests = self.requests.lock().unwrap();
            let same = |r: &&Request| {
                r.method == request.method && r.path == request.path && r.elsewhere == elsewhere
            };
            let earlier = requests.iter().filter(same).count();
            requests.push(request.clone());
            earlier
        };
        let reply = (self.fault)(&request, earlier, self.answer(&request));
        let _ = send(stream.get_mut(), &request, &reply);
    }

    fn answer(&self, request: &Request) -> Reply {
        let path = request.path.split('?').next().unwrap_or("");
        let resolve = format!("/{}/resolve/{COMMIT}/", self.repository);
        let cached = format!("/api/resolve-cache/models/{}/{COMMIT}/", self.repository);
        if request.elsewhere {
            return match self.files.get(path.trim_start_matches("/blob/")) {
                Some(bytes) => part(bytes, request),
                None => Reply::status(404),
            };
        }
        let revision = format!("/api/models/{}/revision/", self.repository);
        if let Some(revision) = path.strip_prefix(&revision) {
            if !["main", COMMIT, "refs%2Fpr%2F1"].contains(&revision) {
                return Reply::status(404).with("X-Error-Code", "RevisionNotFound");
            }
            let siblings: Vec<_> = self
                .files
                .keys()
                .map(|name| serde_json::json!({"rfilename": name}))
                .collect();
            let listing = serde_json::json!({"id": self.repository, "sha": COMMIT, "siblings": siblings});
            return Reply::status(200)
                .with("Content-Type", "application/json")
                .body(listing.to_string());
        }
        if let Some(bytes) = path.strip_prefix(&cached).and_then(|name| self.files.get(name)) {
            let etag = format!("W/\"{}\"", git_hash(bytes));
            return part(bytes, request).with("ETag", etag);
        }
        let Some((name, bytes)) = path
            .strip_prefix(&resolve)
            .and_then(|name| self.files.get_key_value(name))
        else {
            return Reply::status(404).with("X-Error-Code", "EntryNotFound");
        };
        if name.ends_with(".json") {
            return Reply::status(307)
                .with("Location", format!("{cached}{name}?etag=x"))
                .with("ETag", "\"of the redirect\"");
        }
        Reply::status(302)
            .with(
                "Location",
                format!("{}/blob/{name}?signature=secret", self.elsewhere),
            )
            .with("X-Linked-Etag", format!("\"{}\"", sha256(bytes)))
            .with("X-Linked-Size", bytes.len())
            .with("X-Repo-Commit", COMMIT)
    }
}

/// A file, or the rest of it.
fn part(bytes: &[u8], request: &Request) -> Reply {
    let range = request
        .header("range")
        .and_then(|range| range.strip_prefix("bytes="));
    let from = range.and_then(|range| range.strip_suffix('-')?.parse::<usize>().ok());
    match from {
        None => Reply::status(200).body(bytes),
        Some(from) if from < bytes.len() => Reply::status(206)
            .with(
                "Content-Range",
                format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len()),
            )
            .body(&bytes[from..]),
        Some(_) => Reply::status(416),
    }
}

fn send(stream: &mut impl Write, request: &Request, reply: &Reply) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {} Test\r\nConnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    if !reply.headers.iter().any(|(name, _)| name == "Content-Length") {
        head += &format!("Content-Length: {}\r\n", reply.body.len());
    }
    stream.write_all(head.as_bytes())?;
    stream.write_all(b"\r\n")?;
    if request.method == "HEAD" {
        return stream.flush();
    }
    let end = reply
        .cut
        .or(reply.stall)
        .unwrap_or(usize::MAX)
        .min(reply.body.len());
    for piece in reply.body[..end].chunks(end.max(10) / 10) {
        stream.write_all(piece)?;
        stream.flush()?;
        std::thread::sleep(reply.slow / 10);
    }
    if reply.stall.is_some() {
        std::thread::sleep(Duration::from_secs(60));
    }
    Ok(())
}

/// A proxy that connects whatever host it is asked for to `target`. Returns its address and what it was asked.
pub fn proxy(target: &str) -> (String, Arc<Mutex<Vec<Request>>>) {
    let listener = listener();
    let address = format!("http://user:word@{}", listener.local_addr().unwrap());
    let target = target.trim_start_matches("http://").to_owned();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(stream), log, target) = (stream, Arc::clone(&log), target.clone()) else {
                return;
            };
            std::thread::spawn(move || tunnel(&stream, &target, &log));
        }
    });
    (address, asked)
}

fn tunnel(stream: &TcpStream, target: &str, log: &Mutex<Vec<Request>>) -> Option<()> {
    // Byte by byte, so that nothing of what follows is lost in a buffer.
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        (&mut &*stream).read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    log.lock().unwrap().push(read_request(&mut &head[..], false)?);
    let server = TcpStream::connect(target).ok()?;
    (&mut &*stream).write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
    let (from, to) = (stream.try_clone().ok()?, server.try_clone().ok()?);
    std::thread::spawn(move || std::io::copy(&mut &from, &mut &to));
    std::io::copy(&mut &server, &mut &*stream).ok()?;
    stream.shutdown(std::net::Shutdown::Both).ok()
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

pub fn git_hash(bytes: &[u8]) -> String {
    let mut hash = sha1::Sha1::new();
    hash.update(format!("blob {}\0", bytes.len()));
    hash.update(bytes);
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}
