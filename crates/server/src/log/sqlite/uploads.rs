//! Who uploaded which bytes, and whom they are for. The bytes themselves lie beside the log.
//!
//! ```text
//! upload ──> waits to be named ──a file entry──> named, for ever
//!             │           ▲ └──a day──> forgotten
//!             └─ again ───┘
//! ```

use super::rows::{all, first, id, number, role_word, signed, word};
use super::write::{Stop, refuse, unchanged};
use crate::log::{Answer, Fault, MAX_UNSENT, Outcome, Upload, crowded};
use bedside_protocol::{Author, ClinicId, Code, File, Role, Time, UserId};
use rusqlite::{Connection, Transaction, params};

pub fn add(tx: &Transaction<'_>, now: Time, upload: &Upload) -> Result<Outcome, Stop> {
    let Upload { clinic, sha256, uploader, role, bytes } = upload;
    // Again: it counts from now.
    let known = tx
        .prepare_cached(
            "UPDATE uploads SET at = max(at, ?5) WHERE clinic = ?1 AND sha256 = ?2 AND uploader = ?3 AND role = ?4",
        )?
        .execute(params![
            clinic.as_str(),
            sha256,
            uploader.as_str(),
            role_word(*role),
            signed(now.millis())
        ])?;
    if known == 0 {
        if unsent(tx, clinic, uploader, *role, sha256)? >= MAX_UNSENT {
            return Err(Stop::Refused(crowded()));
        }
        tx.prepare_cached(
            "INSERT INTO uploads (clinic, sha256, uploader, role, bytes, at, named) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)",
        )?
        .execute(params![
            clinic.as_str(),
            sha256,
            uploader.as_str(),
            role_word(*role),
            signed(*bytes),
            signed(now.millis())
        ])?;
    }
    Ok(unchanged(clinic, Answer::Uploaded))
}

pub fn forget(tx: &Transaction<'_>, upload: &Upload, before: Time) -> Result<Outcome, Stop> {
    let gone = tx
        .prepare_cached(
            "DELETE FROM uploads
             WHERE clinic = ?1 AND sha256 = ?2 AND uploader = ?3 AND role = ?4 AND NOT named AND at < ?5",
        )?
        .execute(params![
            upload.clinic.as_str(),
            upload.sha256,
            upload.uploader.as_str(),
            role_word(upload.role),
            signed(before.millis())
        ])?;
    Ok(unchanged(&upload.clinic, Answer::Forgotten(gone > 0)))
}

/// Whether `author` may name the bytes of `file`.
pub fn check(tx: &Transaction<'_>, clinic: &ClinicId, author: &Author, file: &File) -> Result<(), Stop> {
    // A patient's name must not bring up what somebody else uploaded.
    let bytes = match author.role {
        Role::Patient => first(
            tx,
            "SELECT bytes FROM uploads WHERE clinic = ?1 AND sha256 = ?2 AND uploader = ?3 AND role = 'patient'",
            &[&clinic.as_str(), &file.sha256, &author.id.as_str()],
            |row| number(row, "bytes"),
        )?,
        _ => bytes(tx, clinic, &file.sha256, None)?,
    };
    match bytes {
        None => refuse(Code::NotFound, "the file's bytes were not uploaded, or are forgotten"),
        Some(bytes) if bytes != file.bytes => refuse(Code::Invalid, "the file has another number of bytes"),
        Some(_) => Ok(()),
    }
}

/// What an entry names stays, whoever uploaded it.
pub fn name(tx: &Transaction<'_>, clinic: &ClinicId, file: &File) -> Result<(), Stop> {
    tx.prepare_cached("UPDATE uploads SET named = 1 WHERE clinic = ?1 AND sha256 = ?2")?
        .execute(params![clinic.as_str(), file.sha256])?;
    Ok(())
}

pub fn bytes(
    connection: &Connection,
    clinic: &ClinicId,
    sha256: &str,
    patient: Option<&UserId>,
) -> Result<Option<u64>, Fault> {
    let read = |row: &rusqlite::Row<'_>| number(row, "bytes");
    Ok(match patient {
        None => first(
            connection,
            "SELECT bytes FROM uploads WHERE clinic = ?1 AND sha256 = ?2 LIMIT 1",
            &[&clinic.as_str(), &sha256],
            read,
        )?,
        Some(patient) => first(
            connection,
            "SELECT bytes FROM uploads WHERE clinic = ?1 AND sha256 = ?2
             AND ((uploader = ?3 AND role = 'patient') OR EXISTS (
               SELECT 1 FROM entries e JOIN conversations c ON c.clinic = e.clinic AND c.id = e.conversation
               WHERE e.clinic = ?1 AND e.body ->> 'kind' = 'file' AND e.body ->> 'sha256' = ?2
                 AND e.public AND c.patient = ?3
                 AND NOT EXISTS (SELECT 1 FROM entries a
                   WHERE a.clinic = ?1 AND a.body ->> 'kind' = 'amend' AND a.body ->> 'target' = e.id)))
             LIMIT 1",
            &[&clinic.as_str(), &sha256, &patient.as_str()],
            read,
        )?,
    })
}

pub fn unsent(
    connection: &Connection,
    clinic: &ClinicId,
    who: &UserId,
    role: Role,
    sha256: &str,
) -> Result<u64, Fault> {
    let found = first(
        connection,
        "SELECT count(*) AS n FROM uploads
         WHERE clinic = ?1 AND uploader = ?2 AND role = ?3 AND NOT named AND sha256 <> ?4",
        &[&clinic.as_str(), &who.as_str(), &role_word(role), &sha256],
        |row| number(row, "n"),
    )?;
    Ok(found.unwrap_or_default())
}

pub fn stale(connection: &Connection, before: Time, limit: u32) -> Result<Vec<Upload>, Fault> {
    Ok(all(
        connection,
        "SELECT clinic, sha256, uploader, role, bytes FROM uploads WHERE NOT named AND at < ?1
         ORDER BY at LIMIT ?2",
        &[&signed(before.millis()), &limit],
        |row| {
            Ok(Upload {
                clinic: id(row, "clinic")?,
                sha256: row.get("sha256")?,
                uploader: id(row, "uploader")?,
                role: word(row, "role")?,
                bytes: number(row, "bytes")?,
            })
        },
    )?)
}
