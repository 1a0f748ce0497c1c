//! Plugins in filesets and streams: the definition of `bpipe`, and the records around what a plugin saves (`wire/2 §2.12`).

use super::scan::{Scan, put_decimal};

/// The only plugin there is: it saves what one command writes, and gives what is restored to another.
pub const BPIPE: &str = "bpipe";

/// The name of the plugin that a definition or the options of a job are for.
#[must_use]
pub fn name(definition: &str) -> &str {
    definition.split(':').next().unwrap_or_default().trim()
}

/// What `bpipe:file=…:reader=…:writer=…` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bpipe {
    /// Under which name it stands in the catalog.
    pub file: String,
    /// The command that writes what is saved.
    pub reader: String,
    /// The command that reads what is restored.
    pub writer: String,
}

impl Bpipe {
    /// Reads a definition; what comes later goes before what comes first. Backslashes are left out, and no value has a colon.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(definition: &str) -> Result<Self, &'static str> {
        let mut found = Self::default();
        for part in definition.split(':').skip(1) {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.replace('\\', "");
            match key.to_ascii_lowercase().as_str() {
                "file" => found.file = value,
                "reader" => found.reader = value,
                "writer" => found.writer = value,
                "usesuffix" if !matches!(value.to_ascii_lowercase().as_str(), "yes" | "true") => {}
                "usesuffix" => return Err("names do not get a suffix here"),
                _ => return Err("it has another word than file, reader and writer, or a colon in one of them"),
            }
        }
        match () {
            () if !found.file.contains('/') => Err("its file is no whole path"),
            () if found.reader.trim().is_empty() => Err("it names no reader"),
            () if found.writer.trim().is_empty() => Err("it names no writer"),
            () => Ok(found),
        }
    }
}

/// A definition with what the options of a job say of its plugin.
#[must_use]
pub fn with_options(definition: &str, options: &[String]) -> String {
    let mut whole = definition.to_owned();
    for option in options.iter().filter(|option| name(option) == name(definition)) {
        if let Some((_, values)) = option.split_once(':') {
            whole.push(':');
            whole.push_str(values);
        }
    }
    whole
}

/// A record of stream 26.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PluginRecord<'a> {
    /// The file of this index, which follows, was saved with this definition.
    Begin(i32, &'a [u8]),
    /// That was all of it.
    End(i32),
}

impl<'a> PluginRecord<'a> {
    /// Appends the record.
    pub fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Begin(file_index, definition) => {
                put_decimal(out, (*file_index).into());
                out.extend_from_slice(b" 1 1 ");
                out.extend_from_slice(definition);
                out.push(0);
            }
            Self::End(file_index) => {
                put_decimal(out, (*file_index).into());
                out.extend_from_slice(b" 0");
            }
        }
    }

    /// Reads a record; `None` if it is neither.
    #[must_use]
    pub fn parse(record: &'a [u8]) -> Option<Self> {
        let mut scan = Scan::new(record);
        scan.rest().first().filter(|byte| byte.is_ascii_digit())?;
        let file_index = scan.i32();
        scan.gap()?;
        match scan.word(1) {
            b"0" => Some(Self::End(file_index)),
            b"1" => {
                scan.gap()?;
                scan.word(10);
                scan.gap()?;
                let definition = scan.rest().split(|byte| *byte == 0).next().unwrap_or_default();
                Some(Self::Begin(file_index, definition))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_definition_says_what_is_saved_and_how() {
        let found = Bpipe::parse("bpipe:file=/MYSQL/all.sql:reader=mysqldump -A --opt:Writer=mysql -u root").unwrap();
        let expected = ("/MYSQL/all.sql", "mysqldump -A --opt", "mysql -u root");
        assert_eq!((&*found.file, &*found.reader, &*found.writer), expected);
        let options = ["bpipe:writer=cat".to_owned(), "python:x=y".to_owned()];
        let changed = with_options("bpipe:file=/a:reader=b=c:writer=d", &options);
        assert_eq!(Bpipe::parse(&changed).map(|it| (it.reader, it.writer)), Ok(("b=c".to_owned(), "cat".to_owned())));
        assert_eq!(Bpipe::parse("bpipe:file=\\/a\\b:reader=r:writer=w").unwrap().file, "/ab");
        assert_eq!((name("bpipe:file=/x"), name("python"), name("")), ("bpipe", "python", ""));
        for (definition, why) in [
            ("bpipe", "path"),
            ("bpipe:file=x:reader=r:writer=w", "path"),
            ("bpipe:file=/x:writer=w", "reader"),
            ("bpipe:file=/x:reader=r", "writer"),
            ("bpipe:file=/x:reader=r:writer=w:odd=1", "another word"),
            ("bpipe:file=/x:reader=r:writer=w:usesuffix=yes", "suffix"),
            ("bpipe:file=/x:reader=a:b:writer=w", "colon"),
        ] {
            assert!(Bpipe::parse(definition).unwrap_err().contains(why), "{definition}");
        }
    }

    #[test]
    fn records_are_read_as_they_are_written() {
        for (record, bytes) in [
            (PluginRecord::Begin(3, b"bpipe:file=/x y:reader=r"), &b"3 1 1 bpipe:file=/x y:reader=r\0"[..]),
            (PluginRecord::End(3), b"3 0"),
        ] {
            let mut out = Vec::new();
            record.put(&mut out);
            assert_eq!((out.as_slice(), PluginRecord::parse(&out)), (bytes, Some(record)));
        }
        for bad in ["", "x 1 1 y", "3", "3 2 1 x", "3 1"] {
            assert_eq!(PluginRecord::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_fail(bytes: Vec<u8>) {
            let _ = PluginRecord::parse(&bytes);
            let _ = PluginRecord::parse(&[b"1 1 1", &bytes[..]].concat());
            let _ = Bpipe::parse(&String::from_utf8_lossy(&bytes));
        }
    }
}
