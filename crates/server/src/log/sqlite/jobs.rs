//! The life of a background task's row.
//!
//! ```text
//! message ──> open ── try (counted) ──┐   result            ┌─> done, abstained (one entry)
//!              ^ └────────────────────┘ ────────────────────┼─> failed
//!              └── a crash leaves it so   a newer message ──┴─> superseded
//! ```

use super::rows::{first, number, signed};
use super::send::append_own;
use super::write::{NewId, Stop, changed, load, not_found, refuse, unchanged};
use crate::log::{Answer, Job, Outcome};
use bedside_protocol::{Body, ClinicId, Code, ConversationId, Seq, Suggestion, Time};
use rusqlite::{Transaction, params};

/// Opens a row for each of `tasks`, in place of what they had still to do for an older message.
pub fn open(
    tx: &Transaction<'_>,
    clinic: &ClinicId,
    conversation: &ConversationId,
    basis: Seq,
    tasks: &[&'static str],
) -> Result<Vec<Job>, Stop> {
    let mut jobs = Vec::with_capacity(tasks.len());
    for task in tasks {
        tx.prepare_cached(
            "UPDATE tasks SET ended = 'superseded'
             WHERE clinic = ?1 AND conversation = ?2 AND task = ?3 AND ended IS NULL",
        )?
        .execute(params![clinic.as_str(), conversation.as_str(), task])?;
        tx.prepare_cached(
            "INSERT INTO tasks (clinic, conversation, task, basis, tries) VALUES (?1, ?2, ?3, ?4, 0)",
        )?
        .execute(params![clinic.as_str(), conversation.as_str(), task, signed(basis.get())])?;
        jobs.push(Job {
            clinic: clinic.clone(),
            conversation: conversation.clone(),
            task: (*task).to_owned(),
            basis,
        });
    }
    Ok(jobs)
}

/// Counts a try.
pub fn begin(tx: &Transaction<'_>, job: &Job) -> Result<Outcome, Stop> {
    let tries = first(
        tx,
        "UPDATE tasks SET tries = tries + 1
         WHERE clinic = ?1 AND conversation = ?2 AND task = ?3 AND basis = ?4 AND ended IS NULL RETURNING tries",
        &[&job.clinic.as_str(), &job.conversation.as_str(), &job.task, &signed(job.basis.get())],
        |row| number(row, "tries"),
    )?;
    match tries {
        Some(tries) => Ok(unchanged(&job.clinic, Answer::Tries(tries))),
        None => ended(),
    }
}

/// Ends a row, with its result as an entry if it has one.
pub fn end(
    tx: &Transaction<'_>,
    now: Time,
    new_id: NewId<'_>,
    job: &Job,
    result: Option<&Suggestion>,
) -> Result<Outcome, Stop> {
    let how = match result {
        None => "failed",
        Some(Suggestion { abstained: Some(_), .. }) => "abstained",
        Some(_) => "done",
    };
    let open = tx
        .prepare_cached(
            "UPDATE tasks SET ended = ?5
             WHERE clinic = ?1 AND conversation = ?2 AND task = ?3 AND basis = ?4 AND ended IS NULL",
        )?
        .execute(params![
            job.clinic.as_str(),
            job.conversation.as_str(),
            job.task,
            signed(job.basis.get()),
            how
        ])?;
    if open == 0 {
        return ended();
    }
    let Some(suggestion) = result else {
        return Ok(unchanged(&job.clinic, Answer::Ended));
    };
    let Some(mut thread) = load(tx, &job.clinic, &job.conversation)? else {
        return not_found();
    };
    let body = Body::Suggestion(suggestion.clone());
    let entry = append_own(tx, now, new_id, &job.clinic, &mut thread, &body)?;
    Ok(changed(&job.clinic, vec![entry], Answer::Ended))
}

fn ended<T>() -> Result<T, Stop> {
    refuse(Code::Conflict, "this task has ended")
}
