//! The letters of a block of options in a fileset (`wire/2 §1.6`).

use super::digest::Algorithm;

/// The compression of file data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Compression {
    /// `Z0` to `Z9`: GZIP of that level.
    Gzip(u8),
    /// `Zo`
    Lzo,
    /// `Zff`
    FastLz,
    /// `Zf4`
    Lz4,
    /// `Zfh`
    Lz4Hc,
}

/// The encryption of file data that the director asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cipher {
    /// `E3`
    TripleDes,
    /// `Ea1`
    Aes128,
    /// `Ea2`
    Aes192,
    /// `Ea3`
    Aes256,
    /// `Eb`
    Blowfish,
    /// `Ec1`
    Camellia128,
    /// `Ec2`
    Camellia192,
    /// `Ec3`
    Camellia256,
    /// `Eh1`
    Aes128HmacSha1,
    /// `Eh2`
    Aes256HmacSha1,
}

/// When to replace a file; without effect in a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Replace {
    /// `n`
    Never,
    /// `w`
    IfNewer,
}

/// The options of a block. The default has every letter absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `M`, `S…`: the digest.
    pub digest: Option<Algorithm>,
    /// `Z…`: the compression.
    pub compression: Option<Compression>,
    /// `E…`: the encryption.
    pub cipher: Option<Cipher>,
    /// `Ef`: encrypt even against the file daemon's own wish.
    pub force_encryption: bool,
    /// `e`: leave out what matches this block.
    pub exclude: bool,
    /// `A`: save access control lists.
    pub acl: bool,
    /// `X`: save extended attributes.
    pub xattr: bool,
    /// `H`: save every hard link as a file of its own.
    pub no_hard_links: bool,
    /// `f`: go into other file systems.
    pub cross_file_systems: bool,
    /// `h`: do not go into directories.
    pub no_recursion: bool,
    /// `i`: patterns ignore case.
    pub ignore_case: bool,
    /// `K`: read without touching the time of access. Real directors send it for `Enhanced Wild` too.
    pub no_atime: bool,
    /// `k`: put the time of access back after reading.
    pub keep_atime: bool,
    /// `m`: look at the time of modification only.
    pub mtime_only: bool,
    /// `c`: complain about a file that changes while it is read.
    pub check_changes: bool,
    /// `N`: honour the no-dump flag.
    pub honor_nodump: bool,
    /// `p`: portable format.
    pub portable: bool,
    /// `R`: resource forks.
    pub resource_forks: bool,
    /// `r`: read FIFOs.
    pub read_fifo: bool,
    /// `s`: look for holes.
    pub sparse: bool,
    /// `W`: enhanced patterns.
    pub enhanced_wild: bool,
    /// `x`: no automatic exclusion.
    pub no_auto_exclude: bool,
    /// `n`, `w`: when to replace.
    pub replace: Option<Replace>,
    /// `d1` to `d4`: look for what is included twice.
    pub shadowing: Option<u8>,
    /// `P…:`: how many components to strip from the front of paths.
    pub strip_path: Option<u32>,
    /// `C…:`: what to compare in accurate mode.
    pub accurate: Option<String>,
    /// `J…:`: what to compare with base jobs.
    pub base_job: Option<String>,
    /// `V…:`: what to compare in a verify job.
    pub verify: Option<String>,
    /// `z…:`: which sizes to take.
    pub size: Option<String>,
    /// Letters without a meaning here.
    pub unknown: String,
}

impl Options {
    /// Reads letters; what has no meaning is kept in `unknown`.
    pub fn parse(letters: &str) -> Self {
        let mut options = Self::default();
        options.add(letters);
        options
    }

    /// Whether hard links are recognised.
    pub fn hard_links(&self) -> bool {
        !self.no_hard_links
    }

    /// Reads letters into these options; later ones win.
    pub fn add(&mut self, letters: &str) {
        let mut rest = letters;
        while let Some(letter) = rest.chars().next() {
            if let Some(flag) = self.flag(letter) {
                *flag = true;
                rest = &rest[letter.len_utf8()..];
            } else {
                rest = self.add_long(letter, &rest[letter.len_utf8()..]);
            }
        }
    }

