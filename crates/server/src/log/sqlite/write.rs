//! What a write does, inside the transaction of its batch: first every check, then every change.

use super::jobs;
use super::rows::{Thread, first, number, select_threads, signed, thread};
use super::{search, send, uploads};
use crate::log::{Answer, Change, Committed, Fault, Outcome, Revocation, Summary, Write};
use bedside_protocol::{
    ClinicId, Code, Conversation, ConversationId, EntryId, Extra, Patient, Read, Refusal, Rev, Role, Seq,
    Time, UserId,
};
use rusqlite::{Transaction, params};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Why a write didn't happen.
pub enum Stop {
    /// It may not; the rest of the batch goes on.
    Refused(Refusal),
    /// The batch can't be committed.
    Fault(Fault),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Stop::Fault(fault)
    }
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Stop::Fault(error.into())
    }
}

/// A refusal as the end of a write.
pub fn refuse<T>(code: Code, message: &str) -> Result<T, Stop> {
    Err(Stop::Refused(Refusal::new(code, message)))
}

/// Makes ids for the server's own entries.
pub type NewId<'a> = &'a mut dyn FnMut(Time) -> Result<EntryId, Fault>;

/// Does `write`, or nothing at all.
pub fn apply(tx: &Transaction<'_>, now: Time, new_id: NewId<'_>, write: &Write) -> Result<Outcome, Stop> {
    match write {
        Write::Send { clinic, author, send, tasks } => {
            send::apply(tx, now, new_id, clinic, author, send, tasks)
        }
        Write::Read { clinic, reader, role, read } => mark(tx, clinic, reader, *role, read),
        Write::Admit { clinic, patient } => admit(tx, clinic, patient),
        Write::Revoke { clinic, user, wipe } => revoke(tx, now, clinic, user, *wipe),
        Write::Upload(upload) => uploads::add(tx, now, upload),
        Write::Forget { upload, before } => uploads::forget(tx, upload, *before),
        Write::Try { job } => jobs::begin(tx, job),
        Write::End { job, result } => jobs::end(tx, now, new_id, job, result.as_deref()),
    }
}

fn mark(
    tx: &Transaction<'_>,
    clinic: &ClinicId,
    reader: &UserId,
    role: Role,
    read: &Read,
) -> Result<Outcome, Stop> {
    let Some(Thread { mut summary, .. }) = load(tx, clinic, &read.conversation)? else {
        return not_found();
    };
    if role == Role::Patient && summary.conversation.patient.id != *reader {
        return not_found();
    }
    // Nobody can have read further than what there is for their eyes.
    let head = match role {
        Role::Patient => summary.public_last.as_ref().map_or(Seq::ZERO, |last| last.seq),
        _ => summary.conversation.head,
    };
    let upto = read.upto.min(head);
    let marks = &mut summary.conversation.read;
    if marks.get(reader).is_some_and(|mark| upto <= *mark) || upto == Seq::ZERO {
        return Ok(unchanged(clinic, Answer::Summary(Arc::new(summary))));
    }
    marks.insert(reader.clone(), upto);
    tx.prepare_cached(
        "INSERT INTO read_marks (clinic, conversation, reader, upto) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET upto = excluded.upto",
    )?
    .execute(params![
        clinic.as_str(),
        read.conversation.as_str(),
        reader.as_str(),
        signed(upto.get())
    ])?;
    summary.conversation.rev = bump(tx, clinic)?;
    tx.prepare_cached("UPDATE conversations SET rev = ?3 WHERE clinic = ?1 AND id = ?2")?.execute(
        params![clinic.as_str(), read.conversation.as_str(), signed(summary.conversation.rev.get())],
    )?;
    let summary = Arc::new(summary);
    let change = Change::Read { reader: reader.clone(), role, summary: summary.clone() };
    Ok(changed(clinic, vec![change], Answer::Summary(summary)))
}

