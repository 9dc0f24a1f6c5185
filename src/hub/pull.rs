//! Downloads a model into the hub's cache: the part that is there is kept and gone on from, every byte is hashed on its
//! way in, and what another program may read appears only when it is whole.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::client::{Answer, Client, Failure, of_io};
use super::settings::Settings;
use crate::error::{Error, Result};
use crate::model::cache::{Cache, Hash, Hashed, Hasher, LIBTORCH_WEIGHTS, Name, Record, is_commit};
use crate::model::manifest::FileEntry;
use crate::model::registry;
use crate::model::store::{self, CONFIG, GENERATION, TOKENIZER, WEIGHTS};

/// Attempts before a failure that may pass is told. A gain of [`GAIN_BYTES`] begins the count anew.
const ATTEMPTS: u32 = 4;
const GAIN_BYTES: u64 = 1 << 20;
/// The wait before the second attempt; it doubles from one to the next.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// A server that wants us to wait longer than this is not waited for.
const LONGEST_WAIT_S: u64 = 10;

const BUFFER_BYTES: usize = 64 << 10;

/// What happens during a pull.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// So many bytes of all files are here.
    Progress {
        /// Bytes that are here.
        bytes: u64,
        /// Bytes of all files.
        total_bytes: u64,
    },
    /// Another process is downloading the same file.
    Waiting,
    /// Something that is worth telling.
    Note(String),
}

/// What was pulled.
#[derive(Debug, Clone, Serialize)]
pub struct Pulled {
    /// `owner/name`.
    pub repository: String,
    /// The revision that was asked for.
    pub asked: String,
    /// The commit that it is.
    pub commit: String,
    /// The folder that it can be read from.
    pub path: PathBuf,
    /// Its files.
    pub files: Vec<PulledFile>,
    /// Bytes that came from the hub, not counting what an earlier pull had left.
    pub downloaded_bytes: u64,
}

/// A file of a pulled model.
#[derive(Debug, Clone, Serialize)]
pub struct PulledFile {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Lower-case hexadecimal; `None` when nothing was asked because connections are forbidden.
    pub sha256: Option<String>,
}

/// What the hub lists of a commit.
#[derive(Deserialize)]
struct Listing {
    sha: String,
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
}

impl Listing {
    fn has(&self, file: &str) -> bool {
        self.siblings.iter().any(|sibling| sibling.rfilename == file)
    }
}

/// A file as the hub has it.
struct Remote {
    name: &'static str,
    hash: Hash,
    bytes: u64,
}

/// Downloads what is missing of a model. `tell` hears of events and stops the work by returning `false`.
///
/// # Errors
/// [`Error::Hub`] for what the server or the network does, [`Error::StoreUnwritable`] for what the disk does,
/// [`Error::Interrupted`]. What has come is kept, but for bytes that turn out to be wrong, and the next pull goes on
/// from there.
pub fn pull(
    name: &Name,
    cache: &Cache,
    settings: &Settings,
    tell: &mut dyn FnMut(Event) -> bool,
) -> Result<Pulled> {
    if let Some(variable) = settings.offline {
        return offline(name, cache, variable);
    }
    let mut job = Pull {
        name,
        cache,
        settings,
        client: Client::new(settings),
        tell,
        before_bytes: 0,
        file_bytes: 0,
        total_bytes: 0,
        downloaded_bytes: 0,
    };
    job.run()
}

/// Without connections, a model is pulled if it is here.
fn offline(name: &Name, cache: &Cache, variable: &str) -> Result<Pulled> {
    let Some(snapshot) = cache.find(name).filter(|snapshot| snapshot.is_whole()) else {
        return Err(Error::Hub {
            thing: name.to_string(),
            reason: format!(
                "{variable} forbids connections, and the model is not in {}",
                cache.root().display()
            ),
            remedy: format!("unset {variable}, or copy the model's folder from another machine"),
        });
    };
    let names = [Some(CONFIG), Some(TOKENIZER), snapshot.weights()];
    let files = names.into_iter().flatten().map(|file| PulledFile {
        name: file.to_owned(),
        bytes: snapshot.directory().join(file).metadata().map_or(0, |m| m.len()),
        sha256: None,
    });
    Ok(Pulled {
        repository: snapshot.repository().to_owned(),
        asked: name.revision().to_owned(),
        commit: snapshot.commit().to_owned(),
        path: snapshot.directory().to_owned(),
        files: files.collect(),
        downloaded_bytes: 0,
    })
}

