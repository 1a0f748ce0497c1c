//! Bootstraps: which records of which volumes make up a restore, `wire/3 §6`.
//!
//! A director builds [`Section`]s and prints them; a storage daemon parses the text and asks a [`Selection`] of every record.

use std::fmt;

use super::block::Session;

mod select;

pub use select::{NameFilter, Selection, VolumeToRead};

/// An inclusive range; a single number is a range to itself.
pub type Range<T> = (T, T);

/// One section: records of one session on one volume, usually.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// The storage resource the volume is in, for the director.
    pub storage: Option<String>,
    /// The volumes, normally one.
    pub volumes: Vec<String>,
    /// Their media type.
    pub media_type: Option<String>,
    /// The device the director would use.
    pub device: Option<String>,
    /// Slot of the first volume.
    pub slot: Option<u32>,
    /// POSIX extended expression for full names of files.
    pub file_regex: Option<String>,
    /// VolSessionIds.
    pub session_ids: Vec<Range<u32>>,
    /// VolSessionTimes.
    pub session_times: Vec<u32>,
    /// Upper halves of addresses, as tapes have them.
    pub files: Vec<Range<u32>>,
    /// Lower halves of addresses, as tapes have them.
    pub blocks: Vec<Range<u32>>,
    /// Addresses in bytes; compared with the last byte of a record's block.
    pub addresses: Vec<Range<u64>>,
    /// FileIndexes.
    pub file_indexes: Vec<Range<u32>>,
    /// How many FileIndexes the section yields.
    pub count: Option<u32>,
    /// Streams, exactly.
    pub streams: Vec<i32>,
    /// Names of clients.
    pub clients: Vec<String>,
    /// Unique names of jobs.
    pub jobs: Vec<String>,
    /// JobIds.
    pub job_ids: Vec<Range<u32>>,
}

/// A bootstrap: sections in the order they are to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bootstrap {
    /// The sections.
    pub sections: Vec<Section>,
}

/// Why a bootstrap cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bootstrap line {line}: {problem}")]
pub struct BsrError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: BsrProblem,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BsrProblem {
    /// No `=`.
    #[error("no = after the keyword")]
    NoEquals,
    /// A keyword nobody knows.
    #[error("unknown keyword {0:?}")]
    Keyword(String),
    /// Not a number or range, or too large.
    #[error("{0:?} is not a number or a range")]
    Number(String),
    /// No value where one must be.
    #[error("no value")]
    NoValue,
    /// A quoted text that does not end.
    #[error("the quoted text does not end")]
    Quote,
    /// A medium or device before any volume.
    #[error("{0} must follow a volume")]
    BeforeVolume(&'static str),
    /// No section with a volume in the whole text.
    #[error("no volume")]
    NoVolume,
}

impl Bootstrap {
    /// The names of all volumes, as often as they stand there.
    pub fn volumes(&self) -> impl Iterator<Item = &str> {
        self.sections.iter().flat_map(|section| section.volumes.iter().map(String::as_str))
    }

    /// Reads a bootstrap. Bytes that are not UTF-8 are replaced.
    ///
    /// # Errors
    /// At the first line that does not follow the grammar, or when there is no volume at all.
    pub fn parse(text: &[u8]) -> Result<Self, BsrError> {
        let text = String::from_utf8_lossy(text);
        let mut parser = Parser::default();
        let mut last = 1;
        for (number, line) in text.lines().enumerate() {
            last = number + 1;
            parser.line(line).map_err(|problem| BsrError { line: last, problem })?;
        }
        if parser.sections.iter().all(|section| section.volumes.is_empty()) {
            return Err(BsrError { line: last, problem: BsrProblem::NoVolume });
        }
        Ok(Self { sections: parser.sections })
    }

    /// Cuts it where the storage changes to one that is not the `same` storage daemon. Each part has the name of its
    /// first storage; sections without one stay with what is before them (`wire/3 §6.5`).
    #[must_use]
    pub fn split_by_storage(&self, mut same: impl FnMut(&str, &str) -> bool) -> Vec<(Option<String>, Self)> {
        let mut parts: Vec<(Option<String>, Self)> = Vec::new();
        for section in &self.sections {
            let goes_on = parts.last().is_some_and(|(current, _)| match (current, &section.storage) {
                (Some(current), Some(next)) => current == next || same(current, next),
                (_, None) => true,
                (None, Some(_)) => false,
            });
            match parts.last_mut() {
                Some((_, part)) if goes_on => part.sections.push(section.clone()),
                _ => parts.push((section.storage.clone(), Self { sections: vec![section.clone()] })),
            }
        }
        parts
    }
}

impl fmt::Display for Bootstrap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before: Option<&Section> = None;
        for section in &self.sections {
            // A section that has no storage would take the one named after it.
            section.write(f, before.is_some_and(|before| before.storage.is_none()))?;
            before = Some(section);
        }
        Ok(())
    }
}

