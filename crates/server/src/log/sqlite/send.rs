//! The one write verb.
//!
//! ```text
//! send ── id known? ── same content ──> the first entry again, nothing committed
//!             │            └ other ───> conflict
//!             └ new ── may the author? does what it names exist? has the writer seen the newest? ──> refused
//!                          └ entry ── by a patient: [wait-time message] [opens a resting conversation]
//! ```

use super::rows::{Thread, first, number, phase_word, record, role_word, select_records, signed, to_json};
use super::write::{NewId, Stop, bump, changed, load, not_found, refuse, unchanged};
use super::{jobs, search, uploads};
use crate::log::{Answer, Change, Outcome, Record, wait};
use bedside_protocol::{
    Amend, Assign, Author, Body, ClinicId, Code, ConversationId, Entry, EntryId, Extra, InvalidId, Last,
    Origin, Phase, Role, Send, Seq, State, Suggestion, Time, UserId,
};
use rusqlite::{Transaction, params};
use std::sync::Arc;

pub fn apply(
    tx: &Transaction<'_>,
    now: Time,
    new_id: NewId<'_>,
    clinic: &ClinicId,
    author: &Author,
    send: &Send,
    tasks: &[&'static str],
) -> Result<Outcome, Stop> {
    if let Some(first) = find(tx, clinic, send.id)? {
        return again(tx, clinic, author, send, first);
    }
    let Some(mut thread) = load(tx, clinic, &send.conversation)? else {
        return not_found();
    };
    if author.role == Role::Patient && thread.summary.conversation.patient.id != author.id {
        return not_found();
    }
    let public = check(tx, clinic, author, send, thread.summary.conversation.head)?;
    let new = New { id: send.id, at: now, author, body: &send.body, from: send.from.as_ref(), public };
    let entry = new.append(tx, clinic, &mut thread)?;
    if let Body::File(file) = &send.body {
        uploads::name(tx, clinic, file)?;
    }
    let basis = thread.summary.conversation.head;
    let answer = match &entry {
        Change::Entry(record, summary) => Answer::Entry(record.clone(), summary.clone()),
        _ => return refuse(Code::Unavailable, "an entry is missing"),
    };
    let mut changes = vec![entry];
    if author.role == Role::Patient && speaks(author.role, &send.body) {
        if wait::due(now, thread.answered_at, thread.told_at) {
            let body = wait::body(estimate(tx, now, clinic)?);
            changes.push(append_own(tx, now, new_id, clinic, &mut thread, &body)?);
        }
        if thread.summary.conversation.state != Phase::Open {
            let body = Body::State(State { state: Phase::Open, until: None, extra: Extra::new() });
            changes.push(append_own(tx, now, new_id, clinic, &mut thread, &body)?);
        }
    }
    let mut outcome = changed(clinic, changes, answer);
    outcome.committed.jobs = jobs::open(tx, clinic, &send.conversation, basis, tasks)?;
    Ok(outcome)
}

/// Appends an entry of the server's own.
pub fn append_own(
    tx: &Transaction<'_>,
    at: Time,
    new_id: NewId<'_>,
    clinic: &ClinicId,
    thread: &mut Thread,
    body: &Body,
) -> Result<Change, Stop> {
    let author = system()?;
    New { id: new_id(at)?, at, author: &author, body, from: None, public: body.public() }
        .append(tx, clinic, thread)
}

/// Answers an id that came before.
fn again(
    tx: &Transaction<'_>,
    clinic: &ClinicId,
    author: &Author,
    send: &Send,
    first: Record,
) -> Result<Outcome, Stop> {
    let entry = &first.entry;
    let same = entry.conversation == send.conversation
        && (&entry.author.id, entry.author.role) == (&author.id, author.role)
        && entry.body == send.body
        && entry.from == send.from;
    if !same {
        return refuse(Code::Conflict, "this id came before with other content");
    }
    let Some(thread) = load(tx, clinic, &send.conversation)? else {
        return not_found();
    };
    let answer = Answer::Entry(Arc::new(first), Arc::new(thread.summary));
    Ok(unchanged(clinic, answer))
}

/// Every refusal of a new entry. Says whether the patient will see it.
fn check(
    tx: &Transaction<'_>,
    clinic: &ClinicId,
    author: &Author,
    send: &Send,
    head: Seq,
) -> Result<bool, Stop> {
    let Send { conversation, body, .. } = send;
    if !body.writable_by(author.role) {
        return refuse(Code::Forbidden, "this kind of entry isn't the author's to write");
    }
    if let Some(from) = &send.from {
        if author.role != Role::Provider {
            return refuse(Code::Forbidden, "only a provider's text comes from a suggestion");
        }
        if !matches!(body, Body::Text(_)) {
            return refuse(Code::Invalid, "only a text comes from a suggestion");
        }
        suggestion(tx, clinic, conversation, from.suggestion)?;
    }
    match body {
        Body::Amend(amend) => return amends(tx, clinic, conversation, author, amend),
        Body::File(file) => uploads::check(tx, clinic, author, file)?,
        Body::Outcome(outcome) => suggestion(tx, clinic, conversation, outcome.suggestion)?,
        Body::Suggestion(Suggestion { basis, .. }) => fresh(tx, clinic, conversation, *basis, head)?,
        Body::Text(_)
            if author.role == Role::Provider && !send.force && newer(tx, clinic, send, &author.id)? =>
        {
            return refuse(Code::Behind, "something newer is there that the writer hadn't seen");
        }
        _ => {}
    }
    Ok(body.public())
}

/// Whether `author` may correct `target`. The correction is as public as what it corrects.
fn amends(
    tx: &Transaction<'_>,
    clinic: &ClinicId,
    conversation: &ConversationId,
    author: &Author,
    Amend { target, text, .. }: &Amend,
) -> Result<bool, Stop> {
    let visible = |record: &Record| record.public || author.role != Role::Patient;
    match find(tx, clinic, *target)? {
        Some(record) if record.entry.conversation == *conversation && visible(&record) => {
            let theirs = (&record.entry.author.id, record.entry.author.role) == (&author.id, author.role);
            let amendable = match record.entry.body {
                Body::Text(_) | Body::Note(_) => true,
                Body::File(_) => text.is_none(),
                _ => false,
            };
            if !theirs || !amendable {
                let message =
                    "only its author amends an entry, and only a text or a note; a file is taken back";
                return refuse(Code::Forbidden, message);
            }
            Ok(record.public)
        }
        _ => refuse(Code::NotFound, "no such entry to amend"),
    }
}

fn suggestion(
    tx: &Transaction<'_>,
    clinic: &ClinicId,
    conversation: &ConversationId,
    id: EntryId,
) -> Result<(), Stop> {
    match find(tx, clinic, id)? {
        Some(Record { entry, .. })
            if entry.conversation == *conversation && matches!(entry.body, Body::Suggestion(_)) =>
        {
            Ok(())
        }
        _ => refuse(Code::NotFound, "no such suggestion"),
    }
}

/// Refuses a suggestion that would be stale from its beginning.
fn fresh(
    tx: &Transaction<'_>,
    clinic: &ClinicId,
    conversation: &ConversationId,
    basis: Seq,
    head: Seq,
) -> Result<(), Stop> {
    if basis == Seq::ZERO || head < basis {
        return refuse(Code::Invalid, "`basis` names an entry of the conversation");
    }
    let newer = first(
        tx,
        "SELECT 1 FROM entries WHERE clinic = ?1 AND conversation = ?2 AND seq > ?3 AND message
         AND role = 'patient' LIMIT 1",
        &[&clinic.as_str(), &conversation.as_str(), &signed(basis.get())],
        |_| Ok(()),
    )?;
    if newer.is_some() {
        return refuse(Code::Behind, "the patient has written after what the suggestion rests on");
    }
    Ok(())
}

/// Whether the patient or a colleague has written after what the writer had seen.
fn newer(tx: &Transaction<'_>, clinic: &ClinicId, send: &Send, me: &UserId) -> Result<bool, Stop> {
    let found = first(
        tx,
        "SELECT 1 FROM entries WHERE clinic = ?1 AND conversation = ?2 AND seq > ?3 AND message
         AND (role = 'patient' OR (role = 'provider' AND author <> ?4)) LIMIT 1",
        &[&clinic.as_str(), &send.conversation.as_str(), &signed(send.seen.get()), &me.as_str()],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

fn find(tx: &Transaction<'_>, clinic: &ClinicId, id: EntryId) -> Result<Option<Record>, Stop> {
    Ok(first(tx, select_records!("AND id = ?2"), &[&clinic.as_str(), &id.to_string()], record)?)
}

/// Minutes until an answer, from the clinic's queue and its last answers.
fn estimate(tx: &Transaction<'_>, now: Time, clinic: &ClinicId) -> Result<u32, Stop> {
    let (waiting, answers) = tx
        .prepare_cached(
            "SELECT
               (SELECT count(*) FROM conversations WHERE clinic = ?1 AND waiting_since IS NOT NULL) AS waiting,
               (SELECT count(*) FROM entries WHERE clinic = ?1 AND waited IS NOT NULL AND at > ?2) AS answers",
        )?
        .query_row(
            params![clinic.as_str(), signed(now.minus(wait::RATE_WINDOW_MS).millis())],
            |row| Ok((number(row, "waiting")?, number(row, "answers")?)),
        )?;
    Ok(wait::minutes(waiting, answers))
}

/// The server as an author.
fn system() -> Result<Author, Stop> {
    let fault = |error: InvalidId| Stop::Fault(crate::log::Fault::new(error.to_string()));
    Ok(Author {
        id: UserId::new("system").map_err(fault)?,
        role: Role::System,
        name: "Bedside".into(),
        extra: Extra::new(),
    })
}

/// Whether it says something new to the other side. A patient's correction does: "50 pills, not 5" can't wait. A
/// provider's own doesn't answer anybody.
fn speaks(role: Role, body: &Body) -> bool {
    body.is_message() || (role == Role::Patient && matches!(body, Body::Amend(_)))
}

/// What an entry does to its conversation's summary. Returns how long the patient had waited, if it ended a wait.
///
/// ```text
///              patient's message               provider's message, or closed
/// nobody waits ────────────────> waits since its time ────────────────> nobody waits
/// ```
fn affect(thread: &mut Thread, author: &Author, body: &Body, at: Time) -> Option<u64> {
    let conversation = &mut thread.summary.conversation;
    match (body, author.role) {
        (Body::Wait(_), _) => thread.told_at = Some(at),
        (Body::Assign(Assign { to, .. }), _) => conversation.assigned.clone_from(to),
        (Body::State(State { state, until, .. }), _) => {
            conversation.state = *state;
            conversation.until = *until;
            conversation.closed_at = (*state == Phase::Closed).then_some(at);
            if *state == Phase::Closed {
                conversation.waiting_since = None;
            }
        }
        (body, Role::Patient) if speaks(author.role, body) => {
            conversation.waiting_since.get_or_insert(at);
        }
        (body, Role::Provider) if body.is_message() => {
            thread.answered_at = Some(at);
            return conversation.waiting_since.take().map(|since| at.since(since));
        }
        _ => {}
    }
    None
}

/// An entry that has passed every check.
struct New<'a> {
    id: EntryId,
    at: Time,
    author: &'a Author,
    body: &'a Body,
    from: Option<&'a Origin>,
    public: bool,
}

impl New<'_> {
    /// Gives it the next numbers and inserts it.
    fn append(&self, tx: &Transaction<'_>, clinic: &ClinicId, thread: &mut Thread) -> Result<Change, Stop> {
        let waited = affect(thread, self.author, self.body, self.at);
        let prev = thread.summary.public_last.as_ref().map_or(Seq::ZERO, |last| last.seq);
        let conversation = &mut thread.summary.conversation;
        conversation.rev = bump(tx, clinic)?;
        conversation.head = conversation.head.next();
        let entry = Entry {
            conversation: conversation.id.clone(),
            seq: conversation.head,
            rev: conversation.rev,
            id: self.id,
            at: self.at,
            author: Author { extra: Extra::new(), ..self.author.clone() },
            body: self.body.clone(),
            preview: self.body.preview(),
            from: self.from.cloned(),
            prev: None,
            extra: Extra::new(),
        };
        let last = Last {
            seq: entry.seq,
            at: entry.at,
            author: entry.author.clone(),
            preview: entry.preview.clone(),
            extra: Extra::new(),
        };
        if self.public {
            thread.summary.public_last = Some(last.clone());
        }
        // The server's own words don't hide a person's from an inbox.
        if self.author.role != Role::System {
            conversation.last = Some(last);
        }
        let record = Record { entry, public: self.public, prev };
        insert(tx, clinic, &record, waited)?;
        search::note(tx, clinic, &record)?;
        store(tx, clinic, thread)?;
        Ok(Change::Entry(Arc::new(record), Arc::new(thread.summary.clone())))
    }
}

fn insert(tx: &Transaction<'_>, clinic: &ClinicId, record: &Record, waited: Option<u64>) -> Result<(), Stop> {
    let entry = &record.entry;
    tx.prepare_cached(
        "INSERT INTO entries (clinic, conversation, seq, rev, id, at, author, role, author_name, body, preview,
           origin, message, public, prev, waited)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
    )?
    .execute(params![
        clinic.as_str(),
        entry.conversation.as_str(),
        signed(entry.seq.get()),
        signed(entry.rev.get()),
        entry.id.to_string(),
        signed(entry.at.millis()),
        entry.author.id.as_str(),
        role_word(entry.author.role),
        entry.author.name,
        to_json(&entry.body)?,
        entry.preview,
        entry.from.as_ref().map(to_json).transpose()?,
        speaks(entry.author.role, &entry.body),
        record.public,
        signed(record.prev.get()),
        waited.map(signed),
    ])?;
    Ok(())
}

/// Stores the summary after an entry.
fn store(tx: &Transaction<'_>, clinic: &ClinicId, thread: &Thread) -> Result<(), Stop> {
    let conversation = &thread.summary.conversation;
    let place = |last: &Option<Last>| signed(last.as_ref().map_or(Seq::ZERO, |last| last.seq).get());
    let time = |time: Option<Time>| time.map(|time| signed(time.millis()));
    tx.prepare_cached(
        "UPDATE conversations SET rev = ?3, head = ?4, public_head = ?5, state = ?6, until = ?7, assigned = ?8,
           waiting_since = ?9, answered_at = ?10, told_at = ?11, said_head = ?12, closed_at = ?13
         WHERE clinic = ?1 AND id = ?2",
    )?
    .execute(params![
        clinic.as_str(),
        conversation.id.as_str(),
        signed(conversation.rev.get()),
        signed(conversation.head.get()),
        place(&thread.summary.public_last),
        phase_word(conversation.state),
        time(conversation.until),
        conversation.assigned.as_ref().map(UserId::as_str),
        time(conversation.waiting_since),
        time(thread.answered_at),
        time(thread.told_at),
        place(&conversation.last),
        time(conversation.closed_at),
    ])?;
    Ok(())
}
