//! A fileset of the configuration as the lines a file daemon gets (`wire/2 §1.6`).

use super::lists::Lists;
use crate::config::{self, Compression as ConfigCompression, Digest as ConfigDigest, IncludeOptions};
use crate::wire::base64::{self, Variant};
use crate::wire::digest::{Algorithm, Hasher};
use crate::wire::fileset::{Block, Compression, FileSet, Options, OptionsBlock, Rule, Scope, plain};

/// The fileset on the wire, with what the lists on the director hold.
pub(crate) fn to_wire(set: &config::FileSet, lists: &Lists) -> FileSet {
    let includes = set.include.iter().map(|include| Block {
        exclude_dirs_containing: include.exclude_dir_containing.clone(),
        options: include.options.iter().map(options).collect(),
        files: paths(&include.files, &include.director_lists, lists),
        plugins: include.plugins.clone(),
    });
    let has_excludes = !set.exclude.files.is_empty() || !set.exclude.director_lists.is_empty();
    let excludes = has_excludes.then(|| Block {
        options: vec![OptionsBlock::default()],
        files: paths(&set.exclude.files, &set.exclude.director_lists, lists),
        ..Block::default()
    });
    FileSet { includes: includes.collect(), excludes: excludes.into_iter().collect() }
}

/// What a verify job of the disk compares where its fileset does not say.
const VERIFIED: &str = "pinsug5";

/// The fileset of a verify job of the disk: each block of options says what to compare.
pub(crate) fn to_verify(mut set: FileSet) -> FileSet {
    for block in set.includes.iter_mut().flat_map(|include| &mut include.options) {
        block.options.verify.get_or_insert_with(|| VERIFIED.to_owned());
    }
    set
}

/// What tells this content of a fileset from any other, as the catalog keeps it: 22 characters.
pub(crate) fn digest(set: &FileSet) -> String {
    let mut hasher = Hasher::new(Algorithm::Md5);
    for line in set.lines() {
        hasher.update(&line);
    }
    base64::encode(hasher.finish().as_bytes(), Variant::Standard)
}

fn options(from: &IncludeOptions) -> OptionsBlock {
    let digest = match from.digest {
        ConfigDigest::None => None,
        ConfigDigest::Md5 => Some(Algorithm::Md5),
        ConfigDigest::Sha1 => Some(Algorithm::Sha1),
        ConfigDigest::Sha256 => Some(Algorithm::Sha256),
        ConfigDigest::Sha512 => Some(Algorithm::Sha512),
        ConfigDigest::Xxh128 => Some(Algorithm::Xxh128),
    };
    let options = Options {
        digest,
        compression: compression(from.compression),
        accurate: from.accurate.clone(),
        verify: from.verify.clone(),
        exclude: from.exclude,
        acl: from.acl,
        xattr: from.xattr,
        no_hard_links: !from.hardlinks,
        cross_file_systems: !from.onefs,
        no_recursion: !from.recurse,
        ignore_case: from.ignore_case,
        no_atime: from.noatime,
        read_fifo: from.read_fifo,
        honor_nodump: from.honor_nodump,
        size: from.size.clone(),
        sparse: from.sparse,
        ..Options::default()
    };
    let regexes = [(&from.regex, Scope::Any), (&from.regex_dir, Scope::Directories), (&from.regex_file, Scope::Files)];
    let wilds = [(&from.wild, Scope::Any), (&from.wild_dir, Scope::Directories), (&from.wild_file, Scope::Files)];
    let regexes =
        regexes.into_iter().flat_map(|(texts, scope)| texts.iter().map(move |t| Rule::Regex(scope, t.clone())));
    let wilds = wilds.into_iter().flat_map(|(texts, scope)| texts.iter().map(move |t| Rule::Wild(scope, wild(t))));
    let kinds = from.fs_types.iter().map(|kind| Rule::FsType(kind.clone()));
    OptionsBlock { options, rules: regexes.chain(wilds).chain(kinds).collect() }
}

fn compression(from: ConfigCompression) -> Option<Compression> {
    Some(match from {
        ConfigCompression::None => return None,
        ConfigCompression::Gzip1 => Compression::Gzip(1),
        ConfigCompression::Gzip2 => Compression::Gzip(2),
        ConfigCompression::Gzip3 => Compression::Gzip(3),
        ConfigCompression::Gzip4 => Compression::Gzip(4),
        ConfigCompression::Gzip5 => Compression::Gzip(5),
        ConfigCompression::Gzip6 => Compression::Gzip(6),
        ConfigCompression::Gzip7 => Compression::Gzip(7),
        ConfigCompression::Gzip8 => Compression::Gzip(8),
        ConfigCompression::Gzip9 => Compression::Gzip(9),
        ConfigCompression::Lzo => Compression::Lzo,
        ConfigCompression::LzFast => Compression::FastLz,
        ConfigCompression::Lz4 => Compression::Lz4,
        ConfigCompression::Lz4Hc => Compression::Lz4Hc,
    })
}

/// Paths of a fileset, and after them those of its lists.
fn paths(files: &[String], texts: &[String], lists: &Lists) -> Vec<Vec<u8>> {
    let listed = texts.iter().flat_map(|text| lists.paths(text));
    files.iter().map(|text| text.as_bytes().to_vec()).chain(listed).map(file).collect()
}

/// A path as the client compares it; programs and lists of paths are lines of their own kind.
fn file(path: Vec<u8>) -> Vec<u8> {
    if path.starts_with(b"|") || path.starts_with(b"<") { path } else { plain(&path) }
}

fn wild(text: &str) -> String {
    String::from_utf8_lossy(&plain(text.as_bytes())).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_compression_is_sent_as_real_directors_send_it() {
        let rows = ["\"none\" ", "\"gzip\" Z6", "\"gzip1\" Z1", "\"gzip9\" Z9", "\"lzo\" Zo"];
        for row in rows.into_iter().chain(["\"lzfast\" Zff", "\"lz4\" Zf4", "\"lz4hc\" Zfh"]) {
            let (word, letters) = row.split_once(' ').unwrap();
            let chosen = serde_json::from_str(word).unwrap();
            let block = options(&IncludeOptions { compression: chosen, ..IncludeOptions::default() });
            let none = options(&IncludeOptions::default()).options.letters();
            let sent = block.options.letters();
            assert_eq!(sent.replacen(letters, "", 1), none, "{row}: {sent}");
            assert!(sent.contains(letters), "{row}: {sent}");
        }
        let all = (1..=9).map(|level| options_of(&format!("\"gzip{level}\"")));
        assert!(all.eq((1..=9).map(|level| Some(Compression::Gzip(level)))));
    }

    fn options_of(word: &str) -> Option<Compression> {
        compression(serde_json::from_str(word).unwrap())
    }
}
