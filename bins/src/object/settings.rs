//! From the settings of a device to a store: its address, its keys, its server.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::{ObjectStore, RetryConfig};
use towline_core::config::{ObjectStore as Settings, store_address};

use super::client::Connector;

/// The region if nobody says another one: most servers do not care.
const REGION: &str = "us-east-1";
/// What of the environment is the address of the server.
const ENDPOINTS: &[&str] = &["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"];
/// Bytes of the longest file with keys.
const LONGEST: u64 = 64 * 1024;
/// What of the environment leads to keys, besides the keys themselves.
const OTHER_KEYS: &[&str] =
    &["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];

/// A store as its maker gives it.
pub(super) struct Opened {
    /// The store.
    pub(super) inner: Arc<dyn ObjectStore>,
    /// Where in it the volumes are.
    pub(super) prefix: object_store::path::Path,
}

/// Opens the store of an address. Nothing is asked of it yet.
///
/// # Errors
/// Why the settings lead to none.
pub(super) fn open(address: &str, settings: &Settings) -> Result<Opened, String> {
    let (kind, rest) = store_address(address).ok_or("it is no address of a store")?;
    if kind == "file" {
        if !Path::new(rest).is_dir() {
            return Err(format!("there is no folder {rest}"));
        }
        let store = LocalFileSystem::new_with_prefix(rest).map_err(|error| error.to_string())?;
        let inner = Arc::new(store.with_automatic_cleanup(true).with_fsync(true));
        return Ok(Opened { inner, prefix: object_store::path::Path::default() });
    }
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let prefix = object_store::path::Path::from(prefix);
    let inner = match kind {
        "s3" => s3(bucket, settings)?,
        #[cfg(feature = "object-gcs")]
        "gs" => others::google(bucket, settings)?,
        #[cfg(feature = "object-azure")]
        "az" => others::azure(bucket, settings)?,
        _ => return Err(format!("this program is built without stores of the kind {kind}")),
    };
    Ok(Opened { inner, prefix })
}

fn s3(bucket: &str, settings: &Settings) -> Result<Arc<dyn ObjectStore>, String> {
    let own = Keys::of(settings)?;
    let said = own.as_ref();
    let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let endpoint = settings.endpoint.clone().or_else(|| said.and_then(|keys| keys.endpoint.clone()));
    let endpoint = endpoint.or_else(|| ENDPOINTS.iter().find_map(|name| environment(name)));
    is_private_way(endpoint.as_deref(), settings)?;
    let region = settings.region.clone().or_else(|| said.and_then(|keys| keys.region.clone()));
    let mut builder = AmazonS3Builder::from_env();
    if region.is_some() || ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().all(|name| environment(name).is_none()) {
        builder = builder.with_region(region.unwrap_or_else(|| REGION.to_owned()));
    }
    let has_server = endpoint.is_some();
    if let Some(endpoint) = endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    match own {
        Some(keys) => {
            builder = builder.with_access_key_id(keys.access).with_secret_access_key(keys.secret);
            if let Some(token) = keys.token {
                builder = builder.with_token(token);
            }
        }
        // Machines of Amazon have keys without being told; a server elsewhere gives none.
        None if has_server
            && environment("AWS_ACCESS_KEY_ID").is_none()
            && OTHER_KEYS.iter().all(|name| environment(name).is_none()) =>
        {
            return Err(
                "there are no keys: set `credentials`, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned()
            );
        }
        None => {}
    }
    let built = builder
        .with_bucket_name(bucket)
        .with_virtual_hosted_style_request(settings.virtual_hosts)
        // What may be reached in clear text is decided above.
        .with_allow_http(true)
        // Not every server has the other way.
        .with_disable_bulk_delete(true)
        .with_retry(once())
        .with_http_connector(connector(settings)?)
        .build();
    built.map(|store| Arc::new(store) as Arc<dyn ObjectStore>).map_err(|error| error.to_string())
}

/// Whether nobody on the way to the server sees what goes there, or somebody has said that it may be so. That of the
/// configuration itself is found there before.
fn is_private_way(endpoint: Option<&str>, settings: &Settings) -> Result<(), String> {
    let way = Settings { endpoint: endpoint.map(str::to_owned), ..Settings::default() };
    if way.is_exposed() && !settings.clear_text {
        let server = endpoint.unwrap_or_default();
        return Err(format!("{server} would be reached in clear text: take https, or set `clear_text: true`"));
    }
    Ok(())
}

fn connector(settings: &Settings) -> Result<Connector, String> {
    Connector::new(settings.tls_ca.as_deref().map(Path::new))
}

/// Requests are tried again by who makes them: it knows when nobody wants the answer any more.
fn once() -> RetryConfig {
    RetryConfig { max_retries: 0, retry_timeout: Duration::from_secs(60), ..RetryConfig::default() }
}

#[cfg(any(feature = "object-gcs", feature = "object-azure"))]
mod others {
    use super::{Arc, ObjectStore, Settings, connector, once};

    /// Google: the keys are a service account's file, or of the environment.
    #[cfg(feature = "object-gcs")]
    pub(super) fn google(bucket: &str, settings: &Settings) -> Result<Arc<dyn ObjectStore>, String> {
        let mut builder = object_store::gcp::GoogleCloudStorageBuilder::from_env();
        if let Some(file) = &settings.credentials {
            super::is_private(super::Path::new(file))?;
            builder = builder.with_service_account_path(file);
        }
        if let Some(endpoint) = &settings.endpoint {
            builder = builder.with_base_url(endpoint);
        }
        let builder = builder.with_bucket_name(bucket).with_retry(once()).with_http_connector(connector(settings)?);
        builder.build().map(|store| Arc::new(store) as Arc<dyn ObjectStore>).map_err(|error| error.to_string())
    }

    /// Azure: the access key is the account's name, the secret key its key; or both are of the environment.
    #[cfg(feature = "object-azure")]
    pub(super) fn azure(container: &str, settings: &Settings) -> Result<Arc<dyn ObjectStore>, String> {
        let mut builder = object_store::azure::MicrosoftAzureBuilder::from_env();
        if let Some(keys) = super::Keys::of(settings)? {
            builder = builder.with_account(keys.access).with_access_key(keys.secret);
        }
        if let Some(endpoint) = &settings.endpoint {
            builder = builder.with_endpoint(endpoint.clone()).with_allow_http(true);
        }
        let builder =
            builder.with_container_name(container).with_retry(once()).with_http_connector(connector(settings)?);
        builder.build().map(|store| Arc::new(store) as Arc<dyn ObjectStore>).map_err(|error| error.to_string())
    }
}

/// What a file with keys says. There is no `Debug`: most of it is secret.
#[derive(Default)]
struct Keys {
    access: String,
    secret: String,
    token: Option<String>,
    endpoint: Option<String>,
    region: Option<String>,
}

impl Keys {
    /// Those of the configuration, in it or in the file that it names; `None` if they are those of the environment.
    fn of(settings: &Settings) -> Result<Option<Self>, String> {
        match (&settings.access_key, &settings.secret_key) {
            (Some(access), Some(secret)) => {
                Ok(Some(Self { access: access.clone(), secret: secret.clear().expose_text(), ..Self::default() }))
            }
            _ => settings.credentials.as_deref().map(|file| Self::read(Path::new(file))).transpose(),
        }
    }

    fn read(file: &Path) -> Result<Self, String> {
        is_private(file)?;
        let text = std::fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        Self::parse(&text).map_err(|why| format!("{}: {why}", file.display()))
    }

    /// Lines of a name and a value, in the first section that has keys: the files of Amazon's tools, of `s3cmd`, and the
    /// profiles of Bareos.
    fn parse(text: &str) -> Result<Self, String> {
        let mut found: BTreeMap<String, String> = BTreeMap::new();
        let has_keys = |found: &BTreeMap<String, String>| SECRET.iter().any(|name| found.contains_key(*name));
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if line.starts_with('[') {
                if has_keys(&found) {
                    break;
                }
                found.clear();
                continue;
            }
            if let Some((name, value)) = line.split_once('=') {
                let value = value.trim().trim_matches('"');
                if !value.is_empty() {
                    found.insert(name.trim().to_ascii_lowercase(), value.to_owned());
                }
            }
        }
        let of = |names: &[&str]| names.iter().find_map(|name| found.get(*name).cloned());
        let access = of(ACCESS).ok_or("it has no line `access_key = …`")?;
        let secret = of(SECRET).ok_or("it has no line `secret_key = …`")?;
        let scheme = match of(&["use_https"]).as_deref() {
            Some("false" | "False" | "no" | "0") => "http",
            _ => "https",
        };
        let endpoint =
            of(&["endpoint_url"]).or_else(|| of(&["host", "host_base"]).map(|host| format!("{scheme}://{host}")));
        // To write to Amazon under its general name takes no endpoint.
        let endpoint = endpoint.filter(|endpoint| !endpoint.ends_with("://s3.amazonaws.com"));
        let region = of(&["region", "aws_region", "bucket_location"]).filter(|region| region != "US");
        Ok(Self { access, secret, token: of(&["aws_session_token", "access_token"]), endpoint, region })
    }
}

