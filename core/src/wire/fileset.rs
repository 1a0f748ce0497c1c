//! The lines of a fileset, from the director to the file daemon (`wire/2 §1.6`).

use super::scan::{is_white, lossy, trim_end};

pub use super::digest::Algorithm;
pub use super::fileset_options::{Cipher, Compression, Options, Replace};
pub use super::fileset_paths::{Unmatched, plain, unmatched};
pub use super::fileset_sizes::Sizes;

/// The most bytes of lines that one fileset may have.
pub const MAX_BYTES: usize = 16 << 20;

/// What to save and what to leave out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileSet {
    /// What to save, in order.
    pub includes: Vec<Block>,
    /// What to leave out, in order.
    pub excludes: Vec<Block>,
}

/// An Include or an Exclude.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// Directories that contain one of these names are skipped.
    pub exclude_dirs_containing: Vec<String>,
    /// The blocks of options; the first whose patterns match decides.
    pub options: Vec<OptionsBlock>,
    /// The paths, as bytes. One that begins with `|` or `<` names a program or a file on the client that lists paths.
    pub files: Vec<Vec<u8>>,
    /// The plugins.
    pub plugins: Vec<String>,
}

/// Options and the patterns of the files for which they hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OptionsBlock {
    /// The options.
    pub options: Options,
    /// The patterns and the like, in order.
    pub rules: Vec<Rule>,
}

/// One line of a block of options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A regular expression for the whole path.
    Regex(Scope, String),
    /// A shell pattern.
    Wild(Scope, String),
    /// A base job; real file daemons refuse it.
    Base(String),
    /// Only file systems of this type.
    FsType(String),
    /// Only drives of this type.
    DriveType(String),
    /// A plugin for the files of this block.
    Plugin(String),
    /// Accepted and ignored.
    Reader(String),
    /// Accepted and ignored.
    Writer(String),
}

/// What a pattern is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Paths of files and directories.
    Any,
    /// Paths of directories.
    Directories,
    /// Paths of files.
    Files,
    /// Names of files without their directories; shell patterns only.
    BaseNames,
}

/// Why a fileset cannot be used. The file daemon then answers nothing and ends the session.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileSetError {
    /// A line with an unknown code, or with one where it cannot stand.
    #[error("line {line} of the fileset is not understood: {text}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// Its beginning.
        text: String,
    },
    /// More than [`MAX_BYTES`].
    #[error("the fileset is longer than {MAX_BYTES} bytes")]
    TooLong,
}

impl FileSet {
    /// The payloads to send between `fileset` and the end of data.
    pub fn lines(&self) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        for (code, blocks) in [("I\n", &self.includes), ("E\n", &self.excludes)] {
            for block in blocks {
                out.push(code.into());
                block.put_lines(&mut out);
            }
        }
        out
    }

    /// Whether it takes paths from commands on the client.
    #[must_use]
    pub fn has_commands(&self) -> bool {
        let mut files = self.includes.iter().chain(&self.excludes).flat_map(|block| &block.files);
        files.any(|file| file.starts_with(b"|"))
    }

    /// Reads the payloads between `fileset` and the end of data.
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, FileSetError> {
        let mut reader = FileSetReader::new();
        for line in lines {
            reader.line(line)?;
        }
        Ok(reader.finish())
    }
}

impl Block {
    fn put_lines(&self, out: &mut Vec<Vec<u8>>) {
        out.extend(self.exclude_dirs_containing.iter().map(|name| line("Z", name)));
        for block in &self.options {
            out.push(line("O", &block.options.letters()));
            out.extend(block.rules.iter().map(Rule::to_line));
            out.push(b"N\n".to_vec());
        }
        out.extend(self.files.iter().map(|path| [b"F ", &path[..]].concat()));
        out.push(b"N\n".to_vec());
        out.extend(self.plugins.iter().map(|plugin| format!("P {plugin}").into_bytes()));
        out.push(b"N\n".to_vec());
    }
}

impl Rule {
    fn to_line(&self) -> Vec<u8> {
        match self {
            Self::Regex(scope, text) => line(&format!("R{}", scope.letter()), text),
            Self::Wild(scope, text) => line(&format!("W{}", scope.letter()), text),
            Self::Base(text) => line("B", text),
            Self::FsType(text) => line("X", text),
            Self::DriveType(text) => line("XD", text),
            Self::Plugin(text) => line("G", text),
            Self::Reader(text) => line("D", text),
            Self::Writer(text) => line("T", text),
        }
    }

    fn parse(code: u8, subcode: Option<u8>, text: String) -> Option<Self> {
        Some(match (code, subcode) {
            (b'R', scope) => Self::Regex(Scope::from_letter(scope).filter(|s| *s != Scope::BaseNames)?, text),
            (b'W', scope) => Self::Wild(Scope::from_letter(scope)?, text),
            (b'B', None) => Self::Base(text),
            (b'X', None) => Self::FsType(text),
            (b'X', Some(b'D')) => Self::DriveType(text),
            (b'G', None) => Self::Plugin(text),
            (b'D', None) => Self::Reader(text),
            (b'T', None) => Self::Writer(text),
            _ => return None,
        })
    }
}

