//! What is asked of a store, and asked again while it is away.

use std::error::Error as Cause;
use std::fmt;
use std::future::Future;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::Path as FilePath;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt as _, PutMode, PutPayload};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use towline_core::bulk::stores::StoreTrouble;
use towline_core::bulk::work::DiskError;
use towline_core::config::{ObjectStore as Settings, store_address};
use towline_core::error::Code;
use towline_core::explain::complaint;
use towline_core::printable;

use super::parts::{Part, name};
use super::{runtime, settings, trouble, unusable};
use crate::volume::stored::GivenUp;

/// How long one request may take besides its bytes, and how many bytes a second it must move.
const REQUEST: Duration = Duration::from_secs(if cfg!(test) { 2 } else { 30 });
const SLOWEST: u64 = 512 * 1024;
/// Pauses before a request is made again.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A store that was away for so long is told.
const TOLD_AFTER: Duration = Duration::from_secs(2);
/// How often it is looked whether anybody still wants the answer.
const LOOK: Duration = Duration::from_millis(100);
/// Bytes of the longest small file, such as a bootstrap.
const LONGEST_FILE: u64 = 4 << 20;
/// Letters of a server's own words that are passed on.
const WORDS: usize = 300;

/// A store, and where in it the volumes of a device are.
pub(crate) struct Store {
    address: String,
    inner: Arc<dyn ObjectStore>,
    prefix: Path,
    pub(super) part_size: usize,
    retry_for: Duration,
    is_folder: bool,
}

/// Without what its maker knows: there are keys among it.
impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.address).finish()
    }
}

/// Says when nobody wants the answer to a request any more: once its pipe is closed at the other end.
#[derive(Debug, Default)]
pub struct Stop(GivenUp);

impl Stop {
    pub(crate) const fn at(end: GivenUp) -> Self {
        Self(end)
    }

    pub(super) fn is_set(&self) -> bool {
        let Some(end) = &self.0 else { return false };
        let mut asked = [PollFd::new(&**end, PollFlags::IN)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut asked, Some(&now)).is_ok_and(|ready| ready > 0)
    }
}

/// A store by itself, for whoever measures what it can do.
#[derive(Debug)]
pub struct Plain(Arc<Store>);

impl Plain {
    /// The store at an address.
    ///
    /// # Errors
    /// There are no settings for it.
    pub fn at(address: &str) -> Result<Self, DiskError> {
        super::store(address).map(Self)
    }

    /// Puts an object.
    ///
    /// # Errors
    /// What the store says, at its first word.
    pub fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), DiskError> {
        let path = Path::from(key);
        let put = self.0.inner.put(&path, bytes.into());
        runtime()?.block_on(put).map(drop).map_err(|error| unusable(key, words(&error.to_string())))
    }

    /// Gets an object; returns how many bytes it has.
    ///
    /// # Errors
    /// What the store says, at its first word.
    pub fn get(&self, key: &str) -> Result<usize, DiskError> {
        let get = async { self.0.inner.get(&Path::from(key)).await?.bytes().await };
        let got = runtime()?.block_on(get).map_err(|error| unusable(key, words(&error.to_string())))?;
        Ok(got.len())
    }
}

/// Why a request has come to nothing, for whoever makes something of it.
pub(super) enum Failed {
    /// There is no such object.
    Missing,
    /// There is one already.
    Exists,
    /// The store cannot do this.
    Unsupported(String),
    /// Anything else.
    Disk(DiskError),
}

/// What to make of an error of a request.
enum Verdict {
    Ended(Failed),
    Again(String),
}

impl Store {
    pub(super) fn open(address: &str, settings: &Settings) -> Result<Self, DiskError> {
        let opened = settings::open(address, settings).map_err(|why| unusable(address, why))?;
        let is_folder = store_address(address).is_some_and(|(kind, _)| kind == "file");
        Ok(Self {
            address: address.to_owned(),
            inner: opened.inner,
            prefix: opened.prefix,
            part_size: usize::try_from(settings.part_size.0).unwrap_or(usize::MAX),
            retry_for: settings.retry_for.duration(),
            is_folder,
        })
    }

