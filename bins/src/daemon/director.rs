//! The director's program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use towline_core::address::Endpoint;
use towline_core::catalog::{CatalogError, CatalogErrorKind, CatalogName};
use towline_core::config::{Catalog as Database, ConfigPath, DestinationKind, DirectorConfig, Severity, listen_on};
use towline_core::error::{Code, Explain as _};
use towline_core::explain::complaint;
use towline_core::node::{EXIT_NO_LISTENER, Settings};
use towline_core::role::director::Director;
use towline_core::wire::names::{PeerKind, PeerName};
use towline_core::work::WorkDone;

use super::{Built, Daemon, Peer, Places, Sink, StartError, Tls, configure, identity};
#[cfg(feature = "postgres")]
use crate::catalog::PostgresCatalog;
use crate::catalog::{Catalog, CatalogWorker, LateCatalog, Open, Patience, SqliteCatalog};
use crate::config::{Folder, Loaded};
use crate::hands::Workers;
use crate::health::Port;
use crate::messages::{Deliverer, HAS_MAIL};
use crate::ownership::{EXIT_OWNED, NotOwner, Ownership, make_private, make_private_if_there, own};
#[cfg(feature = "postgres")]
use towline_core::config::Postgres;

/// Requests that may wait for the catalog.
const CATALOG_QUEUE: usize = 1024;
/// The exit code of a director without a usable catalog: `EX_IOERR` of sysexits.
const EXIT_CATALOG: u8 = 74;

/// `towline-dir`
#[derive(Clone, Copy, Debug)]
pub struct DirectorDaemon;

impl Daemon for DirectorDaemon {
    const PROGRAM: &'static str = "towline-dir";
    const ABOUT: &'static str = "The director of a backup network: runs jobs and keeps the catalog";
    const FILE: &'static str = "/etc/towline/director.ron";
    const RELOADS: bool = true;
    type Config = DirectorConfig;
    type Role = Director;