struct Pull<'a> {
    name: &'a Name,
    cache: &'a Cache,
    settings: &'a Settings,
    client: Client<'a>,
    tell: &'a mut dyn FnMut(Event) -> bool,
    /// Bytes of the files that are done.
    before_bytes: u64,
    /// Bytes of the file that is under way.
    file_bytes: u64,
    total_bytes: u64,
    downloaded_bytes: u64,
}

impl Pull<'_> {
    fn run(&mut self) -> Result<Pulled> {
        let listing = self.listing()?;
        let weights = self.choose(&listing)?;
        let commit = listing.sha.clone();
        let mut remotes = Vec::new();
        let generation = listing.has(GENERATION).then_some(GENERATION);
        let files = [Some(CONFIG), generation, Some(TOKENIZER), Some(weights)];
        for file in files.into_iter().flatten() {
            remotes.push(self.remote(&commit, file)?);
        }
        self.total_bytes = remotes.iter().map(|remote| remote.bytes).sum();
        let mut files = BTreeMap::new();
        for remote in &remotes {
            let sha256 = self.fetch(&commit, remote)?;
            self.before_bytes += remote.bytes;
            self.progress(0)?;
            let bytes = remote.bytes;
            files.insert(remote.name.to_owned(), FileEntry { sha256, bytes });
            if remote.name == CONFIG {
                // Before gigabytes come that nothing here can read.
                self.check_architecture(remote)?;
            }
        }
        let path = self.publish(&commit, &remotes, files.clone())?;
        let files = remotes.iter().map(|remote| PulledFile {
            name: remote.name.to_owned(),
            bytes: remote.bytes,
            sha256: files.get(remote.name).map(|entry| entry.sha256.clone()),
        });
        Ok(Pulled {
            repository: self.name.repository().to_owned(),
            asked: self.name.revision().to_owned(),
            commit,
            path,
            files: files.collect(),
            downloaded_bytes: self.downloaded_bytes,
        })
    }

    /// The commit that the revision is, and its files.
    fn listing(&mut self) -> Result<Listing> {
        let revision = self.name.revision().replace('/', "%2F");
        let path = format!("/api/models/{}/revision/{revision}", self.name.repository());
        let thing = self.name.to_string();
        let text = self.patiently(&thing, |pull| {
            let answer = pull.client.get(&path, 0)?;
            match answer.status {
                200 => answer.text(),
                _ => Err(pull.of_status(answer)),
            }
        })?;
        let listing: Option<Listing> = serde_json::from_str(&text).ok();
        listing
            .filter(|listing| is_commit(&listing.sha))
            .ok_or_else(|| Error::Hub {
                thing,
                reason: format!("{} does not answer as a hub does", self.settings.endpoint),
                remedy: "check HF_ENDPOINT, and that no login page of the network or proxy stands between"
                    .to_owned(),
            })
    }

    /// The weights' file. All else that is needed is there.
    fn choose(&self, listing: &Listing) -> Result<&'static str> {
        let has = |name: &str| listing.has(name);
        let refuse = |reason: &str, remedy: &str| {
            Err(Error::Hub {
                thing: self.name.to_string(),
                reason: reason.to_owned(),
                remedy: remedy.to_owned(),
            })
        };
        for file in [CONFIG, TOKENIZER] {
            if !has(file) {
                let reason = format!("has no {file}, which ask needs");
                let remedy = "take a model that has one; transformers writes it with save_pretrained of a fast tokenizer";
                return refuse(&reason, remedy);
            }
        }
        if has(WEIGHTS) {
            return Ok(WEIGHTS);
        }
        if has("model.safetensors.index.json") {
            return refuse(
                "its weights are in several files, which ask does not read",
                "take a smaller model, or save it again in one file (max_shard_size in transformers)",
            );
        }
        if has(LIBTORCH_WEIGHTS) {
            return Ok(LIBTORCH_WEIGHTS);
        }
        refuse(
            "has no model.safetensors; weights in pickle files can run code when they are read, and ask never reads them",
            "take a revision that has one (the hub's converter offers it as a pull request: @refs/pr/N), or convert it",
        )
    }

    /// What the hub says of a file.
    fn remote(&mut self, commit: &str, file: &'static str) -> Result<Remote> {
        let path = self.path(commit, file);
        let thing = self.thing(file);
        let linked = self.patiently(&thing, |pull| {
            let answer = pull.client.head(&path)?;
            match answer.status {
                200 | 301 | 302 | 303 | 307 | 308 => Ok(answer.linked),
                _ => Err(pull.of_status(answer)),
            }
        })?;
        let refuse = |reason: String, remedy: &str| Error::Hub {
            thing: thing.clone(),
            reason,
            remedy: remedy.to_owned(),
        };
        let hash = linked.etag.as_deref().and_then(Hash::parse);
        let (Some(hash), Some(bytes)) = (hash, linked.bytes) else {
            let reason = "the server does not say its size and hash, so it could not be checked".to_owned();
            return Err(refuse(reason, "pull from another HF_ENDPOINT"));
        };
        let limit = store::limit(file);
        if bytes > limit {
            let reason = format!("has {bytes} bytes, the limit is {limit}");
            return Err(refuse(reason, "take a smaller model"));
        }
        // SHA-1 is good enough for what git itself holds, not for a file that somebody may have made to collide.
        if ![CONFIG, GENERATION, TOKENIZER].contains(&file) && matches!(hash, Hash::Git(_)) {
            let reason = "the server gives no SHA-256 of it".to_owned();
            return Err(refuse(reason, "pull from another HF_ENDPOINT"));
        }
        Ok(Remote {
            name: file,
            hash,
            bytes,
        })
    }

    /// Makes sure that a file is in `blobs`, right to the last bit. Returns its SHA-256.
    fn fetch(&mut self, commit: &str, remote: &Remote) -> Result<String> {
        let blob = self.blob(remote);
        if let Some(hashed) = self.sound(&blob, remote)? {
            return Ok(hashed.sha256);
        }
        let _lock = self.lock(remote)?;
        // Another process may have finished it meanwhile.
        if let Some(hashed) = self.sound(&blob, remote)? {
            return Ok(hashed.sha256);
        }
        let mut name = blob.clone().into_os_string();
        name.push(".incomplete");
        let part = PathBuf::from(name);
        let hashed = self.download(commit, remote, &part)?;
        let found = hashed.like(&remote.hash);
        if found != remote.hash.as_str() {
            remove(&part)?;
            return Err(Error::Hub {
                thing: self.thing(remote.name),
                reason: format!(
                    "what came has {} {found}, the hub says {}",
                    remote.hash.kind(),
                    remote.hash.as_str()
                ),
                remedy:
                    "it was thrown away; run the command again, and if it happens again, try another network or HF_ENDPOINT"
                        .to_owned(),
            });
        }
        std::fs::rename(&part, &blob).map_err(|reason| unwritable(&blob, reason))?;
        Ok(hashed.sha256)
    }

    /// The hashes of a blob that is here and right.
    fn sound(&mut self, blob: &Path, remote: &Remote) -> Result<Option<Hashed>> {
        let metadata = blob.metadata();
        if !metadata.is_ok_and(|metadata| metadata.is_file() && metadata.len() == remote.bytes) {
            return Ok(None);
        }
        let mut file = File::open(blob).map_err(|reason| unreadable(blob, reason))?;
        let mut hasher = Hasher::new(&remote.hash, remote.bytes);
        self.hash(&mut file, &mut hasher, blob)?;
        let hashed = hasher.finish();
        if hashed.like(&remote.hash) == remote.hash.as_str() {
            return Ok(Some(hashed));
        }
        let note = format!(
            "{}: what is in the store is damaged, it is downloaded again",
            remote.name
        );
        self.say(Event::Note(note))?;
        Ok(None)
    }

    /// Hashes a file from where it stands to its end.
    fn hash(&mut self, file: &mut File, hasher: &mut Hasher, path: &Path) -> Result<u64> {
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut bytes = 0;
        loop {
            let n = file
                .read(&mut buffer)
                .map_err(|reason| unreadable(path, reason))?;
            if n == 0 {
                return Ok(bytes);
            }
            hasher.update(&buffer[..n]);
            bytes += n as u64;
            self.progress(bytes)?;
        }
    }

    /// Holds the lock that Python's tools hold while they download this file. It goes with the process, so none is
    /// left behind by one that was killed.
    fn lock(&mut self, remote: &Remote) -> Result<File> {
        let folder = self.repository();
        let folder = self
            .cache
            .root()
            .join(".locks")
            .join(folder.file_name().unwrap_or_default());
        make_folder(&folder)?;
        let path = folder.join(format!("{}.lock", remote.hash.as_str()));
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path);
        let file = file.map_err(|reason| unwritable(&path, reason))?;
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) => {
                    if !told {
                        self.say(Event::Waiting)?;
                        told = true;
                    }
                    self.wait(Duration::from_millis(100))?;
                }
                // A file system without locks: two pulls at once are up to the user there.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                    return Ok(file);
                }
                Err(TryLockError::Error(reason)) => return Err(unwritable(&path, reason)),
            }
        }
    }

    /// Gets what is missing of a file into `part`, going on after a cut. Returns the hashes of all of it.
    fn download(&mut self, commit: &str, remote: &Remote, part: &Path) -> Result<Hashed> {
        make_folder(part.parent().unwrap_or(Path::new("")))?;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(part);
        let mut file = file.map_err(|reason| unwritable(part, reason))?;
        let fresh = || Hasher::new(&remote.hash, remote.bytes);
        let mut hasher = fresh();
        let mut have = self.hash(&mut file, &mut hasher, part)?;
        if have > remote.bytes {
            restart(&mut file, part)?;
            (have, hasher) = (0, fresh());
        }
        let path = self.path(commit, remote.name);
        let thing = self.thing(remote.name);
        let mut failures = 0;
        while have < remote.bytes {
            let before = have;
            let failure = match self.client.get(&path, have) {
                Err(failure) => failure,
                Ok(answer) => match range(&answer, have, remote.bytes) {
                    Range::WrongSize(found) => {
                        remove(part)?;
                        return Err(Error::Hub {
                            thing,
                            reason: format!(
                                "{} sends {found} bytes, the hub says {}",
                                answer.host, remote.bytes
                            ),
                            remedy: "run the command again, or try another HF_ENDPOINT".to_owned(),
                        });
                    }
                    Range::Refused => self.of_status(answer),
                    begins => {
                        if !matches!(begins, Range::GoesOn) {
                            restart(&mut file, part)?;
                            (have, hasher) = (0, fresh());
                        }
                        if matches!(begins, Range::Elsewhere) {
                            Failure::new(
                                "the server does not go on where it should",
                                "run the command again",
                            )
                            .passing()
                        } else {
                            match self.receive(answer, remote, &mut file, &mut hasher, &mut have, part)? {
                                Some(failure) => failure,
                                None => continue,
                            }
                        }
                    }
                },
            };
            failures = if have >= before + GAIN_BYTES {
                1
            } else {
                failures + 1
            };
            if !failure.passes || failures >= ATTEMPTS {
                return Err(self.kept(&thing, failure, have, remote.bytes));
            }
            self.wait(FIRST_WAIT * (1 << (failures - 1)))?;
        }
        file.sync_all().map_err(|reason| unwritable(part, reason))?;
        Ok(hasher.finish())
    }

    /// Writes the bytes of an answer to the part. Returns why they ended, unless they are all here.
    fn receive(
        &mut self,
        mut answer: Answer,
        remote: &Remote,
        file: &mut File,
        hasher: &mut Hasher,
        have: &mut u64,
        part: &Path,
    ) -> Result<Option<Failure>> {
        let host = answer.host.clone();
        let mut body = answer.bytes();
        let mut buffer = vec![0; BUFFER_BYTES];
        while *have < remote.bytes {
            let most = usize::try_from(remote.bytes - *have).map_or(BUFFER_BYTES, |n| n.min(BUFFER_BYTES));
            let n = match body.read(&mut buffer[..most]) {
                Ok(0) => return Ok(Some(of_io(&io::ErrorKind::UnexpectedEof.into(), &host))),
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Ok(Some(of_io(&error, &host))),
            };
            file.write_all(&buffer[..n])
                .map_err(|reason| full(part, reason, remote.bytes))?;
            hasher.update(&buffer[..n]);
            *have += n as u64;
            self.downloaded_bytes += n as u64;
            self.progress(*have)?;
        }
        Ok(None)
    }

    /// A failure in the middle of a file, with what is kept.
    fn kept(&self, thing: &str, failure: Failure, have: u64, bytes: u64) -> Error {
        let reason = match have {
            0 => failure.reason,
            _ => format!("{}; {have} of {bytes} bytes are kept", failure.reason),
        };
        Error::Hub {
            thing: thing.to_owned(),
            reason,
            remedy: failure.remedy,
        }
    }

    /// Refuses what no engine reads.
    fn check_architecture(&mut self, remote: &Remote) -> Result<()> {
        #[derive(Deserialize)]
        struct Config {
            model_type: String,
        }
        let blob = self.blob(remote);
        let bytes = std::fs::read(&blob).map_err(|reason| unreadable(&blob, reason))?;
        let refuse = |reason: String| {
            Err(Error::Hub {
                thing: self.thing(CONFIG),
                reason,
                remedy: "take a model that ask models list shows, or another of their architectures"
                    .to_owned(),
            })
        };
        match serde_json::from_slice::<Config>(&bytes) {
            Err(error) => refuse(format!("is no configuration of a model: {error}")),
            Ok(config) if registry::engines(&config.model_type).is_empty() => {
                let name: String = config.model_type.chars().take(40).collect();
                refuse(format!("its architecture, \"{name}\", is none that ask reads"))
            }
            Ok(_) => Ok(()),
        }
    }

    /// Lets the model be seen: links, the weights last; the record; the reference.
    fn publish(
        &self,
        commit: &str,
        remotes: &[Remote],
        files: BTreeMap<String, FileEntry>,
    ) -> Result<PathBuf> {
        let repository = self.repository();
        let directory = repository.join("snapshots").join(commit);
        make_folder(&directory)?;
        for remote in remotes {
            link(&self.blob(remote), &directory.join(remote.name))?;
        }
        let record = Record {
            repository: self.name.repository().to_owned(),
            asked: self.name.revision().to_owned(),
            commit: commit.to_owned(),
            endpoint: self.settings.endpoint.clone(),
            date: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
            files,
        };
        let text = toml::to_string(&record).map_err(|error| {
            unwritable(
                &repository,
                io::Error::other(format!("the record cannot be made: {error}")),
            )
        })?;
        let text = format!("# Written by ask models pull; ask compares the files with it.\n{text}");
        write(
            &repository,
            &repository.join("pulled").join(format!("{commit}.toml")),
            &text,
        )?;
        let revision = self.name.revision();
        if revision != commit {
            write(&repository, &repository.join("refs").join(revision), commit)?;
        }
        Ok(directory)
    }

    /// Asks until there is an answer or a failure that does not pass.
    fn patiently<T>(
        &mut self,
        thing: &str,
        mut ask: impl FnMut(&mut Self) -> Result<T, Failure>,
    ) -> Result<T> {
        let mut failures = 0;
        loop {
            let failure = match ask(self) {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            failures += 1;
            if !failure.passes || failures >= ATTEMPTS {
                return Err(Error::Hub {
                    thing: thing.to_owned(),
                    reason: failure.reason,
                    remedy: failure.remedy,
                });
            }
            self.wait(FIRST_WAIT * (1 << (failures - 1)))?;
        }
    }

    /// What a status that is no success means.
    fn of_status(&self, answer: Answer) -> Failure {
        let (status, host) = (answer.status, answer.host.as_str());
        let page = format!("{}/{}", self.settings.endpoint, self.name.repository());
        let code = answer.header("x-error-code").unwrap_or("");
        let gated = code == "GatedRepo";
        let failure = match status {
            401 | 403 if gated => Failure::new(
                format!("its owner gives it only to those who accept its terms ({status})"),
                format!("accept them at {page}, and set HF_TOKEN to a token of yours"),
            ),
            401 if self.settings.token.is_some() => Failure::new(
                format!("{host} does not accept the token in HF_TOKEN, or there is no such model ({status})"),
                "make a new token in your settings on the hub, or unset HF_TOKEN for a public model",
            ),
            401 => Failure::new(
                format!("{host} has no public model of that name ({status})"),
                "check the spelling; if the model is private, set HF_TOKEN to a token that may read it",
            ),
            403 => Failure::new(
                format!("{host} refuses it ({status})"),
                format!("look at {page} whether its terms have to be accepted, or ask its owner for access"),
            ),
            404 if code == "RevisionNotFound" => Failure::new(
                format!("has no revision \"{}\"", self.name.revision()),
                format!(
                    "leave out @{}, or see the revisions at {page}",
                    self.name.revision()
                ),
            ),
            404 => Failure::new(
                format!("{host} does not have it ({status})"),
                "check the spelling",
            ),
            429 => {
                let wait = answer
                    .header("retry-after")
                    .and_then(|text| text.parse::<u64>().ok());
                let failure = Failure::new(
                    format!("{host} has had too many requests from here ({status})"),
                    match wait {
                        Some(seconds) => format!("run the command again in {seconds} s"),
                        None => "run the command again in some minutes".to_owned(),
                    },
                );
                match wait {
                    Some(0..=LONGEST_WAIT_S) => failure.passing(),
                    _ => failure,
                }
            }
            500.. => Failure::new(
                format!("{host} has a fault ({status})"),
                "run the command again later",
            )
            .passing(),
            _ => Failure::new(
                format!("{host} gives an answer that the hub does not give ({status})"),
                "check HF_ENDPOINT",
            ),
        };
        // Where a file lies is told anew each time, and is good for a while.
        if answer.at_home {
            failure
        } else {
            failure.passing()
        }
    }

    fn repository(&self) -> PathBuf {
        self.cache.repository(self.name.repository())
    }

    fn blob(&self, remote: &Remote) -> PathBuf {
        self.repository().join("blobs").join(remote.hash.as_str())
    }

    fn path(&self, commit: &str, file: &str) -> String {
        format!("/{}/resolve/{commit}/{file}", self.name.repository())
    }

    /// What errors call a file.
    fn thing(&self, file: &str) -> String {
        format!("{}, {file}", self.name)
    }

    fn progress(&mut self, bytes: u64) -> Result<()> {
        self.file_bytes = bytes;
        self.say(Event::Progress {
            bytes: self.before_bytes + bytes,
            total_bytes: self.total_bytes,
        })
    }

    fn say(&mut self, event: Event) -> Result<()> {
        if (self.tell)(event) {
            Ok(())
        } else {
            Err(Error::Interrupted)
        }
    }

    /// Waits, unless the user asks to stop.
    fn wait(&mut self, time: Duration) -> Result<()> {
        const STEP: Duration = Duration::from_millis(50);
        let mut left = time;
        while !left.is_zero() {
            self.progress(self.file_bytes)?;
            std::thread::sleep(left.min(STEP));
            left = left.saturating_sub(STEP);
        }
        Ok(())
    }
}