    /// What is beneath a name in this store.
    pub(super) fn below(&self, name: &str) -> Self {
        let address = format!("{}/{name}", self.address);
        let prefix = name.split('/').fold(self.prefix.clone(), |path, part| path.join(part));
        Self { address, inner: Arc::clone(&self.inner), prefix, ..*self }
    }

    /// Whether what is here are the parts of one volume, rather than volumes.
    #[cfg(feature = "sqlite")]
    pub(crate) fn is_volume(&self) -> Result<bool, DiskError> {
        Ok(self.names()?.1.iter().any(|file| Part::named(file, 1).is_some()))
    }

    /// What a volume is called for a person.
    pub(super) fn shown(&self, volume: &str) -> String {
        format!("{}/{volume}", self.address)
    }

    /// Puts a part where none is, or in the place of one.
    pub(super) async fn put_part(
        &self,
        (volume, start): (&str, u64),
        payload: PutPayload,
        replaces: bool,
        stop: &Stop,
    ) -> Result<(), DiskError> {
        let key = self.key(&[volume, &name(start)]);
        self.put(&self.shown(volume), &key, payload, replaces, stop).await
    }

    /// Puts a small file beside the volumes.
    pub(crate) fn put_file(&self, file: &str, text: Vec<u8>) -> Result<(), DiskError> {
        let (place, key) = (self.shown(file), self.key(&[file]));
        runtime()?.block_on(self.put(&place, &key, text.into(), true, &Stop::default()))
    }

    /// What is in a small file beside the volumes; `None` if there is none, or a large one.
    pub(crate) fn get_file(&self, file: &str) -> Result<Option<Bytes>, DiskError> {
        let (place, key) = (self.shown(file), self.key(&[file]));
        runtime()?.block_on(async {
            let stop = Stop::default();
            match self.persist(&place, 0, &stop, || self.inner.head(&key)).await {
                Ok(meta) if meta.size <= LONGEST_FILE => {}
                Ok(_) | Err(Failed::Missing) => return Ok(None),
                Err(failed) => return Err(self.told(&place, failed)),
            }
            match self
                .persist(&place, LONGEST_FILE, &stop, || async { self.inner.get(&key).await?.bytes().await })
                .await
            {
                Ok(bytes) => Ok(Some(bytes)),
                Err(Failed::Missing) => Ok(None),
                Err(failed) => Err(self.told(&place, failed)),
            }
        })
    }

    /// Removes a small file beside the volumes.
    pub(crate) fn delete_file(&self, file: &str) -> Result<(), DiskError> {
        let (place, key) = (self.shown(file), self.key(&[file]));
        runtime()?.block_on(self.delete(&place, &key, &Stop::default()))
    }

    pub(super) async fn delete_part(&self, volume: &str, start: u64, stop: &Stop) -> Result<(), DiskError> {
        self.delete(&self.shown(volume), &self.key(&[volume, &name(start)]), stop).await
    }

    /// The bytes of a part; `None` if it is not there.
    pub(super) async fn get(
        &self,
        volume: &str,
        start: u64,
        range: Range<u64>,
        stop: &Stop,
    ) -> Result<Option<Bytes>, DiskError> {
        let (place, key) = (self.shown(volume), self.key(&[volume, &name(start)]));
        let wanted = range.end - range.start;
        let ask = || self.inner.get_range(&key, range.clone());
        match self.persist(&place, wanted, stop, ask).await {
            Ok(bytes) if bytes.len() as u64 == wanted => Ok(Some(bytes)),
            Ok(bytes) => {
                let text = format!("asked for {wanted} bytes of the part at {start}, it gives {}", bytes.len());
                Err(trouble(&place, StoreTrouble::NotStored, text))
            }
            Err(Failed::Missing) => Ok(None),
            Err(failed) => Err(self.told(&place, failed)),
        }
    }