    fn tls(config: &DirectorConfig) -> Places<'_> {
        let own =
            Peer { name: String::new(), at: ConfigPath::of("director").field("tls"), config: &config.director.tls };
        let clients = config.clients.iter().enumerate().filter_map(|(index, client)| {
            let at = ConfigPath::of("clients").index(index).field("tls");
            client.tls.as_ref().map(|config| Peer { name: format!("client {}", client.name), at, config })
        });
        let storages = config.storages.iter().enumerate().filter_map(|(index, storage)| {
            let at = ConfigPath::of("storages").index(index).field("tls");
            storage.tls.as_ref().map(|config| Peer { name: format!("storage {}", storage.name), at, config })
        });
        let consoles = config.consoles.iter().enumerate().filter_map(|(index, console)| {
            let at = ConfigPath::of("consoles").index(index).field("tls");
            console.tls.as_ref().map(|config| Peer { name: format!("console {}", console.name), at, config })
        });
        Places { own, peers: clients.chain(storages).chain(consoles).collect(), accepts: true }
    }

    fn working_directory(config: &DirectorConfig) -> Option<(ConfigPath, &str)> {
        let folder = config.director.working_directory.as_deref()?;
        Some((ConfigPath::of("director").field("working_directory"), folder))
    }

    fn folders(loaded: &Loaded<DirectorConfig>) -> Vec<Folder> {
        let further = (0..).map(|index| ConfigPath::of("catalogs").index(index));
        let places = std::iter::once(ConfigPath::of("catalog")).chain(further);
        let folder = |(catalog, at): (&Database, ConfigPath)| {
            let Database::Sqlite(sqlite) = catalog else { return None };
            let path = loaded.resolve(&sqlite.path).parent().map(Path::to_owned)?;
            Some(Folder { at: at.field("path"), path, holds: "the catalog", severity: Severity::Error })
        };
        loaded.config.all_catalogs().zip(places).filter_map(folder).collect()
    }

    fn listens(config: &Self::Config) -> Vec<Endpoint> {
        listen_on(&config.director.listen, config.director.port).collect()
    }

    fn place(loaded: &mut Loaded<DirectorConfig>) {
        let folder = loaded.config.director.working_directory.as_deref();
        loaded.config.director.working_directory = folder.map(|folder| loaded.resolve(folder).display().to_string());
    }

    fn build(loaded: Loaded<DirectorConfig>, tls: Tls) -> Result<Built<Director>, StartError> {
        if let Some(text) = unsendable(&loaded.config) {
            return Err(StartError { text, exit: crate::config::EXIT_CONFIG });
        }
        let catalogs = open_catalogs(&loaded)?;
        let reader = configure::desk(&loaded);
        let deliveries = Deliverer::new(loaded.resolve("")).into_desk();
        let hands = Workers::new(Sink::new().into_log()).with_configuration(reader);
        let hands = hands.with_deliveries(deliveries);
        let port = match loaded.config.director.metrics.as_deref() {
            Some(at) => Some(Port::bind(at, &loaded).map_err(|text| StartError { text, exit: EXIT_NO_LISTENER })?),
            None => None,
        };
        let hands = match &port {
            Some(port) => hands.with_publications(port.desk()),
            None => hands,
        };
        let hands = hands.with_catalog(Box::new(move |name, request, reply| {
            let answer: crate::catalog::Reply = Box::new(|answer| reply(WorkDone::Catalog(answer)));
            let Some(opened) = catalogs.get(name) else {
                let text = format!("no catalog {name:?} is open");
                return answer(Err(CatalogError::new(CatalogErrorKind::Bug, text)));
            };
            if let Err(refused) = opened.worker.submit(request, answer) {
                let text = refused.why.to_string();
                (refused.reply)(Err(CatalogError::new(CatalogErrorKind::Unavailable, text)));
            }
        }));
        let director = &loaded.config.director;
        let settings = Settings::new(PeerName::new(PeerKind::Director, &director.name).qualified(), tls.engines)
            .accepting(
                usize::try_from(director.max_unauthenticated).unwrap_or(usize::MAX),
                director.authenticate_within.duration(),
            );
        let role = Director::new(Arc::new(loaded.config), tls.credentials, identity());
        let serve = move |_| {
            if let Some(port) = port {
                port.serve();
            }
        };
        Ok(Built { role, settings, hands: Arc::new(hands), started: Box::new(serve), interrupted: None })
    }
}

/// What the configuration wants sent, and this program cannot send.
fn unsendable(config: &DirectorConfig) -> Option<String> {
    let has_hook = config.messages.iter().flat_map(|messages| &messages.destinations);
    let has_hook = has_hook.into_iter().any(|to| to.kind == DestinationKind::Webhook);
    let what = if config.mail_server.is_some() { "`mail_server`" } else { "a webhook" };
    let text = format!("this program is built without the feature `mail`, which {what} needs");
    (!HAS_MAIL && (has_hook || config.mail_server.is_some())).then_some(text)
}

/// A catalog that this director has open.
struct Opened {
    worker: CatalogWorker,
    /// Ends after the worker.
    _held: Option<Ownership>,
}

/// Opens every catalog, each on a thread of its own: one that is away holds up no other. One that is away now is opened when it
/// is back; the director waits for it.
fn open_catalogs(loaded: &Loaded<DirectorConfig>) -> Result<BTreeMap<CatalogName, Opened>, StartError> {
    let mut all = BTreeMap::new();
    for catalog in loaded.config.all_catalogs() {
        let held = own_catalog(loaded, catalog)?;
        let worker = open_catalog(loaded, catalog)?;
        all.insert(catalog.name().into(), Opened { worker, _held: held });
    }
    Ok(all)
}