/// What an answer is to what is here.
enum Range {
    /// It begins where we stand.
    GoesOn,
    /// It is all of the file.
    FromTheStart,
    /// It is a part that does not fit, or what is here is longer than what is there.
    Elsewhere,
    /// It is of a file of another size.
    WrongSize(u64),
    /// It is not the file.
    Refused,
}

fn range(answer: &Answer, have: u64, bytes: u64) -> Range {
    let number = |text: Option<&str>| text.and_then(|text| text.trim().parse::<u64>().ok());
    match answer.status {
        200 => match number(answer.header("content-length")) {
            Some(found) if found != bytes => Range::WrongSize(found),
            _ => Range::FromTheStart,
        },
        206 => {
            // bytes START-END/SIZE
            let text = answer
                .header("content-range")
                .and_then(|text| text.strip_prefix("bytes "));
            let (span, size) = text.and_then(|text| text.split_once('/')).unwrap_or_default();
            match (number(span.split('-').next()), number(Some(size))) {
                (_, Some(size)) if size != bytes => Range::WrongSize(size),
                (Some(start), _) if start == have => Range::GoesOn,
                _ => Range::Elsewhere,
            }
        }
        416 => Range::Elsewhere,
        _ => Range::Refused,
    }
}

/// Empties a part.
fn restart(file: &mut File, path: &Path) -> Result<()> {
    file.set_len(0)
        .and_then(|()| file.seek(SeekFrom::Start(0)))
        .map(|_| ())
        .map_err(|reason| unwritable(path, reason))
}

