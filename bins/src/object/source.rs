//! Reads a volume in a store: pieces of parts by their range, the next ones on their way when it goes straight on.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::task::JoinHandle;
use towline_core::bulk::work::DiskError;

use super::parts::{Part, Row};
use super::store::{Stop, Store};
use super::{place, runtime};
use crate::volume::blocks::Source;

/// Bytes of the first request at a place, and by how much the next one there is longer.
const FIRST: u64 = 64 * 1024;
const GROWTH: u64 = 4;
/// Bytes of the longest one, and from which length on the next ones are asked for ahead.
const LONGEST: u64 = 16 << 20;
const AHEAD_FROM: u64 = 4 << 20;
/// Requests ahead.
const AHEAD: usize = 2;

/// A volume that is read.
#[derive(Debug)]
pub struct ObjectSource {
    store: Arc<Store>,
    name: String,
    /// In order; there may be gaps, which read as zeros.
    parts: Vec<Part>,
    stop: Arc<Stop>,
    window: Mutex<Window>,
}

/// What is here, and what is on its way.
#[derive(Debug, Default)]
struct Window {
    start: u64,
    bytes: Bytes,
    /// Length of the request before.
    len: u64,
    ahead: VecDeque<(u64, u64, Fetch)>,
}

impl Window {
    fn has(&self, at: u64) -> bool {
        (self.start..self.start + self.bytes.len() as u64).contains(&at)
    }
}

type Fetch = JoinHandle<Result<Option<Bytes>, DiskError>>;

impl ObjectSource {
    /// A volume by its path, such as `s3://bucket/prefix/volume`.
    ///
    /// # Errors
    /// There is none, or the store does not say.
    pub fn open(path: &str, stop: Stop) -> Result<Self, DiskError> {
        let (store, name) = place(path)?;
        let mut parts = runtime()?.block_on(store.parts(&name, None, &stop))?;
        if parts.is_empty() {
            return Err(DiskError::Missing(store.shown(&name)));
        }
        parts.sort_unstable();
        let row = Row::of(parts);
        let mut source = Self::of(store, &name, row.parts);
        // Behind a gap there may be what a job relied on; what overlaps is nothing of ours.
        for part in row.strays {
            if part.start >= source.len() {
                source.parts.push(part);
            }
        }
        source.stop = Arc::new(stop);
        Ok(source)
    }

    pub(super) fn of(store: Arc<Store>, name: &str, parts: Vec<Part>) -> Self {
        Self { store, name: name.to_owned(), parts, stop: Arc::default(), window: Mutex::default() }
    }

    /// Reads at most as many bytes as there is room for; 0 at the end.
    ///
    /// # Errors
    /// Those of the store.
    pub fn read(&self, room: &mut [u8], at: u64) -> io::Result<usize> {
        self.read_at(room, at)
    }

    /// Where the last part ends.
    pub(crate) fn len(&self) -> u64 {
        self.parts.last().map_or(0, |part| part.end())
    }

    /// The part with the byte at an address, or the gap: its end, and whether it is a part.
    fn part_at(&self, at: u64) -> Option<(Part, bool)> {
        let next = self.parts.partition_point(|part| part.end() <= at);
        let part = *self.parts.get(next)?;
        if part.start <= at {
            return Some((part, true));
        }
        Some((Part { start: at, len: part.start - at }, false))
    }

    /// Begins to fetch bytes from an address on, at most to the end of their part.
    fn fetch(&self, at: u64, len: u64) -> Result<Option<(u64, u64, Fetch)>, DiskError> {
        let Some((part, is_there)) = self.part_at(at) else { return Ok(None) };
        let end = part.end().min(at.saturating_add(len));
        let (store, name, stop) = (Arc::clone(&self.store), self.name.clone(), Arc::clone(&self.stop));
        let range = at - part.start..end - part.start;
        let get = async move { if is_there { store.get(&name, part.start, range, &stop).await } else { Ok(None) } };
        Ok(Some((at, end - at, runtime()?.spawn(get))))
    }

    /// Makes the byte at an address the first of the window, if there is one.
    fn turn(&self, window: &mut Window, at: u64) -> Result<(), DiskError> {
        let goes_on = at == window.start + window.bytes.len() as u64 && window.len > 0;
        let len = if goes_on { (window.len * GROWTH).min(LONGEST) } else { FIRST };
        if !goes_on {
            for (_, _, fetch) in window.ahead.drain(..) {
                fetch.abort();
            }
        }
        let next = match window.ahead.pop_front() {
            Some(next) => Some(next),
            None => self.fetch(at, len)?,
        };
        let Some((start, wanted, fetch)) = next else {
            (window.start, window.bytes, window.len) = (at, Bytes::new(), 0);
            return Ok(());
        };
        if len >= AHEAD_FROM {
            let mut end = window.ahead.back().map_or(start + wanted, |(start, len, _)| start + len);
            while window.ahead.len() < AHEAD
                && let Some(next) = self.fetch(end, len)?
            {
                end = next.0 + next.1;
                window.ahead.push_back(next);
            }
        }
        let got = runtime()?.block_on(fetch).unwrap_or_else(|error| {
            Err(DiskError::Other { path: self.store.shown(&self.name), text: format!("a read was dropped: {error}") })
        })?;
        let missing = || Bytes::from(vec![0; usize::try_from(wanted.min(LONGEST)).unwrap_or_default()]);
        (window.start, window.bytes, window.len) = (start, got.unwrap_or_else(missing), len);
        Ok(())
    }
}

impl Source for ObjectSource {
    fn read_at(&self, room: &mut [u8], at: u64) -> io::Result<usize> {
        if room.is_empty() || at >= self.len() {
            return Ok(0);
        }
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if !window.has(at) {
            self.turn(&mut window, at).map_err(io::Error::other)?;
        }
        if !window.has(at) {
            return Ok(0);
        }
        let from = usize::try_from(at - window.start).unwrap_or(usize::MAX);
        let there = &window.bytes[from..];
        let n = there.len().min(room.len());
        room[..n].copy_from_slice(&there[..n]);
        Ok(n)
    }
}

impl Drop for ObjectSource {
    fn drop(&mut self) {
        let window = self.window.get_mut().unwrap_or_else(PoisonError::into_inner);
        for (_, _, fetch) in window.ahead.drain(..) {
            fetch.abort();
        }
    }
}
