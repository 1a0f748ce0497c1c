//! Whose turn it is on each archive device, and who has which volume.
//!
//! A job says for each direction which devices will do, takes one of each at once, or waits for its turn (`wire/3 §10`
//! point 20). Who waits is served in order: nobody takes a device that somebody before him waits for. So no two jobs wait
//! for each other, and none for ever.

use std::collections::{BTreeMap, VecDeque};

use crate::config::{Device, StorageConfig};
use crate::ids::SessionId;
use crate::node::DeviceInspection;
use crate::wire::bsr::Bootstrap;

/// The devices, and who uses or wants them.
#[derive(Debug, Default)]
pub(super) struct Devices {
    drives: Vec<Drive>,
    /// Autochangers, each with the places of its devices in `drives`.
    changers: Vec<(String, Vec<usize>)>,
    /// Who waits, the longest first.
    queue: VecDeque<Waiter>,
    /// Volumes by folder and name that somebody writes to.
    volumes: BTreeMap<(String, String), SessionId>,
}

/// One device.
#[derive(Debug)]
struct Drive {
    device: Device,
    /// Whether a job takes it that asks for its autochanger.
    auto_select: bool,
    /// An operator has taken it away until he mounts it again.
    unmounted: bool,
    users: Vec<SessionId>,
}

/// A session that waits for its devices.
#[derive(Debug)]
struct Waiter {
    session: SessionId,
    needs: Vec<Need>,
}

/// The names of devices of which one will do.
pub(super) type Need = Vec<String>;

/// A session whose turn it is, with a device for each of its needs.
pub(super) type Turn = (SessionId, Vec<String>);

impl Drive {
    fn has_room(&self) -> bool {
        let most = usize::try_from(self.device.maximum_concurrent_jobs).unwrap_or(usize::MAX);
        !self.unmounted && (most == 0 || self.users.len() < most)
    }
}

impl Devices {
    /// The devices of a configuration.
    pub(super) fn of(config: &StorageConfig) -> Self {
        let mut devices = Self::default();
        for device in &config.devices {
            let first = devices.drives.len();
            devices.drives.extend(device.each().map(|device| Drive {
                auto_select: device.auto_select,
                device,
                unmounted: false,
                users: Vec::new(),
            }));
            if device.count > 1 {
                devices.changers.push((device.name.clone(), (first..devices.drives.len()).collect()));
            }
        }
        for changer in &config.autochangers {
            let mut places = Vec::new();
            for name in &changer.devices {
                match devices.changers.iter().find(|(of, _)| of == name) {
                    Some((_, own)) => places.extend(own),
                    None => places.extend(devices.drives.iter().position(|drive| drive.device.name == *name)),
                }
            }
            devices.changers.push((changer.name.clone(), places));
        }
        devices
    }

    /// All devices, in the order of the configuration.
    pub(super) fn all(&self) -> impl Iterator<Item = &Device> {
        self.drives.iter().map(|drive| &drive.device)
    }

    /// Who uses and wants each of them.
    pub(super) fn inspect(&self) -> Vec<DeviceInspection> {
        let claimed = |folder: &str| self.volumes.keys().filter(|(of, _)| of == folder).count();
        let view = |drive: &Drive| DeviceInspection {
            name: drive.device.name.clone(),
            users: drive.users.len(),
            waiting: self.waiting(&drive.device.name),
            claimed: claimed(&drive.device.archive_device),
        };
        self.drives.iter().map(view).collect()
    }

    /// The autochangers, each with its devices.
    pub(super) fn changers(&self) -> impl Iterator<Item = (&str, Vec<&Device>)> {
        let devices = |places: &[usize]| places.iter().map(|place| &self.drives[*place].device).collect();
        self.changers.iter().map(move |(name, places)| (name.as_str(), devices(places)))
    }

    /// The device of this name.
    pub(super) fn device(&self, name: &str) -> Option<&Device> {
        self.drive(name).map(|drive| &drive.device)
    }

    /// The device an operator means: by its own name, or an autochanger's drive, the first that is chosen by itself if the
    /// number is negative (`wire/3 §1.4`).
    pub(super) fn find(&self, name: &str, drive: i32) -> Option<&Device> {
        if let Some(device) = self.device(name) {
            return Some(device);
        }
        let (_, places) = self.changers.iter().find(|(changer, _)| changer == name)?;
        let mut of_changer = places.iter().map(|place| &self.drives[*place]);
        let found = match usize::try_from(drive) {
            Ok(number) => of_changer.nth(number),
            Err(_) => of_changer.find(|drive| drive.auto_select),
        };
        found.map(|drive| &drive.device)
    }