    /// The letters, in an order of our own: files are compared with each other by what the letters mean.
    pub fn letters(&self) -> String {
        let mut out = String::new();
        out.extend(code_of(DIGESTS, self.digest));
        match self.compression {
            Some(Compression::Gzip(level)) => out.push_str(&format!("Z{}", level.min(9))),
            other => out.extend(code_of(COMPRESSIONS, other)),
        }
        out.extend(code_of(CIPHERS, self.cipher));
        if self.force_encryption {
            out.push_str("Ef");
        }
        let mut copy = self.clone();
        for letter in FLAGS.chars() {
            if copy.flag(letter).is_some_and(|flag| *flag) {
                out.push(letter);
            }
        }
        out.extend(match self.replace {
            Some(Replace::Never) => Some("n"),
            Some(Replace::IfNewer) => Some("w"),
            None => None,
        });
        if let Some(kind) = self.shadowing {
            out.push_str(&format!("d{kind}"));
        }
        if let Some(components) = self.strip_path {
            out.push_str(&format!("P{components}:"));
        }
        let texts = [('C', &self.accurate), ('J', &self.base_job), ('V', &self.verify), ('z', &self.size)];
        for (letter, text) in texts {
            if let Some(text) = text {
                out.push_str(&format!("{letter}{text}:"));
            }
        }
        out + &self.unknown
    }

    fn flag(&mut self, letter: char) -> Option<&mut bool> {
        Some(match letter {
            'e' => &mut self.exclude,
            'f' => &mut self.cross_file_systems,
            'H' => &mut self.no_hard_links,
            'A' => &mut self.acl,
            'X' => &mut self.xattr,
            'h' => &mut self.no_recursion,
            'i' => &mut self.ignore_case,
            'K' => &mut self.no_atime,
            'k' => &mut self.keep_atime,
            'm' => &mut self.mtime_only,
            'c' => &mut self.check_changes,
            'N' => &mut self.honor_nodump,
            'p' => &mut self.portable,
            'R' => &mut self.resource_forks,
            'r' => &mut self.read_fifo,
            's' => &mut self.sparse,
            'W' => &mut self.enhanced_wild,
            'x' => &mut self.no_auto_exclude,
            _ => return None,
        })
    }

    /// Takes an option that is more than a flag; returns what follows it.
    fn add_long<'a>(&mut self, letter: char, rest: &'a str) -> &'a str {
        match letter {
            '0' | 'a' => rest,
            'M' => {
                self.digest = Some(Algorithm::Md5);
                rest
            }
            'S' => match lookup(DIGESTS, "S", rest) {
                Some((digest, rest)) => {
                    self.digest = Some(digest);
                    rest
                }
                None => {
                    self.digest = Some(Algorithm::Sha1);
                    rest
                }
            },
            'n' | 'w' => {
                self.replace = Some(if letter == 'n' { Replace::Never } else { Replace::IfNewer });
                rest
            }
            'P' => {
                let (digits, rest) = until_colon(rest);
                self.strip_path = Some(digits.parse().unwrap_or(0));
                rest
            }
            'C' | 'J' | 'V' | 'z' => {
                let (text, rest) = until_colon(rest);
                let place = match letter {
                    'C' => &mut self.accurate,
                    'J' => &mut self.base_job,
                    'V' => &mut self.verify,
                    _ => &mut self.size,
                };
                *place = Some(text.to_owned());
                rest
            }
            _ => self.add_coded(letter, rest),
        }
    }

    fn add_coded<'a>(&mut self, letter: char, rest: &'a str) -> &'a str {
        let digit = rest.chars().next().and_then(|c| c.to_digit(10)).and_then(|d| u8::try_from(d).ok());
        match (letter, digit) {
            ('Z', Some(level)) => {
                self.compression = Some(Compression::Gzip(level));
                return &rest[1..];
            }
            ('d', Some(kind @ 1..=4)) => {
                self.shadowing = Some(kind);
                return &rest[1..];
            }
            _ => {}
        }
        if let Some((compression, rest)) = lookup(COMPRESSIONS, "Z", rest).filter(|_| letter == 'Z') {
            self.compression = Some(compression);
            return rest;
        }
        if let Some((cipher, rest)) = lookup(CIPHERS, "E", rest).filter(|_| letter == 'E') {
            self.cipher = Some(cipher);
            return rest;
        }
        if let Some(rest) = rest.strip_prefix('f').filter(|_| letter == 'E') {
            self.force_encryption = true;
            return rest;
        }
        self.unknown.push(letter);
        rest
    }
}

const FLAGS: &str = "efHAXhiKkmcNpRrsWx";

const DIGESTS: &[(&str, Algorithm)] = &[
    ("M", Algorithm::Md5),
    ("S1", Algorithm::Sha1),
    ("S2", Algorithm::Sha256),
    ("S3", Algorithm::Sha512),
    ("S4", Algorithm::Xxh128),
];

