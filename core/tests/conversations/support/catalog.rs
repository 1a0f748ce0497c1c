//! A director's catalog of volumes, for storage daemons that do otherwise than recorded.

use std::collections::BTreeMap;

/// What the catalog knows of a volume: the fields of the answer that a storage daemon changes.
#[derive(Clone, Debug)]
pub struct Row {
    pub name: String,
    pub fields: BTreeMap<String, String>,
}

/// A catalog, and what it was asked.
#[derive(Debug, Default)]
pub struct Catalog {
    pub volumes: Vec<Row>,
    pub asked: Vec<String>,
    /// Volumes that are found but not given.
    pub withheld: Vec<String>,
}

const CHANGED: [&str; 8] =
    ["VolJobs", "VolBlocks", "VolBytes", "VolMounts", "VolErrors", "VolWrites", "VolStatus", "VolFiles"];

impl Catalog {
    /// A catalog with new, empty volumes.
    pub fn with(names: &[&str]) -> Self {
        let mut catalog = Self::default();
        names.iter().for_each(|name| catalog.add(name));
        catalog
    }

    /// One more volume.
    pub fn add(&mut self, name: &str) {
        let mut fields: BTreeMap<String, String> =
            CHANGED.iter().map(|field| ((*field).to_owned(), "0".to_owned())).collect();
        fields.insert("VolStatus".to_owned(), "Unlabeled".to_owned());
        self.volumes.push(Row { name: name.to_owned(), fields });
    }

    /// The value of a volume's field.
    pub fn field(&self, volume: &str, field: &str) -> &str {
        &self.volumes.iter().find(|row| row.name == volume).expect("a known volume").fields[field]
    }

    /// Sets a volume's field.
    pub fn set(&mut self, volume: &str, field: &str, value: &str) {
        let row = self.volumes.iter_mut().find(|row| row.name == volume).expect("a known volume");
        row.fields.insert(field.to_owned(), value.to_owned());
    }

    /// Answers a request, both as a recording writes them. None if it is no request.
    pub fn answer(&mut self, line: &str) -> Option<String> {
        let request = line.strip_prefix("text CatReq Job=")?.trim_end_matches("\\n");
        let words: Vec<&str> = request.split(' ').collect();
        let value = |name: &str| {
            words.iter().find_map(|word| word.split_once('=').filter(|(key, _)| *key == name)).map(|(_, value)| value)
        };
        self.asked.push(words[1..].join(" "));
        let command = words[1].split('=').next()?;
        Some(match command {
            "FindMedia" => {
                let unwanted = value("unwanted_volumes").unwrap_or_default();
                let is_fit = |row: &&Row| {
                    ["Append", "Unlabeled", "Recycle"].contains(&row.fields["VolStatus"].as_str())
                        && !unwanted.split(',').any(|name| name == row.name)
                };
                match self.volumes.iter().find(is_fit) {
                    Some(row) => self.info(&row.name),
                    None => r"text 1901 No Media.\n".to_owned(),
                }
            }
            "GetVolInfo" => {
                let name = value("VolName")?;
                if self.withheld.iter().any(|withheld| withheld == name) {
                    return Some(format!(r#"text 1998 Volume "{name}" catalog status is Full, not in Pool.\n"#));
                }
                self.info(name)
            }
            "UpdateMedia" => {
                let name = value("VolName")?.to_owned();
                for field in CHANGED {
                    self.set(&name, field, value(field)?);
                }
                self.info(&name)
            }
            "CreateJobMedia" => r"text 1000 OK CreateJobMedia\n".to_owned(),
            "DeleteNullJobmediaRecords" => r"text 1000 OK DeleteNullJobmediaRecords\n".to_owned(),
            other => panic!("an unknown request {other}"),
        })
    }

    fn info(&self, name: &str) -> String {
        let at = self.volumes.iter().position(|row| row.name == name).expect("a known volume");
        let field = |field: &str| &self.volumes[at].fields[field];
        format!(
            "text 1000 OK VolName={name} VolJobs={} VolFiles={} VolBlocks={} VolBytes={} VolMounts={} VolErrors={} \
             VolWrites={} MaxVolBytes=0 VolCapacityBytes=0 VolStatus={} Slot=0 MaxVolJobs=0 MaxVolFiles=0 InChanger=0 \
             VolReadTime=0 VolWriteTime=0 EndFile=0 EndBlock=0 LabelType=0 MediaId={} EncryptionKey= MinBlocksize=0 \
             MaxBlocksize=0\\n",
            field("VolJobs"),
            field("VolFiles"),
            field("VolBlocks"),
            field("VolBytes"),
            field("VolMounts"),
            field("VolErrors"),
            field("VolWrites"),
            field("VolStatus"),
            at + 1
        )
    }
}
