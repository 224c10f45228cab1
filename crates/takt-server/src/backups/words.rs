//! What is said about backups on the terminal, in German and English. Pure.

use std::{fmt::Write as _, path::Path};

use takt_backup::{BackupMade, Drilled, Nearness, RestoredBackup, Snapshot, TableRows};
use takt_report::format;

use crate::deliveries::words::say;

/// `12.3 MB`; thousands, as disks are sold.
pub(super) fn size(bytes: u64, language: &str) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let (mut value, mut unit) = (bytes as f64, 0);
    while value >= 999.5 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    let places = usize::from(unit > 0 && value < 99.5);
    format!("{} {}", format::decimal_places(value, places, language), units.get(unit).unwrap_or(&""))
}

/// `2.4 s`, `3 min 20 s`
pub(super) fn time(milliseconds: u64, language: &str) -> String {
    match milliseconds {
        0..60_000 => format!("{} s", format::decimal_places(milliseconds as f64 / 1000.0, 1, language)),
        _ => format!("{} min {} s", milliseconds / 60_000, milliseconds / 1000 % 60),
    }
}

/// What is missing for a backup to be a whole one.
fn only_half(nearness: Nearness, owner_has_key: bool, language: &str) -> String {
    let mut text = String::new();
    if nearness == Nearness::SameDisk {
        text.push_str(say(
            language,
            "\nHalf a backup: it is on the same disk as the data. Name another place in `[backup] repository`.",
            "\nNur eine halbe Sicherung: Sie liegt auf derselben Platte wie die Daten. Nennen Sie unter `[backup] repository` einen anderen Ort.",
        ));
    }
    if !owner_has_key {
        text.push_str(say(
            language,
            "\nOnly this machine can open it. `takt backup owner-key` gives the owner a key.",
            "\nNur diese Maschine kann sie öffnen. `takt backup owner-key` gibt Ihnen einen eigenen Schlüssel.",
        ));
    }
    text
}

/// A backup was made.
pub(super) fn made(made: &BackupMade, repository: &Path, language: &str) -> String {
    let row = &made.row;
    let (rows, files) = (format::count(row.rows, language), format::count(row.files, language));
    let (bytes, added) = (size(row.bytes, language), size(row.added, language));
    let took = time(row.milliseconds, language);
    let id = short(&made.snapshot.id);
    let place = repository.display();
    let mut text = if language == "de" {
        format!(
            "Gesichert in {took}: {rows} Zeilen, {files} Dateien, {bytes}, davon neu {added}.\nSicherung {id} in {place}"
        )
    } else {
        format!(
            "Backed up in {took}: {rows} rows, {files} files, {bytes}, of which {added} new.\nBackup {id} in {place}"
        )
    };
    text.push_str(&only_half(row.nearness, row.owner_has_key, language));
    text
}

/// A backup was restored as a trial.
pub(super) fn drilled(drilled: &Drilled, language: &str, zone: &str) -> String {
    let row = &drilled.row;
    if let Some(fault) = &row.fault {
        return match language {
            "de" => format!("Die Sicherung hat die Probe NICHT bestanden. Technischer Grund: {fault}"),
            _ => format!("The backup did NOT pass the trial. Technical reason: {fault}"),
        };
    }
    let took = time(row.milliseconds, language);
    let checked = size(drilled.bytes_checked, language);
    let of = row.backup_at.map(|at| format::moment_in(at, language, zone)).unwrap_or_default();
    let mut text = match language {
        "de" => format!(
            "Die Sicherung vom {of} ist vollständig: in {took} zurückgespielt, geöffnet und verglichen; {checked} geprüft."
        ),
        _ => format!(
            "The backup of {of} is complete: restored, opened and compared in {took}; {checked} checked."
        ),
    };
    if row.by_owner {
        text.push_str(say(
            language,
            "\nThe owner's key opened it.",
            "\nDer eigene Schlüssel hat sie geöffnet.",
        ));
    }
    tables(&row.tables, language, zone, &mut text);
    text
}

