//! Named pipes that a fileset names and has read: what comes out of one is saved as its data (wire/2 §2.3).

use rustix::fs::FileType as Type;
use towline_core::bulk::pack::{PackError, Packer};
use towline_core::wire::fileset::Options;

use super::Work;
use super::hold::Held;
use super::item::{Item, Stage};
use super::pour::{Unread, pour};
use crate::disk::fifo::{Alone, PipeReader};
use crate::disk::meta::Meta;
use crate::disk::notice::{Notice, NoticeKind};
use crate::disk::walk::Found;
use crate::process::{Broken, Means};

/// Whether an entry is a pipe that is read. As with real daemons only one that the fileset names itself: nobody waits at those
/// that happen to lie in its folders.
pub(super) fn is_read(found: &Found, options: &Options, meta: &Meta) -> bool {
    options.read_fifo && found.is_top && meta.kind() == Type::Fifo
}

/// Opens a pipe once somebody writes into it. `None`, and told, if nobody does.
pub(super) fn open(found: &Found, work: &mut Work, means: &Means) -> Option<Held> {
    match PipeReader::open(&found.parent, &found.name, means) {
        Ok(pipe) => Some(Held::Pipe(pipe)),
        Err(why) => {
            let advice = match why {
                Alone::Nobody(_) => ": a command before the job may start what writes into it",
                _ => "",
            };
            let text = format!("is a pipe that is not saved: {why}{advice}");
            work.note(Notice::new(NoticeKind::NotSaved, &found.path, text));
            None
        }
    }
}

impl Item {
    /// Packs what comes out of the pipe.
    pub(super) fn pour(&mut self, packer: &mut Packer, work: &mut Work) -> Result<(), PackError> {
        if !self.in_object {
            packer.begin_data(self.stat.data_stream)?;
            self.in_object = true;
        }
        while let Held::Pipe(pipe) = &mut self.held {
            let mut read = |room: &mut [u8]| pipe.read(room);
            let why = match pour(&mut read, self.compression, &mut self.pending, packer, work) {
                Ok(true) => continue,
                Ok(false) => break,
                Err(Unread::Pack(error)) => return Err(error),
                Err(Unread::Broken(Broken::Failed(error))) => format!("could not be read to its end: {error}"),
                Err(Unread::Broken(_)) => "was not read to its end: the job was given up".to_owned(),
                Err(Unread::Uncompressed) => "could not be compressed".to_owned(),
            };
            work.note(Notice::new(NoticeKind::NotSaved, self.path(), why));
            self.drop_contents(packer, work);
            break;
        }
        if self.stage == Stage::Dropped { Ok(()) } else { self.end_data(packer, work) }
    }
}