fn remove(path: &Path) -> Result<()> {
    std::fs::remove_file(path).map_err(|reason| unwritable(path, reason))
}

fn make_folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|reason| unwritable(path, reason))
}

/// Makes `place` stand for `blob`, whatever it stood for before.
fn link(blob: &Path, place: &Path) -> Result<()> {
    let fresh = place.with_extension(format!("ask-{}", std::process::id()));
    let result = make_link(blob, &fresh).and_then(|()| std::fs::rename(&fresh, place));
    result.map_err(|reason| unwritable(place, reason))
}

#[cfg(unix)]
fn make_link(blob: &Path, place: &Path) -> io::Result<()> {
    let target = Path::new("../../blobs").join(blob.file_name().unwrap_or_default());
    std::os::unix::fs::symlink(target, place)
}

/// Links of the file system need no rights there.
#[cfg(not(unix))]
fn make_link(blob: &Path, place: &Path) -> io::Result<()> {
    std::fs::hard_link(blob, place).or_else(|_| std::fs::copy(blob, place).map(|_| ()))
}

/// Writes a small file so that nobody reads half of it.
fn write(repository: &Path, path: &Path, text: &str) -> Result<()> {
    make_folder(path.parent().unwrap_or(repository))?;
    let fresh = repository.join(format!(".ask-{}", std::process::id()));
    let result = std::fs::write(&fresh, text).and_then(|()| std::fs::rename(&fresh, path));
    result.map_err(|reason| unwritable(path, reason))
}

fn unreadable(path: &Path, reason: io::Error) -> Error {
    Error::Unreadable {
        path: path.to_owned(),
        reason,
    }
}

fn unwritable(path: &Path, reason: io::Error) -> Error {
    let remedy = match reason.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "free some space, or name a folder on another disk in HF_HOME, and run the command again"
        }
        _ => "check that you may write there, or name another folder in HF_HOME",
    };
    Error::StoreUnwritable {
        path: path.to_owned(),
        reason,
        remedy: remedy.to_owned(),
    }
}

/// A part that cannot be written on: what is kept of it.
fn full(part: &Path, reason: io::Error, bytes: u64) -> Error {
    let kept = part.metadata().map_or(0, |metadata| metadata.len());
    match unwritable(part, reason) {
        Error::StoreUnwritable { path, reason, remedy } => Error::StoreUnwritable {
            path,
            reason,
            remedy: format!("{kept} of {bytes} bytes are kept; {remedy}"),
        },
        other => other,
    }
}
