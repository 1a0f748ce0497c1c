//! One cell of the table: three daemons, ours or theirs, that read the same files, a mode, a kind of TLS; a full backup, an
//! incremental one, and a restore of both.

use std::fmt;

use crate::rig::Rig;
use crate::site::Site;
use crate::tree;

/// Whose daemon it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Maker {
    Our,
    Real,
}

/// Who dials whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Default,
    Passive,
    ClientInitiated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tls {
    Psk,
    Off,
    Certificates,
}

/// Which cell.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) director: Maker,
    pub(crate) storage: Maker,
    pub(crate) file: Maker,
    pub(crate) mode: Mode,
    pub(crate) tls: Tls,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |maker| if maker == Maker::Our { "our" } else { "real" };
        let mode = match self.mode {
            Mode::Default => "default",
            Mode::Passive => "passive",
            Mode::ClientInitiated => "client-initiated",
        };
        let tls = match self.tls {
            Tls::Psk => "psk",
            Tls::Off => "clear",
            Tls::Certificates => "certificates",
        };
        write!(f, "{}-{}-{}-{mode}-{tls}", word(self.director), word(self.storage), word(self.file))
    }
}

/// All cells of three makers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell(Maker, Maker, Maker);

pub(crate) const CELLS: [Cell; 8] = {
    use Maker::{Our, Real};
    [
        Cell(Our, Our, Our),
        Cell(Our, Our, Real),
        Cell(Our, Real, Our),
        Cell(Our, Real, Real),
        Cell(Real, Our, Our),
        Cell(Real, Our, Real),
        Cell(Real, Real, Our),
        Cell(Real, Real, Real),
    ]
};

impl Cell {
    pub(crate) fn names(&self) -> impl Iterator<Item = Name> + use<> {
        let Self(director, storage, file) = *self;
        [Mode::Default, Mode::Passive, Mode::ClientInitiated].into_iter().flat_map(move |mode| {
            [Tls::Psk, Tls::Off, Tls::Certificates].map(|tls| Name { director, storage, file, mode, tls })
        })
    }
}

/// Runs a cell.
///
/// # Errors
/// What went wrong, for a person.
pub(crate) fn run(rig: &Rig, name: &Name) -> Result<(), String> {
    // A real file daemon that is dialled in clear text may take the end of the authentication for an answer: its own race,
    // which a director of ours leaves it time for.
    let is_race = |why: &str| {
        [name.director, name.file] == [Maker::Real; 2]
            && why.contains("append open: 1000 OK auth") | why.contains("read open: 1000 OK auth")
    };
    let mut outcome = Site::with(rig, name, jobs);
    for _ in 0..3 {
        match &outcome {
            Err(why) if is_race(why) => outcome = Site::with(rig, name, jobs),
            _ => break,
        }
    }
    outcome
}

fn jobs(site: &Site<'_>) -> Result<(), String> {
    site.job("run job=b level=Full yes")?;
    site.next_second();
    tree::change(&site.source());
    site.job("run job=b level=Incremental yes")?;
    site.restores()?;
    if (site.name.mode, site.name.tls) != (Mode::Default, Tls::Off) {
        return Ok(());
    }
    // Both together as one, without the client; what comes after builds on it.
    site.job("run job=b level=VirtualFull yes")?;
    site.restores().map_err(|why| format!("the virtual full: {why}"))?;
    site.job("run job=b level=Incremental yes")?;
    site.restores().map_err(|why| format!("what builds on the virtual full: {why}"))?;
    let jobs = site.ask("list jobs");
    if jobs.lines().filter(|line| line.contains("| B ") && line.contains("| F ")).count() != 2 {
        return Err(format!("the virtual full is no full one:\n{jobs}"));
    }
    always_incremental(site)
}

/// Backups that are incremental for ever, of which the oldest are taken together; twice.
fn always_incremental(site: &Site<'_>) -> Result<(), String> {
    site.job("run job=a level=Full yes")?;
    for round in 0..2 {
        for change in 0..3 {
            site.next_second();
            tree::change_again(&site.source(), round * 3 + change);
            site.next_second();
            site.job("run job=a level=Incremental yes")?;
        }
        // Only what is older than a second is taken together.
        site.next_second();
        let (consolidation, _) = site.job("run job=c yes")?;
        site.end_of(consolidation + 1, "the consolidation")?;
        let left = site.ask("list jobs job=a jobstatus=T");
        let left = left.lines().filter(|line| line.contains("| B ")).count();
        if left != 2 {
            return Err(format!(
                "{left} backups are left instead of the one made of all and the newest:\n{}",
                site.ask("list jobs")
            ));
        }
        site.restores().map_err(|why| format!("consolidation {round}: {why}"))?;
    }
    Ok(())
}
