//! What every log promises, whatever it is stored in. `conformance!` runs it on one kind of log.

mod effects;
mod jobs;
mod reads;
mod search;
mod uploads;
mod writes;

use crate::log::{
    Answer, Change, Log, MAX_UNSENT, Outcome, Page, Record, Revocation, Summary, Upload, Write,
};
use bedside_protocol::{
    Amend, Assign, Author, Body, ClinicId, Code, ConversationId, EntryId, Epoch, Extra, File, Note, Origin,
    Outcome as Used, OutcomeResult, Patient, Phase, Read, Refusal, Rev, Role, Send, Seq, State, Suggestion,
    Time, UserId, Wait,
};
use std::sync::Arc;

pub const MINUTE: u64 = 60_000;
pub const HOUR: u64 = 60 * MINUTE;
/// A quiet morning.
pub const START: Time = Time::new(1_800_000_000_000);

pub fn clinic(name: &str) -> ClinicId {
    ClinicId::new(name).unwrap()
}

pub fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

/// The `n`th entry id of a test.
pub fn id(n: u64) -> EntryId {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&n.to_be_bytes());
    EntryId::from_parts(START, random)
}

pub fn author(role: Role, name: &str) -> Author {
    Author { id: user(name), role, name: name.to_uppercase(), extra: Extra::new() }
}

pub fn amara() -> Author {
    author(Role::Provider, "amara")
}

pub fn jonas() -> Author {
    author(Role::Provider, "jonas")
}

pub fn hana() -> Author {
    author(Role::Patient, "hana")
}

pub fn note(text: &str) -> Body {
    Body::Note(Note { text: text.into(), mentions: Vec::new(), extra: Extra::new() })
}

pub fn amend(target: EntryId, text: Option<&str>) -> Body {
    Body::Amend(Amend { target, text: text.map(str::to_owned), extra: Extra::new() })
}

pub fn phase(state: Phase, until: Option<Time>) -> Body {
    Body::State(State { state, until, extra: Extra::new() })
}

pub fn assign(to: Option<&str>) -> Body {
    Body::Assign(Assign { to: to.map(user), extra: Extra::new() })
}

pub fn suggestion() -> Body {
    Body::Suggestion(Suggestion {
        task: "reply".into(),
        basis: Seq::new(1),
        items: Vec::new(),
        model: "m".into(),
        version: "1".into(),
        abstained: None,
        extra: Extra::new(),
    })
}

pub fn used(suggestion: EntryId) -> Body {
    Body::Outcome(Used { suggestion, item: 0, result: OutcomeResult::Used, shown_ms: 1, extra: Extra::new() })
}

pub fn file() -> Body {
    Body::File(File {
        sha256: "0".repeat(64),
        name: "photo.jpg".into(),
        media_type: "image/jpeg".into(),
        bytes: 1,
        extra: Extra::new(),
    })
}

/// A log in the clinic `riverside`, at a clock that stands still unless moved.
pub struct Desk<L> {
    pub log: L,
    pub now: Time,
    pub next: u64,
}

impl<L: Log> Desk<L> {
    pub fn new(log: L) -> Self {
        Self {
            log,
            now: START,
            // Above the ids that tests choose themselves.
            next: 10_000,
        }
    }

    pub fn commit(&mut self, write: Write) -> Result<Outcome, Refusal> {
        let mut outcomes = self.log.commit(self.now, &[write]).unwrap();
        assert_eq!(outcomes.len(), 1);
        outcomes.remove(0)
    }

    pub fn admit(&mut self, name: &str) -> ConversationId {
        self.admit_to("riverside", name)
    }

    pub fn admit_to(&mut self, at: &str, name: &str) -> ConversationId {
        let write = Write::Admit {
            clinic: clinic(at),
            patient: Patient { id: user(name), name: name.to_uppercase(), born: None, extra: Extra::new() },
        };
        summary(&self.commit(write).unwrap()).conversation.id.clone()
    }

    pub fn next_id(&mut self) -> EntryId {
        self.next += 1;
        id(self.next)
    }

    /// The bytes of [`file`] come first.
    pub fn upload(&mut self, author: &Author) {
        let Body::File(File { sha256, bytes, .. }) = file() else { unreachable!() };
        let (clinic, uploader) = (clinic("riverside"), author.id.clone());
        self.commit(Write::Upload(Upload { clinic, sha256, uploader, role: author.role, bytes })).unwrap();
    }

    /// A send that has seen everything.
    pub fn send(&mut self, author: &Author, to: &ConversationId, body: Body) -> Result<Outcome, Refusal> {
        let id = self.next_id();
        self.commit(send("riverside", author, id, to, Seq::MAX, body))
    }

    pub fn text(&mut self, author: &Author, to: &ConversationId, text: &str) -> Arc<Record> {
        record(&self.send(author, to, Body::text(text)).unwrap())
    }

