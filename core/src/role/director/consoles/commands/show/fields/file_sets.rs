//! What is saved.

use crate::config::{Compression, Digest, DirectorConfig, FileSet, Include, IncludeOptions};

use super::{Field, Resource, Value, always, flag, list, optional, text};

pub(in super::super) fn file_sets(config: &DirectorConfig) -> Vec<Resource> {
    let set = |set: &FileSet| {
        let mut fields = vec![
            text("Name", &set.name),
            optional("Description", set.description.as_deref()),
            always("Include", Value::Blocks(set.include.iter().map(include).collect())),
        ];
        let exclude = listed(&set.exclude.files, &set.exclude.director_lists);
        if !exclude.is_empty() {
            fields.push(always("Exclude", Value::Blocks(vec![vec![list("File", &exclude)]])));
        }
        Resource(fields)
    };
    config.filesets.iter().map(set).collect()
}

/// Paths and lists as a configuration of Bareos writes them: a list on the client has a backslash before it.
fn listed(files: &[String], lists: &[String]) -> Vec<String> {
    let escaped = |file: &String| if file.starts_with(['<', '|']) { format!("\\{file}") } else { file.clone() };
    files.iter().map(escaped).chain(lists.iter().cloned()).collect()
}

fn include(include: &Include) -> Vec<Field> {
    vec![
        always("Options", Value::Blocks(include.options.iter().map(options).collect())),
        always("File", Value::List(listed(&include.files, &include.director_lists))),
        list("Plugin", &include.plugins),
        list("ExcludeDirContaining", &include.exclude_dir_containing),
    ]
}

fn options(options: &IncludeOptions) -> Vec<Field> {
    let digest = match options.digest {
        Digest::None => "",
        Digest::Md5 => "MD5",
        Digest::Sha1 => "SHA1",
        Digest::Sha256 => "SHA256",
        Digest::Sha512 => "SHA512",
        Digest::Xxh128 => "XXH128",
    };
    let compression = match options.compression {
        Compression::None => String::new(),
        other => format!("{other:?}").to_uppercase(),
    };
    vec![
        optional("Signature", Some(digest).filter(|digest| !digest.is_empty())),
        optional("Compression", Some(compression.as_str()).filter(|word| !word.is_empty())),
        optional("Accurate", options.accurate.as_deref()),
        // Off where nobody says, in Bareos: so what is on is said.
        flag("HardLinks", options.hardlinks, false),
        flag("AclSupport", options.acl, false),
        flag("XattrSupport", options.xattr, false),
        flag("OneFs", options.onefs, true),
        flag("Sparse", options.sparse, false),
        flag("NoAtime", options.noatime, false),
        flag("ReadFifo", options.read_fifo, false),
        flag("Recurse", options.recurse, true),
        flag("HonorNoDumpFlag", options.honor_nodump, false),
        optional("Size", options.size.as_deref()),
        flag("Exclude", options.exclude, false),
        flag("IgnoreCase", options.ignore_case, false),
        list("Wild", &options.wild),
        list("WildFile", &options.wild_file),
        list("WildDir", &options.wild_dir),
        list("Regex", &options.regex),
        list("RegexFile", &options.regex_file),
        list("RegexDir", &options.regex_dir),
    ]
}