/// The lines a director sends, in exactly their order (`wire/3 §6.1`).
impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, false)
    }
}

impl Section {
    /// The lines; the volume before the storage if asked.
    fn write(&self, f: &mut fmt::Formatter<'_>, volume_first: bool) -> fmt::Result {
        let volume = Quoted(&self.volumes.join("|")).to_string();
        let storage = self.storage.as_ref().map(|storage| Quoted(storage).to_string());
        match storage {
            Some(storage) if volume_first => writeln!(f, "Volume={volume}\nStorage={storage}")?,
            Some(storage) => writeln!(f, "Storage={storage}\nVolume={volume}")?,
            None => writeln!(f, "Volume={volume}")?,
        }
        if let Some(media_type) = &self.media_type {
            writeln!(f, "MediaType={}", Quoted(media_type))?;
        }
        match &self.file_regex {
            Some(regex) if is_plain(regex) => writeln!(f, "FileRegex={regex}")?,
            Some(regex) => writeln!(f, "FileRegex={}", Quoted(regex))?,
            None => {}
        }
        if let Some(device) = &self.device {
            writeln!(f, "Device={}", Quoted(device))?;
        }
        if let Some(slot) = self.slot.filter(|&slot| slot > 0) {
            writeln!(f, "Slot={slot}")?;
        }
        lines(f, "VolSessionId", &self.session_ids)?;
        for time in &self.session_times {
            writeln!(f, "VolSessionTime={time}")?;
        }
        lines(f, "VolFile", &self.files)?;
        lines(f, "VolBlock", &self.blocks)?;
        for (first, last) in &self.addresses {
            writeln!(f, "VolAddr={first}-{last}")?;
        }
        lines(f, "FileIndex", &self.file_indexes)?;
        if let Some(count) = self.count.filter(|&count| count > 0) {
            writeln!(f, "Count={count}")?;
        }
        for stream in &self.streams {
            writeln!(f, "Stream={stream}")?;
        }
        for client in &self.clients {
            writeln!(f, "Client={}", Quoted(client))?;
        }
        for job in &self.jobs {
            writeln!(f, "Job={}", Quoted(job))?;
        }
        lines(f, "JobId", &self.job_ids)
    }
}

fn lines(f: &mut fmt::Formatter<'_>, keyword: &str, ranges: &[Range<u32>]) -> fmt::Result {
    ranges.iter().try_for_each(|(first, last)| {
        if first == last { writeln!(f, "{keyword}={first}") } else { writeln!(f, "{keyword}={first}-{last}") }
    })
}

/// A text in quotes; a line feed in it would end the line, so it becomes a blank.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for letter in self.0.chars() {
            match letter {
                '"' | '\\' => write!(f, "\\{letter}")?,
                '\n' | '\r' => f.write_str(" ")?,
                _ => write!(f, "{letter}")?,
            }
        }
        f.write_str("\"")
    }
}

/// Whether a lexer takes it for one word without quotes.
fn is_plain(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "/.*+?^$()[]|-_".contains(c))
}

#[derive(Default)]
struct Parser {
    sections: Vec<Section>,
    storage: Option<String>,
}

impl Parser {
    fn line(&mut self, line: &str) -> Result<(), BsrProblem> {
        let mut rest = line.trim();
        while !rest.is_empty() && !rest.starts_with('#') {
            if let Some(after) = rest.strip_prefix(';') {
                rest = after.trim_start();
                continue;
            }
            let (keyword, after) = rest.split_once('=').ok_or(BsrProblem::NoEquals)?;
            let keyword = keyword.trim().to_ascii_lowercase();
            let (values, after) = values(after, keyword == "fileregex")?;
            self.assign(&keyword, values)?;
            rest = after.trim_start();
        }
        Ok(())
    }