    pub fn read(&mut self, author: &Author, to: &ConversationId, upto: u64) -> Result<Outcome, Refusal> {
        self.commit(Write::Read {
            clinic: clinic("riverside"),
            reader: author.id.clone(),
            role: author.role,
            read: Read { conversation: to.clone(), upto: Seq::new(upto) },
        })
    }

    pub fn all(&self, of: &ConversationId) -> (Summary, Vec<Record>) {
        let mut reader = self.log.reader().unwrap();
        reader.entries(&clinic("riverside"), of, Seq::ZERO, Seq::MAX).unwrap().unwrap()
    }

    pub fn page(&self, since: u64, limit: u32) -> Page {
        let mut reader = self.log.reader().unwrap();
        reader.changes(&clinic("riverside"), None, Rev::new(since), limit).unwrap()
    }
}

pub fn send(at: &str, author: &Author, id: EntryId, to: &ConversationId, seen: Seq, body: Body) -> Write {
    Write::Send {
        clinic: clinic(at),
        author: author.clone(),
        send: Box::new(Send { id, conversation: to.clone(), seen, body, from: None, force: false }),
        tasks: Vec::new(),
    }
}

pub fn record(outcome: &Outcome) -> Arc<Record> {
    match &outcome.answer {
        Answer::Entry(record, _) => record.clone(),
        other => panic!("no entry: {other:?}"),
    }
}

pub fn summary(outcome: &Outcome) -> Arc<Summary> {
    match &outcome.answer {
        Answer::Entry(_, summary) | Answer::Summary(summary) => summary.clone(),
        other => panic!("no summary: {other:?}"),
    }
}

pub fn fresh(outcome: &Outcome) -> bool {
    !outcome.committed.changes().is_empty()
}

pub fn code(result: Result<Outcome, Refusal>) -> Option<Code> {
    result.err().map(|refusal| refusal.code)
}

pub fn kinds(records: &[Record]) -> Vec<&'static str> {
    let kind = |record: &Record| match &record.entry.body {
        Body::Text(_) => "text",
        Body::Wait(_) => "wait",
        Body::Amend(_) => "amend",
        Body::File(_) => "file",
        Body::Note(_) => "note",
        Body::Assign(_) => "assign",
        Body::State(_) => "state",
        Body::Suggestion(_) => "suggestion",
        Body::Outcome(_) => "outcome",
        Body::Unknown(_) => "unknown",
    };
    records.iter().map(kind).collect()
}

/// Where logs come from: each call opens the same one.
pub type Factory<'a, L> = &'a dyn Fn() -> L;

macro_rules! conformance {
    ($open:expr; $($group:ident::$test:ident)*) => {
        $(
            #[test]
            fn $test() {
                let directory = tempfile::tempdir().unwrap();
                let open = || $open(directory.path());
                crate::log::conformance::$group::$test(&open);
            }
        )*
    };
}

mod sqlite {
    use crate::log::SqliteLog;
    use std::path::Path;

    fn open(directory: &Path) -> SqliteLog {
        SqliteLog::open(&directory.join("log")).unwrap()
    }

    conformance! {
        open;
        writes::seq_is_dense_and_rev_grows
        writes::the_same_id_is_one_entry
        writes::a_refused_write_leaves_nothing_and_stops_nobody
        writes::clinics_know_nothing_of_each_other
        effects::the_greatest_read_mark_wins
        writes::a_reply_to_an_older_state_is_behind
        effects::patients_are_told_how_long_it_takes
        effects::the_wait_follows_the_clinics_pace
        effects::entries_change_the_summary
        effects::a_correction_is_its_authors_and_as_public_as_its_target
        effects::a_patients_correction_is_news
        effects::a_revocation_is_never_weakened
        writes::what_an_entry_names_must_exist
        writes::a_suggestion_isnt_stale_from_its_beginning
        writes::everybody_writes_what_is_theirs
        reads::changes_tell_each_conversation_once
        reads::public_entries_form_a_chain
        reads::a_patient_has_one_conversation
        reads::everything_survives_a_restart
        reads::a_copy_of_an_earlier_life_agrees
        uploads::a_file_names_bytes_that_its_sender_uploaded
        uploads::bytes_are_for_those_who_see_their_entry
        uploads::what_no_entry_names_is_forgotten_and_nothing_else
        uploads::unsent_uploads_are_bounded
        search::words_phrases_and_filters_are_found
        search::what_was_corrected_is_found_as_it_reads_now
        search::a_search_stays_in_its_clinic
        search::search_says_what_it_lacks_and_survives_a_restart
        search::no_words_break_it
        jobs::a_message_opens_its_tasks_once_and_ends_those_of_the_one_before
        jobs::a_task_ends_once_with_its_result
        jobs::open_tasks_and_their_tries_survive_a_restart
    }
}