const COMPRESSIONS: &[(&str, Compression)] =
    &[("Zo", Compression::Lzo), ("Zff", Compression::FastLz), ("Zf4", Compression::Lz4), ("Zfh", Compression::Lz4Hc)];

const CIPHERS: &[(&str, Cipher)] = &[
    ("E3", Cipher::TripleDes),
    ("Ea1", Cipher::Aes128),
    ("Ea2", Cipher::Aes192),
    ("Ea3", Cipher::Aes256),
    ("Eb", Cipher::Blowfish),
    ("Ec1", Cipher::Camellia128),
    ("Ec2", Cipher::Camellia192),
    ("Ec3", Cipher::Camellia256),
    ("Eh1", Cipher::Aes128HmacSha1),
    ("Eh2", Cipher::Aes256HmacSha1),
];

/// Finds the code that begins with `letter` and goes on with the front of `rest`.
fn lookup<'a, T: Copy>(table: &[(&str, T)], letter: &str, rest: &'a str) -> Option<(T, &'a str)> {
    table.iter().find_map(|(code, value)| Some((*value, rest.strip_prefix(code.strip_prefix(letter)?)?)))
}

fn code_of<T: Copy + PartialEq>(table: &[(&'static str, T)], value: Option<T>) -> Option<&'static str> {
    table.iter().find(|(_, v)| Some(*v) == value).map(|(code, _)| *code)
}

fn until_colon(text: &str) -> (&str, &str) {
    text.split_once(':').unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn recorded_letters_are_understood() {
        let base = Options { acl: true, xattr: true, ..Options::default() };
        let unlinked = Options { no_hard_links: true, ..base.clone() };
        for (letters, options) in [
            ("S4f0AX", Options { digest: Some(Algorithm::Xxh128), cross_file_systems: true, ..base.clone() }),
            ("eHAX", Options { exclude: true, ..unlinked.clone() }),
            (
                "SZ6HAX",
                Options { digest: Some(Algorithm::Sha1), compression: Some(Compression::Gzip(6)), ..unlinked.clone() },
            ),
            ("S4sAX0H", Options { digest: Some(Algorithm::Xxh128), sparse: true, ..unlinked.clone() }),
            (
                "MZf4HAX",
                Options { digest: Some(Algorithm::Md5), compression: Some(Compression::Lz4), ..unlinked.clone() },
            ),
            ("HAX", unlinked),
            (
                "P2:Cmcs:VVpins5:z>1k:d3Ea2Ef",
                Options {
                    strip_path: Some(2),
                    accurate: Some("mcs".to_owned()),
                    verify: Some("Vpins5".to_owned()),
                    size: Some(">1k".to_owned()),
                    shadowing: Some(3),
                    cipher: Some(Cipher::Aes192),
                    force_encryption: true,
                    ..Options::default()
                },
            ),
            ("QZqEzM:", Options { size: Some("M".to_owned()), unknown: "QZqE".to_owned(), ..Options::default() }),
        ] {
            assert_eq!(Options::parse(letters), options, "{letters}");
            assert_eq!(Options::parse(&options.letters()), options, "{letters}");
        }
    }

    #[test]
    fn every_code_comes_back() {
        for (code, digest) in DIGESTS {
            assert_eq!(Options::parse(code).digest, Some(*digest));
        }
        for (code, compression) in COMPRESSIONS {
            assert_eq!(Options::parse(code).compression, Some(*compression));
        }
        for (code, cipher) in CIPHERS {
            assert_eq!(Options::parse(code).cipher, Some(*cipher));
        }
        for code in
            DIGESTS.iter().map(|c| c.0).chain(COMPRESSIONS.iter().map(|c| c.0)).chain(CIPHERS.iter().map(|c| c.0))
        {
            assert_eq!(Options::parse(code).letters(), code);
        }
        for letter in FLAGS.chars().chain("nw".chars()) {
            assert_eq!(Options::parse(&letter.to_string()).letters(), letter.to_string());
        }
    }

    proptest! {
        #[test]
        fn no_letters_make_the_parser_fail_and_their_meaning_is_stable(letters: String) {
            let options = Options::parse(&letters);
            let _ = options.letters();
        }

        #[test]
        fn known_letters_keep_their_meaning(letters in "([eHAXfhisKkmcNpRrWxnwM]|S[1234]|Z[0-9]|Zo|Zff|Ea1|d[1-4]|P[0-9]:|Cmcs:|V5:){0,12}") {
            let options = Options::parse(&letters);
            prop_assert_eq!(&options.unknown, "");
            prop_assert_eq!(Options::parse(&options.letters()), options);
        }
    }
}