    fn assign(&mut self, keyword: &str, values: Vec<String>) -> Result<(), BsrProblem> {
        let first = values.first().cloned().ok_or(BsrProblem::NoValue)?;
        match keyword {
            "volume" => {
                self.begin_section();
                self.section().volumes = first.split('|').map(str::to_owned).collect();
                return Ok(());
            }
            "storage" => {
                self.storage = Some(first.clone());
                let section = self.section();
                section.storage.get_or_insert(first);
                return Ok(());
            }
            "include" | "exclude" => return Ok(()),
            _ => {}
        }
        let section = self.section();
        match keyword {
            "mediatype" if section.volumes.is_empty() => return Err(BsrProblem::BeforeVolume("MediaType")),
            "device" if section.volumes.is_empty() => return Err(BsrProblem::BeforeVolume("Device")),
            "mediatype" => section.media_type = Some(first),
            "device" => section.device = Some(first),
            // 0 says nothing, as if the line were not there.
            "slot" => section.slot = Some(number(&first)?).filter(|&slot| slot > 0),
            "fileregex" => section.file_regex = Some(first),
            "volsessionid" => ranges(&values, &mut section.session_ids)?,
            "volsessiontime" => numbers(&values, &mut section.session_times)?,
            "volfile" => ranges(&values, &mut section.files)?,
            "volblock" => ranges(&values, &mut section.blocks)?,
            "voladdr" => ranges(&values, &mut section.addresses)?,
            "fileindex" => ranges(&values, &mut section.file_indexes)?,
            "count" => section.count = Some(number(&first)?).filter(|&count| count > 0),
            "stream" => numbers(&values, &mut section.streams)?,
            "client" => section.clients.extend(values),
            "job" => section.jobs.extend(values),
            "jobid" => ranges(&values, &mut section.job_ids)?,
            _ => return Err(BsrProblem::Keyword(keyword.to_owned())),
        }
        Ok(())
    }

    fn section(&mut self) -> &mut Section {
        if self.sections.is_empty() {
            self.sections.push(Section::default());
        }
        let last = self.sections.len() - 1;
        &mut self.sections[last]
    }

    fn begin_section(&mut self) {
        if self.sections.last().is_some_and(|section| !section.volumes.is_empty()) {
            self.sections.push(Section { storage: self.storage.clone(), ..Section::default() });
        }
    }
}

/// The values up to the end of the line, a `;` or a comment, and what is after. With `whole` an unquoted value goes to the
/// end of the line: expressions have commas.
fn values(mut rest: &str, whole: bool) -> Result<(Vec<String>, &str), BsrProblem> {
    let mut values = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(quoted) = rest.strip_prefix('"') {
            let (value, after) = unquote(quoted)?;
            values.push(value);
            rest = after.trim_start();
        } else {
            let end = if whole { rest.len() } else { rest.find([',', ';', '#']).unwrap_or(rest.len()) };
            let value = rest[..end].trim();
            if value.is_empty() {
                return Err(BsrProblem::NoValue);
            }
            values.push(value.to_owned());
            rest = &rest[end..];
        }
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None => return Ok((values, rest)),
        }
    }
}

fn unquote(text: &str) -> Result<(String, &str), BsrProblem> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => value.push(letters.next().ok_or(BsrProblem::Quote)?.1),
            _ => value.push(letter),
        }
    }
    Err(BsrProblem::Quote)
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, BsrProblem> {
    text.trim().parse().map_err(|_| BsrProblem::Number(text.to_owned()))
}

fn numbers<T: std::str::FromStr>(values: &[String], into: &mut Vec<T>) -> Result<(), BsrProblem> {
    for value in values {
        into.push(number(value)?);
    }
    Ok(())
}

fn ranges<T: std::str::FromStr + Copy>(values: &[String], into: &mut Vec<Range<T>>) -> Result<(), BsrProblem> {
    for value in values {
        into.push(match value.split_once('-') {
            Some((first, last)) => (number(first)?, number(last)?),
            None => {
                let one = number(value)?;
                (one, one)
            }
        });
    }
    Ok(())
}