    /// The autochanger a device belongs to, with the number of its drives.
    pub(super) fn changer_of(&self, device: &str) -> Option<(&str, usize)> {
        let is_in = |places: &[usize]| places.iter().any(|place| self.drives[*place].device.name == device);
        self.changers.iter().find(|(_, places)| is_in(places)).map(|(name, places)| (name.as_str(), places.len()))
    }

    /// The devices that a storage with this device means, those of the media type (`wire/3 §1.3.5`).
    pub(super) fn candidates(&self, name: &str, media_type: &str) -> Need {
        let fits = |drive: &&Drive| drive.device.media_type == media_type;
        let named = |drive: &Drive| drive.device.name.clone();
        if let Some((_, places)) = self.changers.iter().find(|(changer, _)| changer == name) {
            let drives = places.iter().map(|place| &self.drives[*place]);
            return drives.filter(|drive| drive.auto_select).filter(fits).map(named).collect();
        }
        self.drive(name).filter(fits).map(named).into_iter().collect()
    }

    /// The folders of the volumes of a bootstrap that names a device of ours for them.
    pub(super) fn folders_of(&self, bootstrap: &Bootstrap) -> BTreeMap<String, String> {
        let mut folders = BTreeMap::new();
        for section in &bootstrap.sections {
            let media_type = section.media_type.as_deref().unwrap_or_default();
            let named = section.device.as_deref().map(|name| self.candidates(name, media_type)).unwrap_or_default();
            let Some(device) = named.first().and_then(|name| self.device(name)) else { continue };
            for volume in &section.volumes {
                folders.entry(volume.clone()).or_insert_with(|| device.archive_device.clone());
            }
        }
        folders
    }

    /// Asks for one device for each need. They are the session's at once if nobody waits for them and all are free, else
    /// it waits.
    pub(super) fn want(&mut self, session: SessionId, needs: Vec<Need>) -> Option<Vec<String>> {
        let wanted: Vec<String> = self.queue.iter().flat_map(|waiter| self.held_up(waiter)).cloned().collect();
        let waiter = Waiter { session, needs };
        let devices = self.assign(&waiter.needs, &wanted).map(|places| self.take(session, &places));
        if devices.is_none() {
            self.queue.push_back(waiter);
        }
        devices
    }

    /// A session needs no device and no volume any more. Returns the sessions whose turn it is now.
    pub(super) fn release(&mut self, session: SessionId) -> Vec<Turn> {
        self.queue.retain(|waiter| waiter.session != session);
        self.drives.iter_mut().for_each(|drive| drive.users.retain(|user| *user != session));
        self.volumes.retain(|_, of| *of != session);
        self.serve()
    }

    /// Who uses a device, the first that came first.
    pub(super) fn users(&self, device: &str) -> &[SessionId] {
        self.drive(device).map_or(&[], |drive| &drive.users)
    }

    /// How many wait for a device.
    pub(super) fn waiting(&self, device: &str) -> usize {
        let wants = |waiter: &&Waiter| waiter.needs.iter().flatten().any(|name| name == device);
        self.queue.iter().filter(wants).count()
    }

    /// Whether an operator has taken a device away.
    pub(super) fn is_unmounted(&self, device: &str) -> bool {
        self.drive(device).is_some_and(|drive| drive.unmounted)
    }

    /// Takes a device away: no job begins to use it. False if it was taken away before.
    pub(super) fn unmount(&mut self, device: &str) -> bool {
        let drive = self.drives.iter_mut().find(|drive| drive.device.name == device);
        drive.is_some_and(|drive| !std::mem::replace(&mut drive.unmounted, true))
    }

    /// Gives a device back. Returns the sessions whose turn it is now; none if it was not taken away.
    pub(super) fn mount(&mut self, device: &str) -> Option<Vec<Turn>> {
        let drive = self.drives.iter_mut().find(|drive| drive.device.name == device)?;
        std::mem::replace(&mut drive.unmounted, false).then(|| self.serve())
    }

    /// Sets whether a job takes a device that asks for its autochanger. False if there is none of this name.
    pub(super) fn set_auto_select(&mut self, device: &str, auto_select: bool) -> bool {
        let drive = self.drives.iter_mut().find(|drive| drive.device.name == device);
        drive.map(|drive| drive.auto_select = auto_select).is_some()
    }

    /// Takes a volume to write to; the session's others are free again. False if it is another session's.
    pub(super) fn claim(&mut self, folder: &str, volume: &str, session: SessionId) -> bool {
        let key = (folder.to_owned(), volume.to_owned());
        if self.volumes.get(&key).is_some_and(|of| *of != session) {
            return false;
        }
        self.volumes.retain(|_, of| *of != session);
        self.volumes.insert(key, session);
        true
    }

