//! How long the certificates that configurations of this machine name are good.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use towline_core::config::TlsConfig;
use towline_core::quantity::counted;
use x509_parser::pem::Pem;

use super::{Finding, Level};
use crate::config::{Configured, Loaded, load};
use crate::daemon::console::ConsoleProgram;
use crate::daemon::director::DirectorDaemon;
use crate::daemon::file::FileProgram;
use crate::daemon::storage::StorageProgram;
use crate::daemon::{Daemon, Places};

const DAY: i64 = 86_400;
/// Days before its end from which on a certificate is worth a word, and from which on that is urgent.
const LEFT: [i64; 2] = [30, 7];
/// Bytes of the largest file that is looked at.
const MOST: u64 = 4 << 20;

/// Looks at all that the configurations in a folder name.
pub(super) fn look(folder: &Path, now: i64) -> Vec<Finding> {
    let mut files = BTreeSet::new();
    named::<DirectorDaemon>(folder, &mut files);
    named::<StorageProgram>(folder, &mut files);
    named::<FileProgram>(folder, &mut files);
    named::<ConsoleProgram>(folder, &mut files);
    files.into_iter().flat_map(|file| looked(&file, now)).collect()
}

/// The files that one program's configuration names, if it has one there.
fn named<D: Daemon>(folder: &Path, files: &mut BTreeSet<PathBuf>) {
    let beside = folder.join(D::Config::COMPONENT.ron());
    let path = if beside.exists() { beside } else { folder.to_owned() };
    let Ok(loaded) = load::<D::Config>(&path) else { return };
    let Places { own, peers, .. } = D::tls(&loaded.config);
    let configs = std::iter::once(own.config).chain(peers.iter().map(|peer| peer.config));
    for config in configs.filter(|config| config.enable) {
        add(&loaded, config, files);
    }
}

fn add<T>(loaded: &Loaded<T>, config: &TlsConfig, files: &mut BTreeSet<PathBuf>) {
    let all = [&config.certificate, &config.ca];
    files.extend(all.into_iter().flatten().map(|name| loaded.resolve(name)));
}

/// Every certificate of a file.
fn looked(file: &Path, now: i64) -> Vec<Finding> {
    let about = format!("certificate {}", file.display());
    let read = std::fs::metadata(file).and_then(|meta| match meta.len() {
        ..=MOST => std::fs::read(file),
        _ => Err(std::io::Error::other("it is too large for certificates")),
    });
    let bytes = match read {
        Ok(bytes) => bytes,
        Err(error) => return vec![Finding::new(Level::Critical, about, format!("cannot be read: {error}"))],
    };
    let ends = Pem::iter_from_buffer(&bytes).map(|pem| {
        let pem = pem.ok().filter(|pem| pem.label == "CERTIFICATE")?;
        pem.parse_x509().ok().map(|certificate| certificate.validity().not_after.timestamp())
    });
    let found: Vec<Finding> = ends
        .map(|end| match end {
            Some(end) => judged(&about, end, now),
            None => Finding::new(Level::Warning, &*about, "has a part that is no certificate"),
        })
        .collect();
    match found.is_empty() {
        true => vec![Finding::new(Level::Critical, about, "has no certificate in it")],
        false => found,
    }
}

fn judged(about: &str, end: i64, now: i64) -> Finding {
    let days = (end - now).div_euclid(DAY);
    let level = match days {
        _ if days < LEFT[1] => Level::Critical,
        _ if days < LEFT[0] => Level::Warning,
        _ => Level::Good,
    };
    let text = match days {
        ..0 => format!("was good until {} ago: make another", counted(-days, "day")),
        _ => format!("is good for {} more", counted(days, "day")),
    };
    Finding::new(level, about, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::certificates::Authority;

    #[test]
    fn a_certificate_is_told_before_its_end() {
        let now = 1_795_438_893;
        for (days, level) in [(31, Level::Good), (29, Level::Warning), (6, Level::Critical), (-1, Level::Critical)] {
            assert_eq!(judged("x", now + days * DAY, now).level, level, "{days}");
        }
    }

    #[test]
    fn a_file_with_certificates_is_read_and_another_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (ca, key) = Authority::fresh("here").unwrap();
        let (certificate, _) = Authority::of(&ca, &key).unwrap().certificate("x", &["x.example"]).unwrap();
        let file = folder.path().join("both.pem");
        std::fs::write(&file, certificate + &ca).unwrap();
        let now = crate::joining::now();
        assert_eq!(looked(&file, now).iter().map(|found| found.level).collect::<Vec<_>>(), [Level::Good; 2]);
        let late = looked(&file, now + 820 * DAY);
        assert_eq!(late.iter().map(|found| found.level).collect::<Vec<_>>(), [Level::Critical, Level::Good]);
        std::fs::write(&file, "nothing").unwrap();
        assert_eq!(looked(&file, now)[0].level, Level::Critical);
        assert_eq!(looked(&folder.path().join("gone"), now)[0].level, Level::Critical);
    }
}