    /// The parts of a volume, in no order; those behind the part at `after` only.
    pub(super) async fn parts(&self, volume: &str, after: Option<u64>, stop: &Stop) -> Result<Vec<Part>, DiskError> {
        let (place, folder) = (self.shown(volume), self.key(&[volume]));
        let list = || async {
            let mut found = match after {
                Some(start) => self.inner.list_with_offset(Some(&folder), &self.key(&[volume, &name(start)])),
                None => self.inner.list(Some(&folder)),
            };
            let (mut parts, mut foreign) = (Vec::new(), None);
            while let Some(meta) = found.next().await {
                let meta = meta?;
                // One level below the volume, and nothing else.
                let mut below = meta.location.prefix_match(&folder).into_iter().flatten();
                if let (Some(last), None) = (below.next(), below.next()) {
                    match Part::named(last.as_ref(), meta.size) {
                        Some(part) => parts.push(part),
                        None => foreign = Some(last.as_ref().to_owned()),
                    }
                }
            }
            Ok::<_, Error>((parts, foreign))
        };
        match self.persist(&place, 0, stop, list).await {
            // Such as what other programs keep volumes in.
            Ok((_, Some(foreign))) => {
                let found = format!("there is an object {:?}, which is no part of a volume", printable::line(&foreign));
                Err(DiskError::WrongVolume { path: place, wanted: volume.to_owned(), found })
            }
            Ok((parts, None)) => Ok(parts),
            Err(Failed::Missing) => Err(self.no_bucket(&place)),
            Err(failed) => Err(self.told(&place, failed)),
        }
    }

    /// The names of volumes, and of the small files beside them.
    pub(crate) fn names(&self) -> Result<(Vec<String>, Vec<String>), DiskError> {
        let last = |path: &Path| path.filename().map(str::to_owned);
        let prefix = (!self.prefix.is_root()).then_some(&self.prefix);
        let stop = Stop::default();
        let listed = self.persist(&self.address, 0, &stop, || self.inner.list_with_delimiter(prefix));
        match runtime()?.block_on(listed) {
            Ok(found) => {
                let mut volumes: Vec<String> = found.common_prefixes.iter().filter_map(last).collect();
                let mut files: Vec<String> = found.objects.iter().filter_map(|meta| last(&meta.location)).collect();
                volumes.sort_unstable();
                files.sort_unstable();
                Ok((volumes, files))
            }
            Err(Failed::Missing) => Err(self.no_bucket(&self.address)),
            Err(failed) => Err(self.told(&self.address, failed)),
        }
    }

    async fn put(
        &self,
        place: &str,
        key: &Path,
        payload: PutPayload,
        replaces: bool,
        stop: &Stop,
    ) -> Result<(), DiskError> {
        let len = payload.content_length() as u64;
        let mut mode = if replaces { PutMode::Overwrite } else { PutMode::Create };
        loop {
            let ask = || self.inner.put_opts(key, payload.clone(), mode.clone().into());
            match self.persist(place, len, stop, ask).await {
                Ok(_) => return Ok(()),
                Err(Failed::Missing) => return Err(self.no_bucket(place)),
                // An earlier try may have been stored although nothing was heard of it.
                Err(Failed::Exists) => match self.holds(place, key, &payload, stop).await? {
                    Some(true) => return Ok(()),
                    Some(false) => {
                        let text = format!("{key} is there, and of another storage daemon");
                        return Err(trouble(place, StoreTrouble::Shared, text));
                    }
                    None => {}
                },
                // A store that cannot put on condition is asked beforehand.
                Err(Failed::Unsupported(_)) if mode == PutMode::Create => {
                    if self.holds(place, key, &payload, stop).await? == Some(true) {
                        return Ok(());
                    }
                    mode = PutMode::Overwrite;
                }
                Err(failed) => return Err(self.told(place, failed)),
            }
        }
    }

    /// Whether an object has just these bytes; `None` if there is none.
    async fn holds(
        &self,
        place: &str,
        key: &Path,
        payload: &PutPayload,
        stop: &Stop,
    ) -> Result<Option<bool>, DiskError> {
        let len = payload.content_length() as u64;
        match self.persist(place, len, stop, || async { self.inner.get(key).await?.bytes().await }).await {
            Ok(bytes) => {
                let mut rest = &bytes[..];
                let is_same = payload.iter().all(|piece| {
                    let after = rest.strip_prefix(&piece[..]);
                    rest = after.unwrap_or_default();
                    after.is_some()
                });
                Ok(Some(is_same && rest.is_empty()))
            }
            Err(Failed::Missing) => Ok(None),
            Err(failed) => Err(self.told(place, failed)),
        }
    }

