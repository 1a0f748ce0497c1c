//! `update volume`: what the catalog says of a volume, by words or one by one from a menu, as in a real director.

use crate::catalog::volumes::with_limits;
use crate::catalog::{CatalogAnswer, CatalogRequest, MediaRow, PoolRow, VolStatus};
use crate::config::{Bytes, Seconds};

use super::super::super::grammar::Takes;
use super::super::super::grammar::Takes::{Either, Nothing, Value};
use super::super::super::questions::choice;
use super::super::super::refusal::{BadValue, Kind, NoSuch, Refusal, number_of};
use super::super::super::reply::{Reply, View};
use super::super::super::words::Words;
use super::super::create;
use super::{TRUNCATE, defaults};

/// What a line may say of a volume; the first two name it.
pub(super) const WORDS: &[(&str, Takes)] = &[
    ("volume", Either),
    ("media", Either),
    ("volstatus", Value),
    ("volretention", Value),
    ("voluse", Value),
    ("maxvoljobs", Value),
    ("maxvolfiles", Value),
    ("maxvolbytes", Value),
    ("recycle", Value),
    ("inchanger", Value),
    ("slot", Value),
    ("pool", Value),
    ("frompool", Either),
    ("allfrompool", Value),
    ("fromallpools", Nothing),
    ("enabled", Value),
    ("recyclepool", Value),
    ("actiononpurge", Value),
    ("encrypt", Value),
    ("storage", Value),
    ("yes", Nothing),
];

pub(super) const HELP: &[(&str, &str)] = &[
    (
        "update volume=NAME [volstatus=STATUS] [volretention=TIME] [voluse=TIME] [maxvoljobs=N] [maxvolfiles=N] \
         [maxvolbytes=SIZE] [recycle=yes|no] [inchanger=yes|no] [slot=N] [pool=NAME] [enabled=yes|no] [recyclepool=NAME] \
         [actiononpurge=truncate|none] [encrypt=no] [storage=NAME]",
        "change a volume in the catalog; with none of these words, from a menu",
    ),
    ("update volume=NAME frompool", "give a volume the limits of its pool"),
    ("update volume allfrompool=NAME", "give all volumes of a pool its limits"),
    ("update volume fromallpools", "give all volumes the limits of their pools"),
];

/// What was chosen from the menu.
const ITEM: &str = "parameter";
/// The volume, if it was asked for.
const NAMED: &str = "named";
/// The new number of its files, which only the menu asks for.
const FILES: &str = "volfiles";

/// An item of the menu: how it is shown, and the word that it comes to.
struct Item {
    title: &'static str,
    word: &'static str,
    /// Whether the menu is not shown again after it.
    is_last: bool,
}

const fn item(title: &'static str, word: &'static str) -> Item {
    Item { title, word, is_last: false }
}

const fn last(title: &'static str, word: &'static str) -> Item {
    Item { title, word, is_last: true }
}

const ITEMS: [Item; 19] = [
    item("Volume Status", "volstatus"),
    item("Volume Retention Period", "volretention"),
    item("Volume Use Duration", "voluse"),
    item("Maximum Volume Jobs", "maxvoljobs"),
    item("Maximum Volume Files", "maxvolfiles"),
    item("Maximum Volume Bytes", "maxvolbytes"),
    item("Recycle Flag", "recycle"),
    item("Slot", "slot"),
    item("InChanger Flag", "inchanger"),
    item("Volume Files", FILES),
    last("Pool", "pool"),
    last("Volume from Pool", "frompool"),
    last("All Volumes from Pool", "allfrompool"),
    last("All Volumes from all Pools", "fromallpools"),
    item("Enabled", "enabled"),
    last("RecyclePool", "recyclepool"),
    item("Action On Purge", "actiononpurge"),
    last("Storage", "storage"),
    last("Done", ""),
];

/// States that a person may give a volume.
const STATES: [VolStatus; 9] = [
    VolStatus::Append,
    VolStatus::Archive,
    VolStatus::Disabled,
    VolStatus::Full,
    VolStatus::Used,
    VolStatus::Cleaning,
    VolStatus::Recycle,
    VolStatus::ReadOnly,
    VolStatus::Error,
];

/// How often a change is tried of a volume that others change meanwhile.
const TRIES: usize = 5;