fn admit(tx: &Transaction<'_>, clinic: &ClinicId, patient: &Patient) -> Result<Outcome, Stop> {
    let known =
        first(tx, select_threads!("AND c.patient = ?2"), &[&clinic.as_str(), &patient.id.as_str()], thread)?;
    let summary = match known {
        Some(Thread { summary, .. }) => {
            let mut summary = summary;
            let kept = &mut summary.conversation.patient;
            // A token without a birth doesn't say that there was none.
            let born = patient.born.as_ref().or(kept.born.as_ref()).cloned();
            if kept.name == patient.name && kept.born == born {
                return Ok(unchanged(clinic, Answer::Summary(Arc::new(summary))));
            }
            kept.name.clone_from(&patient.name);
            kept.born = born;
            summary.conversation.rev = bump(tx, clinic)?;
            let conversation = &summary.conversation;
            tx.prepare_cached(
                "UPDATE conversations SET rev = ?3, name = ?4, born = ?5 WHERE clinic = ?1 AND id = ?2",
            )?
            .execute(params![
                clinic.as_str(),
                conversation.id.as_str(),
                signed(conversation.rev.get()),
                conversation.patient.name,
                conversation.patient.born,
            ])?;
            summary
        }
        None => open(tx, clinic, patient)?,
    };
    search::name(tx, clinic, &summary.conversation)?;
    let summary = Arc::new(summary);
    Ok(changed(clinic, vec![Change::Summary(summary.clone())], Answer::Summary(summary)))
}

/// Opens the one conversation of a new patient.
fn open(tx: &Transaction<'_>, clinic: &ClinicId, patient: &Patient) -> Result<Summary, Stop> {
    let patient = Patient { extra: Extra::new(), ..patient.clone() };
    let conversation =
        Conversation::new(conversation_of(clinic, &patient.id)?, bump(tx, clinic)?, patient.clone());
    tx.prepare_cached(
        "INSERT INTO conversations (clinic, id, rev, head, public_head, said_head, patient, name, born, state)
         VALUES (?1, ?2, ?3, 0, 0, 0, ?4, ?5, ?6, 'open')",
    )?
    .execute(params![
        clinic.as_str(),
        conversation.id.as_str(),
        signed(conversation.rev.get()),
        patient.id.as_str(),
        patient.name,
        patient.born,
    ])?;
    Ok(Summary { conversation, public_last: None })
}

/// The id of a patient's conversation: always the same, and never equal to the patient's own id, so that a mix-up of the
/// two fails loudly.
fn conversation_of(clinic: &ClinicId, patient: &UserId) -> Result<ConversationId, Stop> {
    let digest = Sha256::digest(format!("{clinic}/{patient}"));
    let hex: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    ConversationId::new(format!("c-{hex}")).map_err(|error| Fault::new(error.to_string()).into())
}

fn revoke(
    tx: &Transaction<'_>,
    now: Time,
    clinic: &ClinicId,
    user: &UserId,
    wipe: bool,
) -> Result<Outcome, Stop> {
    // A later one takes nothing back, whatever the clock says.
    let (at, wipe) = tx
        .prepare_cached(
            "INSERT INTO revocations (clinic, user, at, wipe) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET at = max(at, excluded.at), wipe = max(wipe, excluded.wipe)
             RETURNING at, wipe",
        )?
        .query_row(params![clinic.as_str(), user.as_str(), signed(now.millis()), wipe], |row| {
            Ok((Time::new(number(row, "at")?), row.get("wipe")?))
        })?;
    let change = Change::Revoked { user: user.clone(), revocation: Revocation { at, wipe } };
    Ok(changed(clinic, vec![change], Answer::Revoked))
}

pub fn load(tx: &Transaction<'_>, clinic: &ClinicId, id: &ConversationId) -> Result<Option<Thread>, Stop> {
    Ok(first(tx, select_threads!("AND c.id = ?2"), &[&clinic.as_str(), &id.as_str()], thread)?)
}

/// The clinic's next number.
pub fn bump(tx: &Transaction<'_>, clinic: &ClinicId) -> Result<Rev, Stop> {
    let rev = tx
        .prepare_cached(
            "INSERT INTO clinics (clinic, rev) VALUES (?1, 1) ON CONFLICT DO UPDATE SET rev = rev + 1
             RETURNING rev",
        )?
        .query_row([clinic.as_str()], |row| number(row, "rev"))?;
    Ok(Rev::new(rev))
}

pub fn not_found<T>() -> Result<T, Stop> {
    refuse(Code::NotFound, "no such conversation")
}

pub fn changed(clinic: &ClinicId, changes: Vec<Change>, answer: Answer) -> Outcome {
    Outcome { committed: Committed { clinic: clinic.clone(), changes, jobs: Vec::new() }, answer }
}

pub fn unchanged(clinic: &ClinicId, answer: Answer) -> Outcome {
    changed(clinic, Vec::new(), answer)
}
