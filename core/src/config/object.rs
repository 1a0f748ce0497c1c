//! Where volumes lie that are no files: a store of objects.

use serde::{Deserialize, Serialize};

use super::password::Password;
use super::resource::resources;
use super::units::{Bytes, Seconds};
use crate::address::is_this_machine;

/// What a device keeps its volumes in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// A folder: each volume is a file.
    #[default]
    File,
    /// A store of objects: each volume is a row of objects, its parts.
    Object,
}

resources! {
    /// How the store of a device of kind `object` is reached. Without keys those of the environment are taken
    /// (`AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`). File names are relative to the folder of the configuration file.
    ObjectStore {
        /// The address of the server, such as `https://s3.example.com`; `None`: that in `credentials` or in the environment
        /// (`AWS_ENDPOINT_URL`), else Amazon's.
        endpoint: Option<String> = None,
        /// The region, which is part of each signature; `None`: that in `credentials` or in the environment (`AWS_REGION`), else
        /// `us-east-1`.
        region: Option<String> = None,
        /// A file with the keys, as the tools of Amazon, `s3cmd` and Bareos have them; only its owner may read it.
        credentials: Option<String> = None,
        /// The access key, here instead of in a file.
        access_key: Option<String> = None,
        /// The secret key that belongs to it.
        secret_key: Option<Password> = None,
        /// Whether the bucket is part of the server's name, instead of the path.
        virtual_hosts: bool = false,
        /// Whether a server that is not this machine may be reached in clear text.
        clear_text: bool = false,
        /// A file with the certificates of the authorities that are trusted, in PEM; `None` for those of the system.
        tls_ca: Option<String> = None,
        /// Largest size of one part. A device that writes holds up to three of them in memory.
        part_size: Bytes = Bytes::mib(64),
        /// How long a request is tried again while the store is away, in seconds. Jobs wait meanwhile.
        retry_for: Seconds = Seconds::secs(300),
    }
}

impl Default for ObjectStore {
    fn default() -> Self {
        Self::new()
    }
}

/// The kinds of stores, as the addresses of volumes begin.
pub const STORES: &[&str] = &["s3", "gs", "az", "file"];

/// The kind of store and the rest of its address; `None` for the name of a file or folder.
#[must_use]
pub fn store_address(text: &str) -> Option<(&str, &str)> {
    let (kind, rest) = text.split_once("://")?;
    STORES.contains(&kind).then_some((kind, rest))
}

impl ObjectStore {
    /// Whether what goes to the server is seen by whoever is on the way.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        let Some(rest) = self.endpoint.as_deref().and_then(|endpoint| endpoint.strip_prefix("http://")) else {
            return false;
        };
        let host = rest.split('/').next().unwrap_or_default();
        let host = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        !is_this_machine(host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_kind_of_store_and_a_file_has_none() {
        assert_eq!(store_address("s3://b/p"), Some(("s3", "b/p")));
        assert_eq!(store_address("file:///srv/x"), Some(("file", "/srv/x")));
        for other in ["/srv/volumes", "volumes", "s3:/b", "ftp://b/p", ""] {
            assert_eq!(store_address(other), None, "{other}");
        }
    }

    #[test]
    fn only_clear_text_to_another_machine_is_exposed() {
        for (endpoint, exposed) in [
            ("http://localhost:9000", false),
            ("http://127.0.0.1:9000/x", false),
            ("http://[::1]:9000", false),
            ("https://s3.example.com", false),
            ("http://s3.example.com", true),
            ("http://192.0.2.1:9000", true),
            ("http://localhost.example.com", true),
        ] {
            let store = ObjectStore { endpoint: Some(endpoint.to_owned()), ..ObjectStore::default() };
            assert_eq!(store.is_exposed(), exposed, "{endpoint}");
        }
        assert!(!ObjectStore::default().is_exposed());
    }

    #[test]
    fn the_secret_key_is_never_shown() {
        let store: ObjectStore =
            serde_json::from_str(r#"{"access_key": "a", "secret_key": "hunter2"}"#).expect("it is one");
        assert!(!format!("{store:?}").contains("hunter2"));
        assert!(!serde_json::to_string(&store).expect("text").contains("hunter2"));
    }
}
