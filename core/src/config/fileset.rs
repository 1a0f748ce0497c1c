//! Filesets: which files a job saves and how.

use serde::{Deserialize, Serialize};

use super::resource::resources;

/// The checksum that is recorded for each file (letters `M`, `S1`…`S4` of `wire/2 §1.6`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Digest {
    /// None.
    None,
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
    /// XXH128: the fastest, against accidents only.
    Xxh128,
}

/// How data are compressed before they leave the client (letters `Z…` of `wire/2 §1.6`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Not at all.
    None,
    /// GZIP, the fastest.
    Gzip1,
    /// GZIP of level 2.
    Gzip2,
    /// GZIP of level 3.
    Gzip3,
    /// GZIP of level 4.
    Gzip4,
    /// GZIP of level 5.
    Gzip5,
    /// GZIP of level 6, which `gzip` means too.
    #[serde(alias = "gzip")]
    Gzip6,
    /// GZIP of level 7.
    Gzip7,
    /// GZIP of level 8.
    Gzip8,
    /// GZIP, the slowest.
    Gzip9,
    /// LZO.
    Lzo,
    /// FastLZ.
    LzFast,
    /// LZ4: the fastest of all.
    Lz4,
    /// LZ4, compressed more slowly and better; as fast to restore.
    Lz4Hc,
}

resources! {
    /// Which files a job saves.
    FileSet {
        /// Name of the fileset.
        name: String,
        /// A note for people.
        description: Option<String> = None,
        /// What to save.
        include: Vec<Include>,
        /// What to leave out of it.
        exclude: Exclude = Exclude { files: Vec::new(), director_lists: Vec::new() },
    }

    /// Files and how to save them.
    Include {
        /// Absolute paths on the client; folders with everything in them. A line that begins with `<` names a file there with
        /// paths, one that begins with `|` a command there that writes them.
        files: Vec<String>,
        /// Lists of further such paths on the director, read at the start of each job: `<` and the name of a file, or `|` and
        /// a command that writes them, both with one path a line. `%` and a letter in a command stand for a value of the
        /// job, as in its run scripts.
        director_lists: Vec<String> = Vec::new(),
        /// Options; the first block whose patterns match a file counts for it, the last one for all others.
        options: Vec<IncludeOptions> = vec![IncludeOptions::default()],
        /// Folders with a file of one of these names are left out.
        exclude_dir_containing: Vec<String> = Vec::new(),
        /// What plugins of the client save, as `bpipe:file=/NAME:reader=COMMAND:writer=COMMAND` (`wire/2 §2.12`).
        plugins: Vec<String> = Vec::new(),
    }

    /// What to leave out.
    Exclude {
        /// Absolute paths, or wildcards.
        files: Vec<String> = Vec::new(),
        /// Lists of such paths on the director, as those of `include`.
        director_lists: Vec<String> = Vec::new(),
    }

    /// How files are saved (`wire/2 §1.6`).
    IncludeOptions {
        /// Checksum of each file. (In Bareos: none.)
        digest: Digest = Digest::Sha256,
        /// How data are compressed on the client: `none`, `gzip1` to `gzip9`, `gzip` (6), `lzo`, `lzfast`, `lz4` or `lz4hc`.
        compression: Compression = Compression::None,
        /// What an accurate job compares with the catalog, letters of `wire/2 §1.8`: `i` inode, `p` permissions, `n` links,
        /// `u` owner, `g` group, `s` size, `d` size if smaller, `a` `m` `c` times, `5` or `1` the digest, for which each
        /// file is read, `A` nothing: all are saved. `None`: `mcs`.
        accurate: Option<String> = None,
        /// What a verify job of the disk compares with the catalog, letters as those of `accurate`. `None`: `pinsug5`. (In
        /// Bareos: only whether files are new or gone.)
        verify: Option<String> = None,
        /// Whether access control lists are saved.
        acl: bool = true,
        /// Whether extended attributes are saved.
        xattr: bool = true,
        /// Whether further names of a file already saved are kept as hard links, so that a restore makes them links
        /// again. (In Bareos: `false`, and each name becomes a file of its own.)
        hardlinks: bool = true,
        /// Whether to stay on the file systems that `files` name.
        onefs: bool = true,
        /// Whether blocks of zeros are left out and become holes again.
        sparse: bool = false,
        /// Whether files are read without changing their access time.
        noatime: bool = false,
        /// Whether what comes out of a named pipe that `files` names itself is saved as its data. Whoever writes into it has
        /// 60 seconds to open it. Each backup reads it, of whatever level.
        read_fifo: bool = false,
        /// Whether folders are entered.
        recurse: bool = true,
        /// Whether files with the `nodump` flag are left out.
        honor_nodump: bool = false,
        /// Which sizes of files are saved (`wire/2 §1.6`): `<10m`, `>1k`, `1k-20 mb`, or `1m` for about as much; `k` is 1024,
        /// `kb` 1000, and so on. `None`: all.
        size: Option<String> = None,
        /// Only what lies on file systems of these types, as `ext4`; empty: of any.
        fs_types: Vec<String> = Vec::new(),
        /// Whether what matches this block is left out.
        exclude: bool = false,
        /// Whether upper and lower case are the same in the patterns.
        ignore_case: bool = false,
        /// Wildcards for files and folders: `*` and `?`, over the whole path.
        wild: Vec<String> = Vec::new(),
        /// Wildcards for files only.
        wild_file: Vec<String> = Vec::new(),
        /// Wildcards for folders only.
        wild_dir: Vec<String> = Vec::new(),
        /// Extended regular expressions for files and folders.
        regex: Vec<String> = Vec::new(),
        /// Extended regular expressions for files only.
        regex_file: Vec<String> = Vec::new(),
        /// Extended regular expressions for folders only.
        regex_dir: Vec<String> = Vec::new(),
    }
}

impl Default for IncludeOptions {
    fn default() -> Self {
        Self {
            digest: Digest::Sha256,
            compression: Compression::None,
            accurate: None,
            verify: None,
            acl: true,
            xattr: true,
            hardlinks: true,
            onefs: true,
            sparse: false,
            noatime: false,
            read_fifo: false,
            recurse: true,
            honor_nodump: false,
            size: None,
            fs_types: Vec::new(),
            exclude: false,
            ignore_case: false,
            wild: Vec::new(),
            wild_file: Vec::new(),
            wild_dir: Vec::new(),
            regex: Vec::new(),
            regex_file: Vec::new(),
            regex_dir: Vec::new(),
        }
    }
}

impl IncludeOptions {
    /// Whether the block names patterns, so that it does not apply to every file.
    #[must_use]
    pub const fn has_patterns(&self) -> bool {
        !(self.wild.is_empty()
            && self.wild_file.is_empty()
            && self.wild_dir.is_empty()
            && self.regex.is_empty()
            && self.regex_file.is_empty()
            && self.regex_dir.is_empty())
    }
}