impl Scope {
    fn letter(self) -> &'static str {
        match self {
            Self::Any => "",
            Self::Directories => "D",
            Self::Files => "F",
            Self::BaseNames => "B",
        }
    }

    fn from_letter(letter: Option<u8>) -> Option<Self> {
        match letter {
            None => Some(Self::Any),
            Some(b'D') => Some(Self::Directories),
            Some(b'F') => Some(Self::Files),
            Some(b'B') => Some(Self::BaseNames),
            Some(_) => None,
        }
    }
}

/// Builds a fileset from its lines as they arrive.
#[derive(Clone, Debug, Default)]
pub struct FileSetReader {
    fileset: FileSet,
    place: Place,
    in_options: bool,
    line: usize,
    bytes: usize,
}

#[derive(Clone, Copy, Debug, Default)]
enum Place {
    #[default]
    Nowhere,
    Include,
    Exclude,
}

impl FileSetReader {
    /// Starts before the first line.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a line.
    pub fn line(&mut self, payload: &[u8]) -> Result<(), FileSetError> {
        self.line += 1;
        self.bytes += payload.len();
        if self.bytes > MAX_BYTES {
            return Err(FileSetError::TooLong);
        }
        let text = trim_end(super::frame::text(payload));
        self.understand(text)
            .ok_or_else(|| FileSetError::Line { line: self.line, text: lossy(&text[..text.len().min(80)]) })
    }

    /// What the lines said.
    pub fn finish(self) -> FileSet {
        self.fileset
    }

    fn understand(&mut self, text: &[u8]) -> Option<()> {
        let (&code, rest) = text.split_first()?;
        let subcode = rest.first().copied().filter(|&b| !is_white(b));
        let value = &rest[usize::from(subcode.is_some())..];
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match (code, subcode) {
            (b'I', None) => {
                self.fileset.includes.push(Block::default());
                (self.place, self.in_options) = (Place::Include, false);
            }
            (b'E', None) => {
                self.fileset.excludes.push(Block::default());
                (self.place, self.in_options) = (Place::Exclude, false);
            }
            (b'N', None) => self.in_options = false,
            (b'Z', None) => self.outside_options()?.exclude_dirs_containing.push(lossy(value)),
            (b'F', None) => self.outside_options()?.files.push(value.to_vec()),
            (b'P', None) => self.outside_options()?.plugins.push(lossy(value)),
            (b'O', None) => self.options()?.options.add(&lossy(value)),
            _ => {
                let rule = Rule::parse(code, subcode, lossy(value))?;
                self.options()?.rules.push(rule);
            }
        }
        Some(())
    }

    fn block(&mut self) -> Option<&mut Block> {
        match self.place {
            Place::Nowhere => None,
            Place::Include => self.fileset.includes.last_mut(),
            Place::Exclude => self.fileset.excludes.last_mut(),
        }
    }

    fn outside_options(&mut self) -> Option<&mut Block> {
        self.in_options = false;
        self.block()
    }

    fn options(&mut self) -> Option<&mut OptionsBlock> {
        let begin = !self.in_options;
        self.in_options = true;
        let block = self.block()?;
        if begin {
            block.options.push(OptionsBlock::default());
        }
        block.options.last_mut()
    }
}