    /// Whether somebody writes to a volume.
    pub(super) fn is_claimed(&self, folder: &str, volume: &str) -> bool {
        self.volumes.contains_key(&(folder.to_owned(), volume.to_owned()))
    }

    fn drive(&self, name: &str) -> Option<&Drive> {
        self.drives.iter().find(|drive| drive.device.name == name)
    }

    /// Serves everybody who can be served.
    fn serve(&mut self) -> Vec<Turn> {
        let (mut served, mut wanted) = (Vec::new(), Vec::new());
        for waiter in std::mem::take(&mut self.queue) {
            match self.assign(&waiter.needs, &wanted) {
                Some(places) => served.push((waiter.session, self.take(waiter.session, &places))),
                None => {
                    wanted.extend(self.held_up(&waiter).cloned());
                    self.queue.push_back(waiter);
                }
            }
        }
        served
    }

    /// The devices that nobody takes who comes after this one. Who waits for an operator holds up nobody.
    fn held_up<'a>(&self, waiter: &'a Waiter) -> impl Iterator<Item = &'a String> + use<'a> {
        let is_away = |need: &Need| need.iter().all(|name| self.is_unmounted(name));
        let needs = if waiter.needs.iter().any(is_away) { &[][..] } else { &waiter.needs[..] };
        needs.iter().flatten()
    }

    /// Gives a session these devices; returns their names.
    fn take(&mut self, session: SessionId, places: &[usize]) -> Vec<String> {
        let mut names = Vec::new();
        for place in places {
            let drive = &mut self.drives[*place];
            if !drive.users.contains(&session) {
                drive.users.push(session);
            }
            names.push(drive.device.name.clone());
        }
        names
    }

    /// A free device for each need, none of which others wait for. Two needs that the same single device alone can meet
    /// share it.
    fn assign(&self, needs: &[Need], wanted: &[String]) -> Option<Vec<usize>> {
        let mut taken: Vec<usize> = Vec::new();
        for need in needs {
            let place = |name: &String| self.drives.iter().position(|drive| drive.device.name == *name);
            let mut places = need.iter().filter(|name| !wanted.contains(*name)).filter_map(place);
            let is_free = |place: &usize| !taken.contains(place) && self.drives[*place].has_room();
            let found = places.find(is_free).or_else(|| match &need[..] {
                [only] => place(only).filter(|place| taken.contains(place)),
                _ => None,
            })?;
            taken.push(found);
        }
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn devices(mut config: serde_json::Value) -> Devices {
        config["storage"] = serde_json::json!({ "name": "sd" });
        config["directors"] = serde_json::json!([{ "name": "dir", "password": "x" }]);
        Devices::of(&serde_json::from_value(config).unwrap())
    }

    /// One device with another setting.
    fn one(setting: &str, value: u32) -> Devices {
        let mut device = serde_json::json!({ "name": "d", "media_type": "F", "archive_device": "/v" });
        device[setting] = value.into();
        devices(serde_json::json!({ "devices": [device] }))
    }

    fn two() -> Devices {
        let device = |name| serde_json::json!({ "name": name, "media_type": "F", "archive_device": "/v" });
        let changer = serde_json::json!({ "name": "both", "devices": ["d", "e"] });
        devices(serde_json::json!({ "devices": [device("d"), device("e")], "autochangers": [changer] }))
    }

    fn needs(names: &[&[&str]]) -> Vec<Need> {
        names.iter().map(|names| names.iter().map(|name| (*name).to_owned()).collect()).collect()
    }

    fn got(names: &[&str]) -> Option<Vec<String>> {
        Some(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn the_second_job_gets_the_device_when_the_first_lets_go() {
        let mut devices = two();
        assert_eq!(devices.want(SessionId(1), needs(&[&["d"]])), got(&["d"]));
        assert_eq!(devices.want(SessionId(2), needs(&[&["d"]])), None);
        assert_eq!(devices.want(SessionId(3), needs(&[&["d"]])), None);
        assert_eq!(devices.want(SessionId(4), needs(&[&["e"]])), got(&["e"]));
        assert_eq!(devices.waiting("d"), 2);
        assert_eq!(devices.release(SessionId(2)), []);
        assert_eq!(devices.release(SessionId(1)), [(SessionId(3), vec!["d".to_owned()])]);
        assert_eq!(devices.users("d"), [SessionId(3)]);
        assert_eq!(devices.release(SessionId(3)), []);
        assert_eq!(devices.users("d"), []);
    }

    #[test]
    fn a_copy_gets_both_its_devices_at_once_and_gives_both_back() {
        let mut devices = two();
        assert_eq!(devices.want(SessionId(1), needs(&[&["d"], &["e"]])), got(&["d", "e"]));
        // It would hold one and wait for the other: it waits for both, and who comes after it does not overtake it.
        assert_eq!(devices.want(SessionId(2), needs(&[&["e"], &["d"]])), None);
        assert_eq!(devices.want(SessionId(3), needs(&[&["d"]])), None);
        let served: Vec<SessionId> = devices.release(SessionId(1)).into_iter().map(|(session, _)| session).collect();
        assert_eq!(served, [SessionId(2)]);
        assert_eq!((devices.users("d"), devices.users("e")), (&[SessionId(2)][..], &[SessionId(2)][..]));
    }

    #[test]
    fn whoever_looks_sees_who_uses_a_device_who_waits_and_what_is_written_to() {
        let mut devices = two();
        devices.want(SessionId(1), needs(&[&["d"]]));
        devices.want(SessionId(2), needs(&[&["d"], &["e"]]));
        devices.claim("/v", "one", SessionId(1));
        let seen: Vec<_> = devices.inspect().into_iter().map(|seen| (seen.users, seen.waiting, seen.claimed)).collect();
        assert_eq!(seen, [(1, 1, 1), (0, 1, 1)]);
        devices.release(SessionId(2));
        devices.release(SessionId(1));
        assert!(devices.inspect().iter().all(|seen| (seen.users, seen.waiting, seen.claimed) == (0, 0, 0)));
    }

    #[test]
    fn one_device_serves_both_directions_if_there_is_no_other() {
        assert_eq!(two().want(SessionId(1), needs(&[&["d"], &["d"]])), got(&["d", "d"]));
        assert_eq!(two().want(SessionId(1), needs(&[&["d", "e"], &["d", "e"]])), got(&["d", "e"]));
    }

    #[test]
    fn a_job_takes_any_free_device_of_an_autochanger() {
        let mut devices = two();
        let any = || vec![two().candidates("both", "F")];
        assert_eq!(devices.want(SessionId(1), any()), got(&["d"]));
        assert_eq!(devices.want(SessionId(2), any()), got(&["e"]));
        assert_eq!(devices.want(SessionId(3), any()), None);
        assert_eq!(devices.release(SessionId(2)), [(SessionId(3), vec!["e".to_owned()])]);
        assert_eq!(devices.candidates("both", "Other"), Need::new());
        assert!(devices.set_auto_select("d", false));
        assert_eq!(devices.candidates("both", "F"), ["e"]);
        assert_eq!(devices.find("both", -1).map(|device| device.name.as_str()), Some("e"));
        assert_eq!(devices.find("both", 0).map(|device| device.name.as_str()), Some("d"));
    }

    #[test]
    fn a_device_with_a_count_is_an_autochanger_of_that_name() {
        let devices = one("count", 2);
        let names: Vec<&str> = devices.all().map(|device| device.name.as_str()).collect();
        assert_eq!(names, ["d0000", "d0001", "d0002"]);
        assert_eq!(devices.candidates("d", "F"), ["d0001", "d0002"]);
        assert_eq!(devices.candidates("d0000", "F"), ["d0000"]);
        assert_eq!(devices.changer_of("d0002"), Some(("d", 3)));
    }

    #[test]
    fn as_many_jobs_use_a_device_as_it_says() {
        for (most, jobs) in [(1, 1), (3, 3), (0, 9)] {
            let mut devices = one("maximum_concurrent_jobs", most);
            let served = (1..=9).filter(|n| devices.want(SessionId(*n), needs(&[&["d"]])).is_some());
            assert_eq!(served.count(), jobs, "{most}");
        }
    }

    #[test]
    fn a_device_that_was_taken_away_waits_for_its_operator() {
        let mut devices = two();
        assert_eq!(devices.mount("d"), None);
        assert!(devices.unmount("d") && !devices.unmount("d") && !devices.unmount("nope"));
        assert_eq!(devices.want(SessionId(1), needs(&[&["d"], &["e"]])), None);
        // Who waits for the operator holds up nobody.
        assert_eq!(devices.want(SessionId(2), needs(&[&["e"]])), got(&["e"]));
        assert_eq!(devices.mount("d"), Some(Vec::new()));
        assert_eq!(devices.release(SessionId(2)), [(SessionId(1), vec!["d".to_owned(), "e".to_owned()])]);
    }

    #[test]
    fn a_volume_has_one_writer_for_each_folder() {
        let mut devices = two();
        assert!(devices.claim("/v", "one", SessionId(1)) && devices.claim("/w", "one", SessionId(2)));
        assert!(!devices.claim("/v", "one", SessionId(2)));
        assert!(devices.claim("/v", "two", SessionId(1)), "the next of the same job");
        assert!(!devices.is_claimed("/v", "one") && devices.is_claimed("/v", "two"));
        devices.release(SessionId(1));
        assert!(!devices.is_claimed("/v", "two"));
    }
}