const ACCESS: &[&str] = &["aws_access_key_id", "access_key"];
const SECRET: &[&str] = &["aws_secret_access_key", "secret_key"];

/// Whether nobody but its owner may read a file.
fn is_private(file: &Path) -> Result<(), String> {
    let there = std::fs::metadata(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    if !there.is_file() || there.len() > LONGEST {
        return Err(format!("{} is no file with keys", file.display()));
    }
    if there.mode() & 0o077 != 0 {
        return Err(format!("others than its owner may read {0}, which has keys: chmod 600 {0}", file.display()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn keys_are_read_as_other_programs_write_them() {
        let amazon = "[profile x]\nregion=eu-1\n[default]\naws_access_key_id = AK\naws_secret_access_key = se/c+ret=\n[b]\n\
                      aws_access_key_id=other\n";
        let keys = Keys::parse(amazon).ok().unwrap();
        assert_eq!((keys.access.as_str(), keys.secret.as_str(), keys.endpoint), ("AK", "se/c+ret=", None));
        let profile = "host = s3.example.com:9000\nuse_https = false\n\naccess_key = \"AK\"\nsecret_key = \"S\"\n\
                       aws_region = eu-2\npricing_dir = \"\"\n";
        let keys = Keys::parse(profile).ok().unwrap();
        assert_eq!(keys.endpoint.as_deref(), Some("http://s3.example.com:9000"));
        assert_eq!(keys.region.as_deref(), Some("eu-2"));
        let s3cmd = "[default]\naccess_key = A\nsecret_key = S\nhost_base = s3.amazonaws.com\nbucket_location = US\n";
        let keys = Keys::parse(s3cmd).ok().unwrap();
        assert_eq!((keys.endpoint, keys.region), (None, None));
        assert!(Keys::parse("access_key = A\n").is_err_and(|why| why.contains("secret_key")));
    }

    #[test]
    fn a_file_with_keys_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        std::fs::write(&file, "access_key=A\nsecret_key=hunter2\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        let why = Keys::read(&file).err().unwrap();
        assert!(why.contains("chmod 600") && !why.contains("hunter2"), "{why}");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(Keys::read(&file).ok().unwrap().secret, "hunter2");
    }

    #[test]
    fn a_file_with_keys_leads_to_no_other_machine_in_clear_text() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        std::fs::write(&file, "access_key=A\nsecret_key=S\nhost=192.0.2.1:9000\nuse_https=no\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let settings = Settings { credentials: Some(file.display().to_string()), ..Settings::default() };
        let why = open("s3://bucket", &settings).err().unwrap();
        assert!(why.contains("clear text"), "{why}");
        assert!(open("s3://bucket", &Settings { clear_text: true, ..settings }).is_ok());
    }

    #[test]
    fn what_leads_to_no_store_says_why() {
        let open = |address: &str| open(address, &Settings::default()).err().unwrap_or_default();
        assert!(open("/srv").contains("no address"));
        assert!(!open("file:///does/not/exist").is_empty());
        assert!(cfg!(feature = "object-gcs") || open("gs://bucket").contains("built without"));
        let server = Settings { endpoint: Some("http://localhost:1".to_owned()), ..Settings::default() };
        if std::env::var_os("AWS_ACCESS_KEY_ID").is_none() {
            assert!(super::open("s3://bucket", &server).err().unwrap().contains("no keys"));
        }
    }
}
