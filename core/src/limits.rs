//! The bounds of the core that several parts share. Each has a test at the limit and one past it; a bound of one part
//! alone stands there.

use std::time::Duration;

/// Bytes of a parcel: one batch between machines, one system call.
pub const PARCEL: usize = 256 * 1024;

/// Bytes of the smallest parcel: with the attributes of a file and the first 64 KiB of its data, which go together.
pub const LEAST_PARCEL: usize = 96 * 1024;

/// Messages a connection may have under way to the node before it stops reading.
pub const UNDER_WAY: u32 = 8;

/// Bytes of a connection's buffers before a machine is carried.
pub const IDLE_BUFFER: usize = 4 * 1024;

/// Bytes of a connection's buffers while a machine is carried.
pub const BULK_BUFFER: usize = 512 * 1024;

/// Bytes of the longest text frame a control channel accepts.
pub const TEXT: usize = 128 * 1024;

/// Bytes queued to be written on one connection; past that the connection is aborted, because its peer does not read.
pub const SEND_QUEUE: usize = 8 * 1024 * 1024;

/// Bytes of names and attributes after which a page of the catalog's files ends, however few rows it has: a name can be
/// tens of thousands of bytes long.
pub const PAGE: usize = PARCEL;

/// Names in a client's list of what a job could not save.
pub const UNSAVED_NAMES: usize = 10_000;

/// Bytes of a client's list of what a job could not save, without its first line.
pub const UNSAVED_BYTES: usize = 1 << 20;

/// Length of the system's queue of connections to accept.
pub const BACKLOG: u32 = 512;

/// How often to look for an address to listen on that is not there; a change of the network makes it look at once.
pub const LISTEN_AGAIN: Duration = Duration::from_secs(5);

/// Kinds of refused connections, by cause and source, that are counted apart in the log.
pub const REFUSALS: usize = 32;

/// How long a connection that is not authenticated may say nothing while descriptors are short.
pub const SILENT_IN_SHORTAGE: Duration = Duration::from_secs(5);

/// Sessions of one director without a job; of all directors twice as many.
pub const IDLE_SESSIONS: usize = 256;

/// Hosts with wrong keys that are remembered.
pub const GUESSERS: usize = 256;

/// The longest that a wrong key waits for its answer: as long as a stock daemon pauses (`wire/1 §4.7`).
pub const WRONG_KEY_PAUSE: Duration = Duration::from_secs(5);

/// Name look-ups under way at a time in one node, but for those that take long.
pub const LOOKUPS: usize = 4;

/// After this time a look-up takes long: the next one no longer waits for its place.
pub const LOOKUP_SLOW: Duration = Duration::from_secs(1);

/// Name look-ups under way at a time in one node: each holds a thread of the system's resolver.
pub const LOOKUPS_IN_ALL: usize = 32;

/// Names that are remembered because they took long.
pub const SLOW_NAMES: usize = 64;

/// How long a look-up may take; the answer of a slower one is dropped, and it is asked again.
pub const LOOKUP: Duration = Duration::from_secs(30);

/// The head start of each address of a name before the next one (RFC 8305 §8, "Connection Attempt Delay").
pub const RACE: Duration = Duration::from_millis(250);

/// How long one address may take to connect. Then the name is resolved again, so that a host which has moved is found.
pub const TRY: Duration = Duration::from_secs(30);

/// Bytes of a segment that every way carries (RFC 9293 §3.7.1): for one on which larger ones are lost.
pub const SMALL_SEGMENT: u32 = 536;

/// How long a way counts as one on which large segments are lost.
pub const NARROW: Duration = Duration::from_secs(3600);

/// How long a way that stood still counts as one that may lose large packets, if nothing proves it.
pub const NARROW_SUSPECTED: Duration = Duration::from_secs(90);

/// Such ways that are remembered.
pub const NARROW_PLACES: usize = 64;

/// How often to look what is under way on a connection that has something under way.
pub const LOOK: Duration = Duration::from_secs(20);

/// How often TCP has sent the oldest bytes again when they count as lost, and not as late.
pub const LOOK_RETRIES: u32 = 3;

/// The least time for which a connection with a heartbeat interval may stand still, nothing being acknowledged; it ends
/// after this time or three intervals, whichever is longer, or up to a minute later.
pub const STANDSTILL: Duration = Duration::from_secs(300);