    async fn delete(&self, place: &str, key: &Path, stop: &Stop) -> Result<(), DiskError> {
        match self.persist(place, 0, stop, || self.inner.delete(key)).await {
            Ok(()) | Err(Failed::Missing) => Ok(()),
            Err(failed) => Err(self.told(place, failed)),
        }
    }

    /// Makes a request until it is answered, it makes no sense to go on, or nobody wants the answer.
    async fn persist<T, F>(&self, place: &str, bytes: u64, stop: &Stop, ask: impl Fn() -> F) -> Result<T, Failed>
    where
        F: Future<Output = object_store::Result<T>>,
    {
        let limit = REQUEST + Duration::from_secs(bytes / SLOWEST);
        let began = Instant::now();
        let (mut pause, mut is_told) = (FIRST_PAUSE, false);
        loop {
            let text = match until(stop, tokio::time::timeout(limit, ask())).await {
                None => return Err(given_up(place)),
                Some(Ok(Ok(answer))) => {
                    if is_told {
                        tracing::info!("{} answers again", printable::line(&self.address));
                    }
                    return Ok(answer);
                }
                Some(Ok(Err(error))) => match self.judge(place, &error) {
                    Verdict::Ended(failed) => return Err(failed),
                    Verdict::Again(text) => text,
                },
                Some(Err(_)) => format!("no answer within {} s", limit.as_secs()),
            };
            let away = began.elapsed();
            if away + pause > self.retry_for {
                return Err(Failed::Disk(trouble(place, StoreTrouble::Away, text)));
            }
            if away > TOLD_AFTER && !is_told {
                is_told = true;
                let text = format!("{}: {text}; it is tried again for {} s", self.address, self.retry_for.as_secs());
                tracing::warn!("{}", complaint(Code(976), &text));
            }
            if until(stop, tokio::time::sleep(pause)).await.is_none() {
                return Err(given_up(place));
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn judge(&self, place: &str, error: &Error) -> Verdict {
        let text = words(&error.to_string());
        let ended = |why: StoreTrouble| Verdict::Ended(Failed::Disk(trouble(place, why, text.clone())));
        match error {
            _ if text.contains("NoSuchBucket") => ended(StoreTrouble::NoBucket),
            // The bucket is in another region.
            _ if text.contains("redirect without LOCATION") => ended(StoreTrouble::Unusable),
            Error::NotFound { .. } => Verdict::Ended(Failed::Missing),
            Error::AlreadyExists { .. } | Error::Precondition { .. } => Verdict::Ended(Failed::Exists),
            Error::NotImplemented { .. } | Error::NotSupported { .. } => Verdict::Ended(Failed::Unsupported(text)),
            _ if self.is_folder => Verdict::Ended(Failed::Disk(of_disk(place, error))),
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => ended(StoreTrouble::Refused),
            _ => match status(&error.to_string()) {
                // Of some requests that is all that is known.
                Some(401 | 403) => ended(StoreTrouble::Refused),
                Some(501) => Verdict::Ended(Failed::Unsupported(text)),
                Some(507) => Verdict::Ended(Failed::Disk(DiskError::Full(place.to_owned()))),
                Some(408 | 425 | 429 | 500..=599) => Verdict::Again(text),
                Some(_) => ended(StoreTrouble::Unusable),
                None => match last_cause(error) {
                    Some(cause) if cause.downcast_ref::<rustls::Error>().is_some_and(is_distrust) => {
                        let text = format!("its certificate is not trusted: {cause}; see `tls_ca`");
                        Verdict::Ended(Failed::Disk(trouble(place, StoreTrouble::Unusable, words(&text))))
                    }
                    // It was cut short, or makes no sense: whatever is in the way may let another one through.
                    Some(cause) => Verdict::Again(format!("{text}: {}", words(&cause.to_string()))),
                    None => Verdict::Again(text),
                },
            },
        }
    }

    fn told(&self, place: &str, failed: Failed) -> DiskError {
        match failed {
            Failed::Disk(error) => error,
            Failed::Missing => trouble(place, StoreTrouble::NotStored, "an object is not there".to_owned()),
            Failed::Exists => trouble(place, StoreTrouble::Shared, "an object is there already".to_owned()),
            Failed::Unsupported(text) => trouble(place, StoreTrouble::Unusable, text),
        }
    }

    fn no_bucket(&self, place: &str) -> DiskError {
        trouble(place, StoreTrouble::NoBucket, format!("there is nothing at {}", self.address))
    }

    fn key(&self, names: &[&str]) -> Path {
        names.iter().fold(self.prefix.clone(), |path, name| path.join(*name))
    }
}

/// The answer, unless nobody wants it any more.
async fn until<T>(stop: &Stop, answer: impl Future<Output = T>) -> Option<T> {
    let stopped = async {
        while !stop.is_set() {
            tokio::time::sleep(LOOK).await;
        }
    };
    match select(pin!(answer), pin!(stopped)).await {
        Either::Left((answer, _)) => Some(answer),
        Either::Right(_) => None,
    }
}

fn given_up(place: &str) -> Failed {
    Failed::Disk(DiskError::Other { path: place.to_owned(), text: "given up: the job has ended".to_owned() })
}

/// The status of an answer that an error tells of.
fn status(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once("status code: ")?;
    rest.get(..3)?.parse().ok()
}

/// What a person has to know of an error: the server's code and message if it has some, else the end of the story.
fn words(text: &str) -> String {
    let of = |tag: &str| {
        let (_, rest) = text.split_once(&format!("<{tag}>"))?;
        rest.split_once(&format!("</{tag}>")).map(|(value, _)| value)
    };
    let said = match (status(text), of("Code")) {
        (Some(status), Some(code)) => match of("Message").filter(|message| !message.is_empty()) {
            Some(message) => format!("{status} {code}: {message}"),
            None => format!("{status} {code}"),
        },
        _ => match text.split_once("status code: ") {
            Some((_, rest)) => rest.trim_end_matches([' ', ':']).to_owned(),
            None => text.rsplit_once(" - ").map_or(text, |(_, rest)| rest).to_owned(),
        },
    };
    let said: String = said.chars().take(WORDS).collect();
    printable::line(said.trim_end_matches(['.', ' '])).into_owned()
}

/// What the disk said under a store that is a folder.
fn of_disk(place: &str, error: &Error) -> DiskError {
    match causes(error).find_map(|cause| cause.downcast_ref::<std::io::Error>()) {
        Some(io) if io.kind() == ErrorKind::NotFound => trouble(place, StoreTrouble::NoBucket, io.to_string()),
        Some(io) => crate::volume::disk_error(FilePath::new(place), io),
        None => DiskError::Other { path: place.to_owned(), text: words(&error.to_string()) },
    }
}

/// What is behind an error, the nearest first.
fn causes(error: &Error) -> impl Iterator<Item = &(dyn Cause + 'static)> {
    std::iter::successors(error.source(), |cause| behind(*cause))
}

/// An error of the system does not name as its source what it is made of.
fn behind<'a>(cause: &'a (dyn Cause + 'static)) -> Option<&'a (dyn Cause + 'static)> {
    match cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => cause.source(),
    }
}

/// Where the story of an error begins, such as in a socket.
fn last_cause(error: &Error) -> Option<&(dyn Cause + 'static)> {
    causes(error).last()
}

/// Whether another try would find the same certificate.
const fn is_distrust(error: &rustls::Error) -> bool {
    matches!(error, rustls::Error::InvalidCertificate(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_server_are_its_code_and_its_message() {
        let text = "The operation lacked the necessary privileges to complete for path x: Error performing PUT \
                    http://localhost:1/b/x in 1.2ms - Server returned non-2xx status code: 403 Forbidden: <?xml \
                    version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Not\u{1b} you.</Message></Error>";
        assert_eq!(status(text), Some(403));
        assert!(words(text).starts_with("403 AccessDenied: Not"), "{}", words(text));
        assert!(!words(text).contains('\u{1b}'));
        let text = "Generic S3 error: Error performing GET http://x in 3ms - HTTP error: error sending request";
        assert_eq!((status(text), words(text).as_str()), (None, "HTTP error: error sending request"));
        assert!(words(&"x".repeat(10_000)).len() <= WORDS);
    }

    #[test]
    fn a_pipe_says_when_nothing_is_wanted_any_more() {
        let (end, other) = rustix::pipe::pipe().unwrap();
        let stop = Stop::at(Some(Arc::new(end)));
        assert!(!stop.is_set() && !Stop::default().is_set());
        drop(other);
        assert!(stop.is_set());
    }
}
