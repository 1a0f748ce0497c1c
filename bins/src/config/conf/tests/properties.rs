//! Of any bytes: nothing panics, and every place is inside its text.

use super::*;

/// A row of numbers that looks like chance and is the same in each run.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// What texts are made of: what is special, what is known, and what is neither.
const PIECES: &[&str] = &[
    "{",
    "}",
    "=",
    ";",
    ",",
    "\"",
    "\\",
    "#",
    "\n",
    " ",
    "\t",
    "\r",
    "@|false",
    "\u{feff}",
    "é",
    "日本",
    "\0",
    "Client",
    "Director",
    "Job",
    "JobDefs",
    "FileSet",
    "Include",
    "Options",
    "Exclude",
    "Schedule",
    "Run",
    "Name",
    "Password",
    "Pool",
    "Storage",
    "Messages",
    "Addresses",
    "ip",
    "addr",
    "port",
    "Append",
    "yes",
    "no",
    "10 G",
    "5 parsecs",
    "x",
    "*all*",
    "1st",
    "sat",
    "at",
    "21:00",
    "w01/w02",
    "mon-fri",
    "[md5]",
    "999999999999999999999",
    "-1",
    "Level",
    "Full",
    "Signature",
    "MD5",
    "WildFile",
    "[a",
    "Type",
    "Backup",
    "Device",
    "Count",
    "Profile",
    "Catalog",
    "DbName",
    "Tls Enable",
];

fn tried<T: Configured>(text: &str) {
    let (report, values) = match read::<T>(text) {
        Ok((_, report, values)) => (report, Some(values)),
        Err(report) => (report, None),
    };
    for found in &report.diagnostics {
        assert!(found.span.start <= found.span.end, "{text:?} {found:?}");
        assert!(text.get(found.span.clone()).is_some(), "{text:?} {found:?}");
    }
    let _ = (report.render(false), report.json());
    if let Some(values) = values {
        for path in ["jobs", "clients", "file", "nothing"] {
            let place = values.locate(&ConfigPath::of(path).index(0).field("name"));
            assert!(text.get(place.range).is_some());
        }
    }
}

fn all(text: &str) {
    tried::<DirectorConfig>(text);
    tried::<FileConfig>(text);
    tried::<StorageConfig>(text);
    tried::<ConsoleConfig>(text);
    tried::<TrayConfig>(text);
}

#[test]
fn no_text_of_chance_breaks_anything() {
    let mut chance = Chance(26);
    for _ in 0..400 {
        let length = chance.below(60);
        let text: String = (0..length).flat_map(|_| [PIECES[chance.below(PIECES.len())], " "]).collect();
        // A command would be run thousands of times, and has its own tests.
        all(&text.replace('@', ""));
    }
}

#[test]
fn a_good_text_cut_or_changed_anywhere_breaks_nothing() {
    let whole = director(" Schedule = Weekly\n Full Backup Pool = Full")
        + "Console { Name = c; Password = p; Command ACL = *all* }";
    let mut chance = Chance(7);
    for at in (0..whole.len()).step_by(3) {
        tried::<DirectorConfig>(&whole[..at]);
        let piece = PIECES[chance.below(PIECES.len())].replace('@', "");
        tried::<DirectorConfig>(&format!("{}{piece}{}", &whole[..at], &whole[at..]));
        let end = (at + 1 + chance.below(20)).min(whole.len());
        tried::<DirectorConfig>(&format!("{}{}", &whole[..at], &whole[end..]));
    }
}
