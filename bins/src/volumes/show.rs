//! `towline volume show`: the label of each volume, and where sessions and damage lie on it.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::{ArgMatches, Command};
use serde_json::{Value, json};
use towline_core::printable;
use towline_core::wire::label::VolumeLabel;

use super::jobs::{Job, text};
use super::report::{Finding, Report};
use super::shelf::{Shelf, Volume, shown};
use super::when::label_moment;
use super::{Asked, ask, json_argument, paths_argument, stores_argument};
use crate::daemon::written;

pub(super) fn command() -> Command {
    Command::new("show")
        .about("Shows labels, sessions and blocks of volumes")
        .after_help(
            "Only headers of blocks are read: what is damaged within a block is found by check. Addresses are bytes from the \
             beginning of the volume.",
        )
        .arg(paths_argument())
        .arg(stores_argument())
        .arg(json_argument())
}

pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let Asked { shelf, jobs, mut report } = match ask("volume show", matches) {
        Ok(asked) => asked,
        Err(exit) => return exit,
    };
    tell_damage(&shelf, &mut report);
    let mut out = BufWriter::new(io::stdout().lock());
    written(show(&shelf, &jobs, matches.get_flag("json"), &mut out));
    report.exit()
}

/// Tells what of the volumes is no block.
pub(super) fn tell_damage(shelf: &Shelf, report: &mut Report) {
    for Volume { name, survey, .. } in &shelf.volumes {
        for stretch in &survey.damage {
            let at_end = stretch.end == survey.bytes;
            report.add(Finding::Damage { volume: name.clone(), stretch: stretch.clone(), at_end });
        }
        if survey.more_damage > 0 {
            report.add(Finding::MoreDamage { volume: name.clone(), stretches: survey.more_damage });
        }
    }
}

/// Shows all volumes.
///
/// # Errors
/// Those of `out`.
pub(super) fn show(shelf: &Shelf, jobs: &[Job], is_json: bool, out: &mut dyn Write) -> io::Result<()> {
    for (place, volume) in shelf.volumes.iter().enumerate() {
        match is_json {
            true => writeln!(out, "{}", volume_json(place, volume, jobs))?,
            false => volume_text(place, volume, jobs, out)?,
        }
    }
    out.flush()
}

fn volume_text(place: usize, volume: &Volume, jobs: &[Job], out: &mut dyn Write) -> io::Result<()> {
    let survey = &volume.survey;
    let name = printable::line(&volume.name).into_owned();
    writeln!(out, "volume {name}: {}, {} bytes, {} blocks", shown(&volume.path), survey.bytes, survey.blocks)?;
    match &survey.label {
        Some(label) => label_text(label, out)?,
        None => writeln!(out, "  its label cannot be read")?,
    }
    for (job, extent) in on_volume(place, jobs) {
        writeln!(
            out,
            "  session {}/{}, job {}: {} blocks, numbers {} to {}, bytes {} to {}",
            job.session.id,
            job.session.time,
            job.name(),
            extent.blocks,
            extent.first_number,
            extent.last_number,
            extent.first,
            extent.end
        )?;
    }
    for stretch in &survey.damage {
        writeln!(out, "  no sound block: bytes {} to {}", stretch.start, stretch.end)?;
    }
    Ok(())
}

fn label_text(label: &VolumeLabel, out: &mut dyn Write) -> io::Result<()> {
    let VolumeLabel { pool, pool_type, media_type, program, host, version, .. } = label;
    write!(
        out,
        "  pool {} ({}), media type {}, labelled {} by {}",
        text(pool),
        text(pool_type),
        text(media_type),
        label_moment(label.labelled),
        text(program)
    )?;
    // Who labels need not say where.
    if !host.is_empty() {
        write!(out, " on {}", text(host))?;
    }
    if !version.is_empty() {
        write!(out, ", {}", text(version))?;
    }
    writeln!(out)
}

fn volume_json(place: usize, volume: &Volume, jobs: &[Job]) -> Value {
    let survey = &volume.survey;
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let label = survey.label.as_ref().map(|label| {
        json!({
            "pool": lossy(&label.pool),
            "media_type": lossy(&label.media_type),
            "labelled": label.labelled.div_euclid(1_000_000),
            "program": lossy(&label.program),
            "host": lossy(&label.host),
            "version": lossy(&label.version),
        })
    });
    let sessions = on_volume(place, jobs).map(|(job, extent)| {
        json!({
            "session": [job.session.id, job.session.time],
            "job": job.label.as_ref().map(|label| label.job_id),
            "blocks": extent.blocks,
            "numbers": [extent.first_number, extent.last_number],
            "bytes": [extent.first, extent.end],
        })
    });
    json!({
        "volume": volume.name,
        "path": shown(&volume.path),
        "bytes": survey.bytes,
        "blocks": survey.blocks,
        "label": label,
        "sessions": sessions.collect::<Vec<_>>(),
        "damage": survey.damage.iter().map(|stretch| [stretch.start, stretch.end]).collect::<Vec<_>>(),
    })
}

fn on_volume(place: usize, jobs: &[Job]) -> impl Iterator<Item = (&Job, &super::survey::Extent)> {
    let of = move |job: &&Job| job.pieces.iter().any(|(on, _)| *on == place);
    jobs.iter().filter(of).flat_map(move |job| {
        job.pieces.iter().filter(move |(on, _)| *on == place).map(move |(_, extent)| (job, extent))
    })
}