fn line(code: &str, text: &str) -> Vec<u8> {
    format!("{code} {text}\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(lines: &[&str]) -> Result<FileSet, FileSetError> {
        FileSet::parse(lines.iter().map(|line| line.as_bytes()))
    }

    #[test]
    fn the_recorded_fileset_is_read() {
        let fileset = parse(&["I\n", "O S4f0AX\n", "N\n", "F /srv/bareos-run/data/tiny", "N\n", "N\n"]).unwrap();
        let [include] = &fileset.includes[..] else { panic!("{fileset:?}") };
        assert_eq!(include.files, [b"/srv/bareos-run/data/tiny"]);
        let options = &include.options[0].options;
        assert_eq!(options.digest, Some(Algorithm::Xxh128));
        assert!(options.acl && options.xattr && options.cross_file_systems && options.hard_links());
        assert_eq!(fileset.lines()[1], b"O S4fAX\n");
    }

    #[test]
    fn blocks_keep_their_order_and_their_patterns() {
        let lines = [
            "I\n",
            "Z .nobackup\n",
            "O MZf4HAX\n",
            "WF *.gz.txt\n",
            "RF .*lz4[.]txt$\n",
            "N\n",
            "O e\n",
            "WD /tmp/*\n",
            "R ^/x\n",
            "X ext4\n",
            "XD fixed\n",
            "WB core\n",
            "N\n",
            "F /srv/rich",
            "F /",
            "N\n",
            "P python:x=y",
            "N\n",
            "E\n",
            "O HAX\n",
            "N\n",
            "F /srv/rich/excluded",
            "N\n",
            "N\n",
        ];
        let fileset = parse(&lines).unwrap();
        let include = &fileset.includes[0];
        assert_eq!(include.exclude_dirs_containing, [".nobackup"]);
        assert_eq!(
            include.options[0].rules,
            [Rule::Wild(Scope::Files, "*.gz.txt".to_owned()), Rule::Regex(Scope::Files, ".*lz4[.]txt$".to_owned())]
        );
        assert!(include.options[1].options.exclude);
        assert_eq!(include.options[1].rules.len(), 5);
        assert_eq!(include.plugins, ["python:x=y"]);
        assert_eq!(fileset.excludes[0].files, [b"/srv/rich/excluded"]);
        let written: Vec<String> = fileset.lines().iter().map(|line| lossy(line)).collect();
        assert_eq!(written, lines);
    }

    #[test]
    fn real_forms_of_paths_are_tolerated() {
        let fileset = parse(&["I\n", "F /with newline\r\n", "F \\|echo /x", "F /a b "]).unwrap();
        assert_eq!(fileset.includes[0].files, [&b"/with newline"[..], b"\\|echo /x", b"/a b"]);
        let bytes = FileSet::parse([&b"I\n"[..], b"F /\xff\xfe"]).unwrap();
        assert_eq!(bytes.includes[0].files, [b"/\xff\xfe"]);
    }

    #[test]
    fn options_on_several_lines_make_one_block_until_something_ends_it() {
        let fileset = parse(&["I\n", "W *.a\n", "O e\n", "O H\n", "F /x", "O M\n", "N\n"]).unwrap();
        let [first, second] = &fileset.includes[0].options[..] else { panic!("{fileset:?}") };
        assert!(first.options.exclude && first.options.no_hard_links && first.rules.len() == 1);
        assert_eq!(second.options.digest, Some(Algorithm::Md5));
    }

    #[test]
    fn a_line_that_cannot_stand_there_is_refused() {
        for (lines, at) in [
            (&["F /x"][..], 1),
            (&["I\n", "Q x\n"], 2),
            (&["I\n", "F /x", "RB x\n"], 3),
            (&["I\n", "XF x\n"], 2),
            (&["I\n", "FD /x\n"], 2),
            (&["I\n", "\n"], 2),
        ] {
            assert!(matches!(parse(lines), Err(FileSetError::Line { line, .. }) if line == at), "{lines:?}");
        }
    }

    #[test]
    fn a_fileset_may_be_16_mib_long_and_no_longer() {
        let path = [b"F ".to_vec(), vec![b'x'; MAX_BYTES - 3]].concat();
        let mut reader = FileSetReader::new();
        assert_eq!(reader.line(b"I"), Ok(()));
        assert_eq!(reader.line(&path), Ok(()));
        assert_eq!(reader.line(b"N"), Err(FileSetError::TooLong));
    }

    fn rule() -> impl Strategy<Value = Rule> {
        (0..10usize, "[a-z*./^$ ]{0,10}[a-z]").prop_map(|(kind, text)| match kind {
            0 => Rule::Regex(Scope::Any, text),
            1 => Rule::Regex(Scope::Directories, text),
            2 => Rule::Wild(Scope::Any, text),
            3 => Rule::Wild(Scope::Files, text),
            4 => Rule::Wild(Scope::BaseNames, text),
            5 => Rule::Base(text),
            6 => Rule::FsType(text),
            7 => Rule::DriveType(text),
            8 => Rule::Plugin(text),
            _ => Rule::Reader(text),
        })
    }

    fn block() -> impl Strategy<Value = Block> {
        let options = ("[AXHMefs]{0,5}", proptest::collection::vec(rule(), 0..4))
            .prop_map(|(letters, rules)| OptionsBlock { options: Options::parse(&letters), rules });
        (
            proptest::collection::vec("[a-z.]{1,8}", 0..3),
            proptest::collection::vec(options, 0..3),
            proptest::collection::vec(proptest::collection::vec(33..255u8, 1..20), 0..4),
            proptest::collection::vec("[a-z:=]{1,9}", 0..2),
        )
            .prop_map(|(exclude_dirs_containing, options, files, plugins)| Block {
                exclude_dirs_containing,
                options,
                files,
                plugins,
            })
    }

    proptest! {
        #[test]
        fn filesets_come_back(
            includes in proptest::collection::vec(block(), 0..3),
            excludes in proptest::collection::vec(block(), 0..2),
        ) {
            let fileset = FileSet { includes, excludes };
            let lines = fileset.lines();
            prop_assert_eq!(FileSet::parse(lines.iter().map(|line| &line[..])), Ok(fileset));
        }

        #[test]
        fn no_lines_make_the_reader_fail(lines: Vec<Vec<u8>>) {
            let mut reader = FileSetReader::new();
            let _ = reader.line(b"I");
            for line in &lines {
                let _ = reader.line(line);
            }
        }
    }
}