/// Session, place and name of a record that is to be matched.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Whose it is.
    pub session: Session,
    /// The file, above 0.
    pub file_index: u32,
    /// What the data is.
    pub stream: i32,
    /// Address of the last byte of its block on the volume.
    pub address: u64,
    /// The full name, if the record holds attributes; for expressions.
    pub name: Option<&'a [u8]>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SENT: &str = "Storage=\"File\"\nVolume=\"Full-0001\"\nMediaType=\"File\"\nDevice=\"FileStorage\"\nVolSessionId=1\nVolSessionTime=1795437881\nVolAddr=188-1500187\nFileIndex=1-3\nFileIndex=7\nCount=4\n";

    fn sent() -> Section {
        Section {
            storage: Some("File".into()),
            volumes: vec!["Full-0001".into()],
            media_type: Some("File".into()),
            device: Some("FileStorage".into()),
            session_ids: vec![(1, 1)],
            session_times: vec![1_795_437_881],
            addresses: vec![(188, 1_500_187)],
            file_indexes: vec![(1, 3), (7, 7)],
            count: Some(4),
            ..Section::default()
        }
    }

    #[test]
    fn a_section_prints_the_lines_a_director_sends() {
        assert_eq!(Bootstrap { sections: vec![sent()] }.to_string(), SENT);
    }

    #[test]
    fn what_a_director_sends_is_read_back() {
        assert_eq!(Bootstrap::parse(SENT.as_bytes()), Ok(Bootstrap { sections: vec![sent()] }));
        let twice = Bootstrap::parse(SENT.repeat(2).as_bytes()).unwrap();
        assert_eq!(twice.sections, [sent(), sent()]);
    }

    #[test]
    fn the_grammar_takes_blanks_lists_comments_and_semicolons() {
        let text = "# a comment\n\n volume = A|B ; slot=3\nMEDIATYPE=\"Fi\\\"le\"\nVolSessionId = 1, 3-5 # why\nvolsessiontime=9\nstream=1,-2\nfileregex=^/a{1,2}$\nclient=x,\"y z\"\n";
        let section = &Bootstrap::parse(text.as_bytes()).unwrap().sections[0];
        assert_eq!((&section.volumes[..], section.slot), (&["A".to_owned(), "B".to_owned()][..], Some(3)));
        assert_eq!(section.media_type.as_deref(), Some("Fi\"le"));
        assert_eq!((&section.session_ids[..], &section.streams[..]), (&[(1, 1), (3, 5)][..], &[1, -2][..]));
        assert_eq!(section.file_regex.as_deref(), Some("^/a{1,2}$"));
        assert_eq!(section.clients, ["x", "y z"]);
    }

    #[test]
    fn a_broken_line_is_named_by_its_number() {
        for (text, line, problem) in [
            ("Volume=a\nnonsense=1\n", 2, BsrProblem::Keyword("nonsense".into())),
            ("Volume\n", 1, BsrProblem::NoEquals),
            ("Volume=\n", 1, BsrProblem::NoValue),
            ("Volume=\"a\n", 1, BsrProblem::Quote),
            ("Volume=a\nSlot=-1\n", 2, BsrProblem::Number("-1".into())),
            ("Volume=a\nVolSessionId=99999999999\n", 2, BsrProblem::Number("99999999999".into())),
            ("Device=d\n", 1, BsrProblem::BeforeVolume("Device")),
            ("", 1, BsrProblem::NoVolume),
        ] {
            assert_eq!(Bootstrap::parse(text.as_bytes()), Err(BsrError { line, problem }), "{text:?}");
        }
    }

    #[test]
    fn sections_of_one_storage_daemon_stay_together() {
        let on = |storage: &str, volume: &str| Section {
            storage: Some(storage.into()),
            volumes: vec![volume.into()],
            ..Section::default()
        };
        let all = Bootstrap { sections: vec![on("A", "1"), on("A2", "2"), on("B", "3"), on("A", "4")] };
        let parts = all.split_by_storage(|one, other| one.as_bytes()[0] == other.as_bytes()[0]);
        let names: Vec<_> = parts.iter().map(|(name, part)| (name.as_deref().unwrap(), part.sections.len())).collect();
        assert_eq!(names, [("A", 2), ("B", 1), ("A", 1)]);
    }

    #[test]
    fn a_storage_line_between_sections_belongs_to_the_next() {
        let text = "Storage=A\nVolume=1\nVolSessionId=1\nStorage=B\nVolume=2\n";
        let storages: Vec<_> =
            Bootstrap::parse(text.as_bytes()).unwrap().sections.into_iter().map(|section| section.storage).collect();
        assert_eq!(storages, [Some("A".to_owned()), Some("B".to_owned())]);
    }

    #[test]
    fn a_section_without_a_storage_does_not_take_that_of_the_next_when_it_is_written() {
        let text = "Volume=1\nVolume=2\nStorage=B\nVolume=3\n";
        let read = Bootstrap::parse(text.as_bytes()).unwrap();
        assert_eq!(
            read.sections.iter().map(|section| section.storage.as_deref()).collect::<Vec<_>>(),
            [None, Some("B"), Some("B")]
        );
        assert_eq!(Bootstrap::parse(read.to_string().as_bytes()).unwrap(), read);
    }

    proptest! {
        #[test]
        fn any_section_survives(
            volume in "[^|\\x00-\\x1f]{1,20}",
            regex in prop::option::of("[^\\x00-\\x1f]{1,20}"),
            addresses: Vec<(u64, u64)>,
            file_indexes: Vec<(u32, u32)>,
            slot in 1..9_u32,
        ) {
            let section = Section {
                volumes: vec![volume], file_regex: regex, addresses, file_indexes, slot: Some(slot), ..Section::default()
            };
            let all = Bootstrap { sections: vec![section] };
            prop_assert_eq!(Bootstrap::parse(all.to_string().as_bytes()), Ok(all));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text: String) {
            let _ = Bootstrap::parse(text.as_bytes());
        }
    }
}