/// The project's tables, each with its rows and its newest.
fn tables(all: &[TableRows], language: &str, zone: &str, text: &mut String) {
    for table in all.iter().filter(|t| t.is_projects) {
        let rows = format::count(table.rows, language);
        let _ = write!(text, "\n  {:<20} {rows:>10}", table.name);
        if let Some(newest) = table.newest {
            let at = format::moment_in(newest, language, zone);
            let _ = write!(text, "  {} {at}", say(language, "newest", "neueste"));
        }
    }
}

/// The backups of a repository.
pub(super) fn snapshots(all: &[Snapshot], repository: &Path, language: &str, zone: &str) -> String {
    if all.is_empty() {
        return match language {
            "de" => format!("In {} ist noch keine Sicherung.", repository.display()),
            _ => format!("There is no backup yet in {}.", repository.display()),
        };
    }
    let line = |s: &Snapshot| {
        let (bytes, added) = (size(s.bytes, language), size(s.added, language));
        let new = say(language, "new", "neu");
        format!("{}  {}  {bytes:>9}  {new} {added}", short(&s.id), format::moment_in(s.at, language, zone))
    };
    all.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The owner's key, shown once.
pub(super) fn owner_key(key: &str, repository: &Path, language: &str) -> String {
    let place = repository.display();
    match language {
        "de" => format!(
            "{key}\n\nDas ist Ihr Schlüssel zu allen Sicherungen in {place}. Er wird nur jetzt gezeigt und nirgends aufbewahrt.\nDrucken Sie ihn aus und verwahren Sie ihn außer Haus. Ein früherer öffnet die Sicherungen nicht mehr.\nProbieren Sie ihn aus: takt drill --key-file DATEI"
        ),
        _ => format!(
            "{key}\n\nThis is your key to all backups in {place}. It is shown only now and kept nowhere.\nPrint it and keep it away from the machine. An earlier one no longer opens the backups.\nTry it: takt drill --key-file FILE"
        ),
    }
}

/// A backup was given back.
pub(super) fn restored(restored: &RestoredBackup, language: &str, zone: &str) -> String {
    let at = format::moment_in(restored.snapshot.at, language, zone);
    let (place, rows) = (restored.place.display(), format::count(restored.manifest.rows(), language));
    let mut text = match language {
        "de" => format!(
            "Zurückgespielt nach {place}: Stand vom {at}, {rows} Zeilen, verglichen mit dem, was gesichert wurde."
        ),
        _ => format!("Restored to {place}: as of {at}, {rows} rows, compared with what was backed up."),
    };
    if let Some(before) = &restored.before {
        let before = before.display();
        let _ = match language {
            "de" => write!(text, "\nWas vorher dort stand, liegt in {before}."),
            _ => write!(text, "\nWhat was there before is in {before}."),
        };
    }
    if !restored.manifest.master_key {
        text.push_str(say(
            language,
            "\nThe master key was not in it: it came from TAKT_MASTER_KEY and must be given there again.",
            "\nDer Hauptschlüssel war nicht darin: Er kam aus TAKT_MASTER_KEY und muss dort wieder angegeben werden.",
        ));
    }
    text
}

fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_told_as_people_say_them() {
        for (bytes, en, de) in [
            (0, "0 B", "0 B"),
            (999, "999 B", "999 B"),
            (1_500, "1.5 kB", "1,5 kB"),
            (903_000_000, "903 MB", "903 MB"),
            (12_340_000_000, "12.3 GB", "12,3 GB"),
        ] {
            assert_eq!((size(bytes, "en"), size(bytes, "de")), (en.to_owned(), de.to_owned()));
        }
        for (millis, en) in [(40, "0.0 s"), (2_440, "2.4 s"), (200_000, "3 min 20 s")] {
            assert_eq!(time(millis, "en"), en);
        }
    }
}