/// Nobody else may use a catalog: a second director would mark the jobs of the first as failed. Comes before anything is
/// written. A server's catalog is owned by the connection that opens it.
pub(crate) fn own_catalog(
    loaded: &Loaded<DirectorConfig>,
    catalog: &Database,
) -> Result<Option<Ownership>, StartError> {
    let Database::Sqlite(sqlite) = catalog else { return Ok(None) };
    own_file(&loaded.resolve(&sqlite.path)).map(Some)
}

/// The same of a file.
pub(crate) fn own_file(file: &Path) -> Result<Ownership, StartError> {
    let beside = |end: &str| {
        let mut name = file.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    let ownership = match own(&beside(".lock")) {
        Ok(ownership) => ownership,
        Err(error @ NotOwner::Held(_)) => {
            let text = complaint(Code(610), &format!("catalog {}: {error}", file.display()));
            return Err(StartError { text, exit: EXIT_OWNED });
        }
        Err(NotOwner::Io(error)) => {
            let error = CatalogError::new(CatalogErrorKind::Unavailable, format!("{}: {error}", file.display()));
            return Err(unusable(&error));
        }
    };
    let made = make_private(file);
    let tightened = ["-wal", "-shm"].map(|end| make_private_if_there(&beside(end)));
    for error in [made].into_iter().chain(tightened).filter_map(Result::err) {
        let text = format!("the rights to {} cannot be restricted: {error}", file.display());
        tracing::warn!("{}", complaint(Code(945), &text));
    }
    Ok(ownership)
}

fn unusable(error: &CatalogError) -> StartError {
    let exit = if error.kind == CatalogErrorKind::Taken { EXIT_OWNED } else { EXIT_CATALOG };
    StartError { text: format!("{}: {error}; {}", error.code(), error.help()), exit }
}

fn open_catalog(loaded: &Loaded<DirectorConfig>, config: &Database) -> Result<CatalogWorker, StartError> {
    let several = loaded.config.has_several_catalogs();
    let failed = |error: CatalogError| {
        let named = if several { format!("catalog {:?}: {}", config.name(), error.text) } else { error.text };
        unusable(&CatalogError::new(error.kind, named))
    };
    let engine: Box<dyn Catalog> = match config {
        Database::Sqlite(sqlite) => {
            let file = loaded.resolve(&sqlite.path);
            let locked = file.clone();
            let is_away = move |error: &CatalogError| error.kind.may_come_back() && SqliteCatalog::is_locked(&locked);
            opened(Box::new(move || Ok(Box::new(SqliteCatalog::open(&file)?))), is_away).map_err(failed)?
        }
        #[cfg(feature = "postgres")]
        Database::Postgres(server) => {
            let server = placed(loaded, server);
            let open = move || Ok(Box::new(PostgresCatalog::open_as_owner(&server)?) as Box<dyn Catalog>);
            opened(Box::new(open), |error| error.kind.may_come_back()).map_err(failed)?
        }
        other => {
            let text = format!("this program is built without the engine for this catalog: {other:?}");
            return Err(StartError { text, exit: crate::config::EXIT_CONFIG });
        }
    };
    CatalogWorker::start(engine, CATALOG_QUEUE, Patience { retry_for: config.retry_for().duration() })
        .map_err(|error| StartError { text: format!("cannot start a thread: {error}"), exit: super::EXIT_SYSTEM })
}

/// A server with the names of its files as they are meant wherever the director works.
#[cfg(feature = "postgres")]
pub(crate) fn placed(loaded: &Loaded<DirectorConfig>, server: &Postgres) -> Postgres {
    let tls_ca = server.tls_ca.as_ref().map(|file| loaded.resolve(file).display().to_string());
    Postgres { tls_ca, ..server.clone() }
}

/// Opens a catalog, or leaves it to its worker if it is away.
fn opened(mut open: Open, is_away: impl Fn(&CatalogError) -> bool) -> Result<Box<dyn Catalog>, CatalogError> {
    match open() {
        Ok(catalog) => Ok(catalog),
        Err(error) if is_away(&error) => Ok(Box::new(LateCatalog::new(open))),
        Err(error) => Err(error),
    }
}