/// Bytes that have been acknowledged of which it may be that no large packet was among them: a handshake, a dialogue.
pub const SMALL_FLIGHTS: u64 = 16 * 1024;

/// Tries of a dial that each have a line of their own, however alike.
pub const SAY_TRIES: u32 = 10;

/// How often a dial that goes on failing for the same reason after those, or a connection that stands still, says so.
pub const SAY_TRY: Duration = Duration::from_secs(60);

/// Addresses of one name that are tried.
pub const ADDRESSES_PER_NAME: usize = 16;

/// Bytes of the longest frame a connection accepts before it is authenticated.
pub const EARLY_TEXT: usize = 4 * 1024;

/// Bytes of a connection's buffers while it gathers frames for the catalog.
pub const GATHER_BUFFER: usize = 64 * 1024;

/// How long a connection may take to write its queue and to read to the end when it closes.
pub const DRAIN: Duration = Duration::from_secs(30);

/// The same for a peer that is refused: it has cost enough already.
pub const DRAIN_REFUSED: Duration = Duration::from_secs(5);

/// Commands that one job runs on a client.
pub const SCRIPTS: usize = 32;

/// Bytes of such a command.
pub const SCRIPT_COMMAND: usize = 32 * 1024;

/// Lines of its output that are kept, and bytes of one; what is longer is cut.
pub const SCRIPT_LINES: usize = 500;
/// See [`SCRIPT_LINES`].
pub const SCRIPT_LINE: usize = 500;

/// Seconds that a command may take when the daemon is to end.
pub const SCRIPT_AT_STOP: u64 = 60;

/// Parcels or blocks a machine has under way to a worker.
pub const WORK_UNDER_WAY: usize = 3;

/// Parcels of attributes a machine has under way to the director.
pub const ATTRIBUTES_UNDER_WAY: usize = 4;

/// Bytes a job writes to a volume before it reports a piece (`wire/3 §5.7`).
pub const PIECE: u64 = 1_000_000_000;

/// Time between two reports of how much of a job is on its volumes.
pub const PROGRESS: Duration = Duration::from_secs(10);

/// Longest identity of a pre-shared key, in bytes: what every supported OpenSSL takes in TLS 1.2 and 1.3, as dialler and as
/// acceptor (`PSK_MAX_IDENTITY_LEN` is 128 before OpenSSL 3.0, 256 since).
pub const PSK_IDENTITY: usize = 128;

/// Jobs that one copy or migration job takes; what is left waits for its next run.
pub const ORIGINALS: u32 = 10_000;

/// Files with several links that a storage daemon knows while it takes sessions together; with more the job fails.
pub const HARD_LINKED: usize = 1_000_000;

/// Jobs that a console names for one virtual full.
pub const JOINED: usize = 1_000;

/// Bytes of a console's answer that is made at once; past that the rest of a text is left out, and a document is an error.
/// What a daemon answers is passed on by the parcel instead, and has no end.
pub const ANSWER: usize = 4 * 1024 * 1024;

/// What is wrong with a configuration that was read again: so many findings are told, the others counted.
pub const FINDINGS: usize = 100;

/// How often a catalog that did not take the end of a job, or lines of a report, is offered them again.
pub const RECORD_AGAIN: Duration = Duration::from_secs(30);

/// Ended jobs whose ends are kept for a catalog that does not take them.
pub const UNRECORDED: usize = 100;

/// Catalog requests of a job's storage daemon that may come before the one before them is answered.
pub const EARLY_REQUESTS: usize = 8;

/// The pause before a message that was not delivered is tried again; each further one is twice as long, up to the second.
pub const DELIVER_AGAIN: Duration = Duration::from_secs(10);
/// See [`DELIVER_AGAIN`].
pub const DELIVER_AGAIN_MOST: Duration = Duration::from_secs(300);

/// How long a director that is to end waits for messages on their way.
pub const DELIVER_AT_STOP: Duration = Duration::from_secs(10);

/// Seconds that a command may take to send a message, as in Bareos.
pub const MAIL_COMMAND: u64 = 120;

/// How long messages that are of no job are gathered for one mail.
pub const MAIL_GATHERS: Duration = Duration::from_secs(60);
