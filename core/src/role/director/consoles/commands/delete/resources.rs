//! `delete pool=`, `delete storage=`: rows of resources that the configuration does not have any more.

use crate::catalog::{CatalogAnswer, CatalogRequest, Listed, Listing};

use super::super::super::questions::choice;
use super::super::super::refusal::{Kind, Meant, NoSuch, Refusal};
use super::super::super::reply::{Reply, View};
use super::super::super::words::Words;

/// A pool.
pub(super) fn pool(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let Some(name) = words.value(&["pool"]) else {
        return Ok(choice::line(words, "pool", "Enter pool to delete: ", "Name the pool: delete pool=NAME."));
    };
    if view.config().pool(name).is_some() {
        return Err(Refusal::StillConfigured(Kind::Pool, name.to_owned()));
    }
    if !words.has("yes") {
        let question = format!("Are you sure you want to delete Pool \"{name}\"? (yes/no): ");
        return Ok(choice::yes(words, &question));
    }
    let name = name.to_owned();
    let request = CatalogRequest::DeletePool(name.clone());
    Ok(goes(request, Kind::Pool, name.clone(), format!("Pool {name} deleted.\n")))
}

/// A storage.
pub(super) fn storage(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let Some(name) = words.value(&["storage"]) else {
        return Ok(choice::line(words, "storage", "Enter storage to delete: ", "Name it: delete storage=NAME."));
    };
    if view.config().storage(name).is_some() {
        return Err(Refusal::StillConfigured(Kind::Storage, name.to_owned()));
    }
    let name = name.to_owned();
    Ok(Reply::ask(CatalogRequest::List(Listing::Storages), move |view, answer| {
        let CatalogAnswer::Listed(Listed::Storages(rows)) = answer else { return Err(Refusal::unexpected(answer)) };
        let orphaned = rows.iter().filter(|row| view.config().storage(&row.name).is_none()).count();
        let request = CatalogRequest::DeleteStorage(name.clone());
        let text = format!("Found {orphaned} orphaned Storage records.\n");
        Ok(goes(request, Kind::Storage, name, "Deleting 1 orphaned storage record(s).\n".to_owned()).after(text))
    }))
}

/// Lets it go, unless volumes are of it.
fn goes(request: CatalogRequest, kind: Kind, name: String, text: String) -> Reply {
    let pool = (kind == Kind::Pool).then(|| name.clone());
    Reply::ask(CatalogRequest::ListMedia { pool }, move |_, answer| {
        let CatalogAnswer::Volumes(rows) = answer else { return Err(Refusal::unexpected(answer)) };
        if rows.iter().any(|row| kind == Kind::Pool || row.storage == name) {
            return Err(Refusal::HasVolumes(kind, name));
        }
        Ok(Reply::ask(request, move |_, answer| match answer {
            CatalogAnswer::Changed(0) => Err(NoSuch::new(kind, &name, Meant(None)).into()),
            CatalogAnswer::Changed(_) => Ok(Reply::found(text)),
            other => Err(Refusal::unexpected(other)),
        }))
    })
}
