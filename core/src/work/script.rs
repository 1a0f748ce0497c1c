//! Commands that are run on this machine for a job (`wire/2 §1.9`). The core says which and when; a worker runs them.

use crate::ids::HandleId;

/// A piece of work with a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScriptWork {
    /// Run a command to its end, in a process group of its own. Answered by [`ScriptDone::Ended`].
    Run(ScriptOrder),
    /// Read lists of paths, of which commands may write some. Answered by [`ScriptDone::Gathered`].
    Gather(GatherOrder),
    /// End the process group of a command that runs, if it still does. Answered by [`ScriptDone::Told`] at once; the command's
    /// own answer follows.
    Stop(HandleId),
}

/// Which lists to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatherOrder {
    /// The name of what runs, chosen by the node.
    pub handle: HandleId,
    /// The lists, one after the other.
    pub lists: Vec<PathList>,
    /// Seconds after which a command's process group is ended; `None`: never.
    pub limit: Option<u64>,
}

/// A list of paths, one a line (`wire/2 §1.6`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathList {
    /// In this file.
    File(String),
    /// As this program writes it, with its arguments; no shell looks at them.
    Command(Vec<String>),
}

/// What to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptOrder {
    /// The name of what runs, chosen by the node.
    pub handle: HandleId,
    /// The program and its arguments; no shell looks at them.
    pub words: Vec<String>,
    /// Folders the program must lie in directly, once all links are followed. Without any, it may be any program.
    pub folders: Vec<String>,
    /// Seconds after which its process group is ended; `None`: never.
    pub limit: Option<u64>,
    /// What it can read.
    pub input: Vec<u8>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScriptDone {
    /// It has ended.
    Ended(ScriptEnd),
    /// The paths of each list, without line ends and empty lines: of all lists together
    /// [`fileset::MAX_BYTES`](crate::wire::fileset::MAX_BYTES) at the most.
    Gathered(Result<Vec<Vec<Vec<u8>>>, Ungathered>),
    /// It has been told to end.
    Told,
}

/// Why lists could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ungathered {
    /// The place of the first that could not, counted from 0.
    pub list: usize,
    /// Why, in words.
    pub why: String,
}

/// The end of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptEnd {
    /// What it wrote, to its output and its errors, line by line:
    /// [`limits::SCRIPT_LINES`](crate::limits::SCRIPT_LINES) of them at the most.
    pub lines: Vec<String>,
    /// Lines after those.
    pub left_out: u64,
    /// How it ended.
    pub outcome: ScriptOutcome,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScriptOutcome {
    /// By itself, with this status.
    Exited(i32),
    /// By a signal of this number.
    Signalled(i32),
    /// It took longer than it may, and was ended.
    TooLong,
    /// It was told to end.
    Stopped,
    /// It lies in none of the folders; where it lies.
    NotAllowed(String),
    /// It could not be started; why.
    NotStarted(String),
}
