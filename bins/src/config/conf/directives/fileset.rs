//! Blocks in a fileset (`wire/2 §1.6`).

use super::super::read::Kind::{Any, Bool, Choice, Number, Text, Words};
use super::super::table::{Act, Directive, Resource, always, disables, field, made, without};

/// The blocks of a fileset.
pub(in super::super) const BLOCKS: &[Resource] = &[
    Resource { name: "Include", also: &[], rows: &[INCLUDE] },
    Resource { name: "Exclude", also: &[], rows: &[EXCLUDE] },
    Resource { name: "Options", also: &[], rows: &[OPTIONS] },
];

const PLUGIN: &str =
    "a plugin for the files of a block does nothing here, so they would be saved in another way than is meant";

const INCLUDE: &[Directive] = &[
    made("Options", Any, "is one of `options`"),
    field("File", Words, "files"),
    field("ExcludeDirContaining", Words, "exclude_dir_containing"),
    field("Plugin", Words, "plugins"),
];

const EXCLUDE: &[Directive] = &[field("File", Words, "files")];

/// The words of a checksum.
const DIGESTS: &[(&str, &str)] =
    &[("MD5", "md5"), ("SHA1", "sha1"), ("SHA256", "sha256"), ("SHA512", "sha512"), ("XXH128", "xxh128")];

/// The words of a compression.
const COMPRESSIONS: &[(&str, &str)] = &[
    ("GZIP1", "gzip1"),
    ("GZIP2", "gzip2"),
    ("GZIP3", "gzip3"),
    ("GZIP4", "gzip4"),
    ("GZIP5", "gzip5"),
    ("GZIP6", "gzip6"),
    ("GZIP7", "gzip7"),
    ("GZIP8", "gzip8"),
    ("GZIP9", "gzip9"),
    ("GZIP", "gzip6"),
    ("LZO", "lzo"),
    ("LZFAST", "lzfast"),
    ("LZ4", "lz4"),
    ("LZ4HC", "lz4hc"),
];

const OPTIONS: &[Directive] = &[
    field("Signature", Choice(DIGESTS), "digest"),
    field("Compression", Choice(COMPRESSIONS), "compression"),
    field("Accurate", Text, "accurate"),
    field("OneFs", Bool, "onefs"),
    field("Recurse", Bool, "recurse"),
    field("Sparse", Bool, "sparse"),
    field("HardLinks", Bool, "hardlinks"),
    field("NoAtime", Bool, "noatime"),
    field("ReadFifo", Bool, "read_fifo"),
    field("IgnoreCase", Bool, "ignore_case"),
    field("Exclude", Bool, "exclude"),
    field("AclSupport", Bool, "acl"),
    field("XAttrSupport", Bool, "xattr"),
    field("HonorNoDumpFlag", Bool, "honor_nodump"),
    field("Wild", Words, "wild"),
    field("WildDir", Words, "wild_dir"),
    made("WildFile", Words, "is one of `wild_file`, or of `regex_file` for the name of a file in any folder"),
    field("Regex", Words, "regex"),
    field("RegexDir", Words, "regex_dir"),
    field("RegexFile", Words, "regex_file"),
    field("Verify", Text, "verify"),
    without("Replace", Text, "the restore says which files are replaced"),
    field("FsType", Words, "fs_types"),
    without("DriveType", Words, "it is for clients on Windows: on Unix no file has one"),
    without("Shadowing", Text, "what is named twice is saved twice"),
    without("AutoExclude", Bool, "it is for clients on Windows"),
    without("StripPath", Number, "files are saved under their whole names"),
    without("Meta", Words, "nothing reads it"),
    always("Portable", Bool, &["no"], &Act::Without("it is for clients on Windows")),
    always("MtimeOnly", Bool, &["no"], &Act::Without("a file is also saved again when its status has changed")),
    always("KeepAtime", Bool, &["no"], &Act::Without("see `NoAtime`, which leaves the time of access alone")),
    always("HfsPlusSupport", Bool, &["no"], &Act::Without("it is for clients on macOS")),
    always("CheckFileChanges", Bool, &["no"], &Act::Without("a file that changes is reported in any case")),
    always(
        "EnhancedWild",
        Bool,
        &["no"],
        &Act::Disables("`*` matches `/` too here, so the patterns would leave out other files"),
    ),
    field("Size", Text, "size"),
    disables("Encryption", Text, "files are not encrypted by the client"),
    always("ForceEncryption", Bool, &["no"], &Act::Disables("files are not encrypted by the client")),
    disables("Plugin", Text, PLUGIN),
];