pub(super) fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let changes = changes(view, words)?;
    let chosen = words.value(&[ITEM]).and_then(|title| ITEMS.iter().find(|item| item.title == title));
    let is_chosen = |word: &str| chosen.is_some_and(|item| item.word == word);
    if words.has("fromallpools") || is_chosen("fromallpools") {
        return Ok(defaults::of_all(view).using_if(words.is_first()));
    }
    if let Some(name) = words.value(&["allfrompool"]) {
        return Ok(defaults::of_one(*create::of_resource(view, name)?).using_if(words.is_first()));
    }
    if is_chosen("allfrompool") {
        let usage = "Name the pool: update volume allfrompool=NAME.";
        return choice::resource(view, words, Kind::Pool, "allfrompool", usage);
    }
    if is_chosen("") {
        return Ok(Reply::found("Selection terminated.\n".to_owned()));
    }
    if changes.is_empty() && chosen.is_none() {
        return Ok(menu(words).using_if(words.is_first()));
    }
    let Some(name) = words.value(&["volume", "media", NAMED]) else {
        let usage = "Name the volume: update volume=NAME.";
        return Ok(choice::line(words, NAMED, "Enter *MediaId or Volume name: ", usage));
    };
    let (words, is_first) = (words.clone(), words.is_first());
    let reply = find(name, move |view, row| match chosen {
        Some(item) if changes.is_empty() && item.word != "frompool" => value(view, &words, item, &row),
        _ => {
            let changes = if changes.is_empty() { vec![Change::FromPool(None)] } else { changes };
            change(view, row, changes, chosen.map(|item| (item, words)))
        }
    });
    Ok(reply.using_if(is_first))
}

/// Asks what is to change.
fn menu(words: &Words) -> Reply {
    let items = ITEMS.iter().map(|item| item.title.to_owned()).collect();
    let usage = "Say what is to change: update volume=NAME volstatus=….";
    choice::menu(words, ITEM, ("Parameters to modify:", "parameter to modify"), items, usage)
}

/// Goes on with the row of a volume, which is named or is a `*` and its number.
fn find(name: &str, next: impl FnOnce(&View<'_>, Box<MediaRow>) -> Result<Reply, Refusal> + Send + 'static) -> Reply {
    let name = name.to_owned();
    let number = name.strip_prefix('*').and_then(|number| number.parse::<u32>().ok());
    let request = match number {
        Some(_) => CatalogRequest::ListMedia { pool: None },
        None => CatalogRequest::VolumeByName(name.clone()),
    };
    Reply::ask(request, move |view, answer| {
        let found = match answer {
            CatalogAnswer::Volume(found) => found,
            CatalogAnswer::Volumes(rows) => rows.into_iter().find(|row| Some(row.media_id) == number).map(Box::new),
            other => return Err(Refusal::unexpected(other)),
        };
        match found {
            Some(row) => next(view, row),
            None => Err(NoSuch::new(Kind::Volume, &name, super::super::super::refusal::Meant(None)).into()),
        }
    })
}

/// Says how it is, and asks how it is to be.
fn value(view: &View<'_>, words: &Words, item: &'static Item, row: &MediaRow) -> Result<Reply, Refusal> {
    let line = |prompt: &str| choice::line(words, item.word, prompt, "Say what is to change: update volume=NAME ….");
    let (now, reply) = match item.word {
        "volstatus" => {
            let is_open = |state: &&VolStatus| {
                **state != VolStatus::Error && (**state != VolStatus::Recycle || row.vol_status == VolStatus::Purged)
            };
            let states = STATES.iter().filter(is_open).map(|state| state.as_str().to_owned()).collect();
            let usage = "Say what is to change: volstatus=….";
            let title = ("Possible Values are:", "new Volume Status");
            let text = format!("Current Volume status is: {}\n", row.vol_status.as_str());
            (text, choice::menu(words, item.word, title, states, usage))
        }
        "volretention" => {
            let text = format!("Current retention period is: {}\n", span(row.vol_retention));
            (text, line("Enter Volume Retention period: "))
        }
        "voluse" => {
            let text = format!("Current use duration is: {}\n", span(row.vol_use_duration));
            (text, line("Enter Volume Use Duration: "))
        }
        "maxvoljobs" => (format!("Current max jobs is: {}\n", row.max_vol_jobs), line("Enter new Maximum Jobs: ")),
        "maxvolfiles" => (format!("Current max files is: {}\n", row.max_vol_files), line("Enter new Maximum Files: ")),
        "maxvolbytes" => (format!("Current value is: {}\n", row.max_vol_bytes), line("Enter new Maximum Bytes: ")),
        "recycle" => (format!("Current recycle flag is: {}\n", yes(row.recycle)), line("Enter new Recycle status: ")),
        "slot" => (format!("Current Slot is: {}\n", row.slot), line("Enter new Slot: ")),
        "inchanger" => {
            let prompt = format!("Set InChanger flag for Volume \"{}\": yes/no: ", row.volume_name);
            (format!("Current InChanger flag is: {}\n", u8::from(row.in_changer)), line(&prompt))
        }
        FILES => {
            let warning = "Warning changing Volume Files can result\nin loss of data on your Volume\n\n";
            let text = format!("{warning}Current Volume Files is: {}\n", row.vol_files);
            (text, line("Enter new number of Files for Volume: "))
        }
        "pool" => (format!("Current Pool is: {}\n", row.pool), line("Enter new Pool name: ")),
        "enabled" => (format!("Current Enabled is: {}\n", u8::from(row.enabled)), line("Enter new Enabled: ")),
        "recyclepool" => {
            let pools = view.ids().pools.values();
            let name = pools.filter(|pool| pool.pool_id == row.recycle_pool_id).map(|pool| &pool.name).next();
            let text = name.map_or_else(
                || "No current RecyclePool\n".to_owned(),
                |name| format!("Current RecyclePool is: {name}\n"),
            );
            (text, choice::resource(view, words, Kind::Pool, item.word, "Name the pool: recyclepool=NAME.")?)
        }
        "actiononpurge" => {
            let text = format!("Current ActionOnPurge is: {}\n", on_purge(row.action_on_purge));
            (text, line("Enter new ActionOnPurge (one of: Truncate, None): "))
        }
        _ => {
            let text = match row.storage.as_str() {
                "" => "Warning, could not find current Storage\n".to_owned(),
                name => format!("Current Storage is: {name}\n"),
            };
            (text, choice::resource(view, words, Kind::Storage, item.word, "Name the storage: storage=NAME.")?)
        }
    };
    Ok(reply.after(now).after(format!("Updating Volume \"{}\"\n", row.volume_name)))
}

/// Makes the changes; what was chosen from the menu is followed by the menu, unless it is the last.
fn change(
    view: &View<'_>,
    mut row: Box<MediaRow>,
    changes: Vec<Change>,
    from_menu: Option<(&'static Item, Words)>,
) -> Result<Reply, Refusal> {
    if let Some((_, words)) = &from_menu
        && let Some(Change::VolFiles(files)) = changes.first()
        && *files != row.vol_files.saturating_add(1)
        && !words.has("yes")
    {
        let text = "Normally, you should only increase Volume Files by one!\n";
        return Ok(choice::yes(words, "Increase Volume Files? (yes/no): ").after(text));
    }
    let changes: Vec<Change> = changes
        .into_iter()
        .map(|change| match change {
            Change::FromPool(None) => create::of_resource(view, &row.pool).map(|pool| Change::FromPool(Some(pool))),
            change => Ok(change),
        })
        .collect::<Result<_, _>>()?;
    let text: String = changes.iter().map(|change| change.make(&mut row)).collect();
    Ok(store(row, changes, TRIES, move || match from_menu {
        Some((item, words)) if !item.is_last => {
            let words = words.without(ITEM).without(NAMED).without("yes").without(item.word);
            menu(&words).after(text)
        }
        _ => Reply::found(text),
    }))
}

/// Stores the row, and once more if others have changed it meanwhile.
fn store(
    row: Box<MediaRow>,
    changes: Vec<Change>,
    tries: usize,
    next: impl FnOnce() -> Reply + Send + 'static,
) -> Reply {
    Reply::ask(CatalogRequest::UpdateMedia(row), move |_, answer| match answer {
        CatalogAnswer::Volume(Some(_)) => Ok(next()),
        CatalogAnswer::Stale(mut row) if tries > 0 => {
            changes.iter().for_each(|change| drop(change.make(&mut row)));
            Ok(store(row, changes, tries - 1, next))
        }
        CatalogAnswer::Stale(row) => Err(Refusal::ChangedMeanwhile(row.volume_name)),
        other => Err(Refusal::unexpected(other)),
    })
}

/// What becomes different of a volume.
#[derive(Clone, Debug, PartialEq)]
enum Change {
    Status(VolStatus),
    /// In seconds, as the next.
    Retention(u64),
    UseDuration(u64),
    Jobs(u32),
    Files(u32),
    Bytes(u64),
    Recycle(bool),
    InChanger(bool),
    Slot(i32),
    Pool(Box<PoolRow>),
    /// The limits of its pool, once that is known.
    FromPool(Option<Box<PoolRow>>),
    Enabled(bool),
    /// None: back to its own pool.
    RecyclePool(Option<Box<PoolRow>>),
    OnPurge(u32),
    /// No key of a drive that encrypts.
    Keyless,
    Storage(u32, String),
    VolFiles(u32),
}

impl Change {
    /// Makes it, and says so.
    fn make(&self, row: &mut MediaRow) -> String {
        match self {
            Self::Status(status) => {
                row.vol_status = *status;
                format!("New Volume status is: {}\n", status.as_str())
            }
            Self::Retention(seconds) => {
                row.vol_retention = *seconds;
                format!("New retention period is: {}\n", span(*seconds))
            }
            Self::UseDuration(seconds) => {
                row.vol_use_duration = *seconds;
                format!("New use duration is: {}\n", span(*seconds))
            }
            Self::Jobs(jobs) => {
                row.max_vol_jobs = *jobs;
                format!("New max jobs is: {jobs}\n")
            }
            Self::Files(files) => {
                row.max_vol_files = *files;
                format!("New max files is: {files}\n")
            }
            Self::Bytes(bytes) => {
                row.max_vol_bytes = *bytes;
                format!("New Max bytes is: {bytes}\n")
            }
            Self::Recycle(on) => {
                row.recycle = *on;
                format!("New Recycle flag is: {}\n", yes(*on))
            }
            Self::InChanger(on) => {
                row.in_changer = *on;
                format!("New InChanger flag is: {}\n", yes(*on))
            }
            Self::Slot(slot) => {
                row.slot = *slot;
                format!("New Slot is: {slot}\n")
            }
            Self::Pool(pool) => {
                row.pool_id = pool.pool_id;
                format!("New Pool is: {}\n", pool.name)
            }
            Self::FromPool(pool) => {
                let Some(pool) = pool else { return String::new() };
                *row = with_limits(row.clone(), pool);
                format!("Volume defaults updated from \"{}\" Pool record.\n", pool.name)
            }
            Self::Enabled(on) => {
                row.enabled = *on;
                format!("New Enabled is: {}\n", u8::from(*on))
            }
            Self::RecyclePool(pool) => {
                row.recycle_pool_id = pool.as_ref().map_or(0, |pool| pool.pool_id);
                format!("New RecyclePool is: {}\n", pool.as_ref().map_or("*None*", |pool| &pool.name))
            }
            Self::OnPurge(bits) => {
                row.action_on_purge = *bits;
                format!("New ActionOnPurge is: {}\n", on_purge(*bits))
            }
            Self::Keyless => format!("No encryption key for volume '{}' configured.\n", row.volume_name),
            Self::Storage(id, name) => {
                row.storage_id = *id;
                format!("New Storage is: {name}\n")
            }
            Self::VolFiles(files) => {
                row.vol_files = *files;
                format!("New Volume Files is: {files}\n")
            }
        }
    }
}

/// What the words change, in the order of a real director.
fn changes(view: &View<'_>, words: &Words) -> Result<Vec<Change>, Refusal> {
    let time = |word: &'static str| match words.value(&[word]) {
        None => Ok(None),
        Some(text) => Seconds::parse(text)
            .map(|time| Some(time.0))
            .ok_or_else(|| BadValue::new(word, text, "a time such as \"30 days\"")),
    };
    let yes_or_no = |word: &'static str| match words.value(&[word]) {
        None => Ok(None),
        Some(text) => match text.to_lowercase().as_str() {
            "yes" | "true" | "1" => Ok(Some(true)),
            "no" | "false" | "0" => Ok(Some(false)),
            _ => Err(BadValue::new(word, text, "yes or no")),
        },
    };
    let state = |text: &str| STATES.into_iter().find(|state| state.as_str().eq_ignore_ascii_case(text));
    let expected = "Append, Archive, Disabled, Full, Used, Cleaning, Recycle, Read-Only or Error";
    let status = words.value(&["volstatus"]);
    let status = status.map(|text| state(text).ok_or_else(|| BadValue::new("volstatus", text, expected)));
    // Bareos tells no capital letters from others.
    let size = |text: &str| {
        Bytes::parse(text)
            .or_else(|| Bytes::parse(&text.to_uppercase()))
            .ok_or_else(|| BadValue::new("maxvolbytes", text, "a size such as 50g"))
    };
    let bytes = words.value(&["maxvolbytes"]).map(size).transpose()?;
    let pool = |word: &str| words.value(&[word]).map(|name| create::of_resource(view, name)).transpose();
    let is_none = words.value(&["recyclepool"]).is_some_and(str::is_empty);
    let recycle_pool = if is_none { Some(None) } else { pool("recyclepool")?.map(Some) };
    let purged = words.value(&["actiononpurge"]).map(|text| match text.to_lowercase().as_str() {
        "truncate" => Ok(TRUNCATE),
        "none" => Ok(0),
        _ => Err(BadValue::new("actiononpurge", text, "truncate or none")),
    });
    let keyless = words.value(&["encrypt"]).map(|text| match text.to_lowercase().as_str() {
        "no" => Ok(Change::Keyless),
        "yes" | "rotate" => Err(Refusal::NoDriveKeys),
        _ => Err(BadValue::new("encrypt", text, "no").into()),
    });
    let storage = words.value(&["storage"]).map(|name| {
        NoSuch::check(view.config(), Kind::Storage, name)?;
        let id = view.ids().storages.get(name).copied();
        let id = id.ok_or_else(|| choice::unknown(view, Kind::Storage, name))?;
        Ok::<_, Refusal>(Change::Storage(id, name.to_owned()))
    });
    Ok([
        status.transpose()?.map(Change::Status),
        time("volretention")?.map(Change::Retention),
        time("voluse")?.map(Change::UseDuration),
        number_of(words, "maxvoljobs")?.map(Change::Jobs),
        number_of(words, "maxvolfiles")?.map(Change::Files),
        bytes.map(|Bytes(bytes)| Change::Bytes(bytes)),
        yes_or_no("recycle")?.map(Change::Recycle),
        yes_or_no("inchanger")?.map(Change::InChanger),
        number_of::<u16>(words, "slot")?.map(|slot| Change::Slot(slot.into())),
        pool("pool")?.map(Change::Pool),
        words.has("frompool").then_some(Change::FromPool(None)),
        yes_or_no("enabled")?.map(Change::Enabled),
        recycle_pool.map(Change::RecyclePool),
        purged.transpose()?.map(Change::OnPurge),
        keyless.transpose()?,
        storage.transpose()?,
        number_of(words, FILES)?.map(Change::VolFiles),
    ]
    .into_iter()
    .flatten()
    .collect())
}

const fn yes(flag: bool) -> &'static str {
    if flag { "yes" } else { "no" }
}

const fn on_purge(bits: u32) -> &'static str {
    if bits & TRUNCATE == 0 { "None" } else { "Truncate" }
}

/// A time in the units that a real director shows it in: `1 month 5 days `.
fn span(seconds: u64) -> String {
    const UNITS: [(u64, &str); 6] =
        [(31_536_000, "year"), (2_592_000, "month"), (86_400, "day"), (3_600, "hour"), (60, "min"), (1, "sec")];
    if seconds == 0 {
        return "0 secs".to_owned();
    }
    let mut left = seconds;
    let mut text = String::new();
    for (unit, name) in UNITS {
        let count = left / unit;
        left %= unit;
        match count {
            0 => {}
            1 => text += &format!("1 {name} "),
            more => text += &format!("{more} {name}s "),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_in_units() {
        assert_eq!(span(0), "0 secs");
        assert_eq!(span(365 * 86_400), "1 year ");
        assert_eq!(span(35 * 86_400 + 61), "1 month 5 days 1 min 1 sec ");
    }
}
